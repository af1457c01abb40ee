// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VM can be told on the command line: the options of run, start, create and set. */
#include "hvctl/def/vm_table.h"

static const char *const backing_words[] = { "auto", "memfd", "thp", "hugetlb", NULL };
static const char *const model_words[] = { "host", "x86-64-v2", "x86-64-v3", "x86-64-v4", NULL };
static const char *const serial_words[] = { "stdio", "none", "pty", "socket", "file", NULL };
static const char *const sandbox_words[] = { "on", "log", "off", NULL };

static const struct opt_key memory_keys[] = {
	{ "size", OPT_SIZE, "SIZE", "bytes of guest memory, for example 512M or 4G (default 512M)", NULL },
	{ "backing", OPT_WORD, "KIND", "what it is made of (default auto)", backing_words },
	{ "host-node", OPT_UINT, "NODE", "take it from this NUMA node of the host", NULL },
	{ 0 }
};

static const struct opt_key cpu_keys[] = {
	{ "count", OPT_UINT, "N", "number of virtual CPUs (default 1)", NULL },
	{ "model", OPT_WORD, "MODEL", "what the guest sees (default host)", model_words },
	{ "off", OPT_STR, "NAMES", "CPU features to hide, joined by '+', for example avx2+x2apic", NULL },
	{ 0 }
};

static const struct opt_key numa_keys[] = {
	{ "memory", OPT_SIZE, "SIZE", "memory of this virtual node", NULL },
	{ "cpus", OPT_STR, "FIRST-LAST", "its virtual CPUs, for example 0-3 or 2", NULL },
	{ "host-node", OPT_UINT, "NODE", "NUMA node of the host to take the memory from", NULL },
	{ 0 }
};

static const char *const disk_format_words[] = { "auto", "raw", NULL };
static const char *const aio_words[] = { "io_uring", "threads", NULL };

static const struct opt_key disk_keys[] = {
	{ "path", OPT_FILE, "FILE", "disk image: raw, or a VHD; its content tells", NULL },
	{ "readonly", OPT_FLAG, NULL, "the guest cannot write to it, and others may use it, too", NULL },
	{ "bus", OPT_STR, "scsi[N][:UNIT]", "where it hangs (default: the next free place of scsi0)", NULL },
	{ "format", OPT_WORD, "FORMAT", "auto: its content tells; raw: never, where the guest is not trusted, "
	  "because it could write what a VHD ends with (default auto)", disk_format_words },
	{ "aio", OPT_WORD, "ENGINE", "how its controller reads and writes (default io_uring)", aio_words },
	{ 0 }
};

static const struct opt_key cdrom_keys[] = {
	{ "path", OPT_FILE, "FILE", "ISO image; none: an empty drive", NULL },
	{ "bus", OPT_STR, "scsi[N][:UNIT]", "where it hangs (default: the next free place of scsi0)", NULL },
	{ 0 }
};

static const char *const net_words[] = { "user", "tap", NULL };

static const struct opt_key net_keys[] = {
	{ "to", OPT_WORD, "WHERE", "what it is connected to", net_words },
	{ "hostfwd", OPT_STRS, "RULE", "user: connections to a port of the host go to one of the guest, "
	  "tcp:[ADDRESS]:PORT-[ADDRESS]:PORT or udp:..., for example tcp::2222-:22; may be repeated", NULL },
	{ "restrict", OPT_FLAG, NULL, "user: the guest reaches nothing but what is forwarded", NULL },
	{ "ifname", OPT_STR, "NAME", "tap: the host's interface, made if it is not there (default: hvtapN)", NULL },
	{ "bridge", OPT_STR, "NAME", "tap: bridge that the interface is added to", NULL },
	{ "mac", OPT_STR, "ADDRESS", "of the adapter (default: made of the VM's name)", NULL },
	{ "mtu", OPT_UINT, "BYTES", "largest that the guest may use, 576 to 9216 (default: tap: that of the interface; else 9216)", NULL },
	{ "guard", OPT_FLAG, NULL, "the guest can only send from its own address, and is neither a DHCP "
	  "server nor a router", NULL },
	{ 0 }
};

static const struct opt_key serial_keys[] = {
	{ "to", OPT_WORD, "WHERE", "where the first serial port goes", serial_words },
	{ "path", OPT_FILE, "FILE", "of the socket or file", NULL },
	{ 0 }
};

