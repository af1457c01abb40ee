// SPDX-License-Identifier: GPL-2.0-or-later
/* test and [: strings, numbers, files, and, or, not, parentheses (GRUB manual 16.3.89). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "boot/grub_impl.h"

struct test {
	struct grub_run	*r;
	const char	**arg;
	unsigned int	at, end, deep;
};

static bool test_or(struct test *t);

static const char *peek(const struct test *t, unsigned int ahead)
{
	return t->at + ahead < t->end ? t->arg[t->at + ahead] : NULL;
}

static bool file_test(const struct test *t, char what, const char *path)
{
	const struct boot_files *files = t->r->menu->files;
	struct boot_file f;
	enum boot_stat s;

	if (grub_path(t->r, path, &f))
		return false;
	s = files->stat(files->ctx, f.fs, f.path);
	switch (what) {
	case 'd':
		return s == BOOT_DIR;
	case 'e':
		return s != BOOT_NONE;
	case 'f':
		return s == BOOT_FILE || s == BOOT_EMPTY;
	default:
		return s == BOOT_FILE;
	}
}

/* Up to the first digit both must be the same, with -pgt and -plt; the numbers count. */
static long prefixed(const char *a, const char *b, bool *same)
{
	while (*a && *a == *b && !isdigit((unsigned char)*a))
		a++, b++;
	*same = isdigit((unsigned char)*a) && isdigit((unsigned char)*b);
	return atol(a) - atol(b);
}

static bool compare(const char *a, const char *op, const char *b, bool *known)
{
	static const char *const ops[] = { "=", "==", "!=", "<", "<=", ">", ">=", "-eq", "-ne", "-lt", "-le",
					   "-gt", "-ge", "-pgt", "-plt" };
	unsigned int i = 0;
	int order = strcmp(a, b);
	bool same = false;
	long d;

	while (i < sizeof(ops) / sizeof(ops[0]) && strcmp(ops[i], op))
		i++;
	*known = i < sizeof(ops) / sizeof(ops[0]);
	d = i >= 13 ? prefixed(a, b, &same) : strtol(a, NULL, 10) - (*known ? strtol(b, NULL, 10) : 0);
	switch (i) {
	case 0: case 1:	return !order;
	case 2:		return order;
	case 3:		return order < 0;
	case 4:		return order <= 0;
	case 5:		return order > 0;
	case 6:		return order >= 0;
	case 7:		return !d;
	case 8:		return d;
	case 9:		return d < 0;
	case 10:	return d <= 0;
	case 11:	return d > 0;
	case 12:	return d >= 0;
	case 13:	return same && d > 0;
	case 14:	return same && d < 0;
	}
	return false;
}

static bool test_one(struct test *t)
{
	const char *a = peek(t, 0), *op = peek(t, 1), *b = peek(t, 2);
	bool known, ret;

	if (!a || ++t->deep > GRUB_ARGS_MAX)
		return false;
	if (op && b) {
		ret = compare(a, op, b, &known);
		if (known) {
			t->at += 3;
			return ret;
		}
	}
	if (!strcmp(a, "!")) {
		t->at++;
		return !test_one(t);
	}
	if (!strcmp(a, "(")) {
		t->at++;
		ret = test_or(t);
		t->at += peek(t, 0) && !strcmp(peek(t, 0), ")");
		return ret;
	}
	if (a[0] == '-' && a[1] && !a[2] && op && strchr("defsnz", a[1])) {
		t->at += 2;
		return a[1] == 'n' ? *op : a[1] == 'z' ? !*op : file_test(t, a[1], op);
	}
	t->at++;
	return *a;
}

static bool test_and(struct test *t)
{
	bool ret = test_one(t);

	while (t->at < t->end && strcmp(t->arg[t->at], "-o") && strcmp(t->arg[t->at], ")")) {
		t->at += !strcmp(t->arg[t->at], "-a");
		ret &= test_one(t);
		if (t->deep > GRUB_ARGS_MAX)
			return false;
	}
	return ret;
}

static bool test_or(struct test *t)
{
	bool ret = test_and(t);

	while (t->at < t->end && !strcmp(t->arg[t->at], "-o")) {
		t->at++;
		ret |= test_and(t);
	}
	return ret;
}

int grub_cmd_test(struct grub_run *r, unsigned int args, const char **arg)
{
	struct test t = { .r = r, .arg = arg, .at = 1, .end = args };

	if (arg[0][0] == '[' && (args < 2 || strcmp(arg[args - 1], "]")))
		return 1;
	t.end -= arg[0][0] == '[';
	return !test_or(&t);
}
