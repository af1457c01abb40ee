// SPDX-License-Identifier: GPL-2.0-or-later
/* HV_VM_SET_IOEVENTFD: which writes signal which eventfd, clashes, limits, deassign. */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

#define MARK		0x42		/* port that ends a guest run */
#define MMIO		0xd0000000ull	/* DS base: no memory there */
#define MAX_EVENTS	1024		/* in one space */

static int vm, vcpu;
static struct hv_run *run;
static uint8_t *code;

static long record(unsigned long cmd, uint32_t rec, void *buf, uint32_t len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = rec, .addr = (uintptr_t)buf,
				   .len = len, .version = 1 };

	return hv_raw(vcpu, cmd, &a);
}

/*
 * Run 16-bit @text (at most 10 bytes) with EAX = @eax and DX = @dx, then a write to MARK.
 * True: the write of @text came to user space.
 */
static bool guest(const uint8_t *text, size_t len, uint32_t eax, uint16_t dx)
{
	static const uint8_t tail[] = { 0xe6, MARK, 0xeb, 0xfe };
	struct hv_rec_regs r = { .rip = 0xfff0, .rflags = 2 };
	bool seen = false;
	long ret;

	memcpy(code + 0xff0, text, len);
	memcpy(code + 0xff0 + len, tail, sizeof(tail));
	r.gpr[0] = eax;
	r.gpr[2] = dx;
	record(HV_VCPU_SET_STATE, HV_REC_VCPU_REGS, &r, sizeof(r));
	for (;;) {
		ret = hv_raw(vcpu, HV_VCPU_RUN, NULL);
		if (ret == -EINTR)
			continue;
		if (ret)
			tap_bail("run: error %ld", -ret);
		if (run->exit_kind == HV_EXIT_PIO && run->pio.port == MARK)
			return seen;
		if (run->exit_kind != HV_EXIT_PIO && run->exit_kind != HV_EXIT_MMIO)
			tap_bail("exit %u", run->exit_kind);
		seen = true;
	}
}

static bool pio(uint16_t port, unsigned int len, uint32_t val)
{
	static const uint8_t out[3][2] = { { 0xee }, { 0xef }, { 0x66, 0xef } };

	return guest(out[len == 1 ? 0 : len == 2 ? 1 : 2], len == 4 ? 2 : 1, val, port);
}

static bool mmio(uint16_t off, unsigned int len, uint32_t val)
{
	uint8_t mov[4] = { 0x66, 0xa3, (uint8_t)off, (uint8_t)(off >> 8) };

	if (len == 1)
		mov[1] = 0xa2;
	return guest(len == 4 ? mov : mov + 1, len == 4 ? 4 : 3, val, 0);
}

static long set(int fd, uint32_t flags, uint64_t addr, uint32_t len, uint64_t match)
{
	struct hv_ioeventfd_args a = { .flags = flags, .addr = addr, .datamatch = match, .len = len,
				       .fd = fd };

	return hv_try(vm, HV_VM_SET_IOEVENTFD, &a);
}

static uint64_t count(int fd)
{
	uint64_t val = 0;

	return read(fd, &val, 8) == 8 ? val : 0;
}

#define PIO	HV_IOEVENTFD_F_PIO
#define MATCH	HV_IOEVENTFD_F_DATAMATCH
#define GONE	HV_IOEVENTFD_F_DEASSIGN

static void test_pio(int a, int b)
{
	tap_is(set(a, PIO, 0x500, 2, 0), 0, "port 0x500, two bytes");
	tap_ok(!pio(0x500, 2, 7) && count(a) == 1, "such a write signals and stays in the kernel");
	tap_ok(pio(0x500, 1, 7) && pio(0x500, 4, 7) && !count(a), "other lengths go to user space");
	tap_ok(pio(0x501, 2, 7) && pio(0x4ff, 2, 7) && !count(a), "other ports too");
	tap_is(set(b, PIO | MATCH, 0x500, 1, 5), 0, "the same port, one byte, value 5");
	tap_ok(!pio(0x500, 1, 0xff05) && count(b) == 1 && !count(a), "the value decides, by its low byte");
	tap_ok(pio(0x500, 1, 6) && !count(b), "another value goes to user space");
	tap_is(set(a, PIO | MATCH, 0x500, 1, 6), 0, "value 6 to the other eventfd");
	tap_ok(!pio(0x500, 1, 6) && count(a) == 1 && !count(b), "each its own");
	tap_is(set(a, PIO | MATCH, 0x500, 1, 5), -EEXIST, "value 5 is taken");
	tap_is(set(a, PIO, 0x500, 1, 0), -EEXIST, "any value takes in 5");
	tap_is(set(a, PIO, 0x500, 0, 0), -EEXIST, "any length too");
	tap_is(set(a, PIO | GONE, 0x500, 4, 0), -ENOENT, "remove what is not there");
	tap_is(set(b, PIO | GONE, 0x500, 2, 0), -ENOENT, "remove another's");
	tap_is(set(a, PIO | GONE, 0x500, 2, 0), 0, "remove");
	tap_ok(pio(0x500, 2, 7) && !count(a), "and it is gone");
	tap_ok(!pio(0x500, 1, 5) && count(b) == 1, "the others are not");
	tap_is(set(b, PIO | MATCH | GONE, 0x500, 1, 5), 0, "remove value 5");
	tap_is(set(a, PIO | MATCH | GONE, 0x500, 1, 6), 0, "remove value 6");
	tap_ok(pio(0x500, 1, 5), "nothing is left");
	tap_is(set(a, PIO, 0x600, 0, 0), 0, "any length");
	tap_ok(!pio(0x600, 1, 1) && !pio(0x600, 2, 1) && !pio(0x600, 4, 1) && count(a) == 3,
	       "all lengths signal");
	set(a, PIO | GONE, 0x600, 0, 0);
}

