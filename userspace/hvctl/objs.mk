# SPDX-License-Identifier: GPL-2.0-or-later
userspace-hvctl := main table out rundir client stopsig vmopts netopts defdir bootimage cloudinit sample \
	cmd_run cmd_restore cmd_save cmd_def cmd_edit cmd_autostart cmd_list cmd_stats cmd_top cmd_life cmd_console cmd_logs \
	cmd_events cmd_disk cmd_disk_vm cmd_link cmd_doctor cmd_version cmd_help
userspace-hvctl-prog := hvctl
userspace-hvctl-libs := hvctl/def hvctl/opt seed base doctor vmm devices backends libhv libstate libvhd pure
userspace-hvctl-pkgs := expat jansson libnl-genl-3.0
userspace-hvctl-archives := expat jansson liburcu-memb liburing libzstd
