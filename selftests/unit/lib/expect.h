/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect.h - checks of a unit test, header only
 *
 * A failed check prints where and what, and the program goes on; main() ends with
 * `return expect_done();`, 0 if every check held.
 */
#ifndef SELFTESTS_UNIT_EXPECT_H
#define SELFTESTS_UNIT_EXPECT_H

#include <stdio.h>

static unsigned long expect_nr, expect_bad;

#define EXPECT(cond)								\
	do {									\
		expect_nr++;							\
		if (!(cond)) {							\
			expect_bad++;						\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
		}								\
	} while (0)

#define EXPECT_EQ(got, want)							\
	do {									\
		unsigned long long got_ = (unsigned long long)(got);		\
		unsigned long long want_ = (unsigned long long)(want);		\
		expect_nr++;							\
		if (got_ != want_) {						\
			expect_bad++;						\
			fprintf(stderr, "%s:%d: %s is %#llx, not %#llx\n", __FILE__,	\
				__LINE__, #got, got_, want_);			\
		}								\
	} while (0)

static inline int expect_done(void)
{
	printf("%lu checks, %lu failed\n", expect_nr, expect_bad);
	return expect_bad != 0;
}

#endif /* SELFTESTS_UNIT_EXPECT_H */
