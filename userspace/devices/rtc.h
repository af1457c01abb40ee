/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MC146818 CMOS clock at ports 0x70/0x71, driven by the host's clock. */
#ifndef HV_DEVICES_RTC_H
#define HV_DEVICES_RTC_H

#include "dev_services.h"

#define RTC_CENTURY	0x32	/* CMOS byte of the century; the FADT names it */

/* 0 or -ENOMEM. */
int rtc_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int gsi);

#endif
