// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks in the order of their controllers and units, their partitions, and logical volumes.
 *
 * A file system that was not unmounted is read as it lies there: ext4 is mounted with noload, XFS with
 * norecovery, btrfs without replaying its log. That is what a boot loader sees, too; nothing is repaired
 * here, the system that boots does that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define WAIT_MS		60000
#define SETTLE_MS	2000
#define STEP_MS		20

static const struct { const char *type, *options; } mounts[] = {
	{ "ext4", "noload" }, { "xfs", "norecovery,nouuid" }, { "btrfs", "subvolid=5,rescue=nologreplay" },
	{ "vfat", "" },
};

static void doze(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* The first line of a sysfs file; "" when there is none. */
static void line_read(const char *dir, const char *file, char *buf, size_t len)
{
	char path[512];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, len - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
}

/* Host, channel, target, unit as one number. */
static unsigned long long place_of(const char *disk)
{
	char path[96], link[256];
	unsigned int h = 0, c = 0, t = 0, l = 0;
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/block/%s/device", disk);
	n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = 0;
	end = strrchr(link, '/');
	if (end)
		sscanf(end + 1, "%u:%u:%u:%u", &h, &c, &t, &l);
	return (unsigned long long)h << 48 | (unsigned long long)(c & 0xff) << 40 |
	       (unsigned long long)(t & 0xff) << 32 | l;
}

static int disk_compare(const void *a, const void *b)
{
	unsigned long long x = place_of(a), y = place_of(b);

	return x < y ? -1 : x > y;
}

static void disks_list(struct scene *s)
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;

	s->disks = 0;
	while (d && (e = readdir(d)))
		if ((!strncmp(e->d_name, "sd", 2) || !strncmp(e->d_name, "vd", 2)) && s->disks < DISKS_MAX)
			snprintf(s->disk[s->disks++], sizeof(s->disk[0]), "%.31s", e->d_name);
	if (d)
		closedir(d);
	qsort(s->disk, (size_t)s->disks, sizeof(s->disk[0]), disk_compare);
}

void disks_wait(struct scene *s)
{
	unsigned int waited = 0, since = 0;
	int had = 0;

	for (;; waited += STEP_MS, since += STEP_MS) {
		disks_list(s);
		if (s->disks_told && s->disks >= (int)s->disks_told)
			return;
		if (s->disks != had)
			since = 0;
		had = s->disks;
		if ((!s->disks_told && s->disks && since >= SETTLE_MS) || waited >= WAIT_MS)
			break;
		doze(STEP_MS);
	}
	if (s->disks_told)
		say("of %u disks %d came within %u s", s->disks_told, s->disks, WAIT_MS / 1000);
}

/* ---- volumes ---- */

static struct volume *volume_add(struct scene *s, const char *name, int disk, int part)
{
	static uint8_t head[FSID_BYTES];
	struct volume *v = &s->volume[s->volumes];
	char path[64];
	int fd, yes = 1;
	ssize_t n;

	if (s->volumes == VOLUMES_MAX)
		return NULL;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	ioctl(fd, BLKROSET, &yes);
	n = pread(fd, head, sizeof(head), 0);
	close(fd);
	*v = (struct volume){ .disk = disk, .part = part, .fd = -1 };
	snprintf(v->name, sizeof(v->name), "%s", name);
	fsid_probe(head, n > 0 ? (size_t)n : 0, &v->id);
	s->volumes++;
	return v;
}

static void volume_mount(struct volume *v, int nr)
{
	char path[64], at[32];

	for (size_t i = 0; v->id.type && i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (strcmp(v->id.type, mounts[i].type))
			continue;
		modules_load(v->id.type);
		snprintf(path, sizeof(path), "/dev/%s", v->name);
		snprintf(at, sizeof(at), "/v/%d", nr);
		mkdir(at, 0700);
		if (mount(path, at, v->id.type, MS_RDONLY | MS_NOEXEC | MS_NODEV | MS_NOSUID, mounts[i].options)) {
			say("cannot mount %s (%s): %s", v->name, v->id.type, strerror(errno));
			return;
		}
		v->fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
		v->mounted = v->fd >= 0;
	}
}

static int part_compare(const void *a, const void *b)
{
	return ((const struct volume *)a)->part - ((const struct volume *)b)->part;
}

static void disk_parts(struct scene *s, int disk)
{
	const char *name = s->disk[disk];
	int fd, first = s->volumes;
	char dir[96], number[16], whole[64];
	struct dirent *e;
	DIR *d;

	/* The kernel may still be at it; this waits, and reads the table again. */
	snprintf(whole, sizeof(whole), "/dev/%s", name);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ioctl(fd, BLKRRPART);
		close(fd);
	}
	snprintf(dir, sizeof(dir), "/sys/block/%s", name);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		char part[400];

		if (strncmp(e->d_name, name, strlen(name)))
			continue;
		snprintf(part, sizeof(part), "%s/%s", dir, e->d_name);
		line_read(part, "partition", number, sizeof(number));
		if (*number)
			volume_add(s, e->d_name, disk, atoi(number));
	}
	if (d)
		closedir(d);
	if (s->volumes == first)
		volume_add(s, name, disk, 0);
	qsort(&s->volume[first], (size_t)(s->volumes - first), sizeof(s->volume[0]), part_compare);
}

static void logical_volumes(struct scene *s)
{
	struct dirent *e;
	struct volume *v;
	char dir[300];
	DIR *d;

	lvm_activate();
	d = opendir("/sys/block");
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, "dm-", 3) || !(v = volume_add(s, e->d_name, -1, 0)))
			continue;
		snprintf(dir, sizeof(dir), "/sys/block/%s/dm", e->d_name);
		line_read(dir, "name", v->lv, sizeof(v->lv));
		line_read(dir, "uuid", v->lv_uuid, sizeof(v->lv_uuid));
	}
	if (d)
		closedir(d);
}

void volumes_find(struct scene *s)
{
	bool lvm = false;

	for (int i = 0; i < s->disks; i++)
		disk_parts(s, i);
	for (int i = 0; i < s->volumes; i++)
		lvm |= s->volume[i].id.type && !strcmp(s->volume[i].id.type, "LVM2_member");
	if (lvm)
		logical_volumes(s);
	mkdir("/v", 0700);
	for (int i = 0; i < s->volumes; i++)
		volume_mount(&s->volume[i], i);
}

void volumes_leave(struct scene *s)
{
	char at[32];

	for (int i = 0; i < s->volumes; i++) {
		if (!s->volume[i].mounted)
			continue;
		close(s->volume[i].fd);
		snprintf(at, sizeof(at), "/v/%d", i);
		umount2(at, MNT_DETACH);
		s->volume[i].mounted = false;
	}
}

void volume_show(const struct volume *v, char *buf, size_t len)
{
	const char *type = v->id.type ? v->id.type : "nothing known";

	snprintf(buf, len, "%s%s%.60s: %s%s%.60s%s%s%s", v->name, *v->lv ? " " : "", v->lv, type,
		 *v->id.label ? " \"" : "", v->id.label, *v->id.label ? "\"" : "",
		 *v->id.uuid ? " UUID=" : "", v->id.uuid);
}
