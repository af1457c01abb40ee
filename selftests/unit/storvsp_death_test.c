// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SCSI controllers that die. The guest is this process; each controller is a child of it that is killed with
 * requests under way: at chosen points (between a request's being taken and its pages' being held, between its end
 * and its answer, after the answer and before the signal), or at any instruction. The next child gets the rings and
 * the in-flight tables. Every request is answered, once, and what was answered is on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <hvguest/vsp_stor.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/chan.h"
#include "devices/storvsp.h"
#include "lib/memfile.h"
#include "lib/unit.h"

#define RING_PAGES	5u		/* small: answers have to wait for room in it */
#define HALF		(RING_PAGES * 4096u)
#define SLOTS		64u		/* requests at a time, each with a block of guest memory and of the disk */
#define BLOCK		4096u
#define PATIENCE	120		/* seconds */

enum point { AT_GET, AT_PUT, AT_SIGNAL, AT_NONE };

/* What outlives a controller. */
static struct world {
	uint8_t		rings[2 * HALF] __attribute__((aligned(4096)));
	uint8_t		ram[SLOTS * BLOCK];
	_Atomic int	fuse[AT_NONE];		/* how often a point is passed before it kills; 0: never */
	_Atomic int	failed;			/* a controller that could not begin */
} *world;

static char path[] = "/tmp/hv-death-XXXXXX";
static int table_fd;
static uint64_t seed = 88172645463325252ull;

/* ---- a controller, in its process ---- */

static void pass(enum point p)
{
	if (atomic_load(&world->fuse[p]) > 0 && atomic_fetch_sub(&world->fuse[p], 1) == 1)
		kill(getpid(), SIGKILL);
}

static int f_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	(void)ds;
	pass(AT_GET);
	if (gpa > sizeof(world->ram) || len > sizeof(world->ram) - gpa)
		return -EFAULT;
	*out = (struct gmem){ .ptr = world->ram + gpa, .gpa = gpa, .len = len, .dir = dir };
	return 0;
}

static int f_get_like(struct dev_services *ds, const struct gmem *held, uint64_t gpa, uint32_t len,
		      struct gmem *out)
{
	return f_get(ds, gpa, len, held->dir, out);
}

static void f_put(struct dev_services *ds, struct gmem *g)
{
	(void)ds, (void)g;
	pass(AT_PUT);
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level;
	fprintf(stderr, "log: %s\n", fmt);
	atomic_store(&world->failed, 1);
}

static struct chan *the_chan;

static int f_chan_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	(void)ds, (void)offer;
	the_chan = c;
	return 0;
}

static void f_chan(struct dev_services *ds, struct chan *c)
{
	(void)ds, (void)c;
}

static void f_signal(struct dev_services *ds, struct chan *c)
{
	(void)ds, (void)c;
	pass(AT_SIGNAL);
}

static const struct dev_services_ops services_ops = {
	.gmem_get = f_get, .gmem_get_like = f_get_like, .gmem_put = f_put, .log = f_log,
	.chan_create = f_chan_create, .chan_remove = f_chan, .chan_signal = f_signal, .chan_closed = f_chan,
};
static struct dev_services services = { &services_ops };

/* Its thread is woken all the time: that is easier than to have the guest do it. */
static void __attribute__((noreturn)) controller(bool restored)
{
	struct storvsp_config cfg = { .instance = { 1 }, .queues = 1, .take_over = true, .table_fd = table_fd };
	const struct timespec little = { .tv_nsec = 200000 };
	const uint64_t one = 1;
	struct disk *disk = NULL;
	struct device *d;
	struct vhd_err e;
	int i, ret = 0;

	for (i = 0; i < 1000 && disk_open(&disk, path, DISK_RAW, &e) == -EBUSY; i++)
		nanosleep(&little, NULL);	/* the kernel still ends what the last one had begun */
	if (!disk || storvsp_create(&d, &services, &cfg) || storvsp_attach(d, 0, SCSI_DISK, disk))
		ret = 1;
	if (!ret && (hv_ring_consumer(&the_chan->from_guest, world->rings, world->rings + 4096, RING_PAGES) ||
		     hv_ring_producer(&the_chan->to_guest, world->rings + HALF, world->rings + HALF + 4096,
				      RING_PAGES)))
		ret = 2;
	if (!ret) {
		the_chan->restored = restored;
		ret = the_chan->ops->open(the_chan);
	}
	if (ret) {
		fprintf(stderr, "a controller cannot begin: %d %s\n", ret, disk ? "" : e.text);
		atomic_store(&world->failed, 1);
		_exit(1);
	}
	for (;;) {
		if (write(the_chan->wake, &one, sizeof(one)) != sizeof(one))
			_exit(2);
		nanosleep(&little, NULL);
	}
}

