// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A memory limit smaller than the guest: the process is killed or told, in its run call;
 * nobody else notices, and nothing stays charged.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(64 * MIB)
#define ROOT	"/tmp/memcg_test"
#define GROUP	ROOT "/hv_memcg_test"

static long put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -errno;
}

static long number(const char *file)
{
	char text[32] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	return atol(text);
}

/* In the group: touch it all. Exit status: 0 all there, else the exit kind; or killed. */
static int guest(uint32_t flags, bool present)
{
	struct flat_regs r = { .edi = BASE, .ecx = BYTES / 4096, .ebx = 4096, .eax = 7 };
	char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct flat f;
	long ret;

	if (put(GROUP "/cgroup.procs", "0"))
		return 100;
	if (present)
		memset(p, 1, 8 * MIB);
	flat_new(&f, flags, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	ret = flat_run(&f, FLAT_WRITE_SWEEP, &r);
	return ret < 0 ? 101 : (int)ret;
}

static void check(const char *what, const char *limit, bool killed, uint32_t flags)
{
	struct flat f;
	int status = 0;
	pid_t pid;

	if (mkdir(GROUP, 0755) || put(GROUP "/memory.max", limit))
		tap_bail("no memory controller: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(guest(flags, true));
	waitpid(pid, &status, 0);
	if (killed)
		tap_ok((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		       (WIFEXITED(status) && WEXITSTATUS(status) == HV_EXIT_MEMORY_FAULT),
		       "%s: killed or told (status %#x)", what, status);
	else
		tap_is(status, 0, "%s: the guest had it all", what);
	for (int i = 0; i < 3000 && number(GROUP "/memory.current") > 1 * (long)MIB; i++)
		usleep(20000);
	tap_ok(number(GROUP "/memory.current") < 2 * (long)MIB, "%s: %ld bytes stay charged", what,
	       number(GROUP "/memory.current"));
	tap_is(rmdir(GROUP), 0, "%s: the group can go", what);

	flat_new(&f, 0, 1);
	tap_is(flat_write(&f, FLAT_CODE + 4092, 1), 0, "%s: another VM can be made and runs", what);
	flat_close(&f);
}

int main(void)
{
	mkdir(ROOT, 0755);
	if (mount("none", ROOT, "cgroup2", 0, NULL))
		tap_bail("cgroup2: %s", strerror(errno));
	put(ROOT "/cgroup.subtree_control", "+memory");
	check("enough", "160M", false, 0);
	check("too little", "24M", true, 0);
	check("too little, small entries", "24M", true, HV_VM_F_SMALL_PAGES);
	umount(ROOT);
	rmdir(ROOT);
	return tap_done();
}
