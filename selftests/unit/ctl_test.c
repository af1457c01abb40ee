// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket with a fake machine behind it: requests whole and in pieces, wrong ones, too many of
 * them, and peers that do not read, do not write, or are not ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/chr.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "devices/kvp.h"
#include "libstate/state.h"
#include "selftests/unit/lib/unit.h"
#include "vmm/ctl.h"
#include "vmm/loop.h"
#include "vmm/machine.h"

struct machine {
	struct vmm_config	cfg;
	struct loop		*loop;
	struct chr		*console;
	enum vmm_state		state;
	struct vmm_end		end;
	machine_save_fn		save_fn;
	void			*save_arg;
	struct state_err	*save_err;
	struct loop_work	save_work;
	_Atomic int		saves, cancels, ends;
};

static struct machine vm;
static struct ctl *ctl;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_len;
static pthread_t thread;
static struct loop_work stopper;

const char *vmm_state_name(enum vmm_state s) { return s == VMM_STATE_PAUSED ? "paused" : "running"; }
uint64_t machine_id(const struct machine *m) { (void)m; return 7; }
const struct vmm_config *machine_config(const struct machine *m) { return &m->cfg; }
enum vmm_state machine_state(const struct machine *m) { return m->state; }
struct loop *machine_loop(struct machine *m) { return m->loop; }
struct chr *machine_console(struct machine *m) { return m->console; }
const struct vmm_end *machine_end(const struct machine *m) { return &m->end; }
const char *machine_serial_name(const struct machine *m) { (void)m; return NULL; }
int machine_pause(struct machine *m) { m->state = VMM_STATE_PAUSED; return 0; }
int machine_resume(struct machine *m) { m->state = VMM_STATE_RUNNING; return 0; }
int machine_reset(struct machine *m) { (void)m; return -EBUSY; }
int machine_stop(struct machine *m) { (void)m; return -EIO; }
const char *machine_heartbeat(struct machine *m) { (void)m; return "ok"; }
int machine_kvp_read(struct machine *m, uint32_t *sweep) { (void)m; *sweep = 9; return 0; }

void machine_kvp_look(struct machine *m, struct kvp_view *out)
{
	(void)m;
	*out = (struct kvp_view){ 0 };
}

static char kvp_told[64];

int machine_kvp_change(struct machine *m, const char *name, const char *value, uint32_t *change)
{
	(void)m;
	snprintf(kvp_told, sizeof(kvp_told), "%s=%s", name, value ? value : "-");
	*change = 5;
	return !strcmp(name, "busy") ? -EBUSY : !strcmp(name, "none") ? -ENOTCONN : 0;
}

void machine_kill(struct machine *m, const char *by) { (void)m; (void)by; }

int machine_save(struct machine *m, int fd, int level, machine_save_fn fn, void *arg, struct err *e)
{
	if (m->save_fn)
		return err_set(e, -EBUSY, NULL, "it is saving");
	CHECK_EQ(level, m->saves ? 1 : 0);
	close(fd);
	m->save_fn = fn;
	m->save_arg = arg;
	atomic_fetch_add(&m->saves, 1);
	return 0;
}

void machine_save_cancel(struct machine *m)
{
	m->save_fn = NULL;
	atomic_fetch_add(&m->cancels, 1);
}

int machine_save_end(struct machine *m)
{
	atomic_fetch_add(&m->ends, 1);
	return 0;
}

bool machine_save_progress(const struct machine *m, uint64_t *done, uint64_t *total)
{
	*done = 3;
	*total = 4;
	return m->save_fn;
}

/* The loop's turn in which a save ends. */
static void save_over(struct loop_work *w)
{
	machine_save_fn fn = vm.save_fn;

	(void)w;
	vm.save_fn = NULL;
	fn(vm.save_arg, vm.save_err);
}

/* What the last disk verb was told. */
static struct told {
	struct machine_place	at;
	struct machine_image	image;
	char			path[64];
	off_t			size;		/* of the file that came; -1: none */
	bool			force;
	unsigned int		calls;
} told;

