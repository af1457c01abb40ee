# SPDX-License-Identifier: GPL-2.0-only
arch-x86 := arch host step fpu tsc regs inject exit msr cpuid emul state
arch-x86 += cpuid_tlfs cpuid_record
arch-x86 += lapic lapic_msr lapic_timer ioapic irq
