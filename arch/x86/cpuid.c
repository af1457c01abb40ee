// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpuid.c - what CPUID answers: leaves fixed when the VM is created, the few bits that
 * follow the vCPU's state filled in at the exit
 */
#include <linux/crc32.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <hv/hv_caps.h>
#include <hv/tlfs.h>
#include "x86.h"
#include "cpuid.h"
#include "lib/cpuid_policy.h"

unsigned int hv_gpa_bits(void)
{
	return min_t(unsigned int, boot_cpu_data.x86_phys_bits, 48);
}

/* ---- building ------------------------------------------------------------------ */

static struct hv_cpuid_entry *add(struct hv_cpuid_policy *p, u32 leaf, u32 subleaf, u32 flags)
{
	struct hv_cpuid_entry *e;

	if (WARN_ON_ONCE(p->nr == HV_CPUID_MAX_ENTRIES))
		return &p->e[HV_CPUID_MAX_ENTRIES - 1];
	e = &p->e[p->nr++];
	*e = (struct hv_cpuid_entry) { .leaf = leaf, .subleaf = subleaf, .flags = flags };
	return e;
}

/* What can't exist without XSAVE (SDM vol. 1, 13.1; APM vol. 4, 1.2): gone when that is switched off. */
static const struct {
	u32 leaf;
	enum hv_cpuid_reg reg;
	u32 bits;
} needs_xsave[] = {
	{ 1, HV_CPUID_ECX, BIT(12) | BIT(26) | BIT(28) | BIT(29) },	/* FMA XSAVE AVX F16C */
	{ 7, HV_CPUID_EBX, BIT(5) | BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31) },
	{ 7, HV_CPUID_ECX, BIT(1) | BIT(3) | BIT(6) | BIT(9) | BIT(10) | BIT(11) | BIT(12) |
			   BIT(14) },
	{ 0xd, HV_CPUID_EAX, ~0u },
	{ 0x80000001, HV_CPUID_ECX, BIT(11) | BIT(16) },		/* XOP FMA4 */
};

/* The host's leaf as far as the module's parameters let guests have it. */
static void host_leaf(u32 leaf, u32 subleaf, u32 r[4])
{
	unsigned int i;

	cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]);
	if (hv_arch_hw_features() & HV_HWF_XSAVE)
		return;
	for (i = 0; i < ARRAY_SIZE(needs_xsave); i++)
		if (needs_xsave[i].leaf == leaf)
			r[needs_xsave[i].reg] &= ~needs_xsave[i].bits;
}

/* The host's leaf through the feature table: words without a row become 0. */
static struct hv_cpuid_entry *add_features(struct hv_cpuid_policy *p, u32 model, u32 leaf,
					   u32 subleaf, u32 flags)
{
	struct hv_cpuid_entry *e = add(p, leaf, subleaf, flags);
	u32 r[4];

	host_leaf(leaf, subleaf, r);
	e->eax = hv_cpuid_word(model, leaf, subleaf, HV_CPUID_EAX, r[HV_CPUID_EAX]);
	e->ebx = hv_cpuid_word(model, leaf, subleaf, HV_CPUID_EBX, r[HV_CPUID_EBX]);
	e->ecx = hv_cpuid_word(model, leaf, subleaf, HV_CPUID_ECX, r[HV_CPUID_ECX]);
	e->edx = hv_cpuid_word(model, leaf, subleaf, HV_CPUID_EDX, r[HV_CPUID_EDX]);
	return e;
}

/* A leaf that is the host's own, unfiltered: names, caches. */
static void add_host(struct hv_cpuid_policy *p, u32 leaf, u32 subleaf, u32 flags)
{
	struct hv_cpuid_entry *e = add(p, leaf, subleaf, flags);

	cpuid_count(leaf, subleaf, &e->eax, &e->ebx, &e->ecx, &e->edx);
}

static void add_leaf1(struct hv_cpuid_policy *p, u32 model, bool x2apic)
{
	struct hv_cpuid_entry *e = add_features(p, model, 1, 0, 0);
	u32 b, c, d;

	cpuid(1, &e->eax, &b, &c, &d);
	p->signature = e->eax;
	e->ebx = (b & 0x0000ff00) | min_t(u32, p->max_vcpus, 255) << 16;
	e->ecx |= 1u << 24;			/* TSC-deadline timer: ours */
	if (x2apic)
		e->ecx |= 1u << 21;
	e->ecx |= 1u << 31;			/* a hypervisor is present */
	if (p->max_vcpus > 1)
		e->edx |= 1u << 28;
}

