// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of a definition: finding, setting, merging them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hvctl/cmd.h"
#include "hvctl/def/def.h"
#include "hvctl/def/map.h"
#include "hvctl/def/vm_table.h"

const struct opt *const def_groups[] = { vm_opts, run_opts, def_opts, NULL };

const struct opt *def_opt(const char *name)
{
	for (const struct opt *const *g = def_groups; *g; g++)
		for (const struct opt *o = *g; o->name; o++)
			if (!strcmp(o->name, name))
				return o;
	return NULL;
}

bool def_opt_passing(const char *name)
{
	return !strcmp(name, "dry-run");
}

void def_init(struct def *d)
{
	memset(d, 0, sizeof(*d));
}

void def_free(struct def *d)
{
	xml_free(&d->doc);
	def_init(d);
}

bool def_drop(struct def *d, const char *name)
{
	unsigned int n = 0, had = d->line.hits;

	for (unsigned int i = 0; i < had; i++) {
		if (!strcmp(d->line.hit[i].opt->name, name))
			continue;
		d->line.hit[n] = d->line.hit[i];
		d->from[n++] = d->from[i];
	}
	d->line.hits = n;
	return n != had;
}

static int add(struct def *d, const struct opt *o, const char *value, struct err *err)
{
	unsigned int n = d->line.hits;
	char *copy = value ? xml_string(&d->doc, value) : NULL;

	if (value && !copy)
		return err_sys(err, RC_FAILED, ENOMEM, NULL, "option --%s", o->name);
	if (n == OPT_HITS_MAX)
		return err_set(err, RC_INVALID, NULL, "more than %d options", OPT_HITS_MAX);
	d->line.hit[n] = (struct opt_hit){ o, copy };
	d->from[n].line = 0;
	d->from[n].element = NULL;
	d->line.hits++;
	return 0;
}

int def_set(struct def *d, const char *name, const char *value, struct err *err)
{
	const struct opt *o = def_opt(name);

	if (!o->repeat)
		def_drop(d, name);
	return add(d, o, value, err);
}

/* Add "key=value" to a list of @room bytes, commas doubled. Return: 0 or -1: no room. */
static int list_add(char *list, size_t room, const struct opt_key *k, const char *value)
{
	size_t n = strlen(list);
	int len = snprintf(list + n, room - n, "%s%s=", n ? "," : "", k->name);

	if (len < 0 || n + (size_t)len >= room)
		return -1;
	for (n += (size_t)len; *value; value++) {
		if (n + 3 > room)
			return -1;
		if (*value == ',')
			list[n++] = ',';
		list[n++] = *value;
	}
	list[n] = 0;
	return 0;
}

/* The keys of @old that @value does not give, then those of @value, in @list. */
static int merge_keys(const struct opt *o, const char *old, const char *value, char *list, size_t room,
		      struct err *err)
{
	static const struct opt_tool tool = { .name = "hvctl", .usage_code = RC_USAGE };
	struct opt_keys was, now;
	int ret = opt_keys_parse(&tool, o, old, &was, err);

	if (!ret)
		ret = opt_keys_parse(&tool, o, value, &now, err);
	*list = 0;
	for (unsigned int i = 0; !ret && i < was.n; i++)
		if (!opt_keys_value(&now, was.kv[i].key->name))
			ret = list_add(list, room, was.kv[i].key, was.kv[i].value);
	for (unsigned int i = 0; !ret && i < now.n; i++)
		ret = list_add(list, room, now.kv[i].key, now.kv[i].value);
	return ret < 0 ? err_set(err, RC_INVALID, NULL, "option --%s: the value is too long", o->name) : ret;
}

/* A repeated plain string, --append, is one string in the end. */
static int join(struct def *d, const struct opt *o, const char *value, struct err *err)
{
	const char *old = opt_value(&d->line, o->name);
	char *both = old ? xml_format(&d->doc, "%s %s", old, value) : NULL;

	if (old && !both)
		return err_sys(err, RC_FAILED, ENOMEM, NULL, "option --%s", o->name);
	def_drop(d, o->name);
	return add(d, o, old ? both : value, err);
}

static int merge_one(struct def *d, const struct opt *o, const char *value, struct err *err)
{
	char list[OPT_KEYS_TEXT];
	const char *old = opt_value(&d->line, o->name);
	int ret;

	if (o->repeat)
		return o->kind == OPT_STR ? join(d, o, value, err) : add(d, o, value, err);
	if (o->kind == OPT_KEYS && old) {
		ret = merge_keys(o, old, value, list, sizeof(list), err);
		if (ret)
			return ret;
		value = list;
	}
	def_drop(d, o->name);
	return add(d, o, value, err);
}

int def_merge(struct def *d, const struct opt_line *line, struct err *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < line->hits && !ret; i++) {
		const struct opt *o = line->hit[i].opt;
		bool first = true;

		if (def_opt(o->name) != o || def_opt_passing(o->name))
			continue;
		for (unsigned int k = 0; k < i; k++)
			first &= line->hit[k].opt != o;
		if (first && o->repeat)
			def_drop(d, o->name);
		ret = merge_one(d, o, line->hit[i].value, err);
	}
	return ret;
}

