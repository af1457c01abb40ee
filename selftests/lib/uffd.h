/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uffd.h - memory whose missing pages are the test's to give (userfaultfd) */
#ifndef HV_TEST_UFFD_H
#define HV_TEST_UFFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Watch [@p, @p + @bytes) for missing pages; the fd. The test ends if it can't be. */
int uffd_open(void *p, size_t bytes);
/* The address of the next page somebody waits for, within @ms; NULL: nobody did. */
void *uffd_asked(int fd, int ms);
/* Give the page at @at the content of @page (4096 bytes), NULL: zeroes. A page that is there stays. */
void uffd_give(int fd, void *at, const void *page);

#endif /* HV_TEST_UFFD_H */
