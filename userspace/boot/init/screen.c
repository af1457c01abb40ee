// SPDX-License-Identifier: GPL-2.0-or-later
/* The menu on the console: a list, and a line that answers. Any terminal does. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init.h"

/* Titles are from the disk: what a terminal would take for a command is not printed. */
static void title_put(const char *title)
{
	for (; *title; title++)
		putchar((unsigned char)*title < 0x20 || (unsigned char)*title == 0x7f ? '?' : *title);
}

static int level_put(const struct boot_menu *m, int parent, int preset, int nr, int *index)
{
	for (unsigned int i = 0; i < m->entries; i++) {
		const struct boot_entry *e = &m->entry[i];

		if (e->parent != parent)
			continue;
		if (e->submenu) {
			printf("      %*s", (int)e->depth * 3, "");
			title_put(e->title);
			printf(":\n");
			nr = level_put(m, (int)i, preset, nr, index);
			continue;
		}
		index[nr++] = (int)i;
		printf(" %c%3d %*s", (int)i == preset ? '*' : ' ', nr, (int)e->depth * 3, "");
		title_put(e->title);
		printf("\n");
	}
	return nr;
}

int screen_choose(const struct boot_menu *m, int preset, char *more, size_t len)
{
	static int index[BOOT_ENTRIES_MAX];
	char line[1024];
	int nr;

	printf("\nWhat this VM's disks offer to boot:\n\n");
	nr = level_put(m, -1, preset, 0, index);
	for (;;) {
		char *at = line;
		long n;

		printf("\nNumber to boot (Enter: *; words behind it are added to its command line; q: power off): ");
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin) || *line == 'q')
			return -1;
		line[strcspn(line, "\r\n")] = 0;
		at += strspn(at, " \t");
		*more = 0;
		if (!*at)
			return preset;
		n = strtol(at, &at, 10);
		if (n >= 1 && n <= nr && (!*at || isspace((unsigned char)*at))) {
			snprintf(more, len, "%s", at + strspn(at, " \t"));
			return index[n - 1];
		}
		printf("There is no such number; there are 1 to %d.\n", nr);
	}
}
