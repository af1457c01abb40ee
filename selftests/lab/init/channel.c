// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames over the virtio-serial port named hv.lab. */
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT_NAME "hv.lab"
#define PORTS "/sys/class/virtio-ports"

static int port = -1;
static char early[4096];	/* lines logged before the port is there */

static int port_find(char *path, size_t size)
{
	struct dirent *e;
	DIR *d = opendir(PORTS);
	int ret = -ENOENT;

	if (!d)
		return -errno;
	while (ret && (e = readdir(d))) {
		char file[512], name[64] = "";
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), PORTS "/%s/name", e->d_name);
		f = fopen(file, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strcmp(name, PORT_NAME "\n")) {
			snprintf(path, size, "/dev/%s", e->d_name);
			ret = 0;
		}
		fclose(f);
	}
	closedir(d);
	return ret;
}

/* Waits up to five seconds for the port to be probed. */
int channel_open(void)
{
	char path[512];
	int tries;

	for (tries = 0; tries < 500; tries++) {
		if (!port_find(path, sizeof(path))) {
			port = open(path, O_RDWR | O_CLOEXEC);
			if (port >= 0)
				break;
		}
		usleep(10000);
	}
	if (port < 0)
		return -ENODEV;
	if (early[0])
		channel_send('L', early, strlen(early));
	return port;
}

static int write_all(const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(port, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		p += n;
		len -= n;
	}
	return 0;
}

int channel_send(char type, const void *data, size_t len)
{
	uint8_t head[5] = { type, len, len >> 8, len >> 16, len >> 24 };
	int ret = write_all(head, sizeof(head));

	return ret ? ret : write_all(data, len);
}

static int read_all(void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(port, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		p += n;
		len -= n;
	}
	return 0;
}

/* Reads one frame into buf (LAB_FRAME_MAX + 1 bytes), NUL-terminated. */
int channel_read(char *type, char *buf, size_t *len)
{
	uint8_t head[5];
	int ret = read_all(head, sizeof(head));

	if (ret)
		return ret;
	*type = head[0];
	*len = head[1] | head[2] << 8 | head[3] << 16 | (size_t)head[4] << 24;
	if (*len > LAB_FRAME_MAX)
		return -EMSGSIZE;
	buf[*len] = 0;
	return read_all(buf, *len);
}

void channel_log(const char *fmt, ...)
{
	char line[512];
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (port >= 0) {
		channel_send('L', line, strlen(line));
		return;
	}
	used = strlen(early);
	snprintf(early + used, sizeof(early) - used, "%s\n", line);
	/* stderr is the kernel's console here, so the line is in its log too. */
	fprintf(stderr, "hv-lab: %s\n", line);
}
