# SPDX-License-Identifier: GPL-2.0-only
arch-x86 := arch host step fpu tsc regs inject exit msr cpuid emul state
