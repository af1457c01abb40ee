/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioapic_regs.h - the register file of an I/O APIC: 24 pins, version 0x20 (EOI register)
 *
 * Pure; the caller holds the lock and sends the messages. Source: Intel 82093AA data
 * sheet, and the ICH data sheets for the EOI register.
 */
#ifndef _HV_X86_LIB_IOAPIC_REGS_H
#define _HV_X86_LIB_IOAPIC_REGS_H

#include <hv/portable.h>

#define HV_IOAPIC_PINS		24
#define HV_IOAPIC_PIN_MASK	((1u << HV_IOAPIC_PINS) - 1)

#define HV_IOAPIC_REDIR_REMOTE_IRR	(1ull << 14)
#define HV_IOAPIC_REDIR_LEVEL		(1ull << 15)
#define HV_IOAPIC_REDIR_MASKED		(1ull << 16)

/* A pin's line is the OR of what its sources drive. */
enum hv_ioapic_source {
	HV_IOAPIC_SRC_USER,		/* HV_VM_SET_IRQ */
	HV_IOAPIC_SRC_RESAMPLE,		/* irqfds that lower the line at EOI */
	HV_IOAPIC_SRC_PULSE,		/* irqfds without: up and down at once */
	HV_IOAPIC_SRC_NR,
};

struct hv_ioapic_regs {
	u64 redir[HV_IOAPIC_PINS];
	u32 line[HV_IOAPIC_SRC_NR];	/* bit per pin */
	u32 id;
	u32 ioregsel;
};

void hv_ioapic_regs_reset(struct hv_ioapic_regs *r);	/* lines stay: they are the devices' */

static inline u32 hv_ioapic_lines(const struct hv_ioapic_regs *r)
{
	return r->line[HV_IOAPIC_SRC_USER] | r->line[HV_IOAPIC_SRC_RESAMPLE] |
	       r->line[HV_IOAPIC_SRC_PULSE];
}

/* Register window: @off is the offset in the page (0x00, 0x10, 0x40). */
u32 hv_ioapic_reg_read(const struct hv_ioapic_regs *r, u32 off);

/* What a write leaves to do. */
struct hv_ioapic_todo {
	u32 fire;		/* bit per pin: ask hv_ioapic_pin_fire() */
	bool eoi;		/* the EOI register: hv_ioapic_regs_eoi(@vector) */
	u8 vector;
};

void hv_ioapic_reg_write(struct hv_ioapic_regs *r, u32 off, u32 val, struct hv_ioapic_todo *todo);

/*
 * Drive @pin (< HV_IOAPIC_PINS). Returns whether hv_ioapic_pin_fire() is due; *@coalesced:
 * the line was raised while up already, so nothing can come of it.
 */
bool hv_ioapic_line_set(struct hv_ioapic_regs *r, u32 pin, enum hv_ioapic_source src, bool level,
			bool *coalesced);
/* May the message in redir[@pin] be sent now? */
bool hv_ioapic_pin_fire(const struct hv_ioapic_regs *r, u32 pin);
/* A local APIC took it: a level pin waits for the EOI from now on. */
void hv_ioapic_pin_sent(struct hv_ioapic_regs *r, u32 pin);
/* @vector ended: clears remote IRR; returns the level pins that have it, bit per pin. */
u32 hv_ioapic_regs_eoi(struct hv_ioapic_regs *r, u8 vector);

/* Content of a save record: -EINVAL bits that no I/O APIC could hold. */
int hv_ioapic_regs_load(struct hv_ioapic_regs *r, const u64 redir[HV_IOAPIC_PINS], u32 user,
			u32 resample, u32 id, u32 ioregsel);

#endif /* _HV_X86_LIB_IOAPIC_REGS_H */
