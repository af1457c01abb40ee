// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Consoles: who gets what output, who may write, readers that are slow or gone, and what the port is
 * connected to: pty, socket, file, terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "backends/chr.h"
#include "backends/endpoint.h"
#include "backends/tty.h"
#include "lib/unit.h"
#include "vmm/loop.h"

static struct loop *loop;
static struct chr *chr;
static pthread_t loop_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- run something in the loop thread, and wait for it ---- */

struct call {
	struct loop_work	work;
	int			(*fn)(void *arg);
	void			*arg;
	int			ret, fd[2];
};

static void call_run(struct loop_work *w)
{
	struct call *c = (struct call *)w;

	c->ret = c->fn(c->arg);
	if (write(c->fd[1], "", 1) != 1)
		abort();
}

static int on_loop(int (*fn)(void *arg), void *arg)
{
	struct call c = { .work.run = call_run, .fn = fn, .arg = arg };
	char byte;

	if (pipe(c.fd))
		abort();
	loop_call(loop, &c.work);
	CHECK_EQ(read(c.fd[0], &byte, 1), 1);
	close(c.fd[0]);
	close(c.fd[1]);
	return c.ret;
}

static void *loop_main(void *arg)
{
	CHECK_EQ(loop_run(loop), 0);
	return arg;
}

struct attach { int fd, out; unsigned int flags; };

static int attach_fn(void *arg)
{
	struct attach *a = arg;

	return chr_attach(chr, a->fd, a->out, a->flags);
}

/* Attach one end of a socket pair. Return: the other one, or -errno. */
static int attach(unsigned int flags)
{
	int pair[2], ret;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ret = on_loop(attach_fn, &(struct attach){ pair[0], -1, flags });
	if (!ret)
		return pair[1];
	close(pair[0]);
	close(pair[1]);
	return ret;
}

/* ---- the guest's side: takes what there is room for ---- */

static char taken[256];
static size_t nr_taken, room;

static size_t sink_input(void *arg, const uint8_t *buf, size_t len)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (len > room)
		len = room;
	memcpy(taken + nr_taken, buf, len);
	nr_taken += len;
	room -= len;
	pthread_mutex_unlock(&lock);
	return len;
}

/* Wait until the guest has read @text altogether; then forget it. */
static void expect_input(const char *text)
{
	char got[sizeof(taken)];
	size_t n = 0;

	for (int i = 0; i < 2000 && n < strlen(text); i++) {
		usleep(1000);
		pthread_mutex_lock(&lock);
		memcpy(got, taken, n = nr_taken);
		pthread_mutex_unlock(&lock);
	}
	got[n] = 0;
	CHECK_EQ(strcmp(got, text), 0);
	pthread_mutex_lock(&lock);
	nr_taken = 0;
	pthread_mutex_unlock(&lock);
}

static void room_set(size_t n)
{
	pthread_mutex_lock(&lock);
	room = n;
	pthread_mutex_unlock(&lock);
}

static void print(const char *text)
{
	chr_write(chr, (const uint8_t *)text, strlen(text));
}

/* Read until @len bytes came, the end, or two seconds passed without one. Return: bytes. */
static size_t collect(int fd, char *buf, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t got;

	while (n < len && poll(&p, 1, 2000) == 1) {
		got = read(fd, buf + n, len - n);
		if (got <= 0)
			break;
		n += got;
	}
	return n;
}

static void expect_output(int fd, const char *text)
{
	char buf[256];
	size_t n = collect(fd, buf, strlen(text));

	buf[n] = 0;
	CHECK_EQ(strcmp(buf, text), 0);
}

static bool silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 20) == 0;
}

static bool drop_x(void *arg, uint8_t byte)
{
	(void)arg;
	return byte == 'x';
}

static int sink_fn(void *arg)
{
	static const struct chr_sink sink = { .input = sink_input };

	chr_sink_set(chr, arg ? &sink : NULL);
	chr_filter_set(chr, arg ? drop_x : NULL, NULL);
	return 0;
}

static void setup(void)
{
	CHECK_EQ(loop_create(&loop), 0);
	CHECK_EQ(chr_create(&chr, loop), 0);
	CHECK_EQ(pthread_create(&loop_thread, NULL, loop_main, NULL), 0);
	nr_taken = 0;
	room_set(sizeof(taken));
	on_loop(sink_fn, loop);
}

static void teardown(void)
{
	loop_stop(loop);
	pthread_join(loop_thread, NULL);
	chr_release(chr);
	loop_release(loop);
}

/* ---- output ---- */

