// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SCSI controller against a guest made here: the rings are real, in plain memory, and the guest's side
 * of them uses the same ring core. Set-up, commands, results, and what a hostile guest can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <hvguest/vsp_stor.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/chan.h"
#include "devices/storvsp.h"
#include "lib/memfile.h"
#include "lib/unit.h"

#define RAM		(8u << 20)
#define RING_PAGES	9u
#define DISK_BYTES	(4u << 20)
#define DATA		0x100000u	/* guest buffer */
#define BORDER		0x400000u	/* here the second range of memory begins */

static uint8_t ram[RAM] __attribute__((aligned(4096)));

/* ---- the machine ---- */

struct port {
	struct chan	*c;
	uint8_t		*mem;
	struct hv_ring	out, in;	/* the guest's ends */
	bool		closed;
	unsigned int	signals;
};

static struct port ports[STORVSP_QUEUES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int held;
static unsigned int nr_logged;

static int f_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	(void)ds;
	if (gpa > RAM || len > RAM - gpa || (gpa < BORDER && gpa + len > BORDER))
		return -EFAULT;
	*out = (struct gmem){ .ptr = ram + gpa, .gpa = gpa, .len = len, .dir = dir };
	__atomic_add_fetch(&held, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int f_get_like(struct dev_services *ds, const struct gmem *held_one, uint64_t gpa, uint32_t len,
		      struct gmem *out)
{
	return f_get(ds, gpa, len, held_one->dir, out);
}

static void f_put(struct dev_services *ds, struct gmem *g)
{
	(void)ds, (void)g;
	__atomic_sub_fetch(&held, 1, __ATOMIC_SEQ_CST);
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level, (void)fmt;
	__atomic_add_fetch(&nr_logged, 1, __ATOMIC_SEQ_CST);
}

static int f_chan_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	static const uint8_t class[16] = VMB_STOR_SCSI_CLASS;

	(void)ds;
	CHECK(!memcmp(offer->interface, class, 16));
	ports[c->index].c = c;
	c->host = &ports[c->index];
	return 0;
}

static void f_sub_create(struct dev_services *ds, struct chan *primary, struct chan *c)
{
	(void)ds, (void)primary;
	pthread_mutex_lock(&lock);
	ports[c->index].c = c;
	c->host = &ports[c->index];
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static bool f_offered(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	return c->host;
}

static void f_remove(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	c->host = NULL;
}

static void f_signal(struct dev_services *ds, struct chan *c)
{
	struct port *p = c->host;

	(void)ds;
	pthread_mutex_lock(&lock);
	p->signals++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void f_closed(struct dev_services *ds, struct chan *c)
{
	struct port *p = c->host;

	(void)ds;
	pthread_mutex_lock(&lock);
	p->closed = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static const struct dev_services_ops services_ops = {
	.gmem_get = f_get, .gmem_get_like = f_get_like, .gmem_put = f_put, .log = f_log,
	.chan_create = f_chan_create,
	.chan_sub_create = f_sub_create, .chan_remove = f_remove, .chan_signal = f_signal,
	.chan_closed = f_closed, .chan_offered = f_offered,
};
static struct dev_services services = { &services_ops };

/* ---- the guest ---- */

static int chan_open(struct port *p)
{
	size_t half = RING_PAGES * 4096;

	p->mem = aligned_alloc(4096, 2 * half);
	memset(p->mem, 0, 2 * half);
	p->closed = false;
	CHECK_EQ(hv_ring_consumer(&p->c->from_guest, p->mem, p->mem + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&p->c->to_guest, p->mem + half, p->mem + half + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&p->out, p->mem, p->mem + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_consumer(&p->in, p->mem + half, p->mem + half + 4096, RING_PAGES), 0);
	return p->c->ops->open(p->c);
}

static void chan_close(struct port *p)
{
	p->c->ops->close(p->c);
	pthread_mutex_lock(&lock);
	while (!p->closed)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	free(p->mem);
	p->mem = NULL;
}

static void kick(struct port *p)
{
	const uint64_t one = 1;

	CHECK_EQ(write(p->c->wake, &one, sizeof(one)), sizeof(one));
}

/* The next packet from the host: its transaction, or 0 after some seconds of nothing. */
static uint64_t receive(struct port *p, struct vmb_stor_packet *out)
{
	struct hv_ring_packet pkt;
	int i, ret = -EAGAIN;

	for (i = 0; i < 5000 && ret == -EAGAIN; i++) {
		ret = hv_ring_peek(&p->in, &pkt);
		if (ret == -EAGAIN)
			usleep(1000);
	}
	if (ret) {
		CHECK_EQ(ret, 0);
		return 0;
	}
	CHECK_EQ(hv_ring_payload(&pkt), 64);
	CHECK_EQ(hv_ring_copy(&p->in, &pkt, pkt.header_bytes, out, sizeof(*out)), 0);
	hv_ring_next(&p->in, &pkt);
	hv_ring_release(&p->in);
	return pkt.transaction;
}

/* A packet without data, and its answer's status. */
static uint32_t say(struct port *p, struct vmb_stor_packet *pkt)
{
	static uint64_t transaction = 1000;

	CHECK_EQ(hv_ring_send(&p->out, VMB_PACKET_F_COMPLETION, ++transaction, pkt, sizeof(*pkt)), 0);
	hv_ring_publish(&p->out);
	kick(p);
	CHECK_EQ(receive(p, pkt), transaction);
	CHECK_EQ(pkt->operation, VMB_STOR_COMPLETE_IO);
	return pkt->status;
}

static uint32_t op(struct port *p, uint32_t operation, uint16_t value)
{
	struct vmb_stor_packet pkt = { .operation = operation, .flags = 1 };

	pkt.sub_channels = value;	/* also the version's place */
	return say(p, &pkt);
}

static void setup(struct port *p)
{
	CHECK_EQ(op(p, VMB_STOR_BEGIN_INITIALIZATION, 0), 0);
	CHECK_EQ(op(p, VMB_STOR_QUERY_PROTOCOL_VERSION, 0x602), 0);
	CHECK_EQ(op(p, VMB_STOR_QUERY_PROPERTIES, 0), 0);
	CHECK_EQ(op(p, VMB_STOR_END_INITIALIZATION, 0), 0);
}

struct command {
	const char	*cdb;		/* hexadecimal */
	uint8_t		lun;
	uint32_t	bytes;		/* of the buffer at DATA */
	uint32_t	offset;		/* in its first page */
	uint64_t	first_pfn;	/* 0: that of DATA */
	uint32_t	claim;		/* transfer length said, if not @bytes */
};

static void put_command(struct port *p, const struct command *c, uint64_t transaction)
{
	struct vmb_stor_packet pkt = { .operation = VMB_STOR_EXECUTE_SRB, .flags = 1 };
	uint32_t pages = (c->offset + c->bytes + 4095) / 4096, i, head;
	uint8_t buf[16 + 8 * 80];
	struct hv_ring_vec vec[2];
	uint64_t pfn;
	unsigned int byte;
	const char *s = c->cdb;

	pkt.srb.length = 52;
	pkt.srb.lun = c->lun;
	for (i = 0; i < 16 && sscanf(s, "%2x", &byte) == 1; i++) {
		pkt.srb.cdb[i] = (uint8_t)byte;
		s += 2;
		while (*s == ' ')
			s++;
	}
	pkt.srb.cdb_length = (uint8_t)i;
	pkt.srb.transfer_length = c->claim ? c->claim : c->bytes;
	if (!c->bytes) {
		CHECK_EQ(hv_ring_send(&p->out, VMB_PACKET_F_COMPLETION, transaction, &pkt, sizeof(pkt)), 0);
	} else {
		/* rsvd, ranges; bytes, offset; page numbers */
		const uint32_t words[4] = { 0, 1, c->bytes, c->offset };

		memcpy(buf, words, 16);
		for (i = 0; i < pages; i++) {
			pfn = (c->first_pfn ? c->first_pfn : DATA >> 12) + i;
			memcpy(buf + 16 + 8 * i, &pfn, 8);
		}
		head = 16 + 8 * pages;
		vec[0] = (struct hv_ring_vec){ buf, head };
		vec[1] = (struct hv_ring_vec){ &pkt, sizeof(pkt) };
		CHECK_EQ(hv_ring_put(&p->out, VMB_PACKET_GPA_DIRECT, VMB_PACKET_F_COMPLETION, transaction,
				     head, vec, 2), 0);
	}
	hv_ring_publish(&p->out);
}

static struct vmb_stor_packet run(struct port *p, struct command c)
{
	static uint64_t transaction = 1ull << 40;
	struct vmb_stor_packet pkt = { 0 };

	put_command(p, &c, ++transaction);
	kick(p);
	CHECK_EQ(receive(p, &pkt), transaction);
	CHECK_EQ(pkt.operation, VMB_STOR_COMPLETE_IO);
	CHECK_EQ(pkt.status, 0);
	return pkt;
}

static unsigned int sense(const struct vmb_stor_packet *pkt)
{
	if (pkt->srb.srb_status != 0x84 || pkt->srb.scsi_status != 2)
		return 0;
	return pkt->srb.sense[2] << 16 | pkt->srb.sense[12] << 8 | pkt->srb.sense[13];
}

/* It was not looked at, and the guest can only take it for an error. */
static bool refused(const struct vmb_stor_packet *pkt)
{
	return pkt->srb.srb_status == (VMB_STOR_SRB_INVALID_REQUEST | VMB_STOR_SRB_F_AUTOSENSE) &&
	       pkt->srb.scsi_status == SCSI_CHECK_CONDITION && pkt->srb.sense_length == SCSI_SENSE_LEN &&
	       pkt->srb.sense[2] == 5 && !pkt->srb.transfer_length;
}

/* ---- tests ---- */

static char path[] = "/tmp/hv-storvsp-XXXXXX";

static struct disk *image(bool readonly)
{
	struct vhd_err e;
	struct disk *d = NULL;

	if (disk_open(&d, path, readonly ? DISK_READONLY : 0, &e))
		fprintf(stderr, "%s\n", e.text);
	return d;
}

/* A disk whose writes stop at a gate. */
static struct {
	pthread_mutex_t	lock;
	pthread_cond_t	changed;
	bool		shut;
	unsigned int	waiting;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };

static ssize_t gated_pwritev(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.shut)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.waiting--;
	pthread_mutex_unlock(&gate.lock);
	return memfile_ops.pwritev(ctx, iov, nr, offset);
}

static void gate_set(bool shut)
{
	pthread_mutex_lock(&gate.lock);
	gate.shut = shut;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void gate_reached(void)
{
	pthread_mutex_lock(&gate.lock);
	while (!gate.waiting)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static struct disk *gated_image(struct memfile *f)
{
	struct vhd_io_ops io = memfile_ops;
	struct disk *d = calloc(1, sizeof(*d));
	struct vhd_open_opts opts = { .format = VHD_RAW };
	struct vhd_err e;

	memfile_init(f);
	CHECK_EQ(memfile_ops.truncate(f, DISK_BYTES), 0);
	io.pwritev = gated_pwritev;
	io.fd = NULL;
	d->path = strdup("gated");
	CHECK_EQ(vhd_open_io(&d->vhd, &io, f, "gated", &opts, &e), 0);
	vhd_get_info(d->vhd, &d->info);
	return d;
}

static void test_protocol(struct port *p)
{
	struct vmb_stor_packet pkt = { .operation = VMB_STOR_QUERY_PROPERTIES, .flags = 1 };

	CHECK_EQ(chan_open(p), 0);
	CHECK_EQ(op(p, VMB_STOR_QUERY_PROTOCOL_VERSION, 0x602), VMB_STOR_BAD_STATE);
	CHECK_EQ(op(p, VMB_STOR_BEGIN_INITIALIZATION, 0), 0);
	CHECK_EQ(op(p, VMB_STOR_BEGIN_INITIALIZATION, 0), VMB_STOR_BAD_STATE);
	CHECK_EQ(op(p, VMB_STOR_QUERY_PROTOCOL_VERSION, 0x700), VMB_STOR_BAD_REVISION);
	pkt = run(p, (struct command){ .cdb = "000000000000" });
	CHECK(refused(&pkt));
	pkt = (struct vmb_stor_packet){ .operation = VMB_STOR_QUERY_PROPERTIES, .flags = 1 };
	CHECK_EQ(op(p, VMB_STOR_QUERY_PROTOCOL_VERSION, 0x501), 0);
	CHECK_EQ(say(p, &pkt), 0);
	CHECK_EQ(pkt.properties.max_transfer_bytes, 256 << 10);
	CHECK_EQ(pkt.properties.max_sub_channels, 2);
	CHECK_EQ(pkt.properties.flags, VMB_STOR_PROP_MULTI_CHANNEL);
	CHECK_EQ(op(p, VMB_STOR_END_INITIALIZATION, 0), 0);
	CHECK_EQ(op(p, VMB_STOR_CREATE_SUB_CHANNELS, 3), VMB_STOR_BAD_PARAMETER);
	CHECK_EQ(op(p, VMB_STOR_CREATE_SUB_CHANNELS, 2), 0);
	CHECK(ports[1].c && ports[2].c);
	CHECK_EQ(op(p, VMB_STOR_RESET_BUS, 0), 0);
	CHECK_EQ(op(p, 99, 0), VMB_STOR_BAD_REQUEST);
	chan_close(p);
}

static void test_data(struct port *p)
{
	struct vmb_stor_packet r;
	int fd = open(path, O_RDWR), i;
	uint8_t check[8192];

	for (i = 0; i < 8192; i++)
		ram[DATA + 512 + i] = (uint8_t)(i * 7);
	/* 16 sectors from sector 100, from the middle of a page on: three pages */
	r = run(p, (struct command){ .cdb = "2a000000006400001000", .bytes = 8192, .offset = 512 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(r.srb.transfer_length, 8192);
	CHECK_EQ(pread(fd, check, 8192, 51200), 8192);
	CHECK(!memcmp(check, ram + DATA + 512, 8192));
	memset(ram + DATA, 0, 16384);
	r = run(p, (struct command){ .cdb = "28000000006400001000", .bytes = 8192 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK(!memcmp(check, ram + DATA, 8192));
	/* Less than the buffer: the rest is residue. */
	r = run(p, (struct command){ .cdb = "28000000006400000100", .bytes = 8192 });
	CHECK_EQ(r.srb.transfer_length, 512);
	/* The guest says that its buffer is smaller than its pages: that counts. */
	r = run(p, (struct command){ .cdb = "28000000006400001000", .bytes = 8192, .claim = 4096 });
	CHECK_EQ(sense(&r), 0x052400);
	r = run(p, (struct command){ .cdb = "2a080000006400000100", .bytes = 512 });
	CHECK_EQ(r.srb.srb_status, 1);
	r = run(p, (struct command){ .cdb = "35000000000000000000" });
	CHECK_EQ(r.srb.srb_status, 1);
	/* WRITE SAME with data, with zeros; UNMAP */
	memset(ram + DATA, 0x5a, 512);
	r = run(p, (struct command){ .cdb = "41000000000000080000", .bytes = 512 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(pread(fd, check, 8192, 2047 * 512 - 4096), 8192);
	for (i = 0; i < 8192 && check[i] == (i < 4608 ? 0x5a : 0); i++)
		;
	CHECK_EQ(i, 8192);
	memset(ram + DATA, 0, 24);
	ram[DATA + 1] = 22;
	ram[DATA + 3] = 16;
	ram[DATA + 15] = 8;
	ram[DATA + 19] = 8;
	r = run(p, (struct command){ .cdb = "42000000000000001800", .bytes = 24 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(pread(fd, check, 8192, 0), 8192);
	for (i = 0; i < 8192 && check[i] == (i >= 4096 ? 0 : 0x5a); i++)
		;
	CHECK_EQ(i, 8192);
	close(fd);
	CHECK_EQ(held, 0);
}

/* A buffer across the border of two ranges of memory, and one of which only a part is memory. */
static void test_border(struct port *p)
{
	const uint64_t pfn = (BORDER >> 12) - 2;
	uint8_t *at = ram + BORDER - 8192 + 512;
	struct vmb_stor_packet r;
	int fd = open(path, O_RDWR), i;
	uint8_t check[16384];

	for (i = 0; i < 16384; i++)
		at[i] = (uint8_t)(i * 11);
	r = run(p, (struct command){ .cdb = "2a000000006400002000", .bytes = 16384, .offset = 512, .first_pfn = pfn });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(r.srb.transfer_length, 16384);
	CHECK_EQ(pread(fd, check, 16384, 51200), 16384);
	CHECK(!memcmp(check, at, 16384));
	memset(at, 0, 16384);
	r = run(p, (struct command){ .cdb = "28000000006400002000", .bytes = 16384, .offset = 512, .first_pfn = pfn });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK(!memcmp(check, at, 16384));
	r = run(p, (struct command){ .cdb = "a00000000000000010000000", .bytes = 4096, .offset = 4092,
				     .first_pfn = pfn + 1 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(ram[BORDER - 1], 8);
	close(fd);
	CHECK_EQ(held, 0);
}

static void test_units(struct port *p, struct device *d)
{
	struct storvsp_unit u;
	struct vmb_stor_packet r;
	struct vhd_err e;

	r = run(p, (struct command){ .cdb = "a00000000000000010000000", .bytes = 4096 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(r.srb.transfer_length, 16);
	CHECK_EQ(ram[DATA + 3], 8);
	r = run(p, (struct command){ .cdb = "120000002400", .lun = 5, .bytes = 36 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(ram[DATA], 0x7f);
	CHECK_EQ(storvsp_attach(d, 0, SCSI_DVD, NULL), -EEXIST);
	CHECK_EQ(storvsp_attach(d, 64, SCSI_DVD, NULL), -EINVAL);
	CHECK_EQ(storvsp_attach(d, 5, SCSI_DISK, NULL), -EINVAL);
	CHECK_EQ(storvsp_attach(d, 5, SCSI_DVD, NULL), 0);
	CHECK_EQ(receive(p, &r), 0);		/* the guest is told to look */
	CHECK_EQ(r.operation, VMB_STOR_ENUMERATE_BUS);
	r = run(p, (struct command){ .cdb = "000000000000", .lun = 5 });
	CHECK_EQ(sense(&r), 0x023a00);
	CHECK_EQ(storvsp_medium(d, 0, NULL, false), -ENOENT);
	/* The only image is in use by unit 0; take it from there. */
	CHECK_EQ(storvsp_detach(d, 0, &e), 0);
	CHECK_EQ(receive(p, &r), 0);
	CHECK_EQ(storvsp_detach(d, 0, &e), -ENOENT);
	CHECK_EQ(storvsp_look(d, 5, &u), 0);
	CHECK_EQ(u.type, SCSI_DVD);
	CHECK(!u.disk && !u.medium);
	CHECK_EQ(storvsp_look(d, 6, &u), -ENOENT);
	/* Until a command tells the guest, it would take the next unit for the old one. */
	CHECK_EQ(storvsp_look(d, 0, &u), -EAGAIN);
	CHECK_EQ(storvsp_attach(d, 0, SCSI_DVD, NULL), -EAGAIN);
	r = run(p, (struct command){ .cdb = "120000002400", .bytes = 36 });
	CHECK_EQ(storvsp_look(d, 0, &u), -EAGAIN);
	r = run(p, (struct command){ .cdb = "000000000000" });
	CHECK_EQ(r.srb.srb_status, VMB_STOR_SRB_INVALID_LUN);	/* makes Linux drop it */
	CHECK_EQ(storvsp_look(d, 0, &u), -ENOENT);
	CHECK_EQ(storvsp_medium(d, 5, image(true), false), 0);
	r = run(p, (struct command){ .cdb = "000000000000", .lun = 5 });
	CHECK_EQ(sense(&r), 0x062800);
	r = run(p, (struct command){ .cdb = "28000000000000000100", .lun = 5, .bytes = 2048 });
	CHECK_EQ(r.srb.srb_status, 1);
	r = run(p, (struct command){ .cdb = "1e0000000100", .lun = 5 });
	CHECK_EQ(storvsp_medium(d, 5, NULL, false), -EBUSY);
	CHECK_EQ(storvsp_medium(d, 5, NULL, true), 0);
	CHECK_EQ(storvsp_detach(d, 5, &e), 0);
	CHECK_EQ(receive(p, &r), 0);
	CHECK_EQ(storvsp_attach(d, 0, SCSI_DISK, image(false)), 0);
	CHECK_EQ(receive(p, &r), 0);
}

/* Buffers that are no memory: each kind of command that has one is answered with sense data. */
static void test_no_memory(struct port *p)
{
	static const struct command c[] = {
		{ .cdb = "28000000006400001000", .bytes = 8192, .first_pfn = RAM >> 12 },
		{ .cdb = "28000000006400001000", .bytes = 8192, .first_pfn = (RAM >> 12) - 1 },
		{ .cdb = "28000000006400001000", .bytes = 8192, .first_pfn = ~0ull >> 1 },
		{ .cdb = "2a000000006400001000", .bytes = 8192, .first_pfn = (RAM >> 12) - 1 },
		{ .cdb = "120000002400", .bytes = 36, .first_pfn = RAM >> 12 },			/* INQUIRY */
		{ .cdb = "a00000000000000010000000", .bytes = 4096, .first_pfn = RAM >> 12 },	/* REPORT LUNS */
		{ .cdb = "42000000000000001800", .bytes = 24, .first_pfn = RAM >> 12 },		/* UNMAP */
	};
	struct vmb_stor_packet r;

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		r = run(p, c[i]);
		CHECK_EQ(sense(&r), 0x0b4b00);
		CHECK_EQ(r.srb.transfer_length, 0);
		CHECK_EQ(held, 0);
	}
}

static void test_hostile(struct port *p)
{
	struct vmb_stor_packet r;
	uint8_t junk[2048];

	test_no_memory(p);
	r = run(p, (struct command){ .cdb = "28000000006400020800", .bytes = 260 << 10 });	/* too much */
	CHECK(refused(&r));
	r = run(p, (struct command){ .cdb = "" });
	CHECK(refused(&r));
	r = run(p, (struct command){ .cdb = "28000000200000000100", .bytes = 512 });
	CHECK_EQ(sense(&r), 0x052100);
	CHECK_EQ(held, 0);
	/* Packets of other types, too short, not to be answered: nothing comes of them. */
	memset(junk, 0xff, sizeof(junk));
	CHECK_EQ(hv_ring_send(&p->out, 0, 1, junk, 4), 0);
	CHECK_EQ(hv_ring_send(&p->out, 0, 2, junk, sizeof(junk)), 0);
	CHECK_EQ(hv_ring_complete(&p->out, 3, junk, 64), 0);
	r = run(p, (struct command){ .cdb = "000000000000" });
	CHECK_EQ(r.srb.srb_status, 1);
}

/* Many at once, all answered, each once; the answers' ring is smaller than they are. */
static void test_many(struct port *p)
{
	struct command c = { .cdb = "28000000006400000800", .bytes = 4096 };
	struct vmb_stor_packet r;
	uint64_t seen[4] = { 0 }, t;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		put_command(p, &c, 1 + i);
		if (i % 64 == 63)
			kick(p);
	}
	kick(p);
	for (i = 0; i < 200; i++) {
		t = receive(p, &r) - 1;
		CHECK_EQ(r.srb.srb_status, 1);
		if (t > 199 || seen[t / 64] >> t % 64 & 1) {
			CHECK_EQ(t, 0);
			return;
		}
		seen[t / 64] |= 1ull << t % 64;
		if (READ_ONCE(p->in.header->pending_send_bytes))
			kick(p);
	}
	CHECK_EQ(held, 0);
}

/* A ring that makes no sense is left alone; the channel can be closed, and opened anew. */
static void test_broken(struct port *p)
{
	unsigned int logged = nr_logged;
	struct vmb_stor_packet r;

	WRITE_ONCE(p->out.header->write_index, 12345);
	kick(p);
	for (int i = 0; i < 2000 && __atomic_load_n(&nr_logged, __ATOMIC_SEQ_CST) == logged; i++)
		usleep(1000);
	CHECK_EQ(nr_logged, logged + 1);
	chan_close(p);
	CHECK_EQ(chan_open(p), 0);
	setup(p);
	r = run(p, (struct command){ .cdb = "000000000000" });
	CHECK_EQ(r.srb.srb_status, 1);
}

/* Closed with commands under way: none touches the guest's memory afterwards. */
static void test_close(struct port *p)
{
	struct command c = { .cdb = "2a000000006400000800", .bytes = 4096 };

	for (unsigned int i = 0; i < 50; i++)
		put_command(p, &c, 1 + i);
	kick(p);
	chan_close(p);
	CHECK_EQ(held, 0);
	CHECK_EQ(chan_open(p), 0);
	setup(p);
}

struct drainer {
	struct device	*d;
	atomic_bool	done;
	pthread_t	thread;
};

static void *drain(void *arg)
{
	struct drainer *dr = arg;

	if (dr->d->ops->drain)
		dr->d->ops->drain(dr->d);
	/* What the machine does next: no write under way may see it. */
	memset(ram + DATA, 0, 4096);
	atomic_store(&dr->done, true);
	return NULL;
}

/* A reset with a write under way: it is finished first, with the guest's bytes, and nothing is begun. */
static void test_drain(struct device *d, struct port *p)
{
	struct command c = { .cdb = "2a000000006400000800", .bytes = 4096, .lun = 9 };
	struct drainer dr = { .d = d };
	struct memfile f;
	struct vmb_stor_packet r;
	struct vhd_err e;
	int i;

	CHECK_EQ(storvsp_attach(d, 9, SCSI_DISK, gated_image(&f)), 0);
	CHECK_EQ(receive(p, &r), 0);
	memset(ram + DATA, 0xa5, 4096);
	gate_set(true);
	put_command(p, &c, 1);
	kick(p);
	gate_reached();
	CHECK_EQ(pthread_create(&dr.thread, NULL, drain, &dr), 0);
	for (i = 0; i < 50 && !atomic_load(&dr.done); i++)
		usleep(1000);
	CHECK(!atomic_load(&dr.done));
	put_command(p, &c, 2);		/* too late to be begun */
	kick(p);
	gate_set(false);
	pthread_join(dr.thread, NULL);
	CHECK_EQ(held, 0);
	for (i = 0; i < 4096 && f.data[51200 + i] == 0xa5; i++)
		;
	CHECK_EQ(i, 4096);
	/* Once more, with a thread that waits to be closed; what comes is not looked at. */
	d->ops->drain(d);
	kick(p);
	usleep(20000);
	CHECK_EQ(held, 0);
	for (i = 0; i < 4096 && f.data[51200 + i] == 0xa5; i++)
		;
	CHECK_EQ(i, 4096);
	chan_close(p);
	d->ops->drain(d);		/* the thread has ended */
	/* Opened anew it works; a thread that sleeps is drained, and one on its way out. */
	CHECK_EQ(chan_open(p), 0);
	setup(p);
	d->ops->drain(d);
	p->c->ops->close(p->c);
	d->ops->drain(d);
	chan_close(p);
	CHECK_EQ(chan_open(p), 0);
	setup(p);
	c.cdb = "2a000000007400000800";
	CHECK_EQ(run(p, c).srb.srb_status, 1);
	CHECK_EQ(storvsp_detach(d, 9, &e), 0);
	CHECK_EQ(receive(p, &r), 0);
	memfile_done(&f);
}

/* A drained device goes on, with what came meanwhile. */
static void test_go_on(struct device *d, struct port *p)
{
	struct command c = { .cdb = "28000000006400000800", .bytes = 4096 };
	struct vmb_stor_packet r;

	d->ops->drain(d);
	put_command(p, &c, 31);
	kick(p);
	usleep(20000);
	d->ops->go_on(d);
	CHECK_EQ(receive(p, &r), 31);
	CHECK_EQ(r.srb.srb_status, 1);
	d->ops->go_on(d);
	CHECK_EQ(run(p, c).srb.srb_status, 1);
}

static int load(struct device *d, const uint8_t *buf, size_t len)
{
	struct fields_in in = { .buf = buf, .len = len };
	int ret = d->ops->record->load(d, &in, 1);

	return ret ? ret : fields_end(&in) ? 0 : -EINVAL;
}

/* What one device saved, another goes on from: no set-up, and an answer that found no room comes. */
static void test_record(const struct storvsp_config *cfg, struct fields_out *o)
{
	struct vmb_stor_packet answer = { .operation = VMB_STOR_COMPLETE_IO, .status = 5 }, r;
	size_t at = 1 + 2 + 4 + 1 + 1 + 1;	/* of the number of answers that wait, queue 0 */
	struct fields_out again = { 0 }, stuck = { 0 };
	struct device *d;

	for (size_t len = 0; len < o->len; len += len < 30 ? 1 : 131) {
		CHECK_EQ(storvsp_create(&d, &services, cfg), 0);
		CHECK_EQ(storvsp_attach(d, 0, SCSI_DISK, image(false)), 0);
		CHECK(load(d, o->buf, len) < 0);
		d->ops->release(d);
	}
	fields_put(&stuck, o->buf, at);
	fields_put_u32(&stuck, 1);
	fields_put_u64(&stuck, 77);
	fields_put(&stuck, &answer, sizeof(answer));
	fields_put(&stuck, o->buf + at + 4, o->len - at - 4);
	CHECK_EQ(storvsp_create(&d, &services, cfg), 0);
	CHECK(load(d, stuck.buf, stuck.len) < 0);		/* its disk is not there */
	d->ops->release(d);
	CHECK_EQ(storvsp_create(&d, &services, cfg), 0);
	CHECK_EQ(storvsp_attach(d, 0, SCSI_DISK, image(false)), 0);
	CHECK_EQ(load(d, stuck.buf, stuck.len), 0);
	ports[0].c->restored = true;
	CHECK_EQ(chan_open(&ports[0]), 0);
	ports[0].c->restored = false;
	CHECK_EQ(receive(&ports[0], &r), 77);
	CHECK_EQ(r.status, 5);
	CHECK_EQ(run(&ports[0], (struct command){ .cdb = "28000000006400000800", .bytes = 4096 }).srb.srb_status, 1);
	d->ops->drain(d);
	d->ops->record->save(d, &again);
	CHECK_EQ(again.len, o->len);
	CHECK(!memcmp(again.buf, o->buf, o->len));
	chan_close(&ports[0]);
	d->ops->release(d);
	free(again.buf);
	free(stuck.buf);
}

int main(void)
{
	struct fields_out saved = { 0 };
	struct storvsp_config cfg = { .instance = { 1 }, .queues = 3 };
	int fd = mkstemp(path);
	struct vmb_stor_packet r;
	struct device *d;

	CHECK_EQ(ftruncate(fd, DISK_BYTES), 0);
	close(fd);
	CHECK_EQ(storvsp_create(&d, &services, &cfg), 0);
	CHECK_EQ(storvsp_attach(d, 0, SCSI_DISK, image(false)), 0);
	test_protocol(&ports[0]);
	CHECK_EQ(chan_open(&ports[0]), 0);
	setup(&ports[0]);
	test_data(&ports[0]);
	test_border(&ports[0]);
	test_units(&ports[0], d);
	test_hostile(&ports[0]);
	test_many(&ports[0]);
	test_close(&ports[0]);
	test_drain(d, &ports[0]);
	test_go_on(d, &ports[0]);
	test_broken(&ports[0]);
	/* A sub-channel serves commands, and no set-up. */
	CHECK_EQ(op(&ports[0], VMB_STOR_CREATE_SUB_CHANNELS, 1), 0);
	CHECK_EQ(chan_open(&ports[1]), 0);
	r = run(&ports[1], (struct command){ .cdb = "28000000006400000800", .bytes = 4096 });
	CHECK_EQ(r.srb.srb_status, 1);
	CHECK_EQ(op(&ports[1], VMB_STOR_BEGIN_INITIALIZATION, 0), VMB_STOR_BAD_STATE);
	chan_close(&ports[1]);
	d->ops->drain(d);
	d->ops->record->save(d, &saved);
	chan_close(&ports[0]);
	d->ops->release(d);
	test_record(&cfg, &saved);
	free(saved.buf);
	unlink(path);
	return unit_done();
}
