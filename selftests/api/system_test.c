// SPDX-License-Identifier: GPL-2.0-or-later
/* The system fd: version, capabilities, creation of VMs. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

static void check_version(int sys)
{
	struct hv_version_args a = { 0 };

	memset(a.release, 'x', sizeof(a.release));
	tap_is(hv_try(sys, HV_SYS_GET_VERSION, &a), 0, "version");
	tap_is(a.api, HV_API_VERSION, "API version");
	tap_is(a.vendor, HV_VENDOR_AMD, "vendor");
	tap_ok(memchr(a.release, 0, sizeof(a.release)) && a.release[0] >= '0' &&
	       a.release[0] <= '9', "release");
}

static long cap(int sys, uint32_t nr, uint64_t *value)
{
	struct hv_cap_args a = { .cap = nr };
	long ret = hv_try(sys, HV_SYS_GET_CAP, &a);

	*value = a.value;
	return ret;
}

static void check_caps(int sys)
{
	static const struct {
		const char *name;
		uint32_t nr;
		uint64_t low, high;
	} caps[] = {
		{ "max vcpus", HV_CAP_MAX_VCPUS, HV_MAX_VCPUS, HV_MAX_VCPUS },
		{ "max slots", HV_CAP_MAX_SLOTS, HV_MAX_SLOTS, HV_MAX_SLOTS },
		{ "run bytes", HV_CAP_RUN_BYTES, HV_RUN_BYTES, HV_RUN_BYTES },
		{ "hardware state", HV_CAP_HW_STATE, HV_HW_OFF, HV_HW_OURS },
		{ "hardware features", HV_CAP_HW_FEATURES, HV_HWF_SLAT, ~0ull },
		{ "gpa bits", HV_CAP_GPA_BITS, 36, 52 },
		{ "dirty log", HV_CAP_DIRTY_LOG, 1, 1 },
		{ "ioeventfd", HV_CAP_IOEVENTFD, 1, 1 },
		{ "irqfd", HV_CAP_IRQFD, 7, 7 },
		{ "event port", HV_CAP_EVENT_PORT, 1, 1 },
		{ "state records", HV_CAP_STATE_RECORDS, 1, 1 },
		{ "TLFS leaves", HV_CAP_TLFS, 0x40000005, 0x400000ff },
		{ "TSC kHz", HV_CAP_TSC_KHZ, 100000, 10000000 },
		{ "fork backing", HV_CAP_FORK_BACKING, HV_FORK_BACKING_PRIVATE, HV_FORK_BACKING_PRIVATE },
		{ "bus", HV_CAP_BUS, 0, ~0ull },
	};
	uint64_t value;
	unsigned int i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (tap_is(cap(sys, caps[i].nr, &value), 0, "capability: %s", caps[i].name))
			tap_ok(value >= caps[i].low && value <= caps[i].high,
			       "capability: %s: value %#llx", caps[i].name,
			       (unsigned long long)value);
	}
	tap_is(cap(sys, 0, &value), -EINVAL, "capability 0");
	tap_is(cap(sys, HV_CAP_BUS + 1, &value), -EINVAL, "capability after the last");
	tap_is(cap(sys, ~0u, &value), -EINVAL, "capability 2^32 - 1");
}

static long create(int sys, struct hv_vm_args a, uint64_t *id)
{
	long fd = hv_try(sys, HV_SYS_CREATE_VM, &a);

	if (id)
		*id = a.id;
	return fd;
}

static void check_create(int sys)
{
	const struct hv_vm_args good = { .max_vcpus = 1, .name = "one" };
	struct hv_vm_args a = good;
	uint64_t id1, id2, state;
	long fd, fd2;

	a.max_vcpus = 0;
	tap_is(create(sys, a, NULL), -EINVAL, "no vCPUs");
	a.max_vcpus = HV_MAX_VCPUS + 1;
	tap_is(create(sys, a, NULL), -EINVAL, "too many vCPUs");
	a = good;
	memset(a.name, 'n', sizeof(a.name));
	tap_is(create(sys, a, NULL), -EINVAL, "name without an end");
	a = good;
	a.cpu_model = 77;
	tap_is(create(sys, a, NULL), -EINVAL, "unknown CPU model");

	fd = create(sys, good, &id1);
	fd2 = create(sys, good, &id2);
	tap_ok(fd >= 0 && fd2 >= 0, "two VMs");
	tap_ok(id1 && id2 > id1, "ids %llu and %llu", (unsigned long long)id1,
	       (unsigned long long)id2);
	tap_ok(fcntl((int)fd, F_GETFD) & FD_CLOEXEC, "the fd is closed on exec");
	tap_is(cap(sys, HV_CAP_HW_STATE, &state), 0, "hardware state");
	tap_is((long)state, HV_HW_OURS, "hardware is ours while a VM exists");
	close((int)fd);
	close((int)fd2);
	cap(sys, HV_CAP_HW_STATE, &state);
	tap_is((long)state, HV_HW_OFF, "hardware is free after the last VM");
}

static void check_models(int sys)
{
	static const uint32_t models[] = { HV_CPU_HOST, HV_CPU_X86_64_V2, HV_CPU_X86_64_V3,
					   HV_CPU_X86_64_V4 };
	unsigned int i;
	long fd;

	for (i = 0; i < 4; i++) {
		fd = create(sys, (struct hv_vm_args){ .max_vcpus = 1, .cpu_model = models[i] },
			    NULL);
		tap_ok(fd >= 0 || fd == -EOPNOTSUPP, "CPU model %u: %ld", models[i], fd);
		if (fd >= 0)
			close((int)fd);
	}
}

/* No fd to be had: the VM that was built must be gone again. */
static void check_no_fd(int sys)
{
	const struct hv_vm_args good = { .max_vcpus = 1 };
	struct rlimit old, tight;
	uint64_t state;

	getrlimit(RLIMIT_NOFILE, &old);
	tight = old;
	tight.rlim_cur = (rlim_t)sys + 1;
	setrlimit(RLIMIT_NOFILE, &tight);
	tap_is(create(sys, good, NULL), -EMFILE, "no fd left");
	setrlimit(RLIMIT_NOFILE, &old);
	cap(sys, HV_CAP_HW_STATE, &state);
	tap_is((long)state, HV_HW_OFF, "and no VM left behind");
}

