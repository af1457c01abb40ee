/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpus.h - which of the host's CPUs a test uses: a lab may keep some for itself */
#ifndef HV_TEST_CPUS_H
#define HV_TEST_CPUS_H

/* The first two CPUs this process may run on. The test ends if there are not two. */
void cpus_two(int cpu[2]);
/* Thread @tid (0: the caller) runs on @cpu only; 0 or -errno. Its future threads inherit that. */
int cpu_pin(int tid, int cpu);
/* The same with two CPUs. */
int cpu_pin_two(int tid, const int cpu[2]);

#endif /* HV_TEST_CPUS_H */
