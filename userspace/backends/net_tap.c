// SPDX-License-Identifier: GPL-2.0-or-later
/* The TAP interface: opened and set up before the VM has no privileges any more, then read and written. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_tap.h"

#define DEVICE		"/dev/net/tun"
#define PIECES		16u		/* of room for a frame */
#define VECTORS		128u		/* of a frame to send */
#define SPILL		64u

struct net_tap {
	struct net	net;		/* first */
	int		fd[NET_QUEUES_MAX];	/* -1: none */
	atomic_bool	gone;		/* somebody removed the interface */
};

static struct net_tap *of(struct net *n)
{
	return (struct net_tap *)n;
}

/* ---- frames ---- */

static const struct { uint8_t gso, virtio; } kinds[] = {
	{ NET_GSO_NONE, VIRTIO_NET_HDR_GSO_NONE },
	{ NET_GSO_TCP4, VIRTIO_NET_HDR_GSO_TCPV4 },
	{ NET_GSO_TCP6, VIRTIO_NET_HDR_GSO_TCPV6 },
};

static int tap_send(struct net *n, unsigned int queue, const struct iovec *iov, unsigned int nr,
		    uint32_t bytes, const struct net_meta *meta)
{
	struct virtio_net_hdr h = {
		.flags = meta->flags & NET_META_CSUM ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
		.gso_type = kinds[meta->gso].virtio, .hdr_len = meta->header_bytes,
		.gso_size = meta->gso ? meta->gso_bytes : 0, .csum_start = meta->csum_start,
		.csum_offset = meta->csum_offset,
	};
	struct iovec v[VECTORS];
	ssize_t ret;

	if (nr >= VECTORS)
		return -EMSGSIZE;
	v[0] = (struct iovec){ &h, sizeof(h) };
	memcpy(v + 1, iov, nr * sizeof(*iov));
	do {
		ret = writev(of(n)->fd[queue], v, (int)nr + 1);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : (size_t)ret == bytes + sizeof(h) ? 0 : -EIO;
}

static void meta_read(const struct virtio_net_hdr *h, struct net_meta *m)
{
	*m = (struct net_meta){ .csum_start = h->csum_start, .csum_offset = h->csum_offset };
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		m->flags |= NET_META_CSUM;
	else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		m->flags |= NET_META_CSUM_OK;
}

/* Nobody reads any more when the interface has gone, or an error would be found again and again. */
static void vanish(struct net_tap *t)
{
	if (atomic_exchange(&t->gone, true))
		return;
	t->net.sink->ops->gone(t->net.sink);
}

/* One frame into the pieces. Return: its bytes; 0: there is none; -1: one was lost. */
static ssize_t frame_read(struct net_tap *t, unsigned int queue, struct iovec *iov, unsigned int nr, struct net_meta *meta)
{
	struct virtio_net_hdr h;
	uint8_t spill[SPILL];
	struct iovec v[PIECES + 2];
	size_t room = 0;
	ssize_t got;

	v[0] = (struct iovec){ &h, sizeof(h) };
	for (unsigned int i = 0; i < nr; i++) {
		v[i + 1] = iov[i];
		room += iov[i].iov_len;
	}
	/* What is longer than the guest takes shows here: the kernel cuts it without a word. */
	v[nr + 1] = (struct iovec){ spill, sizeof(spill) };
	got = readv(t->fd[queue], v, (int)nr + 2);
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			vanish(t);
		return 0;
	}
	if ((size_t)got < sizeof(h) + NET_FRAME_MIN || (size_t)got > sizeof(h) + room)
		return -1;
	meta_read(&h, meta);
	return got - (ssize_t)sizeof(h);
}

static bool tap_receive(struct net *n, unsigned int queue, unsigned int budget)
{
	struct net_sink *sink = n->sink;
	struct iovec iov[PIECES];
	struct net_meta meta;
	unsigned int nr;
	ssize_t got;

	while (budget && !of(n)->gone) {
		nr = sink->ops->room(sink, queue, 0, iov, PIECES);
		if (!nr && sink->ops->listens(sink, queue))
			return false;		/* the kernel keeps it */
		got = frame_read(of(n), queue, iov, nr, &meta);
		if (nr)
			sink->ops->done(sink, queue, got > 0 ? (uint32_t)got : 0, &meta);
		if (!got)
			return false;
		if (got < 0)
			sink->ops->lost(sink, queue, 0);
		budget--;
	}
	return !of(n)->gone;
}

static void tap_wait(struct net *n, unsigned int queue, int wake, bool listen)
{
	struct pollfd p[2] = { { .fd = wake, .events = POLLIN }, { .fd = of(n)->fd[queue], .events = POLLIN } };
	uint64_t count;
	ssize_t got;

	if (poll(p, listen && !of(n)->gone ? 2 : 1, -1) > 0 && p[0].revents & POLLIN) {
		got = read(wake, &count, sizeof(count));
		(void)got;
	}
}

/* The kernel sends flows to queues that are attached alone. */
static void tap_queue(struct net *n, unsigned int queue, bool on)
{
	struct ifreq r = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	if (queue && !of(n)->gone)
		ioctl(of(n)->fd[queue], TUNSETQUEUE, &r);
}

static void tap_release(struct net *n)
{
	for (unsigned int i = 0; i < NET_QUEUES_MAX; i++)
		if (of(n)->fd[i] >= 0)
			close(of(n)->fd[i]);
	free(of(n));
}

static const struct net_ops ops = {
	.name = "tap", .send = tap_send, .receive = tap_receive, .wait = tap_wait,
	.queue = tap_queue, .release = tap_release,
};

