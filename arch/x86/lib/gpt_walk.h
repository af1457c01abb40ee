/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpt_walk.h - walker of the guest's own page tables.
 *
 * Translates a guest-virtual to a guest-physical address as the CPU does:
 * no paging, 32-bit, PAE, 4-level and 5-level tables, large pages, reserved
 * bits, NX, WP, SMEP, SMAP, protection keys for user pages, accessed and dirty
 * bits. Nothing is cached; tables are read and updated through callbacks.
 *
 * Source: AMD APM volume 2 chapter 5; Intel SDM volume 3 chapter 4.
 */
#ifndef ARCH_X86_LIB_GPT_WALK_H
#define ARCH_X86_LIB_GPT_WALK_H

#include "hv/portable.h"

/* Page-fault error code, and the bits of @access (same values where shared). */
#define HV_PFEC_PRESENT		0x01u	/* a present entry refused the access */
#define HV_PFEC_WRITE		0x02u
#define HV_PFEC_USER		0x04u	/* CPL 3, and not an implicit system access */
#define HV_PFEC_RSVD		0x08u
#define HV_PFEC_FETCH		0x10u
#define HV_PFEC_PKEY		0x20u

#define HV_GPT_READ		0u
#define HV_GPT_WRITE		HV_PFEC_WRITE
#define HV_GPT_USER		HV_PFEC_USER
#define HV_GPT_FETCH		HV_PFEC_FETCH
/* Supervisor access under EFLAGS.AC = 1: SMAP does not apply. */
#define HV_GPT_AC		0x100u
/*
 * Leave accessed and dirty bits alone, and do not fail for their absence:
 * translation on behalf of a debugger or a hypercall that only asks.
 */
#define HV_GPT_PEEK		0x200u

/* Page-table entry bits. */
#define HV_GPTE_P		(1ull << 0)
#define HV_GPTE_RW		(1ull << 1)
#define HV_GPTE_US		(1ull << 2)
#define HV_GPTE_A		(1ull << 5)
#define HV_GPTE_D		(1ull << 6)
#define HV_GPTE_PS		(1ull << 7)
#define HV_GPTE_NX		(1ull << 63)
#define HV_GPTE_ADDR		0x000ffffffffff000ull

/* The registers that decide how tables are read; the caller fills it in. */
struct hv_gpt_regs {
	u64 cr0, cr3, cr4, efer;
	/*
	 * PAE without long mode: as loaded with CR3 (SVM with nested paging reads
	 * them from memory at each use, so fetch them anew).
	 */
	u64 pdpte[4];
	u32 pkru;		/* guest's PKRU; used when CR4.PKE = 1 */
	u8 maxphyaddr;		/* CPUID 80000008 EAX[7:0]: 32..52 */
	bool gb_pages;		/* CPUID 80000001 EDX[26] */
	bool pse36;		/* CPUID 1 EDX[17] */
};

/*
 * The same, digested: rebuild with hv_gpt_mode_init() when CR0, CR3, CR4, EFER
 * or the PDPTEs change. (PKRU is read at each walk and may be written directly.)
 */
struct hv_gpt_mode {
	u64 root;		/* guest-physical address of the top table */
	u64 rsvd[6];		/* reserved bits by level, small or table entry; [0] unused */
	u64 rsvd_large[4];	/* reserved bits of a large entry by level, 2 and 3 */
	u64 pdpte[4];
	u32 pkru;
	u8 levels;		/* 0 no paging, 2, 3, 4, 5 */
	u8 entry;		/* bytes of an entry: 4 or 8 */
	u8 bits;		/* address bits decoded a level: 10 or 9 */
	bool pse;		/* 32-bit tables: 4 MiB pages enabled */
	bool nx, wp, smep, smap, pke;
};

/* hv_gpt_result.rights */
#define HV_GPT_R_WRITE		0x1u	/* every level allows writing */
#define HV_GPT_R_USER		0x2u	/* every level allows CPL 3 */
#define HV_GPT_R_EXEC		0x4u	/* no level forbids execution */
#define HV_GPT_R_DIRTY		0x8u	/* dirty bit of the leaf is set */

struct hv_gpt_result {
	u64 gpa;		/* of the byte asked for */
	u32 error_code;		/* HV_PFEC_* of the #PF, after HV_GPT_FAULT */
	u8 page_shift;		/* 12, 21, 22 or 30; 12 without paging */
	u8 rights;		/* HV_GPT_R_* */
	u8 level;		/* leaf or faulting level, 1 = page table; 0 no paging */
	u8 pad;
};

struct hv_gpt_ops {
	/*
	 * Reads one entry of @size (4 or 8) bytes, aligned, in one access.
	 * Return: 0, or any negative errno, which ends the walk and is
	 * returned from it (-EAGAIN, -EINTR: the access waits; -EFAULT: no
	 * memory at @gpa).
	 */
	int (*read)(void *cookie, u64 gpa, u64 *val, unsigned int size);
	/*
	 * Atomically replaces @old by @new at @gpa.
	 * Return: 0; 1 when the entry no longer was @old (the walk starts
	 * again); a negative errno as for @read (-EACCES for a read-only slot).
	 */
	int (*cmpxchg)(void *cookie, u64 gpa, u64 old, u64 new, unsigned int size);
};

