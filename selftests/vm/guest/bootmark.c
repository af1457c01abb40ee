// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First process of a kernel that was started from a disk: says which one and with what words, then does
 * as it is told: "reboot" or "poweroff".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(void)
{
	char text[4096] = "", line[64];
	struct utsname u;
	ssize_t n;
	int fd;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	uname(&u);
	fd = open("/extra", O_RDONLY);
	printf("\nMARK %s extra=%s [%s]\nbootmark> ", u.release, fd >= 0 ? "yes" : "no", text);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "reboot", 6))
			reboot(RB_AUTOBOOT);
		if (!strncmp(line, "poweroff", 8))
			reboot(RB_POWER_OFF);
		printf("bootmark> ");
		fflush(stdout);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
