// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Another kernel in place of the running one, for tests in L1. The calls are made here:
 * Debian's kexec-tools would make this machine's own reboots go through kexec too.
 *
 *	kexec load KERNEL INITRD CMDLINE	for `kexec go`
 *	kexec panic KERNEL INITRD CMDLINE	for a panic; the memory was set aside by crashkernel=
 *	kexec go
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static int load(char **argv, unsigned long flags)
{
	int kernel = open(argv[0], O_RDONLY), initrd = open(argv[1], O_RDONLY);

	if (kernel < 0 || initrd < 0) {
		fprintf(stderr, "kexec: %s: %s\n", argv[kernel < 0 ? 0 : 1], strerror(errno));
		return 1;
	}
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[2]) + 1, argv[2], flags)) {
		fprintf(stderr, "kexec: the kernel does not take %s: %s\n", argv[0], strerror(errno));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "load"))
		return load(argv + 2, 0);
	if (argc == 5 && !strcmp(argv[1], "panic"))
		return load(argv + 2, KEXEC_FILE_ON_CRASH);
	if (argc == 2 && !strcmp(argv[1], "go")) {
		reboot(RB_KEXEC);
		fprintf(stderr, "kexec: %s\n", strerror(errno));
		return 1;
	}
	fprintf(stderr, "usage: kexec load|panic KERNEL INITRD CMDLINE, kexec go\n");
	return 2;
}
