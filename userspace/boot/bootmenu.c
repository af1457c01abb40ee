// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of entries and the choice of one. */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "boot/bootmenu.h"
#include "boot/grub.h"

void menu_init(struct boot_menu *m, const struct boot_files *files)
{
	memset(m, 0, sizeof(*m));
	arena_init(&m->arena, BOOT_ARENA_MAX);
	m->files = files;
	m->timeout = -1;
}

void menu_free(struct boot_menu *m)
{
	arena_free(&m->arena);
	m->entries = 0;
	m->grub = NULL;
}

struct boot_entry *menu_add(struct boot_menu *m, int parent, const char *title, const char *id)
{
	struct boot_entry *e;

	if (m->entries == BOOT_ENTRIES_MAX || (parent >= 0 && m->entry[parent].depth + 1 >= BOOT_DEPTH_MAX))
		return NULL;
	e = &m->entry[m->entries];
	*e = (struct boot_entry){ .parent = parent, .depth = parent < 0 ? 0 : m->entry[parent].depth + 1 };
	e->title = arena_text(&m->arena, title, strlen(title));
	e->id = arena_text(&m->arena, id, strlen(id));
	if (!e->title || !e->id)
		return NULL;
	m->entries++;
	return e;
}

/* Is @e what the first @len bytes of @name say? @nr: its place in its level. */
static bool is_called(const struct boot_entry *e, unsigned int nr, const char *name, size_t len)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", nr);
	return (strlen(number) == len && !memcmp(number, name, len)) ||
	       (*e->id && strlen(e->id) == len && !memcmp(e->id, name, len)) ||
	       (strlen(e->title) == len && !memcmp(e->title, name, len));
}

/* An entry of the level below @parent, or -1. */
static int level_find(const struct boot_menu *m, int parent, const char *name, size_t len)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < m->entries; i++)
		if (m->entry[i].parent == parent && is_called(&m->entry[i], nr++, name, len))
			return (int)i;
	return -1;
}

/* The first entry below @parent that boots, looking into submenus last. */
static int first_of(const struct boot_menu *m, int parent)
{
	for (unsigned int i = 0; i < m->entries; i++)
		if (m->entry[i].parent == parent && !m->entry[i].submenu)
			return (int)i;
	for (unsigned int i = 0; i < m->entries; i++)
		if (m->entry[i].parent == parent && m->entry[i].submenu) {
			int found = first_of(m, (int)i);

			if (found >= 0)
				return found;
		}
	return -1;
}

int menu_default(const struct boot_menu *m)
{
	const char *at = m->wanted && *m->wanted ? m->wanted : "0";
	int found = -1;

	/* A title may hold '>' itself. */
	found = level_find(m, -1, at, strlen(at));
	for (int parent = -1; found < 0 && *at; ) {
		const char *end = strchr(at, '>');
		size_t len = end ? (size_t)(end - at) : strlen(at);
		int here = level_find(m, parent, at, len);

		if (here < 0)
			break;
		if (!end || !m->entry[here].submenu) {
			found = here;
			break;
		}
		parent = here;
		at = end + 1;
		if (!*at)
			found = here;
	}
	if (found >= 0 && m->entry[found].submenu)
		found = first_of(m, found);
	return found >= 0 ? found : first_of(m, -1);
}

int menu_plan(struct boot_menu *m, unsigned int nr, struct boot_plan *plan)
{
	const struct boot_entry *e = &m->entry[nr];

	if (e->plan) {
		*plan = *e->plan;
		return plan->why[0] ? -1 : 0;
	}
	memset(plan, 0, sizeof(*plan));
	if (!e->body || e->submenu) {
		snprintf(plan->why, sizeof(plan->why), "it is a submenu without entries");
		return -1;
	}
	return grub_plan(m, nr, plan);
}

int boot_file_set(struct boot_file *f, int fs, const char *path)
{
	size_t n = 0;

	f->fs = fs;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !memcmp(path, "..", 2)) {
			while (n && f->path[--n] != '/')
				;
		} else if (len && !(len == 1 && *path == '.')) {
			if (n + len + 2 > sizeof(f->path))
				return -1;
			f->path[n++] = '/';
			memcpy(f->path + n, path, len);
			n += len;
		}
		path += len;
		path += *path == '/';
	}
	if (!n)
		f->path[n++] = '/';
	f->path[n] = 0;
	return 0;
}
