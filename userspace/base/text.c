// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading what people type. No locale, no strtol: signs, spaces and tails are errors here. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int digit(char c, unsigned int base)
{
	unsigned int v;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	else
		return -1;
	return v < base ? (int)v : -1;
}

/* Read digits at *@s and move it behind them. */
static int number(const char **s, unsigned int base, uint64_t *out)
{
	uint64_t v = 0;
	int d = digit(**s, base);

	if (d < 0)
		return -EINVAL;
	for (; d >= 0; d = digit(*++*s, base))
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return -ERANGE;
	*out = v;
	return 0;
}

int text_uint(const char *s, uint64_t max, uint64_t *out)
{
	unsigned int base = 10;
	uint64_t v;
	int ret;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	ret = number(&s, base, &v);
	if (ret)
		return ret;
	if (*s)
		return -EINVAL;
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int text_size(const char *s, uint64_t *out)
{
	static const char letters[] = "KMGT";
	const char *at;
	uint64_t v;
	int ret;

	ret = number(&s, 10, &v);
	if (ret)
		return ret;
	at = *s ? strchr(letters, *s & ~0x20) : NULL;
	if (at) {
		unsigned int shift = 10 * (unsigned int)(at - letters + 1);

		if (v > UINT64_MAX >> shift)
			return -ERANGE;
		v <<= shift;
		s++;
		if (s[0] == 'i' && s[1] == 'B')
			s += 2;
		else if (s[0] == 'B')
			s++;
	}
	if (*s)
		return -EINVAL;
	*out = v;
	return 0;
}

int text_duration(const char *s, uint64_t *out)
{
	static const struct { const char *name; uint64_t ms; } units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "h", 3600000 },
	};
	uint64_t v, frac = 0, scale = 1;
	int ret;

	ret = number(&s, 10, &v);
	if (ret)
		return ret;
	if (*s == '.') {
		if (digit(*++s, 10) < 0)
			return -EINVAL;
		for (; digit(*s, 10) >= 0; s++) {
			if (scale >= 1000000)
				continue;	/* finer than anyone can tell */
			frac = frac * 10 + (uint64_t)digit(*s, 10);
			scale *= 10;
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s, units[i].name))
			continue;
		if (v > UINT64_MAX / units[i].ms / 2)
			return -ERANGE;
		*out = v * units[i].ms + frac * units[i].ms / scale;
		return 0;
	}
	return -EINVAL;
}

const char *text_size_show(uint64_t bytes, char *buf, size_t len)
{
	static const char letters[] = "BKMGT";
	unsigned int i = 0;
	uint64_t v = bytes, rest = 0;

	for (; v >= 1024 && i < 4; i++) {
		rest = v % 1024;
		v /= 1024;
	}
	if (!i)
		snprintf(buf, len, "%" PRIu64, bytes);
	else if (rest / 103)
		snprintf(buf, len, "%" PRIu64 ".%u%c", v, (unsigned int)(rest * 10 / 1024), letters[i]);
	else
		snprintf(buf, len, "%" PRIu64 "%c", v, letters[i]);
	return buf;
}

const char *text_duration_show(uint64_t ms, char *buf, size_t len)
{
	uint64_t s = ms / 1000;

	if (s >= 86400)
		snprintf(buf, len, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(buf, len, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(buf, len, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else
		snprintf(buf, len, "%" PRIu64 "s", s);
	return buf;
}

#define WORD_MAX 31

unsigned int text_distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1], *two = row[0], *one = row[1], *now = row[2], *t;
	size_t na = strlen(a), nb = strlen(b), i, j;

	if (na > WORD_MAX || nb > WORD_MAX)
		return WORD_MAX + 1;
	for (j = 0; j <= nb; j++)
		one[j] = (unsigned int)j;
	for (i = 1; i <= na; i++) {
		now[0] = (unsigned int)i;
		for (j = 1; j <= nb; j++) {
			unsigned int best = one[j - 1] + (a[i - 1] != b[j - 1]);

			if (one[j] + 1 < best)
				best = one[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			now[j] = best;
		}
		t = two;
		two = one;
		one = now;
		now = t;
	}
	return one[nb];
}

void text_guess_try(struct text_guess *g, const char *candidate)
{
	unsigned int d = text_distance(g->word, candidate);
	size_t n = strlen(candidate);
	unsigned int near = n <= 3 ? 1 : n <= 7 ? 2 : 3;

	/* A started word counts as near: "cons" means console. */
	if (strlen(g->word) >= 3 && !strncmp(g->word, candidate, strlen(g->word)))
		d = 1;
	if (d > near || (g->best && d >= g->distance))
		return;
	g->best = candidate;
	g->distance = d;
}
