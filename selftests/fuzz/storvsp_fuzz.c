// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SCSI controller against a hostile guest: packets of any kind in its ring, commands to disks and
 * drives, buffers anywhere, and rings that make no sense. It must not touch memory it did not ask for, or
 * that it asked for reading; hold nothing when all is done; and answer each command once, if the ring
 * was sound throughout. The queue's thread is this one.
 *
 * Input: records of 16 bytes, some with more behind. Byte 0 is the kind:
 *	command		lun, CDB length; CDB (10 bytes of the record); then 6: pages, offset, bytes, first page
 *	packet		type, flags; then as many bytes as byte 3 says, of a header (byte 4 * 8) and a payload
 *	protocol	operation, value
 *	scribble	any four bytes in a header or ring, at a place
 *	turn		serve what is there
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/storvsp_impl.h"
#include "selftests/fuzz/lib/lent.h"
#include "selftests/fuzz/lib/rings.h"
#include "libvhd/vhd.h"

#define RING_PAGES	3u
#define HALF		(RING_PAGES * 4096u)
#define DISK_BYTES	(1u << 20)
#define TURNS		2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t rings[2 * HALF] __attribute__((aligned(4096)));
static struct storvsp *vsp;
static struct { struct hv_ring out, in; uint32_t asked, answered; bool foul; } guest;

static const struct dev_services_ops services_ops = { LENT_OPS };
static struct dev_services services = { &services_ops };

/* ---- units: a disk, a dynamic VHD, a drive with a medium, an empty one, a disk for reading ---- */

static struct disk *image(bool readonly, bool dynamic)
{
	const struct vhd_create_opts opts = { .format = VHD_DYNAMIC, .size = DISK_BYTES };
	char path[] = "/tmp/hv-storvsp-fuzz-XXXXXX";
	int fd = mkstemp(path);
	struct disk *d = NULL;
	struct vhd_err e;

	if (fd < 0 || ftruncate(fd, dynamic ? 0 : DISK_BYTES))
		abort();
	close(fd);
	if (dynamic && (unlink(path) || vhd_create(path, &opts, &e)))
		abort();
	if (disk_open(&d, path, readonly ? DISK_READONLY : 0, &e))
		abort();
	unlink(path);
	return d;
}

static void machine_make(void)
{
	const struct storvsp_config cfg = { .instance = { 1 }, .queues = 1 };
	struct device *d;

	if (storvsp_create(&d, &services, &cfg))
		abort();
	if (storvsp_attach(d, 0, SCSI_DISK, image(false, false)) ||
	    storvsp_attach(d, 1, SCSI_DISK, image(false, true)) ||
	    storvsp_attach(d, 2, SCSI_DVD, image(true, false)) ||
	    storvsp_attach(d, 3, SCSI_DVD, NULL) ||
	    storvsp_attach(d, 4, SCSI_DISK, image(true, false)))
		abort();
	vsp = dev_container(d, struct storvsp, dev);
}

/* As when the guest opens the channel, without the thread. @ready: its set-up is over. */
static void chan_open(bool ready)
{
	struct stor_queue *q = vsp->queue[0];

	memset(&guest, 0, sizeof(guest));
	rings_make(&q->chan, &guest.out, &guest.in, rings, RING_PAGES);
	q->broken = false;
	stor_state_set(vsp, STOR_CLOSED);
	stor_state_set(vsp, STOR_OPENED);
	if (ready) {
		stor_state_set(vsp, STOR_BEGUN);
		stor_state_set(vsp, STOR_VERSIONED);
		stor_state_set(vsp, STOR_READY);
	}
}

/* ---- the guest ---- */

static void answers_take(void)
{
	struct hv_ring_packet p;
	int ret;

	while (!(ret = hv_ring_peek(&guest.in, &p))) {
		if (!guest.foul && hv_ring_payload(&p) != sizeof(struct vmb_stor_packet))
			abort();
		guest.answered += p.type == VMB_PACKET_COMPLETION;
		hv_ring_next(&guest.in, &p);
	}
	hv_ring_release(&guest.in);
	if (ret != -EAGAIN && !guest.foul)
		abort();
}

