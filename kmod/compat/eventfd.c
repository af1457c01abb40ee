// SPDX-License-Identifier: GPL-2.0-only
/* eventfd_signal() lost its count in 6.8 (it was always 1). */
#include <linux/eventfd.h>
#include <linux/version.h>
#include <hv/compat.h>

void hv_compat_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}
