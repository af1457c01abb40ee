/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records.h - the whole state of a VM and its vCPUs by record, as a save would take it
 *
 * Guest memory is not in it. The structure has no pointers: it may lie in shared memory.
 */
#ifndef HV_TEST_RECORDS_H
#define HV_TEST_RECORDS_H

#include <stdint.h>

#define RECORDS_MAX	128

struct records {
	uint32_t nr;
	struct record_saved {
		int32_t vcpu;	/* -1: of the VM */
		uint32_t id, index, len, version;
		uint8_t data[8192];
	} rec[RECORDS_MAX];
};

/* The VM must be paused, its vCPUs out of HV_VCPU_RUN. The test ends if a record is refused. */
void records_save(struct records *r, int vm, const int *vcpu, uint32_t cpus);
void records_load(const struct records *r, int vm, const int *vcpu);
/* A record of vCPU @vcpu, or NULL. */
const void *records_find(const struct records *r, int32_t vcpu, uint32_t id);
/* HV_VM_SET_RUN_STATE; the result. */
long records_run_state(int vm, uint32_t state);

#endif /* HV_TEST_RECORDS_H */
