/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perm_map.h - which MSRs and ports a guest reaches without an exit (APM vol. 2, 15.10, 15.11)
 *
 * MSR map: 2 KiB for each of three ranges of 8192 MSRs, two bits an MSR (read, write), 2 KiB
 * not used. MSRs outside the ranges always exit. I/O map: one bit a port; an access of
 * several bytes looks at as many bits, past the last port at those behind bit 65535. A set
 * bit exits.
 */
#ifndef ARCH_X86_LIB_PERM_MAP_H
#define ARCH_X86_LIB_PERM_MAP_H

#include "hv/portable.h"

#define HV_MSRPM_BYTES	8192u
#define HV_IOPM_BYTES	12288u

/* MSRs that the world switch exchanges whole: the guest's own are in the CPU while it runs. */
extern const u32 hv_msrpm_passed[];
extern const unsigned int hv_msrpm_nr_passed;

/* Fill @map: everything exits but the @nr MSRs at @passed, which must be in the ranges. */
void hv_msrpm_build(u8 *map, const u32 *passed, unsigned int nr);
/* What the CPU does with an access to @msr. */
bool hv_msrpm_exits(const u8 *map, u32 msr, bool write);

/* Fill @map: every port exits, and so do accesses that run past the last one. */
void hv_iopm_build(u8 *map);
/* What the CPU does with an access of @bytes (1, 2, 4) at @port. */
bool hv_iopm_exits(const u8 *map, u16 port, unsigned int bytes);

#endif /* ARCH_X86_LIB_PERM_MAP_H */
