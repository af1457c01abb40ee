// SPDX-License-Identifier: GPL-2.0-only
/*
 * fpu.c - the guest's extended state
 *
 * Our own XSAVE area (standard format), loaded inside a kernel_fpu_begin/end section that
 * spans the exits handled in the module: the guest-FPU interface of the kernel is not
 * open to us on the whole range of kernels. The host's XCR0 stays loaded but for the
 * stretch with interrupts off around the guest; XRSTOR and XSAVE use masks within it.
 * PKRU is exchanged by hand, or copies from user memory would obey the guest's keys.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include <asm/asm.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/cpufeature.h>
#include <asm/special_insns.h>
#include "x86.h"

#define XFEATURE_BIT_PKRU	(1ULL << 9)
/* What guests may have: x87, SSE, AVX, AVX-512, PKRU. XFD and AMX, CET are not offered. */
#define GUEST_XCR0	0x2e7ULL

/* The same on all CPUs, fixed since boot. */
static u64 host_xcr0;
static u32 host_mxcsr_mask;

static u64 host_mask(void)
{
	return host_xcr0 & GUEST_XCR0 & ~XFEATURE_BIT_PKRU;
}

/* Bits of MXCSR that this CPU has (APM vol. 1, 11.5.9: the mask that FXSAVE tells). */
static u32 mxcsr_mask(void)
{
	static u8 area[512] __aligned(16);

	kernel_fpu_begin_mask(0);
	asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
	kernel_fpu_end();
	return *(const u32 *)(area + 28) ?: 0xffbf;
}

void hv_fpu_init(void)
{
	host_mxcsr_mask = mxcsr_mask();
	host_xcr0 = static_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(0) : 3;
}

u64 hv_fpu_xcr0_allowed(void)
{
	u64 v = host_xcr0 & GUEST_XCR0;

	return static_cpu_has(X86_FEATURE_OSPKE) ? v : v & ~XFEATURE_BIT_PKRU;
}

static u32 cpuid_ebx_of(u32 leaf, u32 subleaf)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx);
	return ebx;
}

static unsigned int area_bytes(void)
{
	/* For the XCR0 of the host, standard format. */
	return static_cpu_has(X86_FEATURE_OSXSAVE) ? cpuid_ebx_of(0xd, 0) : 512;
}

int hv_fpu_create(struct hv_vcpu_x86 *x)
{
	x->xsave_bytes = area_bytes();
	/*
	 * kmalloc of a power of two is aligned to it: XSAVE wants 64. Without XSAVE there is room for
	 * its header and the YMM registers all the same, so that the executor need not tell.
	 */
	x->xsave = kzalloc(roundup_pow_of_two(max(x->xsave_bytes, 1024u)), GFP_KERNEL_ACCOUNT);
	return x->xsave ? 0 : -ENOMEM;
}

void hv_fpu_release(struct hv_vcpu_x86 *x)
{
	kfree(x->xsave);
	x->xsave = NULL;
}

static void area_reset(struct hv_vcpu_x86 *x)
{
	u8 *a = x->xsave;

	memset(a, 0, x->xsave_bytes);
	*(u16 *)a = 0x37f;		/* FCW */
	*(u32 *)(a + 24) = 0x1f80;	/* MXCSR */
	*(u64 *)(a + 512) = 3;		/* XSTATE_BV */
}

void hv_fpu_reset(struct hv_vcpu_x86 *x)
{
	area_reset(x);
	x->xcr0 = 1;
	x->pkru = 0;
}

/* False: the CPU refused what is in the area, which hv_fpu_set() should have. */
static bool area_load(void *area, u64 mask)
{
	if (static_cpu_has(X86_FEATURE_OSXSAVE))
		asm goto("1: xrstor64 (%0)\n\t" _ASM_EXTABLE(1b, %l[fault])
			 : : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32)) : "memory" : fault);
	else
		asm goto("1: fxrstor64 (%0)\n\t" _ASM_EXTABLE(1b, %l[fault])
			 : : "r"(area) : "memory" : fault);
	return true;
fault:
	return false;
}

