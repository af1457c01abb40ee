// SPDX-License-Identifier: LGPL-2.1-or-later
/* The system fd: version, capabilities, CPUID. */
#include <fcntl.h>
#include <string.h>

#include "call.h"
#include "libhv.h"

int libhv_open(const char *path)
{
	int fd = open(path ? path : LIBHV_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int libhv_version(int sys, struct hv_version_args *out)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return libhv_call(sys, HV_SYS_GET_VERSION, out);
}

int libhv_cap(int sys, enum hv_cap cap, uint64_t *value)
{
	struct hv_cap_args args = { .size = sizeof(args), .cap = cap };
	int ret = libhv_call(sys, HV_SYS_GET_CAP, &args);

	if (ret >= 0)
		*value = args.value;
	return ret < 0 ? ret : 0;
}

int libhv_cpuid(int sys, enum hv_cpu_model model, struct hv_cpuid_entry *out, uint32_t *nr)
{
	struct hv_cpuid_args args = {
		.size = sizeof(args), .cpu_model = model, .nr = *nr, .addr = (uintptr_t)out,
	};
	int ret = libhv_call(sys, HV_SYS_GET_CPUID, &args);

	*nr = args.nr;
	return ret < 0 ? ret : 0;
}
