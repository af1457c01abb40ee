// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SCSI controller's record: what it agreed upon with the guest's driver, its sub-channels, answers that
 * wait for room, and what the guest changed of its units. The units themselves are the configuration's.
 */
#include <errno.h>

#include "storvsp_impl.h"

static struct storvsp *of_device(struct device *d)
{
	return dev_container(d, struct storvsp, dev);
}

static void unit_save(const struct stor_lun *l, struct fields_out *out)
{
	fields_put_u8(out, l->there);
	fields_put_u8(out, l->there && l->unit.type == SCSI_DVD);
	fields_put_u8(out, l->unit.medium);
	fields_put_u8(out, atomic_load(&l->unit.locked));
	fields_put_u32(out, atomic_load(&l->unit.attention));
	fields_put_u32(out, l->gone);
}

static void storvsp_save(struct device *d, struct fields_out *out)
{
	struct storvsp *v = of_device(d);
	unsigned int i;

	fields_put_u8(out, (uint8_t)atomic_load(&v->state));
	fields_put_u16(out, v->version);
	fields_put_u32(out, atomic_load(&v->epoch));
	fields_put_u8(out, (uint8_t)v->nr_queues);
	for (i = 0; i < v->nr_queues; i++) {
		fields_put_u8(out, i && d->ds->ops->chan_offered(d->ds, &v->queue[i]->chan));
		stor_queue_save(v->queue[i], out);
	}
	for (i = 0; i < STORVSP_LUNS; i++)
		unit_save(&v->lun[i], out);
}

/* The unit has its medium from the configuration; whether the guest finds it, is told here. */
static int unit_load(struct stor_lun *l, struct fields_in *in)
{
	bool there = fields_get_bool(in), dvd = fields_get_bool(in), medium = fields_get_bool(in);
	bool locked = fields_get_bool(in);
	uint32_t attention = fields_get_u32(in), gone = fields_get_u32(in);

	if (there != l->there || (there && dvd != (l->unit.type == SCSI_DVD)) || (medium && !l->unit.medium) ||
	    attention & ~(SCSI_ATTN_RESET | SCSI_ATTN_MEDIUM | SCSI_ATTN_CAPACITY | SCSI_ATTN_LUNS | SCSI_ATTN_EJECT))
		return -EINVAL;
	l->unit.medium = medium;
	l->gone = gone;
	atomic_store(&l->unit.locked, locked);
	atomic_store(&l->unit.attention, attention);
	return 0;
}

static int storvsp_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct storvsp *v = of_device(d);
	unsigned int state = fields_get_u8(in), i;
	int ret = 0;

	(void)version;
	v->version = fields_get_u16(in);
	atomic_store(&v->epoch, fields_get_u32(in));
	if (state >= STOR_STATES || fields_get_u8(in) != v->nr_queues)
		return -EINVAL;
	v->state_saved = state == STOR_CLOSED ? STOR_OPENED : (enum stor_state)state;
	for (i = 0; i < v->nr_queues && !ret; i++) {
		if (fields_get_bool(in) && i)
			d->ds->ops->chan_sub_create(d->ds, &v->queue[0]->chan, &v->queue[i]->chan);
		ret = stor_queue_load(v->queue[i], in);
	}
	for (i = 0; i < STORVSP_LUNS && !ret; i++)
		ret = unit_load(&v->lun[i], in);
	return ret;
}

const struct dev_record storvsp_record = { DEV_REC_STORVSP, 1, storvsp_save, storvsp_load };