static int tell(struct machine_place *at, const struct machine_image *image, bool force, struct err *e)
{
	struct stat st;
	unsigned int calls = told.calls;

	told = (struct told){ .at = *at, .size = -1, .force = force, .calls = calls + 1 };
	if (image) {
		told.image = *image;
		snprintf(told.path, sizeof(told.path), "%s", image->path);
		if (!fstat(image->fd, &st))
			told.size = st.st_size;
		close(image->fd);
	}
	if (at->unit == 63)
		return err_set(e, -ENOENT, "look again", "nothing there");
	if (at->unit < 0)
		at->unit = 7;
	return 0;
}

int machine_disk_attach(struct machine *m, struct machine_place *at, const struct machine_image *image,
			struct err *e)
{
	(void)m;
	return tell(at, image, false, e);
}

int machine_disk_detach(struct machine *m, struct machine_place *at, struct err *e)
{
	(void)m;
	return tell(at, NULL, false, e);
}

int machine_disk_medium(struct machine *m, struct machine_place *at, const struct machine_image *image,
			bool force, struct err *e)
{
	(void)m;
	return tell(at, image, force, e);
}

bool machine_disk_look(struct machine *m, unsigned int nr, struct machine_disk *out)
{
	(void)m;
	*out = (struct machine_disk){ .at = { 1, 2 }, .path = "/x.vhd", .size = 512 };
	return !nr;
}

int machine_stats(struct machine *m, struct machine_stat *out, int max)
{
	(void)m;
	for (int i = 0; i < max; i++)
		out[i] = (struct machine_stat){ "one.name.only", 1, true };
	return max + 5;
}

int machine_channels(struct machine *m, struct machine_chan *out, int max)
{
	(void)m;
	for (int i = 0; i < max; i++)
		out[i] = (struct machine_chan){ .kind = "scsi", .state = "open", .index = 1, .nr = 1,
						.stat = { { "packets", 77 } } };
	return max + 5;
}

static size_t echo(void *arg, const uint8_t *buf, size_t len)
{
	chr_write(((struct machine *)arg)->console, buf, len);
	return len;
}

static void *run_loop(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void stop_loop(struct loop_work *w)
{
	(void)w;
	loop_stop(vm.loop);
}

static void begin(void)
{
	struct chr_sink sink = { echo, &vm };
	static unsigned int nr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), n;

	memset(&vm, 0, sizeof(vm));
	memset(&stopper, 0, sizeof(stopper));
	strcpy(vm.cfg.name, "test");
	vm.cfg.append = "\xff not UTF-8";
	vm.state = VMM_STATE_RUNNING;
	n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "hv-ctl-test-%d-%u", (int)getpid(), nr++);
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, address_len), 0);
	CHECK_EQ(listen(fd, 64), 0);
	CHECK_EQ(loop_create(&vm.loop), 0);
	CHECK_EQ(chr_create(&vm.console, vm.loop), 0);
	chr_sink_set(vm.console, &sink);
	CHECK_EQ(ctl_create(&ctl, &vm, fd), 0);
	pthread_create(&thread, NULL, run_loop, vm.loop);
}

static void finish(void)
{
	stopper.run = stop_loop;
	loop_call(vm.loop, &stopper);
	pthread_join(thread, NULL);
	ctl_release(ctl);
	chr_release(vm.console);
	loop_release(vm.loop);
}

