// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before 6.18 (linux/entry-virt.h) the call that does pending work is written for KVM
 * alone: on a signal it writes an exit reason and a counter through its struct kvm_vcpu.
 * It gets one that nobody reads.
 */
#include <hv/compat.h>
#ifndef HV_HAVE_ENTRY_VIRT
#include <linux/kvm_host.h>

static struct kvm_run nobodys_run;
static struct kvm_vcpu nobodys_vcpu = { .run = &nobodys_run };
#endif

int hv_compat_guest_work(void)
{
#ifdef HV_HAVE_ENTRY_VIRT
	return xfer_to_guest_mode_handle_work();
#else
	return xfer_to_guest_mode_handle_work(&nobodys_vcpu);
#endif
}
