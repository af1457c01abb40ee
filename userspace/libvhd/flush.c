// SPDX-License-Identifier: LGPL-2.1-or-later
/* Flushes: one sync each. All metadata is in the file already when a write is acknowledged. */
#include <errno.h>

#include "disk.h"

int sync_enter(struct vhd *d, bool wait)
{
	int err = 0;

	pthread_mutex_lock(&d->lock);
	while (wait && d->syncing)
		pthread_cond_wait(&d->wake, &d->lock);
	if (__atomic_load_n(&d->failed, __ATOMIC_ACQUIRE))
		err = -EIO;
	else if (d->syncing)
		err = -EAGAIN;
	else
		d->syncing = true;
	pthread_mutex_unlock(&d->lock);
	return err;
}

void sync_leave(struct vhd *d, bool failed)
{
	pthread_mutex_lock(&d->lock);
	if (failed)
		__atomic_store_n(&d->failed, true, __ATOMIC_RELEASE);
	d->syncing = false;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

static int64_t flush_begin(struct vhd *d, bool wait)
{
	int err = disk_still_whole(d);

	if (err)
		return -EIO;
	err = sync_enter(d, wait);
	if (err)
		return err;
	return __atomic_add_fetch(&d->flushes, 1, __ATOMIC_ACQ_REL);
}

int64_t vhd_flush_begin(struct vhd *d)
{
	return flush_begin(d, false);
}

/* Places whose table entries were clear when flush @ticket began may be used again. */
static void slots_settle(struct vhd *d, int64_t ticket)
{
	uint32_t i, kept = 0;

	pthread_mutex_lock(&d->lock);
	for (i = 0; i < d->held.nr; i++) {
		struct slot s = d->held.slot[i];

		if (s.after >= ticket || slots_add(&d->free, s.sector, 0))
			d->held.slot[kept++] = s;
	}
	d->held.nr = kept;
	__atomic_store_n(&d->held_nr, kept, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&d->lock);
}

int vhd_flush_end(struct vhd *d, int64_t ticket, int result)
{
	/* There was no sync at all. An interrupted one may have hidden an error, told once, behind its own. */
	bool none = result == -ECANCELED;

	sync_leave(d, result < 0 && !none);
	if (none)
		return result;
	if (__atomic_load_n(&d->failed, __ATOMIC_ACQUIRE))
		return -EIO;
	if (__atomic_load_n(&d->held_nr, __ATOMIC_ACQUIRE))
		slots_settle(d, ticket);
	return 0;
}

int vhd_flush(struct vhd *d)
{
	int64_t ticket;
	int err;

	if (d->readonly)
		return 0;
	ticket = flush_begin(d, true);
	if (ticket < 0)
		return ticket;
	err = d->ops.datasync(d->ctx);
	return vhd_flush_end(d, ticket, err ? -EIO : 0);	/* it was begun, whatever the error */
}
