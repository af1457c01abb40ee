// SPDX-License-Identifier: GPL-2.0-or-later
/* The generic netlink family: who it is, and the events of a VM's life in order. */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

struct msg {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char data[4096];
};

static struct nlattr *attr_next(struct nlattr *a)
{
	return (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len));
}

/* Attribute @type among those of @len bytes at @a, or NULL. */
static void *attr_find(struct nlattr *a, size_t len, uint16_t type)
{
	char *end = (char *)a + len;

	while ((char *)a + sizeof(*a) <= end && a->nla_len >= sizeof(*a)) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a + 1;
		a = attr_next(a);
	}
	return NULL;
}

static void *msg_attr(struct msg *m, uint16_t type)
{
	return attr_find((struct nlattr *)m->data,
			 m->nl.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, type);
}

static uint32_t group;

/* Number of family @name; sets @group to that of its only multicast group. */
static uint16_t family_find(int sock, const char *name)
{
	struct msg m = {
		.nl = { .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
	};
	struct nlattr *a = (struct nlattr *)m.data, *g;
	uint16_t *id;

	a->nla_type = CTRL_ATTR_FAMILY_NAME;
	a->nla_len = (uint16_t)(sizeof(*a) + strlen(name) + 1);
	strcpy((char *)(a + 1), name);
	m.nl.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(a->nla_len);
	if (send(sock, &m, m.nl.nlmsg_len, 0) < 0 || recv(sock, &m, sizeof(m), 0) < 0)
		tap_bail("netlink");
	id = msg_attr(&m, CTRL_ATTR_FAMILY_ID);
	if (!id)
		return 0;
	g = msg_attr(&m, CTRL_ATTR_MCAST_GROUPS);
	if (g) {
		char *gname = attr_find(g + 1, g->nla_len - sizeof(*g), CTRL_ATTR_MCAST_GRP_NAME);
		uint32_t *gid = attr_find(g + 1, g->nla_len - sizeof(*g), CTRL_ATTR_MCAST_GRP_ID);

		tap_ok(gname && !strcmp(gname, HV_GENL_MCGRP_EVENTS), "group %s", gname);
		group = gid ? *gid : 0;
	}
	return *id;
}

static int event_is(int sock, uint16_t family, uint32_t want, uint64_t id, int vcpu)
{
	struct msg m;
	uint32_t *event, *vp, *pid;
	uint64_t *vm, *time;
	char *name;

	if (recv(sock, &m, sizeof(m), 0) < 0) {
		tap_ok(false, "event %u: nothing came", want);
		return 0;
	}
	event = msg_attr(&m, HV_GENL_ATTR_EVENT);
	vm = msg_attr(&m, HV_GENL_ATTR_VM_ID);
	vp = msg_attr(&m, HV_GENL_ATTR_VCPU);
	pid = msg_attr(&m, HV_GENL_ATTR_PID);
	time = msg_attr(&m, HV_GENL_ATTR_TIME);
	name = msg_attr(&m, HV_GENL_ATTR_VM_NAME);
	return tap_ok(m.nl.nlmsg_type == family && m.genl.cmd == HV_GENL_CMD_EVENT && event &&
		      *event == want && vm && !memcmp(vm, &id, 8) && pid && *pid == (uint32_t)getpid() &&
		      time && name && !strcmp(name, "heard") &&
		      (vcpu < 0 ? !vp : vp && *vp == (uint32_t)vcpu),
		      "event %u: got %u vm %s vcpu %d name %s", want, event ? *event : 0,
		      vm ? "given" : "missing", vp ? (int)*vp : -1, name ? name : "missing");
}

int main(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct timeval two = { .tv_sec = 2 };
	struct hv_vm_args va = { .max_vcpus = 2, .name = "heard" };
	struct hv_run_state_args rs = { .state = HV_RUN_STATE_PAUSED };
	struct hv_reset_args reset = { 0 };
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int sys, vm, vcpu;
	uint16_t family;

	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		tap_bail("netlink socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &two, sizeof(two));
	family = family_find(sock, HV_GENL_NAME);
	tap_ok(family, "family %s", HV_GENL_NAME);
	tap_ok(!setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)),
	       "join group %u", group);

	sys = hv_open();
	vm = (int)hv_do(sys, HV_SYS_CREATE_VM, &va);
	event_is(sock, family, HV_EVENT_VM_CREATED, va.id, -1);
	hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	vcpu = hv_vcpu_new(vm, 0);
	event_is(sock, family, HV_EVENT_VCPU_CREATED, va.id, 0);
	hv_raw(vcpu, HV_VCPU_RUN, NULL);
	event_is(sock, family, HV_EVENT_VCPU_STARTED, va.id, 0);
	hv_raw(vcpu, HV_VCPU_RUN, NULL);
	hv_do(vm, HV_VM_SET_RUN_STATE, &rs);
	event_is(sock, family, HV_EVENT_VM_PAUSED, va.id, -1);
	hv_do(vm, HV_VM_RESET, &reset);
	event_is(sock, family, HV_EVENT_VM_RESET, va.id, -1);
	rs.state = HV_RUN_STATE_RUNNING;
	hv_do(vm, HV_VM_SET_RUN_STATE, &rs);
	event_is(sock, family, HV_EVENT_VM_RESUMED, va.id, -1);
	close(vcpu);
	event_is(sock, family, HV_EVENT_VCPU_DESTROYED, va.id, 0);
	close(vm);
	event_is(sock, family, HV_EVENT_VM_DESTROYED, va.id, -1);
	return tap_done();
}
