/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose boot code is in a disk's first sector, for messages. */
#ifndef HV_BOOT_LOADER_H
#define HV_BOOT_LOADER_H

#include <stddef.h>
#include <stdint.h>

/* "GRUB", "LILO", ...; "none" for an empty one, "unknown" for code that is not known. */
const char *loader_name(const uint8_t *sector, size_t len);

#endif
