/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libstate - files that hold the state of a VM
 *
 * A file is a header, a memory section and records; Documentation/save.rst has the format. Whoever reads
 * one trusts nothing in it: lengths are checked against the file, content against CRC32C, and what is
 * wrong has a name (enum state_fault). Nothing here knows what a record means.
 *
 * Functions return 0 or a negative errno value with @e filled in, and never print or exit. A file is for
 * one thread at a time.
 */
#ifndef LIBSTATE_STATE_H
#define LIBSTATE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_VERSION		1u		/* of the file: header and how records are told apart */
#define STATE_PAGE		4096u
#define STATE_CHUNK		(1u << 20)	/* bytes of guest memory with one CRC */
#define STATE_CHUNK_PAGES	(STATE_CHUNK / STATE_PAGE)
#define STATE_RECORD_MAX	(256u << 20)	/* bytes of one */
#define STATE_RECORDS_MAX	(1ull << 30)	/* bytes of all */
#define STATE_RAM_MAX		(1ull << 42)

/* What is wrong with a file. The names are part of the interface. */
enum state_fault {
	STATE_OK,
	STATE_NOT_SAVED,	/* "not-a-save-file": it holds something else */
	STATE_INCOMPLETE,	/* "incomplete": its writer never came to the end */
	STATE_VERSION_NEW,	/* "version": of the file or of a record, unknown here */
	STATE_TRUNCATED,	/* "truncated": shorter than it says */
	STATE_CORRUPT,		/* "corrupt": a checksum or a length is wrong */
	STATE_HOST,		/* "host": the file cannot be read or written, or there is no memory */
	STATE_FAULTS
};

struct state_err {
	enum state_fault fault;
	int	code;			/* negative errno */
	char	text[256];		/* one line; the file is not named */
};

const char *state_fault_name(enum state_fault f);
/* Fill in @e (may be NULL). Return: @code. */
int state_fail(struct state_err *e, enum state_fault fault, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* CRC32C (Castagnoli) of @len bytes behind others whose sum is @crc; 0 to begin. */
uint32_t state_crc(uint32_t crc, const void *p, size_t len);

/* ---- the format; little-endian, on disk as here ---- */

#define STATE_MAGIC "hvstate\n"

enum state_memory_kind {
	STATE_MEMORY_PLAIN,	/* page n of guest memory stands at @memory_at + n * STATE_PAGE; zero pages are holes */
	STATE_MEMORY_ZSTD,	/* chunks one behind the other, each the pages that are not zero, as one zstd frame */
	STATE_MEMORY_KINDS
};

/* At offset 0; written last. */
struct state_header {
	char		magic[8];
	uint32_t	version;
	uint32_t	memory_kind;	/* enum state_memory_kind */
	uint64_t	file_bytes;
	uint64_t	records_at, records_bytes;
	uint64_t	memory_at;	/* a multiple of STATE_PAGE */
	uint64_t	memory_bytes;	/* of the section in the file */
	uint64_t	ram_bytes;	/* of guest memory, a multiple of STATE_PAGE */
	uint32_t	records;	/* how many, the last one (STATE_REC_END) included */
	uint32_t	restores;	/* how often it was gone on from: state_mark() */
	uint32_t	rsvd[11];	/* 0 */
	uint32_t	crc;		/* of what is before it */
};

_Static_assert(sizeof(struct state_header) == 120, "the header has no gaps");

/* In front of each record's bytes; the next one begins at a multiple of 8. */
struct state_record_head {
	uint32_t	id;
	uint32_t	version;
	uint32_t	instance;	/* vCPU, controller, ...; else 0 */
	uint32_t	index;		/* of records that repeat */
	uint32_t	bytes;
	uint32_t	crc;		/* of the fields before it, then of the bytes */
};

#define STATE_REC_MEMORY	0xfffffffeu	/* struct state_chunk[], one for each STATE_CHUNK of memory */
#define STATE_REC_END		0xffffffffu	/* nothing follows */

struct state_chunk {
	uint32_t	bytes;		/* in the file: of the pages, or of the frame; 0: all pages are zero */
	uint32_t	crc;		/* of the pages that are there, in order */
	uint8_t		pages[STATE_CHUNK_PAGES / 8];	/* bit n % 8 of byte n / 8: page n is not zero */
};

/* ---- reading: the core, which touches no file ---- */

/* The first @len bytes of a file of @file_bytes. */
int state_header_check(struct state_header *out, const void *buf, size_t len, uint64_t file_bytes,
		       struct state_err *e);
/* All records, checked once. @buf is aligned to 8. */
int state_records_check(const struct state_header *h, const void *buf, struct state_err *e);

struct state_record {
	uint32_t	id, version, instance, index;
	uint32_t	len;
	const void	*data;		/* aligned to 8 */
};

/* The record at *@pos (0: the first one) of checked records, which moves to the next. False: the end. */
bool state_record_next(const struct state_header *h, const void *buf, size_t *pos,
		       struct state_record *out);

/* The table of chunks against the header. @at, if not NULL: room for a file offset a chunk. */
int state_chunks_check(const struct state_header *h, const struct state_record *table, uint64_t *at,
		       struct state_err *e);
uint64_t state_chunks(uint64_t ram_bytes);

/* ---- reading a file ---- */

struct state_file;

/* @fd stays the caller's, and must stay open. Header, records and table are checked; memory is not. */
int state_open(struct state_file **out, int fd, struct state_err *e);
void state_close(struct state_file *f);
const struct state_header *state_header(const struct state_file *f);
bool state_next(const struct state_file *f, size_t *pos, struct state_record *out);
/* The first record of these three. False: none. */
bool state_find(const struct state_file *f, uint32_t id, uint32_t instance, uint32_t index,
		struct state_record *out);
/*
 * Pages of chunk @n that are not zero, to @to, whose others are left alone. Corruption is found, but only
 * after @to was written. With @to NULL all of the chunk is checked, for those who map it: also that
 * pages without data are zeros.
 */
int state_chunk_read(struct state_file *f, uint64_t n, uint8_t *to, struct state_err *e);
const struct state_chunk *state_chunk(const struct state_file *f, uint64_t n);
/*
 * Note in the file, which must be open for writing, that it is gone on from. The header has then how often it
 * was before. -EWOULDBLOCK: somebody else does so now.
 */
int state_mark(struct state_file *f, struct state_err *e);

/* ---- writing ---- */

struct state_writer;

/* @fd: an empty file, seekable; stays the caller's. @level: 0, or of zstd, 1..19. */
int state_writer_create(struct state_writer **out, int fd, uint64_t ram_bytes, int level,
			struct state_err *e);
void state_writer_release(struct state_writer *w);
/* Kept in memory until state_writer_finish(). */
int state_put(struct state_writer *w, uint32_t id, uint32_t version, uint32_t instance, uint32_t index,
	      const void *data, size_t len, struct state_err *e);
/* Chunk @n, each one once, in order; @p is all of it (the last one may be short) and does not change. */
int state_put_chunk(struct state_writer *w, uint64_t n, const uint8_t *p, struct state_err *e);
/* Write records and header, have all of it on disk. */
int state_writer_finish(struct state_writer *w, struct state_err *e);
/* Bytes written so far. */
uint64_t state_written(const struct state_writer *w);

#endif
