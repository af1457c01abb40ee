// SPDX-License-Identifier: GPL-2.0-or-later
/* flat.c - see flat.h */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "flat.h"

#define SNIPPET	64	/* bytes apart */

static const uint8_t snippets[FLAT_NR][SNIPPET] = {
	/* mov (%esi), %eax; out %al, $0x81 */
	[FLAT_READ] = { 0x8b, 0x06, 0xe6, 0x81 },
	/* mov %eax, (%edi); out */
	[FLAT_WRITE] = { 0x89, 0x07, 0xe6, 0x81 },
	/* 1: mov (%edi), %eax; add %ebx, %edi; dec %ecx; jnz 1b; out */
	[FLAT_READ_SWEEP] = { 0x8b, 0x07, 0x01, 0xdf, 0x49, 0x75, 0xf9, 0xe6, 0x81 },
	[FLAT_WRITE_SWEEP] = { 0x89, 0x07, 0x01, 0xdf, 0x49, 0x75, 0xf9, 0xe6, 0x81 },
	/* 1: mov %esi, %edi; mov %edx, %ecx; 2: incl (%edi); add %ebx, %edi; dec %ecx; jnz 2b;
	   inc %ebp; jmp 1b */
	[FLAT_COUNT] = { 0x89, 0xf7, 0x89, 0xd1, 0xff, 0x07, 0x01, 0xdf, 0x49, 0x75, 0xf9, 0x45,
			 0xeb, 0xf2 },
	/* the same with mov (%edi), %eax */
	[FLAT_WATCH] = { 0x89, 0xf7, 0x89, 0xd1, 0x8b, 0x07, 0x01, 0xdf, 0x49, 0x75, 0xf9, 0x45,
			 0xeb, 0xf2 },
	/* rep insb; out */
	[FLAT_INSB] = { 0xf3, 0x6c, 0xe6, 0x81 },
	[FLAT_INSL] = { 0xf3, 0x6d, 0xe6, 0x81 },
	[FLAT_OUTSB] = { 0xf3, 0x6e, 0xe6, 0x81 },
	[FLAT_MOVSL] = { 0xf3, 0xa5, 0xe6, 0x81 },
	/* 1: mov $24, %ecx; mov %esi, %edi; rep insb; dec %ebp; jnz 1b; out */
	[FLAT_INSB_LOOP] = { 0xb9, 24, 0, 0, 0, 0x89, 0xf7, 0xf3, 0x6c, 0x4d, 0x75, 0xf4,
			     0xe6, 0x81 },
	/* 1: mov %ebx, %esi; mov %edx, %edi; mov $3, %ecx; rep movsl; dec %ebp; jnz 1b; out */
	[FLAT_MOVSL_LOOP] = { 0x89, 0xde, 0x89, 0xd7, 0xb9, 3, 0, 0, 0, 0xf3, 0xa5, 0x4d,
			      0x75, 0xf2, 0xe6, 0x81 },
	/* vmmcall; out */
	[FLAT_VMMCALL] = { 0x0f, 0x01, 0xd9, 0xe6, 0x81 },
};

static void get(int vcpu, uint32_t rec, void *p, uint32_t len)
{
	struct hv_state_args a = { .record = rec, .addr = (uintptr_t)p, .len = len };

	hv_do(vcpu, HV_VCPU_GET_STATE, &a);
}

static void set(int vcpu, uint32_t rec, void *p, uint32_t len)
{
	struct hv_state_args probe = { .record = rec };
	struct hv_state_args a = { .record = rec, .addr = (uintptr_t)p, .len = len };

	/* The version to write is the one it reads. */
	hv_do(vcpu, HV_VCPU_GET_STATE, &probe);
	a.version = probe.version;
	hv_do(vcpu, HV_VCPU_SET_STATE, &a);
}

static void enter_flat_mode(int vcpu)
{
	struct hv_rec_seg code = { .limit = ~0u, .selector = 8, .attr = 0xc9b };
	struct hv_rec_seg data = { .limit = ~0u, .selector = 16, .attr = 0xc93 };
	struct hv_rec_events ev;
	struct hv_rec_sregs s;
	int i;

	get(vcpu, HV_REC_VCPU_SREGS, &s, sizeof(s));
	for (i = HV_SEG_ES; i <= HV_SEG_GS; i++)
		s.seg[i] = i == HV_SEG_CS ? code : data;
	s.cr0 = 0x11;	/* PE, ET */
	set(vcpu, HV_REC_VCPU_SREGS, &s, sizeof(s));
	get(vcpu, HV_REC_VCPU_EVENTS, &ev, sizeof(ev));
	ev.mp_state = HV_MP_RUNNABLE;
	set(vcpu, HV_REC_VCPU_EVENTS, &ev, sizeof(ev));
}

void flat_add(struct flat *more, const struct flat *f, uint32_t index)
{
	*more = *f;
	more->index = index;
	more->vcpu = hv_vcpu_new(f->vm, index);
	more->run = hv_run_map(more->vcpu);
	enter_flat_mode(more->vcpu);
}

