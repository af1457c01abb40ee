// SPDX-License-Identifier: GPL-2.0-or-later
/* The records of a VM that stands still, into a file: module, vCPUs, devices, the machine itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/storvsp.h"
#include "libstate/state.h"
#include "machine_impl.h"
#include "save_impl.h"

/* In the order in which they are set: messages of the bus after the vCPUs that wait for them. */
const struct save_row save_rows[] = {
	{ HV_REC_VM_CONFIG, SAVE_VM },
	{ HV_REC_VM_CPUID, SAVE_VM },
	{ HV_REC_VM_CLOCK, SAVE_VM },
	{ HV_REC_VM_TLFS, SAVE_VM | SAVE_MAY_LACK },
	{ HV_REC_VM_IOAPIC, SAVE_VM },
	{ HV_REC_VM_OVERLAY, SAVE_VM | SAVE_REPEATS },
	{ HV_REC_VM_SLOT, SAVE_VM | SAVE_REPEATS },
	{ HV_REC_BUS, SAVE_VM | SAVE_MAY_LACK },
	{ HV_REC_BUS_CHANNEL, SAVE_VM | SAVE_REPEATS },
	{ HV_REC_BUS_GPADL, SAVE_VM | SAVE_REPEATS },
	{ HV_REC_VCPU_REGS, SAVE_VCPU },
	{ HV_REC_VCPU_SREGS, SAVE_VCPU },
	{ HV_REC_VCPU_DEBUG, SAVE_VCPU },
	{ HV_REC_VCPU_XSAVE, SAVE_VCPU },
	{ HV_REC_VCPU_MSRS, SAVE_VCPU },
	{ HV_REC_VCPU_LAPIC, SAVE_VCPU },
	{ HV_REC_VCPU_EVENTS, SAVE_VCPU },
	{ HV_REC_VCPU_TLFS, SAVE_VCPU | SAVE_MAY_LACK },
	{ HV_REC_VCPU_PENDING, SAVE_VCPU },
	{ HV_REC_VCPU_MESSAGES, SAVE_VCPU | SAVE_MAY_LACK },
	{ HV_REC_BUS_MESSAGE, SAVE_VM | SAVE_REPEATS },
};

const unsigned int save_nr_rows = sizeof(save_rows) / sizeof(save_rows[0]);

struct room {
	void		*buf;
	uint32_t	len;
};

/* One record of the module. 0, -ENOENT: there is none; -errno with @e. */
static int record_save(struct state_writer *w, int fd, const struct save_row *row, uint32_t vcpu,
		       uint32_t index, struct room *room, struct state_err *e)
{
	uint32_t len = room->len, version;
	void *buf;
	int ret = libhv_state_get(fd, row->id, index, room->buf, &len, &version);

	while (ret == -ENOSPC && len > room->len) {
		buf = realloc(room->buf, len);
		if (!buf)
			return state_fail(e, STATE_HOST, -ENOMEM, "not enough memory to save");
		room->buf = buf;
		room->len = len;
		ret = libhv_state_get(fd, row->id, index, room->buf, &len, &version);
	}
	if (ret == -ENOENT && row->flags & (SAVE_REPEATS | SAVE_MAY_LACK))
		return ret;
	if (ret)
		return state_fail(e, STATE_HOST, ret, "cannot read record 0x%x of the module: %s", row->id,
				  strerror(-ret));
	return state_put(w, row->id, version, vcpu, index, room->buf, len, e);
}

static int module_save(struct machine *m, struct state_writer *w, struct state_err *e)
{
	struct room room = { malloc(64 << 10), 64 << 10 };
	uint32_t index, vcpu, nr;
	unsigned int i;
	int ret = room.buf ? 0 : state_fail(e, STATE_HOST, -ENOMEM, "not enough memory to save");

	for (i = 0; i < save_nr_rows && !ret; i++) {
		const struct save_row *row = &save_rows[i];

		nr = row->flags & SAVE_VCPU ? m->cfg->cpus : 1;
		for (vcpu = 0; vcpu < nr && !ret; vcpu++) {
			for (index = 0; !ret; index++) {
				ret = record_save(w, row->flags & SAVE_VCPU ? m->vcpu[vcpu].fd : m->vm, row, vcpu,
						  index, &room, e);
				if (!(row->flags & SAVE_REPEATS))
					break;
			}
			if (ret == -ENOENT)
				ret = 0;
		}
	}
	free(room.buf);
	return ret;
}

uint32_t save_device_instance(const struct machine *m, unsigned int nr)
{
	uint32_t instance = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (m->dev[i]->ops->record && m->dev[i]->ops->record->id == m->dev[nr]->ops->record->id)
			instance++;
	return instance;
}

static int fields_save(struct state_writer *w, struct fields_out *out, uint32_t id, uint32_t version,
		       uint32_t instance, uint32_t index, struct state_err *e)
{
	int ret = out->failed ? state_fail(e, STATE_HOST, -ENOMEM, "not enough memory to save") :
				state_put(w, id, version, instance, index, out->buf, out->len, e);

	free(out->buf);
	return ret;
}

