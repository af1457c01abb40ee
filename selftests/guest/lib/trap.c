// SPDX-License-Identifier: GPL-2.0-or-later
/* trap.c - interrupt descriptor table, survivable faults, interrupt handlers */
#include "guest.h"
#include "boot.h"

#define GATE_INTERRUPT	0x8e00u
#define SEL_CODE64	8u

static struct {
	u16 off0, sel, attr, off1;
	u32 off2, zero;
} idt[256];

static void (*handlers[256])(struct trap_frame *f);

void irq_set(u8 vector, void (*fn)(struct trap_frame *f))
{
	WRITE_ONCE(handlers[vector], fn);
}

static bool survive(struct trap_frame *f)
{
	const u64 *row;
	struct cpu *c;

	for (row = extable_start; row < extable_end; row += 2) {
		if (row[0] != f->rip)
			continue;
		c = this_cpu();
		c->fault = (int)f->vector;
		c->fault_error = f->error;
		c->fault_addr = read_cr2();
		f->rip = row[1];
		return true;
	}
	return false;
}

void trap_c(struct trap_frame *f)
{
	void (*fn)(struct trap_frame *f) = READ_ONCE(handlers[f->vector]);

	if (fn) {
		fn(f);
		return;
	}
	if (f->vector < 32 && survive(f))
		return;
	print("Bail out! vector %llu error 0x%llx rip 0x%llx rsp 0x%llx cr2 0x%llx cpu %u\n",
	      f->vector, f->error, f->rip, f->rsp, (u64)read_cr2(), this_cpu()->index);
	leave(2);
}

void traps_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (u64)(uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void traps_init(void)
{
	u32 i;

	for (i = 0; i < 256; i++) {
		u64 entry = (u64)(uintptr_t)(trap_entries + 16 * i);

		idt[i].off0 = (u16)entry;
		idt[i].sel = SEL_CODE64;
		idt[i].attr = GATE_INTERRUPT;
		idt[i].off1 = (u16)(entry >> 16);
		idt[i].off2 = (u32)(entry >> 32);
	}
}
