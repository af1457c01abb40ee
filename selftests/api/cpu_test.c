// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtual CPU, looked at by bare guests. Arguments: names of those to run; none: all. */
#include <stdio.h>
#include <string.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define PORT_SPOIL	0xf1
#define PORT_NMI	0xf8
#define PORT_AC		0xf9
#define VEC_AC		17
#define HOST_MXCSR	0x9f80u	/* flush to zero: no guest of these uses it */

static volatile int mxcsr_lost;
static __thread int spoilt;

/* User space has a vector state of its own: it is spoilt here, and must not change there. */
static void spoil(void)
{
	unsigned int set = HOST_MXCSR, now;

	__asm__ volatile("stmxcsr %0" : "=m"(now));
	if (spoilt && now != set)
		mxcsr_lost = 1;
	spoilt = 1;
	__asm__ volatile("ldmxcsr %0\n\tpcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm1, %%xmm1\n\t"
			 "pcmpeqd %%xmm7, %%xmm7\n\tpcmpeqd %%xmm15, %%xmm15"
			 : : "m"(set) : "xmm0", "xmm1", "xmm7", "xmm15");
}

/* An alignment check for the guest: as its own instruction would raise it. */
static void alignment_check(int vcpu)
{
	struct hv_rec_events ev;
	struct hv_state_args a = { .record = HV_REC_VCPU_EVENTS, .addr = (uintptr_t)&ev,
				   .len = sizeof(ev) };

	hv_do(vcpu, HV_VCPU_GET_STATE, &a);
	ev.exc_pending = 1;
	ev.exc_vector = VEC_AC;
	ev.exc_has_error = 1;
	ev.exc_error = 0;
	hv_do(vcpu, HV_VCPU_SET_STATE, &a);
}

static void port(struct bare *b, struct hv_run *run)
{
	struct hv_inject_args nmi = { .kind = HV_INJECT_NMI };
	uint8_t *data = (uint8_t *)run + HV_RUN_PIO_DATA;

	if (run->pio.in)
		memset(data, 0xff, run->pio.bytes);
	else if (run->pio.port == PORT_SPOIL)
		spoil();
	else if (run->pio.port == PORT_AC)
		alignment_check(b->vcpu[0]);
	else if (run->pio.port == PORT_NMI)
		hv_do(b->vcpu[*data % b->cpus], HV_VCPU_INJECT, &nmi);
}

static const struct {
	const char *name;
	uint32_t cpus, seconds;
} guests[] = {
	{ "debug", 1, 150 },	{ "fpu", 4, 200 },	{ "nmi", 2, 200 },
	{ "paging", 1, 100 },	{ "policy", 1, 100 },	{ "tsc", 4, 200 },
};

int main(int argc, char **argv)
{
	char path[64];
	uint32_t i;
	int a;

	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct bare b = { .image = path, .cpus = guests[i].cpus,
				  .seconds = guests[i].seconds, .port = port };

		for (a = 1; a < argc && strcmp(argv[a], guests[i].name); a++)
			;
		if (argc > 1 && a == argc)
			continue;
		snprintf(path, sizeof(path), "build/guest/%s.elf", guests[i].name);
		tap_is(bare_run(&b), 0, "guest %s", guests[i].name);
		if (!strcmp(guests[i].name, "fpu"))
			tap_is(mxcsr_lost, 0, "user space keeps its own MXCSR");
	}
	return tap_done();
}
