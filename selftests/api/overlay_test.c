// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overlay pages, placed by their state records: over RAM small and large, a hole, a
 * read-only slot and each other; moved and hidden, with what lies beneath intact.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define ROM	0x20000000u
#define HOLE	0x30000000u
#define NOWHERE	(~0ull)

static struct hv_rec_overlay rec;

static long place(struct flat *f, uint32_t kind, uint32_t vp, uint64_t gpa, uint32_t fill)
{
	struct hv_state_args probe = { .record = HV_REC_VM_OVERLAY };
	struct hv_state_args a = {
		.record = HV_REC_VM_OVERLAY, .addr = (uintptr_t)&rec, .len = sizeof(rec),
		.version = 1,
	};
	uint32_t i;

	if (hv_try(f->vm, HV_VM_GET_STATE, &probe) == 0)
		a.version = probe.version;
	rec.kind = kind;
	rec.vp = vp;
	rec.gpa = gpa;
	for (i = 0; i < 1024; i++)
		memcpy(rec.page + i * 4, &fill, 4);
	return hv_try(f->vm, HV_VM_SET_STATE, &a);
}

static void *memory(size_t bytes, int advice, uint8_t fill)
{
	char *p = mmap(NULL, bytes + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1));
	madvise(p, bytes, advice);
	memset(p, fill, bytes);
	return p;
}

#define SIMP	HV_OVERLAY_SIMP
#define SIEFP	HV_OVERLAY_SIEFP

static void check_ram(const char *what, int advice)
{
	uint32_t *mem = memory(4 * MIB, advice, 0x11), i, bad = 0;
	struct flat f;

	flat_new(&f, 0, 2);
	flat_slot(&f, 1, 0, BASE, 4 * MIB, mem);
	tap_is(flat_write(&f, BASE + 0x5000, 0xabc), 0, "%s: RAM before", what);
	tap_is(place(&f, SIMP, 0, BASE + 0x5000, 0x51), 0, "%s: overlay on", what);
	tap_is(flat_read(&f, BASE + 0x5000, NULL), 0x51, "%s: the guest sees the page", what);
	tap_is(flat_read(&f, BASE + 0x4ffc, NULL), 0x11111111, "%s: RAM just below", what);
	tap_is(flat_read(&f, BASE + 0x6000, NULL), 0x11111111, "%s: RAM just above", what);
	tap_is(flat_write(&f, BASE + 0x5004, 0x77), 0, "%s: guest writes to the page", what);
	tap_is(mem[0x5004 / 4], 0x11111111, "%s: RAM beneath is not touched", what);
	tap_is(place(&f, SIMP, 0, BASE + 0x9000, 0x52), 0, "%s: moved", what);
	tap_is(flat_read(&f, BASE + 0x5000, NULL), 0xabc, "%s: the RAM reappears", what);
	tap_is(flat_read(&f, BASE + 0x9000, NULL), 0x52, "%s: the page is at its new place", what);
	tap_is(place(&f, SIMP, 0, NOWHERE, 0x53), 0, "%s: off", what);
	tap_is(flat_read(&f, BASE + 0x9000, NULL), 0x11111111, "%s: RAM again", what);
	mem[0x5000 / 4] = 0x11111111;
	for (i = 0; i < 4 * MIB / 4; i++)
		bad += mem[i] != 0x11111111;
	tap_is(bad, 0, "%s: all RAM is as it was", what);
	flat_close(&f);
}

