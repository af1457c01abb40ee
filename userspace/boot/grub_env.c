// SPDX-License-Identifier: GPL-2.0-or-later
/* load_env: the block of 1024 bytes that grub-reboot and grub-set-default write. */
#include <string.h>

#include "boot/grub_impl.h"

#define SIGNATURE	"# GRUB Environment Block\n"

static bool is_listed(const char *name, unsigned int args, const char **arg, unsigned int first)
{
	for (unsigned int i = first; i < args; i++)
		if (!strcmp(arg[i], name))
			return true;
	return first == args;
}

/* "name=value", a backslash before a line break or a backslash of the value. Return: where the line ended. */
static const char *line_take(struct grub_run *r, const char *s, unsigned int args, const char **arg,
			     unsigned int first)
{
	char line[1024];
	size_t n = 0;
	char *eq;

	for (; *s && *s != '\n'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if (n + 1 < sizeof(line))
			line[n++] = *s;
	}
	line[n] = 0;
	eq = strchr(line, '=');
	if (line[0] != '#' && eq && eq != line) {
		*eq = 0;
		if (is_listed(line, args, arg, first))
			grub_set(r, line, eq + 1);
	}
	return *s ? s + 1 : s;
}

int grub_cmd_load_env(struct grub_run *r, unsigned int args, const char **arg)
{
	const struct boot_files *files = r->menu->files;
	const char *path = NULL, *text;
	struct boot_file f;
	unsigned int i = 1;
	char own[BOOT_PATH_MAX + 32];
	size_t len;

	for (; i < args && arg[i][0] == '-'; i++) {
		if ((!strcmp(arg[i], "-f") || !strcmp(arg[i], "--file")) && i + 1 < args)
			path = arg[++i];
		else if (!strncmp(arg[i], "--file=", 7))
			path = arg[i] + 7;
	}
	if (!path) {
		const char *prefix = grub_get(r, "prefix", 6);

		len = strlen(prefix);
		if (len + sizeof("/grubenv") > sizeof(own))
			return 1;
		memcpy(own, prefix, len);
		strcpy(own + len, "/grubenv");
		path = own;
	}
	if (grub_path(r, path, &f))
		return 1;
	text = files->read(files->ctx, f.fs, f.path, &r->menu->arena, &len);
	if (!text || strncmp(text, SIGNATURE, strlen(SIGNATURE)))
		return 1;
	for (text += strlen(SIGNATURE); *text; )
		text = line_take(r, text, args, arg, i);
	return 0;
}
