// SPDX-License-Identifier: GPL-2.0-or-later
/* One flavour of liburcu for all tables: memb, whose readers pay no barrier. */
#include <pthread.h>
#include <stdbool.h>

#include <urcu.h>

#include "readers.h"

static bool any;	/* a thread ever entered: until then nothing needs a grace period */
static _Thread_local bool entered;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;

static void thread_ends(void *arg)
{
	(void)arg;
	readers_leave();
}

static void key_make(void)
{
	pthread_key_create(&at_end, thread_ends);
}

void readers_enter(void)
{
	if (entered)
		return;
	entered = true;
	pthread_once(&once, key_make);
	pthread_setspecific(at_end, &any);
	__atomic_store_n(&any, true, __ATOMIC_SEQ_CST);
	rcu_register_thread();
}

void readers_leave(void)
{
	if (!entered)
		return;
	entered = false;
	pthread_setspecific(at_end, NULL);
	rcu_unregister_thread();
}

void readers_wait(void)
{
	if (__atomic_load_n(&any, __ATOMIC_SEQ_CST))
		synchronize_rcu();
}
