// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * console: the terminal, connected to the guest's serial port.
 *
 * Two descriptors come from the VM: the stream, and the control connection with "wait" asked on it, which
 * tells an end of the VM from the loss of the console to somebody else.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/tty.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"

#define END_PATIENCE_MS	300	/* between end-of-file on the stream and the VM's last word */

struct session {
	struct client	client;
	int		stream;
	uint8_t		escape;		/* 0: none */
	bool		readonly;
	bool		tty;
	char		out[4096];	/* typed, not yet taken by the VM */
	size_t		out_len;
	bool		in_eof;
};

static volatile sig_atomic_t end_signal, stop_signal;

static void on_end(int sig)
{
	end_signal = sig;
}

static void on_stop(int sig)
{
	stop_signal = sig;
}

/* Signals that a terminal or an operator sends; each leaves the terminal as it was found. */
static void catch_signals(sigset_t *waiting)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_end };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(&set, ends[i]);
		sigaction(ends[i], &sa, NULL);
	}
	sa.sa_handler = on_stop;
	sigaddset(&set, SIGTSTP);
	sigaction(SIGTSTP, &sa, NULL);
	/* Held back but in ppoll(), so that none slips in between test and sleep. */
	sigprocmask(SIG_BLOCK, &set, waiting);
}

/* Crashes too: the handler restores the terminal and lets the signal do its work. */
static void on_crash(int sig)
{
	tty_raw_leave();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void catch_crashes(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], on_crash);
}

/* Stopped by a signal from outside (typed ^Z goes to the guest). */
static void suspend(const struct session *s, const sigset_t *waiting)
{
	struct sigaction sa = { .sa_handler = SIG_DFL }, old;
	sigset_t mask;

	tty_raw_leave();
	sigaction(SIGTSTP, &sa, &old);
	raise(SIGTSTP);
	sigprocmask(SIG_SETMASK, waiting, &mask);	/* here we stop, and here we go on */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &old, NULL);
	stop_signal = 0;
	if (s->tty)
		tty_raw_enter(STDIN_FILENO);
}

static int write_all(const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&p, 1, 1000);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

enum step { GO_ON, DETACHED, CLOSED, BROKEN };

static enum step from_guest(struct session *s)
{
	char buf[8192];
	ssize_t n = recv(s->stream, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? GO_ON : CLOSED;
	if (!n)
		return CLOSED;
	return write_all(buf, (size_t)n) ? BROKEN : GO_ON;
}

static enum step from_user(struct session *s)
{
	char buf[sizeof(s->out)];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf) - s->out_len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? GO_ON : DETACHED;
	if (!n) {
		/* A terminal that went away detaches; a pipe has said all it had to say. */
		s->in_eof = true;
		return s->tty ? DETACHED : GO_ON;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (s->escape && s->tty && (uint8_t)buf[i] == s->escape)
			return DETACHED;
		if (!s->readonly)
			s->out[s->out_len++] = buf[i];
	}
	return GO_ON;
}

static void to_guest(struct session *s)
{
	ssize_t n = send(s->stream, s->out, s->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n <= 0)
		return;
	s->out_len -= (size_t)n;
	memmove(s->out, s->out + n, s->out_len);
}

