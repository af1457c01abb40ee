// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SCSI commands of the guest, from its pages to the disk and back.
 *
 * Data moves between the guest's pages and the image without a copy; what is copied is small: answers
 * and parameter lists.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storvsp_impl.h"

#define STOR_PATTERN	(64u << 10)	/* bytes of a WRITE SAME pattern made at a time */

/* ---- the guest's buffer ---- */

static void pieces_put(struct stor_request *r)
{
	struct dev_services *ds = r->q->vsp->dev.ds;

	while (r->pieces)
		ds->ops->gmem_put(ds, &r->mem[--r->pieces]);
}

/* A piece in the same direction that is held: of this request, or of the one taken before it. */
static const struct gmem *like(const struct stor_request *r, uint32_t dir)
{
	if (r->pieces)
		return &r->mem[r->pieces - 1];
	if (r->fresh && r->fresh->pieces && r->fresh->mem[0].dir == dir)
		return &r->fresh->mem[0];
	return NULL;
}

/* Hold one run of bytes that lie one behind the other. */
static int piece_get(struct stor_request *r, uint64_t gpa, uint32_t len, uint32_t dir)
{
	struct dev_services *ds = r->q->vsp->dev.ds;
	const struct gmem *held = like(r, dir);
	unsigned int n = r->pieces;
	int ret = held ? ds->ops->gmem_get_like(ds, held, gpa, len, &r->mem[n]) :
			 ds->ops->gmem_get(ds, gpa, len, dir, &r->mem[n]);

	if (ret)
		return ret;
	r->iov[n].iov_base = r->mem[n].ptr;
	r->iov[n].iov_len = len;
	r->pieces++;
	return 0;
}

/* Pages that follow each other, on both sides of a border between two ranges of memory maybe. */
static int run_get(struct stor_request *r, uint64_t gpa, uint32_t len, uint32_t dir)
{
	int ret = piece_get(r, gpa, len, dir);
	uint32_t n;

	if (ret != -EFAULT)
		return ret;
	/* No page has a border in it. */
	for (ret = 0; !ret && len; gpa += n, len -= n) {
		n = VMB_PAGE - gpa % VMB_PAGE;
		n = n < len ? n : len;
		ret = piece_get(r, gpa, n, dir);
	}
	return ret;
}

/* Hold the first @bytes of the guest's buffer. Pages that follow each other make one piece. */
static int buffer_get(struct stor_request *r, uint32_t bytes, uint32_t dir)
{
	struct hv_ring_range range;
	struct hv_ring_ranges it;
	uint64_t gpa = 0, next;
	uint32_t i, n, run = 0, off;
	int ret = hv_ring_ranges_begin(&it, r->entry->header, r->entry->header_bytes);

	if (!ret)
		ret = hv_ring_ranges_next(&it, &range) == 1 ? 0 : -EPROTO;
	off = range.offset;
	for (i = 0; !ret && bytes && i < range.npages; i++, off = 0) {
		n = VMB_PAGE - off < bytes ? VMB_PAGE - off : bytes;
		next = hv_ring_range_pfn(&range, i) << 12 | off;
		if (next >> 52)
			return -EFAULT;
		bytes -= n;
		if (run && gpa + run == next) {
			run += n;
			continue;
		}
		if (run)
			ret = run_get(r, gpa, run, dir);
		gpa = next;
		run = n;
	}
	if (!ret && run)
		ret = run_get(r, gpa, run, dir);
	return ret ? ret : bytes ? -EFAULT : 0;
}

/* Bytes of the guest's buffer, which must be one range; 0 without one. -EPROTO, -EMSGSIZE. */
static int buffer_size(struct stor_request *r)
{
	struct hv_ring_range range;
	struct hv_ring_ranges it;
	int ret;

	r->room = 0;
	if (r->entry->header_bytes <= sizeof(struct vmb_packet))
		return 0;
	ret = hv_ring_ranges_begin(&it, r->entry->header, r->entry->header_bytes);
	if (ret)
		return ret;
	ret = hv_ring_ranges_next(&it, &range);
	if (ret <= 0)
		return ret;
	if (it.left)
		return -EPROTO;
	if (range.npages > STOR_PIECES || range.bytes > STOR_BYTES_MAX)
		return -EMSGSIZE;
	r->room = range.bytes < r->packet.srb.transfer_length ? range.bytes :
		  r->packet.srb.transfer_length;
	return 0;
}