static void output(void)
{
	static char big[2 * CHR_RING], got[2 * CHR_RING];
	uint8_t copy[8];
	int early, late, tail;
	size_t n, all = 0;

	setup();
	early = attach(CHR_ATTACH_READONLY);
	print("first\nsecond, no end of line");
	expect_output(early, "first\nsecond, no end of line");
	late = attach(CHR_ATTACH_READONLY | CHR_ATTACH_REPLAY);
	tail = attach(CHR_ATTACH_READONLY);
	print(".\n");
	expect_output(late, "first\nsecond, no end of line.\n");
	expect_output(tail, ".\n");
	expect_output(early, ".\n");
	CHECK_EQ(chr_ring_copy(chr, copy, sizeof(copy)), sizeof(copy));
	CHECK_EQ(memcmp(copy, "f line.\n", 8), 0);

	/* A reader that does not read: the guest goes on, and it gets the newest. */
	memset(big, 'a', sizeof(big));
	for (int i = 0; i < 64; i++)
		chr_write(chr, (uint8_t *)big, sizeof(big));
	print("the end\n");
	close(late);
	do {
		n = collect(tail, got, sizeof(got));
		all += n;
	} while (n == sizeof(got));
	CHECK(all >= CHR_RING && all < 16 * sizeof(got));	/* what lay in its socket, and one ring */
	print("again\n");
	expect_output(tail, "again\n");
	late = attach(CHR_ATTACH_READONLY | CHR_ATTACH_REPLAY);
	CHECK_EQ(collect(late, got, CHR_RING), CHR_RING);	/* no more than the ring */
	CHECK_EQ(memcmp(got + CHR_RING - 14, "the end\nagain\n", 14), 0);
	CHECK(silent(late));
	teardown();
	CHECK_EQ(read(late, got, 1), 0);			/* closed with the console */
	close(early);
	close(late);
	close(tail);
}

/* ---- input ---- */

static void input(void)
{
	int writer, other, force, n;
	int more[CHR_READERS];

	setup();
	writer = attach(0);
	CHECK(writer >= 0);
	CHECK_EQ(attach(0), -EBUSY);
	other = attach(CHR_ATTACH_READONLY);
	CHECK_EQ(write(other, "no", 2), 2);
	CHECK_EQ(write(writer, "axbx", 4), 4);	/* the filter eats every x */
	expect_input("ab");

	room_set(2);				/* the guest has little room, then none, then more */
	CHECK_EQ(write(writer, "cdefg", 5), 5);
	expect_input("cd");
	CHECK_EQ(write(writer, "h", 1), 1);
	usleep(5000);
	room_set(3);
	chr_input_ready(chr);
	expect_input("efg");
	room_set(100);
	chr_input_ready(chr);
	expect_input("h");

	force = attach(CHR_ATTACH_FORCE);
	CHECK_EQ(read(writer, &n, 1), 0);	/* the old one is hung up */
	CHECK_EQ(write(force, "i", 1), 1);
	expect_input("i");

	for (n = 0; n < CHR_READERS; n++) {
		more[n] = attach(CHR_ATTACH_READONLY);
		if (more[n] < 0)
			break;
	}
	CHECK_EQ(n, CHR_READERS - 2);
	CHECK_EQ(more[n], -ENOSPC);
	/* One that hangs up makes room; so does the writer, whose place is free then. */
	close(more[0]);
	close(force);
	for (int i = 0; i < 1000 && (force = attach(0)) < 0; i++)
		usleep(1000);
	CHECK(force >= 0);
	CHECK_EQ(write(force, "j", 1), 1);
	expect_input("j");
	on_loop(sink_fn, NULL);
	CHECK_EQ(write(force, "lost", 4), 4);	/* no sink: kept until there is one */
	teardown();
	for (int i = 1; i < n; i++)
		close(more[i]);
	close(force);
	close(other);
	close(writer);
}

/* ---- ends ---- */

struct ends {
	struct endpoint	*e;
	const char	*path;
	int		in, out;
};

static int pty_fn(void *arg) { return endpoint_pty(&((struct ends *)arg)->e, chr); }
static int file_fn(void *arg) { return endpoint_file(&((struct ends *)arg)->e, chr, ((struct ends *)arg)->path); }

static int socket_fn(void *arg)
{
	struct ends *x = arg;

	return endpoint_socket(&x->e, chr, loop, x->path);
}

static int stdio_fn(void *arg)
{
	struct ends *x = arg;

	return endpoint_stdio(&x->e, chr, x->in, x->out);
}

static int release_fn(void *arg)
{
	endpoint_release(((struct ends *)arg)->e);
	return 0;
}

static void pty(void)
{
	struct ends x = { 0 };
	int fd;

	setup();
	CHECK_EQ(on_loop(pty_fn, &x), 0);
	CHECK(endpoint_name(x.e) != NULL);
	fd = open(endpoint_name(x.e), O_RDWR | O_NOCTTY);
	CHECK(fd >= 0);
	print("hello\n");
	expect_output(fd, "hello\n");		/* raw: no \r is added */
	CHECK_EQ(write(fd, "yes\r", 4), 4);
	expect_input("yes\r");			/* and nothing echoed: */
	CHECK(silent(fd));
	close(fd);
	fd = open(endpoint_name(x.e), O_RDWR | O_NOCTTY);	/* the guest did not notice */
	CHECK_EQ(write(fd, "again", 5), 5);
	expect_input("again");
	close(fd);
	on_loop(release_fn, &x);
	teardown();
}

