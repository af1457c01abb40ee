// SPDX-License-Identifier: GPL-2.0-or-later
/* logs: the VM's own log, or what the guest printed last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "hvctl/stopsig.h"

#define LOG_MAX		(256u << 10)	/* more than a VM writes */
#define FOLLOW_MS	200

/* A log may quote a guest: nothing in it may drive the reader's terminal, and JSON wants UTF-8. */
static void make_plain(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') ||
		    (unsigned char)text[i] >= 0x7f)
			text[i] = '?';
}

static json_t *lines_json(const char *text, size_t len)
{
	json_t *list = json_array();

	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;

		json_array_append_new(list, json_stringn(text, n));
		n += nl != NULL;
		text += n;
		len -= n;
	}
	return list;
}

static int print(struct ctx *ctx, const char *name, const char *text, size_t len)
{
	if (ctx->json)
		return out_json(ctx, json_pack("{s:s, s:o}", "name", name, "lines", lines_json(text, len)),
				false);
	fwrite(text, 1, len, stdout);
	return out_end(ctx);
}

/* Print what the log has from *@at on. */
static int print_new(struct ctx *ctx, const char *name, int fd, off_t *at)
{
	char *text = malloc(LOG_MAX);
	struct stat st;
	ssize_t n;
	int ret;

	if (!text)
		return err_set(&ctx->err, RC_FAILED, NULL, "no memory");
	if (!fstat(fd, &st) && st.st_size < *at)
		*at = 0;	/* it was cut to stay small: begin again */
	n = pread(fd, text, LOG_MAX, *at);
	if (n < 0) {
		ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot read the log of VM '%s'", name);
	} else if (!n && *at) {
		ret = 0;
	} else {
		*at += n;
		make_plain(text, (size_t)n);
		ret = print(ctx, name, text, (size_t)n);
	}
	free(text);
	return ret;
}

static int log_file(struct ctx *ctx, const char *name)
{
	bool follow = opt_has(&ctx->line, "follow");
	off_t at = 0;
	int fd, ret = rundir_log(name, &fd, &ctx->err);

	if (ret)
		return ret;
	if (follow)
		stopsig_catch();
	for (;;) {
		bool alive = follow && rundir_alive(name);	/* before reading: the last words count */

		ret = print_new(ctx, name, fd, &at);
		if (ret || !alive)
			break;
		stopsig_poll(NULL, 0, FOLLOW_MS);
		if (stopsig_got()) {
			ret = err_set(&ctx->err, RC_CANCELLED, NULL, "cancelled");
			break;
		}
	}
	close(fd);
	return ret;
}

/* The guest's own bytes, as the console would show them; plain text for JSON. */
static int console_ring(struct ctx *ctx, const char *name)
{
	json_t *reply = NULL;
	json_int_t bytes = 0;
	char *text = NULL;
	struct client c;
	int ret = client_open(&c, name, &ctx->err);

	if (!ret)
		ret = client_send(&c, CTL_RING, 0, &ctx->err);
	if (!ret)
		ret = client_receive(&c, &reply, NULL, CLIENT_PATIENCE_MS, &ctx->err);
	if (!ret) {
		bytes = json_integer_value(json_object_get(reply, "bytes"));
		json_decref(reply);
		if (bytes < 0 || bytes > CTL_REPLY_MAX)
			ret = err_set(&ctx->err, RC_FAILED, NULL, "VM '%s' sent nonsense", name);
	}
	if (!ret) {
		text = malloc((size_t)bytes + 1);
		ret = text ? client_raw(&c, text, (size_t)bytes, &ctx->err)
			   : err_set(&ctx->err, RC_FAILED, NULL, "no memory");
	}
	client_close(&c);
	if (!ret && ctx->json)
		make_plain(text, (size_t)bytes);
	if (!ret)
		ret = print(ctx, name, text, (size_t)bytes);
	free(text);
	return ret;
}

int cmd_logs(struct ctx *ctx)
{
	const char *name = ctx->line.arg[0];

	if (!opt_has(&ctx->line, "console"))
		return log_file(ctx, name);
	if (opt_has(&ctx->line, "follow"))
		return err_set(&ctx->err, RC_USAGE, "hvctl console --read-only follows the console",
			       "logs: --console and --follow do not go together");
	return console_ring(ctx, name);
}
