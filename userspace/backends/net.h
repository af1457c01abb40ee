/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.h - where the frames of a network adapter go to and come from
 *
 * A backend has no thread of its own: the adapter's queue threads call it. All calls for one queue come
 * from one thread at a time, which holds that queue's lock, except for wait().
 */
#ifndef HV_BACKENDS_NET_H
#define HV_BACKENDS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct net;
struct net_sink;

#define NET_QUEUES_MAX	16u
#define NET_FRAME_MIN	14u		/* an Ethernet header */
#define NET_FRAME_MAX	(65536u + 18)	/* with segmentation offload; VLAN tag included */
#define NET_MTU_MIN	576u		/* of a backend, without the Ethernet header */
#define NET_MTU_MAX	9216u

enum net_gso { NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6 };

#define NET_META_CSUM		(1u << 0)	/* the checksum is to be completed, see @csum_start */
#define NET_META_CSUM_OK	(1u << 1)	/* it was found to be right, or nobody can have changed it */

/* What goes along with a frame. */
struct net_meta {
	uint8_t		flags;		/* NET_META_* */
	uint8_t		gso;		/* enum net_gso: to be cut into segments */
	uint16_t	header_bytes;	/* of each segment */
	uint16_t	gso_bytes;	/* of data in each segment; > 0 with @gso */
	uint16_t	csum_start;	/* sum over what begins here; the pseudo header's is in the field */
	uint16_t	csum_offset;	/* of the 16-bit field from there */
};

/* What the adapter gives a backend to put received frames into. */
struct net_sink_ops {
	/*
	 * Room for a frame of up to @bytes, 0: of as many as the guest takes, as pieces at @iov, @max at most.
	 * Return: how many; 0: there is none now, and the frame is lost unless the backend keeps it.
	 */
	unsigned int	(*room)(struct net_sink *s, unsigned int queue, uint32_t bytes, struct iovec *iov,
				unsigned int max);
	/* A frame of @bytes stands there; 0: none does. Answers each room() that was found. */
	void	(*done)(struct net_sink *s, unsigned int queue, uint32_t bytes, const struct net_meta *meta);
	/* A frame of @bytes was lost for want of room. */
	void	(*lost)(struct net_sink *s, unsigned int queue, uint32_t bytes);
	/* Does the guest want frames at all? If not, what comes is lost. */
	bool	(*listens)(struct net_sink *s, unsigned int queue);
	/* There will be no more frames: the other end has gone. */
	void	(*gone)(struct net_sink *s);
};

struct net_sink {
	const struct net_sink_ops *ops;
};

/* What a backend takes from a guest. */
#define NET_CAN_CSUM	(1u << 0)	/* NET_META_CSUM */
#define NET_CAN_TSO4	(1u << 1)	/* NET_GSO_TCP4 */
#define NET_CAN_TSO6	(1u << 2)

struct net_ops {
	const char	*name;		/* "user", "tap" */
	/* One frame of @bytes. 0; -errno: it is lost. May call the sink. */
	int	(*send)(struct net *n, unsigned int queue, const struct iovec *iov, unsigned int nr, uint32_t bytes,
			const struct net_meta *meta);
	/* Bring what has come to the sink, @budget frames at most. True: there may be more. */
	bool	(*receive)(struct net *n, unsigned int queue, unsigned int budget);
	/* Without the lock: sleep until the eventfd @wake is written, or, with @listen, a frame may have come. */
	void	(*wait)(struct net *n, unsigned int queue, int wake, bool listen);
	/*
	 * Queue @queue > 0 is served from now on, or no more: frames of flows may come there. Loop thread. NULL:
	 * there is one queue.
	 */
	void	(*queue)(struct net *n, unsigned int queue, bool on);
	void	(*release)(struct net *n);
};

struct net {
	const struct net_ops	*ops;
	struct net_sink		*sink;		/* the adapter's, set before the first call */
	unsigned int		queues;		/* it can serve */
	uint32_t		can;		/* NET_CAN_* */
	uint32_t		mtu;		/* largest, without the Ethernet header */
	char			about[128];	/* for people: where it leads */
};

static inline size_t net_iov_copy_out(const struct iovec *iov, unsigned int nr, void *buf, size_t len)
{
	size_t at = 0;

	for (unsigned int i = 0; i < nr && at < len; i++) {
		size_t n = iov[i].iov_len < len - at ? iov[i].iov_len : len - at;

		__builtin_memcpy((uint8_t *)buf + at, iov[i].iov_base, n);
		at += n;
	}
	return at;
}

static inline size_t net_iov_copy_in(const struct iovec *iov, unsigned int nr, const void *buf, size_t len)
{
	size_t at = 0;

	for (unsigned int i = 0; i < nr && at < len; i++) {
		size_t n = iov[i].iov_len < len - at ? iov[i].iov_len : len - at;

		__builtin_memcpy(iov[i].iov_base, (const uint8_t *)buf + at, n);
		at += n;
	}
	return at;
}

/*
 * net_frame.c: complete the checksum that @meta asks for, in place. Nothing happens when it does not lie in
 * the frame.
 */
void net_csum_complete(const struct iovec *iov, unsigned int nr, uint32_t bytes, const struct net_meta *meta);
/* Internet checksum (not inverted, folded) of [@from, @from + @len) of the pieces, begun with @sum. */
uint16_t net_csum(const struct iovec *iov, unsigned int nr, uint32_t from, uint32_t len, uint32_t sum);

#endif
