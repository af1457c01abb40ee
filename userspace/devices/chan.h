/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chan.h - a VMBus channel as a device sees it
 *
 * A device embeds a struct chan for each channel, offers it through its services, and is told when
 * the guest opens and closes it. What is in the rings is hostile; devices/../vmbus/lib/ring.h reads it.
 */
#ifndef HV_DEVICES_CHAN_H
#define HV_DEVICES_CHAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmbus/lib/ring.h"

struct chan;

struct chan_ops {
	/*
	 * Loop thread. The guest opens the channel; both rings are ready. 0, or -errno to refuse. From
	 * here on the device's thread uses the rings, until it has called chan_closed(). The guest
	 * cannot be signalled before this has returned. With @restored set the guest had opened it
	 * before it was saved: the device goes on as its record says.
	 */
	int	(*open)(struct chan *c);
	/*
	 * Loop thread. The guest closed it, or it was taken back: stop, and when no guest memory is
	 * touched on behalf of this opening any more, call chan_closed(), from any thread. The rings
	 * may still be read and written until then; they lead nowhere.
	 */
	void	(*close)(struct chan *c);
	/*
	 * Loop thread: the guest signalled, or has just been told that the channel is open. For a device without a thread
	 * of its own, which leaves @wake to the machine: -1 at first. NULL: the device waits for @wake.
	 */
	void	(*signal)(struct chan *c);
	/*
	 * Loop thread: the guest tears down GPADL @gpadl, which was got with chan_gpadl_get(); may come after close,
	 * and for one that is not in use any more. On return none of its pages is touched. NULL: it gets none.
	 */
	void	(*gpadl_gone)(struct chan *c, uint32_t gpadl);
};

/* A list of guest pages that the guest lends. What lies there is looked up at each use. */
struct chan_gpadl {
	uint64_t	*pfns;		/* page numbers, to be freed */
	uint32_t	npages;		/* > 0 */
	uint32_t	bytes;		/* of the buffer, from @offset of the first page on */
	uint32_t	offset;
};

struct chan_offer {
	uint8_t		interface[16], instance[16];	/* wire form */
	uint16_t	max_subs;
	bool		pipe;
};

struct chan {
	const struct chan_ops	*ops;		/* the device's, like the next two */
	int			wake;		/* eventfd: the guest's signals come here */
	unsigned int		index;		/* of a sub-channel; 0: primary */
	struct hv_ring		from_guest, to_guest;
	uint32_t		target_vp;
	/* The machine's: the guest has not opened it now, it was open. The rings are as the device before left them. */
	bool			restored;
	_Atomic uint64_t	packets;	/* taken from the guest's ring; the device counts */
	void			*host;		/* the machine's; NULL: not offered */
};

/* The one thread that serves @c: @n more. A plain addition, not a locked one. */
static inline void chan_took(struct chan *c, unsigned int n)
{
	uint64_t was = atomic_load_explicit(&c->packets, memory_order_relaxed);

	atomic_store_explicit(&c->packets, was + n, memory_order_relaxed);
}

#endif
