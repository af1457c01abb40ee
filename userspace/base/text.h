/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what people type: numbers, sizes, seconds, and words that are nearly right.
 * Parsers take the whole string or fail: no leading space, sign, or tail.
 */
#ifndef HV_BASE_TEXT_H
#define HV_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x. Return: 0, -EINVAL (no number), -ERANGE (above @max). */
int text_uint(const char *s, uint64_t max, uint64_t *out);

/*
 * Bytes: a decimal number with an optional binary suffix K, M, G or T (either case), which may be
 * followed by iB or B. Return: 0, -EINVAL, -ERANGE (beyond 64 bits).
 */
int text_size(const char *s, uint64_t *out);

/* Seconds with an optional fraction, "2.5", or suffix ms, s, m or h. @out in ms. Return as above. */
int text_duration(const char *s, uint64_t *out);

/* "512M", "1.5G", "300K" or bytes, into @buf. Return: @buf. */
const char *text_size_show(uint64_t bytes, char *buf, size_t len);

/* "3d 4h", "2h 5m", "12m 3s" or "7s", into @buf. Return: @buf. */
const char *text_duration_show(uint64_t ms, char *buf, size_t len);

/*
 * Number of single-letter inserts, deletes, replacements and swaps of neighbours that turn @a into @b;
 * words longer than 31 bytes count as unlike (returns 32).
 */
unsigned int text_distance(const char *a, const char *b);

/*
 * "Did you mean": feed the candidates one by one; the best one stays in @best.
 * A candidate is taken when it is near enough for its length to be a slip of the fingers.
 */
struct text_guess {
	const char	*word;		/* what was typed */
	const char	*best;		/* NULL: nothing near */
	unsigned int	distance;	/* of best */
};
void text_guess_try(struct text_guess *g, const char *candidate);

#endif
