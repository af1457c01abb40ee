/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic_msg.h - interrupt messages: where they come from and whom they mean
 *
 * An ICR write, an MSI and an I/O APIC redirection entry all become one struct
 * hv_apic_msg; each APIC answers whether it is meant from a 64-bit key that it publishes.
 * Sources: SDM vol. 3A, 11.6 (IPIs and destinations), 11.11 (MSI), 11.12.10 (x2APIC
 * logical ids); TLFS for the 15-bit destination ids (leaf 0x40000082 EAX bit 2).
 */
#ifndef _HV_X86_LIB_APIC_MSG_H
#define _HV_X86_LIB_APIC_MSG_H

#include "apic_regs.h"

enum hv_apic_delivery {
	HV_APIC_FIXED = 0,
	HV_APIC_LOWEST = 1,
	HV_APIC_SMI = 2,
	HV_APIC_REMOTE_READ = 3,
	HV_APIC_NMI = 4,
	HV_APIC_INIT = 5,
	HV_APIC_SIPI = 6,
	HV_APIC_EXTINT = 7,
};

enum hv_apic_shorthand {
	HV_APIC_TO_DEST = 0,
	HV_APIC_TO_SELF = 1,
	HV_APIC_TO_ALL = 2,
	HV_APIC_TO_OTHERS = 3,
};

struct hv_apic_msg {
	u32 dest;
	u8 vector;
	u8 delivery;		/* enum hv_apic_delivery */
	u8 shorthand;		/* enum hv_apic_shorthand */
	bool logical;
	bool level;		/* level triggered */
	bool lowest;		/* one of the destinations, the least busy */
	bool broadcast;		/* @dest means everyone */
	bool ignored;		/* INIT de-assert, reserved modes: nothing to do */
};

/* ICR of an APIC in @mode. */
void hv_apic_msg_from_icr(struct hv_apic_msg *m, enum hv_apic_mode mode, u32 icr, u32 icr2);
/* MSI address and data; -EINVAL: not an address of the local APICs. */
int hv_apic_msg_from_msi(struct hv_apic_msg *m, u64 addr, u32 data);
/* I/O APIC redirection entry. */
void hv_apic_msg_from_redir(struct hv_apic_msg *m, u64 redir);

/* What others need to know of an APIC to address it, in one word that is read at once. */
static inline u64 hv_apic_key(const struct hv_apic *a)
{
	return a->ldr | (u64)a->mode << 32 | (u64)(a->dfr >> 28) << 40 |
	       (u64)hv_apic_enabled(a) << 48;
}

static inline enum hv_apic_mode hv_apic_key_mode(u64 key)
{
	return (enum hv_apic_mode)(key >> 32 & 0xff);
}

/* Software-enabled: takes fixed and lowest-priority interrupts, not just NMI, INIT, SIPI. */
static inline bool hv_apic_key_enabled(u64 key)
{
	return key >> 48 & 1;
}

/* Is the APIC with @key and @id a destination of @m? Shorthands are the caller's. */
bool hv_apic_msg_matches(const struct hv_apic_msg *m, u64 key, u32 id);

/*
 * Arbitration of lowest-priority delivery, one candidate after another, in an order that
 * the caller rotates: the first with the lowest processor priority wins. *@best is -1 at
 * the start. Returns whether @id leads now.
 */
static inline bool hv_apic_lowest_offer(int *best, u8 *best_ppr, u32 id, u8 ppr)
{
	if (*best >= 0 && (ppr & 0xf0) >= (*best_ppr & 0xf0))
		return false;
	*best = (int)id;
	*best_ppr = ppr;
	return true;
}

/* May software send or receive @vector at all? 0..15 set ESR bits. */
static inline bool hv_apic_vector_ok(u8 vector)
{
	return vector >= 16;
}

#endif /* _HV_X86_LIB_APIC_MSG_H */
