# SPDX-License-Identifier: GPL-2.0-or-later
userspace-hvctl := main table out rundir client stopsig vmopts \
	netopts defdir bootimage cloudinit sample \
	cmd_autostart cmd_console cmd_def cmd_disk cmd_disk_vm cmd_doctor cmd_edit \
	cmd_events cmd_help cmd_kvp cmd_life cmd_link cmd_list cmd_logs \
	cmd_managedsave cmd_restore \
	cmd_run cmd_save cmd_stats cmd_top cmd_trace cmd_version
userspace-hvctl-prog := hvctl
userspace-hvctl-libs := hvctl/def hvctl/opt seed base doctor vmm devices backends libhv libstate libvhd pure
userspace-hvctl-pkgs := expat jansson libnl-genl-3.0
userspace-hvctl-archives := expat jansson liburcu-memb liburing libzstd