/* Topology: one core a vCPU, one package. */
static void add_topology(struct hv_cpuid_policy *p)
{
	struct hv_cpuid_entry *e;

	e = add(p, 0xb, 0, HV_CPUID_F_SUBLEAF);
	e->ebx = 1;
	e->ecx = 1 << 8;			/* SMT level */
	e = add(p, 0xb, 1, HV_CPUID_F_SUBLEAF);
	e->eax = order_base_2(p->max_vcpus);
	e->ebx = p->max_vcpus;
	e->ecx = 1 | 2 << 8;			/* core level */
	add(p, 0xb, 2, HV_CPUID_F_SUBLEAF)->ecx = 2;
}

static void add_xsave(struct hv_cpuid_policy *p, u32 model)
{
	u64 xcr0 = hv_fpu_xcr0_allowed();
	struct hv_cpuid_entry *e;
	unsigned int i;

	if (model && model < 3)
		return;		/* XSAVE begins with level 3 */
	if (!(hv_arch_hw_features() & HV_HWF_XSAVE))
		return;
	if (model)
		xcr0 &= model >= 4 ? 0xe7 : 0x7;
	e = add(p, 0xd, 0, HV_CPUID_F_SUBLEAF);
	e->eax = xcr0;
	e->ebx = 576;		/* by XCR0: filled in at the exit */
	e->ecx = 576;
	add_features(p, model, 0xd, 1, HV_CPUID_F_SUBLEAF);
	for (i = 2; i < 32; i++) {
		struct hv_cpuid_entry *s;

		if (!(xcr0 & (1ULL << i)))
			continue;
		add_host(p, 0xd, i, HV_CPUID_F_SUBLEAF);
		s = &p->e[p->nr - 1];
		s->ecx = 0;
		s->edx = 0;
		e->ecx = max(e->ecx, s->eax + s->ebx);
	}
}

static void add_basic(struct hv_cpuid_policy *p, u32 model, bool x2apic)
{
	u32 max = min_t(u32, boot_cpu_data.cpuid_level, 0xd);

	add_host(p, 0, 0, 0);
	p->e[0].eax = max;
	add_leaf1(p, model, x2apic);
	if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL) {
		unsigned int i;

		add_host(p, 2, 0, 0);
		for (i = 0; i < 4; i++) {
			add_host(p, 4, i, HV_CPUID_F_SUBLEAF);
			p->e[p->nr - 1].eax &= 0x3ff;	/* one thread a core, caches not shared */
		}
	}
	if (max >= 6)
		add(p, 6, 0, 0)->eax = 4;	/* the APIC timer always runs (ARAT) */
	if (max >= 7)
		add_features(p, model, 7, 0, HV_CPUID_F_SUBLEAF);
	if (max >= 0xb)
		add_topology(p);
	if (max >= 0xd)
		add_xsave(p, model);
}

static void add_ext(struct hv_cpuid_policy *p, u32 model)
{
	bool amd = boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
		   boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
	u32 max = min_t(u32, cpuid_eax(0x80000000), amd ? 0x8000001e : 0x80000008);
	struct hv_cpuid_entry *e;
	u32 leaf;

	add_host(p, 0x80000000, 0, 0);
	p->e[p->nr - 1].eax = max;
	e = add_features(p, model, 0x80000001, 0, 0);
	e->eax = p->signature;
	if (amd && p->max_vcpus > 1)
		e->ecx |= 1u << 1;		/* HTT counts cores */
	for (leaf = 0x80000002; leaf <= 0x80000006; leaf++)
		add_host(p, leaf, 0, 0);
	add_features(p, model, 0x80000007, 0, 0);
	e = add_features(p, model, 0x80000008, 0, 0);
	e->eax = hv_gpa_bits() | (boot_cpu_data.x86_virt_bits << 8);
	if (amd)
		e->ecx = (p->max_vcpus - 1) | order_base_2(p->max_vcpus) << 12;
	if (amd && max >= 0x8000001e) {
		add(p, 0x8000001e, 0, 0);
	}
}

static void add_tlfs(struct hv_cpuid_policy *p, struct hv_vm *vm)
{
	static const u32 first[] = { 0x40000000, 0x40000080 };
	unsigned int i;

	p->tlfs = p->nr;
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		u32 leaf, out[4];

		for (leaf = first[i]; hv_cpuid_tlfs(vm, leaf, out); leaf++) {
			struct hv_cpuid_entry *e = add(p, leaf, 0, 0);

			e->eax = out[0];
			e->ebx = out[1];
			e->ecx = out[2];
			e->edx = out[3];
		}
	}
}

