// SPDX-License-Identifier: GPL-2.0-or-later
/* One flavour of liburcu for all tables: memb, whose readers pay no barrier. */
#include <stdbool.h>

#include <urcu.h>

#include "readers.h"

static bool any;	/* a thread ever entered: until then nothing needs a grace period */

void readers_enter(void)
{
	__atomic_store_n(&any, true, __ATOMIC_SEQ_CST);
	rcu_register_thread();
}

void readers_leave(void)
{
	rcu_unregister_thread();
}

void readers_wait(void)
{
	if (__atomic_load_n(&any, __ATOMIC_SEQ_CST))
		synchronize_rcu();
}
