// SPDX-License-Identifier: GPL-2.0-or-later
/* The SCSI controller: its units, and what the operator does with them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storvsp_impl.h"

/* ---- units ---- */

struct stor_lun *stor_lun_get(struct storvsp *v, const struct vmb_stor_srb_request *srb)
{
	struct stor_lun *lun = NULL;

	pthread_mutex_lock(&v->lock);
	if (!srb->path && !srb->target && srb->lun < STORVSP_LUNS && v->lun[srb->lun].there) {
		lun = &v->lun[srb->lun];
		atomic_fetch_add_explicit(&lun->users, 1, memory_order_relaxed);
	} else if (srb->lun < STORVSP_LUNS && srb->cdb[0] != SCSI_INQUIRY) {
		v->lun[srb->lun].gone = 0;	/* the answer tells the guest */
	}
	return lun;
}

void stor_lun_put(struct storvsp *v, struct stor_lun *lun)
{
	/* One who waits counts itself before it looks at @users. */
	if (atomic_fetch_sub(&lun->users, 1) != 1 || !atomic_load(&v->idlers))
		return;
	pthread_mutex_lock(&v->lock);
	pthread_cond_broadcast(&v->unused);
	pthread_mutex_unlock(&v->lock);
}

/* Lock held. */
static void lun_idle(struct storvsp *v, struct stor_lun *lun)
{
	atomic_fetch_add(&v->idlers, 1);
	while (atomic_load(&lun->users))
		pthread_cond_wait(&v->unused, &v->lock);
	atomic_fetch_sub(&v->idlers, 1);
}

static struct storvsp *of_device(struct device *d)
{
	return dev_container(d, struct storvsp, dev);
}

/* Have the guest look again at which units there are; nothing if it does not know the controller yet. */
static void rescan(struct storvsp *v)
{
	static const uint64_t one = 1;
	ssize_t n;

	if (atomic_load(&v->state) != STOR_READY)
		return;
	atomic_store(&v->queue[0]->rescan, true);
	n = write(v->queue[0]->chan.wake, &one, sizeof(one));
	(void)n;	/* a full counter wakes as well */
}

static int medium_set(struct scsi_unit *u, struct disk *disk)
{
	uint64_t bytes = disk ? disk->info.size : 0;

	if (disk && (!bytes || bytes % u->block))
		return -EINVAL;
	u->blocks = bytes / u->block;
	u->medium = disk;
	return 0;
}

int storvsp_attach(struct device *d, unsigned int lun, enum scsi_type type, struct disk *disk)
{
	struct storvsp *v = of_device(d);
	struct scsi_unit u = {
		.type = type, .block = type == SCSI_DVD ? 2048 : VHD_SECTOR,
		.max_bytes = STOR_BYTES_MAX, .readonly = type == SCSI_DVD || (disk && disk->readonly),
	};
	int ret;

	if (lun >= STORVSP_LUNS || (type == SCSI_DISK && !disk))
		return -EINVAL;
	ret = medium_set(&u, disk);
	if (ret)
		return ret;
	if (type == SCSI_DISK) {
		/* 4 KiB pieces fit the host's pages: told to the guest, which then aligns its partitions. */
		u.phys_exp = u.blocks % 8 ? 0 : 3;
		u.unmap = !disk->readonly;
	}
	/* The image names the disk; one without a name is told from others by where it hangs. */
	if (disk)
		memcpy(u.id, disk->info.id, sizeof(u.id));
	if (!disk || disk->info.format == VHD_RAW) {
		memcpy(u.id, v->cfg.instance, sizeof(u.id));
		u.id[0] ^= (uint8_t)lun;
	}
	pthread_mutex_lock(&v->lock);
	if (v->lun[lun].there) {
		ret = -EEXIST;
	} else if (v->lun[lun].gone && v->lun[lun].gone == atomic_load(&v->epoch)) {
		ret = -EAGAIN;
	} else {
		v->lun[lun].unit = u;
		v->lun[lun].disk = disk;
		v->lun[lun].there = true;
		v->lun[lun].gone = 0;
	}
	pthread_mutex_unlock(&v->lock);
	if (!ret)
		rescan(v);
	return ret;
}

int storvsp_detach(struct device *d, unsigned int lun, struct vhd_err *e)
{
	struct storvsp *v = of_device(d);
	struct disk *disk = NULL;
	int ret = -ENOENT;

	pthread_mutex_lock(&v->lock);
	if (lun < STORVSP_LUNS && v->lun[lun].there) {
		v->lun[lun].there = false;
		lun_idle(v, &v->lun[lun]);
		disk = v->lun[lun].disk;
		memset(&v->lun[lun], 0, sizeof(v->lun[lun]));
		if (atomic_load(&v->state) == STOR_READY)
			v->lun[lun].gone = atomic_load(&v->epoch);
		ret = 0;
	}
	pthread_mutex_unlock(&v->lock);
	if (ret)
		return ret;
	ret = disk_close(disk, e);
	rescan(v);
	return ret;
}

int storvsp_look(struct device *d, unsigned int lun, struct storvsp_unit *out)
{
	struct storvsp *v = of_device(d);
	const struct stor_lun *l;
	int ret = -ENOENT;

	if (lun >= STORVSP_LUNS)
		return ret;
	l = &v->lun[lun];
	pthread_mutex_lock(&v->lock);
	if (l->there) {
		*out = (struct storvsp_unit){ .type = l->unit.type, .medium = l->unit.medium,
					      .disk = l->disk };
		ret = 0;
	} else if (l->gone && l->gone == atomic_load(&v->epoch)) {
		ret = -EAGAIN;
	}
	pthread_mutex_unlock(&v->lock);
	return ret;
}

