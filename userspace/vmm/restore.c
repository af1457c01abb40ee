// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM from a file: into a machine that has just been made from the file's own configuration, before
 * anything of it runs. The file is hostile: whatever the module and the devices refuse is an error
 * with a name, and the process ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/storvsp.h"
#include "libstate/state.h"
#include "machine_impl.h"
#include "save_impl.h"

struct restore {
	struct state_file	*f;
	int			fd;
	const char		*path;
	bool			force, eager, other;
	struct save_machine	was;
	bool			checking;	/* there is a thread to join */
	pthread_t		thread;
	atomic_bool		stop;
	struct machine		*m;
};

static int __attribute__((format(printf, 4, 5)))
bad(struct machine *m, enum vmm_cause cause, int code, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(m->err, sizeof(m->err), "%.160s: ", m->restore->path);

	va_start(ap, fmt);
	vsnprintf(m->err + n, sizeof(m->err) - (size_t)n, fmt, ap);
	va_end(ap);
	m->setup_end = cause;
	return code;
}

static int file_bad(struct machine *m, const struct state_err *e)
{
	return bad(m, e->fault == STATE_HOST ? VMM_END_HOST_ERROR :
		   e->fault == STATE_VERSION_NEW ? VMM_END_UNSUPPORTED : VMM_END_CONFIG, e->code, "%s", e->text);
}

static int corrupt(struct machine *m, const char *what)
{
	return bad(m, VMM_END_CONFIG, -EUCLEAN, "corrupt: %s", what);
}

static int too_new(struct machine *m, const char *whose, uint32_t version, uint32_t known)
{
	return bad(m, VMM_END_UNSUPPORTED, -EOPNOTSUPP, "the state of %s has version %u; known is %u: update hv", whose,
		   version, known);
}

int restore_open(struct machine *m, const struct vmm_fds *fds)
{
	struct state_err e = { 0 };
	struct state_record rec;

	m->restore = calloc(1, sizeof(*m->restore));
	if (!m->restore)
		return -ENOMEM;
	m->restore->fd = fds->state;
	m->restore->path = fds->state_path;
	m->restore->force = fds->state_force;
	m->restore->eager = fds->state_eager;
	m->restore->other = fds->state_other;
	m->restore->m = m;
	if (state_open(&m->restore->f, fds->state, &e))
		return file_bad(m, &e);
	if (state_header(m->restore->f)->ram_bytes != m->cfg->memory)
		return corrupt(m, "its memory has another size than its configuration says");
	if (!state_find(m->restore->f, SAVE_REC_MACHINE, 0, 0, &rec))
		return corrupt(m, "it has no record of the machine");
	if (rec.version > SAVE_VERSION_MACHINE)
		return too_new(m, "the machine", rec.version, SAVE_VERSION_MACHINE);
	if (save_machine_get(rec.data, rec.len, rec.version, &m->restore->was))
		return corrupt(m, "the record of the machine makes no sense");
	return 0;
}

void restore_close(struct machine *m)
{
	if (!m->restore)
		return;
	if (m->restore->checking) {
		atomic_store(&m->restore->stop, true);
		pthread_join(m->restore->thread, NULL);
	}
	state_close(m->restore->f);
	close(m->restore->fd);
	free(m->restore);
	m->restore = NULL;
}

/* ---- memory ---- */

/*
 * Memory that stands in the file as it was needs no loading: its pages come when they are touched. Their
 * checksums are looked at by a thread behind the running guest.
 */
static bool memory_map(struct machine *m)
{
	const struct state_header *h = state_header(m->restore->f);
	unsigned int i;

	if (m->restore->eager || h->memory_kind != STATE_MEMORY_PLAIN)
		return false;
	for (i = 0; i < m->layout.nr; i++)
		if (mem_from_file(m->mem, i, m->restore->fd, h->memory_at + m->layout.range[i].offset))
			break;
	/* Some of it: the rest is loaded over it, which is right as well. */
	return i == m->layout.nr;
}

