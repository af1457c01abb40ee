/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device model may use of the machine, and what it shows to it.
 *
 * A model never sees libhv, an ioctl or the VM: it gets a struct dev_services. It keeps its state in
 * its own struct, embeds a struct device, and describes the ports and addresses it answers.
 *
 * Locking: the machine holds device.lock around read, write, reset and timer callbacks. Input from a
 * backend takes it in the model. Services may be called with it held; none of them calls back into
 * the model.
 */
#ifndef HV_DEVICES_DEV_SERVICES_H
#define HV_DEVICES_DEV_SERVICES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"

struct chan;
struct chan_gpadl;
struct chan_offer;
struct device;
struct dev_services;

/* Direction of a guest-memory handle, as the device sees it. */
enum dev_dir {
	DEV_DIR_READ	= 1,	/* the device reads guest memory */
	DEV_DIR_WRITE	= 2,	/* the device writes guest memory */
};

/* A piece of guest memory held for one transfer. Contents are hostile and change: copy, check, use. */
struct gmem {
	void		*ptr;
	uint64_t	gpa;
	uint32_t	len;
	uint32_t	dir;	/* enum dev_dir, or both */
	void		*range;	/* keeps @ptr valid until it is put */
};

enum dev_power {
	DEV_POWER_OFF,		/* S5 */
	DEV_POWER_RESET,
	DEV_POWER_DEBUG_EXIT,	/* code: the byte the guest wrote */
	DEV_POWER_NO_BOOT,	/* the boot image found nothing to start */
};

enum dev_log { DEV_LOG_ERROR, DEV_LOG_WARN, DEV_LOG_INFO };

/* A one-shot timer of a device; zero it, set @fire. The machine locks @dev around @fire. */
struct dev_timer {
	void		(*fire)(struct dev_timer *t);
	struct device	*dev;
	void		*host;	/* the machine's */
};

