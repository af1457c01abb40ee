// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Periodic timers of a vCPU that takes no interrupt - it is not run, is halted, or has the
 * timer masked - do not keep the host's timers going; when it runs, they do again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <hvguest/tlfs.h>
#include "selftests/lib/flat.h"

#define QUIET	40	/* looks in a row, 10 ms apart: a callback that runs just now is in no list */
#define VECTOR	0x40u

/* How many of hv.ko's timers the host has started. */
static unsigned int started(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned int n = 0;
	char line[256];

	if (!f)
		tap_bail("/proc/timer_list");
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "[hv]") != NULL;
	fclose(f);
	return n;
}

static int comes_to_rest(void)
{
	unsigned int i, calm = 0;

	for (i = 0; i < LATE_MS / 10 && calm < QUIET; i++) {
		calm = started() ? 0 : calm + 1;
		usleep(10000);
	}
	return calm == QUIET;
}

static int is_started(void)
{
	unsigned int i;

	for (i = 0; i < LATE_MS && !started(); i++)
		usleep(1000);
	return i < LATE_MS;
}

static void record(int vcpu, unsigned long cmd, uint32_t id, void *p, uint32_t len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = id, .addr = (uintptr_t)p, .len = len,
				   .version = 1 };

	if (hv_raw(vcpu, cmd, &a))
		tap_bail("record %u", id);
}

static void lapic_get(struct flat *f, struct hv_rec_lapic *l)
{
	record(f->vcpu, HV_VCPU_GET_STATE, HV_REC_VCPU_LAPIC, l, sizeof(*l));
}

/* Periodic, 100 us. */
static void lapic_start(struct flat *f, uint32_t lvt)
{
	struct hv_rec_lapic l;

	lapic_get(f, &l);
	l.regs[0xf0 / 16] = 0x1ff;
	l.regs[0x320 / 16] = 1u << 17 | lvt;
	l.regs[0x380 / 16] = 100000;
	l.regs[0x3e0 / 16] = 0xb;
	l.timer_left = 100000;
	record(f->vcpu, HV_VCPU_SET_STATE, HV_REC_VCPU_LAPIC, &l, sizeof(l));
}

static void lapic_periodic(struct flat *f)
{
	lapic_start(f, VECTOR);
}

static void lapic_masked(struct flat *f)
{
	lapic_start(f, 1u << 16 | VECTOR);
}

static void stimer_start(struct flat *f, uint64_t config)
{
	struct hv_rec_tlfs_vcpu t;
	unsigned int i;

	record(f->vcpu, HV_VCPU_GET_STATE, HV_REC_VCPU_TLFS, &t, sizeof(t));
	for (i = 0; i < TLFS_STIMERS; i++) {
		t.stimer[i].config = config | TLFS_STIMER_ENABLE | TLFS_STIMER_PERIODIC;
		t.stimer[i].count = 1000;
		t.stimer[i].expiry = 1;
	}
	record(f->vcpu, HV_VCPU_SET_STATE, HV_REC_VCPU_TLFS, &t, sizeof(t));
}

static void stimer_direct(struct flat *f)
{
	stimer_start(f, TLFS_STIMER_DIRECT | (uint64_t)VECTOR << TLFS_STIMER_VECTOR_SHIFT);
}

/* The vCPU has no page for messages: the first waits for ever. */
static void stimer_message(struct flat *f)
{
	stimer_start(f, 2ull << TLFS_STIMER_SINT_SHIFT);
}

static const struct kind {
	const char *name;
	void (*start)(struct flat *f);
} kinds[] = {
	{ "APIC timer", lapic_periodic }, { "masked APIC timer", lapic_masked },
	{ "direct synthetic timers", stimer_direct }, { "synthetic timers", stimer_message },
};

static void run_state(struct flat *f, uint32_t state)
{
	struct hv_run_state_args a = { .state = state };

	hv_do(f->vm, HV_VM_SET_RUN_STATE, &a);
}

static void halt(struct flat *f)
{
	struct hv_rec_events e;

	record(f->vcpu, HV_VCPU_GET_STATE, HV_REC_VCPU_EVENTS, &e, sizeof(e));
	e.mp_state = HV_MP_HALTED;
	record(f->vcpu, HV_VCPU_SET_STATE, HV_REC_VCPU_EVENTS, &e, sizeof(e));
}

static void check(const struct kind *k)
{
	struct flat_regs r = { .esi = 0xe0000800u, .edx = 1 };
	struct hv_rec_lapic l;
	struct flat f;

	flat_new(&f, 0, 1);
	k->start(&f);
	tap_ok(comes_to_rest(), "%s: at rest while the vCPU is not run", k->name);
	lapic_get(&f, &l);
	tap_ok(l.timer_left == ~0ull || (l.timer_left && l.timer_left <= 100000),
	       "%s: %lld ns left", k->name, (long long)l.timer_left);
	run_state(&f, HV_RUN_STATE_PAUSED);
	tap_ok(!started(), "%s: nor while it is paused", k->name);
	run_state(&f, HV_RUN_STATE_RUNNING);
	tap_ok(comes_to_rest(), "%s: at rest when the VM goes on", k->name);

	flat_start(&f, FLAT_COUNT, &r);
	tap_ok(is_started(), "%s: started when the vCPU runs", k->name);
	flat_stop(&f, NULL);
	tap_ok(comes_to_rest(), "%s: at rest again", k->name);
	halt(&f);
	flat_start(&f, FLAT_COUNT, NULL);
	tap_ok(comes_to_rest(), "%s: at rest while the vCPU is halted", k->name);
	flat_stop(&f, NULL);
	if (k->start == lapic_periodic) {
		lapic_get(&f, &l);
		tap_ok(l.regs[0x200 / 16 + VECTOR / 32] & 1u << VECTOR % 32,
		       "%s: its interrupt is pending all the time", k->name);
	}
	flat_close(&f);
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		check(&kinds[i]);
	return tap_done();
}
