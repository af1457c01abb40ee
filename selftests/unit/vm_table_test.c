// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of a VM: names and letters are used once, and each says what it is. */
#include <string.h>

#include "hvctl/def/vm_table.h"
#include "selftests/unit/lib/unit.h"

static void keys_of(const struct opt *o)
{
	for (const struct opt_key *k = o->keys; k->name; k++) {
		CHECK(k->help && k->help[0]);
		CHECK(k->kind == OPT_FLAG || k->arg);
		CHECK(k->kind != OPT_WORD || k->words);
		CHECK(k->kind != OPT_KEYS);
		for (const struct opt_key *other = o->keys; other != k; other++)
			CHECK(strcmp(k->name, other->name));
	}
}

static void each(const struct opt *list, const struct opt *against)
{
	for (const struct opt *o = list; o->name; o++) {
		CHECK(o->help && o->help[0]);
		CHECK(o->kind == OPT_FLAG || o->arg);
		CHECK(o->kind != OPT_WORD || o->words);
		if (o->kind == OPT_KEYS)
			keys_of(o);
		for (const struct opt *p = against; p->name && p != o; p++) {
			CHECK(strcmp(o->name, p->name));
			CHECK(!o->letter || o->letter != p->letter);
		}
	}
}

int main(void)
{
	each(vm_opts, vm_opts);
	each(run_opts, run_opts);
	each(run_opts, vm_opts);
	return unit_done();
}
