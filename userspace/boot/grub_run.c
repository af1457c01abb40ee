// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The script as it runs: words are expanded, blocks and loops followed, commands called.
 *
 * One walk over the tokens does both, running and passing over: a branch that is not taken, or a body
 * that is kept for later, is walked with @live false. Loops set the position back.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/grub_impl.h"

enum { STOP_THEN = 1, STOP_ELIF = 2, STOP_ELSE = 4, STOP_FI = 8, STOP_DO = 16, STOP_DONE = 32,
       STOP_CLOSE = 64, STOP_END = 128 };

static const struct { const char *word; unsigned int stop; } stops[] = {
	{ "then", STOP_THEN }, { "elif", STOP_ELIF }, { "else", STOP_ELSE }, { "fi", STOP_FI },
	{ "do", STOP_DO }, { "done", STOP_DONE },
};

struct walk {
	const struct grub_script *script;
	uint32_t	at;
};

static unsigned int run_list(struct grub_run *r, struct walk *w, unsigned int until, bool live);

void grub_stop(struct grub_run *r, const char *why)
{
	r->flow = GRUB_STOP;
	if (!r->wrong)
		r->wrong = why;
}

const char *grub_get(const struct grub_run *r, const char *name, size_t len)
{
	for (unsigned int i = 0; i < r->vars; i++)
		if (strlen(r->var[i].name) == len && !memcmp(r->var[i].name, name, len))
			return r->var[i].value;
	return "";
}

void grub_set(struct grub_run *r, const char *name, const char *value)
{
	struct arena *a = &r->menu->arena;
	unsigned int i = 0;

	while (i < r->vars && strcmp(r->var[i].name, name))
		i++;
	if (i == GRUB_VARS_MAX) {
		grub_stop(r, "too many variables");
		return;
	}
	value = arena_text(a, value, strlen(value));
	if (i == r->vars)
		r->var[i].name = arena_text(a, name, strlen(name));
	if (!value || !r->var[i].name) {
		grub_stop(r, "it takes too much memory");
		return;
	}
	r->var[i].value = value;
	if (i == r->vars)
		r->vars++;
}

void grub_unset(struct grub_run *r, const char *name)
{
	for (unsigned int i = 0; i < r->vars; i++)
		if (!strcmp(r->var[i].name, name)) {
			r->var[i] = r->var[--r->vars];
			return;
		}
}

int grub_path(const struct grub_run *r, const char *text, struct boot_file *out)
{
	const char *dev = grub_get(r, "root", 4), *end;
	char name[128];
	size_t len;
	int fs;

	if (*text == '(') {
		dev = text + 1;
		end = strchr(dev, ')');
		if (!end)
			return -1;
		text = end + 1;
		len = (size_t)(end - dev);
	} else {
		len = strlen(dev);
		if (len > 1 && *dev == '(' && dev[len - 1] == ')') {
			dev++;
			len -= 2;
		}
	}
	if (*text != '/' || len >= sizeof(name))
		return -1;
	memcpy(name, dev, len);
	name[len] = 0;
	/* Our own name for what search found. */
	if (!strncmp(name, "fs", 2) && isdigit((unsigned char)name[2]))
		fs = (int)strtoul(name + 2, NULL, 10) & 0xffff;
	else
		fs = r->menu->files->device(r->menu->files->ctx, name);
	return fs < 0 ? -1 : boot_file_set(out, fs, text);
}

static void step(struct grub_run *r)
{
	if (++r->steps > GRUB_STEPS_MAX)
		grub_stop(r, "it runs for too long");
}

/* ---- words ---- */

struct words {
	const char	*arg[GRUB_ARGS_MAX + 1];
	unsigned int	args;
	char		buf[GRUB_WORD_MAX];
	size_t		len;
	bool		open;		/* a word is being made, perhaps an empty quoted one */
};

