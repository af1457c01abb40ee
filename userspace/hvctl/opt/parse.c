// SPDX-License-Identifier: GPL-2.0-or-later
/* The parser of command lines. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/opt/opt.h"

const struct opt_cmd *opt_cmd_find(const struct opt_tool *tool, const char *name)
{
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static const char *const word_on_off[] = { "on", "off", NULL };

static int check_word(const struct opt_tool *tool, const char *const *words, const char *what,
		      const char *value, struct err *err)
{
	struct text_guess g = { .word = value };
	char list[160] = "";
	size_t n = 0;

	for (const char *const *w = words; *w; w++) {
		if (!strcmp(*w, value))
			return 0;
		text_guess_try(&g, *w);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", *w);
		if (n >= sizeof(list))
			break;
	}
	err_set(err, tool->usage_code, NULL, "%s: '%s' is not one of %s", what, value, list);
	if (g.best)
		err_next(err, "did you mean '%s'?", g.best);
	return err->code;
}

int opt_check(const struct opt_tool *tool, enum opt_kind kind, const char *const *words,
	      const char *what, const char *value, struct err *err)
{
	uint64_t v;
	int ret;

	switch (kind) {
	case OPT_FLAG:
		return check_word(tool, word_on_off, what, value, err);
	case OPT_WORD:
		return check_word(tool, words, what, value, err);
	case OPT_FILE:
		if (!*value)
			return err_set(err, tool->usage_code, "give the name of a file",
				       "%s: the name is empty", what);
		return 0;
	case OPT_UINT:
		ret = text_uint(value, UINT64_MAX, &v);
		if (ret)
			return err_set(err, tool->usage_code, "give a whole number, for example 2",
				       "%s: '%s' is %s", what, value,
				       ret == -ERANGE ? "too large" : "not a number");
		return 0;
	case OPT_SIZE:
		ret = text_size(value, &v);
		if (ret)
			return err_set(err, tool->usage_code,
				       "give a number with K, M, G or T, for example 512M or 4G",
				       "%s: '%s' is %s", what, value,
				       ret == -ERANGE ? "too large" : "not a size");
		return 0;
	case OPT_DURATION:
		ret = text_duration(value, &v);
		if (ret)
			return err_set(err, tool->usage_code,
				       "give seconds, or a number with ms, s, m or h, for example 30 or 2m",
				       "%s: '%s' is not a time", what, value);
		return 0;
	case OPT_STR:
	case OPT_STRS:
	case OPT_KEYS:
		break;
	}
	return 0;
}

static const struct opt *find_in(const struct opt *o, const char *name, size_t len, char letter)
{
	for (; o && o->name; o++) {
		if (letter ? o->letter == letter
			   : !strncmp(o->name, name, len) && !o->name[len])
			return o;
	}
	return NULL;
}

static const struct opt *find_opt(const struct opt_tool *tool, const struct opt_cmd *cmd,
				  const char *name, size_t len, char letter)
{
	const struct opt *o = find_in(tool->common, name, len, letter);

	for (unsigned int i = 0; !o && cmd && i < OPT_GROUPS; i++)
		o = find_in(cmd->opts[i], name, len, letter);
	return o;
}

static int unknown_opt(const struct opt_tool *tool, const struct opt_cmd *cmd, const char *text,
		       size_t len, struct err *err)
{
	char word[64];
	struct text_guess g = { .word = word };

	snprintf(word, sizeof(word), "%.*s", (int)len, text + 2);
	err_set(err, tool->usage_code, NULL, "%s%s has no option '%.*s'", cmd ? "" : tool->name,
		cmd ? cmd->name : "", (int)(text[1] == '-' ? len + 2 : 2), text);
	err_next(err, "run '%s%s%s --help' for the options", tool->name, cmd ? " " : "",
		 cmd ? cmd->name : "");
	if (text[1] != '-')
		return err->code;
	for (unsigned int i = 0; i <= OPT_GROUPS; i++) {
		const struct opt *o = i == OPT_GROUPS ? tool->common : cmd ? cmd->opts[i] : NULL;

		for (; o && o->name; o++)
			text_guess_try(&g, o->name);
	}
	if (g.best)
		err_next(err, "did you mean '--%s'?", g.best);
	return err->code;
}

static int add_hit(const struct opt_tool *tool, struct opt_line *line, const struct opt *o,
		   const char *value, struct err *err)
{
	struct opt_keys keys;
	char what[48];
	int ret;

	snprintf(what, sizeof(what), "option --%s", o->name);
	if (o->kind == OPT_KEYS) {
		ret = opt_keys_parse(tool, o, value, &keys, err);
		if (ret)
			return ret;
		if (keys.help) {
			line->help_keys = o;
			return 0;
		}
	} else if (o->kind != OPT_FLAG) {
		ret = opt_check(tool, o->kind, o->words, what, value, err);
		if (ret)
			return ret;
	}
	if (line->hits == OPT_HITS_MAX)
		return err_set(err, tool->usage_code, NULL, "more than %d options", OPT_HITS_MAX);
	line->hit[line->hits++] = (struct opt_hit){ o, value };
	if (o->kind == OPT_FLAG && !strcmp(o->name, "help"))
		line->help = true;
	return 0;
}

/* One option at argv[*i]; moves *@i over a value that stands apart. */
static int parse_opt(const struct opt_tool *tool, int argc, char *const *argv, int *i,
		     struct opt_line *line, struct err *err)
{
	const char *text = argv[*i], *value = NULL;
	const struct opt *o;
	size_t len = 0;

