// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving a VM into a file that somebody has opened for it.
 *
 *	loop thread	vCPUs out, time stopped; events of channels taken; devices finish what they have
 *			under way and touch guest memory no more
 *	thread		disks synced; memory, chunk by chunk
 *	loop thread	records, which are few and must fit together
 *	thread		records written, all of it on disk
 *	loop thread	the VM stands still until it is told to end, or to go on
 *
 * Whatever fails, and a cancel, lets the VM go on as if nothing had been.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "devices/ic.h"
#include "devices/storvsp.h"
#include "libstate/state.h"
#include "machine_impl.h"
#include "save_impl.h"

enum save_step { SAVE_MEMORY, SAVE_RECORDS, SAVE_SYNC, SAVE_KEPT };

struct save {
	struct machine		*m;
	struct state_writer	*w;
	int			fd;
	enum save_step		step;		/* loop thread */
	enum vmm_state		before;
	bool			running;	/* there is a thread to join */
	uint64_t		wall_ns;
	pthread_t		thread;
	struct loop_work	next;		/* the thread has ended */
	atomic_bool		cancel;
	_Atomic uint64_t	done;		/* bytes of memory */
	int			result;		/* the thread's, until it is joined */
	struct state_err	err;
	machine_save_fn		fn;
	void			*arg;
};

/* ---- the thread ---- */

static int disks_sync(struct machine *m, struct state_err *e)
{
	struct storvsp_unit u;
	struct vhd_err why;
	int ret;

	for (unsigned int i = 0; i < VMM_CONTROLLERS_MAX * VMM_LUNS_MAX; i++) {
		unsigned int c = i / VMM_LUNS_MAX;

		if (!m->scsi[c] || storvsp_look(m->scsi[c], i % VMM_LUNS_MAX, &u) || !u.disk || u.disk->readonly)
			continue;
		/* Closing must not write any more: when an image was written last is saved. */
		ret = vhd_rest(u.disk->vhd, &why);
		if (!ret)
			ret = vhd_flush(u.disk->vhd);
		if (ret)
			return state_fail(e, STATE_HOST, ret, "cannot sync %s: %s", u.disk->path, strerror(-ret));
	}
	return 0;
}

/*
 * Chunks of one range. A file of shared memory would get a page for each hole that is looked into, so
 * those are stepped over.
 */
static int range_save(struct save *s, unsigned int i)
{
	const struct layout_range *r = &s->m->layout.range[i];
	const uint8_t *host = mem_host(s->m->mem, i);
	uint64_t at, from, data = 0;
	int fd = mem_file(s->m->mem, i, &from), ret = 0;

	for (at = 0; at < r->bytes && !ret; at += STATE_CHUNK) {
		if (atomic_load(&s->cancel))
			return -ECANCELED;
		if (fd >= 0 && data < from + at + STATE_CHUNK) {
			off_t next = lseek(fd, (off_t)(from + at), SEEK_DATA);

			data = next >= 0 ? (uint64_t)next : errno == ENXIO ? UINT64_MAX : from + at;
		}
		if (fd < 0 || data < from + at + STATE_CHUNK)
			ret = state_put_chunk(s->w, (r->offset + at) / STATE_CHUNK, host + at, &s->err);
		atomic_fetch_add(&s->done, r->bytes - at < STATE_CHUNK ? r->bytes - at : STATE_CHUNK);
	}
	return ret;
}

static void *save_thread(void *arg)
{
	struct save *s = arg;
	int ret = 0;

	if (s->step == SAVE_MEMORY) {
		ret = disks_sync(s->m, &s->err);
		for (unsigned int i = 0; i < s->m->layout.nr && !ret; i++)
			ret = range_save(s, i);
		if (!ret && fdatasync(s->fd))
			ret = state_fail(&s->err, STATE_HOST, -errno, "cannot write: %s", strerror(errno));
	} else {
		ret = state_writer_finish(s->w, &s->err);
	}
	s->result = ret;
	loop_call(s->m->loop, &s->next);
	return NULL;
}

static int thread_start(struct save *s)
{
	int ret = pthread_create(&s->thread, NULL, save_thread, s);

	if (ret)
		return state_fail(&s->err, STATE_HOST, -ret, "cannot start a thread: %s", strerror(ret));
	s->running = true;
	return 0;
}

static void thread_join(struct save *s)
{
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
}

/* ---- the loop thread ---- */

static void devices_drain(struct machine *m, bool drain)
{
	for (unsigned int i = 0; i < m->nr_devs; i++) {
		const struct dev_ops *ops = m->dev[i]->ops;

		if (drain && ops->drain)
			ops->drain(m->dev[i]);
		else if (!drain && ops->go_on)
			ops->go_on(m->dev[i]);
	}
}

static void save_free(struct save *s)
{
	s->m->save = NULL;
	thread_join(s);
	loop_uncall(s->m->loop, &s->next);
	state_writer_release(s->w);
	close(s->fd);
	free(s);
}

/* The VM is again what it was. */
static void go_on(struct machine *m, enum vmm_state before)
{
	devices_drain(m, false);
	machine_state_set(m, before == VMM_STATE_PAUSED ? VMM_STATE_PAUSED : VMM_STATE_RUNNING);
	if (before == VMM_STATE_PAUSED)
		return;
	if (before == VMM_STATE_STOPPING)
		machine_state_set(m, VMM_STATE_STOPPING);
	machine_unpark(m);
	ic_time_now(m->ic);
}

static void save_failed(struct save *s, int ret)
{
	machine_save_fn fn = s->fn;
	struct state_err e = s->err;
	enum vmm_state before = s->before;
	struct machine *m = s->m;
	void *arg = s->arg;

	if (atomic_load(&s->cancel))
		state_fail(&e, STATE_HOST, -ECANCELED, "cancelled");
	else if (!e.code)
		state_fail(&e, STATE_HOST, ret, "%s", strerror(-ret));
	save_free(s);
	vmm_log(m->log, LOG_WARN, "not saved: %s", e.text);
	go_on(m, before);
	if (fn)
		fn(arg, &e);
}

