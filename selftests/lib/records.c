// SPDX-License-Identifier: GPL-2.0-or-later
/* records.c - see records.h */
#include "hvio.h"
#include "records.h"

static const uint32_t vm_ids[] = {
	HV_REC_VM_CONFIG, HV_REC_VM_CLOCK, HV_REC_VM_TLFS, HV_REC_VM_IOAPIC, HV_REC_VM_OVERLAY,
	HV_REC_VM_SLOT, HV_REC_VM_CPUID, HV_REC_BUS, HV_REC_BUS_CHANNEL, HV_REC_BUS_GPADL,
	HV_REC_BUS_MESSAGE,
};

static const uint32_t vcpu_ids[] = {
	HV_REC_VCPU_REGS, HV_REC_VCPU_SREGS, HV_REC_VCPU_DEBUG, HV_REC_VCPU_XSAVE,
	HV_REC_VCPU_MSRS, HV_REC_VCPU_LAPIC, HV_REC_VCPU_EVENTS, HV_REC_VCPU_TLFS,
	HV_REC_VCPU_PENDING, HV_REC_VCPU_MESSAGES,
};

/* Of the VM's. */
static int repeats(uint32_t id)
{
	return id == HV_REC_VM_OVERLAY || id == HV_REC_VM_SLOT || id > HV_REC_BUS;
}

static long get_one(struct records *all, int fd, unsigned long cmd, int vcpu, uint32_t id,
		    uint32_t index)
{
	struct record_saved *r = &all->rec[all->nr];
	struct hv_state_args a = { .size = sizeof(a), .record = id, .index = index,
				   .addr = (uintptr_t)r->data, .len = sizeof(r->data) };
	long ret;

	if (all->nr == RECORDS_MAX)
		tap_bail("more records than expected");
	ret = hv_raw(fd, cmd, &a);
	if (ret < 0)
		return ret;
	r->vcpu = vcpu;
	r->id = id;
	r->index = index;
	r->len = a.len;
	r->version = a.version;
	all->nr++;
	return ret;
}

void records_save(struct records *all, int vm, const int *vcpu, uint32_t cpus)
{
	uint32_t i, c, index;
	long ret;

	all->nr = 0;
	for (i = 0; i < sizeof(vm_ids) / sizeof(vm_ids[0]); i++)
		for (index = 0; ; index++) {
			ret = get_one(all, vm, HV_VM_GET_STATE, -1, vm_ids[i], index);
			if ((repeats(vm_ids[i]) || vm_ids[i] == HV_REC_BUS) && ret == -ENOENT)
				break;		/* no more, or there is no bus */
			if (ret < 0)
				tap_bail("get VM record 0x%x: %ld", vm_ids[i], ret);
			if (!repeats(vm_ids[i]))
				break;
		}
	for (c = 0; c < cpus; c++)
		for (i = 0; i < sizeof(vcpu_ids) / sizeof(vcpu_ids[0]); i++) {
			ret = get_one(all, vcpu[c], HV_VCPU_GET_STATE, (int)c, vcpu_ids[i], 0);
			if (ret < 0)
				tap_bail("get vCPU record 0x%x: %ld", vcpu_ids[i], ret);
		}
}

void records_load(const struct records *all, int vm, const int *vcpu)
{
	uint32_t i;

	for (i = 0; i < all->nr; i++) {
		const struct record_saved *r = &all->rec[i];
		struct hv_state_args a = { .size = sizeof(a), .record = r->id, .index = r->index,
					   .addr = (uintptr_t)r->data, .len = r->len,
					   .version = r->version };
		long ret = hv_raw(r->vcpu < 0 ? vm : vcpu[r->vcpu],
				  r->vcpu < 0 ? HV_VM_SET_STATE : HV_VCPU_SET_STATE, &a);

		if (ret < 0)
			tap_bail("set record 0x%x: %ld", r->id, ret);
	}
}

const void *records_find(const struct records *all, int32_t vcpu, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < all->nr; i++)
		if (all->rec[i].vcpu == vcpu && all->rec[i].id == id)
			return all->rec[i].data;
	return NULL;
}

long records_run_state(int vm, uint32_t state)
{
	struct hv_run_state_args a = { .state = state };

	return hv_try(vm, HV_VM_SET_RUN_STATE, &a);
}
