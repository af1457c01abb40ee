// SPDX-License-Identifier: GPL-2.0-or-later
/* Forms of memory, CPUs and virtual nodes. */
#include <stdlib.h>
#include <string.h>

#include "hvctl/def/map.h"

static struct xml_node *root_of(struct xml_node *n)
{
	while (n->parent)
		n = n->parent;
	return n;
}

/* The element at @path, marked as read. */
static struct xml_node *element(struct xml_node *base, const char *path)
{
	const char *attr;
	struct xml_node *n = map_find(base, path, &attr);

	if (n)
		n->read = true;
	return n;
}

static struct xml_node *make(struct def_job *j, struct xml_node *base, const char *path)
{
	const char *attr;

	return map_want(j, base, path, &attr);
}

/* <hugepages/> is hugetlb, <source type='memfd'/> and <source type='anonymous'/> the others. */
static int get_backing(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *huge, *page, *source;
	const char *type, *size, *unit;

	(void)row;
	huge = element(base, "memoryBacking/hugepages");
	if (huge) {
		page = element(huge, "page");
		size = page ? xml_attr_read(page, "size") : NULL;
		unit = page ? xml_attr_read(page, "unit") : NULL;
		if (page && (!size || !((!strcmp(size, "2048") && (!unit || !strcmp(unit, "KiB"))) ||
					(!strcmp(size, "2") && unit && (!strcmp(unit, "M") || !strcmp(unit, "MiB"))))))
			return map_error(j, page, "only pages of 2048 KiB are supported");
		return map_value(j, huge, "hugetlb", value);
	}
	source = element(base, "memoryBacking/source");
	type = source ? xml_attr_read(source, "type") : NULL;
	if (!type)
		return 0;
	if (!strcmp(type, "memfd"))
		return map_value(j, source, "memfd", value);
	if (!strcmp(type, "anonymous"))
		return map_value(j, source, "thp", value);
	return map_error(j, source, "type='%.40s' is not supported, only 'memfd' and 'anonymous'", type);
}

static void put_backing(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *n;

	(void)row;
	if (!strcmp(value, "hugetlb")) {
		n = make(j, base, "memoryBacking/hugepages");
		if (n)
			n->keep = true;
	} else if (strcmp(value, "auto")) {
		xml_set(j->doc, make(j, base, "memoryBacking/source"), "type",
			strcmp(value, "thp") ? "memfd" : "anonymous");
	}
}

const struct def_form form_backing = { get_backing, put_backing, false };

/* mode='strict' nodeset='N': our memory is bound to one node, never only preferred there. */
static int get_nodeset(struct def_job *j, struct xml_node *n, char *value)
{
	const char *mode = xml_attr_read(n, "mode"), *set = xml_attr_read(n, "nodeset");
	unsigned long long v;

	n->read = true;
	if (mode && strcmp(mode, "strict"))
		return map_error(j, n, "mode='%.40s' is not supported, only 'strict'", mode);
	if (!set)
		return map_error(j, n, "nodeset is missing");
	return map_number(j, n, set, 1023, &v) < 0 ? -1 : map_value(j, n, set, value);
}

static void put_nodeset(struct def_job *j, struct xml_node *n, const char *value)
{
	xml_set(j->doc, n, "mode", "strict");
	xml_set(j->doc, n, "nodeset", value);
}

static int get_host_node(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *n = element(base, row->path);

	return n ? get_nodeset(j, n, value) : 0;
}

static void put_host_node(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	put_nodeset(j, make(j, base, row->path), value);
}

const struct def_form form_host_node = { get_host_node, put_host_node, false };

static const char *const models[] = { "x86-64-v2", "x86-64-v3", "x86-64-v4" };

static int get_cpu_model(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *cpu = element(base, "cpu"), *model;
	const char *mode = cpu ? xml_attr_read(cpu, "mode") : NULL, *match, *fallback, *text;

	(void)row;
	if (!mode)
		return 0;
	if (!strcmp(mode, "host-passthrough"))
		return map_value(j, cpu, "host", value);
	if (strcmp(mode, "custom"))
		return map_error(j, cpu, "mode='%.40s' is not supported, only 'host-passthrough' and 'custom'", mode);
	match = xml_attr_read(cpu, "match");
	if (match && strcmp(match, "exact"))
		return map_error(j, cpu, "match='%.40s' is not supported, only 'exact'", match);
	model = element(cpu, "model");
	if (!model)
		return map_error(j, cpu, "mode='custom' needs a <model>");
	fallback = xml_attr_read(model, "fallback");
	if (fallback && strcmp(fallback, "forbid"))
		return map_error(j, model, "fallback='%.40s' is not supported, only 'forbid'", fallback);
	text = xml_text_read(model);
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (!strcmp(text, models[i]))
			return map_value(j, model, text, value);
	return map_error(j, model, "'%.40s' is not a CPU model of hv: x86-64-v2, x86-64-v3, x86-64-v4", text);
}

