// SPDX-License-Identifier: GPL-2.0-or-later
/* Interrupt messages: ICR, MSI and redirection entries decoded, destinations matched. */
#include "apic_msg.h"

#define DEST_BROADCAST_8	0xffu
#define DEST_BROADCAST_32	0xffffffffu

/* The low 16 bits of ICR, MSI data and redirection entries agree in these. */
static void decode_low(struct hv_apic_msg *m, u32 low)
{
	memset(m, 0, sizeof(*m));
	m->vector = (u8)low;
	m->delivery = low >> 8 & 7;
	m->level = low >> 15 & 1;
	m->lowest = m->delivery == HV_APIC_LOWEST;
}

void hv_apic_msg_from_icr(struct hv_apic_msg *m, enum hv_apic_mode mode, u32 icr, u32 icr2)
{
	bool assert = icr >> 14 & 1;

	decode_low(m, icr);
	m->logical = icr >> 11 & 1;
	m->shorthand = icr >> 18 & 3;
	m->dest = mode == HV_APIC_X2APIC ? icr2 : icr2 >> 24;
	m->broadcast = m->dest == (mode == HV_APIC_X2APIC ? DEST_BROADCAST_32 : DEST_BROADCAST_8);
	/*
	 * De-assert exists for INIT alone, and does nothing since the Pentium 4; all other
	 * IPIs are edge triggered whatever bit 15 says (SDM 11.6.1).
	 */
	m->ignored = m->delivery == HV_APIC_REMOTE_READ || m->delivery == HV_APIC_EXTINT ||
		     (m->delivery == HV_APIC_INIT && m->level && !assert);
	m->level = false;
}

int hv_apic_msg_from_msi(struct hv_apic_msg *m, u64 addr, u32 data)
{
	u32 low = (u32)addr;

	if (addr >> 20 != 0xfee)
		return -EINVAL;
	decode_low(m, data & 0x87ff);
	m->logical = low >> 2 & 1;
	/* Address bits 11:5 are destination bits 14:8. */
	m->dest = (low >> 12 & 0xff) | (low >> 5 & 0x7f) << 8;
	m->broadcast = m->dest == DEST_BROADCAST_8;
	if ((low >> 3 & 1) && m->logical && m->delivery == HV_APIC_FIXED)
		m->lowest = true;	/* redirection hint */
	/* De-assert (bit 14 clear) of a level-triggered MSI has no meaning of its own. */
	m->ignored = m->delivery == HV_APIC_REMOTE_READ || m->delivery == HV_APIC_SIPI ||
		     m->delivery == HV_APIC_EXTINT || (m->level && !(data >> 14 & 1));
	return 0;
}

void hv_apic_msg_from_redir(struct hv_apic_msg *m, u64 redir)
{
	decode_low(m, (u32)redir & 0x87ff);
	m->logical = redir >> 11 & 1;
	/* Bits 55:49 are destination bits 14:8. */
	m->dest = (u32)(redir >> 56) | (u32)(redir >> 49 & 0x7f) << 8;
	m->broadcast = m->dest == DEST_BROADCAST_8;
	m->ignored = m->delivery == HV_APIC_REMOTE_READ || m->delivery == HV_APIC_SIPI ||
		     m->delivery == HV_APIC_EXTINT;
}

static bool match_x2_logical(u32 dest, u32 ldr)
{
	return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff);
}

static bool match_x_logical(u32 dest, u32 ldr8, u32 model)
{
	if (model == 0xf)		/* flat */
		return dest & ldr8;
	if (model == 0)			/* cluster: high nibble number, low nibble set */
		return dest >> 4 == ldr8 >> 4 && (dest & ldr8 & 0xf);
	return false;			/* reserved model: in no logical destination */
}

bool hv_apic_msg_matches(const struct hv_apic_msg *m, u64 key, u32 id)
{
	enum hv_apic_mode mode = hv_apic_key_mode(key);
	u32 ldr = (u32)key;

	if (mode == HV_APIC_OFF)
		return false;
	if (m->broadcast)
		return true;
	if (!m->logical)
		return m->dest == id;
	if (mode == HV_APIC_X2APIC)
		return match_x2_logical(m->dest, ldr);
	return m->dest <= 0xff && match_x_logical(m->dest, ldr >> 24, key >> 40 & 0xf);
}
