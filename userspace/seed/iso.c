// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ECMA-119 (ISO 9660) with a Joliet tree beside the primary one. The primary names are the plain ones in
 * capitals, which Linux shows in small letters again; those who read Joliet see them as they are.
 *
 *	sector 16, 17, 18	primary and Joliet descriptor, terminator
 *	19 to 22		path tables: primary little and big endian, Joliet little and big
 *	23, 24			root folders: primary, Joliet
 *	25 ...			the files
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "seed/iso.h"

#define SECTOR		2048u
#define DESCRIPTORS	16
#define TABLES		19
#define ROOTS		23
#define DATA		25
#define TABLE_BYTES	10
#define RECORD_HEAD	33

static void le(uint8_t *at, uint32_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static void be(uint8_t *at, uint32_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* Both byte orders, as most fields have it. */
static void both(uint8_t *at, uint32_t v, unsigned int bytes)
{
	le(at, v, bytes);
	be(at + bytes, v, bytes);
}

/* @s padded with blanks; as UCS-2 in the Joliet tree. */
static void text_put(uint8_t *at, const char *s, unsigned int len, bool wide)
{
	size_t n = strlen(s), step = wide ? 2 : 1;

	for (unsigned int i = 0; i + step <= len; i += step) {
		char c = i / step < n ? s[i / step] : ' ';

		if (wide)
			at[i] = 0;
		at[i + step - 1] = (uint8_t)c;
	}
}

/* 1 January 2000: what an image is made from decides its bytes, not when. */
static void date_put(uint8_t *at)
{
	static const uint8_t date[7] = { 100, 1, 1 };

	memcpy(at, date, sizeof(date));
}

/* A folder's record. Return: its length. */
static unsigned int record_put(uint8_t *at, uint32_t sector, uint32_t len, bool folder, const uint8_t *name,
			       unsigned int name_len)
{
	unsigned int bytes = RECORD_HEAD + name_len + !(name_len & 1);

	at[0] = (uint8_t)bytes;
	both(at + 2, sector, 4);
	both(at + 10, len, 4);
	date_put(at + 18);
	at[25] = folder ? 2 : 0;
	both(at + 28, 1, 2);
	at[32] = (uint8_t)name_len;
	memcpy(at + RECORD_HEAD, name, name_len);
	return bytes;
}

static unsigned int name_make(uint8_t *out, const char *name, bool wide)
{
	unsigned int n = 0;

	for (; *name; name++) {
		if (wide)
			out[n++] = 0;
		out[n++] = (uint8_t)(wide ? *name : toupper((unsigned char)*name));
	}
	if (!wide) {
		memcpy(out + n, ".;1", 3);
		n += 3;
	}
	return n;
}

static void root_put(uint8_t *image, unsigned int root, const struct iso_file *file, const uint32_t *sector,
		     unsigned int n, bool wide)
{
	static const uint8_t dots[2] = { 0, 1 };
	uint8_t *at = image + root * SECTOR, name[2 * ISO_NAME_MAX + 4];

	at += record_put(at, root, SECTOR, true, dots, 1);
	at += record_put(at, root, SECTOR, true, dots + 1, 1);
	for (unsigned int i = 0; i < n; i++)
		at += record_put(at, sector[i], file[i].len, false, name, name_make(name, file[i].name, wide));
}

static void table_put(uint8_t *at, uint32_t root, bool big)
{
	at[0] = 1;			/* length of the root's name */
	(big ? be : le)(at + 2, root, 4);
	(big ? be : le)(at + 6, 1, 2);	/* its own parent */
}

static void descriptor_put(uint8_t *at, const char *label, uint32_t sectors, bool wide)
{
	static const uint8_t dot;
	static const char none[17] = "0000000000000000";
	uint32_t root = ROOTS + wide, table = TABLES + 2 * wide;

	at[0] = wide ? 2 : 1;
	memcpy(at + 1, "CD001\1", 6);
	text_put(at + 8, "LINUX", 32, wide);
	text_put(at + 40, label, 32, wide);
	both(at + 80, sectors, 4);
	if (wide)
		memcpy(at + 88, "%/E", 3);	/* UCS-2 level 3 */
	both(at + 120, 1, 2);
	both(at + 124, 1, 2);
	both(at + 128, SECTOR, 2);
	both(at + 132, TABLE_BYTES, 4);
	le(at + 140, table, 4);
	be(at + 148, table + 1, 4);
	record_put(at + 156, root, SECTOR, true, &dot, 1);
	text_put(at + 190, "", 813 - 190, wide);	/* publishers and their like: blank */
	for (unsigned int i = 0; i < 4; i++)
		memcpy(at + 813 + 17 * i, none, 16);	/* dates: not said; the zone's byte is 0 */
	at[881] = 1;
}

static int files_check(const char *label, const struct iso_file *file, unsigned int n)
{
	if (strlen(label) > 16 || !n || n > ISO_FILES_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		if (!*file[i].name || strlen(file[i].name) > ISO_NAME_MAX ||
		    (i && strcmp(file[i - 1].name, file[i].name) >= 0))
			return -EINVAL;
		if (file[i].len > ISO_FILE_MAX)
			return -E2BIG;
	}
	return 0;
}

int iso_make(const char *label, const struct iso_file *file, unsigned int n, uint8_t **out, size_t *len)
{
	uint32_t sector[ISO_FILES_MAX], sectors = DATA;
	int ret = files_check(label, file, n);
	uint8_t *image;

	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++) {
		sector[i] = sectors;
		sectors += (file[i].len + SECTOR - 1) / SECTOR;
	}
	/* Readers read ahead: some room behind. */
	sectors += 150;
	image = calloc(sectors, SECTOR);
	if (!image)
		return -ENOMEM;
	for (unsigned int wide = 0; wide < 2; wide++) {
		descriptor_put(image + (DESCRIPTORS + wide) * SECTOR, label, sectors, wide);
		table_put(image + (TABLES + 2 * wide) * SECTOR, ROOTS + wide, false);
		table_put(image + (TABLES + 2 * wide + 1) * SECTOR, ROOTS + wide, true);
		root_put(image, ROOTS + wide, file, sector, n, wide);
	}
	image[(DESCRIPTORS + 2) * SECTOR] = 255;
	memcpy(image + (DESCRIPTORS + 2) * SECTOR + 1, "CD001\1", 6);
	for (unsigned int i = 0; i < n; i++)
		if (file[i].len)
			memcpy(image + sector[i] * SECTOR, file[i].data, file[i].len);
	*out = image;
	*len = (size_t)sectors * SECTOR;
	return 0;
}
