// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Local and I/O APIC register files under a stream of random accesses. After every step
 * the cached top of ISR and the PPR agree with the bit sets, no register holds a bit that
 * does not exist, and the save form of the state loads and is the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include "arch/x86/lib/apic_msg.h"
#include "arch/x86/lib/ioapic_regs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t left;
};

static u64 take(struct input *in, unsigned int bytes)
{
	u64 val = 0;

	while (bytes--) {
		val <<= 8;
		if (in->left) {
			val |= *in->p++;
			in->left--;
		}
	}
	return val;
}

static void need(bool cond)
{
	if (!cond)
		abort();
}

static void check_apic(const struct hv_apic *a)
{
	struct hv_apic copy = *a;
	u8 isr = a->isr_top < 0 ? 0 : (u8)(a->isr_top & 0xf0);
	u32 page[64], again[64];

	need(a->isr_top == hv_apic_top(a->isr));
	need(a->ppr == ((a->tpr & 0xf0) >= isr ? a->tpr : isr));
	hv_apic_store(a, page);
	need(!hv_apic_load(&copy, page));
	hv_apic_store(&copy, again);
	need(!memcmp(page, again, sizeof(page)));
}

static void send(const struct hv_apic *a)
{
	struct hv_apic_msg m;
	u64 key = hv_apic_key(a);

	hv_apic_msg_from_icr(&m, (enum hv_apic_mode)a->mode, a->icr, a->icr2);
	if (a->mode == HV_APIC_OFF)
		need(!hv_apic_msg_matches(&m, key, a->id));
	m.logical = false;
	m.broadcast = false;
	m.dest = a->id;
	need(hv_apic_msg_matches(&m, key, a->id) == (a->mode != HV_APIC_OFF));
}

static void step_apic(struct hv_apic *a, struct input *in)
{
	u8 op = (u8)take(in, 1);
	u32 reg = (u32)take(in, 1) * 16;
	bool x2 = a->mode == HV_APIC_X2APIC;
	u64 val = take(in, 8);
	int top, vector;

	switch (op % 8) {
	case 0:
		hv_apic_read(a, reg, x2, &val);
		break;
	case 1:
		if (val & ~0xffffull)
			a->irr[op >> 6] |= val & ~(op >> 6 ? 0 : 0xffffull);
		break;
	case 2:
		vector = hv_apic_deliverable(a, &top);
		if (vector < 0)
			break;
		need((vector & 0xf0) > (a->ppr & 0xf0) && vector > a->isr_top);
		a->irr[vector >> 6] &= ~(1ull << (vector & 63));
		hv_apic_enter_service(a, (u8)vector);
		break;
	case 3:
		hv_apic_leave_service(a);
		break;
	case 4:
		hv_apic_set_mode(a, (enum hv_apic_mode)(val % 3));
		break;
	default:
		if (hv_apic_write(a, reg, x2, val) == HV_APIC_DO_ICR)
			send(a);
	}
	check_apic(a);
}

static void step_ioapic(struct hv_ioapic_regs *r, struct input *in)
{
	u8 op = (u8)take(in, 1), pin = (u8)take(in, 1) % HV_IOAPIC_PINS;
	u32 val = (u32)take(in, 4), pins = 0, i;
	struct hv_ioapic_regs copy = { 0 };
	struct hv_ioapic_todo todo = { 0 };
	bool coalesced;

	switch (op % 4) {
	case 0:
		hv_ioapic_reg_write(r, (op & 4) ? 0x10 : 0, val, &todo);
		pins = todo.fire;
		break;
	case 1:
		if (hv_ioapic_line_set(r, pin, op % 3, val & 1, &coalesced))
			pins = 1u << pin;
		break;
	case 2:
		pins = hv_ioapic_regs_eoi(r, (u8)val) & hv_ioapic_lines(r);
		break;
	default:
		hv_ioapic_reg_read(r, val & 0xff);
	}
	need(!(pins & ~HV_IOAPIC_PIN_MASK));
	for (i = 0; i < HV_IOAPIC_PINS; i++)
		if ((pins >> i & 1) && hv_ioapic_pin_fire(r, i))
			hv_ioapic_pin_sent(r, i);
	need(!hv_ioapic_regs_load(&copy, r->redir, r->line[HV_IOAPIC_SRC_USER],
				  r->line[HV_IOAPIC_SRC_RESAMPLE], r->id, r->ioregsel));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct hv_apic a = { .mode = HV_APIC_XAPIC };
	struct hv_ioapic_regs r = { 0 };

	a.id = (u32)take(&in, 1);
	a.has_deadline = a.id & 1;
	hv_apic_reset(&a);
	hv_ioapic_regs_reset(&r);
	while (in.left) {
		if (take(&in, 1) & 1)
			step_apic(&a, &in);
		else
			step_ioapic(&r, &in);
	}
	return 0;
}
