// SPDX-License-Identifier: GPL-2.0-only
/* Life-cycle events: traced here, broadcast by kmod/netlink.c. */
#include <hv/core.h>
#include <hv/event.h>
#include <hv/trace.h>

void hv_event(struct hv_vm *vm, struct hv_vcpu *vcpu, enum hv_event event, const char *cause)
{
	const struct hv_event_msg msg = { .vm = vm, .vcpu = vcpu, .event = event, .cause = cause };

	trace_hv_event(vm, vcpu ? (int)vcpu->index : -1, event, cause);
	hv_event_send(&msg);
}
