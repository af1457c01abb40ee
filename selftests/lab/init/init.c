// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of the lab VM: mounts, loads hv.ko, then runs commands
 * that scripts/lab sends until it is told to quit.
 *
 * Kernel command line (see scripts/hvlab/l1.py):
 *	hvlab.tree=PATH		the work tree, same path as on the host
 *	hvlab.cwd=PATH		working folder of the interactive shell
 *	hvlab.ko=PATH		hv.ko to load; absent: none
 *	hvlab.params=a=b,c=d	its parameters, commas for spaces
 *	hvlab.tty=ttyS1		interactive: a shell there instead of commands
 *	hvlab.script=PATH	what that shell runs; absent: what is typed
 *	hvlab.beat=1		the emulator may lose interrupts (beat.c)
 *	hvlab.spare=1		commands do not run on the first CPU (spare.c)
 */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char tree[4096], cwd[4096], ko[4096], params[512], tty[64], script[4096], beat[8], spare[8];

static void read_options(void)
{
	static const struct {
		const char *name;
		char *value;
		size_t size;
	} rows[] = {
		{ "hvlab.tree=", tree, sizeof(tree) },
		{ "hvlab.cwd=", cwd, sizeof(cwd) },
		{ "hvlab.ko=", ko, sizeof(ko) },
		{ "hvlab.params=", params, sizeof(params) },
		{ "hvlab.tty=", tty, sizeof(tty) },
		{ "hvlab.script=", script, sizeof(script) },
		{ "hvlab.beat=", beat, sizeof(beat) },
		{ "hvlab.spare=", spare, sizeof(spare) },
	};
	char line[8192] = "", *word, *save = NULL, *p;
	FILE *f = fopen("/proc/cmdline", "re");
	size_t i;

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (!strncmp(word, rows[i].name, strlen(rows[i].name)))
				snprintf(rows[i].value, rows[i].size, "%s",
					 word + strlen(rows[i].name));
	for (p = params; (p = strchr(p, ',')); p++)
		*p = ' ';
}

static void kmsg(const char *what, const char *id)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "<5>hv-lab: %s %s\n", what, id);
	close(fd);
}

static unsigned long taint(void)
{
	FILE *f = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long t = 0;

	if (f && fscanf(f, "%lu", &t) != 1)
		t = 0;
	if (f)
		fclose(f);
	return t;
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		ioctl(fd, SIOCSIFFLAGS, &ifr);
		close(fd);
	}
}

/*
 * Every command starts with hv loaded and nothing else on the CPU's
 * virtualization extension, whatever the one before it did.
 */
static int settle_modules(void)
{
	static const char *const holders[] = { "kvm_amd", "kvm_intel", "kvm" };
	size_t i;
	int ret;

	for (i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
		if (module_loaded(holders[i]))
			module_unload(holders[i]);
	if (!ko[0] || module_loaded("hv"))
		return 0;
	ret = module_load(ko, params);
	if (ret)
		channel_log("cannot load %s: %s (see the kernel log)", ko, strerror(-ret));
	devnode_settle();
	return ret;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void serve_run(char *buf, size_t len, const struct lab_fds *lab)
{
	struct lab_run run;
	struct lab_end end;
	char msg[160];
	long start;
	int n, ret;

	ret = run_parse(buf, len, &run);
	if (ret) {
		channel_log("malformed run frame");
		return;
	}
	mounts_fresh_tmp(tree);
	symbols_hv(msg, sizeof(msg));
	if (msg[0])
		kmsg("hv.ko", msg);
	kmsg("begin", run.id);
	start = now_ms();
	ret = run_command(&run, lab, &end);
	if (ret) {
		channel_log("cannot start the command: %s", strerror(-ret));
		end.status = 125;
	}
	settle_modules();
	sync();
	kmsg("end", run.id);
	n = snprintf(msg, sizeof(msg), "%d%c%d%c%lu%c%ld", end.status, 0, end.timed_out, 0,
		     taint(), 0, now_ms() - start);
	channel_send('X', msg, n + 1);
}

static void serve(const struct lab_fds *lab)
{
	static char buf[LAB_FRAME_MAX + 1];
	struct pollfd fds[2] = {
		{ .fd = lab->port, .events = POLLIN },
		{ .fd = lab->uevent, .events = POLLIN },
	};
	size_t len;
	char type;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			devnode_event(lab->uevent);
		if (!fds[0].revents)
			continue;
		if (channel_read(&type, buf, &len) || type == 'Q')
			return;
		if (type == 'R')
			serve_run(buf, len, lab);
	}
}

static int start(int *port)
{
	char ready[sizeof(((struct utsname *)0)->release) + 16];
	struct utsname u;
	int ret;

	ret = mounts_early();
	if (ret)
		return ret;
	read_options();
	ret = modules_load_list("/modules.list");
	if (ret)
		return ret;
	*port = channel_open();
	if (*port < 0)
		return *port;
	ret = mounts_root(tree);
	if (ret)
		return ret;
	loopback_up();
	if (beat[0])
		beat_start();
	if (spare[0])
		spare_leave();
	sethostname("hv-lab", 6);
	klogctl(8, NULL, 8);
	ret = settle_modules();
	uname(&u);
	symbols_save(tree, u.release);	/* without it a hang is reported in bare numbers */
	ret = snprintf(ready, sizeof(ready), "%s%c%d", u.release, 0, -ret);
	return channel_send('r', ready, ret + 1);
}

int main(void)
{
	static char *const base_env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL
	};
	struct lab_fds lab = { -1, -1 };
	int ret;

	environ = (char **)base_env;
	ret = start(&lab.port);
	if (ret) {
		channel_log("the lab VM cannot start: %s", strerror(-ret));
	} else if (tty[0]) {
		char path[80], msg[64];

		snprintf(path, sizeof(path), "/dev/%s", tty);
		ret = run_shell(path, script[0] ? script : NULL, cwd[0] ? cwd : tree);
		ret = snprintf(msg, sizeof(msg), "%d%c0%c%lu%c0", ret, 0, 0, taint(), 0);
		channel_send('X', msg, ret + 1);
	} else {
		lab.uevent = devnode_watch();
		serve(&lab);
	}
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