static void copy_out(struct stor_request *r, const uint8_t *from, uint32_t len)
{
	for (unsigned int i = 0; len && i < r->pieces; i++) {
		uint32_t n = r->mem[i].len < len ? r->mem[i].len : len;

		memcpy(r->mem[i].ptr, from, n);
		from += n;
		len -= n;
	}
}

static void copy_in(struct stor_request *r, uint8_t *to, uint32_t len)
{
	for (unsigned int i = 0; len && i < r->pieces; i++) {
		uint32_t n = r->mem[i].len < len ? r->mem[i].len : len;

		memcpy(to, r->mem[i].ptr, n);
		to += n;
		len -= n;
	}
}

/* ---- endings ---- */

static void answer(struct stor_request *r, uint8_t srb_status, uint32_t moved)
{
	struct vmb_stor_packet *p = &r->packet;

	pieces_put(r);		/* what was written is dirty before the guest may know of it */
	free(r->pattern);
	r->pattern = NULL;
	if (r->lun)
		stor_lun_put(r->q->vsp, r->lun);
	r->lun = NULL;
	p->operation = VMB_STOR_COMPLETE_IO;
	p->flags = 0;
	p->status = VMB_STOR_OK;
	p->srb.srb_status = srb_status;
	p->srb.scsi_status = r->op.status;
	p->srb.transfer_length = moved;
	if (srb_status != VMB_STOR_SRB_SUCCESS)
		stor_count(&r->q->failed, 1);
	stor_complete(r);
}

static void answer_sense(struct stor_request *r, uint8_t srb_status)
{
	memset(r->packet.srb.sense, 0, sizeof(r->packet.srb.sense));
	memcpy(r->packet.srb.sense, r->op.sense, r->op.sense_len);
	r->packet.srb.sense_length = r->op.sense_len;
	answer(r, srb_status | VMB_STOR_SRB_F_AUTOSENSE, 0);
}

/* The op is done, well or not: r->op says how. */
static void answer_op(struct stor_request *r, uint32_t moved)
{
	switch (r->op.status) {
	case SCSI_GOOD:
		return answer(r, VMB_STOR_SRB_SUCCESS, moved);
	case SCSI_CHECK_CONDITION:
		return answer_sense(r, VMB_STOR_SRB_ERROR);
	default:
		return answer(r, VMB_STOR_SRB_BUSY, 0);
	}
}

/*
 * Not a command that could be looked at. It has sense data all the same: Linux' driver takes SCSI's "good" for
 * success unless it knows the other status, which older ones do not.
 */
static void refuse(struct stor_request *r)
{
	scsi_error(&r->op, -EPROTO);
	answer_sense(r, VMB_STOR_SRB_INVALID_REQUEST);
}

static void answer_error(struct stor_request *r, int err)
{
	scsi_error(&r->op, err);
	answer_op(r, 0);
}

/* ---- steps on the disk ---- */

static void step(struct stor_request *r);

static void disk_submit(struct stor_request *r, enum disk_verb verb, uint64_t lba, uint64_t nr,
			void (*done)(struct disk_req *d, int result))
{
	const struct scsi_unit *u = &r->lun->unit;
	struct disk_req *d = &r->disk;

	d->disk = r->lun->disk;
	d->verb = verb;
	d->flags = verb == DISK_ZERO && r->op.unmap ? VHD_ZERO_UNMAP : 0;
	d->sector = lba * (u->block / VHD_SECTOR);
	d->count = nr * (u->block / VHD_SECTOR);
	d->done = done;
	if (diskq_submit(r->q->dq, d))
		answer_error(r, -EAGAIN);	/* there is a slot for each request: it cannot be full */
}

