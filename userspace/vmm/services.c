// SPDX-License-Identifier: GPL-2.0-or-later
/* What devices may use of the machine: struct dev_services over memory, loop, log and libhv. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "machine_impl.h"

/* The loop's timer behind a dev_timer. */
struct host_timer {
	struct loop_timer	loop;
	struct dev_timer	*dev;
};

static struct machine *machine_of(struct dev_services *ds)
{
	return dev_container(ds, struct machine, services);
}

static int services_gmem_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir,
			     struct gmem *out)
{
	return mem_get(machine_of(ds)->mem, gpa, len, dir, out);
}

static int services_gmem_get_like(struct dev_services *ds, const struct gmem *held, uint64_t gpa,
				  uint32_t len, struct gmem *out)
{
	return mem_get_like(machine_of(ds)->mem, held, gpa, len, out);
}

static void services_gmem_put(struct dev_services *ds, struct gmem *g)
{
	mem_put(machine_of(ds)->mem, g);
}

static void services_irq_set(struct dev_services *ds, unsigned int gsi, bool level)
{
	struct machine *m = machine_of(ds);
	int ret;

	if (m->vm < 0)
		return;		/* power-on levels are low already */
	ret = libhv_vm_irq_line(m->vm, gsi, level);
	if (ret < 0)
		vmm_log(m->log, LOG_ERROR, "interrupt line %u: error %d", gsi, -ret);
}

static void timer_fire(struct loop_timer *t)
{
	struct dev_timer *dev = dev_container(t, struct host_timer, loop)->dev;

	pthread_mutex_lock(&dev->dev->lock);
	dev->fire(dev);
	pthread_mutex_unlock(&dev->dev->lock);
}

static int services_timer_arm(struct dev_services *ds, struct dev_timer *t, uint64_t when)
{
	struct host_timer *h = t->host;

	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return -ENOMEM;
		h->loop.fire = timer_fire;
		h->dev = t;
		t->host = h;
	}
	loop_timer_arm(machine_of(ds)->loop, &h->loop, when);
	return 0;
}

static void services_timer_cancel(struct dev_services *ds, struct dev_timer *t)
{
	struct host_timer *h = t->host;

	if (h)
		loop_timer_cancel(machine_of(ds)->loop, &h->loop);
}

static void services_timer_free(struct dev_services *ds, struct dev_timer *t)
{
	services_timer_cancel(ds, t);
	free(t->host);
	t->host = NULL;
}

static uint64_t services_now(struct dev_services *ds)
{
	(void)ds;
	return loop_now();
}

static uint64_t services_wall(struct dev_services *ds)
{
	struct timespec ts;

	(void)ds;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void services_power(struct dev_services *ds, enum dev_power what, unsigned int code)
{
	struct machine *m = machine_of(ds);

	switch (what) {
	case DEV_POWER_OFF:
		machine_end_post(m, VMM_END_POWEROFF, 0, "the guest powered off");
		break;
	case DEV_POWER_RESET:
		if (m->cfg->flags & VMM_F_NO_REBOOT)
			machine_end_post(m, VMM_END_RESET, 0, "the guest reset, and --no-reboot was given");
		else
			machine_reset_post(m);
		break;
	case DEV_POWER_NO_BOOT:
		machine_end_post(m, VMM_END_NO_BOOT, 0, "nothing on its disks could be started\n"
				 "the console says what was found; --kernel FILE does without the disk's own");
		break;
	case DEV_POWER_DEBUG_EXIT:
		machine_end_post(m, VMM_END_DEBUG_EXIT, code, "the guest wrote %u to the debug-exit port",
				 code);
		break;
	}
}

/* The page's host mapping goes and comes: the module's MMU notifier must follow. */
static void services_page_touch(struct dev_services *ds, uint64_t gpa)
{
	struct machine *m = machine_of(ds);
	struct gmem g;

	if (mem_get(m->mem, gpa, 4096, DEV_DIR_READ, &g))
		return;
	if (mprotect(g.ptr, 4096, PROT_NONE) || mprotect(g.ptr, 4096, PROT_READ | PROT_WRITE))
		vmm_log(m->log, LOG_ERROR, "page flush at 0x%llx failed", (unsigned long long)gpa);
	mem_put(m->mem, &g);
}

static void __attribute__((format(printf, 3, 4)))
services_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	static const enum log_level map[] = {
		[DEV_LOG_ERROR] = LOG_ERROR, [DEV_LOG_WARN] = LOG_WARN, [DEV_LOG_INFO] = LOG_INFO,
	};
	va_list ap;

	va_start(ap, fmt);
	vmm_vlog(machine_of(ds)->log, map[level], fmt, ap);
	va_end(ap);
}

static int services_chan_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	return bus_chan_create(machine_of(ds), offer, c);
}

static void services_chan_sub_create(struct dev_services *ds, struct chan *primary, struct chan *c)
{
	bus_chan_sub_create(machine_of(ds), primary, c);
}

static void services_chan_remove(struct dev_services *ds, struct chan *c)
{
	bus_chan_remove(machine_of(ds), c);
}

static void services_chan_signal(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	bus_chan_signal(c);
}

static void services_chan_closed(struct dev_services *ds, struct chan *c)
{
	bus_chan_closed(machine_of(ds), c);
}

static int services_chan_gpadl_get(struct dev_services *ds, struct chan *c, uint32_t gpadl,
				   struct chan_gpadl *out)
{
	(void)ds;
	return bus_chan_gpadl_get(c, gpadl, out);
}

static bool services_chan_offered(struct dev_services *ds, struct chan *c)
{
	return bus_chan_offered(machine_of(ds), c);
}

static const struct dev_services_ops ops = {
	.gmem_get = services_gmem_get, .gmem_get_like = services_gmem_get_like,
	.gmem_put = services_gmem_put, .irq_set = services_irq_set,
	.timer_arm = services_timer_arm, .timer_cancel = services_timer_cancel,
	.timer_free = services_timer_free, .now_ns = services_now, .wall_ns = services_wall,
	.power = services_power, .page_touch = services_page_touch, .log = services_log,
	.chan_create = services_chan_create, .chan_sub_create = services_chan_sub_create,
	.chan_remove = services_chan_remove, .chan_signal = services_chan_signal,
	.chan_closed = services_chan_closed, .chan_gpadl_get = services_chan_gpadl_get,
	.chan_offered = services_chan_offered,
};

void services_init(struct machine *m)
{
	m->services.ops = &ops;
}
