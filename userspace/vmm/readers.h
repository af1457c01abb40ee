/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that read RCU tables of the VMM: the I/O bus and the map of guest memory. */
#ifndef HV_VMM_READERS_H
#define HV_VMM_READERS_H

/*
 * A thread enters before its first look into such a table: vCPU threads and the loop thread say so, others, of
 * devices and backends, do by their first memmap_get(). The end of a thread leaves; calling either twice does no harm.
 */
void readers_enter(void);
void readers_leave(void);

/* Wait until no thread reads a table replaced before. Not inside rcu_read_lock(). */
void readers_wait(void);

#endif
