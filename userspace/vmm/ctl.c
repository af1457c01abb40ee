// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: connections, bytes and lines.
 *
 * The loop never waits for a peer. A connection reads only while nothing is queued for it, so what it
 * can make us keep is one request and one answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/fdpass.h"
#include "vmm/ctl_verbs.h"
#include "vmm/loop.h"
#include "vmm/machine.h"

#define ACCEPT_PAUSE_NS	100000000ull	/* out of descriptors: try again after this */

struct ctl_conn {
	struct loop_source	src;
	struct ctl		*ctl;
	struct ctl_conn		*next;
	uint64_t		used;		/* loop_now() of the last request */
	bool			waiting;	/* "wait" asked, not answered */
	bool			saving;		/* "save" asked, not answered */
	bool			saved;		/* it was, and the VM waits for "save-end" */
	bool			gone;		/* peer sends no more: close when @out is empty */
	bool			bad;		/* answer is queued, then close */
	int			pass_fd;	/* goes with the first byte of @out; -1: none */
	int			came_fd;	/* came with what is in @in; -1: none */
	char			*out;		/* queued bytes, malloc()ed */
	size_t			out_len, out_sent;
	size_t			in_len;
	char			in[CTL_REQUEST_MAX];
};

struct ctl {
	struct loop_source	src;		/* the listening socket */
	struct loop_timer	again;		/* accept again */
	struct machine		*m;
	struct ctl_conn		*conns;
	unsigned int		nconns, nwaiting;
	uid_t			owner;
	uint64_t		born;
};

static void conn_close(struct ctl_conn *c)
{
	struct ctl_conn **p = &c->ctl->conns;

	if (c->saving || c->saved)
		machine_save_cancel(c->ctl->m);
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->ctl->nconns--;
	c->ctl->nwaiting -= c->waiting;
	loop_del(machine_loop(c->ctl->m), &c->src);
	close(c->src.fd);
	if (c->pass_fd >= 0)
		close(c->pass_fd);
	if (c->came_fd >= 0)
		close(c->came_fd);
	free(c->out);
	free(c);
}

/* Send what can be sent now. Return: 0, or -1 when the peer is gone. */
static int conn_flush(struct ctl_conn *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = fd_send(c->src.fd, c->out + c->out_sent, c->out_len - c->out_sent,
				    c->pass_fd, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
		c->out_sent += (size_t)n;
		if (c->pass_fd >= 0) {
			close(c->pass_fd);
			c->pass_fd = -1;
		}
	}
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_sent = 0;
	return 0;
}

/* Queue an answer; takes everything in it. Return: 0, or -1: hang up. */
static int conn_answer(struct ctl_conn *c, struct ctl_answer *ans)
{
	size_t len = ans->json ? json_dumpb(ans->json, NULL, 0, JSON_COMPACT) : 0;

	if (len && len <= CTL_REPLY_MAX)
		c->out = malloc(len + 1 + ans->raw_len);
	if (c->out) {
		json_dumpb(ans->json, c->out, len, JSON_COMPACT);
		c->out[len++] = '\n';
		if (ans->raw_len)
			memcpy(c->out + len, ans->raw, ans->raw_len);
		c->out_len = len + ans->raw_len;
		c->out_sent = 0;
		c->pass_fd = ans->fd;
	} else if (ans->fd >= 0) {
		close(ans->fd);
	}
	json_decref(ans->json);
	free(ans->raw);
	return c->out ? conn_flush(c) : -1;
}

/* The save of this connection has come to its end. */
static void conn_saved(void *arg, const struct state_err *e)
{
	struct ctl_answer ans = { .fd = -1 };
	struct ctl_conn *c = arg;

	c->saving = false;
	c->saved = !e;
	ctl_save_answer(c->ctl->m, e, &ans);
	if (conn_answer(c, &ans))
		conn_close(c);
	else if (c->out)
		loop_set(machine_loop(c->ctl->m), &c->src, EPOLLOUT);
}

static int conn_line(struct ctl_conn *c, const char *line, size_t len)
{
	struct ctl_answer ans = { .fd = -1 };
	struct ctl_request req;
	char why[128];

	c->used = loop_now();
	if (ctl_request_parse(line, len, &req, why, sizeof(why))) {
		ans.json = ctl_error(CTL_E_REQUEST, "%s", why);
	} else if (req.verb == CTL_WAIT) {
		if (c->ctl->nwaiting < CTL_WAITERS_MAX) {
			c->waiting = true;
			c->ctl->nwaiting++;
			return 0;
		}
		ans.json = ctl_error(CTL_E_LIMIT, "%d clients wait already", CTL_WAITERS_MAX);
	} else if (req.verb == CTL_SAVE) {
		c->saving = !ctl_save_begin(c->ctl->m, &req, &c->came_fd, conn_saved, c, &ans);
		if (c->saving)
			return 0;
	} else if (req.verb == CTL_SAVE_END) {
		if (c->saved)
			ctl_save_end(c->ctl->m, &ans);
		else
			ans.json = ctl_error(CTL_E_STATE, "nothing was saved here");
		c->saved = false;
	} else {
		ctl_verb_run(c->ctl->m, &req, c->ctl->born, &c->came_fd, &ans);
	}
	/* Whatever became of the line: its descriptor is not the next one's. */
	if (c->came_fd >= 0)
		close(c->came_fd);
	c->came_fd = -1;
	return conn_answer(c, &ans);
}