static void word_put(struct grub_run *r, struct words *w, char c)
{
	w->open = true;
	if (w->len + 1 < sizeof(w->buf))
		w->buf[w->len++] = c;
	else
		grub_stop(r, "a word is too long");
}

static void word_end(struct grub_run *r, struct words *w)
{
	if (!w->open)
		return;
	if (w->args == GRUB_ARGS_MAX)
		grub_stop(r, "a command has too many words");
	else if (!(w->arg[w->args] = arena_text(&r->menu->arena, w->buf, w->len)))
		grub_stop(r, "it takes too much memory");
	else
		w->args++;
	w->open = false;
	w->len = 0;
}

/* The value of a variable; outside of quotes it is split at blanks. */
static void value_put(struct grub_run *r, struct words *w, const char *value, bool quoted)
{
	for (; *value; value++)
		if (!quoted && isspace((unsigned char)*value))
			word_end(r, w);
		else
			word_put(r, w, *value);
}

static void var_put(struct grub_run *r, struct words *w, const char *name, size_t len, bool quoted)
{
	char number[16];

	/* One word may hold half a million of them, each to be looked for. */
	step(r);
	if (len == 1 && *name == '?') {
		snprintf(number, sizeof(number), "%d", r->status);
		value_put(r, w, number, quoted);
	} else if (len == 1 && *name == '#') {
		snprintf(number, sizeof(number), "%u", r->args);
		value_put(r, w, number, quoted);
	} else if (len == 1 && (*name == '@' || *name == '*')) {
		for (unsigned int i = 0; i < r->args; i++) {
			if (i && *name == '*' && quoted)
				word_put(r, w, ' ');
			else if (i)
				word_end(r, w);
			value_put(r, w, r->arg[i], quoted);
		}
	} else if (len && len < 4 && isdigit((unsigned char)*name)) {
		unsigned int n = (unsigned int)strtoul(name, NULL, 10);

		if (n && n <= r->args)
			value_put(r, w, r->arg[n - 1], quoted);
	} else {
		value_put(r, w, grub_get(r, name, len), quoted);
	}
}

/* At a '$': puts the value and returns how many bytes that were. */
static size_t dollar(struct grub_run *r, struct words *w, const char *s, size_t len, bool quoted)
{
	size_t n = 1;

	if (len > 1 && s[1] == '{') {
		const char *end = memchr(s, '}', len);

		if (end) {
			var_put(r, w, s + 2, (size_t)(end - s) - 2, quoted);
			return (size_t)(end - s) + 1;
		}
	} else if (len > 1 && strchr("?#@*", s[1]) && s[1]) {
		var_put(r, w, s + 1, 1, quoted);
		return 2;
	} else if (len > 1 && isdigit((unsigned char)s[1])) {
		while (n < len && isdigit((unsigned char)s[n]))
			n++;
	} else {
		while (n < len && (isalnum((unsigned char)s[n]) || s[n] == '_'))
			n++;
	}
	if (n > 1)
		var_put(r, w, s + 1, n - 1, quoted);
	else
		word_put(r, w, '$');
	return n;
}

/* One token as none, one or several words. */
static void expand(struct grub_run *r, struct words *w, const struct grub_token *t)
{
	const char *s = t->text, *end = s + t->len;
	char quote = 0;

	while (s < end && r->flow != GRUB_STOP) {
		if (quote && *s == quote) {
			quote = 0;
			s++;
		} else if (quote == '\'') {
			word_put(r, w, *s++);
		} else if (*s == '\\' && s + 1 < end) {
			/* Between double quotes it is itself before most characters. */
			if (quote && !strchr("$\"\\\n", s[1]))
				word_put(r, w, '\\');
			if (s[1] != '\n')
				word_put(r, w, s[1]);
			s += 2;
		} else if (!quote && (*s == '\'' || *s == '"')) {
			quote = *s++;
			w->open = true;
		} else if (*s == '$') {
			s += dollar(r, w, s, (size_t)(end - s), quote);
		} else {
			word_put(r, w, *s++);
		}
	}
	word_end(r, w);
}