/* ---- the guest ---- */

static struct hv_ring out, in;
static struct slot {
	uint64_t	transaction;	/* 0: free */
	uint32_t	number;		/* written, or being written */
	uint32_t	stable;		/* the last that was answered */
	bool		reads;
} slots[SLOTS];
static uint64_t asked, answered;
static pid_t child;
static unsigned int deaths;

static void start(bool restored)
{
	child = fork();
	if (!child)
		controller(restored);
	CHECK(child > 0);
}

static void fill(uint8_t *at, uint32_t slot, uint32_t number)
{
	for (uint32_t i = 0; i < BLOCK; i += 8) {
		memcpy(at + i, &slot, 4);
		memcpy(at + i + 4, &number, 4);
	}
}

static bool holds(const uint8_t *at, uint32_t slot, uint32_t number)
{
	uint8_t want[BLOCK];

	fill(want, slot, number);
	return !memcmp(at, want, BLOCK);
}

static int put(uint16_t type, uint64_t transaction, const struct vmb_stor_packet *pkt, const uint64_t *pfn)
{
	const uint32_t words[4] = { 0, 1, BLOCK, 0 };
	uint8_t head[24];
	struct hv_ring_vec vec[2] = { { head, pfn ? sizeof(head) : 0 }, { pkt, sizeof(*pkt) } };
	int ret;

	memcpy(head, words, 16);
	if (pfn)
		memcpy(head + 16, pfn, 8);
	ret = hv_ring_put(&out, type, VMB_PACKET_F_COMPLETION, transaction, vec[0].len, vec, 2);
	if (!ret)
		hv_ring_publish(&out);
	return ret;
}

/* A read or a write of the block that belongs to slot @i. False: no room. */
static bool ask(uint32_t i)
{
	struct vmb_stor_packet pkt = { .operation = VMB_STOR_EXECUTE_SRB, .flags = 1 };
	struct slot *s = &slots[i];
	bool reads = s->number && memfile_random(&seed) % 3 == 0;
	uint64_t pfn = i;

	if (reads)
		memset(world->ram + i * BLOCK, 0xee, BLOCK);
	else
		fill(world->ram + i * BLOCK, i, s->number + 1);
	pkt.srb.length = 52;
	pkt.srb.cdb_length = 10;
	pkt.srb.cdb[0] = reads ? 0x28 : 0x2a;
	pkt.srb.cdb[1] = reads || i % 8 ? 0 : 8;	/* some with FUA */
	pkt.srb.cdb[4] = (uint8_t)(i >> 5);
	pkt.srb.cdb[5] = (uint8_t)(i << 3);
	pkt.srb.cdb[8] = BLOCK / 512;
	pkt.srb.transfer_length = BLOCK;
	if (put(VMB_PACKET_GPA_DIRECT, asked + 1, &pkt, &pfn))
		return false;
	s->transaction = ++asked;
	s->reads = reads;
	s->number += !reads;
	return true;
}

static void answer(uint64_t transaction, const struct vmb_stor_packet *pkt)
{
	unsigned int i;

	for (i = 0; i < SLOTS && (!transaction || slots[i].transaction != transaction); i++)
		;
	CHECK(i < SLOTS);		/* else nobody waits for it: a second answer */
	if (i == SLOTS)
		return;
	CHECK_EQ(pkt->srb.srb_status, VMB_STOR_SRB_SUCCESS);
	CHECK_EQ(pkt->srb.transfer_length, BLOCK);
	if (slots[i].reads)
		CHECK(holds(world->ram + i * BLOCK, i, slots[i].stable));
	else
		slots[i].stable = slots[i].number;
	slots[i].transaction = 0;
	answered++;
}

/* One packet of the host, if there is any: true, and whose answer it is. */
static bool receive(uint64_t *transaction, struct vmb_stor_packet *pkt)
{
	struct hv_ring_packet p;
	int ret = hv_ring_peek(&in, &p);

	if (ret == -EAGAIN)
		return false;
	CHECK_EQ(ret, 0);
	CHECK_EQ(p.type, VMB_PACKET_COMPLETION);
	CHECK_EQ(hv_ring_copy(&in, &p, p.header_bytes, pkt, sizeof(*pkt)), 0);
	*transaction = p.transaction;
	hv_ring_next(&in, &p);
	hv_ring_release(&in);
	return true;
}

/* The controller's process is gone, by itself or because it is told to; the next takes over. */
static void succeed(bool by_us)
{
	int status;

	if (by_us)
		kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	deaths++;
	for (int i = 0; i < AT_NONE; i++)
		atomic_store(&world->fuse[i], 0);
}

