// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of options and their XML; map.h says how to add to it, Documentation/definitions.rst what it means. */
#include "hvctl/def/map.h"

static const struct def_word w_no_reboot[] = { { "off", "restart" }, { "on", "destroy" }, { 0 } };
static const struct def_word w_format[] = { { "auto", NULL }, { "raw", "raw" }, { 0 } };
static const struct def_word w_aio[] = { { "io_uring", "io_uring" }, { "threads", "threads" }, { 0 } };
static const struct def_word w_sandbox[] = { { "on", "on" }, { "log", "log" }, { "off", "off" }, { 0 } };
static const struct def_word w_yes[] = { { "on", "yes" }, { "off", "no" }, { 0 } };

/* What may be said because it is so; see form_fixed. */
static const struct def_word w_type[] = { { "", "hyperv" }, { 0 } };
static const struct def_word w_hvm[] = { { "", "hvm" }, { 0 } };
static const struct def_word w_arch[] = { { "", "x86_64" }, { 0 } };
static const struct def_word w_destroy[] = { { "", "destroy" }, { 0 } };
static const struct def_word w_utc[] = { { "", "utc" }, { 0 } };
static const struct def_word w_static[] = { { "", NULL }, { "", "static" }, { 0 } };
static const struct def_word w_file[] = { { "", "file" }, { 0 } };
static const struct def_word w_disk[] = { { "", "disk" }, { 0 } };
static const struct def_word w_cdrom[] = { { "", "cdrom" }, { 0 } };
static const struct def_word w_check[] = { { "", NULL }, { "", "none" }, { 0 } };
static const struct def_word w_on[] = { { "", NULL }, { "", "on" }, { 0 } };
static const struct def_word w_net[] = {
	{ "user", "user" }, { "tap", "bridge" }, { "tap", "ethernet" }, { 0 }
};
static const struct def_word w_netvsc[] = { { "", "netvsc" }, { 0 } };
static const struct def_word w_raw[] = { { "", NULL }, { "", "raw" }, { 0 } };
static const struct def_word w_hv[] = { { "", NULL }, { "", "hv" }, { 0 } };

const struct def_row def_rows[] = {
	/* every VM */
	{ NULL, NULL, "@type", &form_fixed, w_type },
	{ NULL, NULL, "os/type", &form_fixed, w_hvm },
	{ NULL, NULL, "os/type@arch", &form_fixed, w_arch },
	{ NULL, NULL, "features/acpi", &form_present, NULL },
	{ NULL, NULL, "features/apic", &form_present, NULL },
	{ NULL, NULL, "clock@offset", &form_fixed, w_utc },
	{ NULL, NULL, "on_poweroff", &form_fixed, w_destroy },
	{ NULL, NULL, "on_crash", &form_fixed, w_destroy },
	{ NULL, NULL, "vcpu@placement", &form_fixed, w_static },
	{ NULL, NULL, "cpu@check", &form_fixed, w_check },
	{ NULL, NULL, "cpu@migratable", &form_fixed, w_on },

	/* a definition's own */
	{ "name", NULL, "name", &form_name, NULL },
	{ "uuid", NULL, "uuid", &form_uuid, NULL },
	{ "title", NULL, "title", &form_title, NULL },
	{ "description", NULL, "description", &form_title, NULL },
	{ "autostart", NULL, "metadata/hv:vm@autostart", &form_words, w_yes },
	{ "order", NULL, "metadata/hv:vm@order", &form_text, NULL },

	/* the machine */
	{ "memory", "size", "memory", &form_size, NULL },
	{ "memory", "backing", "memoryBacking", &form_backing, NULL },
	{ "memory", "host-node", "numatune/memory", &form_host_node, NULL },
	{ "cpus", "count", "vcpu", &form_text, NULL },
	{ "cpus", "model", "cpu", &form_cpu_model, NULL },
	{ "cpus", "off", "cpu/feature", &form_cpu_off, NULL },
	{ "numa", NULL, "@id", &form_cell_id, NULL },
	{ "numa", "memory", "@memory", &form_size, NULL },
	{ "numa", "cpus", "@cpus", &form_text, NULL },
	{ "numa", "host-node", "numatune/memnode", &form_cell_node, NULL },

	/* what it boots */
	{ "kernel", NULL, "os/kernel", &form_text, NULL },
	{ "initrd", NULL, "os/initrd", &form_text, NULL },
	{ "append", NULL, "os/cmdline", &form_text, NULL },
	{ "boot-menu", NULL, "os/bootmenu@enable", &form_yes, NULL },
	{ "cloud-init", NULL, "metadata/hv:vm@cloud-init", &form_text, NULL },
	{ "no-reboot", NULL, "on_reboot", &form_words, w_no_reboot },

	/* devices */
	{ "disk", NULL, "@type", &form_fixed, w_file },
	{ "disk", NULL, "@device", &form_fixed, w_disk },
	{ "disk", NULL, "driver@name", &form_fixed, w_hv },
	{ "disk", "format", "driver@type", &form_words, w_format },
	{ "disk", "aio", "driver@io", &form_words, w_aio },
	{ "disk", "path", "source@file", &form_text, NULL },
	{ "disk", "bus", "target", &form_place, NULL },
	{ "disk", "readonly", "readonly", &form_present, NULL },
	{ "cdrom", NULL, "@type", &form_fixed, w_file },
	{ "cdrom", NULL, "@device", &form_fixed, w_cdrom },
	{ "cdrom", NULL, "driver@name", &form_fixed, w_hv },
	{ "cdrom", NULL, "driver@type", &form_fixed, w_raw },
	{ "cdrom", "path", "source@file", &form_text, NULL },
	{ "cdrom", "bus", "target", &form_place, NULL },
	{ "cdrom", NULL, "readonly", &form_present, NULL },
	{ "net", "to", "@type", &form_words, w_net },
	{ "net", "mac", "mac@address", &form_text, NULL },
	{ "net", NULL, "model@type", &form_fixed, w_netvsc },
	{ "net", "mtu", "mtu@size", &form_text, NULL },
	{ "net", "ifname", "target@dev", &form_text, NULL },
	{ "net", "bridge", "source@bridge", &form_net_bridge, NULL },	/* behind "to" */
	{ "net", "hostfwd", "hv:forward", &form_net_forward, NULL },
	{ "net", "restrict", "restrict", &form_net_flag, NULL },
	{ "net", "guard", "guard", &form_net_flag, NULL },
	{ "serial", "to", "@type", &form_serial_to, NULL },
	{ "serial", "path", "source@path", &form_text, NULL },

	/* what libvirt has no words for */
	{ "paused", NULL, "metadata/hv:vm@paused", &form_yes, NULL },
	{ "test-devices", NULL, "metadata/hv:vm@test-devices", &form_yes, NULL },
	{ "sandbox", NULL, "metadata/hv:vm@sandbox", &form_words, w_sandbox },
	{ "escape", NULL, "metadata/hv:vm@escape", &form_text, NULL },
	{ "exit-with-guest", NULL, "metadata/hv:vm@exit-with-guest", &form_yes, NULL },
	{ 0 }
};

const struct def_item def_items[] = {
	{ "numa", "cpu/numa/cell", NULL, NULL },
	{ "disk", "devices/disk", "device", "disk" },
	{ "cdrom", "devices/disk", "device", "cdrom" },
	{ "net", "devices/interface", NULL, NULL },
	{ "serial", "devices/serial", NULL, NULL },
	{ "serial", "devices/console", NULL, NULL },
	{ 0 }
};
