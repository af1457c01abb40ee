/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memgroup.h - a memory cgroup for processes that die, and what stays charged to it
 *
 * Everything a VM has (slab, tables, pages, vmalloc) is charged to the group of the process that made it.
 * What stays charged when all of them are dead is leaked, whatever else the machine does.
 */
#ifndef HV_TEST_MEMGROUP_H
#define HV_TEST_MEMGROUP_H

/* Make it; the test ends if there is no memory controller. */
void memgroup_make(void);
/* The caller joins. */
void memgroup_join(void);
/* A row of its memory.stat. */
unsigned long memgroup_stat(const char *name);
/*
 * All are dead: checks that each kind of memory is down to @bytes, waiting for it up to some
 * seconds, and removes the group. @n: how many they were, for the text.
 */
void memgroup_check(unsigned long bytes, unsigned int n);

#endif /* HV_TEST_MEMGROUP_H */
