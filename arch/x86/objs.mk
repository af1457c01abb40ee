# SPDX-License-Identifier: GPL-2.0-only
# Built with HV_NEXT=1 until memory, APIC and TLFS are all in the tree (then the condition goes):
#	make module HV_NEXT=1 KBUILD_MODPOST_WARN=1
# Add your objects here, in the same condition, and land them as soon as they compile.
ifneq ($(HV_NEXT),)
arch-x86 := arch host step fpu tsc regs inject exit msr cpuid emul state
arch-x86 += cpuid_tlfs
arch-x86 += lapic lapic_msr lapic_timer ioapic irq
endif
