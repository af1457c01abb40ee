# SPDX-License-Identifier: GPL-2.0-only
virt := event vm_fsm vm sleep vcpu_fsm vcpu run exit request state
virt += slot slot_update gmem hostpage overlay notifier dirty framewatch
virt += irq irqfd ioeventfd iobus
virt += hypercall hc_ipi hc_tlb hc_message hc_event port
virt += tlfs tlfs_msr tlfs_page tlfs_state reftime vp_assist vsynic vsynic_queue vstimer
