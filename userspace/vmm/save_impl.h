/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of save and restore as they see each other. */
#ifndef HV_VMM_SAVE_IMPL_H
#define HV_VMM_SAVE_IMPL_H

#include "config.h"
#include "libstate/state.h"
#include "save.h"

struct machine;

#define SAVE_VM		(1u << 0)
#define SAVE_VCPU	(1u << 1)	/* one for each vCPU, which is its instance */
#define SAVE_REPEATS	(1u << 2)	/* by index, until there are no more */
#define SAVE_MAY_LACK	(1u << 3)

/* Records of the module, in the order in which they are set. */
struct save_row {
	uint32_t	id;		/* enum hv_state_record */
	uint32_t	flags;
};
extern const struct save_row save_rows[];
extern const unsigned int save_nr_rows;

/* All records of a VM that stands still, but for memory. 0 or -errno with @e. Loop thread. */
int save_records(struct machine *m, struct state_writer *w, uint64_t wall_ns, bool paused,
		 struct state_err *e);
/* Which of the devices with its record's id device @nr is. */
uint32_t save_device_instance(const struct machine *m, unsigned int nr);
/* restore.c: the file is open, and its header fits the machine to be made. Whatever it returns, the machine has it. */
int restore_open(struct machine *m, const struct vmm_fds *fds);
/* The machine is made: all of the file into it. 0 or -errno, m->err and m->setup_end. */
int restore_load(struct machine *m);
/* The guest runs: look at the memory it has not touched yet, in a thread. 0 or -errno. */
int restore_check(struct machine *m);
void restore_close(struct machine *m);
/* save.c: at the end of the process; no memory of the guest is looked at any more. */
void save_stop(struct machine *m);

/* The host CPU's name, by CPUID. */
void save_host_cpu(char *buf, size_t len);

#endif
