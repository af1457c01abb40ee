// SPDX-License-Identifier: GPL-2.0-or-later
/* CPU models: what guests of each see, and the record that a moved VM is held against. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define ROOM 128

static struct hv_cpuid_entry saved[ROOM];
static uint32_t nr;

static long state(int vm, unsigned long cmd, uint32_t rec, void *buf, uint32_t *len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = rec, .addr = (uintptr_t)buf,
				   .len = *len, .version = 1 };
	long ret = hv_raw(vm, cmd, &a);

	*len = a.len;
	return ret;
}

static long set(int vm, const struct hv_cpuid_entry *e)
{
	uint32_t len = nr * (uint32_t)sizeof(*e);

	return state(vm, HV_VM_SET_STATE, HV_REC_VM_CPUID, (void *)e, &len);
}

static struct hv_cpuid_entry *leaf(struct hv_cpuid_entry *e, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (e[i].leaf == n)
			return &e[i];
	tap_bail("no leaf 0x%x", n);
}

static uint32_t shown(int vm, uint32_t n)
{
	struct hv_cpuid_entry e[ROOM];
	struct hv_cpuid_args a = { .addr = (uintptr_t)e, .nr = ROOM };

	hv_do(vm, HV_VM_GET_CPUID, &a);
	return leaf(e, n)->ebx;
}

static void guests(int sys)
{
	static const uint32_t models[] = { HV_CPU_HOST, HV_CPU_X86_64_V2, HV_CPU_X86_64_V3,
					   HV_CPU_X86_64_V4 };
	char append[32];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct bare b = { .image = "build/guest/model.elf", .append = append, .cpus = 1,
				  .seconds = 100, .cpu_model = models[i] };
		struct hv_vm_args a = { .max_vcpus = 1, .cpu_model = models[i] };
		long fd = hv_try(sys, HV_SYS_CREATE_VM, &a);

		if (models[i] == HV_CPU_X86_64_V4 && fd < 0) {
			tap_is(fd, -EOPNOTSUPP, "level 4 without AVX-512 is refused");
			continue;
		}
		close((int)fd);
		snprintf(append, sizeof(append), "model=%u", models[i]);
		tap_is(bare_run(&b), 0, "guest of model %u", models[i]);
	}
}

static void records(int sys)
{
	int v3 = hv_vm_new_model(sys, 0, 1, HV_CPU_X86_64_V3);
	int v2 = hv_vm_new_model(sys, 0, 1, HV_CPU_X86_64_V2);
	int to = hv_vm_new_model(sys, 0, 1, HV_CPU_X86_64_V3), vcpu;
	struct hv_cpuid_entry e[ROOM];
	struct hv_rec_config c;
	uint32_t len = sizeof(saved), clen = sizeof(c);

	tap_is(state(v3, HV_VM_GET_STATE, HV_REC_VM_CPUID, saved, &len), 0, "the leaves of level 3");
	nr = len / (uint32_t)sizeof(saved[0]);
	tap_is(set(to, saved), 0, "are taken by another VM of that level");
	tap_is(set(v2, saved), -EINVAL, "not by level 2, which has no leaf 0xd");
	tap_is(state(v3, HV_VM_GET_STATE, HV_REC_VM_CONFIG, &c, &clen), 0, "config");
	tap_is(c.cpu_model, HV_CPU_X86_64_V3, "it says which model");
	tap_is(state(v2, HV_VM_SET_STATE, HV_REC_VM_CONFIG, &c, &clen), -EINVAL,
	       "another model refuses it");
	memcpy(e, saved, sizeof(e));
	leaf(e, 7)->ebx |= 1u << 16;
	tap_is(set(to, e), -EOPNOTSUPP, "a feature that the VM does not offer");
	memcpy(e, saved, sizeof(e));
	leaf(e, 7)->ebx &= ~(1u << 8);
	leaf(e, 0x80000002)->eax ^= 0x20;
	tap_is(set(to, e), 0, "one feature fewer, and another name");
	tap_is(shown(to, 7) >> 8 & 1, 0, "it is hidden then");
	tap_is(set(to, saved), -EOPNOTSUPP, "and the VM does not offer it any more");
	leaf(e, 0x40000003)->eax ^= 1;
	tap_is(set(to, e), -EINVAL, "another Hyper-V interface");
	leaf(e, 0x40000003)->eax ^= 1;
	e[0].rsvd = 1;
	tap_is(set(to, e), -EINVAL, "reserved bits");
	e[0].rsvd = 0;
	leaf(e, 1)->leaf = 2;
	tap_is(set(to, e), -EINVAL, "other leaves");
	/* A guest that has run has seen them. */
	hv_reset_code(v3, hv_code_out, sizeof(hv_code_out));
	vcpu = hv_vcpu_new(v3, 0);
	hv_raw(vcpu, HV_VCPU_RUN, NULL);
	tap_is(set(v3, saved), 0, "the same leaves after the guest has run");
	memcpy(e, saved, sizeof(e));
	leaf(e, 7)->ebx &= ~(1u << 8);
	tap_is(set(v3, e), -EBUSY, "others do not come then");
	close(vcpu);
	close(v3);
	close(v2);
	close(to);
}

int main(void)
{
	int sys = hv_open();

	guests(sys);
	records(sys);
	close(sys);
	return tap_done();
}
