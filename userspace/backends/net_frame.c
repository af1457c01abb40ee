// SPDX-License-Identifier: GPL-2.0-or-later
/* Checksums of frames that lie in pieces (RFC 1071). */
#include <string.h>

#include "net.h"

static uint64_t add(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

/* Sum of @len bytes as 16-bit words of this machine; @len may be odd. */
static uint64_t sum_bytes(const uint8_t *p, size_t len, uint64_t sum)
{
	uint64_t w[4], last = 0;

	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(w, p, sizeof(w));
		sum = add(add(add(add(sum, w[0]), w[1]), w[2]), w[3]);
	}
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(w, p, 8);
		sum = add(sum, w[0]);
	}
	memcpy(&last, p, len);
	return add(sum, last);
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t net_csum(const struct iovec *iov, unsigned int nr, uint32_t from, uint32_t len, uint32_t start)
{
	uint64_t sum = start;
	bool odd = false;

	for (unsigned int i = 0; i < nr && len; i++) {
		size_t n = iov[i].iov_len;
		uint16_t part;

		if (from >= n) {
			from -= (uint32_t)n;
			continue;
		}
		n = n - from < len ? n - from : len;
		part = fold(sum_bytes((const uint8_t *)iov[i].iov_base + from, n, 0));
		/* Behind an odd number of bytes the words are the other way round. */
		sum += odd ? __builtin_bswap16(part) : part;
		odd ^= n & 1;
		len -= (uint32_t)n;
		from = 0;
	}
	return fold(sum);
}

static uint8_t *byte_at(const struct iovec *iov, unsigned int nr, uint32_t at)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (at < iov[i].iov_len)
			return (uint8_t *)iov[i].iov_base + at;
		at -= (uint32_t)iov[i].iov_len;
	}
	return NULL;
}

void net_csum_complete(const struct iovec *iov, unsigned int nr, uint32_t bytes, const struct net_meta *meta)
{
	uint32_t at = (uint32_t)meta->csum_start + meta->csum_offset;
	uint8_t *low, *high, word[2];
	uint16_t sum;

	if (!(meta->flags & NET_META_CSUM) || meta->csum_start >= bytes || at + 2 > bytes)
		return;
	low = byte_at(iov, nr, at);
	high = byte_at(iov, nr, at + 1);
	if (!low || !high)
		return;
	sum = (uint16_t)~net_csum(iov, nr, meta->csum_start, bytes - meta->csum_start, 0);
	/* 0 would say "none" where UDP is (RFC 768), and is the same number. */
	sum = sum ? sum : 0xffff;
	memcpy(word, &sum, 2);
	*low = word[0];
	*high = word[1];
}
