// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saved state: what is written comes back; a file that is cut anywhere, changed in any byte that counts,
 * of another version or not finished is refused by name; a full disk is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fields.h"
#include "libstate/state.h"
#include "selftests/unit/lib/unit.h"

#define RAM	(3 * STATE_CHUNK + 5 * STATE_PAGE)

static uint8_t ram[RAM] __attribute__((aligned(4096)));

static void ram_fill(void)
{
	memset(ram, 0, RAM);
	memset(ram + 7 * STATE_PAGE, 0x11, 2 * STATE_PAGE);
	ram[255 * STATE_PAGE + 4095] = 1;		/* the last byte of a chunk */
	memset(ram + 2 * STATE_CHUNK, 0x22, STATE_CHUNK);
	ram[RAM - 1] = 3;				/* chunk 1 stays empty */
	for (unsigned int i = 0; i < STATE_CHUNK; i++)
		ram[2 * STATE_CHUNK + i] = (uint8_t)(i * i >> 8);
}

/* A file with three records of ours. Return: its descriptor. */
static int make(int level)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	struct state_err e = { 0 };
	struct state_writer *w;
	uint64_t v = 77;

	CHECK_EQ(state_writer_create(&w, fd, RAM, level, &e), 0);
	CHECK_EQ(state_put(w, 0x101, 1, 0, 0, &v, sizeof(v), &e), 0);
	CHECK_EQ(state_put(w, 0x101, 2, 1, 0, "abc", 3, &e), 0);
	CHECK_EQ(state_put(w, 5, 1, 0, 9, NULL, 0, &e), 0);
	for (uint64_t n = 0; n < state_chunks(RAM); n++)
		CHECK_EQ(state_put_chunk(w, n, ram + n * STATE_CHUNK, &e), 0);
	CHECK_EQ(state_writer_finish(w, &e), 0);
	CHECK(state_written(w) > STATE_PAGE);
	state_writer_release(w);
	return fd;
}

/* Open and read all of it. */
static enum state_fault try(int fd, bool memory, struct state_err *e)
{
	static uint8_t back[RAM];
	struct state_file *f;

	memset(e, 0, sizeof(*e));
	if (state_open(&f, fd, e))
		return e->fault;
	memset(back, 0, RAM);
	for (uint64_t n = 0; memory && n < state_chunks(state_header(f)->ram_bytes); n++)
		if (state_chunk_read(f, n, n % 2 ? NULL : back + n * STATE_CHUNK, e) ||
		    state_chunk_read(f, n, back + n * STATE_CHUNK, e)) {
			state_close(f);
			return e->fault;
		}
	if (memory)
		CHECK(!memcmp(back, ram, RAM));
	state_close(f);
	return STATE_OK;
}

static void test_whole(int level)
{
	int fd = make(level);
	struct state_record r;
	struct state_file *f;
	struct state_err e;
	struct stat st;
	size_t pos = 0;
	int n = 0;

	CHECK_EQ(try(fd, true, &e), STATE_OK);
	CHECK_EQ(state_open(&f, fd, &e), 0);
	CHECK(state_find(f, 0x101, 1, 0, &r));
	CHECK_EQ(r.version, 2);
	CHECK_EQ(r.len, 3);
	CHECK(!memcmp(r.data, "abc", 3));
	CHECK(state_find(f, 5, 0, 9, &r) && !r.len);
	CHECK(!state_find(f, 5, 0, 8, &r));
	CHECK(!state_find(f, STATE_REC_END, 0, 0, &r));
	while (state_next(f, &pos, &r))
		n++;
	CHECK_EQ(n, 4);		/* the table of memory is one */
	CHECK(!state_chunk(f, 1)->bytes && state_chunk(f, 0)->bytes);
	state_close(f);
	CHECK_EQ(fstat(fd, &st), 0);
	/* Zero pages take no room: 3 + 256 + 1 pages are there, and records. */
	CHECK(st.st_blocks * 512 < (3 + 256 + 1 + 4) * (int)STATE_PAGE);
	close(fd);
}

/* Every length: refused, by a name that fits. */
static void test_cut(int level)
{
	int fd = make(level);
	struct state_err e;
	struct stat st;
	off_t len;

	CHECK_EQ(fstat(fd, &st), 0);
	for (len = st.st_size - 1; len >= 0; len -= len > 9000 && len < st.st_size - 2000 ? 977 : 1) {
		CHECK_EQ(ftruncate(fd, len), 0);
		CHECK_EQ(try(fd, true, &e), len ? STATE_TRUNCATED : STATE_NOT_SAVED);
		if (e.fault != STATE_TRUNCATED && len)
			break;
	}
	close(fd);
}

