/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bus.h - VMBus from a bare guest: messages, GPADLs, rings; written against the wire format alone */
#ifndef SELFTESTS_GUEST_BUS_H
#define SELFTESTS_GUEST_BUS_H

#include <hvguest/vmbus.h>
#include "hyperv.h"

#define BUS_WAIT	LATE_MS	/* ms: for an answer that must come */
#define BUS_QUIET	30	/* ms: for one that must not */

/* SynIC of this processor on, SINT 2 without interrupts: everything is polled. */
void bus_init(void);
/* HvPostMessage; retried while there is no room. TLFS status. */
u16 bus_post(u32 connection, const void *msg, u32 bytes);
/* Once. */
u16 bus_post_once(u32 connection, const void *msg, u32 bytes);
/* Take the next message of VP 0 within @ms; its type, or 0. @msg: VMB_MESSAGE_MAX bytes. */
u32 bus_take(void *msg, u32 ms);
/* The next message is of @type: checked. */
bool bus_expect(u32 type, void *msg, const char *what);
/* No message comes: checked. */
bool bus_silent(const char *what);
/* A message of just a header. */
u16 bus_header(u32 type);
u16 bus_relid(u32 type, u32 relid);
/* INITIATE_CONTACT of @version; what was answered in @r. */
u16 bus_contact(u32 version, struct vmb_version_response *r);
/* Contact with 5.3 and all offers; returns how many, at most @max. */
u32 bus_connect(struct vmb_offer *offers, u32 max);
/* List @pages pages at @mem under @handle; the status of GPADL_CREATED. */
u32 bus_gpadl(u32 relid, u32 handle, const void *mem, u32 pages);
/* The message of it that begins with page @done; how many pages have been sent then, ~0 refused. */
u32 bus_gpadl_part(u32 relid, u32 handle, const void *mem, u32 pages, u32 done);
u16 bus_teardown(u32 relid, u32 handle);
/* OPENCHANNEL without waiting; the status of its result. Both index pairs are reset. */
void bus_open_post(u32 relid, u32 gpadl, void *ring, u32 pages, u32 downstream, u32 vp);
u32 bus_open(u32 relid, u32 gpadl, void *ring, u32 pages, u32 downstream, u32 vp);
/* Was event flag @relid of VP @vp's SINT 2 set within @ms? It is cleared. */
bool bus_flag(u32 vp, u32 relid, u32 ms);
u16 bus_signal(u32 connection);

struct bus_ring {
	volatile struct vmb_ring_header *h;
	u8 *data;
	u32 bytes;
};

void bus_ring(struct bus_ring *r, void *mem, u32 pages);
/* True: the host wants a signal. */
bool bus_put(struct bus_ring *r, u16 type, u16 flags, u64 tid, const void *buf, u32 len);
/* The next packet's descriptor, up to @max bytes of payload; false if there is none within @ms. */
bool bus_get(struct bus_ring *r, struct vmb_packet *d, void *buf, u32 max, u32 ms);

#endif