const struct opt vm_opts[] = {
	{ .name = "kernel", .letter = 'k', .kind = OPT_FILE, .arg = "FILE",
	  .help = "kernel: bzImage, ELF with a PVH entry, or multiboot (default: the disk's own)" },
	{ .name = "initrd", .letter = 'i', .kind = OPT_FILE, .arg = "FILE", .help = "initial RAM disk" },
	{ .name = "append", .letter = 'a', .kind = OPT_STR, .arg = "WORDS", .repeat = true,
	  .help = "words for the kernel's command line" },
	{ .name = "boot-menu", .help = "show on the console what the disk offers to boot, and wait" },
	{ .name = "cloud-init", .kind = OPT_FILE, .arg = "USER-DATA[,META-DATA]",
	  .help = "a DVD with these files as cloud-init's NoCloud seed" },
	{ .name = "memory", .letter = 'm', .kind = OPT_KEYS, .arg = "SIZE[,KEY=VALUE]",
	  .keys = memory_keys, .help = "guest memory, for example 512M" },
	{ .name = "cpus", .letter = 'c', .kind = OPT_KEYS, .arg = "N[,KEY=VALUE]",
	  .keys = cpu_keys, .help = "virtual CPUs, for example 2" },
	{ .name = "numa", .kind = OPT_KEYS, .arg = "KEY=VALUE", .repeat = true, .keys = numa_keys,
	  .help = "a virtual NUMA node; instead of --memory" },
	{ .name = "disk", .letter = 'd', .kind = OPT_KEYS, .arg = "FILE[,KEY=VALUE]", .repeat = true,
	  .keys = disk_keys, .help = "a disk, for example system.vhd or data.img,readonly" },
	{ .name = "cdrom", .kind = OPT_KEYS, .arg = "FILE[,KEY=VALUE]", .repeat = true,
	  .keys = cdrom_keys, .help = "a DVD drive with this ISO image" },
	{ .name = "net", .kind = OPT_KEYS, .arg = "WHERE[,KEY=VALUE]", .repeat = true, .keys = net_keys,
	  .help = "a network adapter, for example user,hostfwd=tcp::2222-:22" },
	{ .name = "serial", .kind = OPT_KEYS, .arg = "WHERE[,KEY=VALUE]", .keys = serial_keys,
	  .help = "the first serial port (default: stdio for run, none for start)" },
	{ .name = "name", .letter = 'n', .kind = OPT_STR, .arg = "NAME",
	  .help = "name of the VM (default vm1, vm2, ...)" },
	{ .name = "paused", .help = "do not run the guest before hvctl resume" },
	{ .name = "no-reboot", .help = "end the VM when the guest resets" },
	{ .name = "test-devices", .help = "isa-debug-exit and the pc-testdev ports, for test guests" },
	{ .name = "sandbox", .kind = OPT_WORD, .arg = "MODE", .words = sandbox_words,
	  .help = "seccomp and dropped privileges (default on); for debugging" },
	{ .name = "dry-run", .help = "check the options, print the configuration, start nothing" },
	{ 0 }
};

const struct opt run_opts[] = {
	{ .name = "exit-with-guest", .help = "exit with the code the guest wrote to isa-debug-exit" },
	{ .name = "escape", .letter = 'e', .kind = OPT_STR, .arg = "CHAR",
	  .help = "character that ends the VM, ^a or none (default ^])" },
	{ 0 }
};

static const char *const on_off_words[] = { "on", "off", NULL };

const struct opt def_opts[] = {
	{ .name = "title", .kind = OPT_STR, .arg = "TEXT", .help = "what it is, in one line" },
	{ .name = "description", .kind = OPT_STR, .arg = "TEXT", .help = "what it is for" },
	{ .name = "autostart", .kind = OPT_WORD, .arg = "on|off", .words = on_off_words,
	  .help = "start it with the host (default off)" },
	{ .name = "order", .kind = OPT_UINT, .arg = "N",
	  .help = "place in the order of starting; VMs without one come last" },
	{ .name = "uuid", .kind = OPT_STR, .arg = "UUID", .help = "its UUID (default: a new one)" },
	{ 0 }
};
