/* SPDX-License-Identifier: GPL-2.0-only */
/* exit.h - what the run loop needs of exit.c */
#ifndef _HV_VIRT_EXIT_H
#define _HV_VIRT_EXIT_H

#include <hv/types.h>

/*
 * Give user space's answer to what waits for it. HV_NEXT_RESUME with pending.answered
 * still set: the instruction must wait for memory; call again before the guest is entered.
 * [run, before the first entry]
 */
enum hv_next hv_pending_finish(struct hv_vcpu *vcpu);

#endif /* _HV_VIRT_EXIT_H */