/* ---- blocks ---- */

static const struct grub_token *peek(const struct walk *w)
{
	return &w->script->token[w->at];
}

static bool is_word(const struct grub_token *t, const char *word)
{
	return t->kind == GRUB_WORD && t->len == strlen(word) && !memcmp(t->text, word, t->len);
}

static const struct grub_token *next(struct grub_run *r, struct walk *w)
{
	const struct grub_token *t = peek(w);

	step(r);
	if (t->kind != GRUB_END)
		w->at++;
	return t;
}

static void skip_seps(struct grub_run *r, struct walk *w)
{
	while (peek(w)->kind == GRUB_SEP)
		next(r, w);
}

static void run_if(struct grub_run *r, struct walk *w, bool live)
{
	bool taken = false;
	unsigned int stop;

	do {
		run_list(r, w, STOP_THEN, live && !taken);
		bool now = live && !taken && !r->status;

		stop = run_list(r, w, STOP_ELIF | STOP_ELSE | STOP_FI, now);
		taken |= now;
	} while (stop == STOP_ELIF && r->flow != GRUB_STOP);
	if (stop == STOP_ELSE)
		run_list(r, w, STOP_FI, live && !taken);
}

/* After the body of a loop. Return: whether it goes on. */
static bool loop_again(struct grub_run *r)
{
	if (r->flow == GRUB_BREAK || r->flow == GRUB_CONTINUE) {
		bool again = r->flow == GRUB_CONTINUE;

		if (--r->loops > 0)
			return false;
		r->flow = GRUB_GO;
		return again;
	}
	return r->flow == GRUB_GO;
}

static void run_while(struct grub_run *r, struct walk *w, bool live, bool until)
{
	uint32_t start = w->at;
	bool again = live;

	r->active++;
	do {
		w->at = start;
		run_list(r, w, STOP_DO, again);
		again = again && (r->status != 0) == until;
		run_list(r, w, STOP_DONE, again);
		again = again && loop_again(r);
	} while (again);
	r->active--;
}

static void run_for(struct grub_run *r, struct walk *w, bool live)
{
	static const struct words none;
	struct words *name = malloc(2 * sizeof(*name)), *list = name + 1;
	uint32_t body;
	bool ran = false;

	if (!name) {
		grub_stop(r, "it takes too much memory");
		return;
	}
	name[0] = name[1] = none;
	if (peek(w)->kind == GRUB_WORD)
		expand(r, name, next(r, w));
	if (is_word(peek(w), "in"))
		next(r, w);
	while (peek(w)->kind == GRUB_WORD && r->flow != GRUB_STOP)
		if (live)
			expand(r, list, next(r, w));
		else
			next(r, w);
	skip_seps(r, w);
	if (is_word(peek(w), "do"))
		next(r, w);
	body = w->at;
	r->active++;
	for (unsigned int i = 0; live && name->args && i < list->args && r->flow == GRUB_GO; i++) {
		grub_set(r, name->arg[0], list->arg[i]);
		w->at = body;
		run_list(r, w, STOP_DONE, true);
		ran = true;
		if (!loop_again(r))
			break;
	}
	r->active--;
	if (!ran)
		run_list(r, w, STOP_DONE, false);
	free(name);
}

/* From behind the '{' to behind the '}'. */
static struct grub_range *body_keep(struct grub_run *r, struct walk *w)
{
	struct grub_range *b = arena_get(&r->menu->arena, sizeof(*b));
	uint32_t first = w->at;

	run_list(r, w, STOP_CLOSE, false);
	if (!b) {
		grub_stop(r, "it takes too much memory");
		return NULL;
	}
	b->script = w->script;
	b->first = first;
	b->end = w->at;
	return b;
}

