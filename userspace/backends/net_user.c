// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user-mode network. All of libslirp runs in the thread of the adapter's one queue: what the guest sends
 * goes in by a call, what comes out of it is written to the guest's memory by a callback.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_user.h"

#define LIBRARY		"libslirp.so.0"
#define POLLS		512u		/* sockets looked at in one turn; libslirp keeps the others waiting */
/*
 * Sockets the guest may have, and others by forwards: no more than are looked at, and few enough that the VM has
 * descriptors left for its own - its control socket among them - with the usual limit of 1024.
 */
#define SOCKETS		480u
#define PIECES		16u
#define RULE_MAX	128u

/* What is used of the library. */
struct library {
	Slirp	*(*slirp_new)(const SlirpConfig *cfg, const SlirpCb *cb, void *opaque);
	void	(*slirp_cleanup)(Slirp *s);
	void	(*slirp_input)(Slirp *s, const uint8_t *frame, int bytes);
	void	(*slirp_pollfds_fill)(Slirp *s, uint32_t *timeout, SlirpAddPollCb add, void *opaque);
	void	(*slirp_pollfds_poll)(Slirp *s, int error, SlirpGetREventsCb get, void *opaque);
	int	(*slirp_add_hostfwd)(Slirp *s, int udp, struct in_addr host, int host_port, struct in_addr guest,
				     int guest_port);
};

static const struct { const char *name; size_t at; } symbols[] = {
	{ "slirp_new", offsetof(struct library, slirp_new) },
	{ "slirp_cleanup", offsetof(struct library, slirp_cleanup) },
	{ "slirp_input", offsetof(struct library, slirp_input) },
	{ "slirp_pollfds_fill", offsetof(struct library, slirp_pollfds_fill) },
	{ "slirp_pollfds_poll", offsetof(struct library, slirp_pollfds_poll) },
	{ "slirp_add_hostfwd", offsetof(struct library, slirp_add_hostfwd) },
};

struct user_timer {
	struct user_timer	*next;
	SlirpTimerCb		fire;
	void			*arg;
	int64_t			when;		/* ms; -1: not armed */
};

struct net_user {
	struct net		net;		/* first */
	struct library		lib;
	Slirp			*slirp;
	struct user_timer	*timers;
	struct pollfd		pfd[POLLS + 1];	/* the last slot's neighbour: the adapter's eventfd, first */
	nfds_t			nr;
	bool			polled;		/* pfd[] has been looked at, libslirp not told */
	int			error;		/* of that poll() */
	unsigned int		sockets;	/* libslirp has */
	uint8_t			frame[NET_FRAME_MAX];
};

static struct net_user *of(void *net)
{
	return net;
}

/* ---- the clock ---- */

static int64_t clock_ns(void *opaque)
{
	struct timespec ts;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void *timer_new(SlirpTimerCb fire, void *arg, void *opaque)
{
	struct user_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct user_timer){ .next = of(opaque)->timers, .fire = fire, .arg = arg, .when = -1 };
	of(opaque)->timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct user_timer **at = &of(opaque)->timers;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
	free(timer);
}

static void timer_mod(void *timer, int64_t when, void *opaque)
{
	struct user_timer *t = timer;

	(void)opaque;
	if (t)
		t->when = when;
}

static void timers_run(struct net_user *u)
{
	int64_t now = clock_ns(NULL) / 1000000;

	for (struct user_timer *t = u->timers; t; t = t->next) {
		if (t->when < 0 || t->when > now)
			continue;
		t->when = -1;
		t->fire(t->arg);
	}
}

/* Milliseconds until the first timer, @most at most. */
static uint32_t timers_next(const struct net_user *u, uint32_t most)
{
	int64_t now = clock_ns(NULL) / 1000000;

	for (const struct user_timer *t = u->timers; t; t = t->next)
		if (t->when >= 0 && t->when - now < most)
			most = t->when > now ? (uint32_t)(t->when - now) : 0;
	return most;
}

/* ---- what libslirp calls ---- */

/* A frame to the guest. What does not find room is lost, and TCP sends it again. */
static ssize_t send_packet(const void *frame, size_t bytes, void *opaque)
{
	static const struct net_meta meta = { .flags = NET_META_CSUM_OK };
	struct net_sink *sink = of(opaque)->net.sink;
	struct iovec iov[PIECES];
	unsigned int nr;

	if (bytes > NET_FRAME_MAX || !sink)
		return (ssize_t)bytes;
	nr = sink->ops->room(sink, 0, (uint32_t)bytes, iov, PIECES);
	if (nr) {
		net_iov_copy_in(iov, nr, frame, bytes);
		sink->ops->done(sink, 0, (uint32_t)bytes, &meta);
	} else {
		sink->ops->lost(sink, 0, (uint32_t)bytes);
	}
	return (ssize_t)bytes;
}

static void guest_error(const char *msg, void *opaque)
{
	(void)msg, (void)opaque;	/* the guest's own business, and it could fill the log */
}

static void fd_new(int fd, void *opaque)
{
	of(opaque)->sockets += fd >= 0;
}

