/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flat.h - a vCPU in 32-bit protected mode without paging that runs snippets
 *
 * The test is the guest's brain: it sets registers, names a snippet, and runs it to its
 * end (a write to port 0x81). Code has a slot of its own at FLAT_CODE; everything else
 * below 4 GiB is the test's.
 */
#ifndef HV_TEST_FLAT_H
#define HV_TEST_FLAT_H

#include <stdint.h>
#include "hvio.h"

#define FLAT_CODE	0xe0000000u
#define FLAT_CODE_SLOT	511u

struct flat {
	int sys, vm, vcpu;
	uint32_t index;
	struct hv_run *run;
	uint8_t *code;
	/* a snippet running in a thread of its own */
	unsigned long thread;
	volatile int stop;
	long last;		/* what HV_VCPU_RUN returned last */
	uint32_t exit_kind;	/* and why, if 0 */
};

enum flat_code {
	FLAT_READ,		/* eax = *esi */
	FLAT_WRITE,		/* *edi = eax */
	FLAT_READ_SWEEP,	/* ecx reads from edi on, ebx apart; eax = the last */
	FLAT_WRITE_SWEEP,	/* ecx writes of eax from edi on, ebx apart */
	FLAT_COUNT,		/* for ever: ++ of edx words from esi on, ebx apart; ebp counts rounds */
	FLAT_WATCH,		/* for ever: read edx words from esi on, ebx apart; ebp counts rounds */
	FLAT_INSB,		/* ecx bytes of port dx to edi on */
	FLAT_INSL,		/* ecx words of port dx to edi on */
	FLAT_OUTSB,		/* ecx bytes from esi on to port dx */
	FLAT_MOVSL,		/* ecx words from esi on to edi on */
	FLAT_INSB_LOOP,		/* ebp times: 24 bytes of port dx to esi on */
	FLAT_MOVSL_LOOP,	/* ebp times: 3 words from ebx on to edx on */
	FLAT_VMMCALL,		/* a hypercall with the registers as they are */
	FLAT_NR,
};

/* VM with one vCPU (more with flat_add), code in place. */
void flat_new(struct flat *f, uint32_t vm_flags, uint32_t max_vcpus);
/* Another vCPU of @f's VM. */
void flat_add(struct flat *more, const struct flat *f, uint32_t index);
void flat_close(struct flat *f);

struct flat_regs {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
};

/* Registers for a snippet, and the vCPU's registers. */
void flat_set(struct flat *f, enum flat_code code, const struct flat_regs *r);
void flat_get(struct flat *f, struct flat_regs *r);
/* Run a snippet; 0 at its end, -errno, or the exit kind if it was something else. */
long flat_run(struct flat *f, enum flat_code code, struct flat_regs *r);
long flat_write(struct flat *f, uint32_t gpa, uint32_t val);
/* The value, or ~0 with @err (may be NULL) set. */
uint32_t flat_read(struct flat *f, uint32_t gpa, long *err);

/*
 * FLAT_COUNT and FLAT_WATCH: start (without @r: go on from where it was stopped), and
 * stop; flat_stop() gives the registers.
 */
void flat_start(struct flat *f, enum flat_code code, const struct flat_regs *r);
void flat_stop(struct flat *f, struct flat_regs *r);

/* The processor's state, to go on with in another VM. */
struct flat_state {
	struct hv_rec_regs regs;
	struct hv_rec_sregs sregs;
};

void flat_save(const struct flat *f, struct flat_state *s);
void flat_load(struct flat *f, struct flat_state *s);

/* A slot; flags HV_SLOT_F_*. @bytes 0 deletes. */
long flat_slot(const struct flat *f, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t bytes,
	       void *host);
/* A counter of the VM by name. */
uint64_t flat_stat(const struct flat *f, const char *name);
uint64_t flat_vcpu_stat(const struct flat *f, const char *name);

#endif /* HV_TEST_FLAT_H */
