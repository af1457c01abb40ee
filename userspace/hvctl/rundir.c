// SPDX-License-Identifier: GPL-2.0-or-later
/* The run directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hvctl/cmd.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"

#define SYSTEM_DIR	"/run/hv"
#define NAME_MAX_LEN	63
#define AUTO_NAMES	10000

bool rundir_name_ok(const char *name)
{
	return def_name_ok(name);
}

static void add_dir(struct rundirs *d, const char *base, const char *tail)
{
	int n = snprintf(d->path[d->n], RUNDIR_PATH_MAX, "%s%s", base, tail);

	/* A path that does not fit cannot hold a socket: as if it were not there. */
	if (n > 0 && n < RUNDIR_PATH_MAX && d->path[d->n][0] == '/')
		d->n++;
}

void rundirs_find(struct rundirs *d)
{
	const char *own = getenv("HV_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
	char uid[16];

	d->n = 0;
	if (own && *own) {
		add_dir(d, own, "");
		return;
	}
	if (xdg && *xdg)
		add_dir(d, xdg, "/hv");
	add_dir(d, SYSTEM_DIR, "");
	snprintf(uid, sizeof(uid), "%u", (unsigned int)geteuid());
	add_dir(d, "/tmp/hv-", uid);
}

/*
 * Open a directory in which others cannot plant files: ours and writable by no one else, or the
 * system's (owned by root, sticky if writable by more). Return: fd or -errno.
 */
static int open_dir(const char *path, bool make)
{
	struct stat st;
	int fd;

	if (make && mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static void file_name(char *buf, size_t len, const char *name, const char *tail)
{
	snprintf(buf, len, "%s%s", name, tail);
}

/*
 * Lock @name's lock file. Return: fd, -EBUSY (a VM has it), or -errno.
 * The file may be removed between open and lock: then the lock is worth nothing, try again.
 */
static int lock_take(int dir, const char *name, bool make)
{
	char file[NAME_MAX_LEN + 8];

	file_name(file, sizeof(file), name, ".lock");
	for (;;) {
		struct stat mine, there;
		int fd = openat(dir, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | (make ? O_CREAT : 0), 0600);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			int ret = errno == EWOULDBLOCK ? -EBUSY : -errno;

			close(fd);
			return ret;
		}
		if (!fstat(fd, &mine) && !fstatat(dir, file, &there, AT_SYMLINK_NOFOLLOW) &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
			return fd;
		close(fd);
	}
}

/* Remove what a VM left; the caller holds its lock. */
static void remove_files(int dir, const char *name)
{
	char file[NAME_MAX_LEN + 8];

	file_name(file, sizeof(file), name, ".sock");
	unlinkat(dir, file, 0);
	file_name(file, sizeof(file), name, ".lock");
	unlinkat(dir, file, 0);
}

/* Is somebody holding the lock of @name in @dir? If not, clear up after it. */
static bool alive_in(int dir, const char *name)
{
	int fd = lock_take(dir, name, false);

	if (fd >= 0) {
		remove_files(dir, name);
		close(fd);
		return false;
	}
	/* Another user's lock cannot be opened; the connection will tell. */
	return fd == -EBUSY || fd == -EACCES;
}

static int bind_socket(struct rundir_vm *vm, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char file[NAME_MAX_LEN + 8];
	mode_t mask;
	int fd, ret;

	file_name(file, sizeof(file), vm->name, ".sock");
	ret = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", vm->path, file);
	if (ret >= (int)sizeof(sa.sun_path))
		return err_set(err, RC_USAGE, "choose a shorter --name",
			       "the path %s/%s is too long for a socket", vm->path, file);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, RC_FAILED, errno, NULL, "cannot make a socket");
	unlinkat(vm->dir, file, 0);
	mask = umask(0177);
	ret = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ? errno : 0;
	umask(mask);
	if (ret) {
		close(fd);
		return err_sys(err, RC_HOST, ret, NULL, "cannot make the socket %s", sa.sun_path);
	}
	vm->sock = fd;
	return 0;
}

/* Take @name in the open directory of @vm. Return: 0, RC_BUSY or another code. */
static int claim_in(struct rundir_vm *vm, const char *name, unsigned int tries, struct err *err)
{
	char file[NAME_MAX_LEN + 8];
	int ret;

	snprintf(vm->name, sizeof(vm->name), "%s", name);
	vm->lock = lock_take(vm->dir, name, true);
	/* Somebody clearing up after a dead VM holds its lock for a moment. */
	while (vm->lock == -EBUSY && --tries) {
		usleep(2000);
		vm->lock = lock_take(vm->dir, name, true);
	}
	if (vm->lock < 0) {
		ret = vm->lock;
		vm->lock = -1;
		if (ret == -EBUSY || ret == -EACCES) {
			err_set(err, RC_BUSY, NULL, "a VM named '%s' is there already", name);
			return err_next(err, "choose another --name, or end it: hvctl kill %s", name);
		}
		return err_sys(err, RC_HOST, ret, NULL, "cannot write %s/%s.lock", vm->path, name);
	}
	ret = bind_socket(vm, err);
	if (ret)
		return ret;
	file_name(file, sizeof(file), name, ".log");
	vm->log = openat(vm->dir, file, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (vm->log < 0)
		return err_sys(err, RC_HOST, errno, NULL, "cannot write %s/%s", vm->path, file);
	return 0;
}

static int claim_free_name(struct rundir_vm *vm, struct err *err)
{
	char name[16];
	int ret;

	for (int i = 1; i <= AUTO_NAMES; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		ret = claim_in(vm, name, 1, err);
		if (ret != RC_BUSY)
			return ret;
	}
	return err_set(err, RC_BUSY, "give one with --name", "no name from vm1 to vm%d is free", AUTO_NAMES);
}

int rundir_claim(struct rundir_vm *vm, const char *name, bool *told, struct err *err)
{
	struct rundirs d;
	int ret;

	*vm = (struct rundir_vm){ .dir = -1, .lock = -1, .sock = -1, .log = -1 };
	*told = false;
	if (name && !rundir_name_ok(name))
		return err_set(err, RC_USAGE,
			       "use letters, digits, '.', '_' and '-', a letter or digit first, at most 63",
			       "'%s' cannot be the name of a VM", name);
	rundirs_find(&d);
	for (unsigned int i = 0; i < d.n; i++) {
		ret = open_dir(d.path[i], true);
		if (ret < 0) {
			err_sys(err, RC_HOST, ret, "set HV_RUNTIME_DIR to a directory of yours",
				"cannot use the run directory %s", d.path[i]);
			continue;
		}
		vm->dir = ret;
		if (faccessat(ret, ".", W_OK | X_OK, AT_EACCESS)) {
			err_sys(err, RC_HOST, errno, "set HV_RUNTIME_DIR to a directory of yours",
				"cannot use the run directory %s", d.path[i]);
			close(ret);
			vm->dir = -1;
			continue;
		}
		snprintf(vm->path, sizeof(vm->path), "%s", d.path[i]);
		*told = !strncmp(vm->path, "/tmp/", 5) && !getenv("HV_RUNTIME_DIR");
		ret = name ? claim_in(vm, name, 5, err) : claim_free_name(vm, err);
		if (ret)
			rundir_release(vm, false);
		return ret;
	}
	return err->code;
}

int rundir_own(struct rundir_vm *vm, struct err *err)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	if (!ftruncate(vm->lock, 0) && pwrite(vm->lock, pid, (size_t)n, 0) == n)
		return 0;
	return err_sys(err, RC_HOST, errno, "make room there", "cannot write %s/%s.lock", vm->path, vm->name);
}

void rundir_forget(struct rundir_vm *vm)
{
	const int fds[] = { vm->sock, vm->log, vm->lock, vm->dir };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	vm->dir = vm->lock = vm->sock = vm->log = -1;
}

void rundir_release(struct rundir_vm *vm, bool drop_log)
{
	char file[NAME_MAX_LEN + 8];

	if (vm->lock >= 0)
		remove_files(vm->dir, vm->name);
	if (drop_log && vm->lock >= 0) {
		file_name(file, sizeof(file), vm->name, ".log");
		unlinkat(vm->dir, file, 0);
	}
	rundir_forget(vm);
}

static int no_vm(const char *name, struct err *err)
{
	struct err ignored;
	char **names;
	int n, fd = -1;

	err_set(err, RC_NO_VM, "hvctl list shows the VMs", "there is no VM named '%s'", name);
	if (rundir_name_ok(name) && !defdir_has(name) && !rundir_log(name, &fd, &ignored)) {
		close(fd);
		err_set(err, RC_NO_VM, NULL, "VM '%s' has ended", name);
		return err_next(err, "hvctl logs %s tells how", name);
	}
	if (defdir_has(name)) {
		err_set(err, RC_STATE, NULL, "VM '%s' does not run", name);
		return err_next(err, "hvctl start %s", name);
	}
	n = rundir_names(&names);
	if (n > 0 && n <= 6) {
		size_t at = (size_t)snprintf(err->next, sizeof(err->next), "the VMs are:");

		for (int i = 0; i < n && at < sizeof(err->next); i++)
			at += (size_t)snprintf(err->next + at, sizeof(err->next) - at, " %s", names[i]);
	}
	rundir_names_free(names, n);
	return err->code;
}

static int connect_in(const char *dir, const char *name, int *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s.sock", dir, name) >= (int)sizeof(sa.sun_path))
		return -ENOENT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Never waits: a full queue of a hung VM is -EAGAIN. */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	*out = fd;
	return 0;
}

int rundir_connect(const char *name, int *fd, char *dir_out, struct err *err)
{
	struct rundirs d;

	rundirs_find(&d);
	for (unsigned int i = 0; rundir_name_ok(name) && i < d.n; i++) {
		int dir = open_dir(d.path[i], false), ret;
		bool there;

		if (dir < 0)
			continue;
		there = alive_in(dir, name);
		close(dir);
		if (!there)
			continue;
		ret = connect_in(d.path[i], name, fd);
		if (dir_out)
			snprintf(dir_out, RUNDIR_PATH_MAX, "%s", d.path[i]);
		if (!ret)
			return 0;
		if (ret == -EACCES || ret == -EPERM)
			return err_set(err, RC_HOST, "ask its owner, or use sudo",
				       "VM '%s' belongs to another user", name);
		if (ret == -EAGAIN) {
			err_set(err, RC_TIMEOUT, NULL, "VM '%s' does not answer: its process hangs", name);
			return err_next(err, "hvctl kill --force %s ends the process", name);
		}
		if (ret == -ECONNREFUSED || ret == -ENOENT)
			return err_set(err, RC_BUSY, "try again in a moment",
				       "VM '%s' is just starting or ending", name);
		return err_sys(err, RC_FAILED, ret, NULL, "cannot reach VM '%s'", name);
	}
	return no_vm(name, err);
}

int rundir_log(const char *name, int *fd, struct err *err)
{
	char file[NAME_MAX_LEN + 8];
	struct rundirs d;

	rundirs_find(&d);
	file_name(file, sizeof(file), name, ".log");
	for (unsigned int i = 0; rundir_name_ok(name) && i < d.n; i++) {
		int dir = open_dir(d.path[i], false);

		if (dir < 0)
			continue;
		*fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		close(dir);
		if (*fd >= 0)
			return 0;
	}
	return err_set(err, RC_NO_VM, "hvctl list shows the VMs", "there is no log of a VM named '%s'", name);
}

bool rundir_alive(const char *name)
{
	struct rundirs d;

	rundirs_find(&d);
	for (unsigned int i = 0; i < d.n; i++) {
		int dir = open_dir(d.path[i], false);
		bool alive;

		if (dir < 0)
			continue;
		alive = alive_in(dir, name);
		close(dir);
		if (alive)
			return true;
	}
	return false;
}

bool rundir_await_end(const char *name, int ms)
{
	for (; rundir_alive(name); ms -= 2) {
		if (ms <= 0)
			return false;
		usleep(2000);
	}
	return true;
}

/* The number in lock file @fd, if that process belongs to the file's owner; else 0. */
static int pid_in(int fd)
{
	char text[16] = "", proc[32];
	struct stat lock, owner;
	int pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	pid = atoi(text);
	snprintf(proc, sizeof(proc), "/proc/%d", pid);
	if (pid <= 1 || fstat(fd, &lock) || stat(proc, &owner) || lock.st_uid != owner.st_uid)
		return 0;
	return pid;
}

int rundir_pid(const char *name)
{
	char file[NAME_MAX_LEN + 8];
	struct rundirs d;
	int pid = 0;

	rundirs_find(&d);
	file_name(file, sizeof(file), name, ".lock");
	for (unsigned int i = 0; !pid && i < d.n; i++) {
		int dir = open_dir(d.path[i], false), fd;

		if (dir < 0)
			continue;
		fd = alive_in(dir, name) ? openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
		if (fd >= 0) {
			pid = pid_in(fd);
			close(fd);
		}
		close(dir);
	}
	return pid;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* Add the VMs of one directory to @names. Return: the new count, or -1. */
static int names_in(const char *path, char ***names, int n)
{
	int dir = open_dir(path, false), fd;
	struct dirent *e;
	DIR *d;

	fd = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char name[NAME_MAX_LEN + 1], **more;

		if (len <= 5 || len - 5 > NAME_MAX_LEN || strcmp(e->d_name + len - 5, ".lock"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len - 5), e->d_name);
		if (!rundir_name_ok(name) || !alive_in(dir, name))
			continue;
		more = realloc(*names, (size_t)(n + 1) * sizeof(*more));
		if (more) {
			*names = more;
			more[n] = strdup(name);
		}
		if (!more || !more[n]) {
			n = -1 - n;
			break;
		}
		n++;
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return n;
}

int rundir_names(char ***out)
{
	struct rundirs d;
	int n = 0;

	*out = NULL;
	rundirs_find(&d);
	for (unsigned int i = 0; i < d.n; i++) {
		n = names_in(d.path[i], out, n);
		if (n < 0) {
			rundir_names_free(*out, -1 - n);
			*out = NULL;
			return -1;
		}
	}
	if (n)
		qsort(*out, (size_t)n, sizeof(**out), by_name);
	return n;
}

void rundir_names_free(char **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
