/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as its own files see it: machine, boot, run control, vCPU threads, services. */
#ifndef HV_VMM_MACHINE_IMPL_H
#define HV_VMM_MACHINE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backends/chr.h"
#include "base/err.h"
#include "devices/dev_services.h"
#include "layout.h"
#include "libhv/libhv.h"
#include "load.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "mem.h"

#define MACHINE_DEVICES 24

struct bus_chan;
struct chan_gpadl;
struct endpoint;
struct iobus;
struct restore;
struct save;

struct vcpu {
	struct machine	*m;
	unsigned int	index;
	int		fd;		/* -1: none */
	struct hv_run	*run;
	pthread_t	thread;
	bool		started;	/* thread exists */
	bool		parked;		/* m->park_lock */
	bool		answered;	/* its thread: the run page holds what the module has not taken yet */
};

struct machine {
	const struct vmm_config	*cfg;
	struct layout		layout;
	struct mem		*mem;
	struct load_job		load;
	struct iobus		*bus;
	struct loop		*loop;
	struct vmm_log		*log;
	struct chr		*console;
	struct endpoint		*endpoint;
	struct ctl		*ctl;
	struct dev_services	services;
	struct device		*dev[MACHINE_DEVICES];
	unsigned int		nr_devs;
	struct device		*pm;		/* the one with the power button */
	uint64_t		id;		/* the module's number */
	uint8_t			genid[16];	/* genid.c */
	struct device		*scsi[VMM_CONTROLLERS_MAX];
	struct device		*ic;
	struct device		*kvp;
	struct device		*net[VMM_NETS_MAX];
	bool			sockets;	/* a backend opens some while the guest runs */
	int			sys, vm;	/* descriptors, -1: none */
	struct vcpu		*vcpu;
	struct loop_source	signals;
	char			err[384];
	enum vmm_cause		setup_end;	/* why set-up failed, if it is known better than by errno */
	struct restore		*restore;	/* the file it is made from, until all of that is checked */
	bool			restored, restored_paused, restored_lazily;

	/* loop thread */
	struct save		*save;			/* NULL: it is not being saved */
	enum vmm_state		state;
	machine_watch_fn	watch;
	void			*watch_arg;
	char			(*stat_names)[64];	/* of the last machine_stats() */
	struct bus_chan		*chans;			/* those that were offered, the oldest first */
	struct loop_work	request_work;

	/* any thread */
	pthread_mutex_t		park_lock;
	pthread_cond_t		park_cond;	/* vCPUs wait here for park to clear */
	pthread_cond_t		parked_cond;	/* the loop thread waits here for vCPUs */
	atomic_bool		park;		/* written under park_lock */
	bool			quit;		/* park_lock: threads shall end */
	unsigned int		nr_parked;	/* park_lock */
	bool			reset_wanted;	/* park_lock */
	struct vmm_end		end;		/* park_lock until state is ENDED */
};

/* services.c: fill m->services in. */
void services_init(struct machine *m);

/* boot.c: load the kernel, build tables, set vCPU 0's registers. Memory is zero. 0 or -errno, m->err. */
int boot_prepare(struct machine *m);

/* vcpu_thread.c */
int vcpu_create(struct machine *m, unsigned int index);		/* 0 or -errno, m->err */
int vcpu_start(struct vcpu *v);					/* the thread; parked while m->park */
void vcpu_kick(struct vcpu *v);					/* out of the guest soon */
void vcpu_release(struct vcpu *v);				/* joins */

/* genid.c: the VM's generation id. A new one, 0 or -EIO; to where the guest reads it; a new one, and the guest is told. */
int genid_make(struct machine *m);
void genid_put(struct machine *m);
int genid_change(struct machine *m);

/* exits.c: act on what the run page says. Return: false when this vCPU must not go on. */
bool exit_handle(struct vcpu *v);

/* control.c */
/* Any thread: end the machine for @cause; the first one to say so wins. */
void machine_end_post(struct machine *m, enum vmm_cause cause, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Any thread: have the loop thread reset the machine; no vCPU enters the guest until then. */
void machine_reset_post(struct machine *m);
/* Loop thread: all vCPUs out of the guest and parked. 0, or -ETIMEDOUT after @seconds. */
int machine_vcpus_out(struct machine *m, unsigned int seconds);
/* Loop thread: all vCPUs out of the guest, and time stopped. 0, or -ETIMEDOUT when one does not come. */
int machine_park(struct machine *m);
void machine_unpark(struct machine *m);
void machine_control_init(struct machine *m);
void machine_state_set(struct machine *m, enum vmm_state to);

/* disks.c: controllers and what hangs on them, as configured. 0 or -errno, m->err. Before the sandbox. */
int disks_make(struct machine *m);

/* nets.c: network adapters, as configured. 0 or -errno, m->err. Before the sandbox. */
int nets_make(struct machine *m);

/* guest_info.c: key-value pairs with the guest; behind the adapters it asks for. 0 or -errno, m->err. */
int guest_info_make(struct machine *m);

/* bus.c: channels of devices, see struct dev_services_ops */
int bus_chan_create(struct machine *m, const struct chan_offer *offer, struct chan *c);
void bus_chan_sub_create(struct machine *m, struct chan *primary, struct chan *c);
void bus_chan_remove(struct machine *m, struct chan *c);
void bus_chan_signal(struct chan *c);
void bus_chan_closed(struct machine *m, struct chan *c);
int bus_chan_gpadl_get(struct chan *c, uint32_t gpadl, struct chan_gpadl *out);

/* Loop thread: @fn for each channel that is there for the guest or waits to be, with its fd. */
/* Take all events of channels that have come so far. */
void bus_chan_events(struct machine *m);
bool bus_chan_offered(struct machine *m, struct chan *c);
typedef void (*bus_chan_fn)(void *arg, int fd, struct chan *c);
void bus_chan_each(struct machine *m, bus_chan_fn fn, void *arg);

/* stats.c: take a buffer of counters (hv_stats.h) apart; one that makes no sense has none. */
typedef void (*stats_fn)(void *arg, const char *name, uint64_t value, bool instant);
void stats_each(const uint8_t *buf, uint32_t len, stats_fn fn, void *arg);

/* signals.c */
int signals_fatal(struct machine *m);				/* 0 or -errno; before disks are opened */
int signals_init(struct machine *m);				/* 0 or -errno */
void signals_release(struct machine *m);
#define SIGNAL_KICK SIGUSR1

/*
 * sandbox.c: drop privileges and filter system calls, for the rest of the process's life. @sockets: let Internet
 * sockets be opened, and resolv.conf be read.
 */
int sandbox_enter(bool log_only, bool sockets, char *err, size_t errlen);

#endif
