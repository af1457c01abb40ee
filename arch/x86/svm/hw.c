// SPDX-License-Identifier: GPL-2.0-only
/* hw.c - SVM on a host CPU: detection, switching on and off (APM vol. 2, 15.2 to 15.4) */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <hv/hv_caps.h>
#include <hv/params.h>
#include "svm.h"

#define SVM_LEAF		0x8000000a
#define SVM_VM_CR_SVMDIS	(1u << 4)

DEFINE_PER_CPU(struct hv_svm_cpu, hv_svm_cpu);
struct hv_svm_features hv_svm_feat;

bool hv_svm_hw_supported(void)
{
	u32 eax, ebx, ecx, edx;

	if (!boot_cpu_has(X86_FEATURE_SVM) || cpuid_eax(0x80000000) < SVM_LEAF)
		return false;
	cpuid(SVM_LEAF, &eax, &ebx, &ecx, &edx);
	/* Without nested paging there is nothing to run on until shadow paging exists. */
	return ebx >= 2 && (edx & 1);
}

int hv_svm_hw_setup(void)
{
	struct hv_svm_features *f = &hv_svm_feat;
	u64 may = hv_params_features();		/* each optional feature has an off switch */
	u32 eax, ids, edx, ecx, few = hv_params_asids();
	int cpu;

	cpuid(SVM_LEAF, &eax, &ids, &ecx, &edx);
	f->asid_limit = few && few < ids - 1 ? few + 1 : ids;
	f->nrips = (may & HV_HWF_NEXT_RIP) && (edx & BIT(3));
	f->clean_bits = (may & HV_HWF_CLEAN_BITS) && (edx & BIT(5));
	f->flush_asid = (may & HV_HWF_FLUSH_BY_ASID) && (edx & BIT(6));
	f->decode_assist = (may & HV_HWF_DECODE_ASSIST) && (edx & BIT(7));
	f->pause_filter = (may & HV_HWF_PAUSE_FILTER) && (edx & BIT(10)) &&
			  (edx & BIT(12));
	f->v_spec_ctrl = (may & HV_HWF_VIRT_SPEC_CTRL) && (edx & BIT(20));
	f->rdtscp = boot_cpu_has(X86_FEATURE_RDTSCP);

	for_each_possible_cpu(cpu) {
		struct hv_svm_cpu *c = per_cpu_ptr(&hv_svm_cpu, cpu);

		c->hsave = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		c->host = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
		if (!c->hsave || !c->host)
			goto fail;
		c->hsave_spa = page_to_phys(c->hsave);
		c->host_spa = page_to_phys(c->host);
	}
	if (!hv_svm_bitmap_create())
		return 0;
fail:
	hv_svm_hw_unsetup();
	return -ENOMEM;
}

void hv_svm_hw_unsetup(void)
{
	int cpu;

	hv_svm_bitmap_release();
	for_each_possible_cpu(cpu) {
		struct hv_svm_cpu *c = per_cpu_ptr(&hv_svm_cpu, cpu);

		if (c->hsave)
			__free_page(c->hsave);
		if (c->host)
			__free_page(c->host);
		c->hsave = c->host = NULL;
	}
}

u32 hv_svm_hw_state(void)
{
	u64 vm_cr = 0, efer = 0;

	if (this_cpu_read(hv_svm_cpu.on))
		return HV_HW_OURS;
	if (rdmsrl_safe(MSR_EFER, &efer) || rdmsrl_safe(MSR_VM_CR, &vm_cr))
		return HV_HW_NONE;
	if (efer & EFER_SVME)
		return HV_HW_HELD;
	return vm_cr & SVM_VM_CR_SVMDIS ? HV_HW_FIRMWARE_OFF : HV_HW_OFF;
}

int hv_svm_hw_enable(void)
{
	struct hv_svm_cpu *c = this_cpu_ptr(&hv_svm_cpu);
	u64 efer;

	switch (hv_svm_hw_state()) {
	case HV_HW_OURS:
		return 0;
	case HV_HW_OFF:
		break;
	case HV_HW_HELD:
		return -EBUSY;
	default:
		return -ENODEV;
	}
	/* ASIDs of an earlier time may still tag translations: the first entry flushes all. */
	hv_asid_restart(&c->asids, hv_svm_feat.asid_limit);
	c->last = NULL;
	c->last_vm = 0;
	/* Ours before it is on, and after it is off: the NMI of a crash may come in between. */
	WRITE_ONCE(c->on, true);
	barrier();
	rdmsrl(MSR_EFER, efer);
	wrmsrl(MSR_EFER, efer | EFER_SVME);
	wrmsrl(MSR_VM_HSAVE_PA, c->hsave_spa);
	return 0;
}

void hv_svm_hw_disable(void)
{
	struct hv_svm_cpu *c = this_cpu_ptr(&hv_svm_cpu);
	u64 efer;

	if (!c->on)
		return;
	wrmsrl(MSR_VM_HSAVE_PA, 0);
	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME) {
		/* GIF must be set before SVME goes, or the CPU stays deaf to INIT and NMI. */
		asm volatile("stgi" ::: "memory");
		wrmsrl(MSR_EFER, efer & ~EFER_SVME);
	}
	barrier();
	WRITE_ONCE(c->on, false);
}

u64 hv_svm_hw_features(void)
{
	const struct hv_svm_features *f = &hv_svm_feat;
	u64 v = HV_HWF_SLAT | HV_HWF_SLAT_2M;

	if (boot_cpu_has(X86_FEATURE_GBPAGES))
		v |= HV_HWF_SLAT_1G;
	v |= f->nrips ? HV_HWF_NEXT_RIP : 0;
	v |= f->decode_assist ? HV_HWF_DECODE_ASSIST : 0;
	v |= f->flush_asid ? HV_HWF_FLUSH_BY_ASID : 0;
	v |= f->clean_bits ? HV_HWF_CLEAN_BITS : 0;
	v |= f->pause_filter ? HV_HWF_PAUSE_FILTER : 0;
	v |= f->v_spec_ctrl ? HV_HWF_VIRT_SPEC_CTRL : 0;
	v |= boot_cpu_has(X86_FEATURE_XSAVE) ? HV_HWF_XSAVE : 0;
	return v & hv_params_features();
}
