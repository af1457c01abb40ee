# SPDX-License-Identifier: GPL-2.0-or-later
userspace-hvctl-def := vm_table xml_tree xml_read xml_write map_table map_forms map_machine map_devices map_net \
	def_line def_read def_write
userspace-hvctl-def-pkgs := expat