static void fd_gone(int fd, void *opaque)
{
	of(opaque)->sockets -= fd >= 0 && of(opaque)->sockets;
}

static void nothing(void *opaque)
{
	(void)opaque;	/* it is called by the thread that would be woken */
}

static const SlirpCb callbacks = {
	.send_packet = send_packet, .guest_error = guest_error, .clock_get_ns = clock_ns,
	.timer_new = timer_new, .timer_free = timer_free, .timer_mod = timer_mod,
	.register_poll_fd = fd_new, .unregister_poll_fd = fd_gone, .notify = nothing,
};

static const struct { int slirp; short poll; } events[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

/* Whoever connects to a forwarded port makes a socket, too: they wait for one. */
static bool listens(int fd)
{
	socklen_t len = sizeof(int);
	int is = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &len) && is;
}

static int poll_add(int fd, int wanted, void *opaque)
{
	struct net_user *u = of(opaque);
	struct pollfd *p = &u->pfd[u->nr];

	if (u->nr == POLLS || (u->sockets >= SOCKETS && listens(fd)))
		return -1;
	*p = (struct pollfd){ .fd = fd };
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (wanted & events[i].slirp)
			p->events |= events[i].poll;
	return (int)u->nr++;
}

static int poll_result(int at, void *opaque)
{
	struct net_user *u = of(opaque);
	int ret = 0;

	if (at < 0 || (nfds_t)at >= u->nr)
		return 0;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (u->pfd[at].revents & events[i].poll)
			ret |= events[i].slirp;
	return ret;
}

/* ---- what the adapter calls ---- */

/* Look at the sockets and, in pfd[0], at @wake; sleep if @sleep. */
static void look(struct net_user *u, int wake, bool sleep)
{
	uint32_t timeout = INT32_MAX;

	u->pfd[0] = (struct pollfd){ .fd = wake, .events = POLLIN };
	u->nr = 1;
	u->lib.slirp_pollfds_fill(u->slirp, &timeout, poll_add, u);
	timeout = sleep ? timers_next(u, timeout) : 0;
	u->error = poll(u->pfd, u->nr, timeout >= INT32_MAX ? -1 : (int)timeout) < 0 && errno != EINTR;
	u->polled = true;
}

static bool user_receive(struct net *n, unsigned int queue, unsigned int budget)
{
	struct net_user *u = of(n);

	(void)queue, (void)budget;
	/* A queue that does not get to wait looks here. */
	if (!u->polled)
		look(u, -1, false);
	u->polled = false;
	u->lib.slirp_pollfds_poll(u->slirp, u->error, poll_result, u);
	timers_run(u);
	return false;
}

static void user_wait(struct net *n, unsigned int queue, int wake, bool listen)
{
	struct net_user *u = of(n);
	struct pollfd only = { .fd = wake, .events = POLLIN };
	uint64_t count;
	ssize_t got;

	(void)queue;
	if (listen) {
		look(u, wake, true);
		if (!(u->pfd[0].revents & POLLIN))
			return;
	} else if (poll(&only, 1, -1) <= 0) {
		return;
	}
	got = read(wake, &count, sizeof(count));
	(void)got;
}

#define TYPE_IP4	0x0800
#define TYPE_IP6	0x86dd
#define PROTO_TCP	6
#define TCP_SYN		2u

/*
 * Could libslirp make a socket of this frame? It does of the first segment of a connection, and of whatever is
 * no TCP; pieces of packets could come together as either.
 */
static bool begins(const uint8_t *f, uint32_t bytes)
{
	uint32_t type = (uint32_t)f[12] << 8 | f[13], tcp = 14;

	if (type == TYPE_IP4 && bytes >= 34 && f[23] == PROTO_TCP && !(f[20] & 0x3f) && !f[21])
		tcp += (f[14] & 15) * 4u;
	else if (type == TYPE_IP6 && bytes >= 54 && f[20] == PROTO_TCP)
		tcp += 40;
	else
		return type == TYPE_IP4 || type == TYPE_IP6;
	return bytes < tcp + 20 || f[tcp + 13] & TCP_SYN;
}

static int user_send(struct net *n, unsigned int queue, const struct iovec *iov, unsigned int nr,
		     uint32_t bytes, const struct net_meta *meta)
{
	struct net_user *u = of(n);
	const struct iovec flat = { u->frame, bytes };

	(void)queue;
	if (bytes > sizeof(u->frame) || net_iov_copy_out(iov, nr, u->frame, bytes) != bytes)
		return -EMSGSIZE;
	if (u->sockets >= SOCKETS && begins(u->frame, bytes))
		return -ENOBUFS;
	/* libslirp looks at checksums. Segments need no cutting: it takes IPv4 of any size. */
	net_csum_complete(&flat, 1, bytes, meta);
	u->lib.slirp_input(u->slirp, u->frame, (int)bytes);
	return 0;
}

static void user_release(struct net *n)
{
	struct net_user *u = of(n);
	struct user_timer *t;

	n->sink = NULL;
	if (u->slirp)
		u->lib.slirp_cleanup(u->slirp);
	while ((t = u->timers)) {
		u->timers = t->next;
		free(t);
	}
	free(u);	/* the library stays: other networks may use it */
}

