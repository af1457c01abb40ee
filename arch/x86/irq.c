// SPDX-License-Identifier: GPL-2.0-only
/* irq.c - interrupt messages to the local APICs they mean; MSI and GSI from outside */
#include "ioapic.h"
#include "lapic.h"

static int deliver_one(struct hv_vcpu_x86 *x, const struct hv_apic_msg *m)
{
	if (m->delivery <= HV_APIC_LOWEST)
		return hv_lapic_deliver(x, m->vector, m->level);
	return hv_lapic_deliver_special(x, m->delivery, m->vector);
}

/* Is @x a destination? Shorthands are relative to @from. */
static bool is_target(struct hv_vcpu_x86 *x, struct hv_vcpu_x86 *from, const struct hv_apic_msg *m)
{
	switch (m->shorthand) {
	case HV_APIC_TO_SELF:
		return x == from;
	case HV_APIC_TO_OTHERS:
		return x != from;
	case HV_APIC_TO_ALL:
		return true;
	}
	return hv_apic_msg_matches(m, READ_ONCE(x->lapic->key), x->core.index);
}

/* One of the destinations, that with the lowest priority; ties go round by vector. */
static int deliver_lowest(struct hv_vm *vm, struct hv_vcpu_x86 *from, const struct hv_apic_msg *m)
{
	unsigned int i, n = vm->max_vcpus, start = m->vector % n;
	struct hv_vcpu *vcpu;
	int best = -1;
	u8 ppr = 0;

	for (i = 0; i < n; i++) {
		u32 index = start + i < n ? start + i : start + i - n;
		struct hv_vcpu_x86 *x;

		vcpu = hv_vm_vcpu(vm, index);
		if (!vcpu)
			continue;
		x = to_x86(vcpu);
		if (is_target(x, from, m) && hv_apic_key_enabled(READ_ONCE(x->lapic->key)))
			hv_apic_lowest_offer(&best, &ppr, index, READ_ONCE(x->lapic->apic.ppr));
	}
	return best < 0 ? -EINVAL : deliver_one(to_x86(hv_vm_vcpu(vm, best)), m);
}

/* Delivered to one is delivered; else coalesced with one is coalesced. */
static int result_merge(int a, int b)
{
	if (a < 0 || b < 0)
		return max(a, b);
	return min(a, b);
}

int hv_apic_msg_send(struct hv_vm *vm, struct hv_vcpu_x86 *from, const struct hv_apic_msg *m)
{
	struct hv_vcpu *vcpu;
	int ret = -EINVAL;
	unsigned int i;

	if (likely(!m->logical && !m->broadcast && m->shorthand == HV_APIC_TO_DEST)) {
		vcpu = hv_vm_vcpu(vm, m->dest);
		return vcpu ? deliver_one(to_x86(vcpu), m) : -EINVAL;
	}
	if (m->lowest)
		return deliver_lowest(vm, from, m);
	hv_vm_for_each_vcpu(vm, i, vcpu)
		if (is_target(to_x86(vcpu), from, m))
			ret = result_merge(ret, deliver_one(to_x86(vcpu), m));
	return ret;
}

int hv_arch_irq_set_line(struct hv_vm *vm, u32 gsi, enum hv_irq_source source, bool level)
{
	static const enum hv_ioapic_source src[] = {
		[HV_IRQ_SOURCE_USER] = HV_IOAPIC_SRC_USER,
		[HV_IRQ_SOURCE_RESAMPLE] = HV_IOAPIC_SRC_RESAMPLE,
		[HV_IRQ_SOURCE_PULSE] = HV_IOAPIC_SRC_PULSE,
	};

	return hv_ioapic_set_line(to_vm_x86(vm), gsi, src[source], level);
}

int hv_arch_irq_deliver(struct hv_vm *vm, const struct hv_irq_target *t, u32 level)
{
	struct hv_apic_msg m;
	int ret;

	switch (t->kind) {
	case HV_IRQ_GSI:
		return hv_arch_irq_set_line(vm, t->gsi, HV_IRQ_SOURCE_USER, level);
	case HV_IRQ_MSI:
		ret = hv_apic_msg_from_msi(&m, t->msi_addr, t->msi_data);
		if (ret || m.ignored)
			return -EINVAL;
		return hv_apic_msg_send(vm, NULL, &m);
	}
	return -EINVAL;
}

int hv_arch_irq_check(struct hv_vm *vm, const struct hv_irq_target *t)
{
	struct hv_apic_msg m;

	switch (t->kind) {
	case HV_IRQ_GSI:
		return t->gsi < HV_IOAPIC_PINS ? 0 : -EINVAL;
	case HV_IRQ_MSI:
		return hv_apic_msg_from_msi(&m, t->msi_addr, t->msi_data);
	}
	return -EINVAL;
}

bool hv_arch_irq_raise(struct hv_vcpu *vcpu, u8 vector)
{
	return !hv_lapic_deliver(to_x86(vcpu), vector, false);
}