static bool died(void)
{
	siginfo_t si = { 0 };

	return !waitid(P_PID, (id_t)child, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid == child;
}

/* Set-up, the controller dying after each step's answer, or at the signal of it. */
static void setup(void)
{
	static const struct {
		uint32_t operation;
		uint16_t value;
	} steps[] = {
		{ VMB_STOR_BEGIN_INITIALIZATION, 0 }, { VMB_STOR_QUERY_PROTOCOL_VERSION, 0x602 },
		{ VMB_STOR_QUERY_PROPERTIES, 0 }, { VMB_STOR_END_INITIALIZATION, 0 },
	};
	uint64_t transaction = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct vmb_stor_packet pkt = { .operation = steps[i].operation, .flags = 1 };
		time_t until = time(NULL) + PATIENCE;

		pkt.sub_channels = steps[i].value;
		atomic_store(&world->fuse[AT_SIGNAL], i & 1);
		CHECK_EQ(put(VMB_PACKET_INBAND, 1000 + i, &pkt, NULL), 0);
		while (!receive(&transaction, &pkt) && time(NULL) < until && !atomic_load(&world->failed)) {
			usleep(100);
			if (died()) {
				succeed(false);
				start(true);
			}
		}
		CHECK_EQ(transaction, 1000 + i);
		CHECK_EQ(pkt.status, VMB_STOR_OK);
		succeed(true);
		start(true);
	}
}

/* Keep requests going until @until are answered; true: without a death. */
static bool work(uint64_t until, uint64_t kill_at_us)
{
	time_t end = time(NULL) + PATIENCE;
	struct vmb_stor_packet pkt;
	struct timespec a, b;
	uint64_t t;

	clock_gettime(CLOCK_MONOTONIC, &a);
	while (answered < until && time(NULL) < end && !atomic_load(&world->failed)) {
		for (uint32_t i = 0; i < SLOTS && asked < until; i++)
			if (!slots[i].transaction && !ask(i))
				break;
		while (receive(&t, &pkt))
			answer(t, &pkt);
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (kill_at_us && (uint64_t)(b.tv_sec - a.tv_sec) * 1000000 + (uint64_t)b.tv_nsec / 1000 -
				  (uint64_t)a.tv_nsec / 1000 >= kill_at_us) {
			succeed(true);
			return false;
		}
		if (died()) {
			succeed(false);
			return false;
		}
	}
	if (answered < until) {		/* lost; nothing that follows makes sense */
		CHECK_EQ(answered, until);
		atomic_store(&world->failed, 1);
	}
	return true;
}

/* What was answered is on the disk; each write that was not is there or not. */
static void look(void)
{
	uint8_t block[BLOCK];
	int fd = open(path, O_RDONLY);

	for (uint32_t i = 0; i < SLOTS; i++) {
		CHECK_EQ(pread(fd, block, BLOCK, (off_t)i * BLOCK), BLOCK);
		CHECK(!slots[i].stable || holds(block, i, slots[i].stable));
	}
	close(fd);
}

static void run(unsigned int turns)
{
	unsigned int turn;

	for (turn = 0; turn < turns && !atomic_load(&world->failed); turn++) {
		unsigned int p = turn % 4;
		uint64_t at = 0;

		if (p < AT_NONE)
			atomic_store(&world->fuse[p], 1 + (int)(memfile_random(&seed) % 90));
		else
			at = 1 + memfile_random(&seed) % 8000;
		/* A controller that nothing killed lives on to the next turn. */
		if (!work(asked + 200, at))
			start(true);
	}
	for (int i = 0; i < AT_NONE; i++)
		atomic_store(&world->fuse[i], 0);
	while (!work(asked, 0))
		start(true);
	CHECK_EQ(answered, asked);
	/* Nothing more comes. */
	usleep(20000);
	CHECK_EQ(hv_ring_peek(&in, &(struct hv_ring_packet){ 0 }), -EAGAIN);
	succeed(true);
	look();
}

int main(int argc, char **argv)
{
	unsigned int turns = argc > 1 ? (unsigned int)atoi(argv[1]) : 60;
	int fd = mkstemp(path);

	CHECK_EQ(ftruncate(fd, SLOTS * BLOCK), 0);
	close(fd);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	table_fd = memfd_create("death", 0);
	CHECK(world != MAP_FAILED && table_fd >= 0);
	CHECK_EQ(hv_ring_producer(&out, world->rings, world->rings + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_consumer(&in, world->rings + HALF, world->rings + HALF + 4096, RING_PAGES), 0);
	start(false);
	setup();
	run(turns);
	CHECK_EQ(atomic_load(&world->failed), 0);
	unlink(path);
	printf("%u deaths, %llu requests\n", deaths, (unsigned long long)answered);
	return unit_done();
}
