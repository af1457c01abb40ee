// SPDX-License-Identifier: GPL-2.0-only
/*
 * request.c - making another vCPU do something: a bit, and a kick
 *
 * The vCPU's side is in hv_arch_vcpu_step(): state = GUEST, barrier, look at the bits.
 * Ours: set the bit, barrier, look at the state. One of the two sees the other.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <hv/core.h>
#include <hv/request.h>

static DEFINE_PER_CPU(cpumask_var_t, kick_mask);

int hv_request_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (!zalloc_cpumask_var_node(&per_cpu(kick_mask, cpu), GFP_KERNEL,
					     cpu_to_node(cpu))) {
			hv_request_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void hv_request_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_cpumask_var(per_cpu(kick_mask, cpu));
}

/* Its CPU leaves guest mode, if that is another one. Takes no lock. */
static void guest_end(struct hv_vcpu *vcpu)
{
	int cpu = READ_ONCE(vcpu->cpu);

	if (cpu >= 0 && cpu != raw_smp_processor_id() && cpu_online(cpu)) {
		vcpu->stat.kicks++;
		smp_send_reschedule(cpu);
	}
}

void hv_vcpu_kick(struct hv_vcpu *vcpu)
{
	switch (READ_ONCE(vcpu->state)) {
	case HV_VS_BLOCKED:
		rcuwait_wake_up(&vcpu->wait);
		break;
	case HV_VS_GUEST:
		guest_end(vcpu);
		break;
	}
}

void hv_vcpu_request(struct hv_vcpu *vcpu, enum hv_request req)
{
	set_bit(req, &vcpu->requests);
	smp_mb__after_atomic();
	hv_vcpu_kick(vcpu);
}

void hv_vcpu_request_entry(struct hv_vcpu *vcpu, enum hv_request req)
{
	smp_mb__before_atomic();
	set_bit(req, &vcpu->requests);
	smp_mb__after_atomic();
	if (READ_ONCE(vcpu->state) == HV_VS_GUEST)
		guest_end(vcpu);
}

static void ack(void *unused)
{
}

void hv_vm_request_all(struct hv_vm *vm, enum hv_request req, bool wait)
{
	struct cpumask *mask;
	struct hv_vcpu *vcpu;
	unsigned int i;
	int cpu;

	if (!wait) {
		hv_vm_for_each_vcpu(vm, i, vcpu)
			hv_vcpu_request(vcpu, req);
		return;
	}
	/*
	 * The IPI itself ends guest mode; when its handler has run everywhere, no vCPU
	 * runs with what was true before the bit was set.
	 */
	preempt_disable();
	mask = *this_cpu_ptr(&kick_mask);
	cpumask_clear(mask);
	hv_vm_for_each_vcpu(vm, i, vcpu) {
		set_bit(req, &vcpu->requests);
		smp_mb__after_atomic();
		cpu = READ_ONCE(vcpu->cpu);
		if (READ_ONCE(vcpu->state) == HV_VS_GUEST && cpu >= 0)
			cpumask_set_cpu(cpu, mask);
		else if (READ_ONCE(vcpu->state) == HV_VS_BLOCKED && req == HV_REQ_KILL)
			rcuwait_wake_up(&vcpu->wait);
	}
	smp_call_function_many(mask, ack, NULL, true);
	preempt_enable();
}
