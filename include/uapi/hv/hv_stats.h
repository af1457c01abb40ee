/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hv_stats.h - self-describing counters
 *
 * The buffer of HV_VM_GET_STATS and HV_VCPU_GET_STATS: a header, @nr descriptors at
 * @desc_off, @nr __u64 values at @data_off. User space needs no list of its own.
 */
#ifndef _UAPI_HV_HV_STATS_H
#define _UAPI_HV_HV_STATS_H

#include <linux/types.h>

struct hv_stats_header {
	__u32 nr;
	__u32 desc_off;
	__u32 data_off;
	__u32 desc_bytes;	/* of one descriptor */
};

struct hv_stats_desc {
	char  name[40];
	__u32 unit;		/* enum hv_stats_unit */
	__u32 kind;		/* enum hv_stats_kind */
};

enum hv_stats_unit {
	HV_STATS_COUNT = 0,
	HV_STATS_BYTES = 1,
	HV_STATS_NS = 2,
	HV_STATS_PAGES = 3,
};

enum hv_stats_kind {
	HV_STATS_CUMULATIVE = 0,
	HV_STATS_INSTANT = 1,
};

#endif /* _UAPI_HV_HV_STATS_H */
