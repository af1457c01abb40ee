// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "hv": life-cycle events of VMs and vCPUs, multicast to the
 * group "events" of the initial network namespace (pids and names belong to the host).
 *
 * Notifications only; user space can't send anything. Best effort, as multicast is: a
 * listener that falls behind sees its socket's ENOBUFS. With nobody listening an event is
 * one test of the group.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <hv/event.h>
#include "parts.h"

static const struct genl_multicast_group hv_genl_groups[] = {
	{ .name = HV_GENL_MCGRP_EVENTS },
};

static struct genl_family hv_genl_family __ro_after_init = {
	.name = HV_GENL_NAME,
	.version = HV_GENL_VERSION,
	.maxattr = HV_GENL_ATTR_MAX,
	.module = THIS_MODULE,
	.mcgrps = hv_genl_groups,
	.n_mcgrps = ARRAY_SIZE(hv_genl_groups),
};

static int event_fill(struct sk_buff *skb, const struct hv_event_msg *msg)
{
	const struct hv_vm *vm = msg->vm;
	void *hdr = genlmsg_put(skb, 0, 0, &hv_genl_family, 0, HV_GENL_CMD_EVENT);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, HV_GENL_ATTR_EVENT, msg->event) ||
	    nla_put_u64_64bit(skb, HV_GENL_ATTR_VM_ID, vm->id, HV_GENL_ATTR_PAD) ||
	    nla_put_string(skb, HV_GENL_ATTR_VM_NAME, vm->name) ||
	    nla_put_u32(skb, HV_GENL_ATTR_PID, vm->owner) ||
	    nla_put_u64_64bit(skb, HV_GENL_ATTR_TIME, ktime_get_boottime_ns(), HV_GENL_ATTR_PAD))
		return -EMSGSIZE;
	if (msg->vcpu && nla_put_u32(skb, HV_GENL_ATTR_VCPU, msg->vcpu->index))
		return -EMSGSIZE;
	if (msg->cause && nla_put_string(skb, HV_GENL_ATTR_CAUSE, msg->cause))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

void hv_event_send(const struct hv_event_msg *msg)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&hv_genl_family, &init_net, 0))
		return;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	if (!skb)
		return;
	if (event_fill(skb, msg)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast(&hv_genl_family, skb, 0, 0, GFP_ATOMIC);
}

int __init hv_netlink_init(void)
{
	return genl_register_family(&hv_genl_family);
}

void hv_netlink_exit(void)
{
	genl_unregister_family(&hv_genl_family);
}
