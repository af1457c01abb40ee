// SPDX-License-Identifier: GPL-2.0-or-later
/* Key lists: --memory size=4G,backing=hugetlb */
#include <string.h>

#include "base/text.h"
#include "hvctl/opt/opt.h"

/* Copy one item up to a single comma, turning ",," into ",". Return: what follows, or NULL at the end. */
static const char *item_copy(const char *from, char **to, const char *end)
{
	char *p = *to;

	for (; *from; from++) {
		if (*from == ',') {
			if (from[1] != ',')
				break;
			from++;
		}
		if (p < end)
			*p++ = *from;
	}
	*p++ = 0;
	*to = p;
	return *from ? from + 1 : NULL;
}

static int unknown_key(const struct opt_tool *tool, const struct opt *opt, const char *word,
		       struct err *err)
{
	struct text_guess g = { .word = word };

	for (const struct opt_key *k = opt->keys; k->name; k++)
		text_guess_try(&g, k->name);
	err_set(err, tool->usage_code, NULL, "option --%s has no key '%s'", opt->name, word);
	if (g.best)
		return err_next(err, "did you mean '%s'?", g.best);
	return err_next(err, "write --%s help for the keys", opt->name);
}

static int item_parse(const struct opt_tool *tool, const struct opt *opt, char *item,
		      struct opt_keys *keys, struct err *err)
{
	const struct opt_key *k = opt->keys;
	char *value = strchr(item, '='), what[96];

	if (value) {
		*value++ = 0;
		while (k->name && strcmp(k->name, item))
			k++;
	} else {
		/* A bare word: a flag key, or the value of the first key when it comes first. */
		while (k->name && !(k->kind == OPT_FLAG && !strcmp(k->name, item)))
			k++;
		value = (char *)"on";
		if (!k->name && !keys->n) {
			k = opt->keys;
			value = item;
		}
	}
	if (!k->name)
		return unknown_key(tool, opt, item, err);
	for (unsigned int i = 0; i < keys->n; i++)
		if (keys->kv[i].key == k && k->kind != OPT_STRS)
			return err_set(err, tool->usage_code, "give each key once",
				       "option --%s: key '%s' stands there twice", opt->name, k->name);
	if (keys->n == OPT_KEYS_MAX)
		return err_set(err, tool->usage_code, NULL, "option --%s: too many keys", opt->name);
	snprintf(what, sizeof(what), "option --%s, key %s", opt->name, k->name);
	keys->kv[keys->n].key = k;
	keys->kv[keys->n++].value = value;
	return opt_check(tool, k->kind, k->words, what, value, err);
}

int opt_keys_parse(const struct opt_tool *tool, const struct opt *opt, const char *value,
		   struct opt_keys *keys, struct err *err)
{
	char *to = keys->text;
	int ret;

	keys->n = 0;
	keys->help = false;
	if (strlen(value) >= sizeof(keys->text) - 1)
		return err_set(err, tool->usage_code, NULL, "option --%s: the value is too long",
			       opt->name);
	while (value) {
		char *item = to;

		value = item_copy(value, &to, keys->text + sizeof(keys->text) - 1);
		if (!strcmp(item, "help") || !strcmp(item, "?")) {
			keys->help = true;
			return 0;
		}
		if (!*item)
			return err_set(err, tool->usage_code,
				       "write key=value,key=value; two commas stand for one in a value",
				       "option --%s: an item of the list is empty", opt->name);
		ret = item_parse(tool, opt, item, keys, err);
		if (ret)
			return ret;
	}
	return 0;
}

const char *opt_keys_value(const struct opt_keys *keys, const char *name)
{
	for (unsigned int i = 0; i < keys->n; i++)
		if (!strcmp(keys->kv[i].key->name, name))
			return keys->kv[i].value;
	return NULL;
}
