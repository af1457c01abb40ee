// SPDX-License-Identifier: GPL-2.0-or-later
/* The user-mode network: its rules, a guest's DHCP request and a forwarded port, without a guest. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/net_user.h"
#include "lib/unit.h"

static uint8_t frame[2048];	/* the last one to the guest */
static uint32_t frame_bytes, seen_type;
static bool full;

static unsigned int s_room(struct net_sink *s, unsigned int queue, uint32_t bytes, struct iovec *iov,
			   unsigned int max)
{
	(void)s, (void)queue, (void)max;
	if (full || bytes > sizeof(frame))
		return 0;
	iov[0] = (struct iovec){ frame, 100 };		/* in two pieces, as guest memory may be */
	iov[1] = (struct iovec){ frame + 100, sizeof(frame) - 100 };
	return 2;
}

static void s_done(struct net_sink *s, unsigned int queue, uint32_t bytes, const struct net_meta *meta)
{
	(void)s, (void)queue;
	CHECK_EQ(meta->flags, NET_META_CSUM_OK);
	frame_bytes = bytes;
	seen_type = (uint32_t)(frame[12] << 8 | frame[13]);
}

static unsigned int nr_lost;

static void s_lost(struct net_sink *s, unsigned int queue, uint32_t bytes)
{
	(void)s, (void)queue, (void)bytes;
	nr_lost++;
}

static const struct net_sink_ops sink_ops = { .room = s_room, .done = s_done, .lost = s_lost };
static struct net_sink sink = { &sink_ops };

static void test_rules(void)
{
	static const char *const bad[] = {
		"", "tcp", "tcp:", "tcp:22", "tcp::22", "tcp::22-", "tcp::22-22", "tcp::22-:", "tcp::0-:22",
		"tcp::65536-:22", "tcp::22-:99999", "icmp::1-:2", "tcp:1.2.3:22-:22", "tcp::2x-:22",
		"tcp:256.1.1.1:22-:22", "udp::22-host:22", "TCP::22-:22", "tcp::+2-:22",
		"tcp:127.0.0.1.127.0.0.1.127.0.0.1:22-:22",
	};
	static const char good[] = "udp:127.0.0.1:2222-10.0.2.15:65535";
	struct net_user_rule r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQ(net_user_rule_parse(bad[i], strlen(bad[i]), &r), -EINVAL);
	CHECK_EQ(net_user_rule_parse(good, strlen(good), &r), 0);
	CHECK(r.udp);
	CHECK_EQ(r.host.s_addr, htonl(0x7f000001));
	CHECK_EQ(r.host_port, 2222);
	CHECK_EQ(r.guest.s_addr, htonl(0x0a00020f));
	CHECK_EQ(r.guest_port, 65535);
	CHECK_EQ(net_user_rule_parse(good, strlen(good) - 5, &r), -EINVAL);	/* its end does not count */
	CHECK_EQ(net_user_rule_parse("tcp::1-:2", 9, &r), 0);
	CHECK(!r.udp && !r.host.s_addr && !r.guest.s_addr);
}

/* A DHCPDISCOVER whose UDP checksum is left to the backend (RFC 2131). */
static uint32_t discover(uint8_t *f, struct net_meta *meta)
{
	static const uint8_t head[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1, 2, 3, 4, 5, 8, 0,
		0x45, 0, 1, 0x20, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255,
		0, 68, 0, 67, 1, 0x0c, 0, 0,
	};
	struct iovec ip = { f + 14, 20 };
	uint16_t sum;

	memset(f, 0, 302);
	memcpy(f, head, sizeof(head));
	sum = (uint16_t)~net_csum(&ip, 1, 0, 20, 0);
	memcpy(f + 24, &sum, 2);
	/* pseudo header: 255.255.255.255, 17, 0x10c */
	f[40] = 0x01;
	f[41] = 0x1d;
	memcpy(f + 42, "\1\1\6\0abcd", 8);
	memcpy(f + 42 + 28, "\2\1\2\3\4\5", 6);
	memcpy(f + 42 + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	*meta = (struct net_meta){ .flags = NET_META_CSUM, .csum_start = 34, .csum_offset = 6 };
	return 302;
}

static void test_dhcp(struct net *n)
{
	uint8_t f[512];
	struct net_meta meta;
	uint32_t bytes = discover(f, &meta);
	const struct iovec iov[2] = { { f, 60 }, { f + 60, bytes - 60 } };

	frame_bytes = 0;
	CHECK_EQ(n->ops->send(n, 0, iov, 2, bytes, &meta), 0);
	CHECK(frame_bytes > 280);
	CHECK_EQ(seen_type, 0x800);
	CHECK(!memcmp(frame + 42 + 16, "\x0a\0\2\x0f", 4));		/* 10.0.2.15 */
	full = true;
	CHECK_EQ(n->ops->send(n, 0, iov, 2, bytes, &meta), 0);
	CHECK(nr_lost);
	full = false;
}

/* A connection to the forwarded port: the guest is looked for by ARP. */
static void test_forward(struct net *n, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), wake = eventfd(1, EFD_NONBLOCK);
	uint64_t v;

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	CHECK(!connect(s, (struct sockaddr *)&to, sizeof(to)) || errno == EINPROGRESS);
	/* the eventfd alone ends this wait, and is empty then */
	n->ops->wait(n, 0, wake, false);
	CHECK_EQ(read(wake, &v, 8), -1);
	seen_type = 0;
	for (int i = 0; i < 100 && seen_type != 0x806 && seen_type != 0x800; i++) {
		n->ops->wait(n, 0, wake, true);
		n->ops->receive(n, 0, 64);
	}
	CHECK(seen_type == 0x806 || seen_type == 0x800);
	close(s);
	close(wake);
}