/* A thread's turn has ended: what is next? */
static void save_next(struct loop_work *work)
{
	struct save *s = dev_container(work, struct save, next);
	machine_save_fn fn = s->fn;
	int ret;

	thread_join(s);
	ret = s->result;
	if (!ret && atomic_load(&s->cancel))
		ret = -ECANCELED;
	if (!ret && s->step == SAVE_MEMORY) {
		s->step = SAVE_RECORDS;
		ret = save_records(s->m, s->w, s->wall_ns, s->before == VMM_STATE_PAUSED, &s->err);
		s->step = SAVE_SYNC;
		if (!ret)
			ret = thread_start(s);
		if (!ret)
			return;
	}
	if (ret)
		return save_failed(s, ret);
	s->step = SAVE_KEPT;
	vmm_log(s->m->log, LOG_INFO, "saved: %llu bytes written", (unsigned long long)state_written(s->w));
	s->fn = NULL;
	if (fn)
		fn(s->arg, NULL);	/* may find that its peer has gone, which frees @s */
}

/* Has a vCPU asked, on its way out, for something that comes first? */
static bool wants_otherwise(struct machine *m)
{
	bool otherwise;

	pthread_mutex_lock(&m->park_lock);
	otherwise = m->reset_wanted || m->end.cause != VMM_END_NONE;
	pthread_mutex_unlock(&m->park_lock);
	return otherwise;
}

static uint64_t wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int stand_still(struct machine *m, struct err *e)
{
	int ret = m->state == VMM_STATE_PAUSED ? 0 : machine_park(m);

	if (!ret && wants_otherwise(m))
		ret = -EAGAIN;		/* stays parked: the loop thread's next turn does it */
	else if (ret)
		machine_unpark(m);
	return ret ? err_sys(e, ret, ret, NULL, "cannot stop VM '%s'", m->cfg->name) : 0;
}

/* A device that works by itself and keeps no record would come back without what it had under way. */
static int all_can(const struct machine *m, struct err *e)
{
	for (unsigned int i = 0; i < m->nr_devs; i++) {
		const struct dev_ops *ops = m->dev[i]->ops;

		if (ops->drain && (!ops->record || !ops->go_on))
			return err_set(e, -EOPNOTSUPP, NULL, "VM '%s' cannot be saved: its device '%s' cannot yet",
				       m->cfg->name, ops->name);
	}
	return 0;
}

int machine_save(struct machine *m, int fd, int level, machine_save_fn fn, void *arg, struct err *e)
{
	struct save *s;
	int ret = all_can(m, e);

	if (ret)
		return ret;
	if (!vmm_state_may(m->state, VMM_STATE_SAVING))
		return err_set(e, -EBUSY, NULL, "cannot save VM '%s': it is %s", m->cfg->name,
			       vmm_state_name(m->state));
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_sys(e, -ENOMEM, ENOMEM, NULL, "cannot save VM '%s'", m->cfg->name);
	*s = (struct save){ .m = m, .fd = fd, .before = m->state, .fn = fn, .arg = arg, .next.run = save_next };
	if (state_writer_create(&s->w, fd, m->cfg->memory, level, &s->err)) {
		err_set(e, -ENOMEM, NULL, "cannot save VM '%s': %s", m->cfg->name, s->err.text);
		free(s);
		return e->code;
	}
	ret = stand_still(m, e);
	if (ret) {
		state_writer_release(s->w);
		free(s);
		return ret;
	}
	s->wall_ns = wall_now();
	bus_chan_events(m);
	machine_state_set(m, VMM_STATE_SAVING);
	devices_drain(m, true);
	m->save = s;
	ret = thread_start(s);
	if (ret) {
		err_set(e, ret, NULL, "cannot save VM '%s': %s", m->cfg->name, s->err.text);
		s->fd = -1;		/* stays the caller's */
		s->fn = NULL;
		save_failed(s, ret);
		return ret;
	}
	return 0;
}

static bool has_no_name(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !st.st_nlink;
}

void machine_save_cancel(struct machine *m)
{
	struct save *s = m->save;

	if (!s || m->state != VMM_STATE_SAVING)
		return;
	s->fn = NULL;
	if (s->step != SAVE_KEPT) {
		atomic_store(&s->cancel, true);
		return;
	}
	/* Whoever gives up takes the file away before hanging up: nobody can have it then. */
	if (has_no_name(s->fd)) {
		state_fail(&s->err, STATE_HOST, -ECANCELED, "cancelled");
		return save_failed(s, -ECANCELED);
	}
	/* Whether the file is in its place by now is not known: two of this VM must never run. */
	save_free(s);
	devices_drain(m, false);
	machine_state_set(m, VMM_STATE_PAUSED);
	vmm_log(m->log, LOG_WARN,
		"saved, but whoever asked for it has gone: resume it, if there is no file, or kill it");
}

int machine_save_end(struct machine *m)
{
	if (!m->save || m->save->step != SAVE_KEPT)
		return -EBUSY;
	save_free(m->save);
	machine_end_post(m, VMM_END_SAVED, 0, "saved");
	return 0;
}

bool machine_save_progress(const struct machine *m, uint64_t *done, uint64_t *total)
{
	if (!m->save)
		return false;
	*done = atomic_load(&m->save->done);
	*total = m->cfg->memory;
	return true;
}

void save_stop(struct machine *m)
{
	if (!m->save)
		return;
	atomic_store(&m->save->cancel, true);
	save_free(m->save);
}
