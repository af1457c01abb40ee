// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens in order; and the end, when there is nothing to start. */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/bls.h"
#include "boot/extlinux.h"
#include "boot/grub.h"
#include "boot/loader.h"
#include "devices/acpi_pm.h"
#include "init.h"
#include "vmm/layout.h"

#define SLP_EN	0x2000

void say(const char *fmt, ...)
{
	char line[BOOT_CMDLINE_MAX + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* Names are from the disk: what a terminal would take for a command is not printed. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	printf("hv-boot: %s\n", line);
	fflush(stdout);
}

static void surroundings(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/run", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("run", "/run", "tmpfs", 0, NULL);
}

/* hvctl's words: "hvboot.disks=N", "hvboot.menu"; behind " -- " those for the kernel that is started. */
static void words_read(struct scene *s)
{
	static char text[4096];
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	char *end, *save, *word;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	s->append = "";
	end = strstr(text, " -- ");
	if (end) {
		*end = 0;
		s->append = end + 4;
	}
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strncmp(word, "hvboot.disks=", 13))
			s->disks_told = (unsigned int)atoi(word + 13);
		s->ask |= !strcmp(word, "hvboot.menu");
	}
}

/* ---- what there is to read ---- */

struct place {
	const char	*path;
	int		(*read)(struct boot_menu *m, int fs, const char *path);
};

static int bls_here(struct boot_menu *m, int fs, const char *path)
{
	return bls_read(m, fs, path, NULL);
}

/* A configuration without an entry is none. */
static int grub_here(struct boot_menu *m, int fs, const char *path)
{
	if (m->files->stat(m->files->ctx, fs, path) != BOOT_FILE || grub_read(m, fs, path))
		return -1;
	return menu_default(m) >= 0 ? 0 : -1;
}

/* In this order, each on all volumes before the next; "*" stands for any folder. */
static const struct place places[] = {
	{ "/boot/grub/grub.cfg", grub_here }, { "/grub/grub.cfg", grub_here },
	{ "/boot/grub2/grub.cfg", grub_here }, { "/grub2/grub.cfg", grub_here },
	{ "*/boot/grub/grub.cfg", grub_here }, { "*/boot/grub2/grub.cfg", grub_here },
	{ "/loader/entries", bls_here }, { "/boot/loader/entries", bls_here },
	{ "*/boot/loader/entries", bls_here },
	{ "/boot/extlinux/extlinux.conf", extlinux_read }, { "/extlinux/extlinux.conf", extlinux_read },
	{ "/boot/extlinux.conf", extlinux_read }, { "/extlinux.conf", extlinux_read },
	{ "/boot/syslinux/syslinux.cfg", extlinux_read }, { "/syslinux/syslinux.cfg", extlinux_read },
	{ "/syslinux.cfg", extlinux_read }, { "/EFI/*/grub.cfg", grub_here },
};

struct attempt {
	struct scene		*s;
	const struct place	*place;
	int			fs;
	bool			found;
};

static bool place_read(struct attempt *a, const char *path)
{
	static char source[BOOT_PATH_MAX + 64];
	struct scene *s = a->s;

	menu_init(&s->menu, &s->files);
	if (!a->place->read(&s->menu, a->fs, path) && menu_default(&s->menu) >= 0) {
		snprintf(source, sizeof(source), "%s on %s", path, s->volume[a->fs].name);
		s->source = source;
		return true;
	}
	menu_free(&s->menu);
	return false;
}

static int folder_read(void *arg, const char *name)
{
	struct attempt *a = arg;
	const char *star = strchr(a->place->path, '*');
	char path[BOOT_PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%.*s%s%s%s", (int)(star - a->place->path), a->place->path,
			     star == a->place->path ? "/" : "", name, star + 1) >= sizeof(path))
		return 0;
	a->found = a->s->files.stat(a->s, a->fs, path) != BOOT_NONE && place_read(a, path);
	return a->found;
}

static bool configuration_find(struct scene *s)
{
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++)
		for (int fs = 0; fs < s->volumes; fs++) {
			struct attempt a = { .s = s, .place = &places[p], .fs = fs };

			if (!s->volume[fs].mounted)
				continue;
			if (*a.place->path == '*') {
				/* Subvolumes; on other file systems a folder of the root is no root. */
				if (!strcmp(s->volume[fs].id.type, "btrfs"))
					s->files.list(s, fs, "/", folder_read, &a);
			} else if (strchr(a.place->path, '*')) {
				s->files.list(s, fs, "/EFI", folder_read, &a);
			} else {
				a.found = place_read(&a, a.place->path);
			}
			if (a.found)
				return true;
		}
	return false;
}

/* ---- the end ---- */

static int program_show(void *arg, const char *name)
{
	say("   EFI program: /EFI/%s", name);
	(void)arg;
	return 0;
}

static void found_show(struct scene *s)
{
	char line[512], dev[64];
	uint8_t sector[512];

	say("found:");
	for (int i = 0; i < s->disks; i++) {
		int fd;

		snprintf(dev, sizeof(dev), "/dev/%s", s->disk[i]);
		fd = open(dev, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, sector, sizeof(sector)) == sizeof(sector))
			say("  disk %s: loader in its first sector: %s", s->disk[i],
			    loader_name(sector, sizeof(sector)));
		if (fd >= 0)
			close(fd);
	}
	for (int i = 0; i < s->volumes; i++) {
		volume_show(&s->volume[i], line, sizeof(line));
		say("  %s%s", line, s->volume[i].mounted ? "" : " (not read)");
		if (s->volume[i].mounted)
			s->files.list(s, i, "/EFI", program_show, NULL);
	}
	if (!s->disks)
		say("  no disk at all");
}

/* The VM ends with a status of its own; hvctl tells the user that the console says more. */
static void power_off(void)
{
	sync();
	fflush(stdout);
	if (!ioperm(LAYOUT_PM_PORT, ACPI_PM_LEN, 1))
		outw(SLP_EN | ACPI_PM_NO_BOOT_TYPE << 10, LAYOUT_PM_PORT + ACPI_PM_CNT);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

/* Until a kernel is started, or the user gives up. Return: false when nothing could be started. */
static bool choose_and_start(struct scene *s)
{
	int nr = menu_default(&s->menu);
	char more[1024] = "", why[512];
	struct boot_plan plan;

	for (;;) {
		if (s->ask) {
			nr = screen_choose(&s->menu, nr, more, sizeof(more));
			if (nr < 0)
				return true;
		}
		say("starting '%s' (%s)", s->menu.entry[nr].title, s->source);
		if (!menu_plan(&s->menu, (unsigned int)nr, &plan))
			start_plan(s, &plan, more, why, sizeof(why));
		else
			snprintf(why, sizeof(why), "%s", plan.why);
		say("'%s' cannot be started: %s", s->menu.entry[nr].title, why);
		if (!s->ask)
			return false;
	}
}

int main(void)
{
	static struct scene s;

	surroundings();
	words_read(&s);
	modules_load("base");
	disks_wait(&s);
	volumes_find(&s);
	files_init(&s);
	if (!configuration_find(&s)) {
		say("no GRUB configuration, no Boot Loader Specification entries, no extlinux.conf");
		found_show(&s);
	} else {
		if (s.menu.note)
			say("%s", s.menu.note);
		if (choose_and_start(&s)) {
			fflush(stdout);
			reboot(LINUX_REBOOT_CMD_POWER_OFF);
		}
		if (!s.ask)
			say("hvctl run --boot-menu shows what else there is");
	}
	power_off();
	return 1;
}
