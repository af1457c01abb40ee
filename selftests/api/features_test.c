// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hardware features in use, and that a guest runs with them, whichever are switched off.
 * With the word "bits": prints HV_CAP_HW_FEATURES for a script.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

static uint64_t features(int sys)
{
	struct hv_cap_args a = { .cap = HV_CAP_HW_FEATURES };

	hv_do(sys, HV_SYS_GET_CAP, &a);
	return a.value;
}

static bool cpuid_has(int sys, uint32_t leaf, unsigned int ecx_bit)
{
	struct hv_cpuid_entry e[512];
	struct hv_cpuid_args a = { .addr = (uintptr_t)e, .nr = 512 };
	uint32_t i;

	hv_do(sys, HV_SYS_GET_CPUID, &a);
	for (i = 0; i < a.nr; i++) {
		if (e[i].leaf == leaf)
			return e[i].ecx & (1u << ecx_bit);
	}
	return false;
}

/* cpuid; rdtsc; pause; out 0x42, al; back to the start */
static const uint8_t code[] = { 0x0f, 0xa2, 0x0f, 0x31, 0xf3, 0x90, 0xe6, 0x42, 0xeb, 0xf6 };

static void check_guest(int sys)
{
	int vm = hv_vm_new(sys, 0, 1), vcpu, i, good = 0;
	struct hv_run *run;

	/* Enough of it that 2 MiB mappings are made where they may be. */
	hv_ram_new(vm, 1, 0, 8ul << 20);
	hv_reset_code(vm, code, sizeof(code));
	vcpu = hv_vcpu_new(vm, 0);
	run = hv_run_map(vcpu);
	for (i = 0; i < 100; i++)
		good += !hv_raw(vcpu, HV_VCPU_RUN, NULL) && run->exit_kind == HV_EXIT_PIO &&
			run->pio.port == 0x42;
	tap_is(good, 100, "a guest goes round a hundred times");
	close(vcpu);
	close(vm);
}

int main(int argc, char **argv)
{
	int sys = hv_open();
	uint64_t has = features(sys);

	if (argc > 1 && !strcmp(argv[1], "bits")) {
		printf("%#llx\n", (unsigned long long)has);
		return 0;
	}
	tap_ok(has & HV_HWF_SLAT, "second-level paging is always there");
	tap_ok(cpuid_has(sys, 1, 26) == !!(has & HV_HWF_XSAVE), "CPUID shows XSAVE as it is in use");
	tap_ok(has & HV_HWF_XSAVE || !cpuid_has(sys, 1, 28), "no AVX without XSAVE");
	check_guest(sys);
	return tap_done();
}
