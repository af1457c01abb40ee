/* SPDX-License-Identifier: GPL-2.0-only */
/* buffer.h - the .before and .after of ioctls whose argument points to a buffer */
#ifndef _HV_KMOD_BUFFER_H
#define _HV_KMOD_BUFFER_H

#include "ioctl.h"

/* struct hv_state_args: GET allocates and copies out, SET allocates and copies in. */
#define HV_STATE_BYTES_MAX	(68u << 10)	/* 256 messages of HV_REC_VCPU_MESSAGES, or the longest GPADL */
long hv_state_get_before(struct hv_call *call, void *args);
long hv_state_get_after(struct hv_call *call, void *args);
long hv_state_set_before(struct hv_call *call, void *args);

/* struct hv_cpuid_args; the handler is the same on system and VM fds. */
#define HV_CPUID_ENTRIES_MAX	1024u
long hv_cpuid_before(struct hv_call *call, void *args);
long hv_cpuid_get(struct hv_call *call, void *args);
long hv_cpuid_after(struct hv_call *call, void *args);

/* struct hv_stats_args: stats.c */
long hv_stats_before(struct hv_call *call, void *args);
long hv_stats_vm_get(struct hv_call *call, void *args);
long hv_stats_vcpu_get(struct hv_call *call, void *args);
long hv_stats_chan_get(struct hv_call *call, void *args);
long hv_stats_after(struct hv_call *call, void *args);

#endif /* _HV_KMOD_BUFFER_H */
