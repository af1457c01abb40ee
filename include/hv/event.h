/* SPDX-License-Identifier: GPL-2.0-only */
/* event.h - life-cycle events on their way out; virt/event.c makes them, kmod/netlink.c sends them */
#ifndef _HV_EVENT_H
#define _HV_EVENT_H

#include <hv/types.h>

struct hv_event_msg {
	struct hv_vm *vm;
	struct hv_vcpu *vcpu;		/* NULL: an event of the VM */
	u32 event;			/* enum hv_event */
	const char *cause;		/* NULL: none */
};

/* Broadcast; costs a test when nobody listens; best effort. [any but hard-irq] */
void hv_event_send(const struct hv_event_msg *msg);

#endif /* _HV_EVENT_H */
