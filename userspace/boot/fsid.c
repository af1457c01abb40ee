// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks of the file systems and containers that a Linux is installed on. Offsets are those of the
 * on-disk formats as the kernel documents them (Documentation/filesystems/ext4, xfs_format.h, btrfs_tree.h,
 * the FAT specification, LVM2's label at one of the first four sectors, LUKS' header).
 */
#include <stdio.h>
#include <string.h>

#include "boot/fsid.h"

struct magic {
	const char	*type;
	uint32_t	at;
	uint8_t		len;
	char		bytes[8];
	uint32_t	uuid;		/* offset, 0: none */
	uint32_t	label;
	uint16_t	label_len;
};

#define BTRFS 65536

static const struct magic magics[] = {
	{ "LVM2_member", 512, 8, "LABELONE", 0, 0, 0 },
	{ "LVM2_member", 0, 8, "LABELONE", 0, 0, 0 },
	{ "LVM2_member", 1024, 8, "LABELONE", 0, 0, 0 },
	{ "LVM2_member", 1536, 8, "LABELONE", 0, 0, 0 },
	{ "crypto_LUKS", 0, 6, "LUKS\xba\xbe", 0, 0, 0 },
	{ "linux_raid_member", 4096, 4, "\xfc\x4e\x2b\xa9", 0, 0, 0 },
	{ "btrfs", BTRFS + 64, 8, "_BHRfS_M", BTRFS + 32, BTRFS + 0x12b, 256 },
	{ "xfs", 0, 4, "XFSB", 32, 108, 12 },
	{ "ext4", 1024 + 56, 2, "\x53\xef", 1024 + 104, 1024 + 120, 16 },
	{ "swap", 4086, 8, "SWAPSPAC", 0, 0, 0 },
};

static void text_get(char *out, const uint8_t *in, size_t len)
{
	size_t n = 0;

	while (n < len && in[n])
		n++;
	memcpy(out, in, n);
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

static void uuid_get(char *out, const uint8_t *u)
{
	for (int i = 0; i < 16; i++) {
		out += sprintf(out, "%02x", u[i]);
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*out++ = '-';
	}
	*out = 0;
}

/* No magic of its own worth the name: a boot sector with a sane geometry. */
static int fat_probe(const uint8_t *d, size_t len, struct fsid *id)
{
	unsigned int bytes, sectors, reserved, at;

	if (len < 512 || d[510] != 0x55 || d[511] != 0xaa || (d[0] != 0xeb && d[0] != 0xe9))
		return -1;
	bytes = d[11] | d[12] << 8;
	sectors = d[13];
	reserved = d[14] | d[15] << 8;
	if (bytes < 512 || bytes > 4096 || bytes & (bytes - 1) || !sectors || sectors & (sectors - 1) ||
	    !reserved || !d[16] || d[16] > 2)
		return -1;
	at = d[22] | d[23] ? 39 : 67;		/* FAT32 has no 16-bit size of its tables */
	id->type = "vfat";
	snprintf(id->uuid, sizeof(id->uuid), "%02X%02X-%02X%02X", d[at + 3], d[at + 2], d[at + 1], d[at]);
	text_get(id->label, d + at + 4, 11);
	if (!strcmp(id->label, "NO NAME"))
		id->label[0] = 0;
	return 0;
}

int fsid_probe(const uint8_t *data, size_t len, struct fsid *id)
{
	memset(id, 0, sizeof(*id));
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *m = &magics[i];

		if (m->at + m->len > len || memcmp(data + m->at, m->bytes, m->len))
			continue;
		id->type = m->type;
		if (m->uuid && m->uuid + 16 <= len)
			uuid_get(id->uuid, data + m->uuid);
		if (m->label && m->label + m->label_len <= len)
			text_get(id->label, data + m->label, m->label_len);
		return 0;
	}
	return fat_probe(data, len, id);
}