static enum step turn(struct session *s, const sigset_t *waiting)
{
	struct pollfd p[2] = {
		{ .fd = s->stream, .events = POLLIN | (s->out_len ? POLLOUT : 0) },
		{ .fd = s->in_eof || s->out_len == sizeof(s->out) ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	enum step next = GO_ON;

	if (stop_signal)
		suspend(s, waiting);
	if (ppoll(p, 2, NULL, waiting) < 0)
		return GO_ON;	/* a signal: SIGWINCH needs nothing, the others are looked at by the caller */
	if (p[1].revents)
		next = from_user(s);
	if (next == GO_ON && s->out_len)
		to_guest(s);
	if (next == GO_ON && (p[0].revents & (POLLIN | POLLHUP | POLLERR)))
		next = from_guest(s);
	return next;
}

static int attach(struct ctx *ctx, struct session *s)
{
	unsigned int keys = 0;
	json_t *reply;
	int ret = client_open(&s->client, ctx->line.arg[0], &ctx->err);

	s->readonly = opt_has(&ctx->line, "read-only");
	if (s->readonly)
		keys |= CTL_KEY_READONLY;
	if (opt_has(&ctx->line, "force"))
		keys |= CTL_KEY_FORCE;
	if (!ret)
		ret = client_send_and_wait(&s->client, CTL_CONSOLE, keys, &ctx->err);
	if (!ret)
		ret = client_receive(&s->client, &reply, &s->stream, CLIENT_PATIENCE_MS, &ctx->err);
	if (ret == RC_BUSY && !s->readonly)
		err_next(&ctx->err, "take it with --force, or watch with --read-only");
	if (ret)
		return ret;
	json_decref(reply);
	if (s->stream < 0)
		return err_set(&ctx->err, RC_FAILED, NULL, "VM '%s' sent no console", s->client.name);
	return 0;
}

static void say_hint(const struct ctx *ctx, const struct session *s)
{
	char esc[8];

	if (ctx->quiet || !s->tty)
		return;
	if (s->escape)
		fprintf(stderr, "hvctl: console of VM '%s'%s; %s detaches\n", s->client.name,
			s->readonly ? ", read-only" : "", tty_escape_name(s->escape, esc));
	else
		fprintf(stderr, "hvctl: console of VM '%s'; no escape character, hvctl console --force from "
				"elsewhere takes it\n", s->client.name);
}

/* The stream ended: because the VM did, or because somebody took the console? */
static int closed(struct ctx *ctx, struct session *s)
{
	json_t *reply;
	int ret = client_receive(&s->client, &reply, NULL, END_PATIENCE_MS, &ctx->err);

	if (!ret) {
		if (!ctx->quiet)
			fprintf(stderr, "hvctl: VM '%s' ended: %s\n", s->client.name,
				json_string_value(json_object_get(json_object_get(reply, "end"), "cause")));
		json_decref(reply);
		return 0;
	}
	if (ret == RC_TIMEOUT)
		return err_set(&ctx->err, RC_BUSY, "hvctl console --force takes it back",
			       "another client took the console of VM '%s'", s->client.name);
	err_set(&ctx->err, RC_FAILED, NULL, "the process of VM '%s' died", s->client.name);
	return err_next(&ctx->err, "hvctl logs %s may tell more", s->client.name);
}

int cmd_console(struct ctx *ctx)
{
	static struct session s = { .client.fd = -1, .stream = -1, .escape = 0x1d };
	const char *escape = opt_value(&ctx->line, "escape");
	enum step step = GO_ON;
	sigset_t waiting;
	int ret, c = escape ? tty_escape_parse(escape) : s.escape;

	if (c < 0)
		return err_set(&ctx->err, RC_USAGE, "write ^a, a single character, or none",
			       "option --escape: '%s' is not a character", escape);
	s.escape = (uint8_t)c;
	s.tty = isatty(STDIN_FILENO);
	ret = attach(ctx, &s);
	if (ret)
		return ret;
	say_hint(ctx, &s);
	catch_signals(&waiting);
	catch_crashes();
	if (s.tty)
		tty_raw_enter(STDIN_FILENO);
	while (step == GO_ON && !end_signal)
		step = turn(&s, &waiting);
	tty_raw_leave();
	if (s.tty && !ctx->quiet)
		fputc('\n', stderr);
	close(s.stream);
	if (end_signal)
		ret = err_set(&ctx->err, RC_CANCELLED, NULL, "detached by a signal; VM '%s' goes on",
			      s.client.name);
	else if (step == CLOSED)
		ret = closed(ctx, &s);
	else if (step == BROKEN)
		ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot write the console's output");
	client_close(&s.client);
	return ret;
}
