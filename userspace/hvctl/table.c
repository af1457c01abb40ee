// SPDX-License-Identifier: GPL-2.0-or-later
/* The one table of hvctl: verbs, options, keys, exit codes. */
#include "hvctl/cmd.h"
#include "hvctl/def/vm_table.h"
#include "hvctl/version.h"

static const struct opt common_opts[] = {
	{ .name = "json", .help = "print JSON, errors too" },
	{ .name = "quiet", .letter = 'q', .help = "print bare names or nothing" },
	{ .name = "help", .letter = 'h', .help = "explain the command" },
	{ .name = "version", .help = "print the version" },
	{ 0 }
};

static const char *const shell_words[] = { "bash", "zsh", "fish", NULL };

static const char *const format_words[] = { "dynamic", "fixed", "raw", NULL };

static const struct opt disk_opts[] = {
	{ .name = "size", .letter = 's', .kind = OPT_SIZE, .arg = "SIZE",
	  .help = "of the new disk, for example 20G; at most 2040G for a VHD" },
	{ .name = "format", .kind = OPT_WORD, .arg = "FORMAT", .words = format_words,
	  .help = "of the new image: a dynamic or fixed VHD, or raw (default dynamic)" },
	{ .name = "block-size", .kind = OPT_SIZE, .arg = "SIZE",
	  .help = "of a dynamic VHD, a power of two from 4K to 256M (default 2M)" },
	{ .name = "force", .letter = 'f', .help = "eject, insert: although the guest has locked the drive" },
	{ 0 }
};

static const struct opt dry_opts[] = {
	{ .name = "dry-run", .help = "check it and print what would be kept, change nothing" },
	{ 0 }
};

static const struct opt set_opts[] = {
	{ .name = "remove", .kind = OPT_STR, .arg = "OPTION", .repeat = true,
	  .help = "let the definition say nothing about this option any more, for example initrd" },
	{ 0 }
};

static const struct opt undefine_opts[] = {
	{ .name = "force", .letter = 'f', .help = "although it runs; it goes on until its end. Or although it is saved: its "
						  "state is removed" },
	{ 0 }
};

static const struct opt autostart_opts[] = {
	{ .name = "off", .help = "start them with the host no longer" },
	{ .name = "order", .kind = OPT_UINT, .arg = "N",
	  .help = "place in the order of starting; VMs without one come last" },
	{ .name = "run-all", .help = "start all VMs that are to start with the host, in order" },
	{ .name = "stop-all", .help = "stop all VMs that run, in the reverse order, and wait for their guests" },
	{ .name = "timeout", .letter = 't', .kind = OPT_DURATION, .arg = "TIME",
	  .help = "stop-all: how long each guest may take before it is killed (default 90)" },
	{ 0 }
};

static const struct opt list_opts[] = {
	{ .name = "all", .letter = 'a', .help = "those that are defined and do not run, too" },
	{ 0 }
};

static const struct opt stats_opts[] = {
	{ .name = "prometheus", .help = "as text for Prometheus; without a VM: of all VMs" },
	{ 0 }
};

static const struct opt trace_opts[] = {
	{ .name = "event", .kind = OPT_STR, .arg = "NAME", .repeat = true,
	  .help = "only this one, for example hv_exit or exit" },
	{ .name = "count", .letter = 'c', .kind = OPT_UINT, .arg = "N", .help = "end after N lines" },
	{ .name = "timeout", .letter = 't', .kind = OPT_DURATION, .arg = "TIME", .help = "end after this time" },
	{ 0 }
};

static const struct opt top_opts[] = {
	{ .name = "count", .letter = 'n', .kind = OPT_UINT, .arg = "N", .help = "end after N times (default: never)" },
	{ .name = "interval", .letter = 'd', .kind = OPT_DURATION, .arg = "TIME",
	  .help = "between two looks (default 2)" },
	{ 0 }
};

