/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file with a saved VM holds besides the module's records (hv_state.h) and the devices'
 * (dev_services.h): Documentation/save.rst. Numbers are never used for something else.
 */
#ifndef HV_VMM_SAVE_H
#define HV_VMM_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fields.h"

enum save_record {
	SAVE_REC_CONFIG		= 0x1000,	/* the configuration's text form (config.h), with the disks of the moment */
	SAVE_REC_MACHINE	= 0x1001,	/* struct save_machine */
	SAVE_REC_DISK		= 0x1002,	/* struct save_disk, one a medium; index: as in the configuration */
};

#define SAVE_VERSION	1	/* of these three, but for */
#define SAVE_VERSION_MACHINE 2	/* 2: generation_id */

struct save_machine {
	uint64_t	wall_ns;	/* UTC when the guest stopped */
	uint32_t	tsc_khz;	/* of the guest */
	bool		paused;		/* it was, before it was saved */
	char		host_cpu[64];	/* its name, for messages */
	uint8_t		generation_id[16];	/* version 1: 0 */
};

/* An image as it was; its path stands in the configuration. */
struct save_disk {
	uint8_t		controller, unit;
	bool		raw;
	uint64_t	size;		/* of the disk, bytes */
	uint64_t	changed_ns;	/* when the image's file was written last, UTC */
};

void save_machine_put(struct fields_out *out, const struct save_machine *s);
int save_machine_get(const void *buf, uint32_t len, uint32_t version, struct save_machine *s);	/* 0 or -EINVAL */
void save_disk_put(struct fields_out *out, const struct save_disk *s);
int save_disk_get(const void *buf, uint32_t len, uint32_t version, struct save_disk *s);

#endif