static void put_cpu_model(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *cpu = make(j, base, "cpu"), *model;

	(void)row;
	if (!strcmp(value, "host")) {
		xml_set(j->doc, cpu, "mode", "host-passthrough");
		return;
	}
	xml_set(j->doc, cpu, "mode", "custom");
	xml_set(j->doc, cpu, "match", "exact");
	model = cpu ? xml_want(j->doc, cpu, "model") : NULL;
	xml_set(j->doc, model, "fallback", "forbid");
	xml_text(j->doc, model, value);
}

const struct def_form form_cpu_model = { get_cpu_model, put_cpu_model, false };

/* "avx2+x2apic" is a <feature policy='disable'> for each. */
static int get_cpu_off(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *cpu = element(base, "cpu"), *f = NULL;
	size_t n = 0;

	(void)row;
	while (cpu && (f = xml_child(cpu, "feature", f))) {
		const char *policy = xml_attr_read(f, "policy"), *name = xml_attr_read(f, "name");

		f->read = true;
		if (!policy || strcmp(policy, "disable"))
			return map_error(j, f, "only policy='disable' is supported");
		if (!name || !*name || strpbrk(name, "+,"))
			return map_error(j, f, "name is missing or not one feature");
		if (n + strlen(name) + 2 > DEF_VALUE_MAX)
			return map_error(j, f, "too many features");
		n += (size_t)sprintf(value + n, "%s%s", n ? "+" : "", name);
	}
	return n ? 1 : 0;
}

static void put_cpu_off(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *cpu = make(j, base, "cpu"), *f;

	(void)row;
	while (cpu && *value) {
		size_t len = strcspn(value, "+");
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)len, value);
		f = xml_add(j->doc, cpu, "feature");
		xml_set(j->doc, f, "policy", "disable");
		xml_set(j->doc, f, "name", name);
		value += len;
		value += *value == '+';
	}
}

const struct def_form form_cpu_off = { get_cpu_off, put_cpu_off, false };

/* A cell's id is its place in the list. */
static int get_cell_id(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	const char *id = xml_attr_read(base, "id");
	unsigned long long v;

	(void)row;
	(void)value;
	if (!id)
		return 0;
	if (map_number(j, base, id, 1023, &v) < 0)
		return -1;
	return v == j->nr ? 0 : map_error(j, base, "id='%llu' stands at place %u: cells must be in order", v, j->nr);
}

static void put_cell_id(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	(void)row;
	(void)value;
	if (base)
		xml_set(j->doc, base, "id", xml_format(j->doc, "%u", j->nr));
}

const struct def_form form_cell_id = { get_cell_id, put_cell_id, true };

/* A cell's node of the host stands elsewhere: <numatune><memnode cellid='N' mode='strict' nodeset='1'/>. */
static int get_cell_node(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *tune = element(root_of(base), "numatune"), *n = NULL;
	unsigned long long cell;

	(void)row;
	while (tune && (n = xml_child(tune, "memnode", n))) {
		const char *id = xml_attr_read(n, "cellid");

		if (!id)
			return map_error(j, n, "cellid is missing");
		if (map_number(j, n, id, 1023, &cell) < 0)
			return -1;
		if (cell == j->nr)
			return get_nodeset(j, n, value);
	}
	return 0;
}

static void put_cell_node(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *tune = base ? make(j, root_of(base), "numatune") : NULL, *n;

	(void)row;
	n = tune ? xml_add(j->doc, tune, "memnode") : NULL;
	if (!n)
		return;
	xml_set(j->doc, n, "cellid", xml_format(j->doc, "%u", j->nr));
	put_nodeset(j, n, value);
}

const struct def_form form_cell_node = { get_cell_node, put_cell_node, false };
