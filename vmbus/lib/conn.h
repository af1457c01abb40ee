/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn.h - the connection of a guest to its bus: versions, and what a change of it waits for
 *
 * A new contact, an unload and a reset end a connection at any time. The devices of its channels may
 * have guest memory in use then; the guest is answered when they have let go.
 */
#ifndef _HV_VMBUS_LIB_CONN_H
#define _HV_VMBUS_LIB_CONN_H

#include <hv/portable.h>
#include <hvguest/vmbus.h>

#define HV_CONN_VERSION_MAX	VMB_VERSION_WIN10_V5_3

enum hv_conn_state {
	HV_CONN_OFF = 0,
	HV_CONN_UP = 1,
	HV_CONN_ENDING = 2,	/* devices are letting go; then: @next */
	HV_CONN_STATES,
};

enum hv_conn_next {
	HV_CONN_NEXT_NONE = 0,
	HV_CONN_NEXT_CONTACT = 1,	/* answer @contact */
	HV_CONN_NEXT_UNLOAD = 2,	/* answer the unload */
};

struct hv_conn {
	u32 state;		/* enum hv_conn_state */
	u32 next;		/* enum hv_conn_next, while ENDING */
	u32 version;		/* UP: agreed upon; else 0 */
	u32 max_version;
	u32 target_vp;		/* of messages to the guest; stays over the end of the connection */
	u32 offers;		/* UP: 1 if the guest has asked for them */
	struct vmb_initiate_contact contact;	/* the last one */
};

/* @max_version 0: the newest. -EINVAL: one we do not know. */
int hv_conn_init(struct hv_conn *c, u32 max_version);

/*
 * The connection ends. @next: what for; a contact or unload overtakes what was to come. The caller
 * then drains, and calls hv_conn_ended().
 */
void hv_conn_end(struct hv_conn *c, enum hv_conn_next next);
/* All devices have let go: what the guest is to be told. */
enum hv_conn_next hv_conn_ended(struct hv_conn *c);
/*
 * Answer the contact that hv_conn_ended() gave back: UP with a version, or not supported and OFF.
 */
void hv_conn_answer(struct hv_conn *c, struct vmb_version_response *r);

const char *hv_conn_state_name(u32 state);

#endif /* _HV_VMBUS_LIB_CONN_H */