/* @path in the working directory, in the definition's memory; NULL: no memory, or no directory. */
static const char *absolute(struct def *d, const char *path)
{
	char *cwd, *full;

	if (*path == '/' || !*path)
		return path;
	cwd = getcwd(NULL, 0);
	full = cwd ? xml_format(&d->doc, "%s/%s", strcmp(cwd, "/") ? cwd : "", path) : NULL;
	free(cwd);
	return full;
}

static int absolute_keys(struct def *d, struct opt_hit *h, struct err *err)
{
	static const struct opt_tool tool = { .name = "hvctl", .usage_code = RC_USAGE };
	char list[OPT_KEYS_TEXT] = "";
	struct opt_keys keys;
	int ret = opt_keys_parse(&tool, h->opt, h->value, &keys, err);

	for (unsigned int i = 0; i < keys.n && !ret; i++) {
		const char *v = keys.kv[i].value;

		if (keys.kv[i].key->kind == OPT_FILE)
			v = absolute(d, v);
		ret = v ? list_add(list, sizeof(list), keys.kv[i].key, v) : -1;
	}
	if (!ret)
		h->value = xml_string(&d->doc, list);
	return ret < 0 || (!ret && !h->value)
		? err_set(err, RC_INVALID, NULL, "option --%s: the path is too long", h->opt->name) : ret;
}

/* Two files, with a comma between (--cloud-init). */
static const char *absolute_both(struct def *d, const char *value)
{
	const char *comma = strchr(value, ','), *a, *b;

	if (!comma)
		return absolute(d, value);
	a = xml_format(&d->doc, "%.*s", (int)(comma - value), value);
	a = a ? absolute(d, a) : NULL;
	b = absolute(d, comma + 1);
	return a && b ? xml_format(&d->doc, "%s,%s", a, b) : NULL;
}

int def_absolute(struct def *d, struct err *err)
{
	int ret = 0;

	for (unsigned int i = 0; i < d->line.hits && !ret; i++) {
		struct opt_hit *h = &d->line.hit[i];

		if (h->opt->kind == OPT_KEYS) {
			ret = absolute_keys(d, h, err);
		} else if (h->opt->kind == OPT_FILE) {
			h->value = strcmp(h->opt->name, "cloud-init") ? absolute(d, h->value)
								       : absolute_both(d, h->value);
			if (!h->value)
				ret = err_sys(err, RC_FAILED, errno, NULL, "cannot tell the working directory");
		}
	}
	return ret;
}

/* How errors call what options say, in hvctl/vmopts.c and vmm/config.c. %u stands for a number from 0. */
static const struct { const char *begin, *opt, *opt2; } words[] = {
	{ "cannot read the kernel", "kernel", NULL }, { "cannot read the initrd", "initrd", NULL },
	{ "cannot read the disk", "disk", "cdrom" }, { "disk ", "disk", "cdrom" }, { "controller", "disk", "cdrom" },
	{ "disks:", "disk", "cdrom" }, { "node ", "numa", NULL }, { "nodes", "numa", NULL },
	{ "memory:", "memory", NULL }, { "--memory", "memory", NULL }, { "backing:", "memory", NULL },
	{ "host_node:", "memory", NULL }, { "cpus:", "cpus", NULL }, { "cpu_", "cpus", NULL },
	{ "kernel:", "kernel", NULL }, { "initrd:", "initrd", NULL }, { "append:", "append", NULL },
	{ "the kernel's command line", "append", NULL }, { "serial", "serial", NULL }, { "name:", "name", NULL },
};

/* The hit number @nr of those called @a or @b; if there are not so many, the first. -1: none. */
static int hit_of(const struct def *d, const char *a, const char *b, unsigned int nr)
{
	int first = -1;

	for (unsigned int i = 0; i < d->line.hits; i++) {
		const char *name = d->line.hit[i].opt->name;

		if (strcmp(name, a) && (!b || strcmp(name, b)))
			continue;
		if (!nr--)
			return (int)i;
		if (first < 0)
			first = (int)i;
	}
	return first;
}

static int guilty(const struct def *d, const char *text)
{
	char name[32];

	if (sscanf(text, "option --%31[a-z-]", name) == 1)
		return hit_of(d, name, NULL, 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(text, words[i].begin, strlen(words[i].begin)))
			return hit_of(d, words[i].opt, words[i].opt2,
				      (unsigned int)strtoul(text + strlen(words[i].begin), NULL, 10));
	return -1;
}

int def_blame(const struct def *d, const char *what, struct err *err)
{
	char text[sizeof(err->text)];
	int i = guilty(d, err->text);
	bool known = i >= 0 && d->from[i].line;

	if (i >= 0 && !known)
		return err->code;
	snprintf(text, sizeof(text), "%.60s:%u: <%.40s>: %.300s", what,
		 known ? d->from[i].line : d->doc.root ? d->doc.root->line : 0,
		 known ? d->from[i].element : "domain", err->text);
	memcpy(err->text, text, sizeof(text));
	return err->code;
}
