// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Somebody else has SVM switched on: KVM with a VM, or a write to EFER on one CPU. A VM is
 * refused with a cause, nothing is taken away from the holder, and all is well once it is gone.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

#define MSR_EFER	0xc0000080
#define EFER_SVME	(1ull << 12)
#define KLOG_READ_ALL	3
#define HVCTL_RUN	"build/bin/hvctl run --test-devices --exit-with-guest --no-reboot " \
			"--kernel build/guest/hello.elf --memory 64M </dev/null 2>&1"

static uint64_t hw_state(int sys)
{
	struct hv_cap_args a = { .cap = HV_CAP_HW_STATE };

	hv_do(sys, HV_SYS_GET_CAP, &a);
	return a.value;
}

static long vm_try(int sys)
{
	struct hv_vm_args a = { .max_vcpus = 1, .name = "test" };

	return hv_try(sys, HV_SYS_CREATE_VM, &a);
}

static int in_klog(const char *text)
{
	static char buf[1 << 20];
	int n = klogctl(KLOG_READ_ALL, buf, sizeof(buf) - 1);

	buf[n < 0 ? 0 : n] = 0;
	return strstr(buf, text) != NULL;
}

/* The exit code of hvctl run; what it printed goes to @out. */
static int hvctl_run(char *out, size_t bytes)
{
	FILE *f = popen("timeout 120 " HVCTL_RUN, "r");
	size_t n = f ? fread(out, 1, bytes - 1, f) : 0;
	int status = f ? pclose(f) : -1;

	out[n] = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_refused(int sys, const char *holder)
{
	char out[8192];

	tap_is((long)hw_state(sys), HV_HW_HELD, "%s: the state says held", holder);
	tap_is(vm_try(sys), -EBUSY, "%s: no VM", holder);
	tap_is(vm_try(sys), -EBUSY, "%s: no VM the second time", holder);
	tap_is((long)hw_state(sys), HV_HW_HELD, "%s: still held, nothing was taken", holder);
	tap_ok(in_klog("another hypervisor holds virtualization"), "%s: the kernel log says why", holder);
	tap_is(hvctl_run(out, sizeof(out)), 8, "%s: hvctl's exit code", holder);
	if (!tap_ok(strstr(out, "another hypervisor holds") && strstr(out, "modprobe -r kvm_amd"),
		    "%s: hvctl names cause and remedy", holder))
		tap_note("%s", out);
}

/* Told to stop it may be in the guest, or have just come back with a port write. */
static bool stopped_well(struct hv_runner *r)
{
	long ret = hv_runner_stop(r);

	return ret == -EINTR || !ret;
}

/* A guest runs for a moment. */
static void check_works(int sys, const char *when)
{
	int vm, vcpu;
	struct hv_runner r;
	void *page;

	tap_is((long)hw_state(sys), HV_HW_OFF, "%s: the state says off", when);
	vm = hv_vm_new(sys, 0, 1);
	tap_is((long)hw_state(sys), HV_HW_OURS, "%s: ours", when);
	vcpu = hv_vcpu_new(vm, 0);
	page = hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	hv_runner_start(&r, vcpu);
	tap_ok(hv_runner_exits(&r, 0, 2), "%s: it writes to its port", when);
	tap_ok(stopped_well(&r), "%s: a guest runs", when);
	hv_ram_free(vm, HV_RESET_SLOT, page, 4096);
	close(vcpu);
	close(vm);
}

/* KVM runs a real-mode guest up to its HLT: SVM is as it left it. */
static void kvm_guest(int kvm, int vm, const char *when)
{
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0), bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_userspace_memory_region mem = { .guest_phys_addr = HV_RESET_PAGE, .memory_size = 4096 };
	uint8_t *page = aligned_alloc(4096, 4096);
	struct kvm_run *run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	if (vcpu < 0 || run == MAP_FAILED)
		tap_bail("no vCPU of KVM: %s", strerror(errno));
	memset(page, 0, 4096);
	memcpy(page + 0xff0, hv_code_halt, sizeof(hv_code_halt));
	mem.userspace_addr = (uintptr_t)page;
	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &mem);
	tap_is(ioctl(vcpu, KVM_RUN, 0), 0, "%s: KVM runs its guest", when);
	tap_is(run->exit_reason, KVM_EXIT_HLT, "%s: up to its HLT", when);
	munmap(run, (size_t)bytes);
	close(vcpu);
	free(page);
}

