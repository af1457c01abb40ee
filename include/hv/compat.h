/* SPDX-License-Identifier: GPL-2.0-only */
/* compat.h - host kernel calls whose form changed in the range of kernels; made in kmod/compat/ */
#ifndef _HV_COMPAT_H
#define _HV_COMPAT_H

#include <linux/hrtimer.h>

struct eventfd_ctx;

/* Add 1 to the eventfd's counter. [any] */
void hv_compat_eventfd_signal(struct eventfd_ctx *ctx);
/* Prepare a timer that is not armed yet. [any] */
void hv_compat_hrtimer_setup(struct hrtimer *timer,
			     enum hrtimer_restart (*fn)(struct hrtimer *timer),
			     clockid_t clock, enum hrtimer_mode mode);

#endif /* _HV_COMPAT_H */
