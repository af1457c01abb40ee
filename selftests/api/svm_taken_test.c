// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Something else clears EFER.SVME on a CPU under running guests: their VMs end with a named
 * cause, the host goes on, and new VMs work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/cpus.h"
#include "selftests/lib/hvio.h"

#define MSR_EFER	0xc0000080
#define EFER_SVME	(1ull << 12)
#define KLOG_READ_ALL	3
#define CAUSE		"is dead: something else switched virtualization off on a CPU"

static int causes_in_klog(void)
{
	static char buf[1 << 20];
	int n = klogctl(KLOG_READ_ALL, buf, sizeof(buf) - 1), found = 0;
	const char *p = buf;

	buf[n < 0 ? 0 : n] = 0;
	for (; (p = strstr(p, CAUSE)); p++)
		found++;
	return found;
}

static uint64_t hw_state(int sys)
{
	struct hv_cap_args a = { .cap = HV_CAP_HW_STATE };

	hv_do(sys, HV_SYS_GET_CAP, &a);
	return a.value;
}

static bool svme(int cpu, bool clear)
{
	char path[40];
	uint64_t val;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &val, sizeof(val), MSR_EFER) != sizeof(val))
		tap_bail("%s: %s", path, strerror(errno));
	val &= ~EFER_SVME;
	if (clear && pwrite(fd, &val, sizeof(val), MSR_EFER) != sizeof(val))
		tap_bail("%s: cannot write EFER: %s", path, strerror(errno));
	if (pread(fd, &val, sizeof(val), MSR_EFER) != sizeof(val))
		tap_bail("%s: cannot read EFER: %s", path, strerror(errno));
	close(fd);
	return val & EFER_SVME;
}

static int cpus[2];

static void pin(int cpu)
{
	if (cpu_pin(0, cpu))
		tap_bail("cannot move a thread to CPU %d", cpu);
}

struct guest {
	int vm, vcpu;
	void *page;
	struct hv_runner r;
};

static void guest_new(struct guest *g, int sys, const uint8_t *code, size_t len)
{
	g->vm = hv_vm_new(sys, 0, 1);
	g->vcpu = hv_vcpu_new(g->vm, 0);
	g->page = hv_reset_code(g->vm, code, len);
}

static void guest_start(struct guest *g, int cpu)
{
	pin(cpu);	/* its thread begins there */
	hv_runner_start(&g->r, g->vcpu);
	while (!g->r.tid)
		usleep(1000);
	/* From another CPU the write of EFER interrupts the guest, and does not end its section. */
	pin(cpus[cpu == cpus[0]]);
}

/* Its thread comes back by itself, and the VM is dead. */
static void guest_is_dead(struct guest *g, const char *what)
{
	tap_is(hv_runner_join(&g->r), -ECANCELED, "%s: the run is cancelled", what);
	tap_is(hv_raw(g->vcpu, HV_VCPU_RUN, NULL), -ECANCELED, "%s: and so is the next", what);
	close(g->vcpu);
	close(g->vm);
	munmap(g->page, 4096);
}

/* @code runs on @cpu while SVME goes: met on the way in, or where a section begins. */
static void while_it_runs(int sys, int cpu, const uint8_t *code, size_t len, const char *what)
{
	int before = causes_in_klog();
	struct guest g;

	guest_new(&g, sys, code, len);
	guest_start(&g, cpu);
	tap_ok(hv_runner_wait(&g.r, g.vm), "%s: it runs", what);
	usleep(50000);
	tap_ok(!svme(cpu, true), "%s: SVME is cleared", what);
	guest_is_dead(&g, what);
	tap_is(causes_in_klog(), before + 1, "%s: the log names the cause, once", what);
	tap_is((long)hw_state(sys), HV_HW_OFF, "%s: off on all CPUs afterwards", what);
}

static void before_it_runs(int sys, int cpu)
{
	struct guest g;

	guest_new(&g, sys, hv_code_spin, sizeof(hv_code_spin));
	svme(cpu, true);
	guest_start(&g, cpu);
	guest_is_dead(&g, "before the first entry");
	tap_ok(!svme(cpu, false), "before the first entry: hv does not take it back");
}

int main(void)
{
	struct guest g;
	int sys = hv_open(), cpu, i;

	cpus_two(cpus);
	if (system("modprobe msr allow_writes=on"))
		tap_bail("cannot load msr");
	for (i = 0; i < 2; i++) {
		cpu = cpus[i];
		while_it_runs(sys, cpu, hv_code_spin, sizeof(hv_code_spin), "a spinning guest");
		while_it_runs(sys, cpu, hv_code_out, sizeof(hv_code_out), "one that exits");
		before_it_runs(sys, cpu);
	}
	guest_new(&g, sys, hv_code_out, sizeof(hv_code_out));
	guest_start(&g, 1);
	tap_ok(hv_runner_exits(&g.r, 0, 2), "a new VM runs");
	tap_ok(hv_runner_stop(&g.r) != -ECANCELED, "until it is stopped");
	hv_ram_free(g.vm, HV_RESET_SLOT, g.page, 4096);
	close(g.vcpu);
	close(g.vm);
	close(sys);
	if (system("modprobe -r msr"))
		tap_note("msr stays loaded");
	return tap_done();
}