/* The walk ended with a page fault: @result.error_code holds its code. */
#define HV_GPT_FAULT		1

/**
 * hv_gpt_mode_init() - digest the paging registers
 * Return: 0, or -EINVAL for a maxphyaddr outside 32..52.
 */
int hv_gpt_mode_init(struct hv_gpt_mode *mode, const struct hv_gpt_regs *regs);

/**
 * hv_gpt_walk() - translate one guest-virtual address
 * @mode:   digested paging registers
 * @ops:    table accessors
 * @cookie: passed to @ops
 * @gva:    address; canonical in long mode (the caller raised #GP or #SS
 *          otherwise), truncated to 32 bits outside it
 * @access: HV_GPT_*
 * @result: filled in for 0 and HV_GPT_FAULT
 *
 * Accessed bits of all levels and the dirty bit of the leaf are set, as the CPU
 * does, only once the whole walk allows the access. A table that changes
 * meanwhile restarts the walk, at most a few times, then -EAGAIN.
 *
 * Return: 0, HV_GPT_FAULT, or the negative errno of a callback.
 * Context: that of the callbacks.
 */
int hv_gpt_walk(const struct hv_gpt_mode *mode, const struct hv_gpt_ops *ops, void *cookie,
		u64 gva, u32 access, struct hv_gpt_result *result);

/* Address bits translated above the page offset are equal to the top one. */
static inline bool hv_gpt_canonical(const struct hv_gpt_mode *mode, u64 gva)
{
	unsigned int drop = mode->levels == 5 ? 7 : 16;

	return (u64)((s64)(gva << drop) >> drop) == gva;
}

/**
 * hv_gpt_fetch_fast() - translate a code address when nothing stands in the way
 * @mode:   digested paging registers
 * @gva:    address of the code
 * @user:   fetch at CPL 3
 * @read:   u64 read(void *cookie, u64 gpa): one aligned 8-byte table entry; 0 if
 *          it cannot be read at once or is no memory (any 52-bit @gpa may come,
 *          from entries that turn out absent or reserved)
 * @cookie: passed to @read
 * @gpa:    result
 *
 * Read-only and without a fault code: succeeds for 4-level and 5-level tables whose
 * entries are all present, accessed and allow the fetch. Anything else, also a
 * reserved bit, is left to hv_gpt_walk(). Always inlined, so that @read is a
 * direct call, or inlined itself: about 60 instructions with the reads.
 *
 * Return: true when *@gpa was set.
 */
static inline __attribute__((__always_inline__)) bool
hv_gpt_fetch_fast(const struct hv_gpt_mode *mode, u64 gva, bool user,
		  u64 (*read)(void *cookie, u64 gpa), void *cookie, u64 *gpa)
{
	u64 all, any, e, offset, table = mode->root;

	/* Entries are judged together at the end; what an absent one leads to is only read. */
	if (unlikely(mode->levels < 4))
		return false;
	all = any = read(cookie, mode->levels == 4 ? table + (gva >> 36 & 0xff8) :
			 table + (gva >> 45 & 0xff8));
	if (unlikely(mode->levels == 5)) {
		e = read(cookie, (all & HV_GPTE_ADDR) + (gva >> 36 & 0xff8));
		any |= e;
		all &= e;
		table = e;
	} else {
		table = all;
	}
	if (unlikely(any & HV_GPTE_PS))
		return false;
	e = read(cookie, (table & HV_GPTE_ADDR) + (gva >> 27 & 0xff8));
	any |= e;
	all &= e;
	offset = (1ull << 30) - 1;
	if (unlikely(e & HV_GPTE_PS)) {
		any |= e & mode->rsvd_large[3] ? HV_GPTE_NX : 0;
	} else {
		e = read(cookie, (e & HV_GPTE_ADDR) + (gva >> 18 & 0xff8));
		any |= e;
		all &= e;
		offset = (1ull << 21) - 1;
		if (e & HV_GPTE_PS) {
			any |= e & mode->rsvd_large[2] ? HV_GPTE_NX : 0;
		} else {
			e = read(cookie, (e & HV_GPTE_ADDR) + (gva >> 9 & 0xff8));
			any |= e;
			all &= e;
			offset = 4095;
		}
	}
	/* Present, accessed, no bit above the address width, executable, right privilege. */
	if (unlikely((~all & (HV_GPTE_P | HV_GPTE_A)) || (any & (mode->rsvd[1] | HV_GPTE_NX))))
		return false;
	if (user ? !(all & HV_GPTE_US) : ((all & HV_GPTE_US) && mode->smep))
		return false;
	*gpa = (e & HV_GPTE_ADDR & ~offset) | (gva & offset);
	return true;
}

#endif /* ARCH_X86_LIB_GPT_WALK_H */
