// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace: the module's tracepoints of one VM, as the kernel prints them.
 *
 * A trace instance of its own, so that nobody else's tracing is disturbed, with the filter "vm == N" on
 * each event of group hv; the instance goes with the command. See the kernel's Documentation/trace/ftrace.rst.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/stopsig.h"

#define TRACEFS		"/sys/kernel/tracing"
#define PATH_LEN	192

struct tracer {
	struct ctx	*ctx;
	char		dir[96];	/* of the instance; "" when there is none */
	uint64_t	left;		/* lines to print, 0: no end */
	bool		bounded;
	char		buf[8192];
	size_t		len;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int denied(struct ctx *ctx, int errnum, const char *path)
{
	if (errnum == ENOENT)
		return err_sys(&ctx->err, RC_HOST, errnum, "load hv.ko, and mount tracefs: mount -t tracefs nodev " TRACEFS,
			       "cannot trace: %s", path);
	err_sys(&ctx->err, RC_HOST, errnum, NULL, "cannot trace: %s", path);
	if (errnum == EACCES || errnum == EPERM)
		return err_next(&ctx->err, "tracing is root's: sudo hvctl trace %s", ctx->line.arg[0]);
	return ctx->err.code;
}

/* Write @text to a file of the instance. Return: 0 or -errno. */
static int put(const struct tracer *t, const char *file, const char *text)
{
	char path[PATH_LEN];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", t->dir, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int instance(struct tracer *t)
{
	char dir[sizeof(t->dir)];

	snprintf(dir, sizeof(dir), TRACEFS "/instances/hvctl-%d", (int)getpid());
	if (mkdir(dir, 0700) && errno != EEXIST)
		return denied(t->ctx, errno, TRACEFS);
	memcpy(t->dir, dir, sizeof(dir));
	return 0;
}

/* Wanted, as far as --event says anything? */
static bool wanted(const struct ctx *ctx, const char *event)
{
	const char *name;
	unsigned int at = 0;
	bool any = false;

	while ((name = opt_next(&ctx->line, "event", &at))) {
		if (!strcmp(name, event) || (!strncmp(event, "hv_", 3) && !strcmp(name, event + 3)))
			return true;
		any = true;
	}
	return !any;
}

/* Filter and switch on one event. Return: 0 or an enum rc. */
static int event_on(struct tracer *t, const char *event, const char *filter)
{
	char file[PATH_LEN];
	int ret;

	snprintf(file, sizeof(file), "events/hv/%.60s/filter", event);
	ret = put(t, file, filter);
	if (!ret) {
		snprintf(file, sizeof(file), "events/hv/%.60s/enable", event);
		ret = put(t, file, "1");
	}
	return ret ? denied(t->ctx, -ret, event) : 0;
}

static int events_on(struct tracer *t, uint64_t id)
{
	char path[PATH_LEN], filter[40];
	unsigned int on = 0;
	struct dirent *e;
	int ret = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/events/hv", t->dir);
	snprintf(filter, sizeof(filter), "vm == %" PRIu64, id);
	d = opendir(path);
	if (!d)
		return denied(t->ctx, errno, path);
	while (!ret && (e = readdir(d))) {
		if (strncmp(e->d_name, "hv_", 3) || !wanted(t->ctx, e->d_name))
			continue;
		ret = event_on(t, e->d_name, filter);
		on++;
	}
	closedir(d);
	if (ret || on)
		return ret;
	return err_set(&t->ctx->err, RC_USAGE, "ls " TRACEFS "/events/hv shows the events",
		       "hv.ko has no event '%s'", opt_value(&t->ctx->line, "event"));
}

/* "  comm-123 [001] d..1  12.345678: hv_exit: vm=1 ..." as an object; what stands in front is one string. */
static int print_json(struct ctx *ctx, const char *line)
{
	const char *name = strstr(line, ": hv_"), *end = name ? strstr(name + 2, ": ") : NULL;
	int front = name ? (int)(name - line) : 0;

	if (!end)
		return out_json(ctx, json_pack("{s:s}", "text", line), true);
	return out_json(ctx, json_pack("{s:s%, s:s%, s:s}", "context", line, (size_t)front, "event", name + 2,
				       (size_t)(end - name - 2), "text", end + 2), true);
}

/* Whole lines of what was read. Return: 0, -1: as many as wanted, or an enum rc. */
static int lines(struct tracer *t)
{
	char *nl;
	int ret = 0;

	while (!ret && (nl = memchr(t->buf, '\n', t->len))) {
		size_t n = (size_t)(nl - t->buf) + 1;

		*nl = 0;
		if (t->ctx->json)
			ret = print_json(t->ctx, t->buf);
		else
			puts(t->buf);
		memmove(t->buf, t->buf + n, t->len - n);
		t->len -= n;
		if (!ret && t->bounded && !--t->left)
			ret = -1;
	}
	if (t->len == sizeof(t->buf))
		t->len = 0;	/* no event is as long */
	return ret;
}

static int follow(struct tracer *t, int fd, int64_t deadline)
{
	int ret = 0;

	while (!ret) {
		int64_t left = deadline < 0 ? 1000 : deadline - now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (deadline >= 0 && left <= 0)
			return 0;
		/* trace_pipe tells poll() late where events are few: look by ourselves, too. */
		stopsig_poll(&p, 1, left > 100 ? 100 : (int)left);
		if (stopsig_got())
			return 0;
		n = read(fd, t->buf + t->len, sizeof(t->buf) - t->len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(&t->ctx->err, RC_FAILED, errno, NULL, "cannot read the trace");
		if (n > 0) {
			t->len += (size_t)n;
			ret = lines(t);
		}
		if (!ret && !t->ctx->json)
			ret = out_end(t->ctx);
	}
	return ret < 0 ? out_end(t->ctx) : ret;
}

static int trace(struct tracer *t, uint64_t id)
{
	const char *timeout = opt_value(&t->ctx->line, "timeout");
	char path[PATH_LEN];
	uint64_t ms = 0;
	int ret = instance(t), fd;

	if (!ret)
		ret = events_on(t, id);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/trace_pipe", t->dir);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return denied(t->ctx, errno, path);
	if (timeout && (text_duration(timeout, &ms) || ms > INT32_MAX))
		ms = INT32_MAX;
	ret = follow(t, fd, timeout ? now_ms() + (int64_t)ms : -1);
	close(fd);
	return ret;
}

int cmd_trace(struct ctx *ctx)
{
	static struct tracer t;
	const char *count = opt_value(&ctx->line, "count");
	json_t *status;
	uint64_t id;
	int ret = client_ask(ctx->line.arg[0], CTL_STATUS, &status, &ctx->err);

	if (ret)
		return ret;
	id = (uint64_t)json_integer_value(json_object_get(status, "id"));
	json_decref(status);
	t.ctx = ctx;
	t.bounded = count;
	if (count && (text_uint(count, UINT64_MAX, &t.left) || !t.left))
		return err_set(&ctx->err, RC_USAGE, "give a number from 1 on", "option --count: nothing to print");
	stopsig_catch();	/* so that the instance goes on every way out */
	ret = trace(&t, id);
	if (t.dir[0])
		rmdir(t.dir);
	return ret;
}
