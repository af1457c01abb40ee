/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storvsp.h - a SCSI controller on VMBus, for the guest's hv_storvsc
 *
 * A controller has up to STORVSP_LUNS units, all at path 0, target 0. Each of its channels is served
 * by a thread; a guest with more CPUs opens more channels, up to what was configured.
 */
#ifndef HV_DEVICES_STORVSP_H
#define HV_DEVICES_STORVSP_H

#include "backends/disk.h"
#include "dev_services.h"
#include "scsi.h"

#define STORVSP_LUNS	64u
#define STORVSP_QUEUES	16u	/* channels at most: the primary one and sub-channels */

struct storvsp_config {
	uint8_t		instance[16];	/* GUID of the controller, wire form */
	unsigned int	queues;		/* 1..STORVSP_QUEUES */
	bool		threads;	/* do without io_uring */
	/*
	 * @table_fd holds the in-flight tables, or will: a memfd, whose owner outlives the controller. It belongs to
	 * the controller, also if storvsp_create() fails. When the guest was using a channel (chan.restored),
	 * what its last device had not answered is done or answered now, each request once.
	 */
	bool		take_over;
	int		table_fd;
};

/*
 * Offer a controller. Before the sandbox. 0; -ENODEV: the VM has no bus; -EINVAL: the in-flight tables are of
 * another make; -ENOMEM, or what setting up a queue brings.
 */
int storvsp_create(struct device **out, struct dev_services *ds, const struct storvsp_config *cfg);

/*
 * Attach @disk at @lun, from now on the controller's to close; any time, loop thread. A DVD drive may
 * be empty (@disk NULL). The guest is told when it runs. -EEXIST, -EINVAL (@lun, or a size that is no
 * whole number of blocks); -EAGAIN: a unit that was here was taken away and the guest has not noticed
 * yet, it would take the new one for the old.
 */
int storvsp_attach(struct device *d, unsigned int lun, enum scsi_type type, struct disk *disk);

/*
 * Take the unit at @lun away, whatever the guest does with it: commands under way end first, which is
 * waited for. -ENOENT; else the disk's last error or 0.
 */
int storvsp_detach(struct device *d, unsigned int lun, struct vhd_err *e);

/* What is at @lun, loop thread: 0; -ENOENT: nothing; -EAGAIN: nothing may be put there yet. */
struct storvsp_unit {
	enum scsi_type		type;
	bool			medium;		/* the guest finds one: its tray is closed */
	const struct disk	*disk;		/* NULL: none; until the next call that changes units */
};
int storvsp_look(struct device *d, unsigned int lun, struct storvsp_unit *out);

/* Counters of the controller since it was made, over all its queues. [any thread; not a snapshot] */
#define STORVSP_FIGURES 8
struct storvsp_figure {
	const char	*name;
	uint64_t	value;
};
void storvsp_figures(struct device *d, struct storvsp_figure out[STORVSP_FIGURES]);

/*
 * Change the medium of the DVD drive at @lun: @disk, or none if NULL. -ENOENT no such drive; -EBUSY
 * the guest has locked the tray and @force is not set (it is told that somebody wants the medium).
 */
int storvsp_medium(struct device *d, unsigned int lun, struct disk *disk, bool force);

#endif
