// SPDX-License-Identifier: GPL-2.0-or-later
/* The far ends of a console: the caller's terminal, a new pty, a listening socket, a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/loop.h"
#include "chr.h"
#include "endpoint.h"

struct endpoint {
	struct chr		*chr;
	struct loop		*loop;
	struct loop_source	listen;		/* fd -1: none */
	int			slave;		/* held open so that the master never reads EIO; -1 */
	char			name[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static int endpoint_new(struct endpoint **out, struct chr *chr)
{
	struct endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->chr = chr;
	e->listen.fd = -1;
	e->slave = -1;
	*out = e;
	return 0;
}

int endpoint_stdio(struct endpoint **out, struct chr *chr, int in, int outfd)
{
	int ret = endpoint_new(out, chr);

	if (!ret)
		ret = chr_attach(chr, in, outfd, CHR_ATTACH_KEEP | CHR_ATTACH_REPLAY);
	return ret;
}

int endpoint_pty(struct endpoint **out, struct chr *chr)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct endpoint *e;
	struct termios t;
	int ret;

	if (master < 0)
		return -errno;
	ret = endpoint_new(&e, chr);
	if (ret)
		goto fail_master;
	ret = -EIO;
	if (grantpt(master) || unlockpt(master) || ptsname_r(master, e->name, sizeof(e->name)))
		goto fail;
	e->slave = open(e->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (e->slave < 0 || tcgetattr(e->slave, &t))
		goto fail;
	cfmakeraw(&t);		/* else guest output is echoed back to the guest */
	tcsetattr(e->slave, TCSANOW, &t);
	ret = chr_attach(chr, master, -1, CHR_ATTACH_REPLAY);
	if (ret)
		goto fail;
	*out = e;
	return 0;
fail:
	endpoint_release(e);
fail_master:
	close(master);
	return ret;
}

static void socket_ready(struct loop_source *src, uint32_t events)
{
	struct endpoint *e = (struct endpoint *)((char *)src - offsetof(struct endpoint, listen));
	int fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0 && chr_attach(e->chr, fd, -1, CHR_ATTACH_REPLAY))
		close(fd);	/* somebody else is connected */
}

int endpoint_socket(struct endpoint **out, struct chr *chr, struct loop *loop, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct endpoint *e;
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	ret = endpoint_new(&e, chr);
	if (ret)
		return ret;
	e->loop = loop;
	e->listen = (struct loop_source){ .events = EPOLLIN, .ready = socket_ready };
	e->listen.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (e->listen.fd < 0)
		goto fail;
	if (bind(e->listen.fd, (struct sockaddr *)&addr, sizeof(addr)))
		goto fail;	/* an old socket is not removed: it may be in use */
	strcpy(e->name, path);
	if (chmod(path, 0600) || listen(e->listen.fd, 4))
		goto fail;
	ret = loop_add(loop, &e->listen);
	if (ret)
		goto fail_ret;
	*out = e;
	return 0;
fail:
	ret = -errno;
fail_ret:
	endpoint_release(e);
	return ret;
}

int endpoint_file(struct endpoint **out, struct chr *chr, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = endpoint_new(out, chr);
	if (!ret)
		ret = chr_attach(chr, fd, -1, CHR_ATTACH_READONLY | CHR_ATTACH_REPLAY);
	if (ret)
		close(fd);
	return ret;
}

const char *endpoint_name(const struct endpoint *e)
{
	return e->slave >= 0 ? e->name : NULL;
}

void endpoint_release(struct endpoint *e)
{
	if (!e)
		return;
	if (e->listen.fd >= 0) {
		if (e->loop)
			loop_del(e->loop, &e->listen);
		close(e->listen.fd);
		if (e->name[0])
			unlink(e->name);
	}
	if (e->slave >= 0)
		close(e->slave);
	free(e);
}