static const struct opt console_opts[] = {
	{ .name = "escape", .letter = 'e', .kind = OPT_STR, .arg = "CHAR",
	  .help = "character that detaches, ^a or none (default ^])" },
	{ .name = "force", .letter = 'f', .help = "take the console from whoever has it" },
	{ .name = "read-only", .letter = 'r', .help = "watch only; any number of watchers may" },
	{ 0 }
};

static const struct opt logs_opts[] = {
	{ .name = "follow", .letter = 'f', .help = "go on until the VM ends" },
	{ .name = "console", .help = "the last 64 KiB the guest printed, instead of the log" },
	{ 0 }
};

static const struct opt stop_opts[] = {
	{ .name = "timeout", .letter = 't', .kind = OPT_DURATION, .arg = "TIME",
	  .help = "how long to wait for the end (default 60)" },
	{ .name = "no-wait", .help = "press the button and return" },
	{ 0 }
};

static const struct opt wait_opts[] = {
	{ .name = "timeout", .letter = 't', .kind = OPT_DURATION, .arg = "TIME",
	  .help = "give up after this time (default: never)" },
	{ 0 }
};

static const struct opt kill_opts[] = {
	{ .name = "force", .letter = 'f', .help = "kill the process when it does not answer" },
	{ 0 }
};

static const struct opt events_opts[] = {
	{ .name = "count", .letter = 'c', .kind = OPT_UINT, .arg = "N", .help = "end after N events" },
	{ .name = "timeout", .letter = 't', .kind = OPT_DURATION, .arg = "TIME",
	  .help = "end after this time" },
	{ 0 }
};

#define VM_CMD(n) .args = "VM", .arg_kind = OPT_ARGS_VM, .arg_min = 1, .arg_max = n

static const struct opt save_opts[] = {
	{ .name = "compress", .help = "with zstd: a smaller file, which is loaded whole before the guest runs" },
	{ .name = "force", .letter = 'f', .help = "replace a file of that name that holds a saved VM" },
	{ 0 }
};

static const struct opt restore_opts[] = {
	{ .name = "name", .letter = 'n', .kind = OPT_STR, .arg = "NAME", .help = "another name than it had" },
	{ .name = "paused", .help = "do not run the guest before hvctl resume" },
	{ .name = "foreground", .help = "with its console, as hvctl run" },
	{ .name = "eager", .help = "load and check all of memory before the guest runs" },
	{ .name = "force", .letter = 'f', .help = "although a disk was written since: its file system may suffer" },
	{ 0 }
};

static const struct opt managedsave_opts[] = {
	{ .name = "compress", .help = "with zstd: a smaller file, which is loaded whole before the guest runs" },
	{ .name = "remove", .help = "give the state that is kept up: the next start boots the VM anew" },
	{ 0 }
};