static void run_function(struct grub_run *r, struct walk *w, bool live)
{
	const struct grub_token *name = next(r, w);
	struct grub_range *f;

	skip_seps(r, w);
	if (next(r, w)->kind != GRUB_OPEN) {
		grub_stop(r, "a function without a body");
		return;
	}
	f = body_keep(r, w);
	if (!f || !live || name->kind != GRUB_WORD)
		return;
	f->name = arena_text(&r->menu->arena, name->text, name->len);
	f->next = r->functions;
	if (f->name)
		r->functions = f;
}

static void call(struct grub_run *r, const struct grub_range *f, unsigned int args, const char **arg)
{
	struct walk w = { .script = f->script, .at = f->first };
	const char **old = r->arg;
	unsigned int nr = r->args, active = r->active;

	if (r->nest == GRUB_NEST_MAX) {
		grub_stop(r, "blocks are too deep");
		return;
	}
	r->nest++;
	r->arg = arg;
	r->args = args;
	r->active = 0;
	run_list(r, &w, STOP_CLOSE, true);
	r->active = active;
	r->arg = old;
	r->args = nr;
	r->nest--;
	if (r->flow == GRUB_RETURN)
		r->flow = GRUB_GO;
}

/* A plain command: words up to a separator, perhaps a body behind. */
static void run_simple(struct grub_run *r, struct walk *w, bool live)
{
	struct words *words = live ? calloc(1, sizeof(*words)) : NULL;
	struct grub_range *body = NULL;
	const struct grub_range *f;

	if (live && !words) {
		grub_stop(r, "it takes too much memory");
		return;
	}
	while (peek(w)->kind == GRUB_WORD && r->flow != GRUB_STOP) {
		const struct grub_token *t = next(r, w);

		if (live)
			expand(r, words, t);
	}
	if (peek(w)->kind == GRUB_OPEN) {
		next(r, w);
		body = body_keep(r, w);
	}
	if (live && r->flow == GRUB_GO && words->args) {
		for (f = r->functions; f && strcmp(f->name, words->arg[0]); f = f->next)
			;
		if (body)
			grub_entry(r, words->args, words->arg, body);
		else if (f)
			call(r, f, words->args - 1, words->arg + 1);
		else
			r->status = grub_command(r, words->args, words->arg);
	}
	free(words);
}

/* Return: the stop it ended at. */
static unsigned int run_list(struct grub_run *r, struct walk *w, unsigned int until, bool live)
{
	unsigned int stop = STOP_END;

	if (r->nest == GRUB_NEST_MAX) {
		grub_stop(r, "blocks are too deep");
		return STOP_END;
	}
	r->nest++;
	while (r->flow != GRUB_STOP) {
		const struct grub_token *t;
		bool now = live && r->flow == GRUB_GO;

		skip_seps(r, w);
		t = peek(w);
		stop = t->kind == GRUB_END ? STOP_END : t->kind == GRUB_CLOSE ? STOP_CLOSE : 0;
		for (size_t i = 0; !stop && i < sizeof(stops) / sizeof(stops[0]); i++)
			if (is_word(t, stops[i].word))
				stop = stops[i].stop;
		if (stop) {
			next(r, w);
			if (!(stop & until) && stop != STOP_END)
				grub_stop(r, "a block ends that did not begin");
			if (!(stop & until) && stop == STOP_END && until != STOP_END)
				grub_stop(r, "a block does not end");
			break;
		}
		if (t->kind == GRUB_OPEN) {
			next(r, w);
			run_list(r, w, STOP_CLOSE, now);
			continue;
		}
		if (is_word(t, "if")) {
			next(r, w);
			run_if(r, w, now);
		} else if (is_word(t, "while") || is_word(t, "until")) {
			next(r, w);
			run_while(r, w, now, *t->text == 'u');
		} else if (is_word(t, "for")) {
			next(r, w);
			run_for(r, w, now);
		} else if (is_word(t, "function")) {
			next(r, w);
			run_function(r, w, now);
		} else {
			run_simple(r, w, now);
		}
	}
	r->nest--;
	return stop;
}

/* ---- files and entries ---- */