static int dial(void)
{
	struct timeval patience = { 5, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_EQ(connect(fd, (struct sockaddr *)&address, address_len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* One line, without its newline. Return: its length; 0: end of file; -1: nothing came. */
static int take_line(int fd, char *buf, size_t len)
{
	size_t at = 0;

	while (at + 1 < len) {
		ssize_t n = recv(fd, buf + at, 1, 0);

		if (n <= 0) {
			buf[at] = 0;
			return n ? -1 : 0;
		}
		if (buf[at] == '\n')
			break;
		at++;
	}
	buf[at] = 0;
	return (int)at;
}

static char reply[1 << 20];

static const char *ask(int fd, const char *text)
{
	CHECK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	if (take_line(fd, reply, sizeof(reply)) <= 0)
		strcpy(reply, "(nothing)");
	return reply;
}

static void test_requests(void)
{
	static const char *const bad[] = {
		"{}", "[]", "1", "\"status\"", "{\"verb\":1}", "{\"verb\":\"no\"}", "nonsense",
		"{\"verb\":\"status\",\"verb\":\"kill\"}", "{\"verb\":\"status\",\"force\":true}",
		"{\"verb\":\"console\",\"force\":1}", "{\"verb\":\"console\",\"nothing\":true}",
		"{\"verb\":\"disk-attach\",\"unit\":64}", "{\"verb\":\"disk-attach\",\"unit\":-1}",
		"{\"verb\":\"disk-attach\",\"unit\":true}", "{\"verb\":\"disk-detach\",\"controller\":4}",
		"{\"verb\":\"disk-attach\",\"path\":\"\"}", "{\"verb\":\"disk-attach\",\"path\":\"a\\nb\"}",
		"{\"verb\":\"disk-attach\",\"path\":7}", "{\"verb\":\"disk-detach\",\"path\":\"a\"}",
		"{\"verb\":\"disk-eject\",\"readonly\":true}", "{\"verb\":\"disk-insert\",\"raw\":true}",
		"{\"verb\":\"disk-attach\",\"path\":\"a\\u0000b\"}",
		"{\"verb\":\"sta\\u0000tus\"}", "{\"verb\":\"status\"} x",
	};
	struct ctl_request req;
	char why[64], deep[4000];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = 0;
		CHECK_EQ(ctl_request_parse(bad[i], strlen(bad[i]), &req, why, sizeof(why)), -EINVAL);
		CHECK(why[0]);
	}
	memset(deep, '[', sizeof(deep));
	CHECK_EQ(ctl_request_parse(deep, sizeof(deep), &req, why, sizeof(why)), -EINVAL);
	for (int v = 0; v < CTL_VERB_NR; v++) {
		char line[64];
		int n = snprintf(line, sizeof(line), "{\"verb\":\"%s\"}", ctl_verb_name((enum ctl_verb)v));

		CHECK_EQ(ctl_request_parse(line, (size_t)n, &req, why, sizeof(why)), 0);
		CHECK_EQ(req.verb, v);
		CHECK_EQ(req.keys, 0);
	}
}

static void test_replies(void)
{
	int fd;

	begin();
	fd = dial();
	CHECK_HAS(ask(fd, "{\"verb\":\"status\"}\n"), "\"name\":\"test\"");
	CHECK_HAS(reply, "\"packets\":77");
	CHECK(!strstr(reply, "append"));	/* not UTF-8: left out, the rest stays valid */
	CHECK_HAS(ask(fd, "{\"verb\":\"pause\"}\n"), "\"state\":\"paused\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"resume\"}\n"), "\"state\":\"running\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"reset\"}\n"), "\"error\":\"wrong-state\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"stop\"}\n"), "\"error\":\"failed\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"stats\"}\n"), "one.name.only");
	CHECK_HAS(ask(fd, "rubbish\n"), "\"error\":\"bad-request\"");
	CHECK_HAS(ask(fd, "\n\n{\"verb\":\"status\"}\n"), "\"ok\":true");
	/* in pieces */
	for (const char *p = "{\"verb\":\"status\"}"; *p; p++) {
		CHECK_EQ(send(fd, p, 1, 0), 1);
		usleep(200);
	}
	CHECK_HAS(ask(fd, "\n"), "\"ok\":true");
	/* two at once, answered in order */
	CHECK_HAS(ask(fd, "{\"verb\":\"pause\"}\n{\"verb\":\"status\"}\n"), "paused");
	CHECK(take_line(fd, reply, sizeof(reply)) > 0);
	CHECK_HAS(reply, "\"protocol\"");
	/* a request, then no more input: answered, then end of file */
	CHECK_EQ(send(fd, "{\"verb\":\"status\"}\n", 18, 0), 18);
	shutdown(fd, SHUT_WR);
	CHECK(take_line(fd, reply, sizeof(reply)) > 0);
	CHECK_EQ(take_line(fd, reply, sizeof(reply)), 0);
	close(fd);
	finish();
}