static uint64_t next_byte(const struct state_header *h, uint64_t at)
{
	if (at < 200 || at >= h->records_at)
		return at + 1;
	return at + 509 < h->records_at ? at + 509 : h->records_at;
}

/* Every byte that means something, changed. */
static void test_changed(int level)
{
	int fd = make(level);
	struct state_header h;
	struct state_err e;
	enum state_fault got;
	uint8_t was, now;
	uint64_t at;

	CHECK_EQ(pread(fd, &h, sizeof(h), 0), (long)sizeof(h));
	for (at = 0; at < h.file_bytes; at = next_byte(&h, at)) {
		CHECK_EQ(pread(fd, &was, 1, (off_t)at), 1);
		now = was ^ 0x40;
		CHECK_EQ(pwrite(fd, &now, 1, (off_t)at), 1);
		got = try(fd, false, &e);
		if (at < 8)
			CHECK_EQ(got, STATE_NOT_SAVED);
		else if (at < 12)
			CHECK_EQ(got, STATE_VERSION_NEW);
		else if (at < sizeof(h))
			CHECK_EQ(got, STATE_CORRUPT);
		CHECK_EQ(pwrite(fd, &was, 1, (off_t)at), 1);
		/* Padding of records counts for nothing, holes likewise. */
		if (got == STATE_OK && at >= h.records_at)
			CHECK(!was);
	}
	/* Memory is told by reading it. */
	at = level ? h.memory_at + 100 : h.memory_at + 2 * STATE_CHUNK + 12345;
	CHECK_EQ(pread(fd, &was, 1, (off_t)at), 1);
	now = was ^ 1;
	CHECK_EQ(pwrite(fd, &now, 1, (off_t)at), 1);
	CHECK_EQ(try(fd, false, &e), STATE_OK);
	memset(&e, 0, sizeof(e));
	{
		struct state_file *f;
		int bad = 0;

		CHECK_EQ(state_open(&f, fd, &e), 0);
		for (uint64_t n = 0; n < state_chunks(RAM); n++)
			bad += !!state_chunk_read(f, n, NULL, &e);
		CHECK_EQ(bad, 1);
		CHECK_EQ(e.fault, STATE_CORRUPT);
		state_close(f);
	}
	close(fd);
}

/*
 * Who maps memory sees what stands where the table has no page, like the zeros that a copy without holes has.
 * The other readers leave it alone.
 */
static void test_not_zero(void)
{
	static const uint64_t at[] = { 0, 6 * STATE_PAGE + 9, STATE_CHUNK + 100, 3 * STATE_CHUNK + 4 * STATE_PAGE - 1 };
	uint8_t zeros[STATE_PAGE] = { 0 }, back = 0, *chunk = calloc(1, STATE_CHUNK);
	struct state_file *f;
	struct state_err e;
	int fd = make(0);
	uint64_t n;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		n = at[i] / STATE_CHUNK;
		CHECK_EQ(state_open(&f, fd, &e), 0);
		CHECK_EQ(pwrite(fd, zeros, sizeof(zeros), (off_t)(STATE_PAGE + at[i] / STATE_PAGE * STATE_PAGE)),
			 (long)sizeof(zeros));
		CHECK_EQ(state_chunk_read(f, n, NULL, &e), 0);
		CHECK_EQ(pwrite(fd, "x", 1, (off_t)(STATE_PAGE + at[i])), 1);
		CHECK_EQ(state_chunk_read(f, n, NULL, &e), -EUCLEAN);
		CHECK_EQ(e.fault, STATE_CORRUPT);
		CHECK(strstr(e.text, "is not zero"));
		CHECK_EQ(state_chunk_read(f, n, chunk, &e), 0);
		CHECK_EQ(chunk[at[i] % STATE_CHUNK], 0);
		CHECK_EQ(pwrite(fd, &back, 1, (off_t)(STATE_PAGE + at[i])), 1);
		CHECK_EQ(state_chunk_read(f, n, NULL, &e), 0);
		state_close(f);
	}
	close(fd);
	free(chunk);
}

/* A field that this version does not know has a meaning. */
static void test_reserved(void)
{
	int fd = make(0);
	struct state_header h;
	struct state_err e;

	CHECK_EQ(pread(fd, &h, sizeof(h), 0), (long)sizeof(h));
	h.rsvd[10] = 1;
	h.crc = state_crc(0, &h, offsetof(struct state_header, crc));
	CHECK_EQ(pwrite(fd, &h, sizeof(h), 0), (long)sizeof(h));
	CHECK_EQ(try(fd, false, &e), STATE_VERSION_NEW);
	close(fd);
}

