// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Life-cycle of the machine: park, pause, reset, stop, end.
 *
 * vCPU threads and devices only post what they want; the loop thread does it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "devices/acpi_pm.h"
#include "devices/ic.h"
#include "machine_impl.h"

#define PARK_SECONDS 5

void machine_state_set(struct machine *m, enum vmm_state to)
{
	if (m->state == to)
		return;
	if (!vmm_state_may(m->state, to)) {
		vmm_log(m->log, LOG_ERROR, "state %s cannot become %s", vmm_state_name(m->state),
			vmm_state_name(to));
		return;
	}
	m->state = to;
	vmm_log(m->log, LOG_INFO, "%s", vmm_state_name(to));
	if (m->watch)
		m->watch(m->watch_arg, m, to);
}

int machine_vcpus_out(struct machine *m, unsigned int seconds)
{
	struct timespec until;
	unsigned int i, want = 0;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&m->park_lock);
	atomic_store(&m->park, true);
	pthread_mutex_unlock(&m->park_lock);
	for (i = 0; i < m->cfg->cpus; i++) {
		want += m->vcpu[i].started;
		vcpu_kick(&m->vcpu[i]);
	}
	pthread_mutex_lock(&m->park_lock);
	while (m->nr_parked < want && !ret)
		ret = pthread_cond_timedwait(&m->parked_cond, &m->park_lock, &until);
	pthread_mutex_unlock(&m->park_lock);
	return ret ? -ETIMEDOUT : 0;
}

int machine_park(struct machine *m)
{
	int ret = machine_vcpus_out(m, PARK_SECONDS);

	if (ret) {
		vmm_log(m->log, LOG_ERROR, "a vCPU did not leave the guest within %d s", PARK_SECONDS);
		return ret;
	}
	return libhv_vm_run_state(m->vm, HV_RUN_STATE_PAUSED);
}

void machine_unpark(struct machine *m)
{
	int ret = libhv_vm_run_state(m->vm, HV_RUN_STATE_RUNNING);

	if (ret < 0) {
		machine_end_post(m, VMM_END_HOST_ERROR, -ret, "cannot start the VM's time: %s",
				 strerror(-ret));
		return;
	}
	pthread_mutex_lock(&m->park_lock);
	/* A vCPU that ended the machine meanwhile keeps everybody parked. */
	if (m->end.cause == VMM_END_NONE) {
		atomic_store(&m->park, false);
		pthread_cond_broadcast(&m->park_cond);
	}
	pthread_mutex_unlock(&m->park_lock);
}

void machine_end_post(struct machine *m, enum vmm_cause cause, int code, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&m->park_lock);
	if (m->end.cause == VMM_END_NONE) {
		m->end.cause = cause;
		m->end.code = code;
		va_start(ap, fmt);
		vsnprintf(m->end.text, sizeof(m->end.text), fmt, ap);
		va_end(ap);
	}
	atomic_store(&m->park, true);
	pthread_mutex_unlock(&m->park_lock);
	loop_call(m->loop, &m->request_work);
}

void machine_reset_post(struct machine *m)
{
	pthread_mutex_lock(&m->park_lock);
	m->reset_wanted = true;
	atomic_store(&m->park, true);
	pthread_mutex_unlock(&m->park_lock);
	loop_call(m->loop, &m->request_work);
}

static int reset_steps(struct machine *m)
{
	unsigned int i;
	int ret = machine_park(m);

	if (ret) {
		snprintf(m->err, sizeof(m->err), "cannot stop the vCPUs for a reset: %s", strerror(-ret));
		return ret;
	}
	ret = libhv_vm_reset(m->vm);
	/* Each lets go before anything is zeroed or loaded: a write under way would take that to its disk. */
	for (i = 0; i < m->nr_devs && !ret; i++)
		if (m->dev[i]->ops->drain)
			m->dev[i]->ops->drain(m->dev[i]);
	if (!ret)
		ret = mem_zero(m->mem);
	if (ret) {
		snprintf(m->err, sizeof(m->err), "cannot reset: %s", strerror(-ret));
		return ret;
	}
	for (i = 0; i < m->nr_devs; i++) {
		pthread_mutex_lock(&m->dev[i]->lock);
		m->dev[i]->ops->reset(m->dev[i]);
		pthread_mutex_unlock(&m->dev[i]->lock);
	}
	return boot_prepare(m);
}

