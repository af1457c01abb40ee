// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * After set-up the VM process needs few system calls and no privilege: capabilities go, new ones cannot
 * come (no_new_privs), and a seccomp filter allows what stands in the table below.
 *
 * The filter is written by hand: libseccomp would cost more to load and run than the VM's whole set-up.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine_impl.h"

#define DATA(field)	offsetof(struct seccomp_data, field)
#define ARG_LOW(n)	(DATA(args) + 8 * (n))		/* little-endian */
#define LOAD(off)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define RET(v)		BPF_STMT(BPF_RET | BPF_K, v)

/* Allowed whatever the arguments. */
static const unsigned short allowed[] = {
	SYS_write, SYS_read, SYS_epoll_wait, SYS_futex, SYS_timerfd_settime, SYS_clock_gettime,
	SYS_pwrite64, SYS_pread64, SYS_epoll_ctl, SYS_close, SYS_accept4, SYS_recvmsg, SYS_sendmsg,
	SYS_recvfrom, SYS_sendto, SYS_getsockopt, SYS_shutdown, SYS_fcntl, SYS_fstat, SYS_newfstatat,
	SYS_fstatfs,
	SYS_io_uring_enter, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_fdatasync, SYS_fsync,
	SYS_writev, SYS_readv, SYS_lseek, SYS_ftruncate, SYS_fallocate, SYS_unlink, SYS_unlinkat,
	SYS_rmdir, SYS_dup, SYS_socketpair,
	SYS_munmap, SYS_madvise, SYS_mincore, SYS_brk, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction,
	SYS_tgkill, SYS_getpid, SYS_gettid, SYS_getuid, SYS_sched_yield, SYS_membarrier, SYS_rseq,
	SYS_set_robust_list, SYS_restart_syscall, SYS_clock_nanosleep, SYS_exit, SYS_exit_group,
	SYS_epoll_pwait, SYS_poll, SYS_getrandom, SYS_mremap, SYS_sched_getaffinity, SYS_sched_setscheduler,
};

/* With network backends that open sockets; what is opened is looked at in @sockets_only. */
static const unsigned short allowed_sockets[] = {
	SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_setsockopt, SYS_getsockname, SYS_getpeername,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NR_ALLOWED	(COUNT(allowed) + COUNT(allowed_sockets))
#define ALLOW		SECCOMP_RET_ALLOW

/* ioctl type byte of hv.h, and the terminal calls needed to give the terminal back; not TIOCSTI, which types. */
#define IOCTL_HV	0xd8
#define TTY_FIRST	0x5401		/* TCGETS, TCSETS, TCSETSW, TCSETSF */
#define TTY_LAST	0x5404
#define FIONREAD	0x541b
#define TUNSETQUEUE	0x400454d9
#define RESOLV_CONF	"/etc/resolv.conf"

static const struct sock_filter first[] = {
	LOAD(DATA(arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
	RET(SECCOMP_RET_KILL_PROCESS),
	LOAD(DATA(nr)),
	/* ioctl: ours, or of a terminal. Looked at first: HV_VCPU_RUN passes here on every exit. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 11),
	LOAD(ARG_LOW(1)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IOCTL_HV << 8, 7, 0),
	LOAD(ARG_LOW(1)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 5, 0),	/* bytes that wait in a socket */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TUNSETQUEUE, 4, 0),	/* a queue of a TAP interface */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIOCGIFINDEX, 3, 0),	/* number of an interface */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, TTY_FIRST, 0, 1),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, TTY_LAST, 0, 1),
	RET(SECCOMP_RET_TRAP),
	RET(ALLOW),
};

static const struct sock_filter last[] = {
	/* mmap, mprotect: nothing executable */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
	LOAD(ARG_LOW(2)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 6, 0),
	RET(ALLOW),
	/* clone: threads only; clone3 cannot be looked into, and its caller falls back to clone */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
	RET(SECCOMP_RET_ERRNO | ENOSYS),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),
	LOAD(ARG_LOW(0)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
	RET(SECCOMP_RET_TRAP),
	RET(ALLOW),
};

/* Sockets of the Internet alone, and files for reading alone: which ones, landlock_enter() says. */
static const struct sock_filter sockets_only[] = {
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 7),
	LOAD(ARG_LOW(0)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 3, 0),
	/* libslirp looks up the interface of a name server "fe80::1%eth0". libc tries a local socket first, then these. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1),
	RET(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	RET(SECCOMP_RET_TRAP),
	RET(ALLOW),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
	LOAD(ARG_LOW(2)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 1, 0),
	RET(ALLOW),
	RET(SECCOMP_RET_ERRNO | EACCES),
};

#define NR_MAX		512	/* system call numbers beyond are not in the table */
#define EDGES_MAX	(2 * NR_ALLOWED + 1)

