/* SPDX-License-Identifier: GPL-2.0-only */
/* caps.h - HV_SYS_GET_CAP */
#ifndef _HV_KMOD_CAPS_H
#define _HV_KMOD_CAPS_H

#include <linux/types.h>

/* Value of @cap (enum hv_cap). -EINVAL unknown, -ENOMEM. [proc] */
int hv_caps_get(u32 cap, u64 *value);

#endif /* _HV_KMOD_CAPS_H */