static void area_save(void *area, u64 mask)
{
	if (static_cpu_has(X86_FEATURE_OSXSAVE))
		asm volatile("xsave64 (%0)" : : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			     : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void hv_fpu_load(struct hv_vcpu_x86 *x)
{
	kernel_fpu_begin_mask(0);
	if (likely(area_load(x->xsave, host_mask())))
		return;
	/* Never the host's registers instead. */
	area_reset(x);
	area_load(x->xsave, host_mask());
}

void hv_fpu_put(struct hv_vcpu_x86 *x)
{
	area_save(x->xsave, host_mask());
	kernel_fpu_end();
}

/* The guest can reach PKRU: by its instructions, or as a component of XSAVE, whatever CR4.PKE says. */
static bool has_pkru(const struct hv_vcpu_x86 *x)
{
	return static_cpu_has(X86_FEATURE_OSPKE) &&
	       ((x->cr4_guest & X86_CR4_PKE) ||
		((x->cr4_guest & X86_CR4_OSXSAVE) && (x->xcr0 & XFEATURE_BIT_PKRU)));
}

/*
 * Interrupts are off from here to hv_fpu_leave(): nothing of the host runs with the
 * guest's XCR0 or PKRU. While CR4.OSXSAVE is clear the guest can't tell what XCR0 is.
 */
void hv_fpu_enter(struct hv_vcpu_x86 *x)
{
	if ((x->cr4_guest & X86_CR4_OSXSAVE) && x->xcr0 != host_xcr0)
		xsetbv(0, x->xcr0);
	if (has_pkru(x)) {
		x->host_pkru = rdpkru();
		if (x->host_pkru != x->pkru)
			wrpkru(x->pkru);
	}
}

/*
 * XSETBV is intercepted, but an emulated CPU may not do so (QEMU 7.2): what the guest
 * wrote then is found here. Hardware is spared the look.
 */
static void xcr0_take_back(struct hv_vcpu_x86 *x)
{
	u64 now = x->xcr0;

	if (static_cpu_has(X86_FEATURE_HYPERVISOR)) {
		now = xgetbv(0);
		x->xcr0 = now & hv_fpu_xcr0_allowed();
	}
	if (now != host_xcr0)
		xsetbv(0, host_xcr0);
}

void hv_fpu_leave(struct hv_vcpu_x86 *x)
{
	if (has_pkru(x)) {
		x->pkru = rdpkru();
		if (x->host_pkru != x->pkru)
			wrpkru(x->host_pkru);
	}
	if (x->cr4_guest & X86_CR4_OSXSAVE)
		xcr0_take_back(x);
}

/* Where the standard format has PKRU; 0 if this CPU has none. */
static u32 pkru_offset(void)
{
	return static_cpu_has(X86_FEATURE_OSPKE) ? cpuid_ebx_of(0xd, 9) : 0;
}

void hv_fpu_pkru_store(struct hv_vcpu_x86 *x, void *area)
{
	u32 at = pkru_offset();

	if (!at || !(x->xcr0 & XFEATURE_BIT_PKRU))
		return;
	*(u32 *)(area + at) = x->pkru;
	*(u64 *)(area + 512) |= XFEATURE_BIT_PKRU;
}

/*
 * XRSTOR of a hostile area must not fault: components within XCR0, standard format, no
 * reserved header bits, no reserved MXCSR bits (APM vol. 4, XRSTOR).
 */
int hv_fpu_set(struct hv_vcpu_x86 *x, u64 xcr0, const void *area, u32 bytes)
{
	u32 at = pkru_offset();
	u64 old = x->xcr0, bv = 0;

	if (bytes != x->xsave_bytes || (xcr0 != 1 && hv_xcr_write(x, 0, xcr0)))
		return -EINVAL;
	if (bytes > 512) {
		bv = *(const u64 *)(area + 512);
		if ((bv & ~hv_fpu_xcr0_allowed()) || memchr_inv(area + 520, 0, 56))
			goto refuse;
	}
	if (*(const u32 *)(area + 24) & ~host_mxcsr_mask)
		goto refuse;
	x->xcr0 = xcr0;
	memcpy(x->xsave, area, bytes);
	if (at) {
		x->pkru = bv & XFEATURE_BIT_PKRU ? *(const u32 *)(area + at) : 0;
		*(u64 *)(x->xsave + 512) &= ~XFEATURE_BIT_PKRU;
	}
	return 0;
refuse:
	x->xcr0 = old;
	return -EINVAL;
}

/*
 * Vector registers for the instruction executor: from the area, so the section ends.
 * Standard format: XMM at 160, upper halves of YMM at 576 (both architectural).
 */
int hv_fpu_vec_read(struct hv_vcpu_x86 *x, unsigned int reg, void *buf, unsigned int size)
{
	const u8 *a = x->xsave;
	u64 bv;

	hv_arch_section_end(&x->core);
	bv = *(const u64 *)(a + 512);
	memset(buf, 0, size);
	if (bv & 2)
		memcpy(buf, a + 160 + 16 * reg, 16);
	if (size > 16) {
		if (!(x->xcr0 & 4))
			return -EOPNOTSUPP;
		if (bv & 4)
			memcpy(buf + 16, a + 576 + 16 * reg, 16);
	}
	return 0;
}

int hv_fpu_vec_write(struct hv_vcpu_x86 *x, unsigned int reg, const void *buf,
		     unsigned int size, bool clear_upper)
{
	u8 *a = x->xsave;
	u64 *bv = (u64 *)(a + 512);

	hv_arch_section_end(&x->core);
	if (size > 16 && !(x->xcr0 & 4))
		return -EOPNOTSUPP;
	if (!(*bv & 2))
		memset(a + 160, 0, 256);
	memcpy(a + 160 + 16 * reg, buf, 16);
	*bv |= 2;
	if (size > 16 || (clear_upper && (*bv & 4))) {
		if (!(*bv & 4))
			memset(a + 576, 0, 256);
		if (size > 16)
			memcpy(a + 576 + 16 * reg, buf + 16, 16);
		else
			memset(a + 576 + 16 * reg, 0, 16);
		*bv |= 4;
	}
	return 0;
}