static void *check_thread(void *arg)
{
	struct restore *r = arg;
	uint64_t n = state_chunks(state_header(r->f)->ram_bytes);
	const struct sched_param none = { 0 };
	struct state_err e = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &none);
	for (uint64_t i = 0; i < n && !atomic_load(&r->stop); i++) {
		if (!state_chunk_read(r->f, i, NULL, &e))
			continue;
		machine_end_post(r->m, VMM_END_HOST_ERROR, 0, "%.160s: %s", r->path, e.text);
		break;
	}
	return NULL;
}

int restore_check(struct machine *m)
{
	struct restore *r = m->restore;
	int ret = 0;

	if (r && m->restored_lazily) {
		ret = pthread_create(&r->thread, NULL, check_thread, r);
		r->checking = !ret;
	}
	if (!r || !r->checking)
		restore_close(m);
	return -ret;
}

/* All of it, before the guest runs. */
static int memory_load(struct machine *m)
{
	struct state_err e = { 0 };

	m->restored_lazily = memory_map(m);
	if (m->restored_lazily)
		return 0;

	for (unsigned int i = 0; i < m->layout.nr; i++) {
		const struct layout_range *r = &m->layout.range[i];

		for (uint64_t at = 0; at < r->bytes; at += STATE_CHUNK)
			if (state_chunk_read(m->restore->f, (r->offset + at) / STATE_CHUNK,
					     mem_host(m->mem, i) + at, &e))
				return file_bad(m, &e);
	}
	return 0;
}

/* ---- disks ---- */

static int disk_check(struct machine *m, const struct save_disk *s)
{
	struct storvsp_unit u;
	uint64_t changed;
	struct stat st;

	if (s->controller >= VMM_CONTROLLERS_MAX || !m->scsi[s->controller] ||
	    storvsp_look(m->scsi[s->controller], s->unit, &u) || !u.disk)
		return corrupt(m, "it names a disk that its configuration lacks");
	if (u.disk->info.size != s->size)
		return bad(m, VMM_END_CONFIG, -EUCLEAN, "disk %.120s has %llu bytes, and had %llu when the VM was saved",
			   u.disk->path, (unsigned long long)u.disk->info.size, (unsigned long long)s->size);
	if ((u.disk->info.format == VHD_RAW) != s->raw)
		return bad(m, VMM_END_CONFIG, -EUCLEAN, "disk %.120s has another format than when the VM was saved",
			   u.disk->path);
	if (m->restore->force || fstat(vhd_fd(u.disk->vhd), &st))
		return 0;
	changed = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	if (changed == s->changed_ns)
		return 0;
	return bad(m, VMM_END_CONFIG, -EUCLEAN, "disk %.120s was written after the VM was saved\n"
		   "the guest's file systems would be damaged; if it is a true copy, use --force", u.disk->path);
}

/* The next drive of the configuration with a medium in it, from @i on. */
static unsigned int next_medium(const struct machine *m, unsigned int i)
{
	while (i < m->cfg->disks && !m->cfg->disk[i].path)
		i++;
	return i;
}

/* Each medium of the configuration has a record, in the same order. */
static int disks_check(struct machine *m)
{
	unsigned int i = next_medium(m, 0);
	const struct vmm_disk *d;
	struct state_record rec;
	struct save_disk s;
	size_t pos = 0;
	int ret = 0;

	while (!ret && state_next(m->restore->f, &pos, &rec)) {
		if (rec.id != SAVE_REC_DISK)
			continue;
		if (rec.version > SAVE_VERSION)
			return too_new(m, "a disk", rec.version, SAVE_VERSION);
		if (save_disk_get(rec.data, rec.len, rec.version, &s))
			return corrupt(m, "a disk's record makes no sense");
		d = &m->cfg->disk[i];
		if (i == m->cfg->disks || rec.index != i || d->controller != s.controller || d->lun != s.unit)
			return corrupt(m, "its disks are not those of its configuration");
		ret = disk_check(m, &s);
		i = next_medium(m, i + 1);
	}
	if (!ret && i < m->cfg->disks)
		ret = corrupt(m, "a disk of its configuration has no record");
	return ret;
}

