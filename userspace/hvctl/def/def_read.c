// SPDX-License-Identifier: GPL-2.0-or-later
/* From XML to options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/def/map.h"

static const struct opt_tool xml_tool = { .name = "hvctl", .usage_code = RC_INVALID };

static bool is_item(const char *opt)
{
	for (const struct def_item *it = def_items; it->opt; it++)
		if (!strcmp(it->opt, opt))
			return true;
	return false;
}

static int no_memory(struct def_job *j)
{
	err_sys(j->err, RC_FAILED, ENOMEM, NULL, "cannot read %s", j->what);
	return -1;
}

/* An option that @at gave. */
static int add_hit(struct def_job *j, const struct opt *o, const struct xml_node *at, const char *value)
{
	struct opt_line *line = &j->d->line;
	unsigned int n = line->hits;
	char *copy = value ? xml_string(j->doc, value) : NULL;

	if (value && !copy)
		return no_memory(j);
	if (n == OPT_HITS_MAX)
		return map_error(j, at, "the definition says more than %d things", OPT_HITS_MAX);
	line->hit[n] = (struct opt_hit){ o, copy };
	j->d->from[n].line = at->line;
	j->d->from[n].element = at->name;
	line->hits++;
	return 0;
}

/* The element that a row's value came from. */
static const struct xml_node *place_of(const struct def_row *row, struct xml_node *base)
{
	const char *attr;
	const struct xml_node *n = map_find(base, row->path, &attr);

	return n ? n : base;
}

static int check(struct def_job *j, enum opt_kind kind, const char *const *words, const struct xml_node *at,
		 const char *value)
{
	char what[128];

	/* Relative to what? A definition is read in any directory. */
	if (kind == OPT_FILE && *value && *value != '/')
		return map_error(j, at, "'%.80s' is not an absolute path", value);
	snprintf(what, sizeof(what), "%.60s:%u: <%.40s>", j->what, at->line, at->name);
	return opt_check(&xml_tool, kind, words, what, value, j->err) ? -1 : 0;
}

/* Of a plain option; --cloud-init names two files, with a comma between. */
static int check_plain(struct def_job *j, const struct opt *o, const struct xml_node *at, const char *value)
{
	const char *comma = strcmp(o->name, "cloud-init") ? NULL : strchr(value, ',');

	if (comma && check(j, o->kind, o->words, at, comma + 1))
		return -1;
	return check(j, o->kind, o->words, at, value);
}

static const struct opt_key *key_of(const struct opt *o, const char *name)
{
	const struct opt_key *k = o->keys;

	while (k->name && strcmp(k->name, name))
		k++;
	return k;
}

/* Add "key=value" to the list, commas doubled. */
static int list_add(struct def_job *j, const struct xml_node *at, char *list, const char *key, const char *value)
{
	size_t n = strlen(list);

	if (n + strlen(key) + 2 * strlen(value) + 3 > OPT_KEYS_TEXT)
		return map_error(j, at, "the value is too long");
	n += (size_t)sprintf(list + n, "%s%s=", n ? "," : "", key);
	for (; *value; value++) {
		if (*value == ',')
			list[n++] = ',';
		list[n++] = *value;
	}
	list[n] = 0;
	return 0;
}

/* One key's row, or a plain option's. @list: what the keys say so far. */
static int read_row(struct def_job *j, const struct opt *o, const struct def_row *row, struct xml_node *base,
		    char *list, const struct xml_node **at)
{
	char value[DEF_VALUE_MAX];
	int ret = row->form->get(j, row, base, value);
	const struct opt_key *k;

	if (ret <= 0)
		return ret;
	*at = place_of(row, base);
	if (o->kind != OPT_KEYS) {
		if (o->kind == OPT_FLAG)
			return strcmp(value, "on") ? 0 : add_hit(j, o, *at, NULL);
		return check_plain(j, o, *at, value) ? -1 : add_hit(j, o, *at, value);
	}
	if (!row->key)		/* form_fixed and the like */
		return 0;
	k = key_of(o, row->key);
	if (check(j, k->kind, k->words, *at, value))
		return -1;
	for (char *v = value, *next; v; v = next) {
		next = k->kind == OPT_STRS ? strchr(v, '\n') : NULL;
		if (next)
			*next++ = 0;
		if (list_add(j, *at, list, row->key, v))
			return -1;
	}
	return 0;
}

