// SPDX-License-Identifier: GPL-2.0-or-later
/* From options to XML. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/def/map.h"
#include "vmm/config.h"

static const struct opt_tool tool = { .name = "hvctl", .usage_code = RC_USAGE };

/* The order of what is written; what stays empty is dropped. */
static const char *const order[] = {
	"name", "uuid", "title", "description", "metadata", "memory", "memoryBacking", "vcpu", "numatune", "os",
	"features", "cpu", "clock", "on_poweroff", "on_reboot", "on_crash", "devices",
};

static const struct def_item *item_of(const char *opt)
{
	for (const struct def_item *it = def_items; it->opt; it++)
		if (!strcmp(it->opt, opt))
			return it;
	return NULL;
}

/* The new element of an option that has its own, or the domain. */
static struct xml_node *base_of(struct def_job *j, const char *opt, struct xml_node *root)
{
	const struct def_item *it = item_of(opt);
	const char *attr, *tail;
	struct xml_node *up;
	char parent[64];

	if (!it)
		return root;
	tail = strrchr(it->path, '/');
	snprintf(parent, sizeof(parent), "%.*s", (int)(tail - it->path), it->path);
	up = map_want(j, root, parent, &attr);
	return up ? xml_add(j->doc, up, tail + 1) : NULL;
}

/* The values of one key: one, or several of OPT_STRS; NULL where the list has none and the form wants to know. */
static void put_key(struct def_job *j, const struct def_row *row, const struct opt_keys *keys, struct xml_node *base)
{
	bool any = false;

	for (unsigned int i = 0; i < keys->n && row->key; i++)
		if (!strcmp(keys->kv[i].key->name, row->key)) {
			row->form->put(j, row, base, keys->kv[i].value);
			any = true;
		}
	if (!any && (!row->key || row->form->always))
		row->form->put(j, row, base, NULL);
}

static int put_hit(struct def_job *j, const struct opt_hit *h, struct xml_node *root)
{
	struct xml_node *base = base_of(j, h->opt->name, root);
	struct opt_keys keys = { .n = 0 };

	if (h->opt->kind == OPT_KEYS && opt_keys_parse(&tool, h->opt, h->value, &keys, j->err))
		return -1;
	if (!base)
		return 0;	/* no memory: said in the end */
	for (const struct def_row *row = def_rows; row->path; row++) {
		if (!row->opt || strcmp(row->opt, h->opt->name))
			continue;
		if (h->opt->kind == OPT_KEYS)
			put_key(j, row, &keys, base);
		else
			row->form->put(j, row, base, h->value);
	}
	return 0;
}

/* All hits of one option; the number of each is its place among them. */
static int put_option(struct def_job *j, const char *opt, struct xml_node *root)
{
	j->nr = 0;
	for (unsigned int i = 0; i < j->d->line.hits; i++)
		if (!strcmp(j->d->line.hit[i].opt->name, opt)) {
			if (put_hit(j, &j->d->line.hit[i], root))
				return -1;
			j->nr++;
		}
	return 0;
}

/* All elements at @path in the order given: the first disk of all kinds is the guest's first. */
static int put_items(struct def_job *j, const char *path, struct xml_node *root)
{
	for (unsigned int i = 0; i < j->d->line.hits; i++) {
		const struct opt_hit *h = &j->d->line.hit[i];
		const struct def_item *it = item_of(h->opt->name);

		if (!it || strcmp(it->path, path))
			continue;
		j->nr = 0;
		for (unsigned int k = 0; k < i; k++)
			j->nr += j->d->line.hit[k].opt == h->opt;
		if (put_hit(j, h, root))
			return -1;
	}
	return 0;
}

/* In the order of the tables, so that XML read and written again stays as it was. */
static int put_all(struct def_job *j, struct xml_node *root)
{
	for (const struct def_row *row = def_rows; row->path; row++)
		if (row->opt && !item_of(row->opt) &&
		    (row == def_rows || !row[-1].opt || strcmp(row[-1].opt, row->opt)) &&
		    put_option(j, row->opt, root))
			return -1;
	for (const struct def_item *it = def_items; it->opt; it++)
		if ((it == def_items || strcmp(it[-1].path, it->path)) && put_items(j, it->path, root))
			return -1;
	return 0;
}

