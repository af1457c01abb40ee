// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HV_VM_POST_MESSAGE and the record of messages that wait: what is refused, what a guest
 * sees of it (guest/message.c), and that a hostile record changes nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define PORT	0x700
#define SENDER	0x1234567890ull
#define TYPE	1

struct payload {
	uint32_t number;
	uint8_t pattern[64];
};

static uint32_t taken;		/* messages the VM took so far */

static long post(int vm, uint32_t vp, uint32_t sint, uint32_t type, uint32_t len)
{
	struct payload p = { .number = taken };
	uint8_t room[4096] = { 0 };
	struct hv_message_args a = { .vp = vp, .sint = sint, .type = type, .len = len,
				     .addr = (uintptr_t)room, .sender = SENDER };
	uint32_t i;
	long ret;

	for (i = 0; i < sizeof(p.pattern); i++)
		p.pattern[i] = (uint8_t)(taken + i);
	memcpy(room, &p, sizeof(p));
	ret = hv_try(vm, HV_VM_POST_MESSAGE, &a);
	taken += !ret;
	return ret;
}

/* The guest asks, from its vCPU's thread; see guest/message.c. */
static void asked(struct bare *b, struct hv_run *run)
{
	uint32_t word, i, refused;

	if (run->pio.port != PORT)
		return;
	memcpy(&word, (uint8_t *)run + HV_RUN_PIO_DATA, sizeof(word));
	refused = word >> 16;
	for (i = 0; i < (word & 0xff); i++) {
		long ret = post(b->vm, 0, word >> 8 & 0xff, TYPE, sizeof(struct payload));

		if (ret != (refused ? -EAGAIN : 0))
			tap_ok(0, "message %u of %#x: %ld", i, word, ret);
	}
}

static void check_refusals(int vm)
{
	struct hv_message_args far = { .type = TYPE, .len = 8, .addr = 1ull << 62 };

	tap_is(post(vm, 0, 2, TYPE, 8), -EAGAIN, "a message page that is off");
	tap_is(post(vm, 1, 2, TYPE, 8), -EINVAL, "a vCPU that was not created");
	tap_is(post(vm, ~0u, 2, TYPE, 8), -EINVAL, "VP 2^32 - 1");
	tap_is(post(vm, 0, 16, TYPE, 8), -EINVAL, "SINT 16");
	tap_is(post(vm, 0, 2, 0, 8), -EINVAL, "type 0");
	tap_is(post(vm, 0, 2, 0x80000010, 8), -EINVAL, "the hypervisor's own type");
	tap_is(post(vm, 0, 2, TYPE, 241), -EINVAL, "241 bytes");
	tap_is(post(vm, 0, 2, TYPE, ~0u), -EINVAL, "2^32 - 1 bytes");
	tap_is(hv_try(vm, HV_VM_POST_MESSAGE, &far), -EFAULT, "a payload that is nowhere");
}

/* ---- the record ---- */

#define NR	257

static struct {
	uint32_t count, rsvd;
	struct hv_rec_message m[NR];
} rec, back;

static long record(int vcpu, unsigned long cmd, void *buf, uint32_t *len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = HV_REC_VCPU_MESSAGES,
				   .addr = (uintptr_t)buf, .len = *len, .version = 1 };
	long ret = hv_raw(vcpu, cmd, &a);

	*len = a.len;
	return ret;
}

static uint32_t bytes(uint32_t n)
{
	return 8 + n * (uint32_t)sizeof(struct hv_rec_message);
}

static void fill(uint32_t n)
{
	uint32_t i;

	memset(&rec, 0, sizeof(rec));
	rec.count = n;
	for (i = 0; i < n; i++) {
		rec.m[i].type = i + 1;
		rec.m[i].sint = i % 16;
		rec.m[i].len = (uint8_t)(i % 241);
		rec.m[i].sender = i * 0x100000001ull;
		memset(rec.m[i].payload, 0x5a, rec.m[i].len);
	}
}

static long set(int vcpu, uint32_t n)
{
	uint32_t len = bytes(n);

	return record(vcpu, HV_VCPU_SET_STATE, &rec, &len);
}

