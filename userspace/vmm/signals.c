// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals of the VM process. SIGINT, SIGTERM and SIGHUP come through a signalfd and end the VM; SIGUSR1
 * kicks a vCPU thread out of the guest; a fatal one gives the terminal back and names itself in the log.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backends/tty.h"
#include "backends/window.h"
#include "machine_impl.h"

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
static const struct { int nr; const char *text; } fatal[] = {
	{ SIGSEGV, "the VM process died: SIGSEGV" }, { SIGBUS, "the VM process died: SIGBUS" },
	{ SIGILL, "the VM process died: SIGILL" }, { SIGFPE, "the VM process died: SIGFPE" },
	{ SIGABRT, "the VM process died: SIGABRT" },
	{ SIGSYS, "the VM process died: a system call its sandbox refuses" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vmm_log *fatal_log;	/* a signal handler has no other way to it */

static void kick_handler(int nr)
{
	(void)nr;	/* its arrival is all that matters */
}

static void fatal_handler(int nr, siginfo_t *info, void *ctx)
{
	unsigned int i;

	(void)ctx;
	tty_raw_leave();
	for (i = 0; i < COUNT(fatal); i++)
		if (fatal[i].nr == nr)
			vmm_log_fatal(fatal_log, fatal[i].text,
				      nr == SIGSYS ? info->si_syscall : (long)info->si_addr);
	signal(nr, SIG_DFL);
	raise(nr);
}

static void signals_ready(struct loop_source *src, uint32_t events)
{
	struct machine *m = dev_container(src, struct machine, signals);
	struct signalfd_siginfo si;

	(void)events;
	if (read(src->fd, &si, sizeof(si)) != sizeof(si))
		return;
	machine_end_post(m, VMM_END_KILLED, 0, "killed by signal %u (%s)", si.ssi_signo,
			 si.ssi_signo == SIGINT ? "SIGINT" : si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGHUP");
}

int signals_fatal(struct machine *m)
{
	struct sigaction sa = { .sa_sigaction = fatal_handler, .sa_flags = SA_SIGINFO | SA_RESETHAND };
	unsigned int i;

	fatal_log = m->log;
	for (i = 0; i < COUNT(fatal); i++)
		sigaction(fatal[i].nr, &sa, NULL);
	return window_catch();
}

int signals_init(struct machine *m)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	sigset_t set;
	unsigned int i;

	sigaction(SIGNAL_KICK, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigemptyset(&set);
	for (i = 0; i < COUNT(ending); i++)
		sigaddset(&set, ending[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	m->signals = (struct loop_source){ .events = EPOLLIN, .ready = signals_ready };
	m->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signals.fd < 0)
		return -errno;
	return loop_add(m->loop, &m->signals);
}

void signals_release(struct machine *m)
{
	fatal_log = NULL;
	if (m->signals.fd >= 0)
		close(m->signals.fd);
	m->signals.fd = -1;
}
