// SPDX-License-Identifier: GPL-2.0-or-later
/* hvio.c - see hvio.h */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hvio.h"

const uint8_t hv_code_spin[2] = { 0xeb, 0xfe };
const uint8_t hv_code_halt[3] = { 0xf4, 0xeb, 0xfd };
const uint8_t hv_code_out[4] = { 0xe6, 0x42, 0xeb, 0xfc };
const uint8_t hv_code_count[43] = {
	0x0f, 0x31,			/* rdtsc */
	0x66, 0x89, 0xc3,		/* mov ebx, eax */
	0x66, 0x89, 0xd1,		/* mov ecx, edx */
	0x66, 0x2b, 0x1e, 0x08, 0x10,	/* sub ebx, [0x1008] */
	0x66, 0x1b, 0x0e, 0x0c, 0x10,	/* sbb ecx, [0x100c] */
	0x78, 0x10,			/* js back */
	0x66, 0xa3, 0x08, 0x10,		/* keep: mov [0x1008], eax */
	0x66, 0x89, 0x16, 0x0c, 0x10,	/* mov [0x100c], edx */
	0x66, 0xff, 0x06, 0x00, 0x10,	/* inc dword [0x1000] */
	0xeb, 0xdc,			/* jmp to the start */
	0x66, 0xff, 0x06, 0x04, 0x10,	/* back: inc dword [0x1004] */
	0xeb, 0xe9,			/* jmp keep */
};

int hv_open(void)
{
	int fd = open("/dev/hv", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		tap_bail("/dev/hv: %s", strerror(errno));
	return fd;
}

int hv_vm_new_model(int sys, uint32_t flags, uint32_t max_vcpus, uint32_t cpu_model)
{
	struct hv_vm_args args = { .flags = flags, .max_vcpus = max_vcpus, .cpu_model = cpu_model,
				   .name = "test" };

	return (int)hv_do(sys, HV_SYS_CREATE_VM, &args);
}

int hv_vm_new(int sys, uint32_t flags, uint32_t max_vcpus)
{
	return hv_vm_new_model(sys, flags, max_vcpus, HV_CPU_HOST);
}

int hv_vcpu_new(int vm, uint32_t index)
{
	struct hv_vcpu_args args = { .index = index, .vnode = HV_NO_VNODE };

	return (int)hv_do(vm, HV_VM_CREATE_VCPU, &args);
}

struct hv_run *hv_run_map(int vcpu)
{
	void *p = mmap(NULL, HV_RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	if (p == MAP_FAILED)
		tap_bail("run page: %s", strerror(errno));
	return p;
}

void *hv_ram_new(int vm, uint32_t slot, uint64_t gpa, uint64_t bytes)
{
	struct hv_slot_args args = {
		.slot = slot, .vnode = HV_NO_VNODE, .gpa = gpa, .bytes = bytes, .fd = -1,
	};
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("guest memory: %s", strerror(errno));
	args.host_addr = (uintptr_t)p;
	hv_do(vm, HV_VM_SET_SLOT, &args);
	return p;
}

void hv_ram_free(int vm, uint32_t slot, void *host, uint64_t bytes)
{
	struct hv_slot_args args = { .slot = slot, .vnode = HV_NO_VNODE, .fd = -1 };

	hv_do(vm, HV_VM_SET_SLOT, &args);
	munmap(host, bytes);
}

void *hv_reset_code(int vm, const void *code, size_t len)
{
	uint8_t *page = hv_ram_new(vm, HV_RESET_SLOT, HV_RESET_PAGE, 4096);

	if (len <= 16) {
		memcpy(page + 0xff0, code, len);
		return page;
	}
	if (len > 0xff0)
		tap_bail("guest code of %zu bytes does not fit the page", len);
	memcpy(page, code, len);
	/* jmp near from 0xfff0 to 0xf000: back by 0xff3 from the next instruction */
	memcpy(page + 0xff0, "\xe9\x0d\xf0", 3);
	return page;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *runner(void *arg)
{
	struct hv_runner *r = arg;

	r->tid = (int)syscall(SYS_gettid);
	while (!r->stop) {
		r->last = hv_raw(r->vcpu, HV_VCPU_RUN, NULL);
		r->exits++;
		if (r->last == -EINTR)
			continue;
		if (r->last || (r->run->exit_kind != HV_EXIT_PIO && r->run->exit_kind != HV_EXIT_MMIO))
			break;
	}
	return NULL;
}

void hv_runner_start(struct hv_runner *r, int vcpu)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	memset(r, 0, sizeof(*r));
	r->vcpu = vcpu;
	r->run = hv_run_map(vcpu);
	r->run->immediate_exit = 0;	/* a runner before may have left it set */
	if (pthread_create(&t, NULL, runner, r))
		tap_bail("cannot start a thread");
	r->thread = t;
}

int hv_runner_wait(struct hv_runner *r, int vm)
{
	struct hv_run_state_args args = { .state = HV_RUN_STATE_RUNNING };
	int i, busy = 0;

	(void)r;
	/* Several times in a row: on a loaded machine the first look may hit its way in. */
	for (i = 0; i < LATE_MS && busy < 5; i++) {
		busy = hv_try(vm, HV_VM_SET_RUN_STATE, &args) == -EBUSY ? busy + 1 : 0;
		usleep(1000);
	}
	return busy == 5;
}

int hv_runner_exits(struct hv_runner *r, unsigned long from, unsigned long n)
{
	const volatile unsigned long *exits = &r->exits;
	int i;

	for (i = 0; i < LATE_MS && *exits - from < n; i++)
		usleep(1000);
	return *exits - from >= n;
}

long hv_runner_stop(struct hv_runner *r)
{
	r->stop = 1;
	r->run->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	return hv_runner_join(r);
}

long hv_runner_join(struct hv_runner *r)
{
	pthread_join(r->thread, NULL);
	munmap(r->run, HV_RUN_BYTES);
	return r->last;
}

uint64_t hv_counter(int fd, unsigned long cmd, const char *name)
{
	static uint8_t buf[16384] __attribute__((aligned(8)));
	struct hv_stats_args a = { .size = sizeof(a), .addr = (uintptr_t)buf, .len = sizeof(buf) };
	const struct hv_stats_header *h = (void *)buf;
	uint32_t i;

	if (hv_raw(fd, cmd, &a) < 0)
		tap_bail("no counters");
	for (i = 0; i < h->nr; i++) {
		const struct hv_stats_desc *d = (void *)(buf + h->desc_off + i * h->desc_bytes);

		if (!strncmp(d->name, name, sizeof(d->name)))
			return ((uint64_t *)(buf + h->data_off))[i];
	}
	tap_bail("no counter %s", name);
}
