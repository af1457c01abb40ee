// SPDX-License-Identifier: GPL-2.0-only
/*
 * State by record: which record belongs to whom.
 *
 * Rows with @get and @set are records of fixed size kept in virt; the others go to arch
 * as they are. A record's number, size and meaning never change; @version grows when a
 * record grows.
 */
#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/bus.h>
#include <hv/core.h>
#include <hv/hv_state.h>
#include <hv/overlay.h>
#include <hv/slot.h>
#include <hv/tlfs.h>
#include <hv/vm.h>

#define HV_TSC_PPM	250	/* clocks closer than that are the same to a guest (as NTP slews) */

/* ---- records of the VM ---- */

/* What its vCPUs see by CPUID, in one number: a VM with other leaves is another machine. */
static int cpuid_crc(struct hv_vm *vm, u64 *crc)
{
	struct hv_cpuid_entry *e;
	u32 nr = 0;
	int ret;

	ret = hv_arch_cpuid_get(vm, 0, NULL, &nr);
	if (ret != -E2BIG)
		return ret ? ret : -EINVAL;
	e = kvcalloc(nr, sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	ret = hv_arch_cpuid_get(vm, 0, e, &nr);
	if (!ret)
		*crc = crc32_le(~0u, (const u8 *)e, nr * sizeof(*e));
	kvfree(e);
	return ret;
}

static int config_get(struct hv_vm *vm, u32 index, void *buf)
{
	struct hv_rec_config *r = buf;

	r->cpu_model = vm->cpu_model;
	r->vm_flags = vm->flags;
	r->max_vcpus = vm->max_vcpus;
	r->tsc_khz = hv_arch_tsc_khz(vm);
	return cpuid_crc(vm, &r->cpuid_crc);
}

/* Nothing is set: the record is held against what the VM was created as. */
static int config_set(struct hv_vm *vm, u32 index, const void *buf)
{
	const struct hv_rec_config *r = buf;
	u32 khz = hv_arch_tsc_khz(vm);
	u64 crc;
	int ret;

	if (r->cpu_model != vm->cpu_model || r->vm_flags != vm->flags ||
	    r->max_vcpus != vm->max_vcpus)
		return -EINVAL;
	if (abs((s64)r->tsc_khz - khz) > div_u64((u64)khz * HV_TSC_PPM, 1000000))
		return -EINVAL;
	ret = cpuid_crc(vm, &crc);
	if (ret)
		return ret;
	/* A baseline is made for moving to another CPU: HV_REC_VM_CPUID tells whether that will do. */
	return crc == r->cpuid_crc || vm->cpu_model != HV_CPU_HOST ? 0 : -EINVAL;
}

static int clock_get(struct hv_vm *vm, u32 index, void *buf)
{
	struct hv_rec_clock *r = buf;
	unsigned long flags;

	local_irq_save(flags);
	r->reftime = vm->tlfs ? hv_reftime_now(vm) : 0;
	r->tsc = hv_arch_guest_tsc(vm);
	local_irq_restore(flags);
	r->run_state = hv_vm_get_state(vm) == HV_MS_PAUSED ? HV_RUN_STATE_PAUSED :
							     HV_RUN_STATE_RUNNING;
	return 0;
}

/* The run state in it is for the reader: setting a clock neither starts nor stops it. */
static int clock_set(struct hv_vm *vm, u32 index, const void *buf)
{
	const struct hv_rec_clock *r = buf;

	if (r->run_state > HV_RUN_STATE_PAUSED || r->rsvd)
		return -EINVAL;
	if (hv_vm_get_state(vm) != HV_MS_PAUSED)
		return -EBUSY;
	hv_arch_guest_tsc_set(vm, r->tsc);
	if (vm->tlfs)
		hv_reftime_set(vm, r->reftime, r->tsc);
	return 0;
}

static int tlfs_vm_get(struct hv_vm *vm, u32 index, void *buf)
{
	return vm->tlfs ? hv_tlfs_vm_get_state(vm, buf) : -ENOENT;
}

static int tlfs_vm_set(struct hv_vm *vm, u32 index, const void *buf)
{
	return vm->tlfs ? hv_tlfs_vm_set_state(vm, buf) : -EINVAL;
}

static int overlay_get(struct hv_vm *vm, u32 index, void *buf)
{
	return hv_overlay_get_state(vm, index, buf);
}

static int overlay_set(struct hv_vm *vm, u32 index, const void *buf)
{
	return hv_overlay_set_state(vm, buf);
}

static int slot_get(struct hv_vm *vm, u32 index, void *buf)
{
	return hv_slot_get_state(vm, index, buf);
}

/* Nothing is set, as with the configuration: slots are made with their memory. */
static int slot_check(struct hv_vm *vm, u32 index, const void *buf)
{
	return hv_slot_check_state(vm, buf);
}

struct vm_record {
	u32 id;
	u32 bytes;
	u32 version;
	bool repeats;		/* @index says which */
	bool stopped;		/* vCPUs change it: none may be in HV_VCPU_RUN */
	int (*get)(struct hv_vm *vm, u32 index, void *buf);
	int (*set)(struct hv_vm *vm, u32 index, const void *buf);
};

static const struct vm_record vm_records[] = {
	{ HV_REC_VM_CONFIG, sizeof(struct hv_rec_config), 1, false, false, config_get, config_set },
	{ HV_REC_VM_CLOCK, sizeof(struct hv_rec_clock), 1, false, true, clock_get, clock_set },
	{ HV_REC_VM_TLFS, sizeof(struct hv_rec_tlfs_vm), 1, false, true, tlfs_vm_get, tlfs_vm_set },
	{ .id = HV_REC_VM_IOAPIC, .stopped = true },
	{ .id = HV_REC_VM_CPUID, .stopped = true },
	{ HV_REC_VM_OVERLAY, sizeof(struct hv_rec_overlay), 1, true, true, overlay_get,
	  overlay_set },
	{ HV_REC_VM_SLOT, sizeof(struct hv_rec_slot), 1, true, false, slot_get, slot_check },
	{ .id = HV_REC_BUS, .stopped = true },
	{ .id = HV_REC_BUS_CHANNEL, .repeats = true, .stopped = true },
	{ .id = HV_REC_BUS_GPADL, .repeats = true, .stopped = true },
	{ .id = HV_REC_BUS_MESSAGE, .repeats = true, .stopped = true },
};

/* Records of any length, kept by the bus. */
static bool is_of_bus(u32 id)
{
	return id >= HV_REC_BUS && id <= HV_REC_BUS_MESSAGE;
}

static const struct vm_record *vm_record_find(u32 id, u32 index)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vm_records); i++) {
		if (vm_records[i].id == id)
			return index && !vm_records[i].repeats ? NULL : &vm_records[i];
	}
	return NULL;
}

