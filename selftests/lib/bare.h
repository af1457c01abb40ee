/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bare.h - run a bare guest image (selftests/guest) on /dev/hv, without the VMM */
#ifndef HV_TEST_BARE_H
#define HV_TEST_BARE_H

#include <stdbool.h>
#include <stdint.h>

#define BARE_RAM	(64ull << 20)
#define BARE_RO_GPA	0xc0000000ull	/* one page of read-only memory */

struct hv_run;

struct bare {
	const char *image;	/* path of the ELF file */
	const char *append;	/* more words for its command line, or NULL */
	uint32_t cpus;
	uint32_t seconds;	/* it is given up after that */
	uint32_t ms;		/* plus that */
	uint32_t vm_flags;	/* HV_VM_F_* */
	uint32_t cpu_model;	/* enum hv_cpu_model */
	void *ram;		/* BARE_RAM bytes of the caller's, or NULL: fresh memory */
	bool loaded;		/* @ram holds a machine on its way: load nothing, set no registers */
	/* Called when the VM stands and before it runs, if not NULL: wire eventfds, set state. */
	void (*prepare)(struct bare *b);
	/*
	 * Called by the vCPU's thread for a port that is neither the console nor the exit, if
	 * not NULL: @run says which; a read's answer goes behind HV_RUN_PIO_DATA.
	 */
	void (*port)(struct bare *b, struct hv_run *run);
	volatile bool stop;	/* set by port(): the machine stops there */
	/*
	 * Called when no vCPU runs any more, if not NULL. True: it has reset the VM and emptied its
	 * memory, and the image is loaded and runs again.
	 */
	bool (*again)(struct bare *b);
	/* Called when no vCPU runs any more and before all is closed, if not NULL. */
	void (*leave)(struct bare *b);
	uint32_t crashes;	/* how often the guest told of a crash, */
	uint64_t crash_ctl;	/* and what it said last */
	uint64_t crash_p[5];
	int vm;			/* for the two */
	int vcpu[16];
};

/*
 * Run it: output goes to stdout, each line behind "# ". Returns what it wrote to the
 * debug-exit port, or -1 (time is over), -2 (shutdown), -3 (another exit; a note says which), -4 (stopped by port()).
 */
int bare_run(struct bare *b);

#endif /* HV_TEST_BARE_H */
