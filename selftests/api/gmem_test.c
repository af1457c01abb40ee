// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's reads of guest memory, seen through HV_VCPU_TRANSLATE: page tables in RAM
 * that changes, is discarded, replaced, deleted, and lies under an overlay.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define BASE	0x10000000u
#define PML4	(BASE + 0x1000)
#define PDPT	(BASE + 0x2000)
#define PD	(BASE + 0x3000)
#define PT	(BASE + 0x4000)
#define GVA	0x00007654321abcdeull
#define BYTES	0x10000u
#define NO	(~0ull)

static unsigned int ix(int level)
{
	return GVA >> (12 + 9 * (level - 1)) & 511;
}

static void put(void *ram, uint64_t gpa, uint64_t val)
{
	memcpy((char *)ram + (gpa - BASE), &val, 8);
}

static void *tables(uint64_t target)
{
	void *ram = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	put(ram, PML4 + ix(4) * 8, PDPT | 7);
	put(ram, PDPT + ix(3) * 8, PD | 7);
	put(ram, PD + ix(2) * 8, PT | 7);
	put(ram, PT + ix(1) * 8, target | 7);
	return ram;
}

static uint64_t translate(const struct flat *f)
{
	struct hv_translate_args a = { .gva = GVA };
	long ret = hv_try(f->vcpu, HV_VCPU_TRANSLATE, &a);

	if (ret || a.fault)
		return ret == 0 ? NO : (uint64_t)ret;
	return a.gpa;
}

static void long_mode(struct flat *f)
{
	struct flat_state s;
	int i;

	flat_save(f, &s);
	s.sregs.efer = 0x500;		/* LME, LMA */
	s.sregs.cr4 = 0x20;		/* PAE */
	s.sregs.cr3 = PML4;
	s.sregs.cr0 = 0x80000011;	/* PG, ET, PE */
	for (i = HV_SEG_ES; i <= HV_SEG_GS; i++)
		if (i == HV_SEG_CS)
			s.sregs.seg[i].attr = 0xa9b;
	flat_load(f, &s);
}

static long overlay(const struct flat *f, uint64_t gpa, uint64_t entry)
{
	static struct hv_rec_overlay rec;
	struct hv_state_args a = {
		.record = HV_REC_VM_OVERLAY, .addr = (uintptr_t)&rec, .len = sizeof(rec), .version = 1,
	};

	rec.kind = HV_OVERLAY_SIMP;
	rec.gpa = gpa;
	memcpy(rec.page + ix(1) * 8, &entry, 8);
	return hv_try(f->vm, HV_VM_SET_STATE, &a);
}

int main(void)
{
	uint64_t off = GVA & 4095;
	void *ram = tables(0x111000), *other = tables(0x222000);
	struct flat f;

	flat_new(&f, 0, 1);
	long_mode(&f);
	tap_is(translate(&f), -EFAULT, "no memory where the tables should be");
	flat_slot(&f, 1, 0, BASE, BYTES, ram);
	tap_is(translate(&f), 0x111000 + off, "tables in RAM");
	put(ram, PT + ix(1) * 8, 0x333000 | 7);
	tap_is(translate(&f), 0x333000 + off, "an entry changed");
	flat_slot(&f, 1, 0, BASE, BYTES, other);
	tap_is(translate(&f), 0x222000 + off, "the slot's memory replaced");
	tap_is(overlay(&f, PT, 0x444000 | 7), 0, "an overlay over the last table");
	tap_is(translate(&f), 0x444000 + off, "is what is read");
	tap_is(overlay(&f, BASE + 0x8000, 0), 0, "moved away");
	tap_is(translate(&f), 0x222000 + off, "the table beneath is read again");
	madvise(other, BYTES, MADV_DONTNEED);
	tap_is(translate(&f), NO, "memory discarded: empty tables");
	flat_slot(&f, 1, HV_SLOT_F_READONLY, BASE, BYTES, ram);
	tap_is(translate(&f), 0x333000 + off, "tables in read-only memory");
	flat_slot(&f, 1, 0, 0, 0, NULL);
	tap_is(translate(&f), -EFAULT, "the slot deleted");
	flat_close(&f);
	return tap_done();
}
