// SPDX-License-Identifier: GPL-2.0-or-later
/* The command-line engine on a small table: parsing, key lists, and what is generated from the table. */
#include <stdlib.h>

#include "hvctl/opt/opt.h"
#include "selftests/unit/lib/unit.h"

static const char *const colours[] = { "red", "green", NULL };

static const struct opt_key paint_keys[] = {
	{ "colour", OPT_WORD, "C", "which colour", colours },
	{ "coats", OPT_UINT, "N", "how many coats", NULL },
	{ "gloss", OPT_FLAG, NULL, "shiny", NULL },
	{ "note", OPT_STR, "TEXT", "anything", NULL },
	{ "hole", OPT_STRS, "PLACE", "where not to paint", NULL },
	{ 0 }
};

static const struct opt common[] = {
	{ .name = "json", .help = "as JSON" },
	{ .name = "help", .letter = 'h', .help = "help" },
	{ 0 }
};

static const struct opt paint_opts[] = {
	{ .name = "size", .letter = 's', .kind = OPT_SIZE, .arg = "SIZE", .help = "how big" },
	{ .name = "paint", .kind = OPT_KEYS, .arg = "LIST", .keys = paint_keys, .help = "the paint" },
	{ .name = "word", .letter = 'w', .kind = OPT_STR, .arg = "W", .repeat = true, .help = "a word" },
	{ .name = "it's", .help = "don't [do] this: \\ or 'that'" },
	{ 0 }
};

static const struct opt_cmd cmds[] = {
	{ .name = "paint", .help = "paint a thing", .opts = { paint_opts }, .args = "VM",
	  .arg_kind = OPT_ARGS_VM, .arg_min = 1, .arg_max = 2, .text = ".starts with a dot\n'and a quote" },
	{ .name = "rest", .help = "do nothing" },
	{ .name = "secret", .help = "hidden", .hidden = true },
	{ 0 }
};

static const struct opt_tool tool = {
	.name = "toy", .version = "1", .help = "a toy", .text = "text", .cmds = cmds, .common = common,
	.list_cmd = "toy list", .usage_code = 2,
};

static struct opt_line line;
static struct err err;

#define ARGS 12

/* Parse a line of words separated by '|'. */
static int parse(const char *text)
{
	static char copy[256], *argv[ARGS];
	int argc = 0;
	char *save = NULL;

	snprintf(copy, sizeof(copy), "toy|%s", text);
	for (char *w = strtok_r(copy, "|", &save); w && argc < ARGS; w = strtok_r(NULL, "|", &save))
		argv[argc++] = w;
	memset(&err, 0, sizeof(err));
	return opt_parse(&tool, argc, argv, &line, &err);
}

static void test_parse(void)
{
	unsigned int at = 0;

	CHECK_EQ(parse("paint|x|--size|4G|--json"), 0);
	CHECK(line.cmd == &cmds[0]);
	CHECK_EQ(line.args, 1);
	CHECK(!strcmp(opt_value(&line, "size"), "4G"));
	CHECK(opt_has(&line, "json"));
	CHECK(!opt_has(&line, "word"));

	CHECK_EQ(parse("--json|paint|-s4G|x|--size=1K"), 0);
	CHECK(!strcmp(opt_value(&line, "size"), "1K"));
	CHECK_EQ(parse("paint|-w|a|x|--word=b|-w|-c"), 0);
	CHECK(!strcmp(opt_next(&line, "word", &at), "a"));
	CHECK(!strcmp(opt_next(&line, "word", &at), "b"));
	CHECK(!strcmp(opt_next(&line, "word", &at), "-c"));
	CHECK(!opt_next(&line, "word", &at));
	CHECK_EQ(parse("paint|--|--size|-x"), 0);
	CHECK_EQ(line.args, 2);
	CHECK(!strcmp(line.arg[1], "-x"));
	CHECK_EQ(parse("paint|-"), 0);	/* a lone dash is a word */
	CHECK_EQ(parse("paint|--help|--size|1K"), 0);
	CHECK(line.help);
	CHECK_EQ(parse("secret"), 0);
}