/* ---- devices ---- */

static int device_load(struct machine *m, unsigned int nr)
{
	struct device *d = m->dev[nr];
	const struct dev_record *row = d->ops->record;
	struct state_record rec;
	struct fields_in in;
	int ret;

	if (!state_find(m->restore->f, row->id, save_device_instance(m, nr), 0, &rec))
		return bad(m, VMM_END_CONFIG, -EUCLEAN, "corrupt: it has no state of device '%s'", d->ops->name);
	if (rec.version > row->version)
		return too_new(m, d->ops->name, rec.version, row->version);
	in = (struct fields_in){ .buf = rec.data, .len = rec.len };
	pthread_mutex_lock(&d->lock);
	ret = row->load(d, &in, rec.version);
	pthread_mutex_unlock(&d->lock);
	if (ret || !fields_end(&in) || !rec.version)
		return bad(m, VMM_END_CONFIG, -EUCLEAN, "corrupt: the state of device '%s' makes no sense",
			   d->ops->name);
	return 0;
}

static int devices_load(struct machine *m)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->nr_devs && !ret; i++)
		if (m->dev[i]->ops->record)
			ret = device_load(m, i);
	return ret;
}

/* ---- the module ---- */

static int other_cpu(struct machine *m, const char *what)
{
	char name[64];

	save_host_cpu(name, sizeof(name));
	return bad(m, VMM_END_UNSUPPORTED, -EOPNOTSUPP, "other CPU: %s\nit was saved on %s, this is %s", what,
		   m->restore->was.host_cpu, name);
}

/* Why the module takes a file's CPU for another one. */
static int config_refused(struct machine *m, const struct state_record *rec)
{
	struct hv_rec_config was, now;
	uint32_t len = sizeof(now), ppm = 4000;		/* 250 millionth */
	int64_t apart;

	if (rec->len != sizeof(was) || libhv_state_get(m->vm, HV_REC_VM_CONFIG, 0, &now, &len, NULL))
		return corrupt(m, "the module's configuration makes no sense");
	memcpy(&was, rec->data, sizeof(was));
	if (was.cpu_model != now.cpu_model || was.vm_flags != now.vm_flags || was.max_vcpus != now.max_vcpus)
		return corrupt(m, "the module's configuration is not that of the VM");
	apart = (int64_t)was.tsc_khz - now.tsc_khz;
	if (apart > now.tsc_khz / ppm || apart < -(int64_t)(now.tsc_khz / ppm))
		return other_cpu(m, "its time stamp counter runs at another frequency");
	return other_cpu(m, "it has other features, and the VM was given all there were (--cpus model=host)");
}

static int module_refused(struct machine *m, const struct state_record *rec, int err)
{
	if (err == -ENOMEM)
		return bad(m, VMM_END_HOST_ERROR, err, "not enough memory");
	if (rec->id == HV_REC_VM_CONFIG && err == -EINVAL)
		return config_refused(m, rec);
	if (rec->id == HV_REC_VM_CPUID && err == -EOPNOTSUPP)
		return other_cpu(m, "it lacks features that the guest has seen");
	if (err == -EOPNOTSUPP)
		return bad(m, VMM_END_UNSUPPORTED, err, "hv.ko does not know version %u of record 0x%x: update it",
			   rec->version, rec->id);
	return bad(m, VMM_END_CONFIG, -EUCLEAN, "corrupt: hv.ko refuses record 0x%x of %u: %s", rec->id,
		   rec->instance, strerror(-err));
}

