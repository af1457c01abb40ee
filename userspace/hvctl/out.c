// SPDX-License-Identifier: GPL-2.0-or-later
/* Output of hvctl: tables for people, JSON for programs, errors for both. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hvctl/cmd.h"

const char *rc_name(int rc)
{
	static const char *const names[] = {
		[RC_OK] = "ok", [RC_FAILED] = "failed", [RC_USAGE] = "usage",
		[RC_NO_VM] = "no-such-vm", [RC_STATE] = "wrong-state",
		[RC_UNSUPPORTED] = "not-supported", [RC_BUSY] = "busy", [RC_INVALID] = "invalid",
		[RC_HOST] = "host", [RC_TIMEOUT] = "timeout", [RC_CANCELLED] = "cancelled",
		[RC_NO_BOOT] = "no-boot",
	};

	return rc >= 0 && rc <= RC_NO_BOOT ? names[rc] : "failed";
}

static void dump(json_t *doc, bool compact)
{
	json_dumpf(doc, stdout, compact ? JSON_COMPACT : JSON_INDENT(2));
	fputc('\n', stdout);
}

int out_end(struct ctx *ctx)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot write the output");
}

int out_json(struct ctx *ctx, json_t *doc, bool compact)
{
	json_t *all = json_pack("{s:i}", "schema_version", JSON_SCHEMA);

	if (!doc || !all || json_object_update(all, doc)) {
		json_decref(doc);
		json_decref(all);
		return err_set(&ctx->err, RC_FAILED, NULL, "no memory for the output");
	}
	json_decref(doc);
	dump(all, compact);
	json_decref(all);
	return out_end(ctx);
}

void out_error(const struct ctx *ctx)
{
	const struct err *e = &ctx->err;
	json_t *doc;

	fflush(stdout);
	fprintf(stderr, "%s: %s\n", ctx->tool->name, e->text);
	if (e->next[0])
		fprintf(stderr, "%s: %s\n", ctx->tool->name, e->next);
	if (!ctx->json)
		return;
	doc = json_pack("{s:i, s:{s:i, s:s, s:s%, s:s%}}", "schema_version", JSON_SCHEMA, "error",
			"code", e->code, "name", rc_name(e->code), "message", e->text,
			strlen(e->text), "next", e->next, strlen(e->next));
	if (!doc)	/* a file name that is not UTF-8 */
		doc = json_pack("{s:i, s:{s:i, s:s}}", "schema_version", JSON_SCHEMA, "error",
				"code", e->code, "name", rc_name(e->code));
	if (doc) {
		dump(doc, false);
		json_decref(doc);
	}
	fflush(stdout);
}

static bool colours(void)
{
	static int known = -1;
	const char *off;

	if (known < 0) {
		off = getenv("NO_COLOR");
		known = !(off && *off) && isatty(STDOUT_FILENO);
	}
	return known;
}

const char *out_colour(enum out_colour c)
{
	static const char *const codes[] = { "\033[0m", "\033[32m", "\033[33m", "\033[31m" };

	return colours() ? codes[c] : "";
}

static unsigned int terminal_width(void)
{
	struct winsize ws;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	return 0;
}

static void row(const struct out_table *t, const char *const *cells, const unsigned int *width,
		enum out_colour colour)
{
	unsigned int total = terminal_width(), used = 0;

	for (unsigned int c = 0; c < t->ncols; c++) {
		const char *on = "", *off = "";

		if (c == t->colour_col && colour != OUT_PLAIN) {
			on = out_colour(colour);
			off = out_colour(OUT_PLAIN);
		}
		if (c + 1 < t->ncols)
			printf("%s%-*s%s  ", on, (int)width[c], cells[c], off);
		else if (total > used + 8)
			printf("%s%.*s%s\n", on, (int)(total - used), cells[c], off);
		else
			printf("%s%s%s\n", on, cells[c], off);
		used += width[c] + 2;
	}
}

void out_table(const struct out_table *t)
{
	unsigned int width[16] = { 0 };

	for (unsigned int c = 0; c < t->ncols; c++) {
		width[c] = (unsigned int)strlen(t->heads[c]);
		for (unsigned int r = 0; r < t->nrows; r++) {
			size_t n = strlen(t->cells[r * t->ncols + c]);

			if (n > width[c])
				width[c] = (unsigned int)n;
		}
	}
	row(t, t->heads, width, OUT_PLAIN);
	for (unsigned int r = 0; r < t->nrows; r++)
		row(t, t->cells + r * t->ncols, width, t->colour ? t->colour[r] : OUT_PLAIN);
}
