/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * debug_regs.h - which breakpoints an access hits (APM vol. 2, 13.1.1), for instructions
 * that are executed for the guest: the CPU watches only what it executes itself
 */
#ifndef ARCH_X86_LIB_DEBUG_REGS_H
#define ARCH_X86_LIB_DEBUG_REGS_H

#include "hv/portable.h"

enum hv_dr_access { HV_DR_READ, HV_DR_WRITE, HV_DR_IO };

/* Is any breakpoint of @dr7 enabled? */
static inline bool hv_dr_armed(u64 dr7)
{
	return dr7 & 0xff;
}

/**
 * hv_dr_hits() - breakpoints that an access hits
 * @dr:   DR0 to DR3
 * @addr: linear address, or port
 * @size: bytes, at least 1
 * HV_DR_IO is only for a guest with CR4.DE set.
 * Return: bits 0 to 3 as DR6 has them.
 */
u32 hv_dr_hits(const u64 dr[4], u64 dr7, u64 addr, u32 size, enum hv_dr_access access);

#endif /* ARCH_X86_LIB_DEBUG_REGS_H */