static void test_too_long(void)
{
	char big[CTL_REQUEST_MAX + 1];
	int fd;

	begin();
	fd = dial();
	memset(big, ' ', sizeof(big));
	CHECK_EQ(send(fd, big, CTL_REQUEST_MAX, MSG_NOSIGNAL), CTL_REQUEST_MAX);
	CHECK(take_line(fd, reply, sizeof(reply)) > 0);
	CHECK_HAS(reply, "longer than");
	CHECK_EQ(take_line(fd, reply, sizeof(reply)), 0);
	close(fd);
	/* the longest that fits */
	fd = dial();
	strcpy(big, "{\"verb\":\"status\"}");
	memset(big + 17, ' ', CTL_REQUEST_MAX - 18);
	big[CTL_REQUEST_MAX - 1] = '\n';
	big[CTL_REQUEST_MAX] = 0;
	CHECK_HAS(ask(fd, big), "\"ok\":true");
	close(fd);
	finish();
}

static void test_wait(void)
{
	int fd[CTL_WAITERS_MAX + 1], idle[CTL_CONNS_MAX], other;

	begin();
	for (int i = 0; i < CTL_WAITERS_MAX; i++) {
		fd[i] = dial();
		CHECK_EQ(send(fd[i], "{\"verb\":\"wait\"}\n", 16, 0), 16);
	}
	usleep(50000);
	fd[CTL_WAITERS_MAX] = dial();
	CHECK_HAS(ask(fd[CTL_WAITERS_MAX], "{\"verb\":\"wait\"}\n"), "\"error\":\"limit\"");
	/* All places taken by silent peers: the newest is served, the oldest idle one goes. */
	for (int i = 0; i < CTL_CONNS_MAX; i++)
		idle[i] = dial();
	other = dial();
	CHECK_HAS(ask(other, "{\"verb\":\"status\"}\n"), "\"ok\":true");
	CHECK_EQ(take_line(idle[0], reply, sizeof(reply)), 0);
	/* A waiter that says more is cut off, the others are not. */
	CHECK_EQ(send(fd[0], "{\"verb\":\"kill\"}\n", 16, 0), 16);
	errno = 0;
	CHECK(take_line(fd[0], reply, sizeof(reply)) == 0 || errno == ECONNRESET);
	vm.end.cause = VMM_END_POWEROFF;
	finish();
	for (int i = 1; i < CTL_WAITERS_MAX; i++) {
		CHECK(take_line(fd[i], reply, sizeof(reply)) > 0);
		CHECK_HAS(reply, "power-off");
		close(fd[i]);
	}
	close(fd[0]);
	close(fd[CTL_WAITERS_MAX]);
	close(other);
	for (int i = 0; i < CTL_CONNS_MAX; i++)
		close(idle[i]);
}

