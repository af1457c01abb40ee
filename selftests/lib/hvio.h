/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvio.h - the ioctl interface for tests, without libhv, so that a test doesn't share its
 * bugs
 *
 * Three tiers:
 *	hv_raw(fd, cmd, arg)	any number, any pointer: what a hostile caller does
 *	hv_try(fd, CMD, &args)	the right type for the number, @size filled in
 *	hv_do(fd, CMD, &args)	the same, and the test ends if it fails
 * All return 0 or more, or -errno.
 */
#ifndef HV_TEST_HVIO_H
#define HV_TEST_HVIO_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <hv/hv.h>
#include <hv/hv_caps.h>
#include <hv/hv_run.h>
#include <hv/hv_state.h>
#include <hv/hv_stats.h>
#include <hv/hv_x86.h>
#include "tap.h"

static inline long hv_raw(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

#define hv_try(fd, cmd, args) __extension__ ({				\
	_Static_assert(sizeof(*(args)) == _IOC_SIZE(cmd), "wrong structure for " #cmd); \
	(args)->size = sizeof(*(args));					\
	hv_raw((fd), (cmd), (args)); })

#define hv_do(fd, cmd, args) __extension__ ({				\
	long hv_do_ret = hv_try(fd, cmd, args);				\
	if (hv_do_ret < 0)						\
		tap_bail("%s:%d: " #cmd ": error %ld", __FILE__, __LINE__, -hv_do_ret); \
	hv_do_ret; })

/* /dev/hv; ends the test if it can't be opened */
int hv_open(void);
/* A VM; the test ends if there can't be one. */
int hv_vm_new(int sys, uint32_t flags, uint32_t max_vcpus);
int hv_vm_new_model(int sys, uint32_t flags, uint32_t max_vcpus, uint32_t cpu_model);
int hv_vcpu_new(int vm, uint32_t index);
/* The run page of a vCPU fd. */
struct hv_run *hv_run_map(int vcpu);

/* Guest memory from an anonymous mapping in slot @slot; returns its host address. */
void *hv_ram_new(int vm, uint32_t slot, uint64_t gpa, uint64_t bytes);
/* Delete a slot and unmap what hv_ram_new() returned. */
void hv_ram_free(int vm, uint32_t slot, void *host, uint64_t bytes);

/*
 * One page of guest memory at the reset vector whose code starts at the vector (16-bit,
 * CS base 0xffff0000); code beyond 16 bytes goes to the start of the page.
 */
#define HV_RESET_PAGE	0xfffff000ull
#define HV_RESET_SLOT	0u
void *hv_reset_code(int vm, const void *code, size_t len);

/* Guest code for tests. */
extern const uint8_t hv_code_spin[2];		/* jmp . */
extern const uint8_t hv_code_halt[3];		/* hlt; jmp to it */
extern const uint8_t hv_code_out[4];		/* out 0x42, al; jmp to it */
extern const uint8_t hv_code_count[43];		/* counts in struct hv_count_cells for ever */

/* At 0x1000 of the guest, in memory that begins at 0. */
#define HV_COUNT_CELLS	0x1000u
struct hv_count_cells {
	volatile uint32_t rounds;
	volatile uint32_t back;		/* how often the TSC went back */
	volatile uint64_t tsc;
};

/* A counter of a VM or vCPU by name (@cmd: HV_VM_GET_STATS, HV_VCPU_GET_STATS); the test ends without. */
uint64_t hv_counter(int fd, unsigned long cmd, const char *name);

/*
 * What must come may take this long, ms: later it is lost, not late. Tests assert no shorter
 * time: the machine may have ten other things to do for each CPU.
 */
#define LATE_MS	60000

/* HV_VCPU_RUN in a thread of its own, again after -EINTR and port exits until told to stop. */
struct hv_runner {
	int vcpu;
	struct hv_run *run;
	unsigned long thread;
	volatile int stop;
	volatile int tid;	/* set when the thread is about to run */
	long last;		/* what HV_VCPU_RUN returned last */
	unsigned long exits;
};

void hv_runner_start(struct hv_runner *r, int vcpu);
/* Until it has been round @n more times than @from; false after LATE_MS. */
int hv_runner_exits(struct hv_runner *r, unsigned long from, unsigned long n);
/* Until a vCPU of @vm is seen inside HV_VCPU_RUN; false after LATE_MS. @r may be NULL. */
int hv_runner_wait(struct hv_runner *r, int vm);
long hv_runner_stop(struct hv_runner *r);
/* Wait until it ends by itself: on an error, or an exit that it does not know. */
long hv_runner_join(struct hv_runner *r);

#endif /* HV_TEST_HVIO_H */
