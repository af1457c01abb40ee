// SPDX-License-Identifier: GPL-2.0-or-later
/* SIGINT and SIGTERM as a flag. Blocked but for ppoll(), so that none slips in between test and sleep. */
#include <signal.h>
#include <time.h>

#include "hvctl/stopsig.h"

static volatile sig_atomic_t got;
static bool caught;
static sigset_t before;

static void on_signal(int sig)
{
	got = sig;
}

void stopsig_catch(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	if (caught)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	caught = true;
}

bool stopsig_got(void)
{
	return got;
}

int stopsig_poll(struct pollfd *p, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };

	return ppoll(p, n, timeout < 0 ? NULL : &ts, caught ? &before : NULL);
}
