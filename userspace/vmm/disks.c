// SPDX-License-Identifier: GPL-2.0-or-later
/* SCSI controllers, disks and DVD drives of the configuration. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/storvsp.h"
#include "machine_impl.h"

/* A controller's channel instance: the last byte tells them apart. The guest's paths are made of it. */
static const uint8_t instance[16] = {
	0x5c, 0x3f, 0x1d, 0x0e, 0x64, 0x9b, 0x4a, 0x47, 0x8d, 0x21, 0x68, 0x76, 0x73, 0x63, 0x73, 0x00,
};

/* Four vCPUs a channel: that is how many Linux' driver asks for. */
static unsigned int queues_for(unsigned int cpus)
{
	unsigned int n = 1 + (cpus - 1) / 4 + (cpus > 1);

	return n < STORVSP_QUEUES ? n : STORVSP_QUEUES;
}

static int controller_make(struct machine *m, unsigned int nr, bool threads)
{
	struct storvsp_config cfg = { .queues = queues_for(m->cfg->cpus), .threads = threads };
	int ret;

	memcpy(cfg.instance, instance, sizeof(cfg.instance));
	cfg.instance[15] = (uint8_t)nr;
	ret = storvsp_create(&m->scsi[nr], &m->services, &cfg);
	if (ret) {
		snprintf(m->err, sizeof(m->err), "cannot make SCSI controller %u: %s%s", nr, strerror(-ret),
			 ret == -ENODEV ? "\nthis VM has no VMBus, and disks hang on it" : "");
		return ret;
	}
	m->dev[m->nr_devs++] = m->scsi[nr];
	return 0;
}

/* The error of an image in two lines: what, and the next step. */
static int disk_failed(struct machine *m, const struct vmm_disk *d, int ret, const struct vhd_err *e)
{
	if (e->text[0])
		snprintf(m->err, sizeof(m->err), "disk: %.250s%s%.120s", e->text, e->next[0] ? "\n" : "",
			 e->next);
	else
		snprintf(m->err, sizeof(m->err), "disk %.250s: %s", d->path ? d->path : "(empty drive)",
			 strerror(-ret));
	return ret;
}

static int disk_make(struct machine *m, const struct vmm_disk *d)
{
	bool dvd = d->flags & VMM_DISK_DVD;
	struct disk *disk = NULL;
	struct vhd_err e = { 0 };
	int ret = 0;

	if (!m->scsi[d->controller])
		ret = controller_make(m, d->controller, d->flags & VMM_DISK_THREADS);
	if (ret)
		return ret;
	if (d->path)
		ret = disk_open(&disk, d->path,
				(dvd || (d->flags & VMM_DISK_READONLY) ? DISK_READONLY : 0) |
				(d->flags & VMM_DISK_RAW ? DISK_RAW : 0), &e);
	if (ret)
		return disk_failed(m, d, ret, &e);
	ret = storvsp_attach(m->scsi[d->controller], d->lun, dvd ? SCSI_DVD : SCSI_DISK, disk);
	if (ret) {
		disk_close(disk, &e);
		memset(&e, 0, sizeof(e));
		return disk_failed(m, d, ret, &e);
	}
	if (disk)
		vmm_log(m->log, LOG_INFO, "scsi%u:%u: %s (%s, %llu bytes%s)", d->controller, d->lun, d->path,
			vhd_format_name(disk->info.format), (unsigned long long)disk->info.size,
			disk->readonly ? ", read-only" : "");
	return 0;
}

int disks_make(struct machine *m)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->cfg->disks && !ret; i++)
		ret = disk_make(m, &m->cfg->disk[i]);
	return ret;
}
