// SPDX-License-Identifier: LGPL-2.1-or-later
/* State records and counters, of a VM or a vCPU. */
#include "call.h"
#include "libhv.h"

#define FIRST_VCPU_RECORD 0x100

int libhv_state_get(int fd, enum hv_state_record rec, uint32_t index, void *buf, uint32_t *len,
		    uint32_t *version)
{
	struct hv_state_args args = {
		.size = sizeof(args), .record = rec, .index = index, .addr = (uintptr_t)buf,
		.len = *len,
	};
	int ret = libhv_call(fd, rec < FIRST_VCPU_RECORD ? HV_VM_GET_STATE : HV_VCPU_GET_STATE, &args);

	*len = args.len;
	if (version)
		*version = args.version;
	return ret < 0 ? ret : 0;
}

int libhv_state_set(int fd, enum hv_state_record rec, uint32_t index, const void *buf, uint32_t len,
		    uint32_t version)
{
	struct hv_state_args args = {
		.size = sizeof(args), .record = rec, .index = index, .addr = (uintptr_t)buf,
		.len = len, .version = version,
	};

	return libhv_call(fd, rec < FIRST_VCPU_RECORD ? HV_VM_SET_STATE : HV_VCPU_SET_STATE, &args);
}

int libhv_stats(int fd, int is_vcpu, void *buf, uint32_t *len)
{
	struct hv_stats_args args = {
		.size = sizeof(args), .addr = (uintptr_t)buf, .len = *len,
	};
	int ret = libhv_call(fd, is_vcpu ? HV_VCPU_GET_STATS : HV_VM_GET_STATS, &args);

	*len = args.len;
	return ret < 0 ? ret : 0;
}
