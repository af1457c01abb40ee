// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In-flight tables: memory that outlives the thread and the process, and what is read from it by who takes over.
 *
 * A thread may die between any two stores. What its successor finds is in their order (x86 keeps it, the
 * compiler is told to):
 *
 *	request:  entry filled in, state TAKEN; ring's read index moves; @from becomes STOR_OUT
 *	answer:   @answer filled in, state ANSWERED; put into the ring behind what the guest sees, @pos,
 *		  state COMPLETING; ring's write index moves; state FREE
 *
 * So an entry whose @from is the ring's read index lies in the ring still, and an answer is with the guest if the
 * write index is not @pos any more. Neither can come round: within one turn a ring never gets full.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storvsp_impl.h"

#define TABLE_BYTES	((sizeof(struct stor_table) + VMB_PAGE - 1) / VMB_PAGE * VMB_PAGE)
#define TABLE_MAGIC	0x31544648u	/* "HFT1" */

int stor_table_map(struct stor_queue *q)
{
	struct storvsp *v = q->vsp;
	off_t at = (off_t)(q->chan.index * TABLE_BYTES), end = at + (off_t)TABLE_BYTES;
	struct stor_table *t;
	struct stat st;

	if (v->table_fd < 0)
		v->table_fd = memfd_create("hv-inflight", MFD_CLOEXEC);
	if (v->table_fd < 0 || fstat(v->table_fd, &st) || (st.st_size < end && ftruncate(v->table_fd, end)))
		return -errno;
	t = mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, v->table_fd, at);
	if (t == MAP_FAILED)
		return -errno;
	q->table = t;
	/* New memory is zeros. */
	if (t->magic && (t->magic != TABLE_MAGIC || t->bytes != sizeof(*t)))
		return -EINVAL;
	t->magic = TABLE_MAGIC;
	t->bytes = sizeof(*t);
	return 0;
}

void stor_table_unmap(struct stor_queue *q)
{
	if (q->table)
		munmap(q->table, TABLE_BYTES);
	q->table = NULL;
}

void stor_table_clear(struct stor_queue *q)
{
	/* Ours are free when a channel is closed, and the others were never touched. */
	unsigned int n = q->vsp->cfg.take_over ? STOR_DEPTH : 0, i;

	atomic_store(&q->table->after, 0);
	for (i = 0; i < n; i++)
		atomic_store_explicit(&q->table->entry[i].state, STOR_FREE, memory_order_release);
}

/* An answer may stand in an entry and its effect not in the table yet. States only go up while a channel is open. */
uint32_t stor_table_protocol(const struct stor_table *t)
{
	uint32_t best = atomic_load(&t->after);

	for (unsigned int i = 0; i < STOR_DEPTH; i++) {
		const struct stor_inflight *e = &t->entry[i];

		if (atomic_load(&e->state) >= STOR_ANSWERED && (e->after & 0xffff) >= (best & 0xffff))
			best = e->after;
	}
	return best;
}

enum stor_owed stor_table_owed(const struct stor_inflight *e, uint32_t write_index)
{
	switch (atomic_load_explicit(&e->state, memory_order_acquire)) {
	case STOR_TAKEN:
		return STOR_OWED_WORK;
	case STOR_ANSWERED:
		return STOR_OWED_ANSWER;
	case STOR_COMPLETING:
		return e->pos == write_index ? STOR_OWED_ANSWER : STOR_OWED_NOTHING;
	default:
		return STOR_OWED_NOTHING;
	}
}

uint32_t stor_table_resume(const struct stor_table *t, uint32_t read_index, uint32_t ring_bytes)
{
	uint32_t far = 0;

	for (unsigned int i = 0; i < STOR_DEPTH; i++) {
		const struct stor_inflight *e = &t->entry[i];
		uint32_t by = (e->next + ring_bytes - read_index) % ring_bytes;

		if (atomic_load(&e->state) != STOR_FREE && e->from == read_index && by > far)
			far = by;
	}
	return (read_index + far) % ring_bytes;
}
