// SPDX-License-Identifier: GPL-2.0-only
/* hrtimer_setup() came in 6.13 and took the place of hrtimer_init() in 6.15. */
#include <linux/version.h>
#include <hv/compat.h>

void hv_compat_hrtimer_setup(struct hrtimer *timer,
			     enum hrtimer_restart (*fn)(struct hrtimer *timer),
			     clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}
