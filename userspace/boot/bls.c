// SPDX-License-Identifier: GPL-2.0-or-later
/* One file an entry, sorted as the specification says. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bls.h"

struct reader {
	struct boot_menu	*menu;
	const struct bls_vars	*vars;
	int			fs;
	const char		*path;
};

/* ---- versions ---- */

static const char *part_next(const char *s)
{
	while (*s && !isalnum((unsigned char)*s) && !strchr("~-^.", *s))
		s++;
	return s;
}

static int number_compare(const char **a, const char **b)
{
	size_t la, lb;
	int d;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	la = strspn(*a, "0123456789");
	lb = strspn(*b, "0123456789");
	d = la != lb ? (la > lb) - (la < lb) : memcmp(*a, *b, la);
	*a += la;
	*b += lb;
	return d;
}

static int letters_compare(const char **a, const char **b)
{
	while (isalpha((unsigned char)**a) && **a == **b)
		(*a)++, (*b)++;
	if (!isalpha((unsigned char)**a) && !isalpha((unsigned char)**b))
		return 0;
	if (!isalpha((unsigned char)**a) || !isalpha((unsigned char)**b))
		return isalpha((unsigned char)**a) ? 1 : -1;
	return **a - **b;
}

int bls_version_compare(const char *a, const char *b)
{
	/* From the one that sorts first; the end of a version stands between '~' and the others. */
	static const char order[] = { '~', 0, '-', '^', '.' };

	for (;;) {
		a = part_next(a);
		b = part_next(b);
		for (size_t i = 0; i < sizeof(order); i++) {
			if (*a != order[i] && *b != order[i])
				continue;
			if (*a != *b)
				return *a == order[i] ? -1 : 1;
			if (!*a)
				return 0;
			a++, b++;
			break;
		}
		int d = isdigit((unsigned char)*a) && isdigit((unsigned char)*b) ? number_compare(&a, &b) :
			isdigit((unsigned char)*a) || isdigit((unsigned char)*b) ?
			(isdigit((unsigned char)*a) ? 1 : -1) * (*a && *b ? 1 : 0) :
			letters_compare(&a, &b);

		if (d)
			return d;
		if (!*a && !*b)
			return 0;
	}
}

static int entry_compare(const void *x, const void *y)
{
	const struct boot_entry *a = x, *b = y;
	int d;

	if (a->spent != b->spent)
		return a->spent ? 1 : -1;
	if (!a->sort_key != !b->sort_key)
		return a->sort_key ? -1 : 1;
	if (a->sort_key) {
		d = strcmp(a->sort_key, b->sort_key);
		if (!d && a->machine && b->machine)
			d = strcmp(a->machine, b->machine);
		if (!d && a->version && b->version)
			d = bls_version_compare(b->version, a->version);
		if (d)
			return d;
	}
	return bls_version_compare(b->id, a->id);
}

/* ---- one entry ---- */

/* @value with its variables filled in; the whole may not be longer than @room with its NUL. */
static int value_put(const struct bls_vars *vars, char *out, size_t room, const char *value)
{
	size_t n = strlen(out), len;

	if (n && n + 1 < room)
		out[n++] = ' ';
	while (*value) {
		const char *put = value;

		len = 1;
		if (*value == '$' && vars) {
			const char *name = value + 1 + (value[1] == '{');
			size_t k = 0;

			while (isalnum((unsigned char)name[k]) || name[k] == '_')
				k++;
			put = vars->get(vars->ctx, name, k);
			len = strlen(put);
			value = name + k + (value[1] == '{' && name[k] == '}');
		} else {
			value++;
		}
		if (n + len >= room)
			return -1;
		memcpy(out + n, put, len);
		n += len;
	}
	out[n] = 0;
	return 0;
}

/* Paths are those of the file system; where /boot is a folder of it, some are those of the folder. */
static int file_take(const struct reader *r, const char *path, struct boot_file *out)
{
	const struct boot_files *files = r->menu->files;
	const char *end = strstr(r->path, "/loader/entries");
	char below[BOOT_PATH_MAX + 64];

	if (end && end != r->path && files->stat(files->ctx, r->fs, path) == BOOT_NONE) {
		snprintf(below, sizeof(below), "%.*s/%s", (int)(end - r->path), r->path, path);
		if (!boot_file_set(out, r->fs, below) &&
		    files->stat(files->ctx, r->fs, out->path) != BOOT_NONE)
			return 0;
	}
	return boot_file_set(out, r->fs, path);
}

static void initrds_take(const struct reader *r, struct boot_plan *p, const char *value)
{
	char text[BOOT_PATH_MAX] = "", *save, *word;

	if (value_put(r->vars, text, sizeof(text), value)) {
		snprintf(p->why, sizeof(p->why), "its list of initramfs is too long");
		return;
	}
	for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		if (p->initrds == BOOT_INITRDS_MAX || file_take(r, word, &p->initrd[p->initrds++])) {
			snprintf(p->why, sizeof(p->why), "its list of initramfs is too long");
			return;
		}
}

