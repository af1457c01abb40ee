// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's CPUs go and come, and vCPU threads are moved between them, while guests run: one
 * that counts and watches its TSC, one that halts and counts NMIs.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/cpus.h"
#include "selftests/lib/hvio.h"

#define ONLINE		"/sys/devices/system/cpu/cpu1/online"
#define ROUNDS		12
#define MOVE_SECONDS	5
#define CELL_COUNT	(HV_COUNT_CELLS / 4)	/* rounds of the loop, or NMIs */
#define CELL_BACK	(HV_COUNT_CELLS / 4 + 1)	/* how often the TSC went back */
#define RAM_BYTES	0x10000u
#define NMI_CODE	0x500

static int both[2];	/* CPUs that this test may use; CPU 1 is one of them */

static const uint8_t nmi_code[] = {
	0x66, 0xff, 0x06, 0x00, 0x10,	/* inc dword [0x1000] */
	0xcf,				/* iret */
};

struct guest {
	int vm, vcpu;
	uint8_t *page;
	volatile uint32_t *ram;
	struct hv_runner r;
};

static void guest_start(struct guest *g, int sys, const void *code, size_t len)
{
	g->vm = hv_vm_new(sys, 0, 1);
	g->vcpu = hv_vcpu_new(g->vm, 0);
	g->page = hv_reset_code(g->vm, code, len);
	g->ram = hv_ram_new(g->vm, HV_RESET_SLOT + 1, 0, RAM_BYTES);
	memcpy((uint8_t *)g->ram + NMI_CODE, nmi_code, sizeof(nmi_code));
	g->ram[2] = NMI_CODE;		/* vector 2 of the real-mode table: 0:NMI_CODE */
	hv_runner_start(&g->r, g->vcpu);
	tap_ok(hv_runner_wait(&g->r, g->vm), "a guest runs");
}

static void guest_end(struct guest *g, const char *what)
{
	tap_is(hv_runner_stop(&g->r), -EINTR, "%s ran to its end", what);
	hv_ram_free(g->vm, HV_RESET_SLOT, g->page, 4096);
	hv_ram_free(g->vm, HV_RESET_SLOT + 1, (void *)g->ram, RAM_BYTES);
	close(g->vcpu);
	close(g->vm);
}

/* The count moves; half a minute means that it does not. */
static bool counts(struct guest *g)
{
	uint32_t was = g->ram[CELL_COUNT];
	int i;

	for (i = 0; i < 30000 && g->ram[CELL_COUNT] == was; i++)
		usleep(1000);
	return g->ram[CELL_COUNT] != was;
}

static bool answers_nmi(struct guest *g)
{
	struct hv_inject_args nmi = { .kind = HV_INJECT_NMI };
	uint32_t was = g->ram[CELL_COUNT];
	int i;

	hv_do(g->vcpu, HV_VCPU_INJECT, &nmi);
	for (i = 0; i < 30000 && g->ram[CELL_COUNT] == was; i++)
		usleep(1000);
	return g->ram[CELL_COUNT] == was + 1;
}

