// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which pages of a chunk are not zero. */
#include <emmintrin.h>
#include <string.h>

#include "impl.h"

unsigned int state_run(const uint8_t *pages, unsigned int *first)
{
	unsigned int i = *first, end;

	while (i < STATE_CHUNK_PAGES && !(pages[i / 8] >> i % 8 & 1))
		i++;
	for (end = i; end < STATE_CHUNK_PAGES && pages[end / 8] >> end % 8 & 1; end++)
		;
	*first = i;
	return end - i;
}

unsigned int state_pages(const uint8_t *pages)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < STATE_CHUNK_PAGES / 8; i++)
		n += (unsigned int)__builtin_popcount(pages[i]);
	return n;
}

/* Most pages that are not zero show it in their first words. */
static bool is_zero(const uint8_t *page)
{
	const __m128i *p = (const __m128i *)page, *end = p + STATE_PAGE / sizeof(*p);
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	if (first)
		return false;
	for (; p < end; p += 8) {
		__m128i a = _mm_or_si128(_mm_or_si128(_mm_or_si128(p[0], p[1]), _mm_or_si128(p[2], p[3])),
					 _mm_or_si128(_mm_or_si128(p[4], p[5]), _mm_or_si128(p[6], p[7])));

		if (_mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128())) != 0xffff)
			return false;
	}
	return true;
}

unsigned int state_pages_find(const uint8_t *p, unsigned int nr, uint8_t *pages)
{
	unsigned int found = 0;

	memset(pages, 0, STATE_CHUNK_PAGES / 8);
	for (unsigned int i = 0; i < nr; i++) {
		if (is_zero(p + (size_t)i * STATE_PAGE))
			continue;
		pages[i / 8] |= (uint8_t)(1 << i % 8);
		found++;
	}
	return found;
}
