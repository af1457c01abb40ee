// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the boot image is, and what it is told. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hvctl/bootimage.h"

/* Does folder @dir hold a boot image? Then its files are @o's. */
static bool folder_try(struct vmopts *o, const char *dir)
{
	if (snprintf(o->kernel, sizeof(o->kernel), "%s/vmlinuz", dir) >= (int)sizeof(o->kernel) ||
	    snprintf(o->initrd, sizeof(o->initrd), "%s/initrd", dir) >= (int)sizeof(o->initrd))
		return false;
	return !access(o->kernel, R_OK) && !access(o->initrd, R_OK);
}

/*
 * $HV_BOOT_IMAGE alone if it is set; else beside the program, in the tree (build/boot-image) or where it
 * is installed (lib/hv/boot-image); then /usr/lib/hv; then the cache.
 */
static bool image_find(struct vmopts *o)
{
	static const char *const beside[] = { "../boot-image", "../lib/hv/boot-image" };
	const char *named = getenv("HV_BOOT_IMAGE"), *cache = getenv("HV_CACHE"), *home = getenv("HOME");
	char exe[PATH_MAX], dir[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (named)
		return folder_try(o, named);
	exe[n > 0 ? n : 0] = 0;
	slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(dir, sizeof(dir), "%.*s/%s", (int)(slash - exe), exe, beside[i]);
		if (folder_try(o, dir))
			return true;
	}
	if (folder_try(o, "/usr/lib/hv/boot-image"))
		return true;
	snprintf(dir, sizeof(dir), "%s/boot-image", cache ? cache : "/var/cache/hv");
	if (folder_try(o, dir))
		return true;
	snprintf(dir, sizeof(dir), "%s/.cache/hv/boot-image", home ? home : "");
	return !cache && home && folder_try(o, dir);
}

int bootimage_use(struct ctx *ctx, struct vmopts *o)
{
	const char *append = o->cfg.append ? o->cfg.append : "";
	unsigned int disks = 0;
	int n;

	for (unsigned int i = 0; i < o->cfg.disks; i++)
		disks += !(o->cfg.disk[i].flags & VMM_DISK_DVD);
	if (!disks || opt_has(&ctx->line, "initrd"))
		return err_set(&ctx->err, RC_USAGE, "give a disk that has a system on it, or a kernel: --kernel FILE",
			       "%s needs something to boot", ctx->line.cmd->name);
	if (!image_find(o) && !o->unseen)
		return err_set(&ctx->err, RC_HOST, "make it with scripts/boot-image, or give a kernel: --kernel FILE",
			       "the boot image that starts a disk's own kernel is not there");
	o->cfg.kernel = o->kernel;
	o->cfg.initrd = o->initrd;
	n = snprintf(o->boot, sizeof(o->boot), "console=ttyS0 quiet hvboot.disks=%u%s%s%s", disks,
		     opt_has(&ctx->line, "boot-menu") ? " hvboot.menu" : "", *append ? " -- " : "", append);
	if (n >= (int)sizeof(o->boot))
		return err_set(&ctx->err, RC_INVALID, NULL, "option --append: more than %d bytes",
			       (int)sizeof(o->boot) - 64);
	o->cfg.append = o->boot;
	return 0;
}
