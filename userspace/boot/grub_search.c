// SPDX-License-Identifier: GPL-2.0-or-later
/* search and its short forms, probe: which file system is meant. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/grub_impl.h"

struct wanted {
	enum boot_search	how;
	const char		*what, *var;
};

/* A flag of search, perhaps with its value. Return: how many more words it took, or -1 for none. */
static int flag(struct wanted *w, const char *arg, const char *next)
{
	static const struct { const char *name; enum boot_search how; } hows[] = {
		{ "--fs-uuid", BOOT_BY_UUID }, { "-u", BOOT_BY_UUID }, { "--label", BOOT_BY_LABEL },
		{ "-l", BOOT_BY_LABEL }, { "--fs-label", BOOT_BY_LABEL }, { "--file", BOOT_BY_FILE },
		{ "-f", BOOT_BY_FILE },
	};
	size_t i;

	for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++)
		if (!strcmp(arg, hows[i].name)) {
			w->how = hows[i].how;
			return 0;
		}
	if (!strncmp(arg, "--set=", 6)) {
		w->var = arg + 6;
		return 0;
	}
	/* Without a variable behind it means root. */
	if (!strcmp(arg, "--set") || !strcmp(arg, "-s")) {
		w->var = next && *next != '-' ? next : "root";
		return next && *next != '-';
	}
	if (!strcmp(arg, "--hint") || !strcmp(arg, "-h"))
		return next != NULL;
	return *arg == '-' ? 0 : -1;
}

int grub_cmd_search(struct grub_run *r, unsigned int args, const char **arg)
{
	const struct boot_files *files = r->menu->files;
	struct wanted w = { .how = BOOT_BY_FILE };
	char name[24];
	int fs;

	/* search.fs_uuid UUID [VAR [HINTS]] */
	if (arg[0][6]) {
		const char *kind = arg[0] + 7;

		w.how = strstr(kind, "uuid") ? BOOT_BY_UUID : strstr(kind, "label") ? BOOT_BY_LABEL : BOOT_BY_FILE;
		w.what = args > 1 ? arg[1] : NULL;
		w.var = args > 2 ? arg[2] : "root";
	} else {
		for (unsigned int i = 1; i < args; i++) {
			int more = flag(&w, arg[i], i + 1 < args ? arg[i + 1] : NULL);

			if (more < 0)
				w.what = arg[i];
			else
				i += (unsigned int)more;
		}
	}
	if (!w.what)
		return 1;
	/* Our own name, from probe below. */
	if (w.how == BOOT_BY_UUID && !strncmp(w.what, "fs", 2) && isdigit((unsigned char)w.what[2]))
		fs = (int)strtoul(w.what + 2, NULL, 10) & 0xffff;
	else
		fs = files->search(files->ctx, w.how, w.what);
	if (fs < 0)
		return 1;
	snprintf(name, sizeof(name), "fs%d", fs);
	if (w.var)
		grub_set(r, w.var, name);
	return 0;
}

/*
 * probe --set=VAR -u (DEV): the UUID is wanted only to be searched for later, so the device's own name
 * does as well; search takes both.
 */
int grub_cmd_probe(struct grub_run *r, unsigned int args, const char **arg)
{
	const char *var = NULL, *dev = NULL;
	struct boot_file at;
	char name[24], path[160];

	for (unsigned int i = 1; i < args; i++) {
		if (!strncmp(arg[i], "--set=", 6))
			var = arg[i] + 6;
		else if (!strcmp(arg[i], "--set") && i + 1 < args)
			var = arg[++i];
		else if (!strcmp(arg[i], "-u") || !strcmp(arg[i], "--fs-uuid"))
			continue;
		else if (*arg[i] != '-')
			dev = arg[i];
		else
			return 1;
	}
	if (!dev || !var)
		return 1;
	snprintf(path, sizeof(path), "%s%.120s%s/", *dev == '(' ? "" : "(", dev, *dev == '(' ? "" : ")");
	if (grub_path(r, path, &at))
		return 1;
	snprintf(name, sizeof(name), "fs%d", at.fs);
	grub_set(r, var, name);
	return 0;
}
