// SPDX-License-Identifier: GPL-2.0-only
/*
 * power.c - the host sleeps: a device of our own, because its callbacks come while user
 * space is frozen, in every kind of sleep (to idle, to memory, to disk). Notifiers come
 * too early and too late: vCPUs would run between them and the freezer.
 *
 * Virtualization itself is arch's: it follows the CPUs, which go in some kinds only.
 */
#include <linux/err.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <hv/vm.h>
#include "parts.h"

static int power_sleep(struct device *dev)
{
	return hv_vm_sleep_all();
}

static int power_wake(struct device *dev)
{
	hv_vm_wake_all();
	return 0;
}

static const struct dev_pm_ops power_ops = {
	.suspend = power_sleep,
	.resume = power_wake,
	.freeze = power_sleep,		/* for the image; */
	.thaw = power_wake,		/* it is written by a machine that is awake, */
	.poweroff = power_sleep,	/* and guests of that machine run on no more */
	.restore = power_wake,
};

static struct platform_driver power_driver = {
	.driver = {
		.name = "hv-power",
		.pm = &power_ops,
	},
};

static struct platform_device *power_device;

int hv_power_init(void)
{
	int ret = platform_driver_register(&power_driver);

	if (ret)
		return ret;
	power_device = platform_device_register_simple("hv-power", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(power_device)) {
		platform_driver_unregister(&power_driver);
		return PTR_ERR(power_device);
	}
	return 0;
}

void hv_power_exit(void)
{
	platform_device_unregister(power_device);
	platform_driver_unregister(&power_driver);
}
