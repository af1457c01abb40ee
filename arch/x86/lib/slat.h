/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slat.h - second-level page tables as data: formats, walking, editing
 *
 * Pure: tables live in pages the caller supplies; a table at physical address p is
 * reached at pointer p + va_off (the kernel's direct map; in a test 0). No locking: the
 * caller excludes other editors. The CPU may read entries and set accessed and dirty bits
 * at any time, so entries are taken with an atomic exchange when they are cleared.
 *
 * Levels count from 1 (4 KiB entries) as in the manuals; spans are in frames of 4 KiB.
 * Sources: APM vol. 2, 15.25 (nested paging) and 5.3; SDM vol. 3, 29.3 (EPT).
 */
#ifndef HV_ARCH_X86_LIB_SLAT_H
#define HV_ARCH_X86_LIB_SLAT_H

#include <hv/portable.h>

enum hv_slat_format {
	SLAT_FMT_NPT,
	SLAT_FMT_EPT,		/* with accessed and dirty flags */
	SLAT_FMT_EPT_NOAD,
};

/* Bits at the same place in all formats. */
#define SLAT_PRESENT	(1ULL << 0)	/* NPT: P; EPT: R, never W or X without it */
#define SLAT_WRITE	(1ULL << 1)
#define SLAT_LARGE	(1ULL << 7)	/* levels 2 and 3 */
#define SLAT_ADDR	0x000ffffffffff000ULL
/* Software bits. */
#define SLAT_HOST_WRITE	(1ULL << 52)	/* host mapping is writable: SLAT_WRITE may be set at will */
#define SLAT_NO_PAGE	(1ULL << 53)	/* not a page of the owner's: nothing to harvest */

#define SLAT_MAX_LEVEL	5
#define SLAT_ENTRIES	512

/* What a format adds; pick by enum hv_slat_format. */
struct hv_slat_fmt {
	u64 leaf;		/* a readable and executable leaf */
	u64 table;		/* an entry that points to a table */
	u64 accessed;		/* 0: the CPU does not say; taken as always set */
	u64 dirty;		/* 0: likewise, for leaves that may be or become writable */
};

extern const struct hv_slat_fmt hv_slat_fmts[3];

struct hv_slat_root {
	const struct hv_slat_fmt *fmt;
	u64 *top;
	u64 va_off;		/* pointer = physical + va_off */
	u64 mask;		/* OR-ed into every entry (memory encryption) */
	u32 level;		/* of @top: 4 or 5 */
	u32 rsvd;
	u64 leaves[4];		/* present leaves by level, [0] unused */
	u64 tables;		/* without @top */
};

/* Zeroed pages for tables to come. Enough for one mapping when full. */
struct hv_slat_cache {
	u32 n;
	void *page[SLAT_MAX_LEVEL - 1];
};

/* What an edit leaves to do. */
struct hv_slat_gather {
	u64 freed;		/* physical address of the first table to free; chained by entry 0 */
	bool flush;		/* entries the CPU may have cached are gone or weaker */
	/* each present leaf that was removed; may be NULL */
	void (*harvest)(void *ctx, u64 entry, u32 level);
	void *ctx;
};

/* Present leaves in order. */
struct hv_slat_iter {
	const struct hv_slat_root *root;
	u64 next, end;
	u64 *table;		/* level-1 table of @next, while inside it */
	u64 *entry;		/* [out] */
	u64 gfn;		/* [out] first frame of the entry */
	u32 level;		/* [out] */
};

static inline u64 hv_slat_span(u32 level)
{
	return 1ULL << (9 * (level - 1));
}

static inline u32 hv_slat_index(u64 gfn, u32 level)
{
	return (u32)(gfn >> (9 * (level - 1))) & (SLAT_ENTRIES - 1);
}

static inline u64 *hv_slat_table(const struct hv_slat_root *r, u64 entry)
{
	return (u64 *)(size_t)((entry & SLAT_ADDR & ~r->mask) + r->va_off);
}

static inline bool hv_slat_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & SLAT_LARGE);
}

static inline u64 hv_slat_leaf(const struct hv_slat_root *r, u64 spa, u32 level, u64 bits)
{
	return spa | r->fmt->leaf | r->mask | bits | (level > 1 ? SLAT_LARGE : 0);
}

/* Has the guest written, or read or written, through this leaf? */
static inline bool hv_slat_is_dirty(const struct hv_slat_root *r, u64 entry)
{
	return entry & (r->fmt->dirty ? r->fmt->dirty : SLAT_WRITE | SLAT_HOST_WRITE);
}

static inline bool hv_slat_is_accessed(const struct hv_slat_root *r, u64 entry)
{
	return !r->fmt->accessed || (entry & r->fmt->accessed);
}

void hv_slat_root_init(struct hv_slat_root *r, enum hv_slat_format fmt, u32 level, void *top,
		    u64 va_off, u64 mask);

/* Deepest entry on the way to @gfn: a leaf, or not present. *@level is its level. */
u64 *hv_slat_find(const struct hv_slat_root *r, u64 gfn, u32 *level);

/*
 * Entry for @gfn at @level, making tables from @cache. 0 and *@entry; -ENOMEM the cache
 * ran out (tables made so far stay, empty); -EEXIST a leaf of a higher level is in the
 * way: *@entry and *@have are that leaf and its level.
 */
int hv_slat_make(struct hv_slat_root *r, u64 gfn, u32 level, struct hv_slat_cache *cache,
	      u64 **entry, u32 *have);

/*
 * Write @leaf at @entry of @level, which hv_slat_make() gave; a table or leaf that
 * was there goes to @g.
 */
void hv_slat_set(struct hv_slat_root *r, u64 *entry, u64 gfn, u32 level, u64 leaf,
		 struct hv_slat_gather *g);

/* Replace the leaf @entry of @level by a table of leaves with the same rights. -ENOMEM. */
int hv_slat_split(struct hv_slat_root *r, u64 *entry, u32 level, struct hv_slat_cache *cache,
	       struct hv_slat_gather *g);

/*
 * Remove all leaves in [start, end), and tables wholly inside it. A large leaf that
 * reaches beyond goes as a whole: what it mapped outside will fault again.
 */
void hv_slat_zap(struct hv_slat_root *r, u64 start, u64 end, struct hv_slat_gather *g);

/* Take write permission from leaves in [start, end); true if any had it. */
bool hv_slat_wrprotect(struct hv_slat_root *r, u64 start, u64 end);

/* Any accessed bit in [start, end)? Clears them if @clear. False if the format has none. */
bool hv_slat_age(struct hv_slat_root *r, u64 start, u64 end, bool clear);

/* Take all tables off a root that no CPU uses; only @top stays, cleared. */
void hv_slat_clear(struct hv_slat_root *r, struct hv_slat_gather *g);

void hv_slat_iter_start(struct hv_slat_iter *it, const struct hv_slat_root *r, u64 start, u64 end);
bool hv_slat_iter_next(struct hv_slat_iter *it);

/* Takes the next table off a chain of freed ones: a pointer to free, NULL at its end. */
void *hv_slat_chain_pop(u64 *chain, u64 va_off);

#endif /* HV_ARCH_X86_LIB_SLAT_H */
