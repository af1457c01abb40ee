// SPDX-License-Identifier: GPL-2.0-or-later
/* The forms most values have: text, sizes, words, flags. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/def/map.h"

#define BLANKS " \t\r\n"

int map_error(struct def_job *j, const struct xml_node *at, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(j->err, RC_INVALID, NULL, "%s:%u: <%.40s>: %s", j->what, at->line, at->name, text);
	return -1;
}

int map_value(struct def_job *j, const struct xml_node *at, const char *from, char *value)
{
	if (strlen(from) >= DEF_VALUE_MAX)
		return map_error(j, at, "the value is longer than %d bytes", DEF_VALUE_MAX - 1);
	strcpy(value, from);
	return 1;
}

/* A copy without blanks around it. */
static int trimmed(struct def_job *j, const struct xml_node *at, const char *from, char *value)
{
	size_t n;

	from += strspn(from, BLANKS);
	if (map_value(j, at, from, value) < 0)
		return -1;
	n = strlen(value);
	while (n && strchr(BLANKS, value[n - 1]))
		value[--n] = 0;
	return 1;
}

int map_number(struct def_job *j, const struct xml_node *at, const char *text, unsigned long long max,
	       unsigned long long *out)
{
	uint64_t v;
	int ret = strspn(text, "0123456789") == strlen(text) ? text_uint(text, max, &v) : -1;

	if (ret)
		return map_error(j, at, "'%.60s' is not a number from 0 to %llu", text, max);
	*out = v;
	return 1;
}

static bool is_called(const struct xml_node *n, const char *word, size_t len)
{
	const char *ns;

	if (strncmp(word, "hv:", 3))
		return !strncmp(n->name, word, len) && !n->name[len];
	ns = xml_namespace(n);		/* whatever prefix the writer chose */
	if (!ns || strcmp(ns, DEF_NAMESPACE))
		return false;
	return strlen(strchr(n->name, ':') + 1) == len - 3 && !strncmp(strchr(n->name, ':') + 1, word + 3, len - 3);
}

/* The end of the path's next word. */
static size_t word_of(const char *path)
{
	return strcspn(path, "/@");
}

struct xml_node *map_find(struct xml_node *base, const char *path, const char **attr)
{
	struct xml_node *n = base;

	*attr = NULL;
	while (*path && *path != '@') {
		size_t len = word_of(path);
		struct xml_node *c = n->first;

		while (c && !is_called(c, path, len))
			c = c->next;
		if (!c)
			return NULL;
		n = c;
		path += len;
		/* An element on the way means nothing by itself; the last one is its finder's. */
		if (*path)
			n->read = true;
		if (*path == '/')
			path++;
	}
	if (*path == '@')
		*attr = path + 1;
	return n;
}

struct xml_node *map_want(struct def_job *j, struct xml_node *base, const char *path, const char **attr)
{
	struct xml_node *n = base;
	char word[64];

	*attr = NULL;
	while (n && *path && *path != '@') {
		size_t len = word_of(path);

		snprintf(word, sizeof(word), "%.*s", (int)len, path);
		n = xml_want(j->doc, n, word);
		if (!strcmp(word, "hv:vm"))
			xml_set(j->doc, n, "xmlns:hv", DEF_NAMESPACE);
		path += len;
		if (*path == '/')
			path++;
	}
	if (*path == '@')
		*attr = path + 1;
	return n;
}

/* The text at a row's path, marked as read; NULL: absent. *@at: the element. */
static const char *look(const struct def_row *row, struct xml_node *base, struct xml_node **at)
{
	const char *attr, *text;
	struct xml_node *n = map_find(base, row->path, &attr);

	*at = n;
	if (!n)
		return NULL;
	text = attr ? xml_attr_read(n, attr) : xml_text_read(n);
	if (text)
		n->read = true;
	return text;
}

static void say(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *text)
{
	const char *attr;
	struct xml_node *n = map_want(j, base, row->path, &attr);

	if (attr)
		xml_set(j->doc, n, attr, text);
	else
		xml_text(j->doc, n, text);
}

static int get_text(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *at;
	const char *text = look(row, base, &at);

	return text ? map_value(j, at, text, value) : 0;
}

static void put_text(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	say(j, row, base, value ? value : "");
}

const struct def_form form_text = { get_text, put_text, false };

/* What its options cannot say: an empty one is as if it were not there. */
static int get_title(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	int ret = get_text(j, row, base, value);

	if (ret == 1 && !*value)
		return 0;
	if (ret == 1 && !strcmp(row->opt, "title") && strchr(value, '\n'))
		return map_error(j, base, "<title> holds a line break");
	return ret;
}

const struct def_form form_title = { get_title, put_text, false };

/* libvirt's scaled integers. The unit is an attribute of the same element; none: KiB. */
static const struct { const char *name; uint64_t bytes; } units[] = {
	{ "KiB", 1ULL << 10 }, { "k", 1ULL << 10 }, { "b", 1 }, { "bytes", 1 }, { "KB", 1000 },
	{ "MiB", 1ULL << 20 }, { "M", 1ULL << 20 }, { "MB", 1000000 }, { "GiB", 1ULL << 30 },
	{ "G", 1ULL << 30 }, { "GB", 1000000000 }, { "TiB", 1ULL << 40 }, { "T", 1ULL << 40 },
	{ "TB", 1000000000000 },
};

