# SPDX-License-Identifier: GPL-2.0-only
virt := event vm_fsm
# See arch/x86/objs.mk: land yours here as soon as it compiles.
ifneq ($(HV_NEXT),)
virt += run exit request vcpu_fsm vm vcpu state
endif
