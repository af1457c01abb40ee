// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * measure.c - what a VMM has cost when its guest prints a mark
 *
 *	measure [-g MIB] [-m MARK] [-s SECONDS] [-c FILE] -- COMMAND...
 *
 * Runs COMMAND in a session of its own until MARK is in its output, stops all of its
 * processes, and prints one "FIG name value" a line:
 *
 *	cpu_ns		CPU time since exec, all processes and threads, guest included;
 *			in the counted lab one nanosecond is one instruction
 *	exits		first number behind the word "exits" in FILE, or FILE's only number
 *	guest_rss_kb	resident part of the mapping of about MIB MiB
 *	vmm_pss_kb	PSS of all processes without that mapping
 *	slab_kb, stack_kb, tables_kb, slat_kb, vmalloc_kb	kernel memory since before exec
 *
 * Exit status 0: MARK came. Then COMMAND is killed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCS_MAX	16

static const struct { const char *key, *name; } kernel_rows[] = {
	{ "Slab:", "slab_kb" }, { "KernelStack:", "stack_kb" }, { "PageTables:", "tables_kb" },
	{ "SecPageTables:", "slat_kb" }, { "VmallocUsed:", "vmalloc_kb" },
};

#define KERNEL_ROWS (sizeof(kernel_rows) / sizeof(kernel_rows[0]))

struct options {
	long mib;
	int seconds;
	const char *mark, *counter;
	char **command;
};

struct memory {
	long guest_rss, pss, guest_pss;
};

static void kernel_read(long kb[KERNEL_ROWS])
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	unsigned int i;

	memset(kb, 0, KERNEL_ROWS * sizeof(*kb));
	while (f && fgets(line, sizeof(line), f))
		for (i = 0; i < KERNEL_ROWS; i++)
			if (!strncmp(line, kernel_rows[i].key, strlen(kernel_rows[i].key)))
				kb[i] = atol(line + strlen(kernel_rows[i].key));
	if (f)
		fclose(f);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	return clock_gettime(id, &t) ? 0 : t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Processes of session @sid. Return: how many. */
static unsigned int session_find(pid_t sid, pid_t *pids)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	unsigned int n = 0;

	while (d && n < PROCS_MAX && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && getsid(atoi(e->d_name)) == sid)
			pids[n++] = atoi(e->d_name);
	if (d)
		closedir(d);
	return n;
}

/* A mapping of about the guest's size is the guest's memory. */
static void memory_add(struct memory *m, pid_t pid, long mib)
{
	unsigned long from, to, want = (unsigned long)mib << 20;
	char path[64], line[512];
	int guest = 0;
	long v;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			guest = to - from >= want / 8 * 7 && to - from <= want / 8 * 9;
		} else if (sscanf(line, "Rss: %ld", &v) == 1) {
			m->guest_rss += guest ? v : 0;
		} else if (sscanf(line, "Pss: %ld", &v) == 1) {
			m->pss += v;
			m->guest_pss += guest ? v : 0;
		}
	}
	if (f)
		fclose(f);
}

static long long counter_read(const char *path)
{
	char text[4096] = "", *p;
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	p = strstr(text, " exits ");
	return atoll(p ? p + 7 : text);
}

/* Copies the output and waits for the mark. Return: 0, or -1 when it did not come. */
static int mark_await(int fd, const struct options *o)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + o->seconds * 1000000000ull;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char seen[8192];
	size_t n = 0;

	for (;;) {
		int64_t left = (int64_t)(end - clock_ns(CLOCK_MONOTONIC)) / 1000000;
		ssize_t got = left > 0 && poll(&p, 1, left) > 0 ? read(fd, seen + n, sizeof(seen) - 1 - n) : 0;

		if (got <= 0)
			break;
		n += got;
		seen[n] = 0;
		if (memmem(seen, n, o->mark, strlen(o->mark)))
			return 0;
		if (n > sizeof(seen) / 2) {
			memmove(seen, seen + n - 256, 256);
			n = 256;
		}
	}
	seen[n] = 0;
	fprintf(stderr, "measure: no %s from %s; its last words:\n%s\n", o->mark, o->command[0], seen);
	return -1;
}

static void figures_print(const struct options *o, pid_t sid, uint64_t before_exec, const long *kb0)
{
	struct memory m = { 0 };
	pid_t pids[PROCS_MAX];
	long kb[KERNEL_ROWS];
	uint64_t cpu = 0;
	unsigned int i, n;
	clockid_t id;

	kill(-sid, SIGSTOP);
	kernel_read(kb);
	n = session_find(sid, pids);
	for (i = 0; i < n; i++) {
		if (!clock_getcpuclockid(pids[i], &id))
			cpu += clock_ns(id);
		memory_add(&m, pids[i], o->mib);
	}
	printf("FIG processes %u\nFIG cpu_ns %llu\n", n, (unsigned long long)(cpu - before_exec));
	if (o->counter)
		printf("FIG exits %lld\n", counter_read(o->counter));
	printf("FIG guest_rss_kb %ld\nFIG vmm_pss_kb %ld\n", m.guest_rss, m.pss - m.guest_pss);
	for (i = 0; i < KERNEL_ROWS; i++)
		printf("FIG %s %ld\n", kernel_rows[i].name, kb[i] - kb0[i]);
}

static void child_run(const struct options *o, const int *out, uint64_t *before_exec)
{
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, 0);
	dup2(out[1], 1);
	dup2(out[1], 2);
	close(null);
	close(out[0]);
	close(out[1]);
	*before_exec = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	execvp(o->command[0], o->command);
	fprintf(stderr, "measure: %s: %s\n", o->command[0], strerror(errno));
	_exit(127);
}

static int measure(const struct options *o)
{
	uint64_t *before_exec = mmap(NULL, sizeof(*before_exec), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long kb0[KERNEL_ROWS];
	int out[2], ret;
	pid_t pid;

	if (before_exec == MAP_FAILED || pipe(out)) {
		perror("measure");
		return 1;
	}
	kernel_read(kb0);	/* twice: what reading it takes is not the VMM's */
	kernel_read(kb0);
	pid = fork();
	if (!pid)
		child_run(o, out, before_exec);
	close(out[1]);
	ret = pid < 0 ? -1 : mark_await(out[0], o);
	if (!ret)
		figures_print(o, pid, *before_exec, kb0);
	if (pid > 0) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return !!ret;
}

int main(int argc, char **argv)
{
	struct options o = { .mib = 512, .seconds = 300, .mark = "@@init" };
	int c;

	while ((c = getopt(argc, argv, "+g:m:s:c:")) != -1) {
		switch (c) {
		case 'g': o.mib = atol(optarg); break;
		case 'm': o.mark = optarg; break;
		case 's': o.seconds = atoi(optarg); break;
		case 'c': o.counter = optarg; break;
		default: return 2;
		}
	}
	o.command = argv + optind;
	if (!o.command[0]) {
		fprintf(stderr, "usage: measure [-g MIB] [-m MARK] [-s SECONDS] [-c FILE] -- COMMAND...\n");
		return 2;
	}
	return measure(&o);
}
