/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hyperv.h - the Hyper-V interface from the guest's side */
#ifndef SELFTESTS_GUEST_HYPERV_H
#define SELFTESTS_GUEST_HYPERV_H

#include <hvguest/tlfs.h>
#include "guest.h"

#define OS_ID	0x8100060100000000ull	/* "Linux", some version */

/* False, after a bail-out line, if the machine does not offer the interface. */
bool hyperv_present(void);
/* Is this hv? KVM differs where it may: overlays, hypercalls before the OS id. Option "peer=1" says no. */
bool hyperv_is_hv(void);
/* Write the OS id and enable the hypercall page. */
void hyperv_enable(void);
/* A hypercall through the page. */
u64 hcall(u64 control, u64 in, u64 out);
/* The instruction itself, wherever; NO_FAULT or the vector. */
int hcall_raw(u64 control, u64 in, u64 out, u64 *result);

static inline u64 reftime(void)
{
	return rdmsr(TLFS_MSR_TIME_REF_COUNT);
}

/* Spin until the reference time is @t. */
void reftime_wait(u64 t);
/* Take interrupts for 200 us of reference time. */
void reftime_settle(void);

#endif