static void on_flushed(struct disk_req *d, int result)
{
	struct stor_request *r = (struct stor_request *)d;

	if (result)
		answer_error(r, result);
	else
		answer_op(r, r->op.kind == SCSI_OP_WRITE ? r->op.bytes : 0);
}

static void on_moved(struct disk_req *d, int result)
{
	struct stor_request *r = (struct stor_request *)d;

	if (result)
		return answer_error(r, result);
	stor_count(r->op.kind == SCSI_OP_READ ? &r->q->reads : &r->q->writes, 1);
	stor_count(r->op.kind == SCSI_OP_READ ? &r->q->bytes_read : &r->q->bytes_written, r->op.bytes);
	if (r->op.fua)
		return disk_submit(r, DISK_FLUSH, 0, 0, on_flushed);
	answer_op(r, r->op.bytes);
}

static void on_step(struct disk_req *d, int result)
{
	struct stor_request *r = (struct stor_request *)d;

	if (result)
		answer_error(r, result);
	else
		step(r);
}

/* As much of a WRITE SAME as one vector of the pattern holds. */
static void same_step(struct stor_request *r)
{
	uint32_t block = r->lun->unit.block, per = STOR_PATTERN / block, n, i;
	uint64_t lba = r->op.lba, nr = r->op.nr;

	if (nr > (uint64_t)per * 16)
		nr = (uint64_t)per * 16;
	for (i = 0, n = (uint32_t)nr; n; i++) {
		uint32_t part = n < per ? n : per;

		r->iov[i].iov_base = r->pattern;
		r->iov[i].iov_len = (size_t)part * block;
		n -= part;
	}
	r->disk.iov = r->iov;
	r->disk.nr_iov = (int)i;
	r->op.lba += nr;
	r->op.nr -= nr;
	disk_submit(r, DISK_WRITE, lba, nr, on_step);
}

/* The next part of what takes several: UNMAP, WRITE SAME, zeros. */
static void step(struct stor_request *r)
{
	struct scsi_op *op = &r->op;

	if (op->kind == SCSI_OP_UNMAP && r->range_at < op->nr_ranges) {
		struct scsi_range *range = &op->ranges[r->range_at++];

		if (!range->nr)
			return step(r);
		return disk_submit(r, DISK_ZERO, range->lba, range->nr, on_step);
	}
	if (op->kind == SCSI_OP_SAME && op->nr)
		return same_step(r);
	answer_op(r, 0);
}

static void same_begin(struct stor_request *r)
{
	uint32_t block = r->lun->unit.block, i;

	r->pattern = malloc(STOR_PATTERN);
	if (!r->pattern)
		return answer_error(r, -ENOMEM);
	for (i = 0; i < STOR_PATTERN; i += block)
		memcpy(r->pattern + i, r->op.reply, block);
	step(r);
}

static void data_begin(struct stor_request *r)
{
	bool reads = r->op.kind == SCSI_OP_READ;
	int ret = buffer_get(r, r->op.bytes, reads ? DEV_DIR_WRITE : DEV_DIR_READ);

	if (ret)
		return answer_error(r, ret);
	r->disk.iov = r->iov;
	r->disk.nr_iov = (int)r->pieces;
	disk_submit(r, reads ? DISK_READ : DISK_WRITE, r->op.lba, r->op.nr, on_moved);
}

static void reply(struct stor_request *r)
{
	uint32_t len = r->op.reply_len;
	int ret = len ? buffer_get(r, len, DEV_DIR_WRITE) : 0;

	if (ret)
		return answer_error(r, ret);
	copy_out(r, r->op.reply, len);
	answer_op(r, len);
}

static void tray(struct stor_request *r)
{
	struct storvsp *v = r->q->vsp;

	pthread_mutex_lock(&v->lock);
	r->lun->unit.medium = r->op.kind == SCSI_OP_LOAD && r->lun->disk;
	atomic_fetch_or(&r->lun->unit.attention, SCSI_ATTN_MEDIUM);
	pthread_mutex_unlock(&v->lock);
	answer_op(r, 0);
}