struct dev_services_ops {
	/* Return: 0; -EFAULT when [gpa, gpa+len) is not whole RAM, or read-only and WRITE is asked. */
	int	(*gmem_get)(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir,
			    struct gmem *out);
	/*
	 * One more piece for the transfer that has @held, in the same direction: cheaper when it lies
	 * in the same range of memory. Return: as gmem_get().
	 */
	int	(*gmem_get_like)(struct dev_services *ds, const struct gmem *held, uint64_t gpa,
				 uint32_t len, struct gmem *out);
	/* Marks what was written dirty; call it before the guest can learn of the completion. */
	void	(*gmem_put)(struct dev_services *ds, struct gmem *g);
	/* Level of an I/O APIC pin, 0..23. */
	void	(*irq_set)(struct dev_services *ds, unsigned int gsi, bool level);
	/* @when: now_ns() time. Re-arming moves it. 0 from @timer_arm, or -ENOMEM the first time. */
	int	(*timer_arm)(struct dev_services *ds, struct dev_timer *t, uint64_t when);
	void	(*timer_cancel)(struct dev_services *ds, struct dev_timer *t);
	void	(*timer_free)(struct dev_services *ds, struct dev_timer *t);
	uint64_t (*now_ns)(struct dev_services *ds);		/* monotonic */
	uint64_t (*wall_ns)(struct dev_services *ds);		/* UTC since 1970 */
	void	(*power)(struct dev_services *ds, enum dev_power what, unsigned int code);
	/* Tell the hypervisor that a page's host mapping was changed under it (test device only). */
	void	(*page_touch)(struct dev_services *ds, uint64_t gpa);
	void	(*log)(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

	/* VMBus channels (chan.h). Loop thread, except for signal, closed, gpadl_get and sub_create. */
	/* Offer @c to the guest. -ENODEV: this VM has no bus. */
	int	(*chan_create)(struct dev_services *ds, const struct chan_offer *offer, struct chan *c);
	/* Offer sub-channel @c of the open channel @primary soon; any thread. Nothing if it is offered. */
	void	(*chan_sub_create)(struct dev_services *ds, struct chan *primary, struct chan *c);
	/* Take it back from the guest. It must be closed, as far as the device is concerned. */
	void	(*chan_remove)(struct dev_services *ds, struct chan *c);
	void	(*chan_signal)(struct dev_services *ds, struct chan *c);	/* interrupt the guest */
	void	(*chan_closed)(struct dev_services *ds, struct chan *c);	/* answers chan_ops.close */
	/*
	 * The pages of @gpadl of the open channel @c, which end with chan_ops.gpadl_gone; any thread. 0; -ENOENT:
	 * no such list; -ENOMEM.
	 */
	int	(*chan_gpadl_get)(struct dev_services *ds, struct chan *c, uint32_t gpadl,
				  struct chan_gpadl *out);
	/* Loop thread. A sub-channel the guest has been offered, or is about to be. */
	bool	(*chan_offered)(struct dev_services *ds, struct chan *c);
};

struct dev_services {
	const struct dev_services_ops *ops;
};

enum dev_space { DEV_SPACE_PORT, DEV_SPACE_MEM };

/* A range of ports or guest physical addresses; @id tells a model's ranges apart. */
struct dev_range {
	enum dev_space	space;
	uint64_t	base;
	uint64_t	len;
	unsigned int	id;
};

#define DEV_RANGES 6

/* Numbers of device records in a saved VM: never used for something else. */
enum dev_record_id {
	DEV_REC_UART		= 0x2001,
	DEV_REC_RTC		= 0x2002,
	DEV_REC_ACPI_PM		= 0x2003,
	DEV_REC_IC		= 0x2004,
	DEV_REC_STORVSP		= 0x2005,
	DEV_REC_PC_TESTDEV	= 0x2006,
	DEV_REC_FW_CFG		= 0x2007,
	DEV_REC_KVP		= 0x2008,
	DEV_REC_NETVSP		= 0x2009,
};

/*
 * What of a device is saved: explicit fields, never a struct. No vCPU runs, its lock is held, loop thread;
 * what it had under way was drained. Levels of interrupt lines are the module's to keep.
 */
struct dev_record {
	uint32_t	id;		/* enum dev_record_id */
	uint32_t	version;	/* grows when fields are added; older ones can always be loaded */
	void	(*save)(struct device *d, struct fields_out *out);
	/*
	 * Into a fresh device, whose channels are restored after it. @in is hostile. The machine has seen that
	 * @version is known, and looks itself whether all was read. 0 or -EINVAL.
	 */
	int	(*load)(struct device *d, struct fields_in *in, uint32_t version);
};

struct dev_ops {
	const char *name;
	/* @size is 1, 2, 4 or 8 and [off, off+size) lies in range @id. */
	uint64_t (*read)(struct device *d, unsigned int id, uint64_t off, unsigned int size);
	void	(*write)(struct device *d, unsigned int id, uint64_t off, unsigned int size,
			 uint64_t value);
	/*
	 * The VM is being reset or saved: finish what is under way, begin nothing new on any channel that is
	 * open, and return when no guest memory is held or touched. Before @reset or @record, without device.lock,
	 * loop thread. NULL: nothing of the device goes on by itself.
	 */
	void	(*drain)(struct device *d);
	void	(*go_on)(struct device *d);	/* takes a drain back; NULL if there is none. As @drain */
	void	(*reset)(struct device *d);	/* back to the power-on state; host ends stay */
	void	(*release)(struct device *d);	/* frees @d */
	const struct dev_record *record;	/* NULL: the guest can change nothing of it */
};

struct device {
	const struct dev_ops	*ops;
	struct dev_services	*ds;
	struct dev_range	range[DEV_RANGES];
	unsigned int		nr_ranges;
	pthread_mutex_t		lock;
	uint64_t		accesses;	/* under lock; for statistics */
};

/* Set the common part up; @ranges is copied. */
void device_init(struct device *d, const struct dev_ops *ops, struct dev_services *ds,
		 const struct dev_range *ranges, unsigned int nr);

#define dev_container(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
