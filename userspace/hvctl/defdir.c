// SPDX-License-Identifier: GPL-2.0-or-later
/* The directory of definitions. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hvctl/cmd.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"

#define TAIL	".xml"
#define FILE_MAX (63 + sizeof(TAIL) + 16)	/* a name, its tail, and what a new file has in front */

int defdir_path(char *buf, struct err *err)
{
	const char *own = getenv("HV_CONFIG_DIR"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (own && *own == '/')
		n = snprintf(buf, DEFDIR_PATH_MAX, "%s/vms", own);
	else if (!geteuid())
		n = snprintf(buf, DEFDIR_PATH_MAX, "/etc/hv/vms");
	else if (xdg && *xdg == '/')
		n = snprintf(buf, DEFDIR_PATH_MAX, "%s/hv/vms", xdg);
	else if (home && *home == '/')
		n = snprintf(buf, DEFDIR_PATH_MAX, "%s/.config/hv/vms", home);
	else
		return err_set(err, RC_HOST, "set HOME or HV_CONFIG_DIR",
			       "there is no directory for definitions");
	if (n < 0 || n >= DEFDIR_PATH_MAX)
		return err_set(err, RC_HOST, "set HV_CONFIG_DIR to a shorter one",
			       "the name of the directory of definitions is too long");
	return 0;
}

/* Open the directory. Return: fd or -errno. */
static int open_dir(struct err *err)
{
	char path[DEFDIR_PATH_MAX];
	int fd;

	if (defdir_path(path, err))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What others may write in @dir would run as us. Return: 0 or RC_HOST. */
static int is_private(int dir, struct err *err)
{
	char path[DEFDIR_PATH_MAX];
	struct stat st;

	if (!fstat(dir, &st) && (st.st_uid == geteuid() || !st.st_uid) && !(st.st_mode & 022))
		return 0;
	return defdir_path(path, err) ?: err_set(err, RC_HOST, "make it yours alone: chown and chmod 700",
						  "others may write to the directory of definitions %s", path);
}

static void file_name(char *buf, const char *name)
{
	snprintf(buf, FILE_MAX, "%.63s" TAIL, name);
}

bool defdir_has(const char *name)
{
	char file[FILE_MAX];
	struct err err;
	int dir = def_name_ok(name) ? open_dir(&err) : -1;
	bool has;

	if (dir < 0)
		return false;
	file_name(file, name);
	has = !faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW);
	close(dir);
	return has;
}

static int not_there(const char *name, struct err *err)
{
	char **names;
	int n = defdir_names(&names);
	size_t at;

	err_set(err, RC_NO_VM, "hvctl define FILE or hvctl create makes one", "there is no definition of a VM '%s'", name);
	if (n > 0 && n <= 8) {
		at = (size_t)snprintf(err->next, sizeof(err->next), "defined are:");
		for (int i = 0; i < n && at < sizeof(err->next); i++)
			at += (size_t)snprintf(err->next + at, sizeof(err->next) - at, " %s", names[i]);
	}
	rundir_names_free(names, n > 0 ? n : 0);
	return err->code;
}

/* A definition is a plain file of a sensible size. Return: 0 or an enum rc. */
static int read_whole(int fd, const char *name, char **text, struct err *err)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > XML_BYTES_MAX)
		return err_set(err, RC_INVALID, NULL, "the definition of '%s' is no file, or longer than %u KiB", name,
			       XML_BYTES_MAX >> 10);
	*text = malloc((size_t)st.st_size + 1);
	if (!*text)
		return err_sys(err, RC_FAILED, ENOMEM, NULL, "cannot read the definition of '%s'", name);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, *text + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, RC_FAILED, errno, NULL, "cannot read the definition of '%s'", name);
		if (!got)
			break;
		n += (size_t)got;
	}
	(*text)[n] = 0;
	return 0;
}

int defdir_text(const char *name, char **text, struct err *err)
{
	char file[FILE_MAX];
	int dir = def_name_ok(name) ? open_dir(err) : -ENOENT, fd = -1, ret;

	*text = NULL;
	if (dir >= 0 && is_private(dir, err)) {
		close(dir);
		return err->code;
	}
	if (dir >= 0) {
		file_name(file, name);
		fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		ret = errno;
		close(dir);
	} else {
		ret = -dir;
	}
	if (fd < 0 && ret == ENOENT)
		return not_there(name, err);
	if (fd < 0)
		return err_sys(err, RC_HOST, ret, NULL, "cannot read the definition of '%s'", name);
	ret = read_whole(fd, name, text, err);
	close(fd);
	if (ret) {
		free(*text);
		*text = NULL;
	}
	return ret;
}

