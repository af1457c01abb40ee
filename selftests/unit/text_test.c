// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers, sizes, times and near misses as people type them. */
#include <errno.h>

#include "base/text.h"
#include "selftests/unit/lib/unit.h"

static void test_uint(void)
{
	uint64_t v = 99;

	CHECK_EQ(text_uint("0", 10, &v), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(text_uint("0x1F", 100, &v), 0);
	CHECK_EQ(v, 31);
	CHECK_EQ(text_uint("18446744073709551615", UINT64_MAX, &v), 0);
	CHECK(v == UINT64_MAX);
	CHECK_EQ(text_uint("18446744073709551616", UINT64_MAX, &v), -ERANGE);
	CHECK_EQ(text_uint("11", 10, &v), -ERANGE);
	CHECK_EQ(text_uint("", 10, &v), -EINVAL);
	CHECK_EQ(text_uint("0x", 10, &v), -EINVAL);
	CHECK_EQ(text_uint("-1", 10, &v), -EINVAL);
	CHECK_EQ(text_uint(" 1", 10, &v), -EINVAL);
	CHECK_EQ(text_uint("1 ", 10, &v), -EINVAL);
	CHECK_EQ(text_uint("1a", 10, &v), -EINVAL);
}

static void test_size(void)
{
	static const struct { const char *text; int ret; uint64_t want; } t[] = {
		{ "512M", 0, 512ull << 20 }, { "4G", 0, 4ull << 30 }, { "4g", 0, 4ull << 30 },
		{ "1T", 0, 1ull << 40 }, { "8K", 0, 8192 }, { "77", 0, 77 }, { "2GiB", 0, 2ull << 30 },
		{ "2GB", 0, 2ull << 30 }, { "2Gi", -EINVAL, 0 }, { "M", -EINVAL, 0 }, { "", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 }, { "-1G", -EINVAL, 0 }, { "1G ", -EINVAL, 0 }, { "1X", -EINVAL, 0 },
		{ "16777215T", 0, 16777215ull << 40 }, { "16777216T", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 }, { "1\x4b\x80", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t v = 0;

		CHECK_EQ(text_size(t[i].text, &v), t[i].ret);
		CHECK_EQ(v, t[i].want);
	}
}

static void test_duration(void)
{
	static const struct { const char *text; int ret; uint64_t want; } t[] = {
		{ "30", 0, 30000 }, { "2.5", 0, 2500 }, { "250ms", 0, 250 }, { "2m", 0, 120000 },
		{ "1h", 0, 3600000 }, { "1.5s", 0, 1500 }, { "0.0005", 0, 0 }, { ".5", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 }, { "1.s", -EINVAL, 0 }, { "1d", -EINVAL, 0 }, { "", -EINVAL, 0 },
		{ "18446744073709551615h", -ERANGE, 0 }, { "0.333333333333333333333333", 0, 333 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t v = 0;

		CHECK_EQ(text_duration(t[i].text, &v), t[i].ret);
		CHECK_EQ(v, t[i].want);
	}
}

static void test_show(void)
{
	char b[32];

	CHECK(!strcmp(text_size_show(512ull << 20, b, sizeof(b)), "512M"));
	CHECK(!strcmp(text_size_show(3ull << 29, b, sizeof(b)), "1.5G"));
	CHECK(!strcmp(text_size_show(1023, b, sizeof(b)), "1023"));
	CHECK(!strcmp(text_size_show(5ull << 50, b, sizeof(b)), "5120T"));
	CHECK(!strcmp(text_duration_show(7999, b, sizeof(b)), "7s"));
	CHECK(!strcmp(text_duration_show(125000, b, sizeof(b)), "2m 5s"));
	CHECK(!strcmp(text_duration_show(90061000, b, sizeof(b)), "1d 1h"));
}

static const char *guess(const char *word)
{
	static const char *const words[] = { "run", "start", "list", "stats", "stop", "console", "kill" };
	struct text_guess g = { .word = word };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		text_guess_try(&g, words[i]);
	return g.best ? g.best : "";
}

static void test_guess(void)
{
	CHECK_EQ(text_distance("kitten", "sitting"), 3);
	CHECK_EQ(text_distance("ab", "ba"), 1);
	CHECK_EQ(text_distance("", "abc"), 3);
	CHECK_EQ(text_distance("a-word-that-is-too-long-for-this", "a"), 32);
	CHECK(!strcmp(guess("lsit"), "list"));
	CHECK(!strcmp(guess("cons"), "console"));
	CHECK(!strcmp(guess("strat"), "start"));
	CHECK(!strcmp(guess("rn"), "run"));
	CHECK(!strcmp(guess("xylophone"), ""));
	CHECK(!strcmp(guess(""), ""));
}

int main(void)
{
	test_uint();
	test_size();
	test_duration();
	test_show();
	test_guess();
	return unit_done();
}
