// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty.c - fetching the dirty log
 *
 * Writes are found by write protection (see Documentation/memory.rst for why not by the
 * CPU's dirty bits): a fetched and cleared page is write-protected before the bits reach
 * the caller, so a write is either in what it copies or in its next fetch.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <hv/arch.h>
#include <hv/gmem.h>
#include <hv/slot.h>
#include "virt/memory.h"

static struct hv_slot *find_logged(struct hv_vm *vm, u32 id)
{
	const struct hv_slotmap *m = hv_slot_map(vm);
	u32 i;

	for (i = 0; i < m->nr; i++) {
		struct hv_slot *s = m->ent[i].owner;

		if (s->id == id)
			return s->dirty ? s : NULL;
	}
	return NULL;
}

static int check_args(const struct hv_slot *s, const struct hv_dirty_args *a)
{
	u64 end = a->first + a->npages;

	if (a->first > s->npages || a->npages > s->npages - a->first)
		return -EINVAL;
	if (a->first % 64 || (a->npages % 64 && end != s->npages))
		return -EINVAL;
	return 0;
}

/* Move @n words of the log to @buf and write-protect what they name. */
static void take_words(struct hv_vm *vm, struct hv_slot *s, u64 word, u32 n, unsigned long *buf)
{
	bool flush = false;
	u32 i;

	spin_lock(&vm->mmu_lock);
	for (i = 0; i < n; i++) {
		unsigned long *p = &s->dirty[word + i];
		hv_gfn_t gfn = s->gfn + (word + i) * 64;

		buf[i] = READ_ONCE(*p) ? xchg(p, 0) : 0;
		if (buf[i])
			flush |= hv_arch_mmu_wrprotect_locked(vm, gfn, gfn + 64, &buf[i]);
	}
	if (flush)
		hv_arch_mmu_flush_locked(vm);
	spin_unlock(&vm->mmu_lock);
	/* What others show writable is marked when it is shown: once more from here on. */
	hv_frame_zap(vm, s->gfn + word * 64, s->gfn + (word + n) * 64, true);
}

int hv_dirty_take(struct hv_vm *vm, const struct hv_dirty_args *a, u64 done, unsigned long *buf)
{
	u64 words = DIV_ROUND_UP(a->npages, 64);
	u64 word = a->first / 64 + done;
	u32 n = min_t(u64, words - done, HV_DIRTY_WORDS);
	struct hv_slot *s;
	int ret;

	mutex_lock(&vm->slots_lock);
	s = find_logged(vm, a->slot);
	ret = s ? check_args(s, a) : -ENOENT;
	if (!ret && n) {
		if (a->flags & HV_DIRTY_F_CLEAR)
			take_words(vm, s, word, n, buf);
		else
			memcpy(buf, &s->dirty[word], n * sizeof(*buf));
		ret = n;
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}

void hv_dirty_give_back(struct hv_vm *vm, const struct hv_dirty_args *a, u64 done, u32 n,
			const unsigned long *buf)
{
	struct hv_slot *s;
	u32 i, bit;

	if (!(a->flags & HV_DIRTY_F_CLEAR))
		return;
	mutex_lock(&vm->slots_lock);
	s = find_logged(vm, a->slot);
	for (i = 0; s && !check_args(s, a) && i < n; i++)
		for_each_set_bit(bit, &buf[i], 64)
			set_bit(a->first + (done + i) * 64 + bit, s->dirty);
	mutex_unlock(&vm->slots_lock);
}
