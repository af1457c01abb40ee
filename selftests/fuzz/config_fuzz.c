// SPDX-License-Identifier: GPL-2.0-or-later
/* The text form of a configuration. What is taken is written out and read back the same, and can be laid out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/config.h"
#include "vmm/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void layout_check(const struct vmm_config *cfg)
{
	struct layout l;
	uint64_t sum = 0, end = 0;

	layout_build(&l, cfg);
	if (l.nr > LAYOUT_RANGES)
		abort();
	for (unsigned int i = 0; i < l.nr; i++) {
		if (l.range[i].gpa < end || l.range[i].offset != sum || !l.range[i].bytes)
			abort();
		sum += l.range[i].bytes;
		end = l.range[i].gpa + l.range[i].bytes;
		if (l.range[i].gpa < LAYOUT_HIGH && end > LAYOUT_HOLE)
			abort();
	}
	if (sum != cfg->memory)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char one[VMM_TEXT_MAX + 1], two[VMM_TEXT_MAX + 1], back[VMM_TEXT_MAX + 1];
	struct vmm_config cfg, again;
	char err[128], *text = malloc(size ? size : 1);
	int n;

	memcpy(text, data, size);
	memset(err, 'x', sizeof(err));
	if (vmm_config_decode(&cfg, text, size, err, sizeof(err))) {
		if (!memchr(err, 0, sizeof(err)) || !err[0])
			abort();
		free(text);
		return 0;
	}
	layout_check(&cfg);
	n = vmm_config_encode(&cfg, one, sizeof(one));
	if (n >= 0) {
		memcpy(back, one, n);
		if (vmm_config_decode(&again, back, n, err, sizeof(err)) ||
		    vmm_config_encode(&again, two, sizeof(two)) != n || memcmp(one, two, n))
			abort();
	}
	free(text);
	return 0;
}