static void serve(void)
{
	struct stor_queue *q = vsp->queue[0];
	unsigned int i;

	for (i = 0; i < TURNS; i++) {
		bool more = stor_queue_turn(q);

		if (diskq_busy(q->dq))
			stor_queue_wait(q);
		answers_take();
		if (!more && !diskq_busy(q->dq) && !q->stuck)
			return;
		if (q->stuck && guest.foul)
			return;
	}
	if (!guest.foul)
		abort();
}

static void put(uint16_t type, uint16_t flags, uint32_t head, const struct hv_ring_vec *vec, uint32_t n)
{
	int ret;

	guest.out.broken = false;
	ret = hv_ring_put(&guest.out, type, flags, guest.asked + 1, head, vec, n);

	if (ret)
		return;
	guest.asked += (type == VMB_PACKET_INBAND || type == VMB_PACKET_GPA_DIRECT) &&
		       flags & VMB_PACKET_F_COMPLETION;
	hv_ring_publish(&guest.out);
}

static void put_command(const uint8_t *rec, const uint8_t *more)
{
	struct vmb_stor_packet pkt = { .operation = VMB_STOR_EXECUTE_SRB, .flags = 1 };
	uint32_t bytes = more[2] << 9, offset = more[1] << 4, pages = more[0] % 68, i;
	uint32_t head[4] = { 0, 1, bytes, offset };
	uint8_t header[16 + 8 * 68];
	struct hv_ring_vec vec[2] = { { header, 16 + 8 * pages }, { &pkt, sizeof(pkt) } };
	uint64_t pfn;

	pkt.srb.length = 52;
	pkt.srb.lun = rec[1] % 6;
	pkt.srb.cdb_length = rec[2];
	memcpy(pkt.srb.cdb, rec + 3, 13);
	pkt.srb.transfer_length = bytes + more[4];
	memcpy(header, head, sizeof(head));
	for (i = 0; i < pages; i++) {
		pfn = more[3] + (uint64_t)i * (more[5] & 3);
		memcpy(header + 16 + 8 * i, &pfn, 8);
	}
	if (pages)
		put(VMB_PACKET_GPA_DIRECT, VMB_PACKET_F_COMPLETION, vec[0].len, vec, 2);
	else
		put(VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, 0, &vec[1], 1);
}

static void put_packet(const uint8_t *rec, const uint8_t *more, uint32_t len)
{
	struct hv_ring_vec vec = { more, len };
	uint32_t head = rec[4] * 8u;

	put(rec[1], rec[2], head < len ? head : 0, &vec, 1);
}

static void put_protocol(const uint8_t *rec)
{
	struct vmb_stor_packet pkt = { .operation = rec[1], .flags = 1 };
	struct hv_ring_vec vec = { &pkt, sizeof(pkt) };

	memcpy(pkt.bytes, rec + 2, 14);
	put(VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, 0, &vec, 1);
}

static void scribble(const uint8_t *rec)
{
	uint32_t at = (rec[1] & 1 ? HALF : 0) + (rec[1] & 2 ? (rec[2] | rec[3] << 8) % (HALF - 4) : rec[2] & 0x3c);

	memcpy(rings + at, rec + 4, 4);
	guest.foul = true;
}

/* One record at @data. Return: bytes used, 0 at the end. */
static size_t record(const uint8_t *data, size_t size)
{
	size_t more = size > 16 ? size - 16 : 0, len;

	if (size < 16)
		return 0;
	switch (data[0] % 5) {
	case 0:
		if (more < 6)
			return 0;
		put_command(data, data + 16);
		return 22;
	case 1:
		len = data[3] * 4u < more ? data[3] * 4u : more;
		put_packet(data, data + 16, (uint32_t)len);
		return 16 + len;
	case 2:
		put_protocol(data);
		return 16;
	case 3:
		scribble(data);
		return 16;
	default:
		serve();
		return 16;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stor_queue *q;
	size_t n;

	if (!vsp)
		machine_make();
	if (!size)
		return 0;
	chan_open(data[0] & 1);
	for (data++, size--; (n = record(data, size)); data += n, size -= n)
		;
	serve();
	q = vsp->queue[0];
	while (diskq_busy(q->dq))
		stor_queue_wait(q);
	if (held)
		abort();
	if (!guest.foul && guest.answered != guest.asked)
		abort();
	stor_queue_forget(q);
	return 0;
}