/* A peer that asks and asks and never reads holds up nobody else, and costs one answer. */
static void test_deaf_peer(void)
{
	char many[3600] = "";
	uint8_t line[64];
	int deaf, other;

	begin();
	deaf = dial();
	for (int i = 0; i < 200; i++)
		strcat(many, "{\"verb\":\"ring\"}\n");
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 2000; i++)
		chr_write(vm.console, line, sizeof(line));
	for (int i = 0; i < 100; i++)
		if (send(deaf, many, strlen(many), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	for (int i = 0; i < 20; i++) {
		other = dial();
		CHECK_HAS(ask(other, "{\"verb\":\"status\"}\n"), "\"ok\":true");
		close(other);
	}
	/* When it reads again, answers come whole: a line, 64 KiB, a line, ... */
	for (int i = 0; i < 20; i++) {
		size_t got = 0;

		CHECK(take_line(deaf, reply, sizeof(reply)) > 0);
		CHECK_HAS(reply, "\"bytes\":65536");
		while (got < 65536) {
			ssize_t n = recv(deaf, reply, 65536 - got, 0);

			if (n <= 0)
				break;
			got += (size_t)n;
		}
		CHECK_EQ(got, 65536);
	}
	close(deaf);
	finish();
}

static int take_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { reply, sizeof(reply) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(sock, &msg, 0);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd = -1;

	reply[n > 0 ? n : 0] = 0;
	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	return fd;
}

static int console(int sock, const char *request)
{
	CHECK_EQ(send(sock, request, strlen(request), 0), strlen(request));
	return take_fd(sock);
}

static bool comes(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[256];
	size_t got = 0;

	while (got < strlen(text) && poll(&p, 1, 2000) == 1) {
		ssize_t n = recv(fd, buf + got, sizeof(buf) - 1 - got, 0);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	buf[got] = 0;
	return !strcmp(buf, text);
}

static void test_console(void)
{
	int sock, a, b, r;
	char byte;

	begin();
	chr_write(vm.console, (const uint8_t *)"early\n", 6);
	sock = dial();
	a = console(sock, "{\"verb\":\"console\"}\n");
	CHECK(a >= 0);
	CHECK(comes(a, "early\n"));
	CHECK_EQ(send(a, "typed\n", 6, 0), 6);
	CHECK(comes(a, "typed\n"));
	CHECK(console(sock, "{\"verb\":\"console\"}\n") < 0);
	CHECK_HAS(reply, "\"error\":\"busy\"");
	r = console(sock, "{\"verb\":\"console\",\"readonly\":true}\n");
	CHECK(comes(r, "early\ntyped\n"));
	b = console(sock, "{\"verb\":\"console\",\"force\":true}\n");
	CHECK(comes(b, "early\ntyped\n"));
	CHECK_EQ(poll(&(struct pollfd){ .fd = a, .events = POLLIN }, 1, 2000), 1);
	CHECK_EQ(recv(a, &byte, 1, 0), 0);	/* stolen */
	send(r, "ignored\n", 8, MSG_NOSIGNAL);
	CHECK_EQ(send(b, "mine\n", 5, 0), 5);
	CHECK(comes(b, "mine\n"));
	CHECK(comes(r, "mine\n"));
	close(a);
	close(b);
	close(r);
	close(sock);
	finish();
}

/* @nr descriptors with the request. */
static const char *ask_with(int sock, const char *text, const int *fds, size_t nr)
{
	char control[CMSG_SPACE(4 * sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(h), fds, nr * sizeof(int));
	CHECK_EQ(sendmsg(sock, &msg, MSG_NOSIGNAL), strlen(text));
	if (take_line(sock, reply, sizeof(reply)) <= 0)
		strcpy(reply, "(nothing)");
	return reply;
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_disks(void)
{
	char name[] = "/tmp/hv-ctl-XXXXXX";
	int file = mkstemp(name), sock, three[3] = { file, file, file };
	unsigned int before;

	CHECK_EQ(ftruncate(file, 4321), 0);
	unlink(name);
	begin();
	sock = dial();
	CHECK_HAS(ask(sock, "{\"verb\":\"status\"}\n"), "\"path\":\"/x.vhd\"");
	before = open_fds();
	CHECK_HAS(ask_with(sock, "{\"verb\":\"disk-attach\",\"controller\":2,\"readonly\":true,"
				 "\"raw\":true,\"path\":\"/d\"}\n", &file, 1), "\"unit\":7");
	CHECK_HAS(reply, "\"controller\":2");
	CHECK_EQ(told.size, 4321);
	CHECK(told.image.readonly && told.image.raw && !strcmp(told.path, "/d"));
	CHECK_EQ(told.at.unit, -1);
	/* The one descriptor of many, or of a verb that wants none, or of a line that is wrong: no leak. */
	CHECK_HAS(ask_with(sock, "{\"verb\":\"disk-attach\"}\n", three, 3), "\"ok\":true");
	CHECK_EQ(told.size, 4321);
	CHECK_HAS(ask_with(sock, "{\"verb\":\"status\"}\n", &file, 1), "\"ok\":true");
	CHECK_HAS(ask_with(sock, "rubbish\n", &file, 1), "bad-request");
	CHECK_EQ(told.calls, 2);
	/* It is not kept for the next line. */
	CHECK_HAS(ask(sock, "{\"verb\":\"disk-insert\"}\n"), "no descriptor");
	CHECK_HAS(ask(sock, "{\"verb\":\"disk-attach\"}\n"), "no descriptor");
	CHECK_EQ(told.calls, 2);
	CHECK_HAS(ask(sock, "{\"verb\":\"disk-eject\",\"unit\":3,\"force\":true}\n"), "\"unit\":3");
	CHECK(told.force && told.size == -1 && told.at.unit == 3);
	CHECK_HAS(ask_with(sock, "{\"verb\":\"disk-insert\",\"unit\":63}\n", &file, 1), "\"error\":\"invalid\"");
	CHECK_HAS(reply, "\"next\":\"look again\"");
	CHECK_HAS(ask(sock, "{\"verb\":\"disk-detach\",\"unit\":63}\n"), "nothing there");
	CHECK_EQ(open_fds(), before);
	CHECK_EQ(told.calls, 5);
	close(sock);
	close(file);
	finish();
}

/* Another user gets end of file and nothing else. */
static void soon(_Atomic int *what, int want)
{
	for (int i = 0; i < 5000 && atomic_load(what) != want; i++)
		usleep(1000);
	CHECK_EQ(atomic_load(what), want);
}

static int save_ask(const char *line, int saves)
{
	int fd = dial(), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	CHECK_EQ(fd_send(fd, line, strlen(line), null, MSG_NOSIGNAL), (long)strlen(line));
	close(null);
	soon(&vm.saves, saves);
	return fd;
}

/* Answered when it is over; hanging up cancels; only who has saved it ends it. */
static void test_kvp(void)
{
	char line[3000] = "{\"verb\":\"kvp-set\",\"name\":\"a\",\"value\":\"", *value = line + strlen(line);
	int fd;

	begin();
	fd = dial();
	CHECK_HAS(ask(fd, "{\"verb\":\"status\"}\n"), "\"guest\":null");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp\"}\n"), "\"kvp\":\"unknown\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-read\"}\n"), "\"sweep\":9");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-set\",\"name\":\"a\",\"value\":\"\"}\n"), "\"change\":5");
	CHECK_HAS(kvp_told, "a=");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-delete\",\"name\":\"a\"}\n"), "\"change\":5");
	CHECK_HAS(kvp_told, "a=-");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-set\",\"name\":\"a\"}\n"), "lacks a key");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-delete\",\"value\":\"a\"}\n"), "does not take all of these keys");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-delete\",\"name\":7}\n"), "is not text, or too long");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-delete\",\"name\":\"busy\"}\n"), "\"error\":\"busy\"");
	CHECK_HAS(ask(fd, "{\"verb\":\"kvp-delete\",\"name\":\"none\"}\n"), "hyperv-daemons");
	memset(value, 'v', CTL_VALUE_MAX);
	strcpy(value + CTL_VALUE_MAX, "\"}\n");
	CHECK_HAS(ask(fd, line), "\"change\":5");
	strcpy(value + CTL_VALUE_MAX, "v\"}\n");
	CHECK_HAS(ask(fd, line), "too long");
	close(fd);
	finish();
}