/* Room on GET: 0 asks. Returns 1 if the question was answered. */
static int fixed_len(u32 bytes, u32 *len)
{
	u32 room = *len;

	*len = bytes;
	if (!room)
		return 1;
	return room < bytes ? -ENOSPC : 0;
}

/* Length and version on SET; version 0 has been refused. */
static int fixed_check(u32 bytes, u32 known, u32 len, u32 version)
{
	if (version > known)
		return -EOPNOTSUPP;
	return len == bytes ? 0 : -EINVAL;
}

int hv_state_vm_get(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version)
{
	const struct vm_record *r = vm_record_find(rec, index);
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!r)
		return -EINVAL;
	if (r->stopped) {
		ret = hv_vm_gate_close_locked(vm);
		if (ret)
			return ret;
	}
	if (r->get) {
		*version = r->version;
		ret = fixed_len(r->bytes, len);
		if (!ret)
			ret = r->get(vm, index, buf);
		ret = min(ret, 0);
	} else if (is_of_bus(rec)) {
		ret = hv_bus_get_state(vm, rec, index, buf, len, version);
	} else {
		ret = hv_arch_vm_get_state(vm, rec, index, buf, len, version);
	}
	if (r->stopped)
		hv_vm_gate_open_locked(vm);
	return ret;
}

int hv_state_vm_set(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version)
{
	const struct vm_record *r = vm_record_find(rec, index);
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!r || !version)
		return -EINVAL;
	if (r->stopped) {
		ret = hv_vm_gate_close_locked(vm);
		if (ret)
			return ret;
	}
	if (r->set) {
		ret = fixed_check(r->bytes, r->version, len, version);
		if (!ret)
			ret = r->set(vm, index, buf);
	} else if (is_of_bus(rec)) {
		ret = hv_bus_set_state(vm, rec, index, buf, len, version);
	} else {
		ret = hv_arch_vm_set_state(vm, rec, index, buf, len, version);
	}
	if (r->stopped)
		hv_vm_gate_open_locked(vm);
	return ret;
}

/* ---- records of a vCPU ---- */

static int tlfs_vcpu_get(struct hv_vcpu *vcpu, void *buf)
{
	return vcpu->tlfs ? hv_tlfs_vcpu_get_state(vcpu, buf) : -ENOENT;
}

static int tlfs_vcpu_set(struct hv_vcpu *vcpu, const void *buf, u32 version)
{
	return vcpu->tlfs ? hv_tlfs_vcpu_set_state(vcpu, buf) : -EINVAL;
}

static int pending_get(struct hv_vcpu *vcpu, void *buf)
{
	const struct hv_pending *p = &vcpu->pending;
	struct hv_rec_pending *r = buf;

	BUILD_BUG_ON(sizeof(r->data) + sizeof(r->more) != sizeof(p->data));
	r->kind = p->kind;
	r->len = p->len;
	r->step = p->step;
	r->key = p->key;
	memcpy(r->data, p->data, sizeof(r->data));
	r->flags = p->answered ? HV_PENDING_F_ANSWERED : 0;
	r->rsvd = 0;
	memcpy(r->more, p->data + sizeof(r->data), sizeof(r->more));
	return 0;
}