static int get_size(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *at;
	const char *text = look(row, base, &at), *unit;
	unsigned long long v;
	uint64_t bytes;
	size_t i = 0;

	if (!text)
		return 0;
	if (trimmed(j, at, text, value) < 0 || map_number(j, at, value, UINT64_MAX, &v) < 0)
		return -1;
	unit = xml_attr_read(at, "unit");
	while (unit && i < sizeof(units) / sizeof(units[0]) && strcmp(units[i].name, unit))
		i++;
	if (i == sizeof(units) / sizeof(units[0]))
		return map_error(j, at, "the unit '%.20s' is not known; write KiB, MiB or GiB", unit);
	if (__builtin_mul_overflow(v, units[i].bytes, &bytes))
		return map_error(j, at, "the size is too large");
	if (bytes % 1024)
		snprintf(value, DEF_VALUE_MAX, "%" PRIu64, bytes);
	else
		snprintf(value, DEF_VALUE_MAX, "%" PRIu64 "K", bytes / 1024);
	return 1;
}

static void put_size(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	const char *attr;
	struct xml_node *n = map_want(j, base, row->path, &attr);
	char text[24];
	uint64_t v;

	if (text_size(value, &v))
		return;		/* the option's parser has seen that it is one */
	snprintf(text, sizeof(text), "%" PRIu64, v % 1024 ? v : v / 1024);
	xml_set(j->doc, n, "unit", v % 1024 ? "b" : "KiB");
	if (attr)
		xml_set(j->doc, n, attr, text);
	else
		xml_text(j->doc, n, text);
}

const struct def_form form_size = { get_size, put_size, false };

/* "a, b or c" of what XML may say. */
static const char *choices(const struct def_word *w, char *buf, size_t len)
{
	size_t n = 0;

	*buf = 0;
	for (; w->opt; w++)
		if (w->xml && n < len)
			n += (size_t)snprintf(buf + n, len - n, "%s'%s'", n ? ", " : "", w->xml);
	return buf;
}

static int get_words(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *at;
	const char *text = look(row, base, &at), *attr = strchr(row->path, '@');
	char list[128];

	if (!text)
		return 0;
	if (trimmed(j, at, text, value) < 0)
		return -1;
	for (const struct def_word *w = row->words; w->opt; w++)
		if (w->xml && !strcmp(w->xml, value))
			return map_value(j, at, w->opt, value);
	return map_error(j, at, "%s%s'%.60s' is not supported, only %s", attr ? attr + 1 : "", attr ? "=" : "",
			 value, choices(row->words, list, sizeof(list)));
}

static void put_words(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	for (const struct def_word *w = row->words; w->opt; w++)
		if (!strcmp(w->opt, value ? value : "on") && w->xml)
			say(j, row, base, w->xml);
}

const struct def_form form_words = { get_words, put_words, false };

/* A flag that is an empty element. */
static int get_present(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	const char *attr;
	struct xml_node *n = map_find(base, row->path, &attr);

	(void)j;
	if (!n)
		return 0;
	n->read = true;
	strcpy(value, "on");
	return 1;
}

static void put_present(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	const char *attr;
	struct xml_node *n;

	if (value && strcmp(value, "on"))
		return;
	n = map_want(j, base, row->path, &attr);
	if (n)
		n->keep = true;
}

const struct def_form form_present = { get_present, put_present, false };

static const struct def_word yes_words[] = { { "on", "yes" }, { "off", "no" }, { 0 } };

static int get_yes(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct def_row yes = *row;

	yes.words = yes_words;
	return get_words(j, &yes, base, value);
}

static void put_yes(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct def_row yes = *row;

	yes.words = yes_words;
	put_words(j, &yes, base, value);
}

const struct def_form form_yes = { get_yes, put_yes, false };

/*
 * What is so in every VM: it may be said, and nothing else may. The first word is what we write; NULL: we
 * do not. Its "opt" is not looked at.
 */
static int get_fixed(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	return get_words(j, row, base, value) < 0 ? -1 : 0;
}

static void put_fixed(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	(void)value;
	if (row->words[0].xml)
		say(j, row, base, row->words[0].xml);
}

const struct def_form form_fixed = { get_fixed, put_fixed, true };

bool def_name_ok(const char *name)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strspn(name, set);

	return n && !name[n] && n <= 63 && !strchr("._-", name[0]);
}

static int get_name(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *at;
	const char *text = look(row, base, &at);

	if (!text)
		return 0;
	if (!def_name_ok(text))
		return map_error(j, at, "'%.80s' cannot be a name: letters, digits, '.', '_' and '-', a letter or "
				 "digit first, at most 63", text);
	return map_value(j, at, text, value);
}

const struct def_form form_name = { get_name, put_text, false };

bool def_uuid_ok(const char *u)
{
	size_t i;

	for (i = 0; u[i]; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? u[i] != '-' : !strchr("0123456789abcdef", u[i]))
			return false;
	}
	return i == 36;
}

static int get_uuid(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	struct xml_node *at;
	const char *text = look(row, base, &at);

	if (!text)
		return 0;
	if (trimmed(j, at, text, value) < 0)
		return -1;
	for (char *p = value; *p; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p | 0x20) : *p;
	if (!def_uuid_ok(value))
		return map_error(j, at, "'%.60s' is not a UUID", text);
	return 1;
}

const struct def_form form_uuid = { get_uuid, put_text, false };
