# SPDX-License-Identifier: GPL-2.0-or-later
virt-lib := vpset hcall_parse tsc_scale stimer_rules
virt-lib += slotmap overlaymap
