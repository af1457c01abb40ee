# SPDX-License-Identifier: GPL-2.0-only
virt := event vm_fsm
# See arch/x86/objs.mk: land yours here as soon as it compiles.
ifneq ($(HV_NEXT),)
virt += run exit request vcpu_fsm vm vcpu state
virt += hypercall hc_ipi hc_tlb hc_message hc_event port
virt += tlfs tlfs_msr tlfs_page tlfs_state reftime vp_assist vsynic vstimer
virt += slot slot_update gmem hostpage overlay notifier dirty
virt += irq irqfd ioeventfd iobus
endif
