/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot.h - what start.S leaves behind, for the other files of this folder */
#ifndef SELFTESTS_GUEST_BOOT_H
#define SELFTESTS_GUEST_BOOT_H

#include <hv/portable.h>

extern u32 boot_magic;			/* EAX at the multiboot entry */
extern u32 boot_info;			/* EBX: address of the multiboot information */
extern u64 boot_pml4[512];
extern u8 ap_trampoline[], ap_trampoline_end[];
extern u32 ap_ticket;			/* processors that came, the boot processor included */
extern u8 trap_entries[];		/* 256 entries of 16 bytes */
extern const u64 extable_start[], extable_end[];

#define AP_TRAMPOLINE	0x8000u

struct trap_frame;
void trap_c(struct trap_frame *f);
/* C entry of every processor, on its own stack, interrupts off. */
void start_c(u32 index);
/* Loop of an application processor. */
void smp_idle(u32 index) __attribute__((noreturn));

#endif