/* The sum of the virtual nodes; 0: there are none. */
static uint64_t nodes_memory(struct def_job *j)
{
	uint64_t sum = 0, v;

	for (unsigned int i = 0; i < j->d->line.hits; i++) {
		const struct opt_hit *h = &j->d->line.hit[i];
		struct opt_keys keys;
		const char *text;

		if (strcmp(h->opt->name, "numa") || opt_keys_parse(&tool, h->opt, h->value, &keys, j->err))
			continue;
		text = opt_keys_value(&keys, "memory");
		if (text && !text_size(text, &v))
			sum += v;
	}
	return sum;
}

/* libvirt wants <memory> and <vcpu> said. */
static void put_defaults(struct def_job *j, struct xml_node *root)
{
	struct xml_node *memory = xml_want(j->doc, root, "memory"), *vcpu = xml_want(j->doc, root, "vcpu");
	uint64_t bytes = nodes_memory(j);
	struct vmm_config cfg;

	vmm_config_init(&cfg);
	if (!bytes)
		bytes = cfg.memory;
	if (memory && !memory->text) {
		xml_set(j->doc, memory, "unit", bytes % 1024 ? "b" : "KiB");
		xml_text(j->doc, memory, xml_format(j->doc, "%" PRIu64, bytes % 1024 ? bytes : bytes / 1024));
	}
	if (vcpu && !vcpu->text)
		xml_text(j->doc, vcpu, xml_format(j->doc, "%u", cfg.cpus));
}

static void put_controllers(struct def_job *j, struct xml_node *root)
{
	struct xml_node *devices = xml_want(j->doc, root, "devices");

	for (unsigned int i = 0; devices && i < sizeof(j->used) / sizeof(j->used[0]); i++) {
		struct xml_node *n = j->used[i] ? xml_add(j->doc, devices, "controller") : NULL;

		if (!n)
			continue;
		xml_set(j->doc, n, "type", "scsi");
		xml_set(j->doc, n, "index", xml_format(j->doc, "%u", i));
	}
}

static int build(struct def_job *j)
{
	struct xml_node *root = xml_add(j->doc, NULL, "domain"), *meta;

	for (size_t i = 0; root && i < sizeof(order) / sizeof(order[0]); i++)
		xml_add(j->doc, root, order[i]);
	if (!root || j->doc->failed)
		return 0;
	for (const struct def_row *row = def_rows; row->path; row++)
		if (!row->opt)
			row->form->put(j, row, root, NULL);
	meta = xml_want(j->doc, root, "metadata");
	for (unsigned int i = 0; i < j->d->foreigns; i++)
		xml_copy(j->doc, meta, j->d->foreign[i]);
	if (put_all(j, root))
		return -1;
	put_controllers(j, root);
	put_defaults(j, root);
	xml_prune(root);
	return 0;
}

int def_write(const struct def *d, char **text, struct err *err)
{
	struct xml_doc doc = { 0 };
	/* The job of writing changes nothing of @d. */
	struct def_job j = { .d = (struct def *)d, .doc = &doc, .what = "definition", .err = err };
	size_t len;
	FILE *f = NULL;
	int ret = build(&j) ? err->code : 0;

	*text = NULL;
	if (!ret && !doc.failed)
		f = open_memstream(text, &len);
	if (f) {
		ret = xml_write(&doc, f);
		if (fclose(f))
			doc.failed = true;
	}
	if (!ret && (!f || doc.failed))
		ret = err_sys(err, RC_FAILED, ENOMEM, NULL, "cannot write the definition");
	else if (ret == -EILSEQ)
		ret = err_set(err, RC_INVALID, "use names in UTF-8 without control characters",
			      "the definition holds bytes that XML cannot");
	if (ret) {
		free(*text);
		*text = NULL;
	}
	xml_free(&doc);
	return ret;
}