static void act(struct stor_request *r)
{
	switch (r->op.kind) {
	case SCSI_OP_READ:
	case SCSI_OP_WRITE:
		return data_begin(r);
	case SCSI_OP_FLUSH:
		return disk_submit(r, DISK_FLUSH, 0, 0, on_flushed);
	case SCSI_OP_UNMAP:
		return step(r);
	case SCSI_OP_ZERO:
		return disk_submit(r, DISK_ZERO, r->op.lba, r->op.nr, on_step);
	case SCSI_OP_SAME:
		return same_begin(r);
	case SCSI_OP_EJECT:
	case SCSI_OP_LOAD:
		return tray(r);
	default:
		return reply(r);
	}
}

/* The command's parameters are in the guest's buffer: copied once, looked at there. */
static int params(struct stor_request *r)
{
	uint8_t list[4096];
	int ret;

	if (r->op.bytes > sizeof(list))
		return -EMSGSIZE;
	ret = buffer_get(r, r->op.bytes, DEV_DIR_READ);
	if (!ret)
		copy_in(r, list, r->op.bytes);
	pieces_put(r);
	if (!ret)
		scsi_param(&r->lun->unit, &r->op, list);
	return ret;
}

/* In its packet it is aligned, whatever the compiler fears of the union around it. */
static const struct vmb_stor_srb_request *srb_of(const struct stor_request *r)
{
	return (const void *)r->packet.bytes;
}

/* REPORT LUNS is answered by the target; INQUIRY tells that a unit is not there. */
static void report_luns(struct stor_request *r)
{
	uint64_t present[SCSI_LUNS_MAX / 64] = { 0 };
	uint8_t list[8 + 8 * SCSI_LUNS_MAX];
	struct storvsp *v = r->q->vsp;
	const struct vmb_stor_srb_request *srb = srb_of(r);
	uint32_t len, i;
	int ret;

	pthread_mutex_lock(&v->lock);
	for (i = 0; i < STORVSP_LUNS && !srb->path && !srb->target; i++)
		if (v->lun[i].there)
			present[i / 64] |= 1ull << (i % 64);
	pthread_mutex_unlock(&v->lock);
	len = scsi_report_luns(srb->cdb, present, list, r->room < sizeof(list) ? r->room : sizeof(list));
	r->op.status = SCSI_GOOD;
	ret = len ? buffer_get(r, len, DEV_DIR_WRITE) : 0;
	if (ret)
		return answer_error(r, ret);
	copy_out(r, list, len);
	answer(r, VMB_STOR_SRB_SUCCESS, len);
}

void stor_execute(struct stor_request *r)
{
	const struct vmb_stor_srb_request *srb = srb_of(r);
	uint32_t len = srb->cdb_length;
	int ret;

	r->pieces = 0;
	r->range_at = 0;
	r->pattern = NULL;
	r->lun = NULL;
	if (atomic_load(&r->q->vsp->state) != STOR_READY || !len || len > VMB_STOR_CDB_MAX ||
	    buffer_size(r))
		return refuse(r);
	if (srb->cdb[0] == SCSI_REPORT_LUNS && len >= 12)
		return report_luns(r);
	r->lun = stor_lun_get(r->q->vsp, srb);
	scsi_begin(r->lun ? &r->lun->unit : NULL, srb->cdb, len, r->room, &r->op);
	pthread_mutex_unlock(&r->q->vsp->lock);
	/* INQUIRY says so itself. This status makes Linux' driver drop a unit that it knows. */
	if (!r->lun && r->op.status) {
		r->op.status = SCSI_GOOD;
		return answer(r, VMB_STOR_SRB_INVALID_LUN, 0);
	}
	ret = r->op.kind == SCSI_OP_PARAM ? params(r) : 0;
	if (ret)
		return answer_error(r, ret);
	act(r);
}
