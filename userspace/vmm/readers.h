/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that read RCU tables of the VMM: the I/O bus and the map of guest memory. */
#ifndef HV_VMM_READERS_H
#define HV_VMM_READERS_H

/* Every thread that looks up in such a table calls these first and last. */
void readers_enter(void);
void readers_leave(void);

/* Wait until no thread reads a table replaced before. Not inside rcu_read_lock(). */
void readers_wait(void);

#endif
