// SPDX-License-Identifier: GPL-2.0-or-later
/* The chosen kernel takes over by kexec; no segment is checked here that the kernel checks itself. */
#include <errno.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

/* Behind what @to holds, which is filled up to 4 bytes first, as the kernel's unpacker wants it. */
static int file_add(int to, int from)
{
	static char buf[65536];
	off_t at = lseek(to, 0, SEEK_END);
	ssize_t n;

	if (ftruncate(to, (at + 3) & ~3L) || lseek(to, 0, SEEK_END) < 0)
		return -1;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			return -1;
	return (int)n;
}

/* All of them in one, or the only one itself. Return: a descriptor, -1 with @why. */
static int initrd_open(struct scene *s, const struct boot_plan *p, char *why, size_t len)
{
	int fd = p->initrds > 1 ? memfd_create("initrd", MFD_CLOEXEC) : -1;

	for (unsigned int i = 0; i < p->initrds; i++) {
		int one = file_open(s, &p->initrd[i]);

		if (one < 0) {
			snprintf(why, len, "its initramfs %.200s is not there", p->initrd[i].path);
			return -1;
		}
		if (p->initrds == 1)
			return one;
		if (file_add(fd, one)) {
			snprintf(why, len, "cannot read its initramfs %.200s: %s", p->initrd[i].path, strerror(errno));
			return -1;
		}
		close(one);
	}
	return fd;
}

static int cmdline_make(const struct scene *s, const struct boot_plan *p, const char *more, char *out,
			char *why, size_t len)
{
	int n = snprintf(out, BOOT_CMDLINE_MAX, "%s%s%s%s%s", p->cmdline, *s->append ? " " : "", s->append,
			 *more ? " " : "", more);

	if (n < BOOT_CMDLINE_MAX)
		return 0;
	snprintf(why, len, "the command line would be %d bytes long, Linux takes %d", n, BOOT_CMDLINE_MAX - 1);
	return -1;
}

static const char *load_error(int e)
{
	switch (e) {
	case ENOEXEC:
		return "it is no kernel for this machine";
	case EKEYREJECTED:
	case EBADMSG:
		return "its signature was refused";
	case ENOMEM:
	case EADDRNOTAVAIL:
		return "the VM has too little memory for it; give it more with --memory";
	default:
		return strerror(e);
	}
}

void start_plan(struct scene *s, const struct boot_plan *p, const char *more, char *why, size_t len)
{
	char cmdline[BOOT_CMDLINE_MAX];
	int kernel = file_open(s, &p->kernel), initrd = -1;
	long ret = -1;

	if (kernel < 0)
		snprintf(why, len, "its kernel %.200s is not there", p->kernel.path);
	else if (!cmdline_make(s, p, more, cmdline, why, len) &&
		 (!p->initrds || (initrd = initrd_open(s, p, why, len)) >= 0)) {
		say("kernel %s on %s", p->kernel.path, s->volume[p->kernel.fs].name);
		for (unsigned int i = 0; i < p->initrds; i++)
			say("initramfs %s", p->initrd[i].path);
		say("command line: %s", cmdline);
		if (!strstr(cmdline, "console="))
			say("it names no console; hvctl run --append console=ttyS0 shows its messages here");
		ret = syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline,
			      initrd < 0 ? KEXEC_FILE_NO_INITRAMFS : 0);
		if (ret)
			snprintf(why, len, "cannot load its kernel %.200s: %s", p->kernel.path, load_error(errno));
	}
	if (kernel >= 0)
		close(kernel);
	if (initrd >= 0)
		close(initrd);
	if (ret)
		return;
	volumes_leave(s);
	fflush(stdout);
	reboot(LINUX_REBOOT_CMD_KEXEC);
	snprintf(why, len, "kexec failed: %s", strerror(errno));
}
