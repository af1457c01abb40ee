// SPDX-License-Identifier: GPL-2.0-or-later
/* bare.c - run a bare guest image on /dev/hv, without the VMM */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "bare.h"
#include "hvio.h"

#define PORT_UART	0x3f8
#define PORT_EXIT	0xf4
#define MB_INFO		0x9000	/* flags, then fields the images do not read, then the command line */
#define MB_CMDLINE	0x9100
#define MB_MAGIC	0x2badb002
#define SEG_CODE32	0xc9b	/* present, code, 32-bit, limit in pages */
#define SEG_DATA32	0xc93
#define RUNNING		(-1)

struct thread {
	pthread_t id;
	struct bare *b;
	int vcpu;
	struct hv_run *run;
};

static volatile int result;
static volatile int ended;

static void put(char c)
{
	static int begun;

	if (c == '\r')
		return;
	if (!begun)
		fputs("# ", stdout);
	putchar(c);
	begun = c != '\n';
}

/* False: the machine is done, @result says how. */
static bool handle(struct bare *b, struct hv_run *run)
{
	uint8_t *data = (uint8_t *)run + HV_RUN_PIO_DATA;
	uint32_t i;

	switch (run->exit_kind) {
	case HV_EXIT_NONE:
		return true;
	case HV_EXIT_PIO:
		if (b->port && run->pio.port != PORT_UART && run->pio.port != PORT_EXIT) {
			b->port(b, run);
			return true;
		}
		for (i = 0; i < run->pio.count; i++, data += run->pio.bytes) {
			if (run->pio.in) {
				memset(data, 0xff, run->pio.bytes);
			} else if (run->pio.port == PORT_UART) {
				put((char)*data);
			} else if (run->pio.port == PORT_EXIT) {
				result = *data;
				return false;
			}
		}
		return true;
	case HV_EXIT_MMIO:
		if (!run->mmio.write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return true;
	case HV_EXIT_CRASH:
		b->crashes++;
		b->crash_ctl = run->crash.ctl;
		memcpy(b->crash_p, run->crash.p, sizeof(b->crash_p));
		return true;
	case HV_EXIT_SHUTDOWN:
		result = -2;
		return false;
	default:
		tap_note("exit %u, info 0x%llx 0x%llx", run->exit_kind,
			 (unsigned long long)run->internal.info[0],
			 (unsigned long long)run->internal.info[1]);
		result = -3;
		return false;
	}
}

static void *run_vcpu(void *arg)
{
	struct thread *t = arg;
	long ret;

	while (!ended) {
		ret = hv_raw(t->vcpu, HV_VCPU_RUN, NULL);
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (ret < 0) {
			tap_note("HV_VCPU_RUN: error %ld", -ret);
			result = -3;
		}
		if (ret < 0 || !handle(t->b, t->run))
			ended = 1;
		if (t->b->stop) {
			result = -4;
			ended = 1;
		}
	}
	return NULL;
}

static void load(const char *path, uint8_t *ram, uint32_t *entry)
{
	FILE *f = fopen(path, "rb");
	Elf32_Ehdr eh;
	Elf32_Phdr ph;
	int i;

	if (!f || fread(&eh, sizeof(eh), 1, f) != 1 || memcmp(eh.e_ident, ELFMAG, SELFMAG))
		tap_bail("%s: not an ELF file (make tests builds it)", path);
	for (i = 0; i < eh.e_phnum; i++) {
		if (fseek(f, (long)(eh.e_phoff + (uint32_t)i * eh.e_phentsize), SEEK_SET) ||
		    fread(&ph, sizeof(ph), 1, f) != 1)
			tap_bail("%s: program header", path);
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_paddr > BARE_RAM || ph.p_memsz > BARE_RAM - ph.p_paddr ||
		    ph.p_filesz > ph.p_memsz || fseek(f, ph.p_offset, SEEK_SET) ||
		    fread(ram + ph.p_paddr, 1, ph.p_filesz, f) != ph.p_filesz)
			tap_bail("%s: segment", path);
	}
	fclose(f);
	*entry = eh.e_entry;
}

static void record(int fd, unsigned long cmd, uint32_t rec, void *buf, uint32_t len)
{
	struct hv_state_args a = {
		.size = sizeof(a), .record = rec, .addr = (uintptr_t)buf, .len = len, .version = 1,
	};
	long ret = hv_raw(fd, cmd, &a);

	if (ret < 0)
		tap_bail("record 0x%x: error %ld", rec, -ret);
}