static const struct opt_cmd cmds[] = {
	{ .name = "run", .help = "boot a VM in the foreground, with its console", .run = cmd_run,
	  .args = "[DISK...]", .arg_kind = OPT_ARGS_NONE, .arg_max = OPT_WORDS_MAX,
	  .text = "Boots a kernel and connects the terminal to the guest's serial console until the VM "
		  "ends. Without --kernel that is the disk's own, as its GRUB, Boot Loader Specification or "
		  "extlinux configuration names it: a boot image reads that in the guest and starts it; the "
		  "words of --append are added to its command line. DISK is what --disk takes.\n"
		  "The escape character (^]) ends the VM at once; hvctl stop from another terminal "
		  "asks the guest to power off.\n"
		  "Exit code 0 when the guest powered off or, with --no-reboot, reset; 10 when it was killed "
		  "or the escape character was typed; 11 when the disks hold nothing that could be started.",
	  .example = "hvctl run --kernel vmlinuz --initrd initrd.img --memory 512M --cpus 2 --append console=ttyS0",
	  .opts = { vm_opts, run_opts } },
	{ .name = "start", .help = "boot a VM in the background and print its name", .run = cmd_start,
	  .args = "[VM]", .arg_kind = OPT_ARGS_VM, .arg_max = 1,
	  .text = "Takes the options of run, or the name of a VM that is defined (hvctl create, hvctl define), "
		  "or both: an option given counts for this one start. Returns when the guest's first "
		  "instruction may run, or with an error. hvctl console attaches to the console later; what "
		  "the guest printed before is shown then.",
	  .example = "hvctl start -n web -k vmlinuz -i initrd.img -m 1G -c 2 -a console=ttyS0",
	  .opts = { vm_opts } },
	{ .name = "create", .help = "define a VM from options", .run = cmd_create, .args = "VM",
	  .arg_kind = OPT_ARGS_NONE, .arg_max = 1,
	  .text = "Keeps the options of run under the name of the VM, as a libvirt domain XML. hvctl start VM "
		  "starts it then; hvctl set and hvctl edit change it. The files named need not be there yet.",
	  .example = "hvctl create web -k vmlinuz -i initrd.img -m 1G -d web.vhd --autostart on",
	  .opts = { vm_opts, run_opts, def_opts } },
	{ .name = "define", .help = "define a VM from a libvirt domain XML", .run = cmd_define, .args = "FILE",
	  .arg_kind = OPT_ARGS_NONE, .arg_min = 1, .arg_max = 1,
	  .text = "Reads the XML (- is standard input) and keeps it; a definition of the same name and UUID is "
		  "replaced. What hv does not do is refused by line and element, never ignored. The XML of any "
		  "run is printed by hvctl run ... --dry-run.",
	  .example = "hvctl define web.xml", .opts = { dry_opts } },
	{ .name = "edit", .help = "change a definition in an editor", .run = cmd_edit, VM_CMD(1),
	  .text = "Starts $VISUAL, $EDITOR or sensible-editor on the XML, and keeps the outcome if it is valid." },
	{ .name = "set", .help = "change single options of a definition", .run = cmd_set, VM_CMD(1),
	  .text = "Takes the options of create. One that is given replaces the one of the definition; of a list "
		  "(--memory, --cpus, --serial) only the keys that are given, and of those that may be repeated "
		  "(--disk, --append) all. A VM that runs changes with its next start.",
	  .example = "hvctl set web --memory 2G --description 'the web server' --remove initrd",
	  .opts = { vm_opts, run_opts, def_opts, set_opts } },
	{ .name = "dumpxml", .help = "print the XML of a definition", .run = cmd_dumpxml, VM_CMD(1) },
	{ .name = "undefine", .help = "remove definitions", .run = cmd_undefine, VM_CMD(OPT_WORDS_MAX),
	  .text = "The disks and other files of the VM stay.", .opts = { undefine_opts } },
	{ .name = "autostart", .help = "start VMs with the host", .run = cmd_autostart, .args = "[VM]...",
	  .arg_kind = OPT_ARGS_VM, .arg_max = OPT_WORDS_MAX,
	  .text = "Marks VMs that are defined; without a word lists those that are marked. The unit "
		  "hv-autostart.service, the system's or a user's, does --run-all when the host starts, and "
		  "--stop-all before it goes down.",
	  .example = "hvctl autostart web --order 10", .opts = { autostart_opts } },
	{ .name = "list", .help = "list the VMs", .run = cmd_list, .opts = { list_opts },
	  .text = "Lists the VMs of the run directories. A VM whose process does not answer within a "
		  "second is shown as unresponsive; one that belongs to another user as foreign. --all adds the VMs that "
		  "are defined and do not run: stopped, or invalid when the definition cannot be understood." },
	{ .name = "show", .help = "show one VM in full", .run = cmd_show, VM_CMD(1) },
	{ .name = "stats", .help = "show the counters of a VM", .run = cmd_stats, .args = "VM",
	  .arg_kind = OPT_ARGS_VM, .arg_max = OPT_WORDS_MAX,
	  .text = "Counters since the VM was made; sizes in bytes, times in nanoseconds. process.* are those of its "
		  "process: CPU time, resident memory (the guest's, as far as it was touched, is in it), threads.\n"
		  "--prometheus prints the text format of Prometheus, times in seconds; without a VM that of all "
		  "VMs, where hv_up is 0 for one that does not answer.",
	  .opts = { stats_opts } },
	{ .name = "top", .help = "show what VMs do, again and again", .run = cmd_top, .args = "[VM]...",
	  .arg_kind = OPT_ARGS_VM, .arg_max = OPT_WORDS_MAX,
	  .text = "CPU (percent of one host CPU), resident memory, exits by kind, disk and network bytes, for one "
		  "second each, over the last interval. ^C ends it. With --json one object on a line each time.",
	  .example = "hvctl top -n 1 web", .opts = { top_opts } },
	{ .name = "trace", .help = "print the tracepoints of a VM as they are passed", .run = cmd_trace, VM_CMD(1),
	  .text = "Reads the events of hv.ko through tracefs, filtered by VM, in a trace instance of its own: what "
		  "others trace is not disturbed. Needs root. ^C ends it.",
	  .example = "hvctl trace web --event exit --event inject -c 100", .opts = { trace_opts } },
	{ .name = "logs", .help = "show the log of a VM, also after its end", .run = cmd_logs, VM_CMD(1),
	  .text = "Each VM keeps a log of at most 64 KiB that names the cause of its end. It stays until a "
		  "VM of the same name is started.",
	  .opts = { logs_opts } },
	{ .name = "console", .help = "attach to the console of a VM", .run = cmd_console, VM_CMD(1),
	  .text = "Shows the last 64 KiB the guest printed, then connects the terminal to the guest's "
		  "serial console. The escape character (^]) detaches. One client at a time may type; "
		  "--force takes its place, --read-only watches. A serial line knows no window size: "
		  "after a resize tell the guest with stty rows and cols.",
	  .opts = { console_opts } },
	{ .name = "pause", .help = "stop the time of VMs", .run = cmd_pause, VM_CMD(OPT_WORDS_MAX) },
	{ .name = "resume", .help = "let paused VMs go on", .run = cmd_resume, VM_CMD(OPT_WORDS_MAX) },
	{ .name = "reset", .help = "reset VMs as by their reset button", .run = cmd_reset,
	  VM_CMD(OPT_WORDS_MAX) },
	{ .name = "stop", .help = "press the power button and wait for the end", .run = cmd_stop,
	  VM_CMD(OPT_WORDS_MAX),
	  .text = "Presses the ACPI power button: the guest's system shuts down, if it listens to the "
		  "button. Exit code 9 when it did not end in time; it may still do so.",
	  .opts = { stop_opts } },
	{ .name = "kill", .help = "end VMs at once", .run = cmd_kill, VM_CMD(OPT_WORDS_MAX),
	  .text = "The guest gets no warning, as if the power failed.", .opts = { kill_opts } },
	{ .name = "wait", .help = "wait for the end of a VM and tell its cause", .run = cmd_wait, VM_CMD(1),
	  .opts = { wait_opts } },
	{ .name = "events", .help = "print what happens to VMs, as the kernel module tells", .run = cmd_events,
	  .text = "Reads the generic netlink family of hv.ko: VMs and virtual CPUs made, started, paused, "
		  "dead. One line, or with --json one object, for each event.",
	  .opts = { events_opts } },
	{ .name = "disk", .help = "disk images, and the disks of a running VM", .run = cmd_disk,
	  .args = "create|info|check FILE | attach|insert VM FILE | detach VM PLACE | eject VM [PLACE]",
	  .arg_kind = OPT_ARGS_NONE, .arg_min = 2, .arg_max = 3,
	  .text = "create makes a new image of --size, a dynamic VHD unless --format says otherwise. info "
		  "shows what an image is, also one that is in use. check looks at all of its structure and "
		  "changes nothing; exit code 7 when it is damaged. The content of a file tells its format, "
		  "never its name.\n"
		  "attach adds a disk to a running VM and prints its place, as scsi0:1. FILE is what --disk of "
		  "run takes: data.vhd,readonly or data.img,bus=scsi1:3,format=raw. detach takes the unit at "
		  "PLACE away, whatever the guest does with it: unmount it there first. The controllers are "
		  "those the VM began with.\n"
		  "insert puts an ISO image into a DVD drive, in place of the one that is there; eject takes it "
		  "out. With several drives say which: ISO,bus=scsi0:1, or PLACE. A guest that has mounted the "
		  "medium keeps the drive locked (exit code 6); --force goes over that. hvctl show tells what "
		  "hangs where.",
	  .example = "hvctl disk create system.vhd --size 20G", .opts = { disk_opts } },
	{ .name = "kvp", .help = "key-value pairs with the guest", .run = cmd_kvp,
	  .args = "VM [set NAME VALUE | delete NAME]", .arg_kind = OPT_ARGS_VM, .arg_min = 1, .arg_max = 4,
	  .text = "Lists what the guest's key-value service knows, asked anew: pool auto is what it finds out (system, "
		  "host name, addresses), external what was written from here, guest what the guest's own users "
		  "wrote. set and delete change the external pool, which a Linux guest keeps in "
		  "/var/lib/hyperv/.kvp_pool_0.\n"
		  "The service must run in the guest (Debian: hyperv-daemons); exit code 4 when nobody answers, 9 when it "
		  "does not any more. Control characters of a guest are shown as U+FFFD.",
	  .example = "hvctl kvp web set role frontend" },
	{ .name = "link", .help = "pull the cable out of a network adapter, or put it in", .run = cmd_link,
	  .args = "VM up|down [N]", .arg_kind = OPT_ARGS_VM, .arg_min = 2, .arg_max = 3,
	  .text = "N is the number of the adapter as hvctl show has it (default 0). The guest is told, and no "
		  "frames go or come while the cable is out.", .example = "hvctl link web down" },
	{ .name = "save", .help = "write a VM's state into a file and end it", .run = cmd_save,
	  .args = "VM FILE | inspect FILE", .arg_kind = OPT_ARGS_NONE, .arg_min = 2, .arg_max = 2,
	  .text = "The guest stands still, its disks finish what is under way, and memory, CPUs and devices "
		  "go into FILE; memory that is zero is left out. When all is on disk the VM ends. If that "
		  "fails, as on a full disk, or is cancelled by ^C, the VM goes on as before and there is no file.\n"
		  "save inspect checks all of a file and tells what is in it.",
	  .example = "hvctl save web /var/tmp/web.hvstate", .opts = { save_opts } },
	{ .name = "restore", .help = "let a saved VM go on", .run = cmd_restore,
	  .args = "FILE", .arg_kind = OPT_ARGS_NONE, .arg_min = 1, .arg_max = 1,
	  .text = "Makes the VM that is in FILE, as it was, and prints its name. Options, disks and kernel are those it "
		  "was started with. Memory comes from the file when the guest touches it, and is checked behind the running "
		  "guest; damage ends the VM. With --eager, and from a compressed file, it is loaded and checked first.\n"
		  "The CPU must have what the guest has seen, and no disk may have been "
		  "written since. The file stays: to go on from it twice would damage the disks, which is "
		  "refused for that reason.",
	  .example = "hvctl restore /var/tmp/web.hvstate", .opts = { restore_opts } },
	{ .name = "managedsave", .help = "save a VM that is defined, for the next start to find", .run = cmd_managedsave,
	  VM_CMD(1),
	  .text = "Like save, into a file beside the VM's definition. hvctl start VM, and the start with the host, goes "
		  "on from it, and removes it when the VM runs. What was changed in the definition meanwhile counts "
		  "from the start after that.",
	  .example = "hvctl managedsave web", .opts = { managedsave_opts } },
	{ .name = "doctor", .help = "check whether this machine can run VMs", .run = cmd_doctor,
	  .text = "Checks virtualization support, other hypervisors, Secure Boot, kernel headers, access to "
		  "/dev/hv, limits and the cache. Prints the cause and the remedy of what is wrong. Exit "
		  "code 8 when something keeps VMs from running here." },
	{ .name = "version", .help = "print the versions of hvctl and hv.ko and what hv.ko can do",
	  .run = cmd_version },
	{ .name = "completion", .help = "print the completion script of a shell", .run = cmd_completion,
	  .args = "bash|zsh|fish", .arg_kind = OPT_ARGS_WORD, .arg_min = 1, .arg_max = 1,
	  .words = shell_words, .example = "source <(hvctl completion bash)" },
	{ .name = "help", .help = "explain a command", .run = cmd_help, .args = "[COMMAND]",
	  .arg_kind = OPT_ARGS_CMD, .arg_max = 1 },
	{ .name = "man", .hidden = true, .help = "print the man page's source", .run = cmd_man },
	{ 0 }
};

