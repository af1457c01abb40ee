// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread per vCPU.
 *
 * Parking: whoever wants vCPUs out of the guest sets m->park and kicks each: immediate_exit in the run
 * page makes the next HV_VCPU_RUN return, the signal ends one under way. The thread clears
 * immediate_exit itself, before it looks at m->park, so no kick is lost.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine_impl.h"
#include "readers.h"

#define STACK_BYTES (128 << 10)

/* Wait until the park is over. Return: false when the thread shall end. */
static bool vcpu_park(struct vcpu *v)
{
	struct machine *m = v->m;
	bool go;

	pthread_mutex_lock(&m->park_lock);
	v->parked = true;
	m->nr_parked++;
	pthread_cond_signal(&m->parked_cond);
	while (atomic_load(&m->park) && !m->quit)
		pthread_cond_wait(&m->park_cond, &m->park_lock);
	m->nr_parked--;
	v->parked = false;
	go = !m->quit;
	pthread_mutex_unlock(&m->park_lock);
	return go;
}

/*
 * What the guest was answered stands in the run page, and a saved VM has no run page: before it stands
 * still the module takes the answer, which may bring the next exit of the same instruction.
 */
static void vcpu_settle(struct vcpu *v)
{
	while (v->answered) {
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		v->answered = false;
		if (!libhv_vcpu_run(v->fd)) {
			exit_handle(v);
			v->answered = true;
		}
	}
}

static void *vcpu_loop(void *arg)
{
	struct vcpu *v = arg;
	struct machine *m = v->m;
	int ret;

	readers_enter();
	for (;;) {
		__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		if (atomic_load(&m->park)) {
			vcpu_settle(v);
			if (!vcpu_park(v))
				break;
			continue;
		}
		ret = libhv_vcpu_run(v->fd);
		v->answered = !ret;
		if (!ret) {
			exit_handle(v);
			continue;
		}
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		machine_end_post(m, VMM_END_HOST_ERROR, -ret, "vCPU %u cannot run: %s%s", v->index,
				 strerror(-ret), ret == -ECANCELED || ret == -EIO ?
				 "; the module gave the VM up, see the host's kernel log" : "");
	}
	readers_leave();
	return NULL;
}

int vcpu_create(struct machine *m, unsigned int index)
{
	struct vcpu *v = &m->vcpu[index];
	uint32_t node = HV_NO_VNODE;
	unsigned int i;
	int ret;

	for (i = 0; i < m->cfg->nodes; i++)
		if (index >= m->cfg->node[i].cpu_first &&
		    index < (unsigned int)m->cfg->node[i].cpu_first + m->cfg->node[i].cpu_count)
			node = i;
	v->m = m;
	v->index = index;
	v->fd = libhv_vm_vcpu(m->vm, index, node);
	ret = v->fd < 0 ? v->fd : libhv_vcpu_map(v->fd, &v->run);
	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot make vCPU %u: %s", index, strerror(-ret));
	return ret;
}

int vcpu_start(struct vcpu *v)
{
	struct machine *m = v->m;
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	ret = pthread_create(&v->thread, &attr, vcpu_loop, v);
	pthread_attr_destroy(&attr);
	v->started = !ret;
	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot start the thread of vCPU %u: %s", v->index,
			 strerror(ret));
	return -ret;
}

void vcpu_kick(struct vcpu *v)
{
	if (!v->started)
		return;
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(v->thread, SIGNAL_KICK);
}

void vcpu_release(struct vcpu *v)
{
	if (v->started)
		pthread_join(v->thread, NULL);
	libhv_vcpu_unmap(v->run);
	if (v->fd >= 0)
		close(v->fd);
}
