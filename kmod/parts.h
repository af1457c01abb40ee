/* SPDX-License-Identifier: GPL-2.0-only */
/* parts.h - what main.c starts and stops, one pair a file */
#ifndef _HV_KMOD_PARTS_H
#define _HV_KMOD_PARTS_H

int hv_netlink_init(void);
void hv_netlink_exit(void);
int hv_debugfs_init(void);
void hv_debugfs_exit(void);
int hv_power_init(void);
void hv_power_exit(void);
int hv_chardev_init(void);
void hv_chardev_exit(void);

#endif /* _HV_KMOD_PARTS_H */