static const struct opt_note exits[] = {
	{ "0", "Done." },
	{ "1", "It failed; the message says why." },
	{ "2", "The command line is wrong." },
	{ "3", "There is no such VM." },
	{ "4", "The VM is in the wrong state for it." },
	{ "5", "Not supported." },
	{ "6", "Busy: the name, the console or the VM is in use." },
	{ "7", "The configuration or an image is invalid." },
	{ "8", "The host cannot: hv.ko, virtualization support or permission is missing; see hvctl doctor." },
	{ "9", "It took too long." },
	{ "10", "Cancelled: by a signal, the escape character or hvctl kill." },
	{ "11", "The VM's disks hold nothing that could be started; its console says what was found." },
	{ "124 and above", "Ended by a signal; or, with run --exit-with-guest, the guest's code, which may be any." },
	{ 0 }
};

static const struct opt_note environment[] = {
	{ "HV_RUNTIME_DIR", "The run directory to use instead of the ones under FILES." },
	{ "HV_CONFIG_DIR", "Definitions are in its folder vms instead of the ones under FILES." },
	{ "XDG_CONFIG_HOME", "Where the user's own definitions are (~/.config)." },
	{ "VISUAL, EDITOR", "The editor of hvctl edit." },
	{ "XDG_RUNTIME_DIR", "Where the user's own run directory is." },
	{ "HV_BOOT_IMAGE", "The directory of the boot image (vmlinuz, initrd), instead of those under FILES." },
	{ "HV_CACHE", "The cache directory that hvctl doctor checks; a boot image may be in it." },
	{ "HV_SYSROOT", "Directory in front of every path that hvctl doctor reads; for tests." },
	{ "NO_COLOR", "If set and not empty, no colours." },
	{ 0 }
};