static void test_save(void)
{
	struct state_err full = { .fault = STATE_HOST, .code = -ENOSPC, .text = "the disk is full" };
	int a, other;

	begin();
	vm.save_work.run = save_over;
	other = dial();
	CHECK_HAS(ask(other, "{\"verb\":\"save\"}\n"), "no descriptor");
	CHECK_HAS(ask(other, "{\"verb\":\"save-end\"}\n"), "nothing was saved here");
	a = save_ask("{\"verb\":\"save\"}\n", 1);
	CHECK_HAS(ask(other, "{\"verb\":\"status\"}\n"), "\"save\":{\"done\":3,\"total\":4}");
	vm.save_err = &full;
	loop_call(vm.loop, &vm.save_work);
	CHECK(take_line(a, reply, sizeof(reply)) > 0);
	CHECK_HAS(reply, "goes on: the disk is full");
	close(a);
	a = save_ask("{\"verb\":\"save\",\"compress\":true}\n", 2);
	close(a);
	soon(&vm.cancels, 1);
	a = save_ask("{\"verb\":\"save\",\"compress\":true}\n", 3);
	CHECK_EQ(send(a, "x", 1, MSG_NOSIGNAL), 1);	/* nothing may follow but the answer */
	soon(&vm.cancels, 2);
	close(a);
	vm.save_err = NULL;
	a = save_ask("{\"verb\":\"save\",\"compress\":true}\n", 4);
	loop_call(vm.loop, &vm.save_work);
	CHECK(take_line(a, reply, sizeof(reply)) > 0);
	CHECK_HAS(reply, "\"ok\":true");
	CHECK_HAS(ask(other, "{\"verb\":\"save-end\"}\n"), "nothing was saved here");
	CHECK_HAS(ask(a, "{\"verb\":\"save-end\"}\n"), "\"ok\":true");
	CHECK_EQ(atomic_load(&vm.ends), 1);
	close(a);
	a = save_ask("{\"verb\":\"save\",\"compress\":true}\n", 5);
	loop_call(vm.loop, &vm.save_work);
	CHECK(take_line(a, reply, sizeof(reply)) > 0);
	close(a);				/* and never says whether the file is in place */
	soon(&vm.cancels, 3);
	close(other);
	finish();
}

