// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the control socket. What is taken must name a known verb and known keys only. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_request req;
	char why[128];

	if (size > CTL_REQUEST_MAX)
		return 0;
	memset(why, 'x', sizeof(why));
	if (ctl_request_parse((const char *)data, size, &req, why, sizeof(why))) {
		if (!memchr(why, 0, sizeof(why)))
			abort();
		return 0;
	}
	if (req.verb >= CTL_VERB_NR || req.keys & ~(CTL_KEY_READONLY | CTL_KEY_FORCE))
		abort();
	if (req.keys && req.verb != CTL_CONSOLE)
		abort();
	return 0;
}
