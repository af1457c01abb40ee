// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module entry and exit.
 *
 * Everything the module sets up once is a row of hv_parts: rows are started
 * in order and stopped in reverse order, also when a later row fails to
 * start, so no part needs an unwind path that knows about the others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <hv/arch.h>
#include <hv/params.h>
#include <hv/release.h>
#include <hv/gmem.h>
#include <hv/request.h>
#include "parts.h"

/**
 * struct hv_part - one thing the module starts at load and stops at unload
 * @name: what the log calls it
 * @init: process context, may sleep; 0 or a negative errno
 * @exit: undoes @init; called only after @init returned 0
 */
struct hv_part {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
};

static int hv_banner_init(void)
{
	pr_info("version " HV_RELEASE " loaded\n");
	return 0;
}

static void hv_nothing_exit(void)
{
}

static void hv_banner_exit(void)
{
	pr_info("unloaded\n");
}

static const struct hv_part hv_parts[] = {
	{ "parameters", hv_params_init, hv_nothing_exit },
	{ "netlink", hv_netlink_init, hv_netlink_exit },
	{ "requests", hv_request_init, hv_request_exit },
	{ "host pages", hv_hostpage_init, hv_hostpage_exit },
	{ "processor", hv_arch_init, hv_arch_exit },
	{ "debugfs", hv_debugfs_init, hv_debugfs_exit },
	{ "power", hv_power_init, hv_power_exit },
	/* From here on user space can come in. */
	{ "/dev/hv", hv_chardev_init, hv_chardev_exit },
	/* Last, so that its line says that everything before it is up. */
	{ "banner", hv_banner_init, hv_banner_exit },
};

static void hv_parts_stop(int started)
{
	while (started-- > 0)
		hv_parts[started].exit();
}

static int __init hv_module_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(hv_parts); i++) {
		ret = hv_parts[i].init();
		if (ret) {
			pr_err("%s: cannot start: error %d\n",
			       hv_parts[i].name, ret);
			hv_parts_stop(i);
			return ret;
		}
	}
	return 0;
}

static void __exit hv_module_exit(void)
{
	hv_parts_stop(ARRAY_SIZE(hv_parts));
}

module_init(hv_module_init);
module_exit(hv_module_exit);

MODULE_AUTHOR("The hv authors");
MODULE_DESCRIPTION("Hyper-V-compatible hypervisor");
MODULE_LICENSE("GPL");
MODULE_VERSION(HV_RELEASE);
