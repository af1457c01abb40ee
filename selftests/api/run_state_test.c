// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls in the wrong state: while a vCPU runs, while the VM is paused, after its process died. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/child.h"
#include "selftests/lib/hvio.h"

static long set_run_state(int vm, uint32_t state)
{
	struct hv_run_state_args a = { .state = state };

	return hv_try(vm, HV_VM_SET_RUN_STATE, &a);
}

static long reset(int vm)
{
	struct hv_reset_args a = { 0 };

	return hv_try(vm, HV_VM_RESET, &a);
}

static long ask_record(int vm, uint32_t record)
{
	struct hv_state_args a = { .record = record };

	return hv_try(vm, HV_VM_GET_STATE, &a);
}

static uint64_t reftime(int vm)
{
	struct hv_rec_clock c = { 0 };
	struct hv_state_args a = { .record = HV_REC_VM_CLOCK, .addr = (uintptr_t)&c,
				   .len = sizeof(c) };

	hv_do(vm, HV_VM_GET_STATE, &a);
	return c.reftime;
}

static void check_while_running(int vm, int vcpu)
{
	struct hv_runner r;
	struct hv_stats_args s = { 0 };
	struct hv_inject_args nmi = { .kind = HV_INJECT_NMI };

	hv_runner_start(&r, vcpu);
	tap_ok(hv_runner_wait(&r, vm), "the guest runs");
	tap_is(set_run_state(vm, HV_RUN_STATE_PAUSED), -EBUSY, "pause while it runs");
	tap_is(reset(vm), -EBUSY, "reset while it runs");
	tap_is(ask_record(vm, HV_REC_VM_CLOCK), -EBUSY, "clock while it runs");
	tap_is(ask_record(vm, HV_REC_VM_TLFS), -EBUSY, "TLFS record while it runs");
	tap_is(ask_record(vm, HV_REC_VM_IOAPIC), -EBUSY, "I/O APIC while it runs");
	tap_is(ask_record(vm, HV_REC_VM_OVERLAY), -EBUSY, "overlay while it runs");
	tap_is(ask_record(vm, HV_REC_VM_CONFIG), 0, "configuration while it runs");
	tap_is(hv_try(vm, HV_VM_GET_STATS, &s), 0, "VM counters while it runs");
	s.len = 0;
	tap_is(hv_try(vcpu, HV_VCPU_GET_STATS, &s), 0, "vCPU counters while it runs");
	nmi.kind = 9;
	tap_is(hv_try(vcpu, HV_VCPU_INJECT, &nmi), -EINVAL, "unknown injection while it runs");
	tap_is(hv_runner_stop(&r), -EINTR, "it stops by a signal");
}

/* In units of the reference time, 100 ns. */
static uint64_t host_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 10000000 + (uint64_t)t.tv_nsec / 100;
}

static void check_paused(int vm, int vcpu)
{
	uint64_t t1, t2, h1, h2;

	tap_is(set_run_state(vm, 2), -EINVAL, "unknown run state");
	tap_is(set_run_state(vm, HV_RUN_STATE_PAUSED), 0, "pause");
	tap_is(set_run_state(vm, HV_RUN_STATE_PAUSED), 0, "pause again");
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), -EAGAIN, "run while paused");
	t1 = reftime(vm);
	usleep(20000);
	t2 = reftime(vm);
	tap_ok(t1 == t2, "reference time stands still: %llu, %llu", (unsigned long long)t1,
	       (unsigned long long)t2);
	tap_is(reset(vm), 0, "reset while paused");
	tap_is(set_run_state(vm, HV_RUN_STATE_RUNNING), 0, "resume");
	tap_is(set_run_state(vm, HV_RUN_STATE_RUNNING), 0, "resume again");
	h1 = host_time();
	t1 = reftime(vm);
	usleep(20000);
	t2 = reftime(vm);
	h2 = host_time();
	tap_ok(t2 >= t1 + 200000 && t2 - t1 <= h2 - h1 + (h2 - h1) / 100 + 1,
	       "reference time runs: %llu in %llu units of the host's", (unsigned long long)(t2 - t1),
	       (unsigned long long)(h2 - h1));
}

/* The child makes a VM, hands its fds over and dies: what is left is a dead VM. */
static void owner(int sock)
{
	int vm = hv_vm_new(hv_open(), 0, 1), vcpu = hv_vcpu_new(vm, 0);

	child_send_fd(sock, vm);
	child_send_fd(sock, vcpu);
	_exit(0);
}

static void check_owner_died(void)
{
	int sv[2], vm, vcpu, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		tap_bail("socketpair");
	pid = fork();
	if (!pid)
		owner(sv[1]);
	vm = child_recv_fd(sv[0]);
	vcpu = child_recv_fd(sv[0]);
	waitpid(pid, &status, 0);
	tap_ok(vm >= 0 && vcpu >= 0 && !status, "fds of a VM whose process is gone");
	tap_is(reset(vm), -EIO, "VM call");
	tap_is(hv_raw(vcpu, HV_VCPU_RUN, NULL), -EIO, "run");
	tap_ok(mmap(NULL, HV_RUN_BYTES, PROT_READ, MAP_SHARED, vcpu, 0) == MAP_FAILED, "run page");
	close(vcpu);
	close(vm);
	close(sv[0]);
	close(sv[1]);
}

/* Death by SIGKILL while the guest spins: the parent sees it gone. */
static void check_killed(int sys)
{
	struct hv_cap_args cap = { .cap = HV_CAP_HW_STATE };
	int pipefd[2], status, i;
	char byte;
	pid_t pid;

	if (pipe(pipefd))
		tap_bail("pipe");
	pid = fork();
	if (!pid) {
		int vm = hv_vm_new(sys, 0, 2), a, b;
		struct hv_runner r;

		hv_reset_code(vm, hv_code_spin, sizeof(hv_code_spin));
		a = hv_vcpu_new(vm, 0);
		b = hv_vcpu_new(vm, 1);
		hv_runner_start(&r, b);	/* waits for its start-up interrupt */
		if (write(pipefd[1], "x", 1) != 1)
			_exit(1);
		hv_raw(a, HV_VCPU_RUN, NULL);
		_exit(2);
	}
	if (read(pipefd[0], &byte, 1) != 1)
		tap_bail("the child died early");
	usleep(100000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	tap_ok(WIFSIGNALED(status), "a VMM is killed while its guest spins");
	for (i = 0; i < 3000; i++) {
		hv_do(sys, HV_SYS_GET_CAP, &cap);
		if (cap.value == HV_HW_OFF)
			break;
		usleep(10000);
	}
	tap_is((long)cap.value, HV_HW_OFF, "its VM is gone");
	close(pipefd[0]);
	close(pipefd[1]);
}

int main(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 2), vcpu, other;

	hv_reset_code(vm, hv_code_spin, sizeof(hv_code_spin));
	vcpu = hv_vcpu_new(vm, 0);
	other = hv_vcpu_new(vm, 1);
	check_while_running(vm, vcpu);
	check_paused(vm, vcpu);
	check_while_running(vm, vcpu);
	close(other);
	close(vcpu);
	close(vm);
	check_owner_died();
	check_killed(sys);
	return tap_done();
}
