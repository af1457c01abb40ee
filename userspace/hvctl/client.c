// SPDX-License-Identifier: GPL-2.0-or-later
/* The client of the control socket. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fdpass.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "hvctl/stopsig.h"

int client_open(struct client *c, const char *name, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int ret;

	*c = (struct client){ .fd = -1 };
	snprintf(c->name, sizeof(c->name), "%s", name);
	ret = rundir_connect(name, &c->fd, NULL, err);
	if (ret)
		return ret;
	if (!getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		c->pid = peer.pid;
	return 0;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	*c = (struct client){ .fd = -1 };
}

static int hung_up(const struct client *c, struct err *err)
{
	return err_set(err, RC_FAILED, "hvctl list shows the VMs that are there",
		       "VM '%s' hung up (it is ending, or it belongs to another user)", c->name);
}

static int send_lines(struct client *c, enum ctl_verb verb, unsigned int keys, bool wait, struct err *err)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "{\"verb\":\"%s\"%s%s}\n%s", ctl_verb_name(verb),
			 keys & CTL_KEY_READONLY ? ",\"readonly\":true" : "",
			 keys & CTL_KEY_FORCE ? ",\"force\":true" : "",
			 wait ? "{\"verb\":\"wait\"}\n" : "");

	/* A request is far smaller than a socket's buffer: it goes out whole or the peer is gone. */
	if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) == n)
		return 0;
	return hung_up(c, err);
}

int client_send(struct client *c, enum ctl_verb verb, unsigned int keys, struct err *err)
{
	return send_lines(c, verb, keys, false, err);
}

int client_send_and_wait(struct client *c, enum ctl_verb verb, unsigned int keys, struct err *err)
{
	return send_lines(c, verb, keys, true, err);
}

int client_send_json(struct client *c, json_t *request, int fd, struct err *err)
{
	char text[CTL_REQUEST_MAX];
	size_t n = request ? json_dumpb(request, text, sizeof(text) - 1, JSON_COMPACT) : 0;

	json_decref(request);
	if (!n || n >= sizeof(text))
		return err_set(err, RC_FAILED, NULL, n ? "the request is too long" : "no memory");
	text[n++] = '\n';
	if (fd_send(c->fd, text, n, fd, MSG_NOSIGNAL) == (ssize_t)n)
		return 0;
	return hung_up(c, err);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Take a descriptor out of @msg, closing all but the first. */
static void take_fd(struct msghdr *msg, int *fd)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(h) + i * sizeof(int), sizeof(got));
			if (fd && *fd < 0)
				*fd = got;
			else
				close(got);
		}
	}
}

/* Read more into the buffer. Return: 0, RC_TIMEOUT, RC_CANCELLED, or RC_FAILED at the end. */
static int fill(struct client *c, int *fd, int64_t deadline, struct err *err)
{
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int left = -1, ret;
	ssize_t n;
	char *more;

	if (deadline >= 0) {
		int64_t rest = deadline - now_ms();

		left = rest < 0 ? 0 : (int)rest;
	}
	ret = stopsig_poll(&p, 1, left);
	if (stopsig_got())
		return err_set(err, RC_CANCELLED, NULL, "cancelled; VM '%s' goes on", c->name);
	if (ret == 0) {
		err_set(err, RC_TIMEOUT, NULL, "VM '%s' did not answer in time", c->name);
		return err_next(err, "hvctl kill --force %s ends it, whatever it does", c->name);
	}
	more = realloc(c->buf, c->len + 65536);
	if (!more)
		return err_set(err, RC_FAILED, NULL, "no memory");
	c->buf = more;
	iov = (struct iovec){ c->buf + c->len, 65536 };
	n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(err, RC_FAILED, "hvctl list shows whether it is still there",
			       "VM '%s' hung up without an answer", c->name);
	take_fd(&msg, fd);
	c->len += (size_t)n;
	return 0;
}

static void drop(struct client *c, size_t n)
{
	c->len -= n;
	memmove(c->buf, c->buf + n, c->len);
}

/* The error the VM sent, as one of ours. */
static int reply_error(const struct client *c, json_t *reply, struct err *err)
{
	static const struct { const char *word; int rc; const char *next; } map[] = {
		{ CTL_E_REQUEST, RC_UNSUPPORTED, "is the VM of another version of hvctl?" },
		{ CTL_E_STATE, RC_STATE, NULL },
		{ CTL_E_BUSY, RC_BUSY, NULL },
		{ CTL_E_LIMIT, RC_BUSY, NULL },
		{ CTL_E_INVALID, RC_INVALID, NULL },
	};
	const char *word = json_string_value(json_object_get(reply, "error"));
	const char *text = json_string_value(json_object_get(reply, "message"));
	const char *told = json_string_value(json_object_get(reply, "next"));
	int rc = RC_FAILED;
	const char *next = NULL;

	for (size_t i = 0; word && i < sizeof(map) / sizeof(map[0]); i++)
		if (!strcmp(word, map[i].word)) {
			rc = map[i].rc;
			next = map[i].next;
		}
	err_set(err, rc, told ? told : next, "%s", text ? text : "the VM sent an error without a text");
	if (rc == RC_STATE && !told)
		err_next(err, "hvctl show %s tells its state", c->name);
	return rc;
}

int client_receive(struct client *c, json_t **reply, int *fd, int timeout_ms, struct err *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	json_error_t bad;
	char *nl;
	int ret;

	*reply = NULL;
	if (fd)
		*fd = -1;
	while (!(nl = c->len ? memchr(c->buf, '\n', c->len) : NULL)) {
		if (c->len > CTL_REPLY_MAX)
			return err_set(err, RC_FAILED, NULL, "VM '%s' sent too long a reply", c->name);
		ret = fill(c, fd, deadline, err);
		if (ret)
			return ret;
	}
	*reply = json_loadb(c->buf, (size_t)(nl - c->buf), JSON_REJECT_DUPLICATES, &bad);
	drop(c, (size_t)(nl - c->buf) + 1);
	if (!json_is_object(*reply)) {
		json_decref(*reply);
		*reply = NULL;
		return err_set(err, RC_FAILED, "is it of another version of hvctl?",
			       "VM '%s' sent something that is not a reply", c->name);
	}
	if (json_is_true(json_object_get(*reply, "ok")))
		return 0;
	ret = reply_error(c, *reply, err);
	json_decref(*reply);
	*reply = NULL;
	return ret;
}

int client_raw(struct client *c, void *buf, size_t len, struct err *err)
{
	int64_t deadline = now_ms() + CLIENT_PATIENCE_MS;

	while (c->len < len) {
		int ret = fill(c, NULL, deadline, err);

		if (ret)
			return ret;
	}
	memcpy(buf, c->buf, len);
	drop(c, len);
	return 0;
}

int client_ask(const char *name, enum ctl_verb verb, json_t **reply, struct err *err)
{
	struct client c;
	int ret = client_open(&c, name, err);

	if (!ret)
		ret = client_send(&c, verb, 0, err);
	if (!ret)
		ret = client_receive(&c, reply, NULL, CLIENT_PATIENCE_MS, err);
	client_close(&c);
	return ret;
}
