// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The code of a user program changes between an exit and its answer. What the CPU has checked is
 * the instruction that was there: another one gets no port and no page of its own by that.
 */
#include <string.h>
#include <sys/mman.h>
#include "selftests/lib/flat.h"

#define HOLE	0x20000000u	/* a device's registers */
#define PORT	0x300
#define CPL3	0x60		/* DPL in the attributes */

static const struct {
	const char *name;
	enum flat_code first;	/* the instruction that exits */
	uint8_t code[8];	/* what stands there when the answer comes */
} ways[] = {
	{ "a read of a device becomes OUT", FLAT_READ, { 0xee } },
	{ "a read of a device becomes IN", FLAT_READ, { 0xec } },
	{ "a read of a device becomes REP OUTSB", FLAT_READ, { 0xf3, 0x6e } },
	{ "a read of a device becomes REP INSB", FLAT_READ, { 0xf3, 0x6c } },
};

/* User mode, IOPL 0, no I/O map; no handler either: its first fault is a triple one. */
static void to_user_mode(struct flat *f)
{
	struct hv_state_args a = { .record = HV_REC_VCPU_SREGS };
	struct hv_rec_sregs s;
	int i;

	a.addr = (uintptr_t)&s;
	a.len = sizeof(s);
	hv_do(f->vcpu, HV_VCPU_GET_STATE, &a);
	for (i = HV_SEG_ES; i <= HV_SEG_GS; i++) {
		s.seg[i].attr |= CPL3;
		s.seg[i].selector |= 3;
	}
	s.idt.limit = 0;
	hv_do(f->vcpu, HV_VCPU_SET_STATE, &a);
}

static void check_way(unsigned int i)
{
	struct flat_regs r = { .esi = HOLE, .edi = HOLE, .edx = PORT, .ecx = 4 };
	uint32_t answer = 1;
	struct flat f;

	flat_new(&f, 0, 1);
	to_user_mode(&f);
	flat_set(&f, ways[i].first, &r);
	tap_ok(!hv_raw(f.vcpu, HV_VCPU_RUN, NULL) && f.run->exit_kind == HV_EXIT_MMIO &&
	       f.run->mmio.gpa == HOLE && !f.run->mmio.write, "%s: the read", ways[i].name);
	memcpy(f.run->mmio.data, &answer, 4);
	memcpy(f.code + FLAT_READ * 64, ways[i].code, sizeof(ways[i].code));
	tap_is(hv_raw(f.vcpu, HV_VCPU_RUN, NULL), 0, "%s: goes on", ways[i].name);
	tap_is(f.run->exit_kind, HV_EXIT_SHUTDOWN, "%s: is refused by the CPU", ways[i].name);
	flat_close(&f);
}

/* An event that cannot be delivered, for there is no memory where its table should be. */
static void check_no_table(void)
{
	struct hv_inject_args nmi = { .kind = HV_INJECT_NMI };
	struct flat_regs r = { .esi = HOLE };
	struct flat f;

	flat_new(&f, 0, 1);
	flat_set(&f, FLAT_READ, &r);
	hv_do(f.vcpu, HV_VCPU_INJECT, &nmi);
	tap_is(hv_raw(f.vcpu, HV_VCPU_RUN, NULL), 0, "an NMI without a table");
	tap_is(f.run->exit_kind, HV_EXIT_SHUTDOWN, "ends the guest");
	flat_close(&f);
}

int main(void)
{
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_way(i);
	check_no_table();
	return tap_done();
}
