// SPDX-License-Identifier: GPL-2.0-or-later
/* What the VM process can no longer do once it is in the sandbox, and what it still can. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/machine_impl.h"

static int devnull;

/* Past the sanitizer's own, which needs calls of its own. */
static void leave(int code)
{
	syscall(SYS_exit_group, code);
}

static void do_open(void) { close(open("/etc/passwd", O_RDONLY)); }
static void do_passwd(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	if (fd >= 0 || errno != EACCES)
		leave(3);
}
static void do_resolv(void)
{
	int fd = open("/etc/resolv.conf", O_RDONLY);

	if (fd < 0 && errno != ENOENT)
		leave(3);
}
static void do_resolv_write(void)
{
	int fd = open("/etc/resolv.conf", O_RDWR);

	if (fd >= 0 || errno != EACCES)
		leave(3);
}
static void do_packet(void) { close(socket(AF_PACKET, SOCK_RAW, 0)); }
static void do_local(void)
{
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT)
		leave(3);
}
static void do_zone(void) { if (!if_nametoindex("lo")) leave(3); }
static void do_fionread(void)
{
	int n;

	ioctl(devnull, FIONREAD, &n);
}
static void do_exec(void) { execl("/bin/true", "true", NULL); }
static void do_fork(void) { if (!fork()) leave(0); }
static void do_socket(void) { close(socket(AF_INET, SOCK_STREAM, 0)); }
static void do_ptrace(void) { ptrace(PTRACE_ATTACH, getppid(), 0, 0); }
static void do_kill(void) { kill(getppid(), 0); }
static void do_ioctl(void) { ioctl(devnull, 0x5414); }
static void do_inject(void) { ioctl(devnull, TIOCSTI, ""); }
static void do_exec_map(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void do_mprotect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static void do_chown(void) { if (chown("/tmp", 0, 0)) leave(3); }

/* Numbers next to allowed ones, and outside the table. */
static void do_next(void) { syscall(SYS_open, "", -1); }
static void do_above(void) { syscall(SYS_getrandom + 1, "", 0); }
static void do_beyond(void) { syscall(100000); }
static void do_minus(void) { syscall(-2); }

static void do_write(void) { if (write(devnull, "x", 1) != 1) leave(3); }
static void do_map(void)
{
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		leave(3);
}
static void do_first(void) { syscall(SYS_read, -1, NULL, 0); }
static void do_last(void) { syscall(SYS_rseq, NULL, 0, 0, 0); }
static void do_madvise(void) { madvise(NULL, 0, MADV_DONTNEED); }
static void do_tty(void) { ioctl(devnull, TCGETS, NULL); }

static const struct {
	const char	*what;
	void		(*fn)(void);
	enum { NO, YES, NET } may;	/* NET: with sockets */
} rows[] = {
	{ "be refused the password file", do_passwd, NET },
	{ "read resolv.conf", do_resolv, NET },
	{ "be refused to write it", do_resolv_write, NET },
	{ "execute a program", do_exec, NO },
	{ "fork", do_fork, NO },
	{ "make a network socket", do_socket, NET },
	{ "make a raw packet socket", do_packet, NO },
	{ "be refused a local socket", do_local, NET },
	{ "look up the zone of a name server", do_zone, NET },
	{ "bytes that wait", do_fionread, YES },
	{ "trace a process", do_ptrace, NO },
	{ "signal a process", do_kill, NO },
	{ "a foreign ioctl", do_ioctl, NO },
	{ "map executable memory", do_exec_map, NO },
	{ "make memory executable", do_mprotect, NO },
	{ "change an owner", do_chown, NO },
	{ "type into a terminal", do_inject, NO },
	{ "call between allowed ones", do_next, NO },
	{ "call above an allowed one", do_above, NO },
	{ "call with a number beyond all", do_beyond, NO },
	{ "call with a negative number", do_minus, NO },
	{ "write", do_write, YES },
	{ "map memory", do_map, YES },
	{ "the lowest number", do_first, YES },
	{ "the highest number", do_last, YES },
	{ "madvise", do_madvise, YES },
	{ "read terminal modes", do_tty, YES },
};

/* In a child: its wait status. */
static int inside(void (*fn)(void), bool log_only, bool sockets)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		char err[128];

		signal(SIGSYS, SIG_DFL);
		if (sandbox_enter(log_only, sockets, err, sizeof(err)))
			leave(2);
		fn();
		leave(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void no_privilege(void)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		leave(3);
}

static void check_rows(bool sockets)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = inside(rows[i].fn, false, sockets);
		bool dead = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		bool fine = WIFEXITED(status) && !WEXITSTATUS(status);
		bool may = rows[i].may == YES || (rows[i].may == NET && sockets);

		if (!(may ? fine : dead))
			fprintf(stderr, "%s, %d: wait status 0x%x\n", rows[i].what, sockets, status);
		CHECK(may ? fine : dead);
	}
}

int main(void)
{
	devnull = open("/dev/null", O_RDWR);
	check_rows(false);
	check_rows(true);
	/* prctl is not among the allowed ones: look in the mode that only logs. */
	CHECK_EQ(inside(no_privilege, true, false), 0);
	CHECK_EQ(inside(do_open, true, false), 0);
	return unit_done();
}
