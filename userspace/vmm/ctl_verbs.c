// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs of the control socket. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/chr.h"
#include "base/err.h"
#include "vmm/ctl_verbs.h"
#include "vmm/loop.h"
#include "vmm/machine.h"

#define STATS_MAX 8192
#define CHANNELS_MAX 256

json_t *ctl_error(const char *word, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return json_pack("{s:b, s:s, s:s}", "ok", 0, "error", word, "message", text);
}

static const char *name_of(struct machine *m)
{
	return machine_config(m)->name;
}

static json_t *ok(struct machine *m)
{
	return json_pack("{s:b, s:s, s:s}", "ok", 1, "name", name_of(m), "state",
			 vmm_state_name(machine_state(m)));
}

/* The reply for a verb that changes the state. */
static json_t *state_change(struct machine *m, int ret, const char *verb)
{
	if (!ret)
		return ok(m);
	if (ret == -EBUSY)
		return ctl_error(CTL_E_STATE, "cannot %s VM '%s': it is %s", verb, name_of(m),
				 vmm_state_name(machine_state(m)));
	return ctl_error(CTL_E_FAILED, "cannot %s VM '%s': %s", verb, name_of(m), strerror(-ret));
}

static void do_pause(struct machine *m, struct ctl_answer *ans)
{
	ans->json = state_change(m, machine_pause(m), "pause");
}

static void do_resume(struct machine *m, struct ctl_answer *ans)
{
	ans->json = state_change(m, machine_resume(m), "resume");
}

static void do_reset(struct machine *m, struct ctl_answer *ans)
{
	ans->json = state_change(m, machine_reset(m), "reset");
}

static void do_stop(struct machine *m, struct ctl_answer *ans)
{
	ans->json = state_change(m, machine_stop(m), "stop");
}

static void do_kill(struct machine *m, struct ctl_answer *ans)
{
	machine_kill(m, "hvctl kill");
	ans->json = ok(m);
}

/* Strings of the configuration are bytes of the user's, not always UTF-8: then they are left out. */
static void set_string(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static json_t *channel_json(const struct machine_chan *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "kind", c->kind, "instance", c->instance,
			      "state", c->state, "sub_channel", (json_int_t)c->index, "relid",
			      (json_int_t)c->relid, "vp", (json_int_t)c->vp);
	json_t *stats = json_object();

	for (uint32_t i = 0; i < c->nr; i++)
		json_object_set_new(stats, c->stat[i].name, json_integer((json_int_t)c->stat[i].value));
	json_object_set_new(o, "stats", stats);
	return o;
}

/* NULL, without memory: the key is left out. */
static json_t *channels_json(struct machine *m)
{
	struct machine_chan *c = calloc(CHANNELS_MAX, sizeof(*c));
	json_t *list = json_array();
	int n = c ? machine_channels(m, c, CHANNELS_MAX) : 0;

	for (int i = 0; i < n && i < CHANNELS_MAX; i++)
		json_array_append_new(list, channel_json(&c[i]));
	free(c);
	return list;
}

static json_t *disk_list(struct machine *m)
{
	json_t *list = json_array();
	struct machine_disk d;

	for (unsigned int i = 0; list && machine_disk_look(m, i, &d); i++) {
		json_t *o = json_pack("{s:i, s:i, s:s, s:b}", "controller", d.at.controller, "unit", d.at.unit,
				      "type", d.dvd ? "dvd" : "disk", "readonly", d.readonly);

		if (!o)
			break;
		set_string(o, "path", d.path);
		if (d.path)
			json_object_set_new(o, "size", json_integer((json_int_t)d.size));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *net_list(struct machine *m)
{
	json_t *list = json_array();
	struct machine_net n;
	char mac[18];

	for (unsigned int i = 0; list && machine_net_look(m, i, &n); i++) {
		json_t *o, *stats = json_object(), *queues = json_array();

		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", n.mac[0], n.mac[1], n.mac[2],
			 n.mac[3], n.mac[4], n.mac[5]);
		o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "kind", n.kind, "mac", mac, "link",
			      n.up ? "up" : "down", "version", (json_int_t)n.version, "mtu",
			      (json_int_t)n.mtu, "queues", (json_int_t)n.queues);
		set_string(o, "to", n.about);
		for (unsigned int c = 0; c < n.nr; c++)
			json_object_set_new(stats, n.names[c], json_integer((json_int_t)n.value[c]));
		json_object_set_new(o, "stats", stats);
		for (unsigned int q = 0; q < n.queues; q++)
			json_array_append_new(queues, json_pack("{s:I, s:I}", "tx_packets", (json_int_t)n.queue_tx[q],
								"rx_packets", (json_int_t)n.queue_rx[q]));
		json_object_set_new(o, "channels", queues);
		json_array_append_new(list, o);
	}
	return list;
}