/* A second element for an option that is one: <console> repeats what <serial> says, or it is an error. */
static int again(struct def_job *j, const struct opt *o, const struct xml_node *at, const char *list)
{
	const char *old = opt_value(&j->d->line, o->name);

	if (!strcmp(old, list))
		return 0;
	return map_error(j, at, "it says something else than the one before, and there is one --%s only", o->name);
}

/* All rows of one option under @base: the domain, or its own element. */
static int read_option(struct def_job *j, const struct opt *o, struct xml_node *base, bool item)
{
	char list[OPT_KEYS_TEXT] = "";
	const struct xml_node *at = base;

	for (const struct def_row *row = def_rows; row->path; row++)
		if (row->opt && !strcmp(row->opt, o->name) && read_row(j, o, row, base, list, &at) < 0)
			return -1;
	if (!*list)
		return 0;
	if (!o->repeat && opt_value(&j->d->line, o->name))
		return again(j, o, base, list);
	return add_hit(j, o, item ? base : at, list);
}

static int read_scalars(struct def_job *j, struct xml_node *root)
{
	char value[DEF_VALUE_MAX];

	for (const struct def_row *row = def_rows; row->path; row++) {
		if (!row->opt) {
			if (row->form->get(j, row, root, value) < 0)
				return -1;
		} else if (!is_item(row->opt) && (row == def_rows || !row[-1].opt || strcmp(row[-1].opt, row->opt))) {
			if (read_option(j, def_opt(row->opt), root, false))
				return -1;
		}
	}
	return 0;
}

/* The item row for element @n found at @path; NULL: none. The first row of a path is the default. */
static const struct def_item *item_for(const char *path, struct xml_node *n)
{
	for (const struct def_item *it = def_items; it->opt; it++) {
		const char *v;

		if (strcmp(it->path, path))
			continue;
		v = it->attr ? xml_attr_read(n, it->attr) : NULL;
		if (!it->attr || !v || !strcmp(v, it->value))
			return it;
	}
	return NULL;
}

static int read_item(struct def_job *j, const char *path, struct xml_node *n)
{
	const struct def_item *it = item_for(path, n);

	if (!it) {
		for (it = def_items; strcmp(it->path, path); it++)
			;
		return map_error(j, n, "%s='%.40s' is not supported", it->attr, xml_attr_read(n, it->attr));
	}
	n->read = true;
	j->nr = 0;
	for (unsigned int i = 0; i < j->d->line.hits; i++)
		j->nr += !strcmp(j->d->line.hit[i].opt->name, it->opt);
	return read_option(j, def_opt(it->opt), n, true);
}

/* Elements in the order of the document: the first disk of all kinds is the guest's first. */
static int read_items(struct def_job *j, struct xml_node *root)
{
	for (const struct def_item *it = def_items; it->opt; it++) {
		char parent[64];
		const char *tail = strrchr(it->path, '/'), *attr;
		struct xml_node *up, *n = NULL;

		if (it != def_items && !strcmp(it[-1].path, it->path))
			continue;
		snprintf(parent, sizeof(parent), "%.*s", (int)(tail - it->path), it->path);
		up = map_find(root, parent, &attr);
		if (!up)
			continue;
		up->read = true;
		while ((n = xml_child(up, tail + 1, n)))
			if (read_item(j, it->path, n))
				return -1;
	}
	return 0;
}

static void mark_all(struct xml_node *n)
{
	n->read = n->text_read = true;
	for (struct xml_attr *a = n->attrs; a; a = a->next)
		a->read = true;
	for (struct xml_node *c = n->first; c; c = c->next)
		mark_all(c);
}

