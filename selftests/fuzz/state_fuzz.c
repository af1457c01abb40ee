// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file with a saved VM, whatever is in it. Checksums would stop nearly all inputs at the door: those of
 * the header and of the records are set right first, unless the last byte of the input is odd.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libstate/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sums_set(uint8_t *buf, size_t size)
{
	struct state_record_head head;
	struct state_header h;
	uint64_t pos;

	if (size < sizeof(h))
		return;
	memcpy(&h, buf, sizeof(h));
	h.crc = state_crc(0, &h, offsetof(struct state_header, crc));
	memcpy(buf, &h, sizeof(h));
	for (pos = h.records_at; pos < size && size - pos >= sizeof(head);
	     pos += sizeof(head) + ((head.bytes + 7ull) & ~7ull)) {
		memcpy(&head, buf + pos, sizeof(head));
		if (head.bytes > size - pos - sizeof(head))
			return;
		head.crc = state_crc(0, &head, offsetof(struct state_record_head, crc));
		head.crc = state_crc(head.crc, buf + pos + sizeof(head), head.bytes);
		memcpy(buf + pos, &head, sizeof(head));
	}
}

static void all_read(struct state_file *f)
{
	static uint8_t chunk[STATE_CHUNK];
	uint64_t n = state_chunks(state_header(f)->ram_bytes);
	volatile uint8_t sum = 0;
	struct state_record r;
	struct state_err e;
	size_t pos = 0;

	while (state_next(f, &pos, &r))
		for (uint32_t i = 0; i < r.len; i++)
			sum += ((const uint8_t *)r.data)[i];
	for (uint64_t i = 0; i < n && i < 4; i++) {
		memset(&e, 0, sizeof(e));
		if (state_chunk_read(f, i, chunk, &e) && (!e.fault || !e.text[0]))
			abort();
		memset(&e, 0, sizeof(e));
		if (state_chunk_read(f, i, NULL, &e) && (!e.fault || !e.text[0]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	uint8_t *buf = malloc(size + 1);
	struct state_err e = { 0 };
	struct state_file *f;

	if (size)
		memcpy(buf, data, size);
	if (size && !(data[size - 1] & 1))
		sums_set(buf, size);
	if (write(fd, buf, size) != (ssize_t)size)
		abort();
	free(buf);
	if (!state_open(&f, fd, &e)) {
		all_read(f);
		state_close(f);
	} else if (!e.fault || !e.text[0] || e.code >= 0) {
		abort();
	}
	close(fd);
	return 0;
}
