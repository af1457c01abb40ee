// SPDX-License-Identifier: LGPL-2.1-or-later
/* The vCPU fd: run page and run. */
#include <sys/mman.h>

#include "call.h"
#include "libhv.h"

int libhv_vcpu_map(int vcpu, struct hv_run **out)
{
	void *p = mmap(NULL, HV_RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	if (p == MAP_FAILED)
		return -errno;
	*out = p;
	return 0;
}

void libhv_vcpu_unmap(struct hv_run *run)
{
	if (run)
		munmap(run, HV_RUN_BYTES);
}

int libhv_vcpu_run(int vcpu)
{
	return libhv_call(vcpu, HV_VCPU_RUN, NULL);
}

int libhv_vcpu_nmi(int vcpu)
{
	struct hv_inject_args args = { .size = sizeof(args), .kind = HV_INJECT_NMI };

	return libhv_call(vcpu, HV_VCPU_INJECT, &args);
}

int libhv_vcpu_translate(int vcpu, struct hv_translate_args *args)
{
	args->size = sizeof(*args);
	return libhv_call(vcpu, HV_VCPU_TRANSLATE, args);
}