static int cpu1_set(bool online)
{
	int fd = open(ONLINE, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		tap_bail("%s: %s", ONLINE, strerror(errno));
	ret = write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/*
 * A thread that may run on CPU 1 alone is free to go anywhere once that is away, also to the CPU that
 * the lab keeps for itself. So it gets both CPUs of this test before CPU 1 goes.
 */
static bool may_leave(const struct guest *g)
{
	return !cpu_pin_two(g->r.tid, both);
}

static void cpu_comes_and_goes(int sys)
{
	struct guest spin, halt;
	int i, off = 0, on = 0, went_on = 0, woke = 0, moved = 0;

	guest_start(&spin, sys, hv_code_count, sizeof(hv_code_count));
	guest_start(&halt, sys, hv_code_halt, sizeof(hv_code_halt));
	tap_ok(counts(&spin) && answers_nmi(&halt), "both answer at first");
	for (i = 0; i < ROUNDS && went_on == 2 * i && woke == 2 * i; i++) {
		/* Both on the CPU that goes: it has to be left, and used again when it is back. */
		moved += !cpu_pin(spin.r.tid, 1) && !cpu_pin(halt.r.tid, 1);
		went_on += counts(&spin);
		woke += answers_nmi(&halt);
		moved -= !may_leave(&spin) || !may_leave(&halt);
		off += !cpu1_set(false);
		went_on += counts(&spin);
		woke += answers_nmi(&halt);
		on += !cpu1_set(true);
	}
	tap_is(off, ROUNDS, "CPU 1 went offline each time");
	tap_is(on, ROUNDS, "CPU 1 came back each time");
	tap_is(moved, ROUNDS, "the vCPU threads went back to it each time");
	tap_is(went_on, 2 * ROUNDS, "the counting guest went on each time");
	tap_is(woke, 2 * ROUNDS, "the halted guest woke each time");
	tap_is(spin.ram[CELL_BACK], 0, "its TSC never went back");
	guest_end(&spin, "the counting guest");
	guest_end(&halt, "the halting guest");
}

/* Virtualization is switched on while a CPU is away: that CPU must have it when it comes. */
static void first_vm_without_it(int sys)
{
	struct hv_cap_args a = { .cap = HV_CAP_HW_STATE };
	struct guest g;

	tap_is(cpu1_set(false), 0, "CPU 1 goes offline");
	guest_start(&g, sys, hv_code_count, sizeof(hv_code_count));
	tap_is(cpu1_set(true), 0, "CPU 1 comes while a VM is there");
	tap_is(cpu_pin(g.r.tid, 1), 0, "the vCPU thread goes there");
	tap_ok(counts(&g), "the guest goes on");
	tap_ok(may_leave(&g), "and may leave");
	guest_end(&g, "it");
	/* And the last VM ends while it is away: it must not come back with virtualization on. */
	guest_start(&g, sys, hv_code_count, sizeof(hv_code_count));
	tap_is(cpu1_set(false), 0, "CPU 1 goes offline");
	guest_end(&g, "the last guest");
	tap_is(cpu1_set(true), 0, "CPU 1 comes without VMs");
	hv_do(sys, HV_SYS_GET_CAP, &a);
	tap_is((long)a.value, HV_HW_OFF, "virtualization is off everywhere");
}

static volatile int busy_stop;

static void *busy(void *cpu)
{
	cpu_pin(0, (int)(intptr_t)cpu);
	while (!busy_stop)
		;
	return NULL;
}

static void thread_moves(int sys)
{
	struct guest g;
	pthread_t t[2];
	time_t start;
	uint32_t before;
	int i, ok = 0;

	guest_start(&g, sys, hv_code_count, sizeof(hv_code_count));
	/* Something else wants each CPU, so the guest is preempted there too. */
	for (i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, busy, (void *)(intptr_t)both[i]))
			tap_bail("cannot start a thread");
	before = g.ram[CELL_COUNT];
	start = time(NULL);
	for (i = 0; time(NULL) < start + MOVE_SECONDS ||
	     ((i <= 100 || g.ram[CELL_COUNT] - before <= 100) &&
	      time(NULL) < start + LATE_MS / 1000); i++)
		ok += !cpu_pin(g.r.tid, both[i & 1]);
	tap_ok(i > 100 && ok == i, "moved %d times, %d done", i, ok);
	tap_ok(g.ram[CELL_COUNT] - before > 100, "the guest counted %u meanwhile",
	       g.ram[CELL_COUNT] - before);
	tap_ok(counts(&g), "it counts afterwards");
	tap_is(g.ram[CELL_BACK], 0, "its TSC never went back");
	busy_stop = 1;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	guest_end(&g, "it");
}

int main(void)
{
	int sys = hv_open();

	cpus_two(both);
	if (both[0] != 1 && both[1] != 1)
		tap_bail("CPU 1 is not among those of this test");
	thread_moves(sys);
	cpu_comes_and_goes(sys);
	first_vm_without_it(sys);
	close(sys);
	return tap_done();
}