static void index_leaves(struct hv_cpuid_policy *p)
{
	int i;

	memset(p->basic, HV_CPUID_NO_ENTRY, sizeof(p->basic));
	memset(p->ext, HV_CPUID_NO_ENTRY, sizeof(p->ext));
	for (i = p->nr - 1; i >= 0; i--) {
		if (p->e[i].leaf <= HV_CPUID_BASIC_MAX)
			p->basic[p->e[i].leaf] = i;
		else if (p->e[i].leaf - 0x80000000 <= HV_CPUID_EXT_MAX)
			p->ext[p->e[i].leaf - 0x80000000] = i;
	}
}

static int model_supported(u32 model)
{
	unsigned int i;
	u32 r[4];

	if (model != HV_CPU_HOST && model != HV_CPU_X86_64_V2 && model != HV_CPU_X86_64_V3 &&
	    model != HV_CPU_X86_64_V4)
		return -EINVAL;
	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *row = &hv_cpuid_rows[i];
		u32 max = row->leaf & 0x80000000 ? cpuid_eax(0x80000000) : cpuid_eax(0);

		memset(r, 0, sizeof(r));
		if (row->leaf <= max)
			host_leaf(row->leaf, row->subleaf, r);
		if (model && hv_cpuid_lacks(model, row->leaf, row->subleaf, row->reg, r[row->reg]))
			return -EOPNOTSUPP;
	}
	return 0;
}

static struct hv_cpuid_policy *policy_build(struct hv_vm *vm, u32 model, u32 max_vcpus, u32 flags)
{
	struct hv_cpuid_policy *p;
	int ret = model_supported(model);

	if (ret)
		return ERR_PTR(ret);
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	p->max_vcpus = max_vcpus;
	add_basic(p, model, !(flags & HV_VM_F_NO_X2APIC));
	if (!(flags & HV_VM_F_NO_TLFS))
		add_tlfs(p, vm);
	else
		p->tlfs = HV_CPUID_NO_ENTRY;
	add_ext(p, model);
	index_leaves(p);
	return p;
}

int hv_cpuid_vm_create(struct hv_vm_x86 *vm, u32 cpu_model)
{
	struct hv_cpuid_policy *p = policy_build(&vm->core, cpu_model, vm->core.max_vcpus,
						 vm->core.flags);

	if (IS_ERR(p))
		return PTR_ERR(p);
	vm->cpuid = p;
	return 0;
}

void hv_cpuid_vm_release(struct hv_vm_x86 *vm)
{
	kfree(vm->cpuid);
	vm->cpuid = NULL;
}

int hv_arch_cpuid_get(struct hv_vm *vm, u32 cpu_model, struct hv_cpuid_entry *e, u32 *nr)
{
	struct hv_cpuid_policy *p;
	u32 room = *nr;
	int ret = 0;

	p = vm ? to_vm_x86(vm)->cpuid : policy_build(NULL, cpu_model, 1, 0);
	if (IS_ERR(p))
		return PTR_ERR(p);
	*nr = p->nr;
	if (room < p->nr)
		ret = -E2BIG;
	else
		memcpy(e, p->e, p->nr * sizeof(*e));
	if (!vm)
		kfree(p);
	return ret;
}

u32 hv_cpuid_signature(struct hv_vm_x86 *vm)
{
	return vm->cpuid->signature;
}

u64 hv_cpuid_crc(struct hv_vm_x86 *vm)
{
	return crc32_le(~0, (const u8 *)vm->cpuid->e, vm->cpuid->nr * sizeof(vm->cpuid->e[0]));
}

/* ---- answering ----------------------------------------------------------------- */

static const struct hv_cpuid_entry *entry_find(const struct hv_cpuid_policy *p, u32 leaf,
					       u32 subleaf)
{
	unsigned int i;

	if (leaf <= HV_CPUID_BASIC_MAX) {
		i = p->basic[leaf];
	} else if (leaf - 0x80000000 <= HV_CPUID_EXT_MAX) {
		i = p->ext[leaf - 0x80000000];
	} else if (leaf - 0x40000000 < 0x100 && p->tlfs != HV_CPUID_NO_ENTRY) {
		for (i = p->tlfs; i < p->nr && p->e[i].leaf != leaf; i++)
			;
	} else {
		return NULL;
	}
	for (; i < p->nr && p->e[i].leaf == leaf; i++)
		if (!(p->e[i].flags & HV_CPUID_F_SUBLEAF) || p->e[i].subleaf == subleaf)
			return &p->e[i];
	return NULL;
}

