// SPDX-License-Identifier: GPL-2.0-or-later
/* Raw terminal mode and the escape character. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tty.h"

static struct termios found;
static volatile sig_atomic_t raw_fd = -1;

int tty_raw_enter(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return errno == ENOTTY || errno == EINVAL ? 0 : -errno;
	found = t;
	cfmakeraw(&t);
	raw_fd = fd;	/* before the change: a signal in between restores what is there */
	if (tcsetattr(fd, TCSANOW, &t)) {
		raw_fd = -1;
		return -errno;
	}
	return 1;
}

void tty_raw_leave(void)
{
	int fd = raw_fd, err = errno;

	if (fd < 0)
		return;
	raw_fd = -1;
	tcsetattr(fd, TCSANOW, &found);
	errno = err;
}

const char *tty_escape_name(uint8_t escape, char *buf)
{
	if (!escape)
		strcpy(buf, "none");
	else if (escape < 0x20)
		snprintf(buf, 8, "^%c", escape == 0x1b || escape > 0x1a ? escape + 0x40 : escape + 0x60);
	else
		snprintf(buf, 8, "%c", escape);
	return buf;
}

int tty_escape_parse(const char *text)
{
	int c;

	if (!strcmp(text, "none"))
		return 0;
	if (text[0] == '^' && text[1] && !text[2]) {
		c = toupper((unsigned char)text[1]);
		return c > '@' && c <= '_' ? c - '@' : -EINVAL;
	}
	if (text[0] > 0x20 && text[0] < 0x7f && !text[1])
		return text[0];
	return -EINVAL;
}
