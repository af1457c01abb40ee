// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GRUB's commands: those that make entries and plans, those that set variables. What concerns GRUB's
 * own screen, modules and devices succeeds and does nothing; what is not known fails, as there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bls.h"
#include "boot/grub_impl.h"

typedef int (*command_fn)(struct grub_run *r, unsigned int args, const char **arg);

static int cmd_true(struct grub_run *r, unsigned int args, const char **arg)
{
	(void)r, (void)args, (void)arg;
	return 0;
}

static int assign(struct grub_run *r, const char *text)
{
	const char *eq = strchr(text, '=');
	char name[64];

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(name))
		return 1;
	memcpy(name, text, (size_t)(eq - text));
	name[eq - text] = 0;
	grub_set(r, name, eq + 1);
	return 0;
}

static int cmd_set(struct grub_run *r, unsigned int args, const char **arg)
{
	int ret = 0;

	for (unsigned int i = 1; i < args; i++)
		ret |= assign(r, arg[i]);
	return ret;
}

static int cmd_unset(struct grub_run *r, unsigned int args, const char **arg)
{
	for (unsigned int i = 1; i < args; i++)
		grub_unset(r, arg[i]);
	return 0;
}

/* "export x" or "export x=y": every variable is seen everywhere here. */
static int cmd_export(struct grub_run *r, unsigned int args, const char **arg)
{
	for (unsigned int i = 1; i < args; i++)
		if (strchr(arg[i], '='))
			assign(r, arg[i]);
	return 0;
}

static int cmd_source(struct grub_run *r, unsigned int args, const char **arg)
{
	return args > 1 && !grub_source(r, arg[1]) ? 0 : 1;
}

static int leave(struct grub_run *r, unsigned int args, const char **arg, enum grub_flow flow)
{
	unsigned long n = args > 1 ? strtoul(arg[1], NULL, 10) : 1;

	if (args > 2 || !n)
		return 1;
	/* As many as there are; outside of a loop it does nothing. */
	r->loops = (unsigned int)(n < r->active ? n : r->active);
	if (r->loops)
		r->flow = flow;
	return 0;
}

static int cmd_break(struct grub_run *r, unsigned int args, const char **arg)
{
	return leave(r, args, arg, GRUB_BREAK);
}

static int cmd_continue(struct grub_run *r, unsigned int args, const char **arg)
{
	return leave(r, args, arg, GRUB_CONTINUE);
}

static int cmd_return(struct grub_run *r, unsigned int args, const char **arg)
{
	r->flow = GRUB_RETURN;
	return args > 1 ? atoi(arg[1]) : r->status;
}

/* ---- what to load ---- */

/* Behind @len bytes of the plan's command line. GRUB quotes words with blanks in them. */
static int word_add(struct boot_plan *p, size_t *len, const char *word)
{
	bool quote = strpbrk(word, " \t") != NULL;
	int n = snprintf(p->cmdline + *len, sizeof(p->cmdline) - *len, "%s%s%s%s", *len ? " " : "",
			 quote ? "\"" : "", word, quote ? "\"" : "");

	if (n < 0 || (size_t)n >= sizeof(p->cmdline) - *len) {
		snprintf(p->why, sizeof(p->why), "its command line is longer than %d bytes", BOOT_CMDLINE_MAX - 1);
		return -1;
	}
	*len += (size_t)n;
	return 0;
}

static int cmd_linux(struct grub_run *r, unsigned int args, const char **arg)
{
	struct boot_plan *p = r->plan;
	char image[BOOT_PATH_MAX + 16];
	size_t len = 0;

	if (!p || args < 2)
		return 1;
	memset(&p->kernel, 0, sizeof(p->kernel));
	if (grub_path(r, arg[1], &p->kernel)) {
		p->kernel.path[0] = 0;
		snprintf(p->why, sizeof(p->why), "its kernel %.150s is on no disk that is here", arg[1]);
		return 1;
	}
	snprintf(image, sizeof(image), "BOOT_IMAGE=%.*s", BOOT_PATH_MAX, arg[1]);
	p->cmdline[0] = 0;
	if (word_add(p, &len, image))
		goto too_long;
	for (unsigned int i = 2; i < args; i++)
		if (word_add(p, &len, arg[i]))
			goto too_long;
	return 0;
too_long:
	p->kernel.path[0] = 0;
	return 1;
}

static int cmd_initrd(struct grub_run *r, unsigned int args, const char **arg)
{
	struct boot_plan *p = r->plan;

	if (!p || !p->kernel.path[0])
		return 1;
	p->initrds = 0;
	for (unsigned int i = 1; i < args; i++) {
		if (p->initrds == BOOT_INITRDS_MAX || !strncmp(arg[i], "newc:", 5) ||
		    grub_path(r, arg[i], &p->initrd[p->initrds])) {
			snprintf(p->why, sizeof(p->why), "its initramfs %.150s cannot be had", arg[i]);
			p->kernel.path[0] = 0;
			return 1;
		}
		p->initrds++;
	}
	return 0;
}

/* What a BLS entry of Fedora's names: $kernelopts and the like. */
static const char *bls_value(void *ctx, const char *name, size_t len)
{
	return grub_get(ctx, name, len);
}

