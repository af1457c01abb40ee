/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhv_bus - VMBus channels, the C interface of <hv/hv_bus.h>
 *
 * The rules of libhv.h hold. A channel fd works in any process: pass it over a socket or by fork. What
 * is in the rings is read and written with vmbus/lib/ring.h.
 */
#ifndef LIBHV_BUS_H
#define LIBHV_BUS_H

#include <stddef.h>
#include <stdint.h>

#include <hv/hv_bus.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Give @vm a bus that agrees upon @max_version at most (0: 5.3). */
int libhv_vm_bus(int vm, uint32_t max_version);
/* A channel. @args->size is set by the library; relid and connection come back. Return: its fd. */
int libhv_vm_channel(int vm, struct hv_channel_args *args);

/* The next event. -EAGAIN: none now, poll the fd for EPOLLIN. */
int libhv_chan_event(int chan, struct hv_chan_event_args *out);
/* Answer HV_CHAN_EVENT_OPEN: 0 or an NTSTATUS. */
int libhv_chan_open_result(int chan, uint32_t status);
/* HV_CHAN_EVENT_CLOSED (@gpadl 0) or HV_CHAN_EVENT_GPADL_TEARDOWN. */
int libhv_chan_ack(int chan, enum hv_chan_event_kind kind, uint32_t gpadl);
/* The guest's signals add 1 to @fd; -1: to nothing. */
int libhv_chan_eventfd(int chan, int fd);
/* Interrupt the guest. */
int libhv_chan_signal(int chan);
/*
 * Page numbers of GPADL @gpadl from page @first: @nr in room, out written; @pfns may be NULL with *@nr 0.
 * @info, if not NULL, gets the rest of what the call tells. @take: hold it until it is acknowledged.
 */
int libhv_chan_gpadl(int chan, uint32_t gpadl, int take, uint32_t first, uint64_t *pfns, uint32_t *nr,
		     struct hv_chan_gpadl_args *info);
/* Sub-channel @index of the primary channel @chan; @relid may be NULL. Return: its fd. */
int libhv_chan_sub(int chan, uint32_t index, uint32_t *relid);
int libhv_chan_rescind(int chan);
int libhv_chan_info(int chan, struct hv_chan_info_args *out);
/* Counters; @len: in room, out length needed. */
int libhv_chan_stats(int chan, void *buf, uint32_t *len);

/*
 * The rings of one opening. The data of each stands twice, one behind the other, so that a packet that
 * wraps can be read in one piece: [data, data + 2 * (pages - 1) * 4096).
 */
struct libhv_rings {
	void *out_header, *out_data;	/* guest to host */
	void *in_header, *in_data;	/* host to guest */
	uint32_t out_pages, in_pages;	/* header pages included */
	void *base;			/* of the whole mapping */
	size_t bytes;
};

/* Map them as told by an OPEN or RESTORED event. -ENOMEM. */
int libhv_chan_map(int chan, uint32_t out_pages, uint32_t in_pages, struct libhv_rings *out);
void libhv_chan_unmap(struct libhv_rings *rings);

#ifdef __cplusplus
}
#endif
#endif
