/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small ISO 9660 image with a few files in its root, made in memory: the seed of cloud-init. */
#ifndef HV_SEED_ISO_H
#define HV_SEED_ISO_H

#include <stddef.h>
#include <stdint.h>

#define ISO_FILES_MAX	8
#define ISO_NAME_MAX	24	/* bytes; letters, digits, '-', '.', '_' */
#define ISO_FILE_MAX	(4u << 20)

struct iso_file {
	const char	*name;
	const void	*data;
	uint32_t	len;
};

/*
 * The image with volume label @label (at most 16 bytes) and @n files in the order of their names.
 * Return: 0 with *@out (of malloc) and *@len, -EINVAL, -E2BIG or -ENOMEM.
 */
int iso_make(const char *label, const struct iso_file *file, unsigned int n, uint8_t **out, size_t *len);

#endif
