// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node /dev/hv. Root's until the udev rule hands it to group hv: whoever may open it
 * may create VMs and nothing else.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include "ioctl.h"
#include "parts.h"

static struct miscdevice hv_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hv",
	.mode = 0660,
	.fops = &hv_sys_fops,
};

int hv_chardev_init(void)
{
	return misc_register(&hv_dev);
}

void hv_chardev_exit(void)
{
	misc_deregister(&hv_dev);
}