static bool pending_is_sane(const struct hv_rec_pending *r)
{
	u8 bytes = r->key;

	if (r->len > sizeof(r->data))
		return false;
	switch (r->kind) {
	case HV_PENDING_NONE:
		return true;
	case HV_PENDING_PIO_IN:
		/* The answer must find room in the note. */
		return (bytes == 1 || bytes == 2 || bytes == 4) && r->step &&
		       r->step <= (sizeof(r->data) + sizeof(r->more)) / bytes && r->key >> 32 <= 0xffff;
	case HV_PENDING_MMIO_READ:
	case HV_PENDING_MMIO_WRITE:
		return r->len && r->len <= sizeof_field(struct hv_exit_mmio, data);
	}
	return false;
}

/* The new owner's user space has not seen an exit without answer: it is presented again. */
static int pending_set(struct hv_vcpu *vcpu, const void *buf, u32 version)
{
	const struct hv_rec_pending *r = buf;
	struct hv_pending *p = &vcpu->pending;
	u32 flags = version < 2 ? 0 : r->flags;

	if (!pending_is_sane(r) || (version >= 2 && r->rsvd))
		return -EINVAL;
	if (flags & ~HV_PENDING_F_ANSWERED || (flags && r->kind == HV_PENDING_NONE))
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	p->kind = r->kind;
	p->len = r->len;
	p->step = r->step;
	p->key = r->key;
	memcpy(p->data, r->data, sizeof(r->data));
	if (version >= 2)
		memcpy(p->data + sizeof(r->data), r->more, sizeof(r->more));
	p->answered = flags & HV_PENDING_F_ANSWERED;
	return 0;
}

static const struct vcpu_record {
	u32 id;
	u32 bytes;
	u32 version;
	u32 bytes_v1;		/* of version 1, if there are two */
	int (*get)(struct hv_vcpu *vcpu, void *buf);
	int (*set)(struct hv_vcpu *vcpu, const void *buf, u32 version);
	/* or, of a record whose size varies: */
	int (*get_len)(struct hv_vcpu *vcpu, void *buf, u32 *len);
	int (*set_len)(struct hv_vcpu *vcpu, const void *buf, u32 len);
} vcpu_records[] = {
	{ .id = HV_REC_VCPU_REGS },
	{ .id = HV_REC_VCPU_SREGS },
	{ .id = HV_REC_VCPU_DEBUG },
	{ .id = HV_REC_VCPU_XSAVE },
	{ .id = HV_REC_VCPU_MSRS },
	{ .id = HV_REC_VCPU_LAPIC },
	{ .id = HV_REC_VCPU_EVENTS },
	{ HV_REC_VCPU_TLFS, sizeof(struct hv_rec_tlfs_vcpu), 1, 0, tlfs_vcpu_get, tlfs_vcpu_set },
	{ HV_REC_VCPU_PENDING, sizeof(struct hv_rec_pending), 2,
	  offsetof(struct hv_rec_pending, flags), pending_get, pending_set },
	{ .id = HV_REC_VCPU_MESSAGES, .version = 1,
	  .get_len = hv_vsynic_messages_get, .set_len = hv_vsynic_messages_set },
};

static const struct vcpu_record *vcpu_record_find(u32 id, u32 index)
{
	u32 i;

	for (i = 0; !index && i < ARRAY_SIZE(vcpu_records); i++) {
		if (vcpu_records[i].id == id)
			return &vcpu_records[i];
	}
	return NULL;
}

int hv_state_vcpu_get(struct hv_vcpu *vcpu, u32 rec, u32 index, void *buf, u32 *len, u32 *version)
{
	const struct vcpu_record *r = vcpu_record_find(rec, index);
	int ret;

	lockdep_assert_held(&vcpu->lock);
	if (!r)
		return -EINVAL;
	if (r->get_len) {
		*version = r->version;
		return r->get_len(vcpu, buf, len);
	}
	if (!r->get)
		return hv_arch_vcpu_get_state(vcpu, rec, buf, len, version);
	*version = r->version;
	ret = fixed_len(r->bytes, len);
	if (!ret)
		ret = r->get(vcpu, buf);
	return min(ret, 0);
}

int hv_state_vcpu_set(struct hv_vcpu *vcpu, u32 rec, u32 index, const void *buf, u32 len,
		      u32 version)
{
	const struct vcpu_record *r = vcpu_record_find(rec, index);
	int ret;

	lockdep_assert_held(&vcpu->lock);
	if (!r || !version)
		return -EINVAL;
	if (r->set_len)
		return version > r->version ? -EOPNOTSUPP : r->set_len(vcpu, buf, len);
	if (!r->set)
		return hv_arch_vcpu_set_state(vcpu, rec, buf, len, version);
	ret = fixed_check(version < r->version ? r->bytes_v1 : r->bytes, r->version, len, version);
	return ret ? ret : r->set(vcpu, buf, version);
}
