// SPDX-License-Identifier: GPL-2.0-or-later
/* hyperv.c - the Hyper-V interface from the guest's side */
#include "hyperv.h"

static u8 hcall_page[4096] __attribute__((aligned(4096)));

bool hyperv_present(void)
{
	u32 out[4];

	cpuid(1, 0, out);
	if (out[2] >> 31 & 1) {
		cpuid(TLFS_CPUID_BASE, 0, out);
		if (out[1] == TLFS_VENDOR_EBX && out[2] == TLFS_VENDOR_ECX &&
		    out[3] == TLFS_VENDOR_EDX)
			return true;
	}
	print("Bail out! no Hyper-V interface\n");
	return false;
}

bool hyperv_is_hv(void)
{
	return !option("peer", 0);
}

void hyperv_enable(void)
{
	wrmsr(TLFS_MSR_GUEST_OS_ID, OS_ID);
	wrmsr(TLFS_MSR_HYPERCALL, (u64)(uintptr_t)hcall_page | TLFS_PAGE_ENABLE);
}

u64 hcall(u64 control, u64 in, u64 out)
{
	register u64 r8 __asm__("r8") = out;
	u64 result;

	__asm__ volatile("call *%[page]"
			 : "=a"(result), "+c"(control), "+d"(in), "+r"(r8)
			 : [page] "r"(hcall_page)
			 : "memory", "r9", "r10", "r11", "cc");
	return result;
}

static bool is_intel(void)
{
	u32 out[4];

	cpuid(0, 0, out);
	return out[1] == 0x756e6547;	/* "Genu" */
}

int hcall_raw(u64 control, u64 in, u64 out, u64 *result)
{
	register u64 r8 __asm__("r8") = out;

	this_cpu()->fault = NO_FAULT;
	*result = ~0ull;
	if (is_intel())
		__asm__ volatile("1: vmcall\n2:\n" EXTABLE("1b", "2b")
				 : "+a"(*result), "+c"(control), "+d"(in), "+r"(r8)
				 : : "memory", "r9", "r10", "r11", "cc");
	else
		__asm__ volatile("1: vmmcall\n2:\n" EXTABLE("1b", "2b")
				 : "+a"(*result), "+c"(control), "+d"(in), "+r"(r8)
				 : : "memory", "r9", "r10", "r11", "cc");
	return ((volatile struct cpu *)this_cpu())->fault;
}

void reftime_wait(u64 t)
{
	while (reftime() < t)
		cpu_pause();
}

void reftime_settle(void)
{
	irq_enable();
	reftime_wait(reftime() + 2000);
	irq_disable();
}