/* Other systems and other protocols. */
static int cmd_foreign(struct grub_run *r, unsigned int args, const char **arg)
{
	char text[200];

	snprintf(text, sizeof(text), "%s %.150s", arg[0], args > 1 ? arg[args - 1] : "");
	r->foreign = arena_text(&r->menu->arena, text, strlen(text));
	return 0;
}

static int cmd_blscfg(struct grub_run *r, unsigned int args, const char **arg)
{
	struct bls_vars vars = { .get = bls_value, .ctx = r };
	struct boot_file at;

	(void)args, (void)arg;
	if (r->plan)
		return 1;
	if (!grub_path(r, "/loader/entries", &at) && !bls_read(r->menu, at.fs, at.path, &vars))
		return 0;
	return !grub_path(r, "/boot/loader/entries", &at) ? bls_read(r->menu, at.fs, at.path, &vars) : 1;
}

static const struct { const char *name; command_fn run; } commands[] = {
	{ "set", cmd_set }, { "unset", cmd_unset }, { "export", cmd_export },
	{ "true", cmd_true }, { ":", cmd_true }, { "[", grub_cmd_test }, { "test", grub_cmd_test },
	{ "source", cmd_source }, { ".", cmd_source }, { "configfile", cmd_source },
	{ "normal", cmd_source },
	{ "break", cmd_break }, { "continue", cmd_continue }, { "return", cmd_return },
	{ "search", grub_cmd_search }, { "search.fs_uuid", grub_cmd_search },
	{ "search.fs_label", grub_cmd_search }, { "search.file", grub_cmd_search },
	{ "search_fs_uuid", grub_cmd_search }, { "search_label", grub_cmd_search },
	{ "probe", grub_cmd_probe }, { "load_env", grub_cmd_load_env }, { "blscfg", cmd_blscfg },
	{ "linux", cmd_linux }, { "linux16", cmd_linux }, { "linuxefi", cmd_linux },
	{ "initrd", cmd_initrd }, { "initrd16", cmd_initrd }, { "initrdefi", cmd_initrd },
	{ "chainloader", cmd_foreign }, { "multiboot", cmd_foreign }, { "multiboot2", cmd_foreign },
	{ "xen_hypervisor", cmd_foreign }, { "kfreebsd", cmd_foreign }, { "knetbsd", cmd_foreign },
	{ "ntldr", cmd_foreign }, { "freedos", cmd_foreign }, { "fwsetup", cmd_foreign },
	/* Nothing here to do them to. save_env: a boot never writes to the disk. */
	{ "insmod", cmd_true }, { "rmmod", cmd_true }, { "save_env", cmd_true }, { "echo", cmd_true },
	{ "module", cmd_true }, { "module2", cmd_true }, { "boot", cmd_true }, { "clear", cmd_true },
	{ "loadfont", cmd_true }, { "terminal_input", cmd_true }, { "terminal_output", cmd_true },
	{ "terminal", cmd_true }, { "serial", cmd_true }, { "play", cmd_true }, { "devicetree", cmd_true },
	{ "background_color", cmd_true }, { "background_image", cmd_true }, { "parttool", cmd_true },
	{ "cryptomount", cmd_true }, { "drivemap", cmd_true }, { "password", cmd_true },
	{ "password_pbkdf2", cmd_true }, { "sleep", cmd_true }, { "increment", cmd_true },
};

int grub_command(struct grub_run *r, unsigned int args, const char **arg)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, arg[0]))
			return commands[i].run(r, args, arg);
	if (strchr(arg[0], '=') && !assign(r, arg[0]))
		return 0;
	return 1;
}

/* menuentry TITLE [--class C] [--id ID] [--users U] [--hotkey K] [--unrestricted] [ARG...] { } */
void grub_entry(struct grub_run *r, unsigned int args, const char **arg, struct grub_range *body)
{
	static const char *const with_value[] = { "--class", "--users", "--hotkey", "--source" };
	const char *id = "", *title = NULL;
	struct arena *a = &r->menu->arena;
	bool submenu = !strcmp(arg[0], "submenu");
	struct boot_entry *e;

	if (!submenu && strcmp(arg[0], "menuentry")) {
		r->status = 1;
		return;
	}
	body->arg = arena_get(a, args * sizeof(*arg));
	for (unsigned int i = 1; body->arg && i < args; i++) {
		bool skip = false;

		for (size_t k = 0; k < sizeof(with_value) / sizeof(with_value[0]); k++)
			skip |= !strcmp(arg[i], with_value[k]);
		if (skip)
			i++;
		else if (!strcmp(arg[i], "--id") && i + 1 < args)
			id = arg[++i];
		else if (!strncmp(arg[i], "--id=", 5))
			id = arg[i] + 5;
		else if (!strncmp(arg[i], "--", 2))
			continue;
		else if (!title)
			title = arg[i];
		else
			body->arg[body->args++] = arg[i];
	}
	r->status = 1;
	/* A body may hold entries only in a submenu. */
	if (r->plan || !title || !body->arg)
		return;
	e = menu_add(r->menu, r->parent, title, id);
	if (!e) {
		grub_stop(r, "too many entries");
		return;
	}
	e->submenu = submenu;
	e->body = body;
	r->status = 0;
}