static void do_status(struct machine *m, uint64_t born, struct ctl_answer *ans)
{
	static const char *const backing[VMM_BACKING_NR] = {
		[VMM_BACKING_AUTO] = "auto", [VMM_BACKING_MEMFD] = "memfd",
		[VMM_BACKING_THP] = "thp", [VMM_BACKING_HUGETLB] = "hugetlb",
	};
	const struct vmm_config *cfg = machine_config(m);
	uint64_t done, total;
	json_t *o = ok(m);

	if (!o)
		return;
	json_object_set_new(o, "protocol", json_integer(CTL_PROTOCOL));
	json_object_set_new(o, "pid", json_integer(getpid()));
	json_object_set_new(o, "id", json_integer((json_int_t)machine_id(m)));
	json_object_set_new(o, "cpus", json_integer(cfg->cpus));
	json_object_set_new(o, "memory", json_integer((json_int_t)cfg->memory));
	json_object_set_new(o, "nodes", json_integer(cfg->nodes));
	json_object_set_new(o, "uptime_ms", json_integer((json_int_t)((loop_now() - born) / 1000000)));
	set_string(o, "backing", cfg->backing < VMM_BACKING_NR ? backing[cfg->backing] : NULL);
	set_string(o, "cpu_model", cfg->cpu_model ? cfg->cpu_model : "host");
	set_string(o, "kernel", cfg->kernel);
	set_string(o, "initrd", cfg->initrd);
	set_string(o, "append", cfg->append);
	set_string(o, "serial", machine_serial_name(m));
	set_string(o, "heartbeat", machine_heartbeat(m));
	json_object_set_new(o, "guest", ctl_guest_json(m));
	if (machine_save_progress(m, &done, &total))
		json_object_set_new(o, "save", json_pack("{s:I, s:I}", "done", (json_int_t)done, "total",
							 (json_int_t)total));
	json_object_set_new(o, "channels", channels_json(m));
	json_object_set_new(o, "disks", disk_list(m));
	json_object_set_new(o, "nets", net_list(m));
	ans->json = o;
}

static void do_stats(struct machine *m, struct ctl_answer *ans)
{
	struct machine_stat *s = calloc(STATS_MAX, sizeof(*s));
	json_t *o = ok(m), *list = json_object(), *instant = json_array();
	int n;

	if (!s || !o || !list || json_object_set(o, "instant", instant))
		goto no_memory;
	n = machine_stats(m, s, STATS_MAX);
	for (int i = 0; i < n && i < STATS_MAX; i++)
		json_object_set_new(list, s[i].name, json_integer((json_int_t)s[i].value));
	for (int i = 0; i < n && i < STATS_MAX; i++)
		if (s[i].instant)
			json_array_append_new(instant, json_string(s[i].name));
	if (json_object_set_new(o, "stats", list)) {
		list = NULL;
		goto no_memory;
	}
	free(s);
	json_decref(instant);
	ans->json = o;
	return;
no_memory:
	free(s);
	json_decref(instant);
	json_decref(o);
	json_decref(list);
}

/*
 * The peer gets one end of a pair made here: had it sent a descriptor of its own, it could be one
 * whose writes block.
 */
static void do_console(struct machine *m, unsigned int keys, struct ctl_answer *ans)
{
	unsigned int flags = CHR_ATTACH_REPLAY;
	int pair[2], ret;

	if (!machine_console(m)) {
		ans->json = ctl_error(CTL_E_STATE, "VM '%s' has no console", name_of(m));
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)) {
		ans->json = ctl_error(CTL_E_FAILED, "no console: %s", strerror(errno));
		return;
	}
	if (keys & CTL_KEY_READONLY)
		flags |= CHR_ATTACH_READONLY;
	if (keys & CTL_KEY_FORCE)
		flags |= CHR_ATTACH_FORCE;
	ret = chr_attach(machine_console(m), pair[0], -1, flags);
	if (!ret) {
		ans->json = ok(m);
		ans->fd = pair[1];
		return;
	}
	close(pair[0]);
	close(pair[1]);
	if (ret == -EBUSY)
		ans->json = ctl_error(CTL_E_BUSY, "the console of VM '%s' is in use", name_of(m));
	else if (ret == -ENOSPC)
		ans->json = ctl_error(CTL_E_BUSY, "the console of VM '%s' has %d readers already",
				      name_of(m), CHR_READERS);
	else
		ans->json = ctl_error(CTL_E_FAILED, "no console: %s", strerror(-ret));
}

static void do_ring(struct machine *m, struct ctl_answer *ans)
{
	json_t *o = ok(m);

	ans->raw = malloc(CHR_RING);
	if (!ans->raw || !o) {
		json_decref(o);
		return;
	}
	ans->raw_len = machine_console(m) ? chr_ring_copy(machine_console(m), ans->raw, CHR_RING) : 0;
	json_object_set_new(o, "bytes", json_integer((json_int_t)ans->raw_len));
	ans->json = o;
}