static void test_mmio(int a, int b)
{
	tap_is(set(a, 0, MMIO + 0x10, 4, 0), 0, "memory, four bytes");
	tap_is(set(b, 0, MMIO + 0x12, 2, 0), 0, "two bytes inside of them");
	tap_ok(!mmio(0x10, 4, 1) && count(a) == 1 && !count(b), "the four");
	tap_ok(!mmio(0x12, 2, 1) && count(b) == 1 && !count(a), "the two");
	tap_ok(mmio(0x10, 2, 1) && mmio(0x10, 1, 1) && mmio(0x12, 4, 1) && !count(a) && !count(b),
	       "other lengths go to user space");
	set(a, GONE, MMIO + 0x10, 4, 0);
	set(b, GONE, MMIO + 0x12, 2, 0);
}

static void test_bad(int fd)
{
	tap_is(set(fd, PIO, 0x500, 3, 0), -EINVAL, "length 3");
	tap_is(set(fd, PIO, 0x500, 8, 0), -EINVAL, "eight bytes to a port");
	tap_is(set(fd, PIO, 0xffff, 2, 0), -EINVAL, "beyond the last port");
	tap_is(set(fd, PIO, 0x10000, 1, 0), -EINVAL, "port 0x10000");
	tap_is(set(fd, 0, ~0ull, 2, 0), -EINVAL, "a range that wraps");
	tap_is(set(fd, PIO | MATCH, 0x500, 0, 5), -EINVAL, "a value of no length");
	tap_is(set(fd, PIO | MATCH, 0x500, 1, 0x100), -EINVAL, "a value too long for it");
	tap_is(set(fd, PIO | 8, 0x500, 1, 0), -EINVAL, "unknown flag");
	tap_is(set(-1, PIO, 0x500, 1, 0), -EBADF, "fd -1");
	tap_is(set(vm, PIO, 0x500, 1, 0), -EINVAL, "not an eventfd");
}

static void test_many(int a, int b)
{
	int i, bad = 0;

	for (i = 0; i < MAX_EVENTS; i++)
		if (set(i == 777 ? b : a, PIO, (uint64_t)(0x1000 + (i * 37 & 1023) * 4), 0, 0))
			break;
	tap_is(i, MAX_EVENTS, "a thousand and twenty-four ports");
	tap_is(set(a, PIO, 0x8000, 0, 0), -ENOSPC, "and no more");
	tap_ok(!pio((uint16_t)(0x1000 + (777 * 37 & 1023) * 4), 1, 0) && count(b) == 1 && !count(a),
	       "the right one is found among them");
	tap_ok(!pio(0x1000, 1, 0) && !pio(0x1ffc, 1, 0) && count(a) == 2, "the first and the last");
	tap_ok(pio(0x1002, 1, 0) && pio(0xfff, 1, 0) && pio(0x2000, 1, 0), "between and beyond: none");
	for (i = 0; i < 64; i++)
		bad += set(i == 777 ? b : a, PIO | GONE, (uint64_t)(0x1000 + (i * 37 & 1023) * 4), 0, 0) != 0;
	tap_is(bad, 0, "some are removed again; the VM takes the rest with it");
}

int main(void)
{
	int sys = hv_open(), a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK);
	struct hv_rec_sregs s;

	vm = hv_vm_new(sys, 0, 1);
	code = hv_reset_code(vm, hv_code_spin, sizeof(hv_code_spin));
	vcpu = hv_vcpu_new(vm, 0);
	run = hv_run_map(vcpu);
	record(HV_VCPU_GET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	s.seg[HV_SEG_DS].base = MMIO;
	record(HV_VCPU_SET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	test_bad(a);
	test_pio(a, b);
	test_mmio(a, b);
	test_many(a, b);
	close(vcpu);
	close(vm);
	tap_ok(!count(a), "eventfds outlive the VM");
	return tap_done();
}