static const struct opt_note files[] = {
	{ "/usr/lib/hv/boot-image, /var/cache/hv/boot-image, ~/.cache/hv/boot-image",
	  "The boot image: vmlinuz and initrd, made by scripts/boot-image." },
	{ "/dev/hv", "The device of hv.ko. Members of group hv may use it." },
	{ "$XDG_RUNTIME_DIR/hv, /run/hv, /tmp/hv-UID",
	  "Run directories: the lock, control socket and log of each VM. A new VM goes to the first one that "
	  "can be used; names are looked for in all." },
	{ "/etc/hv/vms, ~/.config/hv/vms",
	  "Definitions, NAME.xml each: those of root and those of another user." },
	{ 0 }
};

const struct opt_tool hvctl_tool = {
	.name = "hvctl",
	.version = HVCTL_VERSION,
	.help = "run and control virtual machines on hv",
	.text = "hvctl runs virtual machines on the kernel module hv.ko. Each VM is one process; there is no "
		"daemon. Members of group hv need no root for it.\n"
		"Every command takes --json. What it prints then is one object with schema_version, and an "
		"error object if it fails; the text of an error goes to standard error in any case.",
	.cmds = cmds,
	.common = common_opts,
	.exits = exits,
	.environment = environment,
	.files = files,
	.list_cmd = "hvctl list --all -q",
	.usage_code = RC_USAGE,
};
