// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MSR and I/O permission maps as the CPU obeys them: guest/maps.c touches everything, and the
 * exits between its marks are counted here. unit.perm_map looks at the maps bit by bit.
 */
#include <string.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define PORT_MARK	0xf8
#define PORT_GIVES	0xf9
#define PORT_TAKES	0xfa
#define MARKS		7
#define PASSED		10
#define OUTSIDE		8

static uint64_t msr[MARKS], pio[MARKS];
static unsigned int marks, taken, taken_bad, nr_wide;
static struct { uint16_t port; uint8_t bytes, in; } wide[8];
static uint8_t given;

/* guest/maps.c: word n holds the bytes 14n and 14n + 7. */
static void take(const struct hv_run *run)
{
	const uint8_t *data = (const uint8_t *)run + HV_RUN_PIO_DATA;
	uint32_t i;

	for (i = 0; i < run->pio.count; i++, data += run->pio.bytes, taken++)
		taken_bad += run->pio.bytes != 2 || data[0] != (uint8_t)(taken * 14) ||
			     data[1] != (uint8_t)(taken * 14 + 7);
}

static void port(struct bare *b, struct hv_run *run)
{
	uint8_t *data = (uint8_t *)run + HV_RUN_PIO_DATA;
	uint32_t i;

	if (run->pio.in)
		memset(data, 0xff, run->pio.bytes);
	if (run->pio.port == PORT_MARK && !run->pio.in && marks < MARKS) {
		msr[marks] = hv_counter(b->vcpu[0], HV_VCPU_GET_STATS, "exits_msr");
		pio[marks++] = hv_counter(b->vcpu[0], HV_VCPU_GET_STATS, "exits_pio");
	} else if (run->pio.port == PORT_GIVES && marks == MARKS) {
		for (i = 0; i < run->pio.count; i++)
			data[i] = given++;
	} else if (run->pio.port == PORT_TAKES && !run->pio.in) {
		take(run);
	} else if (marks == 6 && nr_wide < 8) {
		wide[nr_wide].port = run->pio.port;
		wide[nr_wide].bytes = (uint8_t)run->pio.bytes;
		wide[nr_wide++].in = (uint8_t)run->pio.in;
	}
}

static void check_counts(void)
{
	static const struct { uint16_t port; uint8_t bytes, in; } want[] = {
		{ 0xffff, 2, 1 }, { 0xfffd, 4, 1 }, { 0xffff, 4, 1 }, { 0xfffe, 4, 0 },
	};
	const uint64_t all = 3 * 0x2000 - PASSED;
	unsigned int i;

	if (!tap_is(marks, MARKS, "the guest came to its last mark"))
		return;
	tap_is((long)(msr[1] - msr[0]), (long)all, "every RDMSR but of the guest's own exits");
	tap_is((long)(msr[2] - msr[1]), (long)all, "every WRMSR but of the guest's own exits");
	tap_is((long)(msr[3] - msr[2]), 0, "the guest's own do not");
	tap_is((long)(msr[4] - msr[3]), 2 * OUTSIDE, "MSRs outside the map's ranges exit");
	/* The mark that ends a stretch is one of its exits. */
	tap_is((long)(pio[5] - pio[4]), 65536 + 1, "every port exits");
	tap_is((long)(pio[6] - pio[5]), 4 + 1, "so do accesses past the last port");
	tap_is(nr_wide, 4, "each once");
	for (i = 0; i < 4; i++)
		tap_ok(!memcmp(&wide[i], &want[i], sizeof(want[i])), "port 0x%x, %u bytes",
		       want[i].port, want[i].bytes);
}

int main(void)
{
	struct bare b = { .image = "build/guest/maps.elf", .cpus = 1, .seconds = 250, .port = port };

	tap_is(bare_run(&b), 0, "guest maps");
	check_counts();
	tap_is(taken, 1000, "words that REP OUTSW wrote");
	tap_is(taken_bad, 0, "all of them right, the one across the page's end too");
	return tap_done();
}
