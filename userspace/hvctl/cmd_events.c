// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events: what hv.ko announces through generic netlink.
 *
 * libnl is loaded here and not linked: this verb alone needs it, while every VM process would carry its
 * pages.
 */
#include <dlfcn.h>
#include <errno.h>
#include <hv/hv.h>
#include <inttypes.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/stopsig.h"

#define LIBNL "libnl-genl-3.so.200"

#define NL_FUNCTIONS(X) \
	X(nl_socket_alloc) X(nl_socket_free) X(nl_socket_get_fd) X(nl_socket_add_membership) \
	X(nl_socket_disable_seq_check) X(nl_socket_modify_cb) X(nl_socket_set_nonblocking) \
	X(nl_recvmsgs_default) X(nl_geterror) X(nlmsg_hdr) X(nla_get_u32) X(nla_get_u64) X(nla_get_string) \
	X(genl_connect) X(genl_ctrl_resolve_grp) X(genlmsg_parse)

static struct {
#define X(f) __typeof__(&f) f;
	NL_FUNCTIONS(X)
#undef X
} nl;

struct listener {
	struct ctx	*ctx;
	uint64_t	seen, wanted;	/* wanted 0: no end */
	int		ret;
};

static const char *const event_names[] = {
	[HV_EVENT_VM_CREATED] = "vm-created", [HV_EVENT_VM_DESTROYED] = "vm-destroyed",
	[HV_EVENT_VM_PAUSED] = "vm-paused", [HV_EVENT_VM_RESUMED] = "vm-resumed",
	[HV_EVENT_VM_RESET] = "vm-reset", [HV_EVENT_VM_DEAD] = "vm-dead",
	[HV_EVENT_VM_CRASHED] = "vm-crashed", [HV_EVENT_VCPU_CREATED] = "vcpu-created",
	[HV_EVENT_VCPU_STARTED] = "vcpu-started", [HV_EVENT_VCPU_SHUTDOWN] = "vcpu-shutdown",
	[HV_EVENT_VCPU_DESTROYED] = "vcpu-destroyed",
};

static struct nla_policy policy[HV_GENL_ATTR_MAX + 1] = {
	[HV_GENL_ATTR_EVENT] = { .type = NLA_U32 },
	[HV_GENL_ATTR_VM_ID] = { .type = NLA_U64 },
	[HV_GENL_ATTR_VM_NAME] = { .type = NLA_STRING },
	[HV_GENL_ATTR_VCPU] = { .type = NLA_U32 },
	[HV_GENL_ATTR_PID] = { .type = NLA_U32 },
	[HV_GENL_ATTR_CAUSE] = { .type = NLA_STRING },
	[HV_GENL_ATTR_TIME] = { .type = NLA_U64 },
};

