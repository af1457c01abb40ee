// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests of the control socket. What is taken must name a known verb and known keys only. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/config.h"
#include "vmm/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int allowed(enum ctl_verb verb)
{
	const unsigned int place = CTL_KEY_CONTROLLER | CTL_KEY_UNIT;

	switch (verb) {
	case CTL_CONSOLE:	return CTL_KEY_READONLY | CTL_KEY_FORCE;
	case CTL_DISK_ATTACH:	return place | CTL_KEY_PATH | CTL_KEY_READONLY | CTL_KEY_RAW;
	case CTL_DISK_DETACH:	return place;
	case CTL_DISK_EJECT:	return place | CTL_KEY_FORCE;
	case CTL_DISK_INSERT:	return place | CTL_KEY_PATH | CTL_KEY_FORCE;
	case CTL_LINK_UP:
	case CTL_LINK_DOWN:	return CTL_KEY_UNIT;
	default:		return 0;
	}
}

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
	if (req.verb >= CTL_VERB_NR || req.keys & ~allowed(req.verb))
		abort();
	if (req.controller >= VMM_CONTROLLERS_MAX || req.unit >= VMM_LUNS_MAX)
		abort();
	if (!memchr(req.path, 0, sizeof(req.path)) || !req.path[0] != !(req.keys & CTL_KEY_PATH) ||
	    strpbrk(req.path, "\r\n"))
		abort();
	return 0;
}