/* Handle the lines in @in until one's answer does not go out at once. Return: 0, or -1: hang up. */
static int conn_lines(struct ctl_conn *c)
{
	size_t at = 0;

	while (!c->out && !c->waiting && !c->saving) {
		char *nl = memchr(c->in + at, '\n', c->in_len - at);
		size_t end;

		if (!nl)
			break;
		end = (size_t)(nl - c->in);
		if (end > at && conn_line(c, c->in + at, end - at))
			return -1;
		at = end + 1;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	if (c->in_len == sizeof(c->in) && !c->out && !c->waiting && !c->saving) {
		struct ctl_answer ans = { .fd = -1 };

		ans.json = ctl_error(CTL_E_REQUEST, "the request is longer than %d bytes",
				     CTL_REQUEST_MAX);
		c->bad = true;
		return conn_answer(c, &ans);
	}
	return 0;
}

/*
 * recv(2) that takes a descriptor along; the kernel closes those for which there is no room. One that
 * came before and no line has taken yet goes.
 */
static ssize_t receive_with_fd(struct ctl_conn *c, void *buf, size_t len)
{
	union {
		char		space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} control = { 0 };
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
			      .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(c->src.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (c->came_fd >= 0)
			close(c->came_fd);
		memcpy(&c->came_fd, CMSG_DATA(h), sizeof(c->came_fd));
	}
	return n;
}

/* Return: 0, or -1: hang up. */
static int conn_read(struct ctl_conn *c)
{
	ssize_t n;

	if (c->waiting || c->saving) {
		char byte;

		/* Nothing may follow a "wait" but the end, nor a "save" but its answer. */
		n = recv(c->src.fd, &byte, 1, MSG_DONTWAIT);
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	n = receive_with_fd(c, c->in + c->in_len, sizeof(c->in) - c->in_len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!n)
		c->gone = true;
	c->in_len += (size_t)n;
	return conn_lines(c);
}

static void conn_ready(struct loop_source *src, uint32_t events)
{
	struct ctl_conn *c = (struct ctl_conn *)((char *)src - offsetof(struct ctl_conn, src));
	int ret = 0;

	if (c->out) {
		ret = conn_flush(c);
		if (!ret && !c->out && !c->bad)
			ret = conn_lines(c);
	} else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ret = conn_read(c);
	}
	if (ret || (events & EPOLLERR) || (!c->out && (c->gone || c->bad))) {
		conn_close(c);
		return;
	}
	events = c->out ? EPOLLOUT : EPOLLIN;
	if (events != c->src.events)
		loop_set(machine_loop(c->ctl->m), &c->src, events);
}

/* Make room for one more connection: the longest idle one that waits for nothing goes. */
static void make_room(struct ctl *ctl)
{
	struct ctl_conn *idle = NULL;

	if (ctl->nconns < CTL_CONNS_MAX)
		return;
	for (struct ctl_conn *c = ctl->conns; c; c = c->next)
		if (!c->waiting && !c->saving && !c->saved && (!idle || c->used < idle->used))
			idle = c;
	if (idle)
		conn_close(idle);
}

static bool peer_allowed(const struct ctl *ctl, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       (peer.uid == ctl->owner || peer.uid == 0);
}

static void listen_again(struct loop_timer *t)
{
	struct ctl *ctl = (struct ctl *)((char *)t - offsetof(struct ctl, again));

	loop_set(machine_loop(ctl->m), &ctl->src, EPOLLIN);
}

static void listen_ready(struct loop_source *src, uint32_t events)
{
	struct ctl *ctl = (struct ctl *)((char *)src - offsetof(struct ctl, src));
	struct ctl_conn *c;
	int fd;

	(void)events;
	fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* The connection stays pending: without a pause the loop would spin. */
			loop_set(machine_loop(ctl->m), src, 0);
			loop_timer_arm(machine_loop(ctl->m), &ctl->again, loop_now() + ACCEPT_PAUSE_NS);
		}
		return;
	}
	make_room(ctl);
	c = peer_allowed(ctl, fd) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	c->src = (struct loop_source){ .fd = fd, .events = EPOLLIN, .ready = conn_ready };
	c->ctl = ctl;
	c->pass_fd = c->came_fd = -1;
	c->used = loop_now();
	if (loop_add(machine_loop(ctl->m), &c->src)) {
		close(fd);
		free(c);
		return;
	}
	c->next = ctl->conns;
	ctl->conns = c;
	ctl->nconns++;
}

/* For hash tables that hold what clients send; never 0, which would mean /dev/urandom. */
static size_t seed(void)
{
	size_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
		v = loop_now();
	return v | 1;
}

int ctl_create(struct ctl **out, struct machine *m, int listen_fd)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));
	int ret;

	if (!ctl)
		return -ENOMEM;
	/* Seeded now: jansson would open /dev/urandom later, which the sandbox refuses. */
	json_object_seed(seed());
	ctl->m = m;
	ctl->owner = getuid();
	ctl->born = loop_now();
	ctl->src = (struct loop_source){ .fd = listen_fd, .events = EPOLLIN, .ready = listen_ready };
	ctl->again.fire = listen_again;
	ret = loop_add(machine_loop(m), &ctl->src);
	if (ret) {
		free(ctl);
		return ret;
	}
	*out = ctl;
	return 0;
}

void ctl_release(struct ctl *ctl)
{
	struct loop *loop;

	if (!ctl)
		return;
	loop = machine_loop(ctl->m);
	while (ctl->conns) {
		struct ctl_conn *c = ctl->conns;
		struct ctl_answer ans = { .fd = -1 };

		if (c->waiting) {
			ans.json = ctl_end_json(ctl->m);
			conn_answer(c, &ans);
		} else if (c->out) {
			conn_flush(c);
		}
		conn_close(c);
	}
	loop_timer_cancel(loop, &ctl->again);
	loop_del(loop, &ctl->src);
	close(ctl->src.fd);
	free(ctl);
}