static int same(int vcpu, uint32_t n)
{
	uint32_t len = sizeof(back);

	memset(&back, 0xa5, sizeof(back));
	return !record(vcpu, HV_VCPU_GET_STATE, &back, &len) && len == bytes(n) &&
		!memcmp(&rec, &back, len);
}

static void check_records(int vcpu)
{
	uint32_t len = 0, i;

	tap_is(record(vcpu, HV_VCPU_GET_STATE, NULL, &len), 0, "ask for the length");
	tap_is(len, bytes(0), "nothing waits");
	for (i = 0; i < 256; i = i * 3 + 1) {
		fill(i);
		tap_is(set(vcpu, i), 0, "set %u", i);
		tap_ok(same(vcpu, i), "the same come back");
	}
	fill(256);
	tap_is(set(vcpu, 256), 0, "16 for each SINT");
	tap_ok(same(vcpu, 256), "the same come back");
	len = bytes(256) - 1;
	tap_is(record(vcpu, HV_VCPU_GET_STATE, &back, &len), -ENOSPC, "a byte too little room");
}

static void check_hostile(int vcpu)
{
	fill(2);
	tap_is(set(vcpu, 2), 0, "two good ones");
	tap_is(set(vcpu, 1), -EINVAL, "more told than there are");
	tap_is(set(vcpu, 3), -EINVAL, "fewer");
	rec.count = ~0u;
	tap_is(set(vcpu, 2), -EINVAL, "2^32 - 1");
	fill(257);
	tap_is(set(vcpu, 257), -EINVAL, "257");
	fill(17);
	rec.m[1].sint = 0;
	rec.m[2].sint = 0;
	tap_is(set(vcpu, 17), 0, "17 for three SINTs");
	for (uint32_t i = 0; i < 17; i++)
		rec.m[i].sint = 7;
	tap_is(set(vcpu, 17), -EINVAL, "17 for one SINT");
	fill(2);
	rec.m[1].sint = 16;
	tap_is(set(vcpu, 2), -EINVAL, "SINT 16");
	fill(2);
	rec.m[1].len = 241;
	tap_is(set(vcpu, 2), -EINVAL, "241 bytes");
	fill(2);
	rec.m[1].payload[239] = 1;
	tap_is(set(vcpu, 2), -EINVAL, "bytes behind the payload");
	fill(2);
	rec.m[0].type = 0;
	tap_is(set(vcpu, 2), -EINVAL, "type 0");
	fill(2);
	rec.m[0].type = 0x80000010;
	tap_is(set(vcpu, 2), -EINVAL, "the hypervisor's own type");
	fill(2);
	rec.m[0].rsvd = 1;
	tap_is(set(vcpu, 2), -EINVAL, "reserved field");
	fill(2);
	rec.rsvd = 1;
	tap_is(set(vcpu, 2), -EINVAL, "reserved field of the record");
	fill(17);
	rec.m[1].sint = 0;
	rec.m[2].sint = 0;
	tap_ok(same(vcpu, 17), "what was set last is still there");
}

static void check_reset(int vm, int vcpu)
{
	struct hv_reset_args a = { 0 };

	fill(5);
	set(vcpu, 5);
	hv_do(vm, HV_VM_RESET, &a);
	fill(0);
	tap_ok(same(vcpu, 0), "a reset drops them");
}

int main(void)
{
	struct bare b = { .image = "build/guest/message.elf", .cpus = 1, .seconds = 150, .port = asked };
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 2), vcpu = hv_vcpu_new(vm, 0), bare, len = 0;

	check_refusals(vm);
	check_records(vcpu);
	check_hostile(vcpu);
	check_reset(vm, vcpu);
	bare = hv_vm_new(sys, HV_VM_F_NO_TLFS, 1);
	vcpu = hv_vcpu_new(bare, 0);
	tap_is(post(bare, 0, 2, TYPE, 8), -EINVAL, "a VM without Hyper-V interface");
	tap_is(record(vcpu, HV_VCPU_GET_STATE, NULL, (uint32_t *)&len), -ENOENT, "nor a record");
	tap_is(bare_run(&b), 0, "guest message");
	return tap_done();
}