struct fields {
	const char	*title, *version, *sort_key, *machine;
};

static void field_take(const struct reader *r, char *line, struct fields *f, struct boot_plan *p)
{
	char *value = line + strcspn(line, " \t");
	size_t len;

	if (*value)
		*value++ = 0;
	value += strspn(value, " \t");
	len = strlen(value);
	while (len && isspace((unsigned char)value[len - 1]))
		value[--len] = 0;
	if (!strcmp(line, "title"))
		f->title = value;
	else if (!strcmp(line, "version"))
		f->version = value;
	else if (!strcmp(line, "sort-key"))
		f->sort_key = value;
	else if (!strcmp(line, "machine-id"))
		f->machine = value;
	else if (!strcmp(line, "linux") && file_take(r, value, &p->kernel))
		snprintf(p->why, sizeof(p->why), "the path of its kernel is too long");
	else if (!strcmp(line, "initrd"))
		initrds_take(r, p, value);
	else if (!strcmp(line, "options") && value_put(r->vars, p->cmdline, sizeof(p->cmdline), value))
		snprintf(p->why, sizeof(p->why), "its command line is longer than %d bytes", BOOT_CMDLINE_MAX - 1);
	else if (!strcmp(line, "efi") || !strcmp(line, "uki"))
		snprintf(p->why, sizeof(p->why), "it starts an EFI program, %.150s", value);
}

/* "name+LEFT-DONE.conf": the tries of automatic assessment. */
static const char *id_of(struct arena *a, const char *name, bool *spent)
{
	size_t len = strlen(name) - strlen(".conf"), n = len;

	while (n && (isdigit((unsigned char)name[n - 1]) || name[n - 1] == '-'))
		n--;
	if (n && n < len && name[n - 1] == '+') {
		*spent = name[n] == '0' && !isdigit((unsigned char)name[n + 1]);
		len = n - 1;
	}
	return arena_text(a, name, len);
}

static int entry_take(void *arg, const char *name)
{
	struct reader *r = arg;
	struct arena *a = &r->menu->arena;
	char path[BOOT_PATH_MAX], *text, *save, *line;
	struct boot_plan *p;
	struct fields f = { 0 };
	struct boot_entry *e;
	bool spent = false;
	const char *id;
	size_t len = strlen(name);

	if (len < 6 || strcmp(name + len - 5, ".conf") || strchr(name, '/') ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", r->path, name) >= sizeof(path))
		return 0;
	p = arena_get(a, sizeof(*p));
	text = p ? r->menu->files->read(r->menu->files->ctx, r->fs, path, a, &len) : NULL;
	if (!text)
		return 0;
	for (line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		if (*line != '#')
			field_take(r, line, &f, p);
	}
	id = id_of(a, name, &spent);
	if (!id || (!p->kernel.path[0] && !p->why[0]))
		return 0;
	e = menu_add(r->menu, -1, f.title ? f.title : id, id);
	if (!e)
		return 1;
	e->plan = p;
	e->version = f.version;
	e->sort_key = f.sort_key;
	e->machine = f.machine;
	e->spent = spent;
	return 0;
}

/* loader.conf stands beside the folder of entries. */
static void loader_conf(struct reader *r, unsigned int first)
{
	struct boot_menu *m = r->menu;
	char path[BOOT_PATH_MAX + 32], *text, *save, *line;
	struct boot_file f;
	size_t len;

	snprintf(path, sizeof(path), "%s/../loader.conf", r->path);
	if (boot_file_set(&f, r->fs, path))
		return;
	text = m->files->read(m->files->ctx, r->fs, f.path, &m->arena, &len);
	if (!text)
		return;
	for (line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		char *value = line + strcspn(line, " \t");

		if (!*value)
			continue;
		*value++ = 0;
		value += strspn(value, " \t");
		if (!strcmp(line, "timeout"))
			m->timeout = atoi(value);
		if (strcmp(line, "default"))
			continue;
		for (unsigned int i = first; i < m->entries; i++) {
			snprintf(path, sizeof(path), "%.1000s.conf", m->entry[i].id);
			if (!fnmatch(value, path, 0) || !fnmatch(value, m->entry[i].id, 0)) {
				m->wanted = m->entry[i].id;
				break;
			}
		}
	}
}

int bls_read(struct boot_menu *m, int fs, const char *path, const struct bls_vars *vars)
{
	struct reader r = { .menu = m, .vars = vars, .fs = fs, .path = path };
	unsigned int first = m->entries;

	m->files->list(m->files->ctx, fs, path, entry_take, &r);
	if (m->entries == first)
		return -1;
	qsort(&m->entry[first], m->entries - first, sizeof(m->entry[0]), entry_compare);
	if (!vars)
		loader_conf(&r, first);
	return 0;
}