/* What others keep in <metadata> is theirs, and stays. */
static int read_metadata(struct def_job *j, struct xml_node *root)
{
	struct xml_node *meta = xml_child(root, "metadata", NULL);

	if (!meta)
		return 0;
	meta->read = true;
	for (struct xml_node *n = meta->first; n; n = n->next) {
		const char *ns = xml_namespace(n);

		/* An element with xmlns= alone has a namespace, too, and children that are in it. */
		if (ns && !*ns)
			for (const struct xml_attr *a = n->attrs; a; a = a->next)
				if (!strcmp(a->name, "xmlns"))
					ns = a->value;
		if (!ns || !*ns)
			return map_error(j, n, "an element of <metadata> needs a namespace of its own");
		if (!strcmp(ns, DEF_NAMESPACE))
			continue;
		if (j->d->foreigns == DEF_FOREIGN_MAX)
			return map_error(j, n, "more than %d elements in <metadata>", DEF_FOREIGN_MAX);
		mark_all(n);
		j->d->foreign[j->d->foreigns++] = n;
	}
	return 0;
}

/* <currentMemory>: what the guest has of <memory>; all of it, there is no balloon. */
static int read_current(struct def_job *j, struct xml_node *root)
{
	static const struct def_row row = { NULL, NULL, "currentMemory", &form_size, NULL };
	static const struct def_row full = { NULL, NULL, "memory", &form_size, NULL };
	char now[DEF_VALUE_MAX], all[DEF_VALUE_MAX];
	int ret = form_size.get(j, &row, root, now);
	uint64_t a = 0, b = 0;

	if (ret <= 0)
		return ret;
	ret = form_size.get(j, &full, root, all);
	if (ret < 0)
		return -1;
	if (!ret || text_size(now, &a) || text_size(all, &b) || a != b)
		return map_error(j, place_of(&row, root), "only the value of <memory> is supported");
	return 0;
}

/* <controller type='scsi' index='N'/> for a controller that has disks says nothing new. */
static int read_controllers(struct def_job *j, struct xml_node *root)
{
	struct xml_node *devices = xml_child(root, "devices", NULL), *n = NULL;

	while (devices && (n = xml_child(devices, "controller", n))) {
		const char *type = xml_attr_read(n, "type"), *index = xml_attr_read(n, "index");
		bool used = false;
		char place[32];

		n->read = true;
		if (!type || strcmp(type, "scsi") || !index)
			return map_error(j, n, "only type='scsi' with an index is supported");
		snprintf(place, sizeof(place), "bus=scsi%.8s:", index);
		for (unsigned int i = 0; i < j->d->line.hits; i++) {
			const struct opt_hit *h = &j->d->line.hit[i];

			used |= (!strcmp(h->opt->name, "disk") || !strcmp(h->opt->name, "cdrom")) &&
				strstr(h->value, place);
		}
		if (!used)
			return map_error(j, n, "index='%.8s': no disk of the definition is there; leave it out", index);
	}
	return 0;
}

static int leftovers(struct def_job *j, struct xml_node *root)
{
	const struct xml_attr *a;
	const struct xml_node *n = xml_unread(root, &a);

	if (!n)
		return 0;
	if (a)
		return map_error(j, n, "hv does not know the attribute %.40s='%.60s' here", a->name, a->value);
	if (n->read)
		return map_error(j, n, "there is text where none has a meaning: '%.60s'", n->text);
	return map_error(j, n, "hv does not know this element here, or it stands there twice");
}

static int read_all(struct def_job *j, struct xml_node *root)
{
	if (strcmp(root->name, "domain"))
		return map_error(j, root, "a definition begins with <domain type='hyperv'>");
	if (!xml_attr_read(root, "type"))
		return map_error(j, root, "type='hyperv' is missing");
	root->read = true;
	if (read_metadata(j, root) || read_scalars(j, root) || read_items(j, root) || read_current(j, root) < 0 ||
	    read_controllers(j, root) || leftovers(j, root))
		return -1;
	if (!opt_value(&j->d->line, "name"))
		return map_error(j, root, "<name> is missing");
	return 0;
}

int def_read(struct def *d, const char *what, const char *text, size_t len, struct err *err)
{
	struct def_job j = { .d = d, .doc = &d->doc, .what = what, .err = err };
	struct xml_error e;
	int ret;

	def_init(d);
	ret = xml_parse(&d->doc, text, len, &e);
	if (ret == -ENOMEM) {
		no_memory(&j);
		return err->code;
	}
	if (ret)
		return err_set(err, RC_INVALID, NULL, "%.60s:%u: %s", what, e.line, e.text);
	return read_all(&j, d->doc.root) ? err->code : 0;
}