static void reset_run(struct machine *m)
{
	bool was_paused = m->state == VMM_STATE_PAUSED;

	machine_state_set(m, VMM_STATE_RESETTING);
	if (reset_steps(m)) {
		machine_end_post(m, VMM_END_HOST_ERROR, 0, "%s", m->err);
		return;
	}
	machine_state_set(m, was_paused ? VMM_STATE_PAUSED : VMM_STATE_RUNNING);
	if (!was_paused)
		machine_unpark(m);
}

/* The loop thread's turn after machine_end_post() or machine_reset_post(). */
static void request_run(struct loop_work *w)
{
	struct machine *m = dev_container(w, struct machine, request_work);
	enum vmm_cause cause;
	bool reset;

	pthread_mutex_lock(&m->park_lock);
	cause = m->end.cause;
	reset = m->reset_wanted;
	m->reset_wanted = false;
	pthread_mutex_unlock(&m->park_lock);
	if (cause != VMM_END_NONE) {
		if (m->state == VMM_STATE_ENDED)
			return;
		vmm_log(m->log, cause == VMM_END_POWEROFF || cause == VMM_END_RESET ? LOG_INFO : LOG_ERROR,
			"ended (%s): %s", vmm_cause_name(cause), m->end.text);
		machine_state_set(m, VMM_STATE_ENDED);
		loop_stop(m->loop);
	} else if (reset) {
		reset_run(m);
	}
}

void machine_control_init(struct machine *m)
{
	m->request_work.run = request_run;
	pthread_mutex_init(&m->park_lock, NULL);
	pthread_cond_init(&m->park_cond, NULL);
	pthread_cond_init(&m->parked_cond, NULL);
}

/* ---- the verbs of machine.h ---- */

int machine_pause(struct machine *m)
{
	int ret;

	if (m->state == VMM_STATE_PAUSED)
		return 0;
	/* What is being saved is not to be resumed under it: that edge is the save's own. */
	if (m->state == VMM_STATE_SAVING || !vmm_state_may(m->state, VMM_STATE_PAUSED))
		return -EBUSY;
	ret = machine_park(m);
	if (ret) {
		machine_unpark(m);
		return ret;
	}
	machine_state_set(m, VMM_STATE_PAUSED);
	return 0;
}

int machine_resume(struct machine *m)
{
	if (m->state == VMM_STATE_RUNNING || m->state == VMM_STATE_STOPPING)
		return 0;
	if (m->state != VMM_STATE_PAUSED)
		return -EBUSY;
	machine_state_set(m, VMM_STATE_RUNNING);
	machine_unpark(m);
	ic_time_now(m->ic);	/* its clock stood still */
	return 0;
}

int machine_reset(struct machine *m)
{
	if (!vmm_state_may(m->state, VMM_STATE_RESETTING))
		return -EBUSY;
	machine_reset_post(m);
	return 0;
}

int machine_stop(struct machine *m)
{
	if (!vmm_state_may(m->state, VMM_STATE_STOPPING))
		return -EBUSY;
	machine_state_set(m, VMM_STATE_STOPPING);
	/* A guest without the service has a power button. */
	if (ic_shutdown(m->ic, false))
		acpi_pm_press(m->pm);
	return 0;
}

void machine_kill(struct machine *m, const char *by)
{
	machine_end_post(m, VMM_END_KILLED, 0, "killed by %s", by);
}

enum vmm_state machine_state(const struct machine *m)
{
	return m->state;
}

const struct vmm_end *machine_end(const struct machine *m)
{
	static const struct vmm_end none;

	return m->state == VMM_STATE_ENDED ? &m->end : &none;
}

void machine_watch_set(struct machine *m, machine_watch_fn fn, void *arg)
{
	m->watch = fn;
	m->watch_arg = arg;
}

const char *machine_heartbeat(struct machine *m)
{
	return ic_health_name(ic_health(m->ic));
}