static json_t *disk_error(const struct err *e)
{
	static const struct { int code; const char *word; } words[] = {
		{ -EBUSY, CTL_E_BUSY }, { -EEXIST, CTL_E_BUSY }, { -EAGAIN, CTL_E_BUSY },
		{ -EINVAL, CTL_E_INVALID }, { -ENOENT, CTL_E_INVALID }, { -EUCLEAN, CTL_E_INVALID },
		{ -EFBIG, CTL_E_INVALID }, { -EMEDIUMTYPE, CTL_E_INVALID }, { -EROFS, CTL_E_INVALID },
	};
	json_t *o;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]) && words[i].code != e->code; i++)
		;
	o = ctl_error(i < sizeof(words) / sizeof(words[0]) ? words[i].word : CTL_E_FAILED, "%s", e->text);
	if (o && e->next[0])
		json_object_set_new(o, "next", json_string(e->next));
	return o;
}

static void do_disk(struct machine *m, const struct ctl_request *req, int *fd, struct ctl_answer *ans)
{
	struct machine_place at = {
		.controller = req->controller, .unit = req->keys & CTL_KEY_UNIT ? req->unit : -1,
	};
	struct machine_image image = {
		.fd = *fd, .path = req->path[0] ? req->path : "image",
		.readonly = req->keys & CTL_KEY_READONLY, .raw = req->keys & CTL_KEY_RAW,
	};
	bool brings = req->verb == CTL_DISK_ATTACH || req->verb == CTL_DISK_INSERT;
	bool force = req->keys & CTL_KEY_FORCE;
	struct err e = { 0 };
	int ret;

	if (brings && *fd < 0) {
		ans->json = ctl_error(CTL_E_REQUEST, "no descriptor came with the request");
		return;
	}
	if (brings)
		*fd = -1;
	if (req->verb == CTL_DISK_ATTACH)
		ret = machine_disk_attach(m, &at, &image, &e);
	else if (req->verb == CTL_DISK_DETACH)
		ret = machine_disk_detach(m, &at, &e);
	else
		ret = machine_disk_medium(m, &at, brings ? &image : NULL, force, &e);
	ans->json = ret ? disk_error(&e) : ok(m);
	if (!ret && ans->json) {
		json_object_set_new(ans->json, "controller", json_integer(at.controller));
		json_object_set_new(ans->json, "unit", json_integer(at.unit));
	}
}

static void do_link(struct machine *m, const struct ctl_request *req, struct ctl_answer *ans)
{
	int ret = machine_net_link(m, req->unit, req->verb == CTL_LINK_UP);

	if (ret == -ENODEV)
		ans->json = ctl_error(CTL_E_STATE, "what network adapter %u of VM '%s' led to has gone; start the VM anew",
				      req->unit, name_of(m));
	else if (ret)
		ans->json = ctl_error(CTL_E_INVALID, "VM '%s' has no network adapter %u", name_of(m), req->unit);
	else
		ans->json = ok(m);
}

void ctl_verb_run(struct machine *m, const struct ctl_request *req, uint64_t born, int *fd,
		  struct ctl_answer *ans)
{
	*ans = (struct ctl_answer){ .fd = -1 };
	switch (req->verb) {
	case CTL_STATUS:	do_status(m, born, ans); break;
	case CTL_STATS:		do_stats(m, ans); break;
	case CTL_PAUSE:		do_pause(m, ans); break;
	case CTL_RESUME:	do_resume(m, ans); break;
	case CTL_RESET:		do_reset(m, ans); break;
	case CTL_STOP:		do_stop(m, ans); break;
	case CTL_KILL:		do_kill(m, ans); break;
	case CTL_CONSOLE:	do_console(m, req->keys, ans); break;
	case CTL_RING:		do_ring(m, ans); break;
	case CTL_DISK_ATTACH:
	case CTL_DISK_DETACH:
	case CTL_DISK_EJECT:
	case CTL_DISK_INSERT:	do_disk(m, req, fd, ans); break;
	case CTL_LINK_UP:
	case CTL_LINK_DOWN:	do_link(m, req, ans); break;
	case CTL_KVP:
	case CTL_KVP_READ:
	case CTL_KVP_SET:
	case CTL_KVP_DELETE:	ctl_kvp(m, req, ans); break;
	case CTL_WAIT:
	case CTL_SAVE:
	case CTL_SAVE_END:
	case CTL_VERB_NR:	break;
	}
}

json_t *ctl_end_json(struct machine *m)
{
	const struct vmm_end *end = machine_end(m);
	json_t *o = ok(m), *e;

	if (!o)
		return NULL;
	e = json_pack("{s:s, s:i}", "cause", vmm_cause_name(end->cause), "code", end->code);
	if (e)
		set_string(e, "text", end->text[0] ? end->text : NULL);
	json_object_set_new(o, "end", e);
	return o;
}