static void check_cpuid(int sys)
{
	struct hv_cpuid_entry e[512];
	struct hv_cpuid_args a = { .addr = (uintptr_t)e };
	uint32_t i, nr, found = 0;

	tap_is(hv_try(sys, HV_SYS_GET_CPUID, &a), -E2BIG, "CPUID: no room");
	nr = a.nr;
	tap_ok(nr > 10 && nr < 512, "CPUID: %u entries", nr);
	a.nr = nr - 1;
	tap_is(hv_try(sys, HV_SYS_GET_CPUID, &a), -E2BIG, "CPUID: room for one less");
	tap_is(a.nr, nr, "CPUID: needed count again");
	a.nr = 512;
	tap_is(hv_try(sys, HV_SYS_GET_CPUID, &a), 0, "CPUID");
	tap_is(a.nr, nr, "CPUID: same count");
	for (i = 0; i < a.nr; i++) {
		if (e[i].leaf == 1)
			found |= e[i].ecx & (1u << 31) ? 1 : 0;
		if (e[i].leaf == 0x40000001)
			found |= e[i].eax == 0x31237648 ? 2 : 0;	/* "Hv#1" */
	}
	tap_is(found, 3, "CPUID: hypervisor bit and interface");
	a.addr = 1ull << 62;
	tap_is(hv_try(sys, HV_SYS_GET_CPUID, &a), -EFAULT, "CPUID: bad address");
}

int main(void)
{
	int sys = hv_open();

	check_version(sys);
	check_caps(sys);
	check_create(sys);
	check_models(sys);
	check_no_fd(sys);
	check_cpuid(sys);
	return tap_done();
}