	if (text[1] == '-') {
		len = strcspn(text + 2, "=");
		if (text[2 + len])
			value = text + 2 + len + 1;
		o = find_opt(tool, line->cmd, text + 2, len, 0);
	} else {
		o = find_opt(tool, line->cmd, NULL, 0, text[1]);
		if (text[2])
			value = text + 2;
	}
	if (!o)
		return unknown_opt(tool, line->cmd, text, len, err);
	if (o->kind == OPT_FLAG && value)
		return err_set(err, tool->usage_code, "give it alone",
			       "option --%s takes no value", o->name);
	if (o->kind != OPT_FLAG && !value) {
		if (*i + 1 >= argc) {
			err_set(err, tool->usage_code, NULL, "option --%s needs a value", o->name);
			return err_next(err, "write --%s %s", o->name, o->arg);
		}
		value = argv[++*i];
	}
	return add_hit(tool, line, o, value, err);
}

static int parse_cmd(const struct opt_tool *tool, const char *word, struct opt_line *line,
		     struct err *err)
{
	struct text_guess g = { .word = word };

	line->cmd = opt_cmd_find(tool, word);
	if (line->cmd)
		return 0;
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			text_guess_try(&g, c->name);
	err_set(err, tool->usage_code, NULL, "there is no command '%s'", word);
	if (g.best)
		return err_next(err, "did you mean '%s %s'?", tool->name, g.best);
	return err_next(err, "run '%s --help' for the commands", tool->name);
}

static int check_args(const struct opt_tool *tool, const struct opt_line *line, struct err *err)
{
	const struct opt_cmd *c = line->cmd;

	if (line->args < c->arg_min) {
		err_set(err, tool->usage_code, NULL, "%s needs %s", c->name,
			c->arg_kind == OPT_ARGS_VM ? "the name of a VM" : c->args);
		return c->arg_kind == OPT_ARGS_VM && tool->list_cmd
			? err_next(err, "write '%s %s VM'; '%s' shows the names", tool->name,
				   c->name, tool->list_cmd)
			: err_next(err, "write '%s %s %s'", tool->name, c->name, c->args);
	}
	if (c->arg_max != 255 && line->args > c->arg_max) {
		err_set(err, tool->usage_code, NULL, "%s: '%s' is one word too many", c->name,
			line->arg[c->arg_max]);
		return err_next(err, "run '%s %s --help'", tool->name, c->name);
	}
	if (c->arg_kind == OPT_ARGS_WORD)
		for (unsigned int i = 0; i < line->args; i++) {
			int ret = check_word(tool, c->words, c->name, line->arg[i], err);

			if (ret)
				return ret;
		}
	return 0;
}

int opt_parse(const struct opt_tool *tool, int argc, char *const *argv, struct opt_line *line,
	      struct err *err)
{
	bool plain = false;
	int ret;

	memset(line, 0, sizeof(*line));
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];

		if (!plain && !strcmp(w, "--")) {
			plain = true;
			continue;
		}
		if (!plain && w[0] == '-' && w[1])
			ret = parse_opt(tool, argc, argv, &i, line, err);
		else if (!line->cmd)
			ret = parse_cmd(tool, w, line, err);
		else if (line->args == OPT_WORDS_MAX)
			ret = err_set(err, tool->usage_code, NULL, "more than %d words",
				      OPT_WORDS_MAX);
		else {
			line->arg[line->args++] = w;
			ret = 0;
		}
		if (ret)
			return ret;
		if (line->help_keys)
			return 0;
	}
	if (line->help)
		return 0;
	if (!line->cmd) {
		if (line->hits)
			return 0;	/* --version alone, say: the caller's business */
		line->help = true;
		return err_set(err, tool->usage_code, NULL, "a command is missing");
	}
	return check_args(tool, line, err);
}

bool opt_has(const struct opt_line *line, const char *name)
{
	for (unsigned int i = 0; i < line->hits; i++)
		if (!strcmp(line->hit[i].opt->name, name))
			return true;
	return false;
}

const char *opt_value(const struct opt_line *line, const char *name)
{
	for (unsigned int i = line->hits; i-- > 0;)
		if (!strcmp(line->hit[i].opt->name, name))
			return line->hit[i].value;
	return NULL;
}

const char *opt_next(const struct opt_line *line, const char *name, unsigned int *at)
{
	while (*at < line->hits) {
		const struct opt_hit *h = &line->hit[(*at)++];

		if (!strcmp(h->opt->name, name))
			return h->value;
	}
	return NULL;
}