static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void unix_socket(const char *dir)
{
	char path[128], deep[200];
	struct ends x = { .path = path }, y = { .path = path };
	struct stat st;
	int a, b;
	char c;

	snprintf(path, sizeof(path), "%s/console", dir);
	memset(deep, 'd', sizeof(deep));
	deep[sizeof(deep) - 1] = 0;
	setup();
	print("before\n");
	CHECK_EQ(on_loop(socket_fn, &x), 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK(!endpoint_name(x.e));
	a = dial(path);
	expect_output(a, "before\n");
	b = dial(path);
	CHECK_EQ(read(b, &c, 1), 0);		/* one at a time */
	CHECK_EQ(write(a, "k", 1), 1);
	expect_input("k");
	CHECK_EQ(on_loop(socket_fn, &y), -EADDRINUSE);
	CHECK_EQ(stat(path, &st), 0);		/* the loser leaves it alone */
	y.path = deep;
	CHECK_EQ(on_loop(socket_fn, &y), -ENAMETOOLONG);
	on_loop(release_fn, &x);
	CHECK_EQ(stat(path, &st), -1);
	teardown();
	close(a);
	close(b);
}

static void files(const char *dir)
{
	char path[128], buf[64];
	struct ends x = { .path = path };
	int fd, out[2];

	snprintf(path, sizeof(path), "%s/log", dir);
	setup();
	print("one\n");
	CHECK_EQ(on_loop(file_fn, &x), 0);
	print("two\n");
	on_loop(release_fn, &x);
	teardown();
	fd = open(path, O_RDWR);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 8);
	CHECK_EQ(memcmp(buf, "one\ntwo\n", 8), 0);

	/* A file as standard input: read to its end, at the guest's pace; output goes on after it. */
	setup();
	room_set(3);
	CHECK_EQ(pipe(out), 0);
	lseek(fd, 0, SEEK_SET);
	x = (struct ends){ .in = fd, .out = out[1] };
	CHECK_EQ(on_loop(stdio_fn, &x), 0);
	expect_input("one");
	room_set(100);
	chr_input_ready(chr);
	expect_input("\ntwo\n");
	print("still here\n");
	expect_output(out[0], "still here\n");
	on_loop(release_fn, &x);
	teardown();
	CHECK_EQ(write(out[1], "", 1), 1);	/* stdio stays open */
	close(fd);
	close(out[0]);
	close(out[1]);
	unlink(path);
	x = (struct ends){ .path = "/nonexistent/log" };
	setup();
	CHECK_EQ(on_loop(file_fn, &x), -ENOENT);
	teardown();
}

static void terminal(void)
{
	static const struct { const char *text, *name; int byte; } escapes[] = {
		{ "^]", "^]", 0x1d }, { "^a", "^a", 1 }, { "^A", "^a", 1 }, { "none", "none", 0 },
		{ "~", "~", '~' }, { "", NULL, -EINVAL }, { "^", "^", '^' }, { "ab", NULL, -EINVAL },
		{ "^1", NULL, -EINVAL }, { "^[", "^[", 0x1b },
	};
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, null = open("/dev/null", O_RDWR);
	struct termios before, now;
	char name[8];

	CHECK_EQ(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK_EQ(tcgetattr(slave, &before), 0);
	tty_raw_leave();			/* never entered */
	CHECK_EQ(tty_raw_enter(slave), 1);
	CHECK_EQ(tcgetattr(slave, &now), 0);
	CHECK_EQ(now.c_lflag & (ICANON | ECHO | ISIG), 0);
	tty_raw_leave();
	CHECK_EQ(tcgetattr(slave, &now), 0);
	CHECK_EQ(now.c_lflag, before.c_lflag);
	CHECK_EQ(now.c_iflag, before.c_iflag);
	CHECK_EQ(tty_raw_enter(null), 0);
	close(slave);
	close(master);
	close(null);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		CHECK_EQ(tty_escape_parse(escapes[i].text), escapes[i].byte);
		if (escapes[i].name)
			CHECK_EQ(strcmp(tty_escape_name((uint8_t)escapes[i].byte, name), escapes[i].name), 0);
	}
}

int main(void)
{
	char dir[] = "/tmp/chr_test.XXXXXX";

	alarm(50);
	signal(SIGPIPE, SIG_IGN);
	CHECK(mkdtemp(dir) != NULL);
	output();
	input();
	pty();
	unix_socket(dir);
	files(dir);
	terminal();
	rmdir(dir);
	return unit_done();
}
