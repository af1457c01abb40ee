// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boot configuration of a hostile disk: GRUB's script, its environment block, BLS entries, extlinux.conf,
 * superblocks. The first byte chooses the reader; a line of "%%" parts the files.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bls.h"
#include "boot/extlinux.h"
#include "boot/fsid.h"
#include "boot/grub.h"
#include "boot/loader.h"
#include "selftests/unit/lib/bootfiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_check(const char *s, size_t len)
{
	if (!memchr(s, 0, len))
		abort();
}

static void menu_check(struct boot_menu *m)
{
	static struct boot_plan plan;
	int nr = menu_default(m);

	if (nr >= (int)m->entries || m->entries > BOOT_ENTRIES_MAX || (nr >= 0 && m->entry[nr].submenu))
		abort();
	for (unsigned int i = 0; i < m->entries; i++) {
		if (m->entry[i].parent >= (int)i || m->entry[i].depth >= BOOT_DEPTH_MAX)
			abort();
		if (i > 16)
			continue;
		if (menu_plan(m, i, &plan)) {
			if (!plan.why[0])
				abort();
			continue;
		}
		text_check(plan.cmdline, sizeof(plan.cmdline));
		text_check(plan.kernel.path, sizeof(plan.kernel.path));
		if (plan.kernel.path[0] != '/' || strstr(plan.kernel.path, "/../") ||
		    plan.initrds > BOOT_INITRDS_MAX)
			abort();
		for (unsigned int k = 0; k < plan.initrds; k++)
			text_check(plan.initrd[k].path, BOOT_PATH_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
		"/boot/grub/grub.cfg", "/boot/grub/grubenv", "/boot/grub/custom.cfg", "/loader/entries/a.conf",
		"/loader/entries/b+1-2.conf", "/loader/loader.conf",
	};
	static const char *const uuids[] = { "aaaa-bbbb", "11111111-2222-3333-4444-555555555555" };
	static const char *const devices[] = { "hd0,gpt2", "hd0,msdos1" };
	struct bootfile file[8];
	struct bootfiles b = { .file = file, .uuid = uuids, .device = devices, .fses = 2 };
	struct boot_files files = bootfiles_of(&b);
	static struct boot_menu m;
	char *text, *at;
	int how;

	if (size < 2 || size > 65536)
		return 0;
	how = data[0] % 4;
	if (how == 3) {
		struct fsid id;

		if (!fsid_probe(data + 1, size - 1, &id) != !!id.type)
			abort();
		text_check(id.uuid, sizeof(id.uuid));
		text_check(id.label, sizeof(id.label));
		loader_name(data + 1, size - 1);
		return 0;
	}
	text = strndup((const char *)data + 1, size - 1);
	for (at = text; text && b.files < 6; b.files++) {
		char *end = strstr(at, "\n%%\n");

		if (end)
			*end = 0;
		file[b.files] = (struct bootfile){ 0, paths[b.files], at, 0 };
		if (!end) {
			b.files++;
			break;
		}
		at = end + 4;
	}
	menu_init(&m, &files);
	if (how == 0) {
		grub_read(&m, 0, "/boot/grub/grub.cfg");
	} else if (how == 1) {
		file[0].path = "/loader/entries/c.conf";
		bls_read(&m, 0, "/loader/entries", NULL);
	} else {
		extlinux_read(&m, 0, "/boot/grub/grub.cfg");
	}
	menu_check(&m);
	menu_free(&m);
	free(text);
	return 0;
}