static void test_errors(void)
{
	static const struct { const char *text, *says, *next; } t[] = {
		{ "pain|x", "no command 'pain'", "did you mean 'toy paint'" },
		{ "secre", "no command", "toy --help" },	/* hidden ones are not suggested */
		{ "paint|--sise|1", "no option '--sise'", "'--size'" },
		{ "paint|-z", "no option '-z'", "--help" },
		{ "rest|--size|1K", "rest has no option", "--help" },
		{ "--size|1K|paint|x", "toy has no option", "--help" },
		{ "paint|x|--size", "needs a value", "--size SIZE" },
		{ "paint|x|--size=", "not a size", "512M" },
		{ "paint|x|--json=1", "takes no value", "alone" },
		{ "paint", "name of a VM", "toy list" },
		{ "paint|a|b|c", "'c' is one word too many", "toy paint --help" },
		{ "paint|x|--paint|blue", "not one of red, green", "" },
		{ "paint|x|--paint|gren", "not one of", "did you mean 'green'" },
		{ "paint|x|--paint|coats=x", "not a number", "whole number" },
		{ "paint|x|--paint|coat=1", "no key 'coat'", "'coats'" },
		{ "paint|x|--paint|coats=1,coats=2", "stands there twice", "once" },
		{ "paint|x|--paint|coats=1,,", "not a number", "" },
		{ "paint|x|--paint|,coats=1", "is empty", "key=value" },
		{ "paint|x|--paint|coats=1,red", "no key 'red'", "" },
		{ "paint|x|--paint|gloss=maybe", "not one of on, off", "" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK_EQ(parse(t[i].text), 2);
		CHECK_EQ(err.code, 2);
		CHECK_HAS(err.text, t[i].says);
		CHECK_HAS(err.next, t[i].next);
	}
}

static void test_keys(void)
{
	static struct opt_keys k;
	char *big = malloc(OPT_KEYS_TEXT + 8);

	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], "red,coats=2,gloss,note=a,,b=c", &k, &err), 0);
	CHECK_EQ(k.n, 4);
	CHECK(!strcmp(opt_keys_value(&k, "colour"), "red"));
	CHECK(!strcmp(opt_keys_value(&k, "note"), "a,b=c"));
	CHECK(!strcmp(opt_keys_value(&k, "gloss"), "on"));
	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], "red,hole=a,hole=b", &k, &err), 0);
	CHECK_EQ(k.n, 3);
	CHECK(!strcmp(k.kv[1].value, "a") && !strcmp(k.kv[2].value, "b"));
	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], "gloss,coats=1", &k, &err), 0);
	CHECK(!opt_keys_value(&k, "colour"));
	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], "red,help", &k, &err), 0);
	CHECK(k.help);
	CHECK_EQ(parse("paint|--paint|help"), 0);
	CHECK(line.help_keys == &paint_opts[1]);
	memset(big, 'x', OPT_KEYS_TEXT + 7);
	memcpy(big, "note=", 5);
	big[OPT_KEYS_TEXT + 7] = 0;
	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], big, &k, &err), 2);
	big[OPT_KEYS_TEXT - 2] = 0;
	CHECK_EQ(opt_keys_parse(&tool, &paint_opts[1], big, &k, &err), 0);
	CHECK_EQ(strlen(opt_keys_value(&k, "note")), OPT_KEYS_TEXT - 2 - 5);
	free(big);
}

/* What the table knows, every output of it must know too. */
static void test_generated(void)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	opt_man(&tool, f);
	fclose(f);
	CHECK_HAS(text, ".SS toy paint");
	CHECK_HAS(text, "\\fBcoats\\fR=\\fIN\\fR");
	CHECK_HAS(text, "\\&.starts with a dot");
	CHECK_HAS(text, "\n\\&'and a quote");
	CHECK(!strstr(text, "secret"));
	free(text);
	for (size_t i = 0; i < 3; i++) {
		f = open_memstream(&text, &len);
		CHECK_EQ(opt_completion(&tool, shells[i], f), 0);
		fclose(f);
		CHECK_HAS(text, "paint");
		CHECK_HAS(text, "size");
		CHECK_HAS(text, "coats=");
		CHECK_HAS(text, "toy list");
		CHECK(!strstr(text, "secret"));
		free(text);
	}
	f = open_memstream(&text, &len);
	CHECK_EQ(opt_completion(&tool, "tcsh", f), -1);
	opt_help_cmd(&tool, &cmds[0], f);
	opt_help_keys(&paint_opts[1], f);
	opt_help_tool(&tool, f);
	fclose(f);
	CHECK_HAS(text, "-s, --size SIZE");
	CHECK_HAS(text, "gloss[=on|off]");
	CHECK_HAS(text, "one of red, green");
	free(text);
}

int main(void)
{
	test_parse();
	test_errors();
	test_keys();
	test_generated();
	return unit_done();
}