void flat_new(struct flat *f, uint32_t vm_flags, uint32_t max_vcpus)
{
	int i;

	memset(f, 0, sizeof(*f));
	f->sys = hv_open();
	f->vm = hv_vm_new(f->sys, vm_flags, max_vcpus);
	f->code = hv_ram_new(f->vm, FLAT_CODE_SLOT, FLAT_CODE, 4096);
	for (i = 0; i < FLAT_NR; i++)
		memcpy(f->code + i * SNIPPET, snippets[i], SNIPPET);
	flat_add(f, f, 0);
}

void flat_close(struct flat *f)
{
	munmap(f->run, HV_RUN_BYTES);
	close(f->vcpu);
	if (f->index)
		return;
	close(f->vm);
	close(f->sys);
	munmap(f->code, 4096);
}

void flat_set(struct flat *f, enum flat_code code, const struct flat_regs *r)
{
	struct hv_rec_regs g = { .rip = FLAT_CODE + code * SNIPPET, .rflags = 2 };

	g.gpr[0] = r->eax;
	g.gpr[1] = r->ecx;
	g.gpr[2] = r->edx;
	g.gpr[3] = r->ebx;
	g.gpr[5] = r->ebp;
	g.gpr[6] = r->esi;
	g.gpr[7] = r->edi;
	set(f->vcpu, HV_REC_VCPU_REGS, &g, sizeof(g));
}

void flat_get(struct flat *f, struct flat_regs *r)
{
	struct hv_rec_regs g;

	get(f->vcpu, HV_REC_VCPU_REGS, &g, sizeof(g));
	r->eax = (uint32_t)g.gpr[0];
	r->ecx = (uint32_t)g.gpr[1];
	r->edx = (uint32_t)g.gpr[2];
	r->ebx = (uint32_t)g.gpr[3];
	r->ebp = (uint32_t)g.gpr[5];
	r->esi = (uint32_t)g.gpr[6];
	r->edi = (uint32_t)g.gpr[7];
}

long flat_run(struct flat *f, enum flat_code code, struct flat_regs *r)
{
	long ret;

	flat_set(f, code, r);
	do {
		ret = hv_raw(f->vcpu, HV_VCPU_RUN, NULL);
	} while (ret == -EINTR);
	if (ret)
		return ret;
	if (f->run->exit_kind == HV_EXIT_PIO && f->run->pio.port == 0x81) {
		flat_get(f, r);
		return 0;
	}
	return f->run->exit_kind;
}

long flat_write(struct flat *f, uint32_t gpa, uint32_t val)
{
	struct flat_regs r = { .edi = gpa, .eax = val };

	return flat_run(f, FLAT_WRITE, &r);
}

uint32_t flat_read(struct flat *f, uint32_t gpa, long *err)
{
	struct flat_regs r = { .esi = gpa };
	long ret = flat_run(f, FLAT_READ, &r);

	if (err)
		*err = ret;
	return ret ? ~0u : r.eax;
}

static void *thread(void *arg)
{
	struct flat *f = arg;

	do {
		f->last = hv_raw(f->vcpu, HV_VCPU_RUN, NULL);
	} while (!f->stop && f->last == -EINTR);
	f->exit_kind = f->last ? HV_EXIT_NONE : f->run->exit_kind;
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

void flat_start(struct flat *f, enum flat_code code, const struct flat_regs *r)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	if (r)
		flat_set(f, code, r);
	f->stop = 0;
	f->run->immediate_exit = 0;
	if (pthread_create(&t, NULL, thread, f))
		tap_bail("cannot start a thread");
	f->thread = t;
}

void flat_stop(struct flat *f, struct flat_regs *r)
{
	pthread_t t = f->thread;

	f->stop = 1;
	f->run->immediate_exit = 1;
	pthread_kill(t, SIGUSR1);
	pthread_join(t, NULL);
	f->run->immediate_exit = 0;
	if (r)
		flat_get(f, r);
}

void flat_save(const struct flat *f, struct flat_state *s)
{
	get(f->vcpu, HV_REC_VCPU_REGS, &s->regs, sizeof(s->regs));
	get(f->vcpu, HV_REC_VCPU_SREGS, &s->sregs, sizeof(s->sregs));
}

void flat_load(struct flat *f, struct flat_state *s)
{
	set(f->vcpu, HV_REC_VCPU_SREGS, &s->sregs, sizeof(s->sregs));
	set(f->vcpu, HV_REC_VCPU_REGS, &s->regs, sizeof(s->regs));
}

long flat_slot(const struct flat *f, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t bytes,
	       void *host)
{
	struct hv_slot_args a = {
		.flags = flags, .slot = slot, .vnode = HV_NO_VNODE, .gpa = gpa, .bytes = bytes,
		.host_addr = (uintptr_t)host, .fd = -1,
	};

	return hv_try(f->vm, HV_VM_SET_SLOT, &a);
}

uint64_t flat_stat(const struct flat *f, const char *name)
{
	return hv_counter(f->vm, HV_VM_GET_STATS, name);
}

uint64_t flat_vcpu_stat(const struct flat *f, const char *name)
{
	return hv_counter(f->vcpu, HV_VCPU_GET_STATS, name);
}
