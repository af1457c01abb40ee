// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpuid_record.c - the leaves a VM's vCPUs see, as a record
 *
 * A guest that is moved must go on seeing what it saw. The new VM takes the saved leaves if
 * it offers every feature in them; what it has beyond is hidden. What is not a feature (names,
 * caches, the signature) is taken as it is, what describes this module must be the same.
 */
#include <hv/hv_state.h>
#include "cpuid.h"
#include "lib/cpuid_policy.h"

int hv_cpuid_get_state(struct hv_vm_x86 *vm, void *buf, u32 *len)
{
	const struct hv_cpuid_policy *p = vm->cpuid;
	u32 need = p->nr * sizeof(p->e[0]), room = *len;

	*len = need;
	if (!room)
		return 0;
	if (room < need)
		return -ENOSPC;
	memcpy(buf, p->e, need);
	return 0;
}

/* Leaves that name the CPU, and those of its caches. */
static bool is_label(u32 leaf)
{
	return !leaf || leaf == 2 || leaf == 4 || (leaf >= 0x80000002 && leaf <= 0x80000006);
}

static int word_check(u32 leaf, u32 subleaf, enum hv_cpuid_reg reg, u32 saved, u32 have)
{
	if (saved == have || (is_label(leaf) && !(leaf == 0 && reg == HV_CPUID_EAX)))
		return 0;
	if (hv_cpuid_word_is_features(leaf, subleaf, reg))
		return saved & ~have ? -EOPNOTSUPP : 0;
	/* Family, model and stepping. */
	return (leaf == 1 || leaf == 0x80000001) && reg == HV_CPUID_EAX ? 0 : -EINVAL;
}

static int entry_check(const struct hv_cpuid_entry *saved, const struct hv_cpuid_entry *have)
{
	u32 s[] = { saved->eax, saved->ebx, saved->ecx, saved->edx };
	u32 h[] = { have->eax, have->ebx, have->ecx, have->edx };
	int ret = 0, lacks = 0;
	unsigned int i;

	if (saved->leaf != have->leaf || saved->subleaf != have->subleaf ||
	    saved->flags != have->flags || saved->rsvd)
		return -EINVAL;
	for (i = 0; i < 4 && ret != -EINVAL; i++) {
		ret = word_check(saved->leaf, saved->subleaf, i, s[i], h[i]);
		lacks |= ret == -EOPNOTSUPP;
	}
	return ret == -EINVAL ? ret : lacks ? -EOPNOTSUPP : 0;
}

int hv_cpuid_set_state(struct hv_vm_x86 *vm, const void *buf, u32 len)
{
	struct hv_cpuid_policy *p = vm->cpuid;
	const struct hv_cpuid_entry *e = buf;
	int ret, worst = 0;
	u32 i;

	if (len != p->nr * sizeof(*e))
		return -EINVAL;
	for (i = 0; i < p->nr; i++) {
		ret = entry_check(&e[i], &p->e[i]);
		if (ret == -EINVAL)
			return ret;
		worst = ret ? ret : worst;
	}
	if (worst || !memcmp(e, p->e, len))
		return worst;
	for (i = 0; i < vm->core.max_vcpus; i++) {
		const struct hv_vcpu *vcpu = vm->core.vcpu[i];

		if (vcpu && vcpu->started)	/* it has seen the leaves */
			return -EBUSY;
	}
	memcpy(p->e, e, len);
	p->signature = p->e[p->basic[1]].eax;
	return 0;
}
