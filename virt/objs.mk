# SPDX-License-Identifier: GPL-2.0-only
virt := event vm_fsm run exit request vcpu_fsm
