// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the control socket: text to struct. No state, no I/O. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "vmm/config.h"
#include "vmm/ctl.h"

static const struct {
	const char	*name;
	unsigned int	keys;		/* keys it may have besides "verb" */
} verbs[CTL_VERB_NR] = {
	[CTL_STATUS]	= { "status", 0 },
	[CTL_STATS]	= { "stats", 0 },
	[CTL_PAUSE]	= { "pause", 0 },
	[CTL_RESUME]	= { "resume", 0 },
	[CTL_RESET]	= { "reset", 0 },
	[CTL_STOP]	= { "stop", 0 },
	[CTL_KILL]	= { "kill", 0 },
	[CTL_WAIT]	= { "wait", 0 },
	[CTL_CONSOLE]	= { "console", CTL_KEY_READONLY | CTL_KEY_FORCE },
	[CTL_RING]	= { "ring", 0 },
	[CTL_DISK_ATTACH] = { "disk-attach", CTL_KEY_CONTROLLER | CTL_KEY_UNIT | CTL_KEY_PATH |
			      CTL_KEY_READONLY | CTL_KEY_RAW },
	[CTL_DISK_DETACH] = { "disk-detach", CTL_KEY_CONTROLLER | CTL_KEY_UNIT },
	[CTL_DISK_EJECT] = { "disk-eject", CTL_KEY_CONTROLLER | CTL_KEY_UNIT | CTL_KEY_FORCE },
	[CTL_KVP]	= { "kvp", 0 },
	[CTL_KVP_READ]	= { "kvp-read", 0 },
	[CTL_KVP_SET]	= { "kvp-set", CTL_KEY_NAME | CTL_KEY_VALUE },
	[CTL_KVP_DELETE] = { "kvp-delete", CTL_KEY_NAME },
	[CTL_SAVE]	= { "save", CTL_KEY_COMPRESS },
	[CTL_SAVE_END]	= { "save-end", 0 },
	[CTL_DISK_INSERT] = { "disk-insert", CTL_KEY_CONTROLLER | CTL_KEY_UNIT | CTL_KEY_PATH |
			      CTL_KEY_FORCE },
	[CTL_LINK_UP]	= { "link-up", CTL_KEY_UNIT },
	[CTL_LINK_DOWN]	= { "link-down", CTL_KEY_UNIT },
};

static int set_flag(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	if (json_is_true(value))
		req->keys |= bit;
	return json_is_boolean(value) ? 0 : -EINVAL;
}

static int set_number(const json_t *value, unsigned int limit, uint8_t *out)
{
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value) || v < 0 || v >= limit)
		return -EINVAL;
	*out = (uint8_t)v;
	return 0;
}

static int set_controller(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	req->keys |= bit;
	return set_number(value, VMM_CONTROLLERS_MAX, &req->controller);
}

static int set_unit(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	req->keys |= bit;
	return set_number(value, VMM_LUNS_MAX, &req->unit);
}

/* One line: it goes into messages and the log. */
static int set_path(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	const char *s = json_string_value(value);

	req->keys |= bit;
	if (!s || !*s || strlen(s) != json_string_length(value) || strlen(s) > CTL_PATH_MAX ||
	    strpbrk(s, "\r\n"))
		return -EINVAL;
	strcpy(req->path, s);
	return 0;
}

static int set_text(struct ctl_request *req, unsigned int bit, const json_t *value, char *out, size_t max)
{
	const char *s = json_string_value(value);

	req->keys |= bit;
	if (!s || strlen(s) != json_string_length(value) || strlen(s) > max)
		return -EINVAL;
	strcpy(out, s);
	return 0;
}

static int set_name(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	return set_text(req, bit, value, req->name, CTL_NAME_MAX);
}

static int set_value(struct ctl_request *req, unsigned int bit, const json_t *value)
{
	return set_text(req, bit, value, req->value, CTL_VALUE_MAX);
}

static const struct {
	const char	*name;
	unsigned int	bit;
	int		(*set)(struct ctl_request *req, unsigned int bit, const json_t *value);
	const char	*what;		/* else "NAME is not ..." */
} keys[] = {
	{ "readonly", CTL_KEY_READONLY, set_flag, "true or false" },
	{ "force", CTL_KEY_FORCE, set_flag, "true or false" },
	{ "raw", CTL_KEY_RAW, set_flag, "true or false" },
	{ "compress", CTL_KEY_COMPRESS, set_flag, "true or false" },
	{ "controller", CTL_KEY_CONTROLLER, set_controller, "the number of a controller" },
	{ "unit", CTL_KEY_UNIT, set_unit, "the number of a unit" },
	{ "path", CTL_KEY_PATH, set_path, "a name of one line" },
	{ "name", CTL_KEY_NAME, set_name, "text, or too long" },
	{ "value", CTL_KEY_VALUE, set_value, "text, or too long" },
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

const char *ctl_verb_name(enum ctl_verb verb)
{
	return verb < CTL_VERB_NR ? verbs[verb].name : "?";
}

static int find_verb(json_t *root, struct ctl_request *req, char *why, size_t whylen)
{
	const char *name = json_string_value(json_object_get(root, "verb"));
	unsigned int i;

	if (!name) {
		snprintf(why, whylen, "the request has no \"verb\"");
		return -EINVAL;
	}
	for (i = 0; i < CTL_VERB_NR; i++)
		if (!strcmp(name, verbs[i].name))
			break;
	if (i == CTL_VERB_NR) {
		snprintf(why, whylen, "unknown verb");
		return -EINVAL;
	}
	req->verb = (enum ctl_verb)i;
	return 0;
}

static int find_keys(json_t *root, struct ctl_request *req, char *why, size_t whylen)
{
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value) {
		unsigned int i;

		if (!strcmp(name, "verb"))
			continue;
		for (i = 0; i < NR(keys); i++)
			if (!strcmp(name, keys[i].name))
				break;
		if (i == NR(keys) || !(verbs[req->verb].keys & keys[i].bit)) {
			snprintf(why, whylen, "\"%s\" does not take all of these keys",
				 verbs[req->verb].name);
			return -EINVAL;
		}
		if (keys[i].set(req, keys[i].bit, value)) {
			snprintf(why, whylen, "\"%s\" is not %s", keys[i].name, keys[i].what);
			return -EINVAL;
		}
	}
	return 0;
}

int ctl_request_parse(const char *line, size_t len, struct ctl_request *req, char *why, size_t whylen)
{
	json_error_t bad;
	json_t *root;
	int ret = -EINVAL;

	memset(req, 0, sizeof(*req));
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &bad);
	if (!root) {
		snprintf(why, whylen, "not a JSON object (at byte %d)", bad.position);
		return -EINVAL;
	}
	if (json_is_object(root))
		ret = find_verb(root, req, why, whylen);
	else
		snprintf(why, whylen, "not a JSON object");
	if (!ret)
		ret = find_keys(root, req, why, whylen);
	json_decref(root);
	return ret;
}