static void check_hole_and_rom(void)
{
	uint32_t *rom = memory(MIB, MADV_NOHUGEPAGE, 0x22);
	struct flat f;
	long err;

	flat_new(&f, 0, 2);
	flat_slot(&f, 1, HV_SLOT_F_READONLY, ROM, MIB, rom);
	tap_is(place(&f, SIMP, 0, HOLE, 0x61), 0, "over a hole");
	tap_is(flat_read(&f, HOLE, NULL), 0x61, "read");
	tap_is(flat_write(&f, HOLE + 8, 0x62), 0, "write");
	tap_is(flat_read(&f, HOLE + 8, NULL), 0x62, "read back");
	flat_read(&f, HOLE + 4096, &err);
	tap_is(err, HV_EXIT_MMIO, "beside it is a hole");
	tap_is(place(&f, SIMP, 0, ROM + 0x3000, 0x63), 0, "over a read-only slot");
	flat_read(&f, HOLE, &err);
	tap_is(err, HV_EXIT_MMIO, "the hole is back");
	tap_is(flat_write(&f, ROM + 0x3008, 0x64), 0, "the page is writable there");
	tap_is(flat_read(&f, ROM + 0x3008, NULL), 0x64, "read back");
	tap_is(flat_write(&f, ROM + 0x4000, 1), HV_EXIT_MMIO, "the slot beside it is not");
	tap_is(place(&f, SIMP, 0, NOWHERE, 0), 0, "off");
	tap_is(flat_read(&f, ROM + 0x3008, NULL), 0x22222222, "the slot as it was");
	tap_is(flat_write(&f, ROM + 0x3008, 1), HV_EXIT_MMIO, "and read-only");

	tap_is(place(&f, HV_OVERLAY_HYPERCALL, 0, HOLE, 0x65), 0, "the hypercall page");
	tap_is(flat_read(&f, HOLE, NULL), 0x65, "can be read");
	tap_is(flat_write(&f, HOLE, 1), HV_EXIT_MMIO, "not written");
	flat_close(&f);
}

/* The lowest kind, then the lowest vp, whatever came first; the others come back. */
static void check_order(void)
{
	uint32_t *mem = memory(2 * MIB, MADV_HUGEPAGE, 0x33);
	struct flat f;

	flat_new(&f, 0, 2);
	flat_slot(&f, 1, 0, BASE, 2 * MIB, mem);
	place(&f, SIEFP, 1, BASE, 0x71);
	place(&f, SIMP, 0, BASE, 0x72);
	tap_is(flat_read(&f, BASE, NULL), 0x71, "a later one of a higher kind is beneath");
	place(&f, SIEFP, 0, BASE, 0x73);
	tap_is(flat_read(&f, BASE, NULL), 0x73, "a lower vp is above");
	place(&f, SIEFP, 0, NOWHERE, 0);
	tap_is(flat_read(&f, BASE, NULL), 0x71, "it goes: the next");
	place(&f, SIEFP, 1, BASE + 4096, 0x74);
	tap_is(flat_read(&f, BASE, NULL), 0x72, "that is moved: the last");
	place(&f, SIMP, 0, NOWHERE, 0);
	tap_is(flat_read(&f, BASE, NULL), 0x33333333, "then RAM");
	tap_is(flat_read(&f, BASE + 4096, NULL), 0x74, "the moved one is where it was moved");
	tap_is(flat_slot(&f, 1, 0, 0, 0, NULL), 0, "the slot beneath goes");
	tap_is(flat_read(&f, BASE + 4096, NULL), 0x74, "the page stays");
	flat_close(&f);
}

static void check_refusals(void)
{
	struct flat f;

	flat_new(&f, 0, 2);
	tap_is(place(&f, HV_OVERLAY_NR, 0, BASE, 0), -EINVAL, "unknown kind");
	tap_is(place(&f, SIMP, 2, BASE, 0), -EINVAL, "vp beyond the VM's");
	tap_is(place(&f, SIMP, 0, BASE + 1, 0), -EINVAL, "not aligned");
	tap_is(place(&f, SIMP, 0, 1ull << 60, 0), -EINVAL, "beyond the guest's address width");
	flat_close(&f);
}

/* The records are for a VM that stands still. */
static void check_running(void)
{
	struct flat_regs r = { .esi = BASE, .ebx = 4096, .edx = 512 };
	uint32_t *mem = memory(2 * MIB, MADV_HUGEPAGE, 0x44);
	struct flat f;

	flat_new(&f, 0, 2);
	flat_slot(&f, 1, 0, BASE, 2 * MIB, mem);
	flat_start(&f, FLAT_WATCH, &r);
	tap_ok(hv_runner_wait(NULL, f.vm), "a vCPU runs");
	tap_is(place(&f, SIMP, 1, BASE, 0x81), -EBUSY, "not while a vCPU runs");
	flat_stop(&f, &r);
	tap_is(f.exit_kind, HV_EXIT_NONE, "it ran undisturbed");
	tap_is(place(&f, SIMP, 1, BASE, 0x81), 0, "afterwards");
	flat_close(&f);
}

int main(void)
{
	check_ram("small pages", MADV_NOHUGEPAGE);
	check_ram("large pages", MADV_HUGEPAGE);
	check_hole_and_rom();
	check_order();
	check_refusals();
	check_running();
	return tap_done();
}
