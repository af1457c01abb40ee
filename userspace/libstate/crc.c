// SPDX-License-Identifier: LGPL-2.1-or-later
/* CRC32C: polynomial 0x1edc6f41, reflected (RFC 3720, appendix B.4). By instruction where the CPU has it. */
#include <nmmintrin.h>
#include <stdbool.h>
#include <string.h>

#include "state.h"

#define POLY 0x82f63b78u	/* reflected */

/* Four bits at a time: a table that is made, and checked, easily. For CPUs without SSE4.2. */
static uint32_t crc_slow(uint32_t crc, const uint8_t *p, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

__attribute__((target("sse4.2")))
static uint32_t crc_fast(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t v, c = crc;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	while (len--)
		c = _mm_crc32_u8((uint32_t)c, *p++);
	return (uint32_t)c;
}

uint32_t state_crc(uint32_t crc, const void *p, size_t len)
{
	crc = ~crc;
	return ~(__builtin_cpu_supports("sse4.2") ? crc_fast(crc, p, len) : crc_slow(crc, p, len));
}
