// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of the mounted volumes. Symbolic links end in their own volume, wherever they point. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

static int path_open(const struct scene *s, int fs, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	if (fs < 0 || fs >= s->volumes || !s->volume[fs].mounted)
		return -1;
	return (int)syscall(SYS_openat2, s->volume[fs].fd, path, &how, sizeof(how));
}

int file_open(const struct scene *s, const struct boot_file *f)
{
	int fd = path_open(s, f->fs, f->path, O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static char *files_read(void *ctx, int fs, const char *path, struct arena *a, size_t *len)
{
	int fd = path_open(ctx, fs, path, O_RDONLY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= BOOT_FILE_MAX)
		text = arena_get(a, (size_t)st.st_size + 1);
	for (*len = 0; text && *len < (size_t)st.st_size; *len += (size_t)n) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n <= 0)
			break;
	}
	close(fd);
	return text;
}

static enum boot_stat files_stat(void *ctx, int fs, const char *path)
{
	int fd = path_open(ctx, fs, path, O_PATH);
	enum boot_stat ret = BOOT_NONE;
	struct stat st;

	if (fd < 0)
		return BOOT_NONE;
	if (!fstat(fd, &st))
		ret = S_ISDIR(st.st_mode) ? BOOT_DIR : st.st_size ? BOOT_FILE : BOOT_EMPTY;
	close(fd);
	return ret;
}

static void files_list(void *ctx, int fs, const char *path, int (*each)(void *, const char *), void *arg)
{
	int fd = path_open(ctx, fs, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (fd >= 0 && !d)
		close(fd);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && each(arg, e->d_name))
			break;
	if (d)
		closedir(d);
}

static int files_search(void *ctx, enum boot_search how, const char *what)
{
	const struct scene *s = ctx;

	for (int i = 0; i < s->volumes; i++) {
		const struct volume *v = &s->volume[i];

		if (!v->mounted)
			continue;
		if ((how == BOOT_BY_UUID && *v->id.uuid && !strcasecmp(v->id.uuid, what)) ||
		    (how == BOOT_BY_LABEL && *v->id.label && !strcmp(v->id.label, what)) ||
		    (how == BOOT_BY_FILE && files_stat(ctx, i, what) != BOOT_NONE))
			return i;
	}
	return -1;
}

/* Is @uuid, as GRUB writes it, with '-' and '/', what device mapper knows as "LVM-..."? */
static bool lvmid_same(const char *uuid, const char *dm)
{
	if (strncmp(dm, "LVM-", 4))
		return false;
	for (dm += 4; *uuid; uuid++)
		if (*uuid != '-' && *uuid != '/' && *uuid != *dm++)
			return false;
	return !*dm;
}

/* "hd0", "hd0,gpt2", "hd0,msdos1", "hd0,2"; disks count in the order of their places. */
static int hd_find(const struct scene *s, const char *name)
{
	char *end;
	long disk = strtol(name, &end, 10), part = 0;

	if (*end == ',') {
		end++;
		while (isalpha((unsigned char)*end))
			end++;
		part = strtol(end, &end, 10);
	}
	for (int i = 0; i < s->volumes && !*end; i++)
		if (s->volume[i].disk == disk && s->volume[i].part == part)
			return i;
	return -1;
}

static int files_device(void *ctx, const char *name)
{
	const struct scene *s = ctx;

	if (!strncmp(name, "hd", 2) && isdigit((unsigned char)name[2]))
		return hd_find(s, name + 2);
	for (int i = 0; i < s->volumes; i++) {
		const struct volume *v = &s->volume[i];

		if (*v->lv && ((!strncmp(name, "lvm/", 4) && !strcmp(name + 4, v->lv)) ||
			       (!strncmp(name, "lvmid/", 6) && lvmid_same(name + 6, v->lv_uuid))))
			return i;
	}
	return -1;
}

void files_init(struct scene *s)
{
	s->files = (struct boot_files){
		.ctx = s, .device = files_device, .search = files_search, .read = files_read,
		.stat = files_stat, .list = files_list,
	};
}
