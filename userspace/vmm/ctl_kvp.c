// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest told, as JSON. All of it is a guest's word: text without control characters, and no more. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/kvp.h"
#include "vmm/ctl_verbs.h"

#define HOST_NAME_MAX_BYTES 255

/* Members of "guest", and the names under which guests tell them. */
static const struct {
	const char *member, *name;
} members[] = {
	{ "os", "OSName" }, { "os_major", "OSMajorVersion" }, { "os_minor", "OSMinorVersion" },
	{ "os_version", "OSVersion" }, { "os_build", "OSBuildNumber" }, { "architecture", "ProcessorArchitecture" },
	{ "services", "IntegrationServicesVersion" },
};

static const char host_name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

static bool is_host_name(const char *s)
{
	size_t len = strlen(s);

	return len && len <= HOST_NAME_MAX_BYTES && strspn(s, host_name_bytes) == len;
}

/* Those parts of @text, which ';' ends, that are addresses. */
static void addresses_add(json_t *list, const char *text)
{
	uint8_t binary[16];
	char one[64];

	while (text && *text) {
		size_t len = strcspn(text, ";");

		snprintf(one, sizeof(one), "%.*s", (int)(len < sizeof(one) ? len : 0), text);
		if (inet_pton(AF_INET, one, binary) == 1 || inet_pton(AF_INET6, one, binary) == 1)
			json_array_append_new(list, json_string(one));
		text += len + (text[len] != 0);
	}
}

static json_t *addresses(const char *text)
{
	json_t *list = json_array();

	addresses_add(list, text);
	return list;
}

static json_t *adapter_list(const struct kvp_view *v)
{
	json_t *list = json_array();
	char mac[18];

	for (unsigned int i = 0; i < v->adapters; i++) {
		const struct kvp_adapter *a = &v->adapter[i];

		if (!a->known)
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[i][0], v->mac[i][1], v->mac[i][2],
			 v->mac[i][3], v->mac[i][4], v->mac[i][5]);
		json_array_append_new(list, json_pack("{s:i, s:s, s:b, s:o, s:o, s:o}", "net", (int)i, "mac", mac, "dhcp",
						      a->dhcp, "addresses", addresses(a->address), "gateways",
						      addresses(a->gateway), "dns", addresses(a->dns)));
	}
	return list;
}

json_t *ctl_guest_json(struct machine *m)
{
	const struct kvp_list *l;
	json_t *o, *all = NULL;
	struct kvp_view v;
	const char *s;

	machine_kvp_look(m, &v);
	if (!v.told || !v.pool[VMB_KVP_AUTO]->nr)
		return json_null();
	l = v.pool[VMB_KVP_AUTO];
	o = json_pack("{s:s, s:I}", "kvp", kvp_health_name(v.health), "age_ms", (json_int_t)(v.age_ns / 1000000));
	s = kvp_list_value(l, "FullyQualifiedDomainName");
	if (s && is_host_name(s))
		json_object_set_new(o, "hostname", json_string(s));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		s = kvp_list_value(l, members[i].name);
		if (s && *s)
			json_object_set_new(o, members[i].member, json_string(s));
	}
	all = addresses(kvp_list_value(l, "NetworkAddressIPv4"));
	addresses_add(all, kvp_list_value(l, "NetworkAddressIPv6"));
	json_object_set_new(o, "addresses", all);
	json_object_set_new(o, "adapters", adapter_list(&v));
	return o;
}

static json_t *pool_json(const struct kvp_list *l)
{
	json_t *list = json_array();

	for (unsigned int i = 0; l && i < l->nr; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", l->item[i].name, "value",
						      l->item[i].value));
	return json_pack("{s:o, s:b}", "pairs", list, "cut", l && l->cut);
}

static json_t *changes_json(const struct kvp_view *v)
{
	static const char *const words[] = {
		[KVP_PENDING] = "pending", [KVP_DONE] = "done", [KVP_REFUSED] = "refused",
		[KVP_UNANSWERED] = "unanswered",
	};
	uint32_t n = v->change > KVP_CHANGES ? v->change - KVP_CHANGES + 1 : 1;
	json_t *list = json_array();

	for (; n <= v->change; n++)
		json_array_append_new(list, json_pack("{s:I, s:s}", "change", (json_int_t)n, "outcome",
						      words[v->outcome[n % KVP_CHANGES]]));
	return list;
}

static json_t *begin(struct machine *m)
{
	return json_pack("{s:b, s:s, s:s}", "ok", 1, "name", machine_config(m)->name, "state",
			 vmm_state_name(machine_state(m)));
}

static json_t *all_json(struct machine *m)
{
	struct kvp_view v;
	json_t *o = begin(m);

	machine_kvp_look(m, &v);
	json_object_set_new(o, "kvp", json_string(kvp_health_name(v.health)));
	json_object_set_new(o, "sweeps", json_integer(v.sweeps));
	json_object_set_new(o, "age_ms", json_integer((json_int_t)(v.age_ns / 1000000)));
	json_object_set_new(o, "pools", json_pack("{s:o, s:o, s:o}", "auto", pool_json(v.pool[VMB_KVP_AUTO]), "external",
						  pool_json(v.pool[VMB_KVP_EXTERNAL]), "guest",
						  pool_json(v.pool[VMB_KVP_GUEST])));
	json_object_set_new(o, "adapters", adapter_list(&v));
	json_object_set_new(o, "changes", changes_json(&v));
	return o;
}

static json_t *failed(struct machine *m, int ret)
{
	const char *name = machine_config(m)->name, *next = NULL;
	json_t *o;

	if (ret == -ENOTCONN) {
		o = ctl_error(CTL_E_STATE, "nobody answers in the guest of VM '%s'", name);
		next = "its key-value service must run: in Debian the package hyperv-daemons";
	} else if (ret == -EBUSY) {
		o = ctl_error(CTL_E_BUSY, "another change of VM '%s' is under way", name);
	} else {
		o = ctl_error(CTL_E_INVALID, "not a name or value that a guest can keep");
		next = "a name has 1 to 254 characters of UTF-8, a value at most 1022";
	}
	if (o && next)
		json_object_set_new(o, "next", json_string(next));
	return o;
}

void ctl_kvp(struct machine *m, const struct ctl_request *req, struct ctl_answer *ans)
{
	unsigned int needed = req->verb == CTL_KVP_SET ? CTL_KEY_NAME | CTL_KEY_VALUE :
			      req->verb == CTL_KVP_DELETE ? CTL_KEY_NAME : 0;
	const char *key = "sweep";
	uint32_t number = 0;
	int ret;

	if (req->verb == CTL_KVP) {
		ans->json = all_json(m);
		return;
	}
	if ((req->keys & needed) != needed) {
		ans->json = ctl_error(CTL_E_REQUEST, "\"%s\" lacks a key", ctl_verb_name(req->verb));
		return;
	}
	if (req->verb == CTL_KVP_READ) {
		ret = machine_kvp_read(m, &number);
	} else {
		key = "change";
		ret = machine_kvp_change(m, req->name, req->verb == CTL_KVP_SET ? req->value : NULL, &number);
	}
	ans->json = ret ? failed(m, ret) : begin(m);
	if (!ret)
		json_object_set_new(ans->json, key, json_integer(number));
}