static int devices_save(struct machine *m, struct state_writer *w, struct state_err *e)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->nr_devs && !ret; i++) {
		struct device *d = m->dev[i];
		const struct dev_record *rec = d->ops->record;
		struct fields_out out = { 0 };

		if (!rec)
			continue;
		pthread_mutex_lock(&d->lock);
		rec->save(d, &out);
		pthread_mutex_unlock(&d->lock);
		ret = fields_save(w, &out, rec->id, rec->version, save_device_instance(m, i), 0, e);
	}
	return ret;
}

static int disk_save(struct state_writer *w, const struct vmm_disk *d, const struct disk *disk, uint32_t index,
		     struct state_err *e)
{
	struct save_disk s = { .controller = d->controller, .unit = d->lun, .size = disk->info.size,
			       .raw = disk->info.format == VHD_RAW };
	struct fields_out out = { 0 };
	struct stat st;

	if (fstat(vhd_fd(disk->vhd), &st))
		return state_fail(e, STATE_HOST, -errno, "%s: %s", disk->path, strerror(errno));
	s.changed_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	save_disk_put(&out, &s);
	return fields_save(w, &out, SAVE_REC_DISK, SAVE_VERSION, 0, index, e);
}

/*
 * What hangs on the controllers now becomes the configuration's. A format that was looked for once is kept:
 * a guest can write anything into its raw disk.
 */
static int disks_save(struct machine *m, struct state_writer *w, struct vmm_config *cfg, struct state_err *e)
{
	uint8_t threads[VMM_CONTROLLERS_MAX] = { 0 };
	struct storvsp_unit u;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < cfg->disks; i++)
		threads[cfg->disk[i].controller] |= cfg->disk[i].flags & VMM_DISK_THREADS;
	cfg->disks = 0;
	for (i = 0; i < VMM_CONTROLLERS_MAX * VMM_LUNS_MAX && !ret; i++) {
		struct vmm_disk d = { .controller = (uint8_t)(i / VMM_LUNS_MAX), .lun = (uint8_t)(i % VMM_LUNS_MAX) };

		if (!m->scsi[d.controller] || storvsp_look(m->scsi[d.controller], d.lun, &u))
			continue;
		if (cfg->disks == VMM_DISKS_MAX)
			return state_fail(e, STATE_HOST, -E2BIG, "a VM with more than %d disks cannot be saved",
					  VMM_DISKS_MAX);
		d.path = u.disk ? u.disk->path : NULL;
		d.flags = threads[d.controller] | (u.type == SCSI_DVD ? VMM_DISK_DVD : 0) |
			  (u.disk && u.type != SCSI_DVD && u.disk->readonly ? VMM_DISK_READONLY : 0) |
			  (u.disk && u.disk->info.format == VHD_RAW ? VMM_DISK_RAW : 0);
		if (u.disk)
			ret = disk_save(w, &d, u.disk, cfg->disks, e);
		cfg->disk[cfg->disks++] = d;
	}
	return ret;
}

static int config_save(struct machine *m, struct state_writer *w, struct state_err *e)
{
	static struct vmm_config cfg;		/* with its disks, large */
	char text[VMM_TEXT_MAX];
	int n, ret;

	cfg = *m->cfg;
	cfg.flags &= ~VMM_F_START_PAUSED;
	ret = disks_save(m, w, &cfg, e);
	if (ret)
		return ret;
	n = vmm_config_encode(&cfg, text, sizeof(text));
	if (n < 0)
		return state_fail(e, STATE_HOST, n, "the VM's configuration is too long: fewer disks, or shorter paths");
	return state_put(w, SAVE_REC_CONFIG, SAVE_VERSION, 0, 0, text, (size_t)n, e);
}

static int machine_save_own(const struct machine *m, struct state_writer *w, uint64_t wall_ns, bool paused,
			    struct state_err *e)
{
	struct save_machine s = { .wall_ns = wall_ns, .paused = paused };
	struct fields_out out = { 0 };
	struct hv_rec_config c;
	uint32_t len = sizeof(c);

	if (!libhv_state_get(m->vm, HV_REC_VM_CONFIG, 0, &c, &len, NULL))
		s.tsc_khz = c.tsc_khz;
	save_host_cpu(s.host_cpu, sizeof(s.host_cpu));
	memcpy(s.generation_id, m->genid, sizeof(s.generation_id));
	save_machine_put(&out, &s);
	return fields_save(w, &out, SAVE_REC_MACHINE, SAVE_VERSION_MACHINE, 0, 0, e);
}

int save_records(struct machine *m, struct state_writer *w, uint64_t wall_ns, bool paused, struct state_err *e)
{
	int ret = config_save(m, w, e);

	if (!ret)
		ret = machine_save_own(m, w, wall_ns, paused, e);
	if (!ret)
		ret = devices_save(m, w, e);
	return ret ? ret : module_save(m, w, e);
}