/* Multiboot entry: 32-bit protected mode, flat segments, no paging. */
static void boot_state(int vcpu, uint32_t entry)
{
	static const struct hv_rec_seg code = { 0, 0xffffffff, 8, SEG_CODE32 };
	static const struct hv_rec_seg data = { 0, 0xffffffff, 16, SEG_DATA32 };
	struct hv_rec_sregs s;
	struct hv_rec_regs r = { .rip = entry, .rflags = 2 };

	record(vcpu, HV_VCPU_GET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	s.seg[HV_SEG_CS] = code;
	s.seg[HV_SEG_DS] = s.seg[HV_SEG_ES] = s.seg[HV_SEG_SS] = data;
	s.seg[HV_SEG_FS] = s.seg[HV_SEG_GS] = data;
	s.cr0 = 0x11;
	record(vcpu, HV_VCPU_SET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	r.gpr[0] = MB_MAGIC;
	r.gpr[3] = MB_INFO;
	record(vcpu, HV_VCPU_SET_STATE, HV_REC_VCPU_REGS, &r, sizeof(r));
}

static void on_signal(int sig)
{
	(void)sig;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wait_end(struct thread *t, struct bare *b)
{
	uint64_t end = now_ms() + b->seconds * 1000ull + b->ms;
	struct timespec step = { 0, 1000000 };
	uint32_t i;

	while (!ended && now_ms() < end)
		nanosleep(&step, NULL);
	ended = 1;
	for (i = 0; i < b->cpus; i++) {
		t[i].run->immediate_exit = 1;
		pthread_kill(t[i].id, SIGUSR1);
		pthread_join(t[i].id, NULL);
		munmap(t[i].run, HV_RUN_BYTES);
	}
}

static void slots_set(struct bare *b, void *ro_page)
{
	struct hv_slot_args ram = { .slot = 0, .vnode = HV_NO_VNODE, .bytes = BARE_RAM, .fd = -1,
				    .host_addr = (uintptr_t)b->ram };
	struct hv_slot_args ro = { .flags = HV_SLOT_F_READONLY, .slot = 1, .vnode = HV_NO_VNODE,
				   .gpa = BARE_RO_GPA, .bytes = 4096, .fd = -1,
				   .host_addr = (uintptr_t)ro_page };

	memset(ro_page, 0xa5, 4096);
	hv_do(b->vm, HV_VM_SET_SLOT, &ram);
	hv_do(b->vm, HV_VM_SET_SLOT, &ro);
}

/* The image and its multiboot information. Returns the entry point. */
static uint32_t ram_fill(struct bare *b)
{
	uint8_t *ram = b->ram;
	uint32_t entry;

	load(b->image, ram, &entry);
	*(uint32_t *)(ram + MB_INFO) = 1u << 2;
	*(uint32_t *)(ram + MB_INFO + 16) = MB_CMDLINE;
	snprintf((char *)ram + MB_CMDLINE, 256, "smp=%u ro=0x%llx %s", b->cpus, BARE_RO_GPA,
		 b->append ? b->append : "");
	return entry;
}

static void *pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("guest memory");
	return p;
}

/* Where the vCPUs of a guest stand that ended by a triple fault. */
static void tell(const struct bare *b)
{
	struct hv_rec_sregs s;
	struct hv_rec_regs r;
	uint32_t i;

	for (i = 0; i < b->cpus; i++) {
		record(b->vcpu[i], HV_VCPU_GET_STATE, HV_REC_VCPU_REGS, &r, sizeof(r));
		record(b->vcpu[i], HV_VCPU_GET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
		tap_note("shutdown: vCPU %u rip 0x%llx rsp 0x%llx flags 0x%llx", i,
			 (unsigned long long)r.rip, (unsigned long long)r.gpr[4],
			 (unsigned long long)r.rflags);
		tap_note("  cr0 0x%llx cr2 0x%llx cr3 0x%llx cr4 0x%llx efer 0x%llx",
			 (unsigned long long)s.cr0, (unsigned long long)s.cr2,
			 (unsigned long long)s.cr3, (unsigned long long)s.cr4,
			 (unsigned long long)s.efer);
		tap_note("  cs 0x%x ss 0x%x gdt 0x%llx idt 0x%llx", s.seg[HV_SEG_CS].selector,
			 s.seg[HV_SEG_SS].selector, (unsigned long long)s.gdt.base,
			 (unsigned long long)s.idt.base);
	}
}

/* From the start of the image, or as it was loaded, until all vCPUs have left it. */
static void machine_run(struct bare *b)
{
	struct thread t[16];
	uint32_t i;

	ended = 0;
	result = RUNNING;
	b->stop = false;
	for (i = 0; i < b->cpus; i++) {
		t[i].b = b;
		t[i].vcpu = b->vcpu[i];
		t[i].run = hv_run_map(t[i].vcpu);
		t[i].run->immediate_exit = 0;	/* it may have been stopped before */
		if (pthread_create(&t[i].id, NULL, run_vcpu, &t[i]))
			tap_bail("no thread");
	}
	wait_end(t, b);
	if (result == -2 || (result == RUNNING && b->seconds))
		tell(b);
}

int bare_run(struct bare *b)
{
	struct sigaction sa = { .sa_handler = on_signal };
	bool own_ram = !b->ram;
	uint32_t i;
	void *ro_page = pages(4096);
	int sys = hv_open();

	sigaction(SIGUSR1, &sa, NULL);
	if (own_ram)
		b->ram = pages(BARE_RAM);
	b->vm = hv_vm_new_model(sys, b->vm_flags, b->cpus, b->cpu_model);
	slots_set(b, ro_page);
	for (i = 0; i < b->cpus; i++)
		b->vcpu[i] = hv_vcpu_new(b->vm, i);
	if (!b->loaded)
		boot_state(b->vcpu[0], ram_fill(b));
	if (b->prepare)
		b->prepare(b);
	machine_run(b);
	while (b->again && b->again(b)) {
		boot_state(b->vcpu[0], ram_fill(b));
		machine_run(b);
	}
	if (b->leave)
		b->leave(b);
	for (i = 0; i < b->cpus; i++)
		close(b->vcpu[i]);
	close(b->vm);
	if (own_ram) {
		munmap(b->ram, BARE_RAM);
		b->ram = NULL;
	}
	munmap(ro_page, 4096);
	close(sys);
	fflush(stdout);
	return result;
}