/* That it was gone on from is noted in the file, and nothing else of it changes. */
static void test_mark(void)
{
	int fd = make(0), other;
	struct state_file *f, *g;
	struct state_err e;
	char path[32];

	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(state_open(&f, fd, &e), 0);
		CHECK_EQ(state_open(&g, fd, &e), 0);
		CHECK_EQ(state_mark(f, &e), 0);
		CHECK_EQ(state_header(f)->restores, 2 * i);
		/* Who opened it at the same time is not the first one. */
		CHECK_EQ(state_mark(g, &e), 0);
		CHECK_EQ(state_header(g)->restores, 2 * i + 1);
		state_close(g);
		state_close(f);
	}
	CHECK_EQ(try(fd, true, &e), STATE_OK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_EQ(state_open(&f, other, &e), 0);
	CHECK_EQ(state_mark(f, &e), -EBADF);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	CHECK_EQ(state_mark(f, &e), -EWOULDBLOCK);
	CHECK_EQ(e.fault, STATE_HOST);
	state_close(f);
	close(other);
	close(fd);
}

static void test_others(void)
{
	struct state_err e;
	int fd = memfd_create("other", MFD_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK_EQ(try(fd, false, &e), STATE_NOT_SAVED);
	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(try(fd, false, &e), STATE_INCOMPLETE);
	CHECK_EQ(pwrite(fd, "#!/bin/sh", 9, 0), 9);
	CHECK_EQ(try(fd, false, &e), STATE_NOT_SAVED);
	CHECK_EQ(try(null, false, &e), STATE_NOT_SAVED);
	close(null);
	close(fd);
	CHECK(!strcmp(state_fault_name(STATE_TRUNCATED), "truncated"));
	CHECK(!strcmp(state_fault_name(99), "unknown"));
}

/* A file that may not grow stands for a full disk. */
static void test_full(int level)
{
	const struct rlimit small = { 1 << 20, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = memfd_create("full", MFD_CLOEXEC), ret = 0;
	struct state_err e = { 0 };
	struct state_writer *w;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(state_writer_create(&w, fd, RAM, level, &e), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	for (uint64_t n = 0; !ret && n < state_chunks(RAM); n++)
		ret = state_put_chunk(w, n, ram + n * STATE_CHUNK, &e);
	if (!ret)
		ret = state_writer_finish(w, &e);
	setrlimit(RLIMIT_FSIZE, &none);
	CHECK_EQ(ret, level ? 0 : -EFBIG);
	CHECK_EQ(e.fault, level ? STATE_OK : STATE_HOST);
	state_writer_release(w);
	CHECK_EQ(try(fd, false, &e), level ? STATE_OK : STATE_INCOMPLETE);
	close(fd);
}

static void test_crc(void)
{
	uint8_t zeros[32] = { 0 }, up[32];

	/* RFC 3720, appendix B.4. */
	CHECK_EQ(state_crc(0, zeros, 32), 0x8a9136aau);
	for (unsigned int i = 0; i < 32; i++)
		up[i] = (uint8_t)i;
	CHECK_EQ(state_crc(0, up, 32), 0x46dd794eu);
	CHECK_EQ(state_crc(state_crc(0, up, 13), up + 13, 19), 0x46dd794eu);
}

static void test_bytes(void)
{
	struct fields_out o = { 0 };
	struct fields_in i;
	char s[3];

	fields_put_u8(&o, 1);
	fields_put_u16(&o, 0x1234);
	fields_put_u32(&o, 0x12345678);
	fields_put_u64(&o, 0x123456789abcdef0);
	fields_put(&o, "abc", 3);
	fields_put_u8(&o, 2);
	CHECK(!o.failed);
	CHECK_EQ(o.len, 19);
	i = (struct fields_in){ o.buf, o.len, 0, false };
	CHECK(fields_get_bool(&i));
	CHECK_EQ(fields_get_u16(&i), 0x1234);
	CHECK_EQ(fields_get_u32(&i), 0x12345678);
	CHECK(fields_get_u64(&i) == 0x123456789abcdef0);
	fields_get(&i, s, 3);
	CHECK(!memcmp(s, "abc", 3));
	CHECK(!fields_end(&i));
	CHECK(!i.failed);
	fields_get_bool(&i);
	CHECK(i.failed);			/* 2 is no truth value */
	i = (struct fields_in){ o.buf, 3, 0, false };
	CHECK_EQ(fields_get_u64(&i), 0);
	CHECK(i.failed);
	CHECK_EQ(fields_get_u8(&i), 0);
	free(o.buf);
}

int main(void)
{
	ram_fill();
	test_bytes();
	test_crc();
	for (int level = 0; level < 2; level++) {
		test_whole(level);
		test_cut(level);
		test_changed(level);
		test_full(level);
	}
	test_not_zero();
	test_reserved();
	test_mark();
	test_others();
	return unit_done();
}