void storvsp_figures(struct device *d, struct storvsp_figure out[STORVSP_FIGURES])
{
#define FIGURE(name) { #name, offsetof(struct stor_queue, name) }
	static const struct { const char *name; size_t offset; } rows[STORVSP_FIGURES] = {
		FIGURE(taken), FIGURE(completed), FIGURE(failed), FIGURE(reads), FIGURE(writes),
		FIGURE(bytes_read), FIGURE(bytes_written), FIGURE(signals),
	};
#undef FIGURE
	struct storvsp *v = of_device(d);

	for (unsigned int i = 0; i < STORVSP_FIGURES; i++) {
		out[i] = (struct storvsp_figure){ rows[i].name, 0 };
		for (unsigned int q = 0; q < v->nr_queues; q++) {
			const char *at = (const char *)v->queue[q] + rows[i].offset;

			out[i].value += atomic_load_explicit((const _Atomic uint64_t *)at, memory_order_relaxed);
		}
	}
}

int storvsp_medium(struct device *d, unsigned int lun, struct disk *disk, bool force)
{
	struct storvsp *v = of_device(d);
	struct disk *old = NULL;
	struct stor_lun *l;
	struct vhd_err e;
	int ret = 0;

	if (lun >= STORVSP_LUNS)
		return -ENOENT;
	l = &v->lun[lun];
	pthread_mutex_lock(&v->lock);
	if (!l->there || l->unit.type != SCSI_DVD) {
		ret = -ENOENT;
	} else if (atomic_load(&l->unit.locked) && l->unit.medium && !force) {
		atomic_fetch_or(&l->unit.attention, SCSI_ATTN_EJECT);
		ret = -EBUSY;
	} else {
		/* New commands find no medium while the last ones end. */
		l->unit.medium = false;
		lun_idle(v, l);
		ret = medium_set(&l->unit, disk);
		if (!ret) {
			old = l->disk;
			l->disk = disk;
			atomic_fetch_or(&l->unit.attention, SCSI_ATTN_MEDIUM);
		} else {
			l->unit.medium = l->disk;
		}
	}
	pthread_mutex_unlock(&v->lock);
	disk_close(old, &e);
	return ret;
}

/* ---- the device ---- */

/* All are asked first, so that they finish side by side. */
static void storvsp_drain(struct device *d)
{
	struct storvsp *v = of_device(d);
	unsigned int i;

	for (i = 0; i < v->nr_queues; i++)
		stor_queue_drain(v->queue[i]);
	for (i = 0; i < v->nr_queues; i++)
		stor_queue_drained(v->queue[i]);
}

static void storvsp_go_on(struct device *d)
{
	struct storvsp *v = of_device(d);

	for (unsigned int i = 0; i < v->nr_queues; i++)
		stor_queue_go_on(v->queue[i]);
}

/* The bus closes the channels on a reset; nothing else remembers the old guest. */
static void storvsp_reset(struct device *d)
{
	struct storvsp *v = of_device(d);

	for (unsigned int i = 0; i < STORVSP_LUNS; i++) {
		atomic_store(&v->lun[i].unit.locked, false);
		atomic_store(&v->lun[i].unit.attention, 0);
	}
}

static void storvsp_release(struct device *d)
{
	struct storvsp *v = of_device(d);
	struct vhd_err e;
	unsigned int i;

	for (i = v->nr_queues; i--;)
		stor_queue_release(v->queue[i]);
	for (i = 0; i < STORVSP_LUNS; i++)
		if (v->lun[i].disk && disk_close(v->lun[i].disk, &e))
			d->ds->ops->log(d->ds, DEV_LOG_ERROR, "%s", e.text);
	if (v->table_fd >= 0)
		close(v->table_fd);
	pthread_cond_destroy(&v->unused);
	pthread_cond_destroy(&v->quieted);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static const struct dev_ops ops = {
	.name = "storvsp", .drain = storvsp_drain, .go_on = storvsp_go_on, .reset = storvsp_reset,
	.release = storvsp_release, .record = &storvsp_record,
};

int storvsp_create(struct device **out, struct dev_services *ds, const struct storvsp_config *cfg)
{
	struct chan_offer offer = { .interface = VMB_STOR_SCSI_CLASS };
	struct storvsp *v = calloc(1, sizeof(*v));
	unsigned int i;
	int ret = 0;

	if (!v) {
		if (cfg->take_over)
			close(cfg->table_fd);
		return -ENOMEM;
	}
	v->cfg = *cfg;
	v->table_fd = cfg->take_over ? cfg->table_fd : -1;
	device_init(&v->dev, &ops, ds, NULL, 0);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->unused, NULL);
	pthread_cond_init(&v->quieted, NULL);
	for (i = 0; i < cfg->queues && i < STORVSP_QUEUES && !ret; i++)
		ret = stor_queue_create(v, i);
	if (!ret) {
		memcpy(offer.instance, cfg->instance, sizeof(offer.instance));
		offer.max_subs = (uint16_t)(v->nr_queues - 1);
		ret = ds->ops->chan_create(ds, &offer, &v->queue[0]->chan);
	}
	if (ret)
		storvsp_release(&v->dev);
	else
		*out = &v->dev;
	return ret;
}
