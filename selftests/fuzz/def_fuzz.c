// SPDX-License-Identifier: GPL-2.0-or-later
/* Definitions: what is taken is written again, and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hvctl/def/def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct def *a, const struct def *b)
{
	char *x = NULL, *y = NULL;
	struct err err;
	bool is = !def_write(a, &x, &err) && !def_write(b, &y, &err) && !strcmp(x, y);

	free(x);
	free(y);
	return is && a->foreigns == b->foreigns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct def d, again;
	struct err err = { 0 };
	char *text;
	int ret = def_read(&d, "fuzz", (const char *)data, size, &err);

	if (ret) {
		if (err.code != ret || !err.text[0] || !memchr(err.text, 0, sizeof(err.text)))
			abort();
		def_free(&d);
		return 0;
	}
	if (!opt_value(&d.line, "name") || !def_name_ok(opt_value(&d.line, "name")))
		abort();
	if (def_write(&d, &text, &err) || def_read(&again, "again", text, strlen(text), &err) || !same(&d, &again))
		abort();
	free(text);
	def_free(&d);
	def_free(&again);
	return 0;
}