int grub_source(struct grub_run *r, const char *path)
{
	const struct boot_files *files = r->menu->files;
	struct walk w = { 0 };
	struct boot_file f;
	size_t len;
	char *text;

	if (grub_path(r, path, &f))
		return -1;
	text = files->read(files->ctx, f.fs, f.path, &r->menu->arena, &len);
	if (!text)
		return -1;
	w.script = grub_lex(&r->menu->arena, text, len);
	if (!w.script)
		grub_stop(r, "it takes too much memory");
	else
		run_list(r, &w, STOP_END, true);
	return 0;
}

static void first_vars(struct grub_run *r, int fs, const char *path)
{
	static const char *const yes[] = {
		"feature_chainloader_bpb", "feature_ntldr", "feature_platform_search_hint",
		"feature_default_font_path", "feature_all_video_module", "feature_menuentry_id",
		"feature_menuentry_options", "feature_200_final", "feature_nativedisk_cmd",
		"feature_timeout_style",
	};
	const char *slash = strrchr(path, '/');
	char text[BOOT_PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		grub_set(r, yes[i], "y");
	grub_set(r, "grub_cpu", "x86_64");
	grub_set(r, "grub_platform", "pc");
	snprintf(text, sizeof(text), "fs%d", fs);
	grub_set(r, "root", text);
	snprintf(text, sizeof(text), "(fs%d)%.*s", fs, (int)(slash ? slash - path : 0), path);
	grub_set(r, "prefix", text);
	grub_set(r, "config_directory", text);
}

static void wrong_note(struct grub_run *r, const char *path)
{
	char text[BOOT_PATH_MAX + 128];

	if (!r->wrong)
		return;
	snprintf(text, sizeof(text), "%s was not read to its end: %s", path, r->wrong);
	r->menu->note = arena_text(&r->menu->arena, text, strlen(text));
	r->wrong = NULL;
}

int grub_read(struct boot_menu *m, int fs, const char *path)
{
	struct grub_run *r = arena_get(&m->arena, sizeof(*r));
	const char *value;
	int ret;

	if (!r)
		return -1;
	r->menu = m;
	r->parent = -1;
	m->grub = r;
	first_vars(r, fs, path);
	ret = grub_source(r, path);
	wrong_note(r, path);
	value = grub_get(r, "default", 7);
	m->wanted = *value ? value : NULL;
	value = grub_get(r, "timeout", 7);
	if (*value)
		m->timeout = (int)strtol(value, NULL, 10);
	/* Submenus last: they see what the whole file has set. New ones are added behind. */
	for (unsigned int i = 0; i < m->entries; i++) {
		if (!m->entry[i].submenu || !m->entry[i].body)
			continue;
		r->parent = (int)i;
		r->flow = GRUB_GO;
		call(r, m->entry[i].body, ((const struct grub_range *)m->entry[i].body)->args,
		     ((const struct grub_range *)m->entry[i].body)->arg);
		wrong_note(r, path);
	}
	r->parent = -1;
	return ret;
}

int grub_plan(struct boot_menu *m, unsigned int nr, struct boot_plan *plan)
{
	const struct grub_range *body = m->entry[nr].body;
	struct grub_run *r = m->grub;

	r->plan = plan;
	r->foreign = NULL;
	r->flow = GRUB_GO;
	r->steps = 0;
	r->wrong = NULL;
	grub_set(r, "chosen", *m->entry[nr].id ? m->entry[nr].id : m->entry[nr].title);
	call(r, body, body->args, body->arg);
	r->plan = NULL;
	if (plan->kernel.path[0])
		return 0;
	if (!plan->why[0] && r->foreign)
		snprintf(plan->why, sizeof(plan->why), "it starts something else than Linux: %s", r->foreign);
	else if (!plan->why[0])
		snprintf(plan->why, sizeof(plan->why), "it loads no kernel%s%s", r->wrong ? ": " : "",
			 r->wrong ? r->wrong : "");
	return -1;
}