/* Bytes of the standard-format area for the XCR0 in force. */
static u32 xsave_bytes(const struct hv_cpuid_policy *p, u64 xcr0)
{
	unsigned int i = p->basic[0xd];
	u32 bytes = 576;

	for (; i < p->nr && p->e[i].leaf == 0xd; i++)
		if (p->e[i].subleaf >= 2 && (xcr0 & (1ULL << p->e[i].subleaf)))
			bytes = max(bytes, p->e[i].eax + p->e[i].ebx);
	return bytes;
}

/* Bits that follow the vCPU: its APIC id, and CR4 and XCR0 mirrored. */
static void dynamic(struct hv_vcpu_x86 *x, u32 leaf, u32 subleaf, u32 out[4])
{
	switch (leaf) {
	case 1:
		out[1] |= x->core.index << 24;
		if (x->cr4_guest & X86_CR4_OSXSAVE)
			out[2] |= 1u << 27;
		break;
	case 7:
		if (!subleaf && (x->cr4_guest & X86_CR4_PKE) && (out[2] & (1u << 3)))
			out[2] |= 1u << 4;
		break;
	case 0xb:
		out[3] = x->core.index;
		break;
	case 0xd:
		if (!subleaf)
			out[1] = xsave_bytes(to_vm_x86(x->core.vm)->cpuid, x->xcr0);
		break;
	case 0x80000007:
		/* The guest asks for it by a Hyper-V MSR where there is one (hvguest/tlfs.h). */
		if (x->core.tlfs && !hv_tlfs_tsc_invariant(x->core.vm))
			out[3] &= ~(1u << 8);
		break;
	case 0x8000001e:
		out[0] = x->core.index;
		out[1] = x->core.index & 0xff;
		break;
	}
}

void hv_cpuid_query(struct hv_vcpu_x86 *x, u32 leaf, u32 subleaf, u32 out[4])
{
	const struct hv_cpuid_entry *e = entry_find(to_vm_x86(x->core.vm)->cpuid, leaf, subleaf);

	if (!e) {
		out[0] = out[1] = out[2] = out[3] = 0;
		if (leaf == 0xb) {	/* beyond the last level: the subleaf is echoed */
			out[2] = subleaf & 0xff;
			out[3] = x->core.index;
		}
		return;
	}
	out[0] = e->eax;
	out[1] = e->ebx;
	out[2] = e->ecx;
	out[3] = e->edx;
	dynamic(x, leaf, subleaf, out);
}

static const struct {
	u8 word;
	u32 leaf;
	enum hv_cpuid_reg reg;
} words[] = {
	{ CPUID_1_EDX, 1, HV_CPUID_EDX },
	{ CPUID_1_ECX, 1, HV_CPUID_ECX },
	{ CPUID_7_0_EBX, 7, HV_CPUID_EBX },
	{ CPUID_7_ECX, 7, HV_CPUID_ECX },
	{ CPUID_7_EDX, 7, HV_CPUID_EDX },
	{ CPUID_8000_0001_EDX, 0x80000001, HV_CPUID_EDX },
	{ CPUID_8000_0001_ECX, 0x80000001, HV_CPUID_ECX },
	{ CPUID_8000_0008_EBX, 0x80000008, HV_CPUID_EBX },
};

bool hv_cpuid_has(struct hv_vm_x86 *vm, u32 feature)
{
	const struct hv_cpuid_entry *e;
	unsigned int i;
	u32 r[4];

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].word != feature / 32)
			continue;
		e = entry_find(vm->cpuid, words[i].leaf, 0);
		if (!e)
			return false;
		r[0] = e->eax;
		r[1] = e->ebx;
		r[2] = e->ecx;
		r[3] = e->edx;
		return r[words[i].reg] & (1u << (feature % 32));
	}
	return false;
}

u64 hv_cpuid_spec_ctrl(struct hv_vm_x86 *vm)
{
	const struct hv_cpuid_entry *e = entry_find(vm->cpuid, 0x80000008, 0);

	return e ? hv_cpuid_spec_bits(e->ebx) : 0;
}