int defdir_load(const char *name, struct def *d, struct err *err)
{
	char what[FILE_MAX], *text;
	int ret = defdir_text(name, &text, err);

	def_init(d);
	if (ret)
		return ret;
	file_name(what, name);
	ret = def_read(d, what, text, strlen(text), err);
	if (!ret && strcmp(opt_value(&d->line, "name"), name))
		ret = err_set(err, RC_INVALID, NULL, "%s says that its name is '%s'", what,
			      opt_value(&d->line, "name"));
	if (ret == RC_INVALID)
		err_next(err, "hvctl edit %s, or hvctl undefine %s", name, name);
	free(text);
	return ret;
}

/* mkdir -p, private. */
static int make_dirs(char *path)
{
	for (char *p = path + 1; ; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*p = was;
		if (!was)
			return 0;
	}
}

int defdir_lock(int *fd, struct err *err)
{
	char path[DEFDIR_PATH_MAX];
	int ret = defdir_path(path, err);

	if (ret)
		return ret;
	ret = make_dirs(path);
	*fd = ret ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return err_sys(err, RC_HOST, ret ? -ret : errno, "set HV_CONFIG_DIR to a directory of yours",
			       "cannot use the directory of definitions %s", path);
	if (is_private(*fd, err)) {
		close(*fd);
		return err->code;
	}
	while (flock(*fd, LOCK_EX))
		if (errno != EINTR) {
			ret = errno;
			close(*fd);
			return err_sys(err, RC_FAILED, ret, NULL, "cannot lock %s", path);
		}
	return 0;
}

void defdir_unlock(int fd)
{
	close(fd);
}

static int write_whole(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

int defdir_store(int dir, const char *name, const char *text, struct err *err)
{
	char file[FILE_MAX], fresh[FILE_MAX];
	int fd, ret;

	file_name(file, name);
	/* We hold the lock: a file of this name is what a writer that died has left. */
	snprintf(fresh, sizeof(fresh), ".new-%.63s", name);
	unlinkat(dir, fresh, 0);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, RC_HOST, errno, NULL, "cannot write the definition of '%s'", name);
	ret = write_whole(fd, text);
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(dir, fresh, dir, file))
		ret = -errno;
	if (!ret && fsync(dir))
		ret = -errno;
	if (!ret)
		return 0;
	unlinkat(dir, fresh, 0);
	return err_sys(err, RC_HOST, ret, NULL, "cannot write the definition of '%s'", name);
}

int defdir_remove(int dir, const char *name, struct err *err)
{
	char file[FILE_MAX];

	file_name(file, name);
	if (!def_name_ok(name) || (unlinkat(dir, file, 0) && errno == ENOENT))
		return not_there(name, err);
	if (!faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) || fsync(dir))
		return err_sys(err, RC_HOST, errno, NULL, "cannot remove the definition of '%s'", name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int defdir_names(char ***out)
{
	struct err err;
	int fd = open_dir(&err), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*out = NULL;
	if (!d && fd >= 0)
		close(fd);
	while (d && n >= 0 && (e = readdir(d))) {
		size_t len = strlen(e->d_name), tail = sizeof(TAIL) - 1;
		char **more;

		if (len <= tail || len > 63 + tail || strcmp(e->d_name + len - tail, TAIL))
			continue;
		e->d_name[len - tail] = 0;
		if (!def_name_ok(e->d_name))
			continue;
		more = realloc(*out, (size_t)(n + 1) * sizeof(*more));
		if (more) {
			*out = more;
			more[n] = strdup(e->d_name);
		}
		n = more && more[n] ? n + 1 : -1 - n;
	}
	if (d)
		closedir(d);
	if (n < 0) {
		rundir_names_free(*out, -1 - n);
		*out = NULL;
		return -1;
	}
	if (n)
		qsort(*out, (size_t)n, sizeof(**out), by_name);
	return n;
}
