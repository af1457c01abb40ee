/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VM as the control socket sees it. All functions are for the loop thread unless said otherwise.
 */
#ifndef HV_VMM_MACHINE_H
#define HV_VMM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "lifecycle.h"

#define MACHINE_CHAN_STATS	16
#define MACHINE_NET_STATS	16
#define MACHINE_NET_QUEUES	16

struct chr;
struct loop;
struct machine;

const struct vmm_config *machine_config(const struct machine *m);
uint64_t machine_id(const struct machine *m);		/* the module's number of the VM: tracepoints have it */
enum vmm_state machine_state(const struct machine *m);
struct loop *machine_loop(struct machine *m);
struct chr *machine_console(struct machine *m);		/* the first serial port */

/*
 * Life-cycle verbs. Return: 0, or -EBUSY when the edge is not allowed from the present state
 * (machine_state() says which that is). pause and resume are idempotent.
 */
int machine_pause(struct machine *m);		/* returns with every vCPU outside the guest */
int machine_resume(struct machine *m);
int machine_reset(struct machine *m);
int machine_stop(struct machine *m);		/* asks the guest to shut down, or presses the power button */
void machine_kill(struct machine *m, const char *by);	/* ends the VM now; @by goes into its log */

/* Called once, when the state reaches VMM_STATE_ENDED and on every other change. */
typedef void (*machine_watch_fn)(void *arg, struct machine *m, enum vmm_state now);
void machine_watch_set(struct machine *m, machine_watch_fn fn, void *arg);

/* How it ended; cause VMM_END_NONE before the end. */
const struct vmm_end *machine_end(const struct machine *m);

/* Where a disk hangs. */
struct machine_place {
	uint8_t	controller;	/* below VMM_CONTROLLERS_MAX */
	int	unit;		/* below VMM_LUNS_MAX; -1: see the verb */
};

/* An image that a client has opened; @fd is the machine's from the call on, whatever is returned. */
struct machine_image {
	int		fd;
	const char	*path;		/* for messages */
	bool		readonly, raw;
};

/*
 * Disks of a VM that runs or is paused. The place used is told in @at. Return: 0 or -errno, which is
 * @e->code, with a text and, mostly, the next step.
 *
 * attach: unit -1 is the first free one. -ENOENT no such controller: there are those the VM began with.
 * -EEXIST the unit is taken; -EAGAIN the guest has not noticed yet that the last one went.
 * detach: waits for commands under way. Any unit, drives as well.
 * medium: of a DVD drive; @image NULL takes it out. Unit -1 is the only drive, -ENOENT if there is none
 * and -EINVAL if there are several. -EBUSY the guest has locked the tray and @force is not set.
 */
struct err;
int machine_disk_attach(struct machine *m, struct machine_place *at, const struct machine_image *image,
			struct err *e);
int machine_disk_detach(struct machine *m, struct machine_place *at, struct err *e);
int machine_disk_medium(struct machine *m, struct machine_place *at, const struct machine_image *image,
			bool force, struct err *e);

/* A disk or drive; strings until the next change. */
struct machine_disk {
	struct machine_place	at;
	bool			dvd, readonly;
	const char		*path;		/* NULL: an empty drive */
	uint64_t		size;		/* bytes */
};
/* The @nr-th one. Return: false when there are fewer. */
bool machine_disk_look(struct machine *m, unsigned int nr, struct machine_disk *out);

/* A network adapter and what it counted; strings as long as the VM. */
struct machine_net {
	const char	*kind, *about;		/* of the backend, and where it leads */
	uint8_t		mac[6];
	bool		up;			/* the cable is in */
	uint32_t	version, mtu, queues;	/* 0: the guest does not use it */
	unsigned int	nr;			/* of counters */
	const char	*const *names;
	uint64_t	value[MACHINE_NET_STATS];
	uint64_t	queue_tx[MACHINE_NET_QUEUES], queue_rx[MACHINE_NET_QUEUES];	/* frames of each channel */
};
/* The @nr-th one. Return: false when there are fewer. */
bool machine_net_look(struct machine *m, unsigned int nr, struct machine_net *out);

/* Pull the cable out of adapter @nr, or put it in. Return: 0; -ENOENT: there is none; -ENODEV: nothing to put it into. */
int machine_net_link(struct machine *m, unsigned int nr, bool up);

/*
 * Save into @fd, an empty file, with zstd's @level or 0. When this returns 0 the VM stands still, @fd is the
 * machine's, and @fn is called once, from the loop: with NULL when all is on disk - then the VM waits for
 * machine_save_end() - or with the error after which it goes on as before. Else -EBUSY or -errno, with @e.
 *
 * machine_save_cancel() - @fn is not called any more. What is written yet is of no use, and the VM goes on; or,
 * after @fn has been called with NULL, it is paused for a human to decide.
 */
struct state_err;
typedef void (*machine_save_fn)(void *arg, const struct state_err *e);
int machine_save(struct machine *m, int fd, int level, machine_save_fn fn, void *arg, struct err *e);
void machine_save_cancel(struct machine *m);
int machine_save_end(struct machine *m);	/* the VM's process ends; -EBUSY: it is not saved */
/* Bytes of memory looked at, of how many. Return: false when it is not being saved. */
bool machine_save_progress(const struct machine *m, uint64_t *done, uint64_t *total);

/* One named figure of the VM (counts since creation; sizes in bytes; times in ns). */
struct machine_stat {
	const char	*name;		/* e.g. "vcpu0.exits.pio" */
	uint64_t	value;
	bool		instant;	/* as it is now; else it only grows */
};
/* Fill up to @max figures. Return: how many there are. */
int machine_stats(struct machine *m, struct machine_stat *out, int max);

/* A VMBus channel and its counters since it was offered (the primary one: since the VM was made). */
struct machine_chan {
	const char	*kind;		/* "scsi", "shutdown", ...; "other" */
	char		instance[37];	/* GUID, as the guest's /sys/bus/vmbus/devices has it */
	const char	*state;		/* e.g. "open" */
	uint32_t	index;		/* of a sub-channel; 0: primary */
	uint32_t	relid, vp;	/* @vp: which the device interrupts, while it is open */
	uint32_t	nr;		/* of counters */
	struct {
		char		name[40];
		uint64_t	value;
	} stat[MACHINE_CHAN_STATS];
};
/* Fill up to @max. Return: how many there are. */
int machine_channels(struct machine *m, struct machine_chan *out, int max);

/* What the guest's heartbeat says: "unknown" (it has none), "ok" or "lost". */
const char *machine_heartbeat(struct machine *m);

/*
 * Key-value pairs with the guest (devices/kvp.h, where errors are). look: valid until the loop does something else.
 */
struct kvp_view;
void machine_kvp_look(struct machine *m, struct kvp_view *out);
int machine_kvp_read(struct machine *m, uint32_t *sweep);
int machine_kvp_change(struct machine *m, const char *name, const char *value, uint32_t *change);

/* The pty's name with VMM_SERIAL_PTY, else NULL. */
const char *machine_serial_name(const struct machine *m);

/*
 * What ctl.c offers the machine: serve the control socket @listen_fd in the loop.
 * ctl_release() closes all clients after sending what is queued, and @listen_fd.
 */
struct ctl;
int ctl_create(struct ctl **out, struct machine *m, int listen_fd);	/* 0 or -errno */
void ctl_release(struct ctl *c);

#endif