/* ---- making one ---- */

static int denied(const char *what, const char *name, struct err *e)
{
	int code = -errno;

	if (code == -EPERM || code == -EACCES) {
		err_set(e, -EPERM, NULL, "%s %s needs privileges", what, name);
		return err_next(e, "run as root, or have root make it: ip tuntap add dev %.15s mode tap user $USER",
				*name ? name : "tap0");
	}
	if (code == -EBUSY)
		return err_set(e, code, "choose another name with ifname=", "%s %s: it is in use", what, name);
	return err_sys(e, code, code, NULL, "%s %s", what, name);
}

static int name_set(struct ifreq *r, const char *name, struct err *e)
{
	memset(r, 0, sizeof(*r));
	if (strlen(name) >= sizeof(r->ifr_name) || strpbrk(name, "/ "))
		return err_set(e, -EINVAL, "a name has at most 15 letters and digits",
			       "'%.40s' is no name of an interface", name);
	strcpy(r->ifr_name, name);
	return 0;
}

/* A queue of the interface in @r, which gets the name that the kernel chose. 0; 1: it has one queue only. */
static int attach(struct net_tap *t, unsigned int queue, bool many, struct ifreq *r, struct err *e)
{
	int header = sizeof(struct virtio_net_hdr), fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	t->fd[queue] = fd;
	if (fd < 0)
		return err_sys(e, -errno, errno, errno == ENOENT ? "modprobe tun" : NULL, "cannot open " DEVICE);
	r->ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (many ? IFF_MULTI_QUEUE : 0));
	if (ioctl(fd, TUNSETIFF, r)) {
		if (many && !queue && errno == EINVAL) {
			close(fd);
			t->fd[queue] = -1;
			return 1;
		}
		return denied("interface", r->ifr_name, e);
	}
	/* Checksums may be left to us; frames come cut to the MTU. */
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) || ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM))
		return err_sys(e, -errno, errno, NULL, "interface %s has no offloads", r->ifr_name);
	t->net.queues++;
	return 0;
}

/* As many queues as are wanted, all but the first one at rest; one where the interface is not made for more. */
static int attach_all(struct net_tap *t, const struct net_tap_config *cfg, struct ifreq *r, struct err *e)
{
	bool many = cfg->queues > 1;
	int ret = name_set(r, cfg->ifname ? cfg->ifname : "hvtap%d", e);

	if (!ret)
		ret = attach(t, 0, many, r, e);
	if (ret == 1)
		return attach(t, 0, false, r, e);
	for (unsigned int i = 1; !ret && i < cfg->queues; i++) {
		ret = attach(t, i, true, r, e);
		if (!ret)
			tap_queue(&t->net, i, false);
	}
	return ret;
}

static int bridge_join(int sock, const char *bridge, const char *name, struct err *e)
{
	struct ifreq r;
	int ret = name_set(&r, bridge, e);

	if (ret)
		return ret;
	if (!if_nametoindex(bridge))
		return err_set(e, -ENODEV, "make it: ip link add NAME type bridge", "there is no bridge %s", bridge);
	r.ifr_ifindex = (int)if_nametoindex(name);
	if (ioctl(sock, SIOCBRADDIF, &r) && errno != EBUSY)
		return denied("adding an interface to bridge", bridge, e);
	return 0;
}

/* MTU, bridge, up. What is so already needs no privilege. */
static int settle(struct net_tap *t, const struct net_tap_config *cfg, const char *name, struct err *e)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq r;

	if (sock < 0)
		return err_sys(e, -errno, errno, NULL, "interface %s", name);
	ret = name_set(&r, name, e);
	if (!ret && ioctl(sock, SIOCGIFMTU, &r))
		ret = denied("the MTU of", name, e);
	if (!ret && cfg->mtu && cfg->mtu != (uint32_t)r.ifr_mtu) {
		r.ifr_mtu = (int)cfg->mtu;
		if (ioctl(sock, SIOCSIFMTU, &r))
			ret = denied("the MTU of", name, e);
	}
	t->net.mtu = (uint32_t)r.ifr_mtu < NET_MTU_MAX ? (uint32_t)r.ifr_mtu : NET_MTU_MAX;
	if (!ret && cfg->bridge)
		ret = bridge_join(sock, cfg->bridge, name, e);
	if (!ret && !ioctl(sock, SIOCGIFFLAGS, &r) && !(r.ifr_flags & IFF_UP)) {
		r.ifr_flags |= IFF_UP;
		if (ioctl(sock, SIOCSIFFLAGS, &r))
			ret = denied("switching on", name, e);
	}
	close(sock);
	return ret;
}

int net_tap_create(struct net **out, const struct net_tap_config *cfg, struct err *e)
{
	struct net_tap *t = calloc(1, sizeof(*t));
	struct ifreq r;
	int ret;

	if (!t)
		return err_set(e, -ENOMEM, NULL, "no memory for an interface");
	memset(t->fd, 0xff, sizeof(t->fd));
	t->net.ops = &ops;
	t->net.can = NET_CAN_CSUM | NET_CAN_TSO4 | NET_CAN_TSO6;
	ret = attach_all(t, cfg, &r, e);
	if (!ret)
		ret = settle(t, cfg, r.ifr_name, e);
	if (ret) {
		tap_release(&t->net);
		return ret;
	}
	snprintf(t->net.about, sizeof(t->net.about), "%s%s%s", r.ifr_name, cfg->bridge ? " on " : "",
		 cfg->bridge ? cfg->bridge : "");
	*out = &t->net;
	return 0;
}
