// SPDX-License-Identifier: GPL-2.0-or-later
/* The register file of an I/O APIC. */
#include "ioapic_regs.h"

#define OFF_SELECT	0x00u
#define OFF_WINDOW	0x10u
#define OFF_EOI		0x40u

#define REG_ID		0x00u
#define REG_VERSION	0x01u
#define REG_ARB		0x02u
#define REG_REDIR	0x10u	/* two registers a pin */

#define VERSION		(0x20u | (HV_IOAPIC_PINS - 1) << 16)
#define ID_MASK		0x0f000000u

/* Software writes these; delivery status (12) and remote IRR (14) are the device's. */
#define REDIR_BITS	0xfffe00000001afffull

void hv_ioapic_regs_reset(struct hv_ioapic_regs *r)
{
	unsigned int i;

	for (i = 0; i < HV_IOAPIC_PINS; i++)
		r->redir[i] = HV_IOAPIC_REDIR_MASKED;
	r->id = 0;
	r->ioregsel = 0;
}

static u32 window_read(const struct hv_ioapic_regs *r)
{
	u32 n = r->ioregsel - REG_REDIR;

	switch (r->ioregsel) {
	case REG_ID:
	case REG_ARB:		/* loaded from the id; there is no APIC bus to arbitrate for */
		return r->id;
	case REG_VERSION:
		return VERSION;
	}
	if (n >= 2 * HV_IOAPIC_PINS)
		return ~0u;
	return (u32)(r->redir[n / 2] >> (n & 1) * 32);
}

u32 hv_ioapic_reg_read(const struct hv_ioapic_regs *r, u32 off)
{
	switch (off) {
	case OFF_SELECT:
		return r->ioregsel;
	case OFF_WINDOW:
		return window_read(r);
	default:
		return 0;
	}
}

static void redir_write(struct hv_ioapic_regs *r, u32 pin, bool high, u32 val,
			struct hv_ioapic_todo *todo)
{
	u64 old = r->redir[pin], bits = high ? REDIR_BITS & ~0xffffffffull : REDIR_BITS & 0xffffffffull;
	u64 new = high ? (u64)val << 32 : val;

	new = (old & ~bits) | (new & bits);
	if (!(new & HV_IOAPIC_REDIR_LEVEL))
		new &= ~HV_IOAPIC_REDIR_REMOTE_IRR;
	r->redir[pin] = new;
	/* A level that came while the pin was masked is still there; an edge is lost. */
	if ((new & HV_IOAPIC_REDIR_LEVEL) && (hv_ioapic_lines(r) >> pin & 1))
		todo->fire = 1u << pin;
}

void hv_ioapic_reg_write(struct hv_ioapic_regs *r, u32 off, u32 val, struct hv_ioapic_todo *todo)
{
	u32 n = r->ioregsel - REG_REDIR;

	memset(todo, 0, sizeof(*todo));
	switch (off) {
	case OFF_SELECT:
		r->ioregsel = val & 0xff;
		return;
	case OFF_WINDOW:
		if (r->ioregsel == REG_ID)
			r->id = val & ID_MASK;
		else if (n < 2 * HV_IOAPIC_PINS)
			redir_write(r, n / 2, n & 1, val, todo);
		return;
	case OFF_EOI:
		todo->eoi = true;
		todo->vector = (u8)val;
		return;
	}
}

bool hv_ioapic_line_set(struct hv_ioapic_regs *r, u32 pin, enum hv_ioapic_source src, bool level,
			bool *coalesced)
{
	u32 bit = 1u << pin;
	bool was = hv_ioapic_lines(r) & bit;

	*coalesced = false;
	if (!level) {
		r->line[src] &= ~bit;
		return false;
	}
	r->line[src] |= bit;
	*coalesced = was || (r->redir[pin] & HV_IOAPIC_REDIR_REMOTE_IRR);
	return !was;
}

bool hv_ioapic_pin_fire(const struct hv_ioapic_regs *r, u32 pin)
{
	return !(r->redir[pin] & (HV_IOAPIC_REDIR_MASKED | HV_IOAPIC_REDIR_REMOTE_IRR));
}

void hv_ioapic_pin_sent(struct hv_ioapic_regs *r, u32 pin)
{
	u64 redir = r->redir[pin];

	/* Only fixed and lowest-priority interrupts have an EOI. */
	if ((redir & HV_IOAPIC_REDIR_LEVEL) && (redir >> 8 & 7) <= 1)
		r->redir[pin] = redir | HV_IOAPIC_REDIR_REMOTE_IRR;
}

u32 hv_ioapic_regs_eoi(struct hv_ioapic_regs *r, u8 vector)
{
	u32 pins = 0;
	unsigned int i;

	for (i = 0; i < HV_IOAPIC_PINS; i++) {
		u64 redir = r->redir[i];

		if ((u8)redir != vector || !(redir & HV_IOAPIC_REDIR_LEVEL) ||
		    !(redir & HV_IOAPIC_REDIR_REMOTE_IRR))
			continue;
		r->redir[i] = redir & ~HV_IOAPIC_REDIR_REMOTE_IRR;
		pins |= 1u << i;
	}
	return pins;
}

int hv_ioapic_regs_load(struct hv_ioapic_regs *r, const u64 redir[HV_IOAPIC_PINS], u32 user,
			u32 resample, u32 id, u32 ioregsel)
{
	unsigned int i;

	if ((user | resample) & ~HV_IOAPIC_PIN_MASK || id & ~ID_MASK || ioregsel & ~0xffu)
		return -EINVAL;
	for (i = 0; i < HV_IOAPIC_PINS; i++) {
		if (redir[i] & ~(REDIR_BITS | HV_IOAPIC_REDIR_REMOTE_IRR))
			return -EINVAL;
		if ((redir[i] & HV_IOAPIC_REDIR_REMOTE_IRR) && !(redir[i] & HV_IOAPIC_REDIR_LEVEL))
			return -EINVAL;
	}
	memcpy(r->redir, redir, sizeof(r->redir));
	r->line[HV_IOAPIC_SRC_USER] = user;
	r->line[HV_IOAPIC_SRC_RESAMPLE] = resample;
	r->line[HV_IOAPIC_SRC_PULSE] = 0;
	r->id = id;
	r->ioregsel = ioregsel;
	return 0;
}