/* All records of one row; they come in the order in which they were written. */
static int row_load(struct machine *m, const struct save_row *row)
{
	uint32_t nr = row->flags & SAVE_VCPU ? m->cfg->cpus : 1, instance = 0, index = 0;
	struct state_record rec;
	size_t pos = 0;
	int ret;

	while (state_next(m->restore->f, &pos, &rec)) {
		if (rec.id != row->id)
			continue;
		if (rec.instance != instance || rec.index != index || instance == nr)
			return corrupt(m, "records of the module are not in order");
		ret = libhv_state_set(row->flags & SAVE_VCPU ? m->vcpu[instance].fd : m->vm, row->id, index, rec.data,
				      rec.len, rec.version);
		if (ret)
			return module_refused(m, &rec, ret);
		if (row->flags & SAVE_REPEATS)
			index++;
		else
			instance++;
	}
	if (instance < nr && !(row->flags & SAVE_REPEATS) && !(row->flags & SAVE_MAY_LACK && !instance))
		return bad(m, VMM_END_CONFIG, -EUCLEAN, "corrupt: record 0x%x of %u is missing", row->id, instance);
	return 0;
}

static bool is_modules(uint32_t id)
{
	for (unsigned int i = 0; i < save_nr_rows; i++)
		if (save_rows[i].id == id)
			return true;
	return false;
}

static bool is_known(const struct machine *m, uint32_t id)
{
	unsigned int i;

	if (is_modules(id))
		return true;
	for (i = 0; i < m->nr_devs; i++)
		if (m->dev[i]->ops->record && m->dev[i]->ops->record->id == id)
			return true;
	return id == SAVE_REC_CONFIG || id == SAVE_REC_MACHINE || id == SAVE_REC_DISK || id == STATE_REC_MEMORY;
}

/*
 * What is not understood is not left out, and neither is what would be there twice: each record that there must
 * be is looked for elsewhere, so that as many are all. The module's and the disks' are counted where they are read.
 */
static int all_known(struct machine *m)
{
	unsigned int others = 3, i;	/* configuration, machine, table of memory */
	struct state_record rec;
	size_t pos = 0;

	for (i = 0; i < m->nr_devs; i++)
		others += !!m->dev[i]->ops->record;
	while (state_next(m->restore->f, &pos, &rec)) {
		if (!is_known(m, rec.id))
			return bad(m, VMM_END_UNSUPPORTED, -EOPNOTSUPP, "record 0x%x is unknown here: update hv",
				   rec.id);
		others -= rec.id != SAVE_REC_DISK && !is_modules(rec.id);
	}
	return others ? corrupt(m, "a record is there twice, or missing") : 0;
}

/* The file is not written any more, whatever becomes of this process. */
static void reading_only(int fd)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (again < 0)
		return;
	dup3(again, fd, O_CLOEXEC);
	close(again);
}

/*
 * It is the one VM that was saved if its file was never gone on from before, which is noted there, and if it has its
 * name. Else, or if nothing can be noted, there may be another one.
 */
static int generation(struct machine *m)
{
	struct restore *r = m->restore;
	struct state_err e;
	bool first = !state_mark(r->f, &e) && !state_header(r->f)->restores && !r->force && !r->other;

	memcpy(m->genid, r->was.generation_id, sizeof(m->genid));
	reading_only(r->fd);
	return first ? 0 : genid_change(m);
}

int restore_load(struct machine *m)
{
	int ret = all_known(m);

	if (!ret)
		ret = disks_check(m);
	if (!ret)
		ret = memory_load(m);
	if (!ret) {
		ret = libhv_vm_run_state(m->vm, HV_RUN_STATE_PAUSED);
		if (ret)
			bad(m, VMM_END_HOST_ERROR, ret, "cannot stop the VM's time: %s", strerror(-ret));
	}
	if (!ret)
		ret = devices_load(m);
	for (unsigned int i = 0; i < save_nr_rows && !ret; i++)
		ret = row_load(m, &save_rows[i]);
	if (ret)
		return ret;
	bus_chan_events(m);	/* devices learn of their channels */
	ret = generation(m);
	if (ret)
		return bad(m, VMM_END_HOST_ERROR, ret, "no random numbers: %s", strerror(-ret));
	m->restored_paused = m->restore->was.paused;
	vmm_log(m->log, LOG_INFO, "restored from %s", m->restore->path);
	return 0;
}
