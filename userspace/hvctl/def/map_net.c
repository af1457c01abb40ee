// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forms of network adapters: what libvirt's <interface> has no words for stands in
 * <metadata><hv:vm><hv:net index='0' guard='yes'><hv:forward>tcp::2222-:22</hv:forward></hv:net>.
 */
#include <string.h>

#include "hvctl/def/map.h"

static struct xml_node *root_of(struct xml_node *n)
{
	while (n->parent)
		n = n->parent;
	return n;
}

static const char *local_name(const struct xml_node *n)
{
	const char *colon = strchr(n->name, ':');

	return colon ? colon + 1 : "";
}

static bool ours(const struct xml_node *n, const char *name)
{
	const char *ns = xml_namespace(n);

	return ns && !strcmp(ns, DEF_NAMESPACE) && !strcmp(local_name(n), name);
}

/* The <hv:net> of adapter @j->nr, marked as read. Return: 0 with *@net (NULL: none), or -1. */
static int net_of(struct def_job *j, struct xml_node *base, struct xml_node **net)
{
	const char *attr, *index;
	struct xml_node *vm = map_find(root_of(base), "metadata/hv:vm", &attr), *n;
	unsigned long long nr;

	*net = NULL;
	for (n = vm ? vm->first : NULL; n; n = n->next) {
		if (!ours(n, "net"))
			continue;
		index = xml_attr_read(n, "index");
		if (!index)
			return map_error(j, n, "index is missing");
		if (map_number(j, n, index, 1023, &nr) < 0)
			return -1;
		if (nr != j->nr)
			continue;
		/* Of two for one adapter the second stays unread, and is refused. */
		vm->read = n->read = true;
		*net = n;
		return 0;
	}
	return 0;
}

static struct xml_node *net_made(struct def_job *j, struct xml_node *base)
{
	const char *attr, *nr = xml_format(j->doc, "%u", j->nr);
	struct xml_node *vm = base ? map_want(j, root_of(base), "metadata/hv:vm", &attr) : NULL, *n;

	if (!vm || !nr)
		return NULL;
	for (n = vm->first; n; n = n->next)
		if (ours(n, "net") && !strcmp(xml_attr_read(n, "index"), nr))
			return n;
	n = xml_add(j->doc, vm, "hv:net");
	xml_set(j->doc, n, "index", nr);
	return n;
}

static int get_flag(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *n;
	const char *v;

	if (net_of(j, base, &n))
		return -1;
	v = n ? xml_attr_read(n, row->path) : NULL;
	if (!v)
		return 0;
	if (strcmp(v, "yes") && strcmp(v, "no"))
		return map_error(j, n, "%s='%.20s' is not supported, only 'yes' and 'no'", row->path, v);
	return map_value(j, n, strcmp(v, "yes") ? "off" : "on", value);
}

static void put_flag(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	xml_set(j->doc, net_made(j, base), row->path, value && strcmp(value, "on") ? "no" : "yes");
}

const struct def_form form_net_flag = { get_flag, put_flag, false };

/* An interface on a bridge is of a type of its own. */
static int get_bridge(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	return form_text.get(j, row, base, value);
}

static void put_bridge(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	xml_set(j->doc, base, "type", "bridge");
	form_text.put(j, row, base, value);
}

const struct def_form form_net_bridge = { get_bridge, put_bridge, false };

static int get_forward(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *net;
	size_t n = 0;

	(void)row;
	if (net_of(j, base, &net))
		return -1;
	for (struct xml_node *f = net ? net->first : NULL; f; f = f->next) {
		const char *rule;

		if (!ours(f, "forward"))
			continue;
		f->read = true;
		rule = xml_text_read(f);
		if (!*rule || strchr(rule, '\n'))
			return map_error(j, f, "it must be one rule, for example tcp::2222-:22");
		if (n + strlen(rule) + 2 > DEF_VALUE_MAX)
			return map_error(j, f, "too many rules");
		n += (size_t)sprintf(value + n, "%s%s", n ? "\n" : "", rule);
	}
	return n ? 1 : 0;
}

static void put_forward(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *net = net_made(j, base);

	(void)row;
	xml_text(j->doc, net ? xml_add(j->doc, net, "hv:forward") : NULL, value);
}

const struct def_form form_net_forward = { get_forward, put_forward, false };