static uint16_t port_free(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	getsockname(s, (struct sockaddr *)&a, &len);
	close(s);
	return ntohs(a.sin_port);
}

/* Descriptors of this process. */
static unsigned int fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/*
 * A guest that sends from ever new ports makes sockets, of UDP and of TCP, but not without end: the VM's own
 * descriptors would be gone. What goes on goes on.
 */
static void test_sockets(struct net *n, uint8_t proto)
{
	static const uint8_t head[34] = {
		2, 0, 0, 0, 0, 2, 2, 1, 2, 3, 4, 5, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 0, 0, 0,
		10, 0, 2, 15, 127, 9, 9, 9,
	};
	const struct net_meta tcp = { .flags = NET_META_CSUM, .csum_start = 34, .csum_offset = 16 }, none = { 0 };
	unsigned int before = fds(), refused = 0;
	uint8_t f[60] = { 0 };
	struct iovec iov = { f, 54 };
	uint16_t sum;

	memcpy(f, head, sizeof(head));
	f[23] = proto;
	sum = (uint16_t)~net_csum(&(struct iovec){ f + 14, 20 }, 1, 0, 20, 0);
	memcpy(f + 24, &sum, 2);
	f[37] = 9;		/* a port where nobody is */
	for (unsigned int i = 0; i < 2000; i++) {
		f[34] = (uint8_t)(0x40 + (i >> 8));
		f[35] = (uint8_t)i;
		if (proto == 6) {
			memcpy(f + 46, "\x50\x02\x10", 3);	/* SYN */
			/* pseudo header: both addresses, 6, 20 */
			memset(f + 50, 0, 2);
			sum = net_csum(&(struct iovec){ f + 26, 8 }, 1, 0, 8, (uint32_t)htons(6 + 20));
			memcpy(f + 50, &sum, 2);
		} else {
			memcpy(f + 38, "\0\x14\0\0", 4);	/* 20 bytes, no checksum */
		}
		refused += n->ops->send(n, 0, &iov, 1, 54, proto == 6 ? &tcp : &none) == -ENOBUFS;
	}
	CHECK(fds() - before < 600);
	CHECK(refused > 1000);
	f[47] = 0x10;
	CHECK_EQ(n->ops->send(n, 0, &iov, 1, 54, &tcp), proto == 6 ? 0 : -ENOBUFS);
}

int main(void)
{
	struct net *n = NULL, *other = NULL;
	uint16_t port = port_free();
	char rules[64];
	struct err e = { 0 };

	test_rules();
	snprintf(rules, sizeof(rules), "tcp:127.0.0.1:%u-:22", port);
	CHECK_EQ(net_user_create(&n, rules, false, &e), 0);
	if (!n) {
		fprintf(stderr, "%s\n", e.text);
		return unit_done();
	}
	n->sink = &sink;
	CHECK_EQ(n->queues, 1);
	test_dhcp(n);
	test_forward(n, port);
	CHECK_EQ(net_user_create(&other, rules, false, &e), -EADDRINUSE);
	CHECK_HAS(e.text, "cannot listen");
	CHECK_EQ(net_user_create(&other, "tcp::1", false, &e), -EINVAL);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int before;

		n->ops->release(n);
		before = fds();
		CHECK_EQ(net_user_create(&n, rules, false, &e), 0);
		n->sink = &sink;
		test_sockets(n, i ? 6 : 17);
		n->ops->release(n);
		CHECK_EQ(fds(), before);	/* all of them are closed */
		CHECK_EQ(net_user_create(&n, NULL, false, &e), 0);
	}
	n->ops->release(n);
	return unit_done();
}
