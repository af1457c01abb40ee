// SPDX-License-Identifier: GPL-2.0-or-later
/* The part every device model shares: its ranges and its lock. */
#include <string.h>

#include "dev_services.h"

void device_init(struct device *d, const struct dev_ops *ops, struct dev_services *ds,
		 const struct dev_range *ranges, unsigned int nr)
{
	memset(d, 0, sizeof(*d));
	d->ops = ops;
	d->ds = ds;
	d->nr_ranges = nr < DEV_RANGES ? nr : DEV_RANGES;
	if (nr)
		memcpy(d->range, ranges, d->nr_ranges * sizeof(*ranges));
	pthread_mutex_init(&d->lock, NULL);
}
