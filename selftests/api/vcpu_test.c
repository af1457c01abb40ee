// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPU objects: creation, run page, who may run them, what closing fds does. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>
#include "selftests/lib/child.h"
#include "selftests/lib/hvio.h"

static long create(int vm, uint32_t index, uint32_t vnode)
{
	struct hv_vcpu_args a = { .index = index, .vnode = vnode };

	return hv_try(vm, HV_VM_CREATE_VCPU, &a);
}

static void check_create(int sys)
{
	int vm = hv_vm_new(sys, 0, 3), fd;

	tap_is(create(vm, 3, HV_NO_VNODE), -EINVAL, "index beyond max_vcpus");
	tap_is(create(vm, ~0u, HV_NO_VNODE), -EINVAL, "index 2^32 - 1");
	tap_is(create(vm, 0, HV_MAX_VNODES), -EINVAL, "virtual node too high");
	fd = (int)create(vm, 2, HV_NO_VNODE);
	tap_ok(fd >= 0, "the last index first");
	tap_ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the fd is closed on exec");
	tap_is(create(vm, 2, HV_NO_VNODE), -EEXIST, "an index twice");
	close(fd);
	tap_is(create(vm, 2, HV_NO_VNODE), -EEXIST, "an index whose fd was closed");
	tap_ok(create(vm, 0, 0) >= 0, "on a virtual node");
	close(vm);
}

static void *map(int vcpu, size_t len, int prot, int flags, off_t off)
{
	void *p = mmap(NULL, len, prot, flags, vcpu, off);

	if (p != MAP_FAILED)
		munmap(p, len);
	return p;
}

#define RW (PROT_READ | PROT_WRITE)

static long map_in_child(void *arg)
{
	void *p = mmap(NULL, HV_RUN_BYTES, RW, MAP_SHARED, *(int *)arg, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static long touch_in_child(void *arg)
{
	unsigned char vec;

	return mincore(arg, HV_RUN_BYTES, &vec) ? -errno : 0;
}

static void check_run_page(int sys)
{
	int vm = hv_vm_new(sys, 0, 1), vcpu = hv_vcpu_new(vm, 0);
	struct hv_run *run, *again;

	tap_ok(map(vcpu, 2 * HV_RUN_BYTES, RW, MAP_SHARED, 0) == MAP_FAILED, "two pages");
	tap_ok(map(vcpu, HV_RUN_BYTES, RW, MAP_SHARED, 4096) == MAP_FAILED, "offset 4096");
	tap_ok(map(vcpu, HV_RUN_BYTES, RW, MAP_PRIVATE, 0) == MAP_FAILED, "private");
	tap_ok(map(vcpu, HV_RUN_BYTES, RW | PROT_EXEC, MAP_SHARED, 0) == MAP_FAILED, "executable");
	tap_ok(map(vm, HV_RUN_BYTES, RW, MAP_SHARED, 0) == MAP_FAILED, "of a VM fd");
	tap_is(child_call(map_in_child, &vcpu), -EIO, "from another process");

	run = hv_run_map(vcpu);
	again = hv_run_map(vcpu);
	run->immediate_exit = 1;
	tap_ok(again->immediate_exit == 1, "two mappings show the same page");
	madvise(run, HV_RUN_BYTES, MADV_DONTNEED);
	tap_ok(run->immediate_exit == 1, "it comes back after MADV_DONTNEED");
	tap_ok(mprotect(run, HV_RUN_BYTES, PROT_READ | PROT_EXEC) == -1, "no mprotect to executable");
	tap_is(child_call(touch_in_child, run), -ENOMEM, "a forked child does not have it");
	close(vcpu);
	close(vm);
	run->immediate_exit = 0;
	tap_ok(again->immediate_exit == 0, "a mapping outlives the fds");
	munmap(run, HV_RUN_BYTES);
	munmap(again, HV_RUN_BYTES);
}

static long run_in_child(void *arg)
{
	return hv_raw(*(int *)arg, HV_VCPU_RUN, NULL);
}

static void check_run(int sys)
{
	int vm = hv_vm_new(sys, 0, 1), vcpu;
	struct hv_run *run;
	uint8_t *page;

	page = hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	vcpu = hv_vcpu_new(vm, 0);
	run = hv_run_map(vcpu);
	tap_is(child_call(run_in_child, &vcpu), -EIO, "run from another process");
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), 0, "run to a port write");
	tap_ok(run->exit_kind == HV_EXIT_PIO && run->pio.port == 0x42 && run->pio.bytes == 1 &&
	       run->pio.in == 0 && run->pio.count == 1, "exit kind %u port %#x bytes %u in %u count %u",
	       run->exit_kind, run->pio.port, run->pio.bytes, run->pio.in, run->pio.count);
	run->immediate_exit = 1;
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), -EINTR, "immediate exit");
	run->immediate_exit = 0;
	close(vm);
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), 0, "it runs on after the VM fd was closed");
	munmap(page, 4096);
	munmap(run, HV_RUN_BYTES);
	close(vcpu);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* A spinning and a halted guest must leave for a signal. */
static void check_signal(int sys, const char *name, const uint8_t *code, size_t len)
{
	/* again and again: the first may come before the guest runs */
	struct itimerval every_50ms = { { 0, 50000 }, { 0, 50000 } }, never = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm };
	int vm = hv_vm_new(sys, 0, 1), vcpu;

	hv_reset_code(vm, code, len);
	vcpu = hv_vcpu_new(vm, 0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every_50ms, NULL);
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), -EINTR, "a signal ends a %s guest's run", name);
	setitimer(ITIMER_REAL, &never, NULL);
	close(vcpu);
	close(vm);
}

/* Memory that goes away under the fetch: user space is told, nothing dies. */
static void check_no_memory(int sys)
{
	int vm = hv_vm_new(sys, 0, 1), vcpu;
	struct hv_run *run;
	void *page;

	page = hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	vcpu = hv_vcpu_new(vm, 0);
	run = hv_run_map(vcpu);
	munmap(page, 4096);
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), 0, "run without host memory");
	tap_is(run->exit_kind, HV_EXIT_MEMORY_FAULT, "memory fault");
	tap_ok(run->fault.gpa >> 12 == 0xfffff && run->fault.error < 0, "at gpa %#llx error %d",
	       (unsigned long long)run->fault.gpa, run->fault.error);
	munmap(run, HV_RUN_BYTES);
	close(vcpu);
	close(vm);
}

int main(void)
{
	int sys = hv_open();

	check_create(sys);
	check_run_page(sys);
	check_run(sys);
	check_signal(sys, "spinning", hv_code_spin, sizeof(hv_code_spin));
	check_signal(sys, "halted", hv_code_halt, sizeof(hv_code_halt));
	check_no_memory(sys);
	return tap_done();
}