static const struct net_ops ops = {
	.name = "user", .send = user_send, .receive = user_receive, .wait = user_wait, .release = user_release,
};

/* ---- making one ---- */

static bool address_read(const char *text, size_t bytes, struct in_addr *out)
{
	char buf[INET_ADDRSTRLEN];

	out->s_addr = 0;
	if (!bytes)
		return true;
	if (bytes >= sizeof(buf))
		return false;
	memcpy(buf, text, bytes);
	buf[bytes] = 0;
	return inet_pton(AF_INET, buf, out) == 1;
}

/* "[ADDRESS]:PORT" */
static bool end_read(const char *text, size_t bytes, struct in_addr *addr, uint16_t *port)
{
	const char *colon = memchr(text, ':', bytes);
	unsigned int v = 0;

	if (!colon || !address_read(text, (size_t)(colon - text), addr) || colon + 1 == text + bytes ||
	    text + bytes - colon > 6)
		return false;
	for (const char *p = colon + 1; p < text + bytes; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (unsigned int)(*p - '0');
	}
	*port = (uint16_t)v;
	return v && v <= UINT16_MAX;
}

int net_user_rule_parse(const char *text, size_t bytes, struct net_user_rule *out)
{
	const char *dash;

	memset(out, 0, sizeof(*out));
	if (bytes < 5 || bytes > RULE_MAX || (memcmp(text, "tcp:", 4) && memcmp(text, "udp:", 4)))
		return -EINVAL;
	out->udp = text[0] == 'u';
	text += 4;
	bytes -= 4;
	dash = memchr(text, '-', bytes);
	if (!dash || !end_read(text, (size_t)(dash - text), &out->host, &out->host_port) ||
	    !end_read(dash + 1, bytes - (size_t)(dash + 1 - text), &out->guest, &out->guest_port))
		return -EINVAL;
	return 0;
}

static int rules_add(struct net_user *u, const char *rules, struct err *e)
{
	struct net_user_rule r;
	size_t n;

	for (; rules && *rules; rules += n + (rules[n] == ' ')) {
		n = strcspn(rules, " ");
		if (net_user_rule_parse(rules, n, &r))
			return err_set(e, -EINVAL, "write for example tcp::2222-:22",
				       "port forward '%.*s' makes no sense", (int)n, rules);
		if (u->lib.slirp_add_hostfwd(u->slirp, r.udp, r.host, r.host_port, r.guest, r.guest_port))
			return err_set(e, errno == EACCES ? -EACCES : -EADDRINUSE, errno == EACCES ?
				       "ports below 1024 need root" : "choose another port",
				       "port forward '%.*s': cannot listen on port %u", (int)n, rules, r.host_port);
	}
	return 0;
}

static int library_load(struct library *lib, struct err *e)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *sym;

	if (!handle)
		return err_set(e, -ENOENT, "install the package libslirp0",
			       "the user-mode network needs " LIBRARY);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		sym = dlsym(handle, symbols[i].name);
		if (!sym)
			return err_set(e, -ENOENT, "install a newer package libslirp0",
				       LIBRARY " has no %s", symbols[i].name);
		memcpy((char *)lib + symbols[i].at, &sym, sizeof(sym));
	}
	return 0;
}

static void config_fill(SlirpConfig *c, bool restricted)
{
	*c = (SlirpConfig){
		.version = SLIRP_CONFIG_VERSION_MIN, .restricted = restricted, .in_enabled = true,
		.in6_enabled = true, .vprefix_len = 64,
	};
	inet_pton(AF_INET, "10.0.2.0", &c->vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &c->vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &c->vhost);
	inet_pton(AF_INET, "10.0.2.15", &c->vdhcp_start);
	inet_pton(AF_INET, "10.0.2.3", &c->vnameserver);
	inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &c->vhost6);
	inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
}

int net_user_create(struct net **out, const char *rules, bool restricted, struct err *e)
{
	struct net_user *u = calloc(1, sizeof(*u));
	SlirpConfig config;
	int ret;

	if (!u)
		return err_set(e, -ENOMEM, NULL, "no memory for the user-mode network");
	u->net.ops = &ops;
	u->net.queues = 1;
	u->net.can = NET_CAN_CSUM | NET_CAN_TSO4;
	u->net.mtu = NET_MTU_MAX;
	snprintf(u->net.about, sizeof(u->net.about), "10.0.2.0/24%s%.90s", rules && *rules ? ", " : "",
		 rules ? rules : "");
	ret = library_load(&u->lib, e);
	if (!ret) {
		config_fill(&config, restricted);
		u->slirp = u->lib.slirp_new(&config, &callbacks, u);
		ret = u->slirp ? rules_add(u, rules, e) :
		      err_set(e, -ENOMEM, NULL, "libslirp made no network");
	}
	if (ret) {
		user_release(&u->net);
		return ret;
	}
	*out = &u->net;
	return 0;
}