/* Where, going up through the numbers, "allowed" begins or ends; allowed below edge[0] if @low. */
struct edges {
	unsigned int	nr;
	bool		low;
	unsigned short	edge[EDGES_MAX];
};

static void edges_find(struct edges *e, bool sockets)
{
	bool may[NR_MAX + 1] = { false };
	unsigned int i;

	for (i = 0; i < COUNT(allowed); i++)
		may[allowed[i]] = true;
	for (i = 0; sockets && i < COUNT(allowed_sockets); i++)
		may[allowed_sockets[i]] = true;
	e->nr = 0;
	e->low = may[0];
	for (i = 1; i <= NR_MAX; i++)
		if (may[i] != may[i - 1])
			e->edge[e->nr++] = i;
}

struct tree {
	const struct edges	*edges;
	struct sock_filter	*code;
	unsigned int		n;		/* next instruction */
	unsigned int		allow, rest;	/* where leaves go */
};

static unsigned int leaf_target(const struct tree *t, unsigned int leaf)
{
	return t->edges->low == !(leaf & 1) ? t->allow : t->rest;
}

/*
 * Search leaves @lo..@hi (leaf i lies below edge i) by halves, one comparison a node. When a filter is
 * installed the kernel walks it once for each of 450 numbers, so its depth is what start-up pays.
 */
static void tree_put(struct tree *t, unsigned int lo, unsigned int hi)
{
	unsigned int mid = (lo + hi) / 2, at = t->n++, yes, no = at + 1;

	if (mid == lo)
		no = leaf_target(t, lo);
	else
		tree_put(t, lo, mid);
	yes = t->n;
	if (mid + 1 == hi)
		yes = leaf_target(t, hi);
	else
		tree_put(t, mid + 1, hi);
	t->code[at] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, t->edges->edge[mid],
						   yes - at - 1, no - at - 1);
}

/* Jumps reach 255 instructions ahead, and the last one of the filter is the target of the first. */
_Static_assert(EDGES_MAX + COUNT(sockets_only) + COUNT(last) < 255, "a jump of the filter does not reach");

static int filter_install(bool log_only, bool sockets)
{
	struct sock_filter code[COUNT(first) + EDGES_MAX + COUNT(sockets_only) + COUNT(last)];
	unsigned int more = sockets ? COUNT(sockets_only) : 0;
	struct sock_fprog prog = { .filter = code };
	struct edges edges;
	struct tree tree = { .edges = &edges, .code = code, .n = COUNT(first) };
	unsigned int n, i;

	edges_find(&edges, sockets);
	tree.rest = COUNT(first) + edges.nr;
	tree.allow = tree.rest + more + COUNT(last) - 1;
	memcpy(code, first, sizeof(first));
	tree_put(&tree, 0, edges.nr);
	memcpy(code + tree.n, sockets_only, more * sizeof(code[0]));
	memcpy(code + tree.n + more, last, sizeof(last));
	n = tree.n + more + COUNT(last);
	for (i = 0; log_only && i < n; i++)
		if (code[i].code == (BPF_RET | BPF_K) && code[i].k == SECCOMP_RET_TRAP)
			code[i].k = SECCOMP_RET_LOG;
	prog.len = n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) ? -errno : 0;
}

static int privileges_drop(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* Without no_new_privs' help the bounding set would matter; with it nothing can be gained. */
	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

/* Let @path be read, or, if it is a folder, what lies in it. One that is not there needs no rule. */
static int landlock_allow(int rules, const char *path)
{
	struct landlock_path_beneath_attr a = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	int ret;

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0)
		return 0;
	ret = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0) ? -errno : 0;
	close(a.parent_fd);
	return ret;
}

/*
 * Of all files only those may be opened that tell the host's name servers, which a user-mode network looks up
 * again when they change: /etc/resolv.conf, and the folder where a resolver keeps what it links to.
 */
static int landlock_enter(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE,
	};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), ret;
	char path[PATH_MAX], *slash;

	if (rules < 0)		/* a kernel without it: what the process may read, it may */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	ret = landlock_allow(rules, RESOLV_CONF);
	if (!ret && realpath(RESOLV_CONF, path)) {
		slash = strrchr(path, '/');
		*slash = 0;
		if (*path && strcmp(path, "/etc"))
			ret = landlock_allow(rules, path);
	}
	if (!ret && syscall(SYS_landlock_restrict_self, rules, 0))
		ret = -errno;
	close(rules);
	return ret;
}

int sandbox_enter(bool log_only, bool sockets, char *err, size_t errlen)
{
	int ret = privileges_drop();

	/* The C library looks into /proc before it lets a thread's heap shrink: so it never does. */
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	if (!ret && sockets && !log_only)
		ret = landlock_enter();
	if (!ret)
		ret = filter_install(log_only, sockets);
	if (ret)
		snprintf(err, errlen, "cannot enter the sandbox: %s", strerror(-ret));
	return ret;
}
