/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies on a block device, told by its first bytes. */
#ifndef HV_BOOT_FSID_H
#define HV_BOOT_FSID_H

#include <stddef.h>
#include <stdint.h>

/* Bytes from the start of the device that fsid_probe() looks at; btrfs has its superblock at 64 KiB. */
#define FSID_BYTES	(68u << 10)

struct fsid {
	const char	*type;		/* as mount(8) has it; "LVM2_member", "crypto_LUKS", "swap", "linux_raid_member"; NULL: unknown */
	char		uuid[40];	/* as GRUB and blkid write it, or "" */
	char		label[260];
};

/* Fill in @id from the first @len bytes. Return: 0, or -1 when nothing is known there. */
int fsid_probe(const uint8_t *data, size_t len, struct fsid *id);

#endif