static int load(struct err *err)
{
	void *lib = dlopen(LIBNL, RTLD_NOW);

	if (!lib)
		return err_set(err, RC_HOST, "install it: apt install libnl-genl-3-200",
			       "cannot load " LIBNL ": %s", dlerror());
#define X(f) nl.f = (__typeof__(nl.f))dlsym(lib, #f); \
	if (!nl.f) \
		return err_set(err, RC_HOST, NULL, LIBNL " has no %s", #f);
	NL_FUNCTIONS(X)
#undef X
	return 0;
}

static void set_u32(json_t *o, const char *key, struct nlattr *a)
{
	if (a)
		json_object_set_new(o, key, json_integer(nl.nla_get_u32(a)));
}

static void set_u64(json_t *o, const char *key, struct nlattr *a)
{
	if (a)
		json_object_set_new(o, key, json_integer((json_int_t)nl.nla_get_u64(a)));
}

static void set_string(json_t *o, const char *key, struct nlattr *a)
{
	if (a)
		json_object_set_new(o, key, json_string(nl.nla_get_string(a)));
}

static json_t *event_json(struct nlattr *const *a)
{
	uint32_t ev = a[HV_GENL_ATTR_EVENT] ? nl.nla_get_u32(a[HV_GENL_ATTR_EVENT]) : 0;
	const char *name = ev < sizeof(event_names) / sizeof(event_names[0]) ? event_names[ev] : NULL;
	json_t *o = json_pack("{s:s}", "event", name ? name : "unknown");

	if (!name)
		json_object_set_new(o, "number", json_integer(ev));
	set_string(o, "name", a[HV_GENL_ATTR_VM_NAME]);
	set_u64(o, "id", a[HV_GENL_ATTR_VM_ID]);
	set_u32(o, "vcpu", a[HV_GENL_ATTR_VCPU]);
	set_u32(o, "pid", a[HV_GENL_ATTR_PID]);
	set_string(o, "cause", a[HV_GENL_ATTR_CAUSE]);
	set_u64(o, "time_ns", a[HV_GENL_ATTR_TIME]);
	return o;
}

static void print_event(json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *cause = json_string_value(json_object_get(o, "cause"));
	json_t *vcpu = json_object_get(o, "vcpu");
	uint64_t ns = (uint64_t)json_integer_value(json_object_get(o, "time_ns"));

	printf("%6" PRIu64 ".%06" PRIu64 " %-15s id %" JSON_INTEGER_FORMAT, ns / 1000000000,
	       ns / 1000 % 1000000, json_string_value(json_object_get(o, "event")),
	       json_integer_value(json_object_get(o, "id")));
	if (name && *name)
		printf(" '%s'", name);
	if (vcpu)
		printf(" vcpu %" JSON_INTEGER_FORMAT, json_integer_value(vcpu));
	printf(" pid %" JSON_INTEGER_FORMAT "%s%s\n", json_integer_value(json_object_get(o, "pid")),
	       cause ? ": " : "", cause ? cause : "");
	json_decref(o);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct listener *l = arg;
	struct nlattr *attr[HV_GENL_ATTR_MAX + 1];
	json_t *o;

	if (nl.genlmsg_parse(nl.nlmsg_hdr(msg), 0, attr, HV_GENL_ATTR_MAX, policy) < 0)
		return NL_SKIP;	/* from a newer module, perhaps */
	o = event_json(attr);
	if (l->ctx->json) {
		l->ret = out_json(l->ctx, o, true);
	} else {
		print_event(o);
		l->ret = out_end(l->ctx);
	}
	l->seen++;
	return l->ret || (l->wanted && l->seen >= l->wanted) ? NL_STOP : NL_OK;
}

static int join(struct nl_sock *sk, struct err *err)
{
	int group, ret = nl.genl_connect(sk);

	if (ret < 0)
		return err_set(err, RC_HOST, NULL, "cannot open a netlink socket: %s", nl.nl_geterror(ret));
	group = nl.genl_ctrl_resolve_grp(sk, HV_GENL_NAME, HV_GENL_MCGRP_EVENTS);
	if (group < 0)
		return err_set(err, RC_HOST, "load it with modprobe hv; hvctl doctor tells more",
			       "there is no netlink family '" HV_GENL_NAME "': hv.ko is not loaded");
	ret = nl.nl_socket_add_membership(sk, group);
	if (ret < 0)
		return err_set(err, RC_HOST, NULL, "cannot listen to events: %s", nl.nl_geterror(ret));
	nl.nl_socket_disable_seq_check(sk);
	nl.nl_socket_set_nonblocking(sk);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int listen_to(struct listener *l, struct nl_sock *sk, int64_t deadline)
{
	struct pollfd p = { .fd = nl.nl_socket_get_fd(sk), .events = POLLIN };

	while (!l->ret && !(l->wanted && l->seen >= l->wanted)) {
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		int ret;

		if (deadline >= 0 && left <= 0)
			break;
		ret = stopsig_poll(&p, 1, (int)left);
		if (stopsig_got())
			return err_set(&l->ctx->err, RC_CANCELLED, NULL, "cancelled");
		if (ret <= 0)
			continue;
		ret = nl.nl_recvmsgs_default(sk);
		if (ret == -NLE_NOMEM)	/* the kernel's word for ENOBUFS: the queue ran over */
			fprintf(stderr, "hvctl: events were lost: they came faster than they were read\n");
	}
	return l->ret;
}

int cmd_events(struct ctx *ctx)
{
	const char *count = opt_value(&ctx->line, "count"), *timeout = opt_value(&ctx->line, "timeout");
	struct listener l = { .ctx = ctx };
	uint64_t ms = 0;
	struct nl_sock *sk;
	int ret = load(&ctx->err);

	if (ret)
		return ret;
	if (count)
		text_uint(count, UINT64_MAX, &l.wanted);
	if (timeout && (text_duration(timeout, &ms) || ms > INT32_MAX))
		ms = INT32_MAX;
	sk = nl.nl_socket_alloc();
	if (!sk)
		return err_set(&ctx->err, RC_FAILED, NULL, "no memory");
	stopsig_catch();
	ret = join(sk, &ctx->err);
	if (!ret) {
		nl.nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_message, &l);
		ret = listen_to(&l, sk, timeout ? now_ms() + (int64_t)ms : -1);
	}
	nl.nl_socket_free(sk);
	return ret;
}
