// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit.c - exits to user space that expect an answer
 *
 * What waits is data in vcpu->pending: kernel-private, saved as a record, finished by the
 * table below at the next HV_VCPU_RUN. The run page only carries the answer's bytes
 * inward, once; its kind, length and address are never read back. The answer stays in
 * the note until the instruction is done: a store that has to wait, or a save and a load
 * in between, must not make the device answer a second time.
 */
#include <linux/string.h>
#include <hv/arch.h>
#include <hv/core.h>
#include "exit.h"

/* A record was set, or user space never saw the exit: present it (again). */
static enum hv_next present_pio_in(struct hv_vcpu *vcpu)
{
	struct hv_pending *p = &vcpu->pending;
	struct hv_run *run = vcpu->run;

	run->pio.port = p->key >> 32;
	run->pio.bytes = (u8)p->key;
	run->pio.in = 1;
	run->pio.count = p->step;
	WRITE_ONCE(run->exit_kind, HV_EXIT_PIO);
	return HV_NEXT_TO_USER;
}

static enum hv_next present_mmio(struct hv_vcpu *vcpu)
{
	struct hv_pending *p = &vcpu->pending;
	struct hv_run *run = vcpu->run;

	run->mmio.gpa = p->key;
	run->mmio.bytes = p->len;
	run->mmio.write = p->kind == HV_PENDING_MMIO_WRITE;
	memcpy(run->mmio.data, p->data, sizeof(run->mmio.data));
	WRITE_ONCE(run->exit_kind, HV_EXIT_MMIO);
	return HV_NEXT_TO_USER;
}

enum hv_next hv_exit_memory_fault(struct hv_vcpu *vcpu, hv_gpa_t gpa, bool write, int error)
{
	struct hv_run *run = vcpu->run;

	run->fault.gpa = gpa;
	run->fault.flags = write ? HV_FAULT_F_WRITE : 0;
	run->fault.error = error;
	run->fault.rsvd = 0;
	WRITE_ONCE(run->exit_kind, HV_EXIT_MEMORY_FAULT);
	return HV_NEXT_TO_USER;
}

static void take_pio_in(struct hv_vcpu *vcpu)
{
	const u8 *data = (const u8 *)vcpu->run + HV_RUN_PIO_DATA;
	struct hv_pending *p = &vcpu->pending;

	if (likely(p->step == 1))
		memcpy(p->data, data, 4);
	else
		memcpy(p->data, data, sizeof(p->data));
}

static void take_mmio(struct hv_vcpu *vcpu)
{
	memcpy(vcpu->pending.data, vcpu->run->mmio.data, sizeof(vcpu->run->mmio.data));
}

static const struct {
	enum hv_next (*present)(struct hv_vcpu *vcpu);
	void (*take)(struct hv_vcpu *vcpu);	/* the answer, into the note */
	enum hv_next (*finish)(struct hv_vcpu *vcpu);
} pend_table[] = {
	[HV_PENDING_PIO_IN] = { present_pio_in, take_pio_in, hv_arch_finish_pio_in },
	[HV_PENDING_MMIO_READ] = { present_mmio, take_mmio, hv_arch_finish_mmio },
	[HV_PENDING_MMIO_WRITE] = { present_mmio, take_mmio, hv_arch_finish_mmio },
};

enum hv_next hv_pending_finish(struct hv_vcpu *vcpu)
{
	struct hv_pending *p = &vcpu->pending;

	if (p->kind == HV_PENDING_NONE)
		return HV_NEXT_RESUME;
	if (p->kind >= ARRAY_SIZE(pend_table)) {
		hv_vm_set_dead(vcpu->vm, "pending work of an unknown kind");
		return HV_NEXT_STOP;
	}
	if (!p->answered) {
		if (!p->presented) {
			p->presented = true;
			return pend_table[p->kind].present(vcpu);
		}
		pend_table[p->kind].take(vcpu);
		p->answered = true;
	}
	return pend_table[p->kind].finish(vcpu);
}