static void kvm_first(int sys, int kvm)
{
	int other = ioctl(kvm, KVM_CREATE_VM, 0);

	if (other < 0)
		tap_bail("KVM makes no VM: %s", strerror(errno));
	check_refused(sys, "KVM");
	kvm_guest(kvm, other, "after the refusals");
	close(other);
	check_works(sys, "KVM's VM is gone");
}

static void hv_first(int sys, int kvm)
{
	int vm = hv_vm_new(sys, 0, 1), vcpu = hv_vcpu_new(vm, 0), other, i;
	void *page = hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	struct hv_runner r;
	unsigned long before;

	hv_runner_start(&r, vcpu);
	tap_ok(hv_runner_wait(&r, vm), "hv's guest runs");
	for (i = 0; i < 5; i++) {
		other = ioctl(kvm, KVM_CREATE_VM, 0);
		if (!i)
			tap_note("KVM_CREATE_VM while hv has a VM: %d (%s)", other,
				 other < 0 ? strerror(errno) : "made");
		if (other >= 0)
			close(other);
	}
	before = r.exits;
	tap_ok(hv_runner_exits(&r, before, 1), "hv's guest goes on: %lu, %lu exits", before, r.exits);
	tap_is((long)hw_state(sys), HV_HW_OURS, "virtualization is still ours");
	tap_ok(stopped_well(&r), "hv's guest stops when told to");
	hv_ram_free(vm, HV_RESET_SLOT, page, 4096);
	close(vcpu);
	close(vm);
	other = ioctl(kvm, KVM_CREATE_VM, 0);
	tap_ok(other >= 0, "KVM has its VM once hv's is gone");
	kvm_guest(kvm, other, "after hv");
	close(other);
	check_works(sys, "both are gone");
}

static uint64_t efer(int msr, uint64_t set, uint64_t clear)
{
	uint64_t val = 0;

	if (pread(msr, &val, sizeof(val), MSR_EFER) != sizeof(val))
		tap_bail("cannot read EFER: %s", strerror(errno));
	if (!set && !clear)
		return val;
	val = (val | set) & ~clear;
	if (pwrite(msr, &val, sizeof(val), MSR_EFER) != sizeof(val))
		tap_bail("cannot write EFER: %s", strerror(errno));
	return val;
}

static void one_cpu(int sys, unsigned int cpu)
{
	char path[40], what[40];
	int msr;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	snprintf(what, sizeof(what), "EFER.SVME on CPU %u", cpu);
	msr = open(path, O_RDWR);
	if (msr < 0)
		tap_bail("%s: %s", path, strerror(errno));
	efer(msr, EFER_SVME, 0);
	check_refused(sys, what);
	tap_ok(efer(msr, 0, 0) & EFER_SVME, "%s is left alone", what);
	efer(msr, 0, EFER_SVME);
	check_works(sys, "EFER is as it was");
	tap_ok(!(efer(msr, 0, 0) & EFER_SVME), "hv leaves SVM off on CPU %u", cpu);
	close(msr);
}

int main(void)
{
	int sys = hv_open(), kvm;

	if (system("modprobe kvm_amd && modprobe msr allow_writes=on"))
		tap_bail("cannot load kvm_amd and msr");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		tap_bail("/dev/kvm: %s", strerror(errno));
	check_works(sys, "kvm_amd is loaded and idle");
	kvm_first(sys, kvm);
	hv_first(sys, kvm);
	close(kvm);
	one_cpu(sys, 0);
	one_cpu(sys, 1);
	close(sys);
	if (system("modprobe -r kvm_amd msr"))
		tap_note("kvm_amd or msr stays loaded");
	return tap_done();
}
