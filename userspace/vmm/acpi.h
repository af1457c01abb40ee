/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables of a guest. */
#ifndef HV_VMM_ACPI_H
#define HV_VMM_ACPI_H

#include "config.h"
#include "layout.h"

#define ACPI_F_VMBUS	(1u << 0)	/* a VMBus server answers: describe the device */

/**
 * acpi_build() - write all tables, the RSDP first.
 * @buf:  where they go; will be at @gpa in the guest (16-byte aligned).
 * Return: bytes used, or -E2BIG.
 */
int acpi_build(const struct vmm_config *cfg, const struct layout *layout, unsigned int flags,
	       uint64_t gpa, uint8_t *buf, size_t len);

#endif
