// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a keyword and a value; LABEL begins an entry. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "boot/extlinux.h"

#define INCLUDES_MAX 16

struct reader {
	struct boot_menu	*menu;
	int			fs;
	const char		*dir;		/* of the first file, "" for the root */
	struct boot_plan	*plan;		/* of the label we are in */
	struct boot_entry	*entry;
	const char		*wanted, *marked;
	unsigned int		includes;
};

/* A keyword, however many blanks between its words. Return: what is behind it, or NULL. */
static char *keyword(char *line, const char *word)
{
	while (*word) {
		if (*word == ' ') {
			if (!isspace((unsigned char)*line))
				return NULL;
			line += strspn(line, " \t");
		} else if (tolower((unsigned char)*line++) != *word) {
			return NULL;
		}
		word++;
	}
	if (*line && !isspace((unsigned char)*line))
		return NULL;
	return line + strspn(line, " \t");
}

static int file_take(const struct reader *r, const char *path, struct boot_file *f)
{
	char whole[2 * BOOT_PATH_MAX];

	if ((size_t)snprintf(whole, sizeof(whole), "%s/%s", *path == '/' ? "" : r->dir, path) >= sizeof(whole))
		return -1;
	return boot_file_set(f, r->fs, whole);
}

static void initrds_take(struct reader *r, char *list)
{
	struct boot_plan *p = r->plan;
	char *save, *word;

	p->initrds = 0;
	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (p->initrds == BOOT_INITRDS_MAX || file_take(r, word, &p->initrd[p->initrds++])) {
			snprintf(p->why, sizeof(p->why), "its list of initramfs is too long");
			return;
		}
}

/* An "initrd=" among the words is SYSLINUX' own; the kernel gets to see it, too. */
static void append_take(struct reader *r, const char *value)
{
	const char *at = value;

	if (strcmp(value, "-") == 0)
		value = "";
	if ((size_t)snprintf(r->plan->cmdline, sizeof(r->plan->cmdline), "%s", value) >=
	    sizeof(r->plan->cmdline)) {
		snprintf(r->plan->why, sizeof(r->plan->why), "its command line is longer than %d bytes",
			 BOOT_CMDLINE_MAX - 1);
		return;
	}
	while ((at = strstr(at, "initrd="))) {
		if (at == value || isspace((unsigned char)at[-1])) {
			char *list = arena_text(&r->menu->arena, at + 7, strcspn(at + 7, " \t"));

			if (list)
				initrds_take(r, list);
			return;
		}
		at += 7;
	}
}

static void foreign(struct reader *r, const char *what, const char *value)
{
	snprintf(r->plan->why, sizeof(r->plan->why), "it starts something else than Linux: %s %.150s", what, value);
}

static void kernel_take(struct reader *r, char *value)
{
	static const char *const others[] = { ".c32", ".com", ".cbt", ".0", ".bs", ".bin", ".bss", ".img" };
	size_t len = strlen(value);

	/* The type may be known by the suffix alone. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (len > strlen(others[i]) && !strcasecmp(value + len - strlen(others[i]), others[i])) {
			foreign(r, "kernel", value);
			return;
		}
	if (file_take(r, value, &r->plan->kernel))
		snprintf(r->plan->why, sizeof(r->plan->why), "the path of its kernel is too long");
}

static void label_begin(struct reader *r, const char *name)
{
	r->plan = arena_get(&r->menu->arena, sizeof(*r->plan));
	r->entry = r->plan ? menu_add(r->menu, -1, name, name) : NULL;
	if (r->entry) {
		r->entry->plan = r->plan;
		/* What "label" alone means: a kernel of that name. */
		file_take(r, name, &r->plan->kernel);
	}
}

static void title_take(struct reader *r, const char *value)
{
	char *t = arena_text(&r->menu->arena, value, strlen(value)), *out = t;

	/* '^' marks the hot key. */
	for (char *in = t; in && *in; in++)
		if (*in != '^')
			*out++ = *in;
	if (t) {
		*out = 0;
		r->entry->title = t;
	}
}

static void file_read(struct reader *r, const char *path);

static void line_take(struct reader *r, char *line)
{
	struct arena *a = &r->menu->arena;
	char *v;

	if ((v = keyword(line, "label"))) {
		label_begin(r, v);
	} else if ((v = keyword(line, "default"))) {
		r->wanted = arena_text(a, v, strlen(v));
	} else if ((v = keyword(line, "timeout"))) {
		r->menu->timeout = atoi(v) / 10;
	} else if ((v = keyword(line, "include")) || (v = keyword(line, "menu include"))) {
		struct boot_file f;

		v[strcspn(v, " \t")] = 0;
		if (r->includes++ < INCLUDES_MAX && !file_take(r, v, &f))
			file_read(r, f.path);
	} else if (!r->entry) {
		return;
	} else if ((v = keyword(line, "menu label"))) {
		title_take(r, v);
	} else if (keyword(line, "menu default")) {
		r->marked = r->entry->id;
	} else if ((v = keyword(line, "linux")) || (v = keyword(line, "kernel"))) {
		kernel_take(r, v);
	} else if ((v = keyword(line, "initrd"))) {
		initrds_take(r, v);
	} else if ((v = keyword(line, "append"))) {
		append_take(r, v);
	} else if ((v = keyword(line, "com32"))) {
		foreign(r, "com32", v);
	} else if ((v = keyword(line, "boot"))) {
		foreign(r, "boot", v);
	} else if ((v = keyword(line, "localboot"))) {
		foreign(r, "localboot", v);
	}
}

static void file_read(struct reader *r, const char *path)
{
	const struct boot_files *files = r->menu->files;
	char *text, *save, *line;
	size_t len;

	text = files->read(files->ctx, r->fs, path, &r->menu->arena, &len);
	if (!text)
		return;
	for (line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		len = strlen(line);
		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = 0;
		if (*line && *line != '#')
			line_take(r, line);
	}
}

int extlinux_read(struct boot_menu *m, int fs, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct reader r = { .menu = m, .fs = fs };
	unsigned int first = m->entries;

	r.dir = arena_text(&m->arena, path, slash ? (size_t)(slash - path) : 0);
	if (!r.dir)
		return -1;
	file_read(&r, path);
	if (m->entries == first)
		return -1;
	m->wanted = r.marked ? r.marked : r.wanted ? r.wanted : m->wanted;
	return 0;
}
