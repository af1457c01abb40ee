// SPDX-License-Identifier: GPL-2.0-or-later
/* By the texts that the loaders' first sectors hold. */
#include <string.h>

#include "boot/loader.h"

#define CODE_BYTES 440		/* behind it the disk's number and the partition table */

static const struct { const char *text, *name; } loaders[] = {
	{ "GRUB", "GRUB" }, { "LILO", "LILO" }, { "SYSLINUX", "SYSLINUX" }, { "isolinux", "ISOLINUX" },
	{ "EXTLINUX", "EXTLINUX" }, { "BOOTMGR", "Windows" }, { "NTLDR", "Windows" },
	{ "Invalid partition table", "Windows, or the plain code of a partitioning tool" },
	{ "Missing operating system", "SYSLINUX or the plain code of a partitioning tool" },
	{ "Boot error", "SYSLINUX" }, { "BTX", "FreeBSD" },
};

const char *loader_name(const uint8_t *sector, size_t len)
{
	static const uint8_t zero[CODE_BYTES];

	if (len < CODE_BYTES || !memcmp(sector, zero, CODE_BYTES))
		return "none";
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
		if (memmem(sector, CODE_BYTES, loaders[i].text, strlen(loaders[i].text)))
			return loaders[i].name;
	return "unknown";
}
