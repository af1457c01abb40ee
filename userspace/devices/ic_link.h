/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ic_link.h - what all integration services share: versions, and messages with their header
 *
 * The host asks, the guest answers with the same message, changed. Loop thread.
 */
#ifndef HV_DEVICES_IC_LINK_H
#define HV_DEVICES_IC_LINK_H

#include <hvguest/vsp_ic.h>

#include "chan.h"
#include "dev_services.h"

struct ic_link {
	struct vmb_ic_version	framework, message;	/* as agreed on; zero before */
	uint8_t			transaction;		/* of the last message sent */
};

/* Bytes in front of what a message's type adds, as they lie in the ring. */
#define IC_LINK_HEAD (sizeof(struct vmb_pipe) + sizeof(struct vmb_ic_header))

/* One more message. 0; -EAGAIN: the guest has not read the last ones; or as hv_ring_put(). */
int ic_link_send(struct ic_link *l, struct dev_services *ds, struct chan *c, uint16_t type, const void *body,
		 uint16_t bytes);

/* Nobody was asked so much: a guest that sends more while it is listened to keeps the loop from all else. */
#define IC_LINK_TAKES 4096u

/* An answer, copied out of the ring; @bytes behind the header, which may be any number. */
typedef void (*ic_answer_fn)(void *arg, const struct vmb_ic_header *head, const void *body, uint32_t bytes);

/*
 * All that the guest has sent, cut to @room bytes of @buf each; what is no answer is dropped. Return: 0, or -EPROTO:
 * the ring makes no sense, or never ends.
 */
int ic_link_take(struct dev_services *ds, struct chan *c, void *buf, uint32_t room, ic_answer_fn fn, void *arg);

/* Offer frameworks 3.0 and 1.0, and the service's own versions @major.0, the newest first. As ic_link_send(). */
int ic_link_offer(struct ic_link *l, struct dev_services *ds, struct chan *c, const uint16_t major[2]);
/* The answer to it. 0; -EPROTO: it chose nothing, or what was not offered. */
int ic_link_chosen(struct ic_link *l, const void *body, uint32_t bytes, const uint16_t major[2]);

/* For a record of the device. */
void ic_link_save(const struct ic_link *l, struct fields_out *out);
void ic_link_load(struct ic_link *l, struct fields_in *in);

#endif