static void test_stranger(void)
{
	int status = 0;
	pid_t pid;

	if (geteuid())
		return;
	begin();
	pid = fork();
	if (!pid) {
		int fd;
		char byte;

		if (setuid(65534))
			_exit(2);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, address_len))
			_exit(3);
		send(fd, "{\"verb\":\"kill\"}\n", 16, MSG_NOSIGNAL);
		_exit(recv(fd, &byte, 1, 0) > 0);
	}
	waitpid(pid, &status, 0);
	CHECK_EQ(status, 0);
	finish();
}

/* Out of descriptors: the loop must not spin, and serves again when there are some. */
static void test_no_descriptors(void)
{
	struct rlimit old, none;
	struct timespec before, after;
	int fd, probe;

	begin();
	fd = dial();
	CHECK_HAS(ask(fd, "{\"verb\":\"status\"}\n"), "\"ok\":true");
	probe = dial();
	usleep(50000);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	close(probe);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	none.rlim_cur = (rlim_t)fd;
	usleep(50000);
	setrlimit(RLIMIT_NOFILE, &none);
	CHECK_EQ(connect(probe, (struct sockaddr *)&address, address_len), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	usleep(300000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 100);
	CHECK_HAS(ask(fd, "{\"verb\":\"status\"}\n"), "\"ok\":true");
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK_HAS(ask(probe, "{\"verb\":\"status\"}\n"), "\"ok\":true");
	close(probe);
	close(fd);
	finish();
}

/* Rubbish in pieces of any size, with hang-ups at any point. */
static void test_random(void)
{
	static const char *const parts[] = {
		"{\"verb\":\"status\"}\n", "{\"verb\":\"wait\"}\n", "{\"verb\":\"console\"}\n", "{\"verb\":",
		"\n", "\"stats\"}", "{\"verb\":\"ring\"}\n", "\0\0\0", "}}}]\n", "{\"verb\":\"stats\"}\n",
	};
	unsigned int seed = 1;
	int fd;

	begin();
	for (int i = 0; i < 300; i++) {
		fd = dial();
		for (int n = rand_r(&seed) % 8; n > 0; n--) {
			const char *p = parts[(unsigned int)rand_r(&seed) % 10];

			send(fd, p, strlen(p) ? strlen(p) : 3, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (rand_r(&seed) % 3 == 0)
				recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
		}
		close(fd);
	}
	fd = dial();
	CHECK_HAS(ask(fd, "{\"verb\":\"status\"}\n"), "\"ok\":true");
	close(fd);
	finish();
}

int main(void)
{
	test_requests();
	test_replies();
	test_too_long();
	test_wait();
	test_deaf_peer();
	test_console();
	test_disks();
	test_kvp();
	test_save();
	test_stranger();
	test_no_descriptors();
	test_random();
	return unit_done();
}
