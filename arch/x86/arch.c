// SPDX-License-Identifier: GPL-2.0-only
/* arch.c - birth, reset and death of the x86 part of VMs and vCPUs */
#include <linux/slab.h>
#include <asm/processor-flags.h>
#include <hv/hv_caps.h>
#include "x86.h"

struct hv_vm *hv_arch_vm_alloc(void)
{
	struct hv_vm_x86 *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	return vm ? &vm->core : NULL;
}

void hv_arch_vm_free(struct hv_vm *vm)
{
	kfree(to_vm_x86(vm));
}

int hv_arch_vm_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	struct hv_vm_x86 *v = to_vm_x86(vm);
	int ret;

	hv_tsc_vm_create(v);
	ret = hv_cpuid_vm_create(v, args->cpu_model);
	if (ret)
		return ret;
	ret = hv_mmu_vm_create(v);
	if (ret)
		goto cpuid;
	ret = hv_ioapic_create(v);
	if (ret)
		goto mmu;
	return 0;
mmu:
	hv_mmu_vm_release(v);
cpuid:
	hv_cpuid_vm_release(v);
	return ret;
}

void hv_arch_vm_release(struct hv_vm *vm)
{
	struct hv_vm_x86 *v = to_vm_x86(vm);

	hv_ioapic_release(v);
	hv_mmu_vm_release(v);
	hv_cpuid_vm_release(v);
}

void hv_arch_vm_reset(struct hv_vm *vm)
{
	hv_ioapic_reset(to_vm_x86(vm));
}

u64 hv_arch_cap(u32 cap)
{
	switch (cap) {
	case HV_CAP_GPA_BITS:
		return hv_gpa_bits();
	case HV_CAP_TSC_KHZ:
		return hv_arch_tsc_khz(NULL);
	}
	return 0;
}

struct hv_vcpu *hv_arch_vcpu_alloc(void)
{
	struct hv_vcpu_x86 *x = hv_v(vcpu_alloc)();

	return x ? &x->core : NULL;
}

void hv_arch_vcpu_free(struct hv_vcpu *vcpu)
{
	hv_v(vcpu_free)(to_x86(vcpu));
}

int hv_arch_vcpu_create(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	int ret;

	ret = hv_fpu_create(x);
	if (ret)
		return ret;
	ret = hv_v(vcpu_create)(x);
	if (ret)
		goto fpu;
	ret = hv_lapic_create(x);
	if (ret)
		goto vendor;
	x->root = hv_mmu_root_direct(to_vm_x86(vcpu->vm));
	hv_arch_vcpu_reset(vcpu);
	return 0;
vendor:
	hv_v(vcpu_release)(x);
fpu:
	hv_fpu_release(x);
	return ret;
}

void hv_arch_vcpu_release(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	hv_lapic_release(x);
	hv_v(vcpu_release)(x);
	hv_fpu_release(x);
	hv_mmu_vcpu_release(x);
}

/* Segments and tables after power-on or INIT (APM vol. 2, 14.1.3). */
static void segments_reset(struct hv_vcpu_x86 *x)
{
	struct hv_rec_seg data = { .limit = 0xffff, .attr = 0x93 };
	struct hv_rec_seg cs = { .base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
				 .attr = 0x9b };
	struct hv_rec_seg ldt = { .limit = 0xffff, .attr = 0x82 };
	struct hv_rec_seg tr = { .limit = 0xffff, .attr = 0x8b };
	struct hv_rec_dt dt = { .limit = 0xffff };
	unsigned int seg;

	for (seg = HV_SEG_ES; seg <= HV_SEG_GS; seg++)
		hv_v(seg_set)(x, seg, seg == HV_SEG_CS ? &cs : &data);
	hv_v(seg_set)(x, HV_SEG_LDTR, &ldt);
	hv_v(seg_set)(x, HV_SEG_TR, &tr);
	hv_v(dt_set)(x, false, &dt);
	hv_v(dt_set)(x, true, &dt);
}

static void events_reset(struct hv_vcpu_x86 *x)
{
	struct hv_x86_events *ev = &x->ev;

	memset(ev, 0, sizeof(*ev));
	atomic_set(&ev->nmi_pending, 0);
	memset(&x->core.pending, 0, sizeof(x->core.pending));
}

/* Processor state of INIT; the local APIC and the MSRs INIT keeps are not touched. */
static void processor_init(struct hv_vcpu_x86 *x)
{
	memset(x->gpr, 0, sizeof(x->gpr));
	x->gpr[HV_RDX] = hv_cpuid_signature(to_vm_x86(x->core.vm));
	x->rip = 0xfff0;
	x->rflags = X86_EFLAGS_FIXED;
	memset(x->dr, 0, sizeof(x->dr));
	x->dr6 = 0xffff0ff0;
	x->dr7 = 0x400;
	x->cr4_guest = 0;
	memset(&x->gpt, 0, sizeof(x->gpt));
	events_reset(x);
	hv_v(vcpu_reset)(x);
	segments_reset(x);
	hv_v(cr_set)(x, 0, X86_CR0_ET | X86_CR0_CD | X86_CR0_NW);
	hv_v(cr_set)(x, 4, 0);
	hv_v(efer_set)(x, 0);
	hv_v(root_set)(x, x->root);
	hv_tsc_sync(x);
}

void hv_arch_vcpu_reset(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	hv_fpu_reset(x);
	x->tsc_delta = 0;
	x->tsc_adjust = 0;
	x->tsc_aux = 0;
	/* As firmware leaves them: direct boot has none that would. Write-back everywhere. */
	x->mtrr_def_type = 0xc06;
	memset(x->mtrr_fixed, 0, sizeof(x->mtrr_fixed));
	memset(x->mtrr_var, 0, sizeof(x->mtrr_var));
	x->spec_ctrl = 0;
	x->hwcr = 0;
	x->mcg_status = 0;
	processor_init(x);
	hv_lapic_reset(x, false);
	WRITE_ONCE(x->mp_state, vcpu->index ? HV_MP_WAIT_SIPI : HV_MP_RUNNABLE);
	vcpu->requests = 0;
}

void hv_vcpu_init_signal(struct hv_vcpu_x86 *x)
{
	processor_init(x);
	hv_lapic_reset(x, true);
	WRITE_ONCE(x->mp_state, x->core.index ? HV_MP_WAIT_SIPI : HV_MP_RUNNABLE);
}

void hv_vcpu_sipi(struct hv_vcpu_x86 *x, u8 vector)
{
	struct hv_rec_seg cs = { .base = vector << 12, .limit = 0xffff, .selector = vector << 8,
				 .attr = 0x9b };

	if (x->mp_state != HV_MP_WAIT_SIPI)
		return;
	hv_v(seg_set)(x, HV_SEG_CS, &cs);
	x->rip = 0;
	WRITE_ONCE(x->mp_state, HV_MP_RUNNABLE);
}
