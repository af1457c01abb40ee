// SPDX-License-Identifier: GPL-2.0-or-later
/* One command: its pipes, its clock, its end, and what it leaves behind. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define RUN_STRINGS 1024

static char *strings[RUN_STRINGS + 2];

/* Splits a run frame in place; the result points into buf. */
int run_parse(char *buf, size_t len, struct lab_run *run)
{
	size_t n = 0, envs, i;
	char *p, *end = buf + len;

	for (p = buf; p < end && n < RUN_STRINGS; p += strlen(p) + 1)
		strings[n++] = p;
	if (n < 4)
		return -EINVAL;
	run->id = strings[0];
	run->cwd = strings[1];
	envs = strtoul(strings[2], NULL, 10);
	if (envs > n - 4)
		return -EINVAL;
	/* Both lists end in NULL: the environment moves one place down. */
	run->env = &strings[2];
	for (i = 0; i < envs; i++)
		strings[2 + i] = strings[3 + i];
	strings[2 + envs] = NULL;
	run->argv = &strings[3 + envs];
	strings[n] = NULL;
	return 0;
}

static void child(const struct lab_run *run, int out, int err)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (chdir(run->cwd)) {
		dprintf(2, "lab: %s: %s\n", run->cwd, strerror(errno));
		_exit(126);
	}
	environ = run->env;
	execvp(run->argv[0], run->argv);
	dprintf(2, "lab: %s: %s\n", run->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Forwards what there is; false at the end of the stream. */
static bool forward(int fd, char type)
{
	char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		channel_send(type, buf, n);
	return n < 0 && errno == EAGAIN;
}

/* Reaps everything that ended; true when it was the command. */
static bool reap(pid_t pid, int *status)
{
	bool found = false;
	int st;
	pid_t p;

	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p == pid) {
			*status = st;
			found = true;
		}
	}
	return found;
}

/* Nothing of a command outlives it. Kill reaches all but ourselves. */
static void kill_all(void)
{
	int i;

	kill(-1, SIGKILL);
	for (i = 0; i < 500; i++) {
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		usleep(10000);
	}
	channel_log("processes of the command do not die");
}

static void on_child(int sig)
{
	(void)sig;	/* only there so that the signal ends ppoll() */
}

/*
 * The clock that counts is the host's: it says when the command's time is up.
 * Instructions may be counted here, or this kernel's clock may be what breaks.
 */
static bool told_to_stop(void)
{
	static char buf[LAB_FRAME_MAX + 1];
	size_t len;
	char type;

	return channel_read(&type, buf, &len) || type == 'K';
}

/* The kernel says what keeps it: sleeping tasks that no signal ends, and what each CPU does. */
static void tell_why(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "w", 1) != 1 || write(fd, "l", 1) != 1)
		channel_log("the kernel log will not say why");
	close(fd);
}

/* Time is up. What does not die even then is left behind. */
static void stop_command(pid_t pid, int *status)
{
	int i;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	for (i = 0; i < 500; i++) {
		if (reap(pid, status))
			return;
		usleep(10000);
	}
	channel_log("the command does not die of SIGKILL: the kernel log tells of sleeping tasks");
	tell_why();
	*status = SIGKILL;
}

static void watch(pid_t pid, int out, int err, const struct lab_fds *lab, struct lab_end *end)
{
	struct pollfd fds[] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = err, .events = POLLIN },
		{ .fd = lab->uevent, .events = POLLIN },
		{ .fd = lab->port, .events = POLLIN },
	};
	int status = 0;
	sigset_t none;

	sigemptyset(&none);
	do {
		/* SIGCHLD is blocked but here, so that none is missed. */
		if (ppoll(fds, 4, NULL, &none) < 0)
			continue;
		if (fds[0].revents && !forward(out, 'O'))
			fds[0].fd = -1;
		if (fds[1].revents && !forward(err, 'E'))
			fds[1].fd = -1;
		if (fds[2].revents)
			devnode_event(lab->uevent);
		if (fds[3].revents && told_to_stop()) {
			end->timed_out = true;
			stop_command(pid, &status);
			break;
		}
	} while (!reap(pid, &status));
	end->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_command(const struct lab_run *run, const struct lab_fds *lab, struct lab_end *end)
{
	int out[2], err[2];
	sigset_t chld;
	pid_t pid;

	memset(end, 0, sizeof(*end));
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signal(SIGCHLD, on_child);
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	pid = fork();
	if (!pid)
		child(run, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	if (pid > 0)
		watch(pid, out[0], err[0], lab, end);
	kill_all();
	forward(out[0], 'O');
	forward(err[0], 'E');
	close(out[0]);
	close(err[0]);
	return pid < 0 ? -EAGAIN : 0;
}

/* Becomes the foreground process group of the terminal and runs the shell, or the script. */
static void shell(int fd, const char *script, const char *cwd)
{
	char *const argv[] = { "bash", script ? (char *)script : "--norc", NULL };
	static char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/tmp", "TERM=vt100", "PS1=lab# ", NULL
	};

	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(fd, getpid());
	signal(SIGTTOU, SIG_DFL);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (chdir(cwd))
		dprintf(2, "lab: %s: %s\n", cwd, strerror(errno));
	execvpe(argv[0], argv, env);
	_exit(127);
}

/* Waits until the port has sent all; at the other end somebody may be slow to take it, or gone. */
static void drain(int fd)
{
	unsigned int status;
	int n;

	tcdrain(fd);
	for (n = 0; n < 1000; n++) {
		if (ioctl(fd, TIOCSERGETLSR, &status) || status & TIOCSER_TEMT)
			return;
		usleep(10 * 1000);
	}
}

/*
 * The leader of the terminal's session: the kernel hangs the terminal up when it
 * ends, and what the port has not sent then is lost. So it is not the shell, and
 * waits until all is sent. Does not return.
 */
static void lead_session(const char *tty, const char *script, const char *cwd)
{
	struct termios t;
	int status = 0;
	pid_t pid;
	int fd;

	setsid();
	fd = open(tty, O_RDWR);
	ioctl(fd, TIOCSCTTY, 1);
	/* The terminal at the other end adds the carriage returns. */
	if (!tcgetattr(fd, &t)) {
		t.c_oflag &= ~ONLCR;
		tcsetattr(fd, TCSANOW, &t);
	}
	pid = fork();
	if (!pid)
		shell(fd, script, cwd);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		_exit(127);
	drain(fd);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* A shell on a terminal, for a person, or a script (may be NULL) there; returns its status. */
int run_shell(const char *tty, const char *script, const char *cwd)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		lead_session(tty, script, cwd);
	waitpid(pid, &status, 0);
	kill_all();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
