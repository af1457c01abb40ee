// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU waits for a page that userfaultfd has not given: in a second-level fault, and in each
 * kind of access the module makes for the guest. Signals get it out, the VM can be paused and
 * its whole state saved; with the page it goes on, here or where the state was loaded; and
 * when its process is killed nothing stays behind.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/flat.h"
#include "selftests/lib/records.h"
#include "selftests/lib/uffd.h"

#define BASE	0x10000000u
#define PAGE	(BASE + 4096)	/* the page that goes away */
#define PAGES	4u
#define HOLE	0x20000000u
#define ANSWER	0x1234u
#define POST_MESSAGE 0x5cu

static uint8_t *ram;
static int uffd;
static struct records *state;
static uint8_t content[4096] __attribute__((aligned(4096)));	/* what the page held */

/* One read of a device, answered; then the page goes, and the next run needs it. */
static void to_device(struct flat *f, enum flat_code code, const struct flat_regs *r)
{
	flat_set(f, code, r);
	if (hv_raw(f->vcpu, HV_VCPU_RUN, NULL) || f->run->exit_kind != HV_EXIT_MMIO)
		tap_bail("no access to the device (exit %u)", f->run->exit_kind);
	memset(f->run->mmio.data, 0, 8);
	memcpy(f->run->mmio.data, &(uint32_t){ ANSWER }, 4);
}

static void at_fault(struct flat *f)
{
	flat_set(f, FLAT_READ, &(struct flat_regs){ .esi = PAGE });
}

static void at_operand(struct flat *f)
{
	to_device(f, FLAT_MOVSL, &(struct flat_regs){ .esi = HOLE, .edi = PAGE, .ecx = 1 });
}

/* 32-bit paging by large pages; the directory is the page. */
static void at_walk(struct flat *f)
{
	struct flat_state s;
	uint32_t i;

	for (i = 0; i < 1024; i++)
		((uint32_t *)(ram + 4096))[i] = i << 22 | 0x83;
	flat_save(f, &s);
	s.sregs.cr3 = PAGE;
	s.sregs.cr4 |= 0x10;
	s.sregs.cr0 |= 0x80000001u;
	flat_load(f, &s);
	to_device(f, FLAT_READ, &(struct flat_regs){ .esi = HOLE });
}

static void at_hypercall(struct flat *f)
{
	struct hv_rec_tlfs_vm t;
	struct hv_state_args a = { .record = HV_REC_VM_TLFS, .addr = (uintptr_t)&t, .len = sizeof(t) };

	hv_do(f->vm, HV_VM_GET_STATE, &a);
	t.guest_os_id = 1;
	hv_do(f->vm, HV_VM_SET_STATE, &a);
	flat_set(f, FLAT_VMMCALL, &(struct flat_regs){ .eax = POST_MESSAGE, .ecx = PAGE });
}

static const struct place {
	const char *name;
	void (*go)(struct flat *f);
} places[] = {
	{ "second-level fault", at_fault }, { "operand", at_operand }, { "page walk", at_walk },
	{ "hypercall input", at_hypercall },
};

static void vm_new(struct flat *f)
{
	flat_new(f, 0, 1);
	if (flat_slot(f, 1, 0, BASE, PAGES * 4096, ram))
		tap_bail("slot");
}

static void page_take(void)
{
	memcpy(content, ram + 4096, 4096);
	madvise(ram + 4096, 4096, MADV_DONTNEED);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Runs into the wait, and out of it by a signal; pauses and saves. */
static void wait_and_save(struct flat *f, const struct place *p, const char *where)
{
	double start;

	flat_start(f, FLAT_READ, NULL);
	tap_ok(uffd_asked(uffd, LATE_MS) == ram + 4096, "%s: the vCPU %s asks for the page", p->name,
	       where);
	start = now();
	flat_stop(f, NULL);
	tap_ok(f->last == -EINTR, "%s: a signal gets it out (%ld)", p->name, f->last);
	tap_is(records_run_state(f->vm, HV_RUN_STATE_PAUSED), 0, "%s: the VM is paused", p->name);
	records_save(state, f->vm, &f->vcpu, 1);
	tap_ok(now() - start < LATE_MS / 1000, "%s: paused and saved, %u records, %.0f ms", p->name, state->nr,
	       (now() - start) * 1000);
	tap_is(records_run_state(f->vm, HV_RUN_STATE_RUNNING), 0, "%s: it goes on", p->name);
}

static long to_end(struct flat *f)
{
	long ret;

	do {
		ret = hv_raw(f->vcpu, HV_VCPU_RUN, NULL);
	} while (ret == -EINTR);
	return ret ? ret : f->run->exit_kind == HV_EXIT_PIO && f->run->pio.port == 0x81 ? 0 :
	       f->run->exit_kind;
}

static void check_result(const struct place *p, struct flat *f)
{
	struct flat_regs r;

	flat_get(f, &r);
	if (p->go == at_fault)
		tap_is(r.eax, 0x77777777, "%s: it read what the page holds", p->name);
	else if (p->go == at_walk)
		tap_is(r.eax, ANSWER, "%s: it has the device's answer", p->name);
	else if (p->go == at_operand)
		tap_is(*(uint32_t *)(ram + 4096), ANSWER, "%s: it is in the page", p->name);
	else
		tap_ok(r.eax && r.eax < 0x100, "%s: status %u", p->name, r.eax);
}

static void check(const struct place *p, bool move)
{
	const char *how = move ? "where it was loaded" : "in the same VM";
	struct flat f, to;

	memset(ram, 0x77, PAGES * 4096);
	vm_new(&f);
	p->go(&f);
	page_take();
	wait_and_save(&f, p, "here");
	if (move) {
		vm_new(&to);
		records_run_state(to.vm, HV_RUN_STATE_PAUSED);
		records_load(state, to.vm, &to.vcpu);
		records_run_state(to.vm, HV_RUN_STATE_RUNNING);
		flat_close(&f);
		f = to;
		wait_and_save(&f, p, "there");
	}
	uffd_give(uffd, ram + 4096, content);
	tap_is(to_end(&f), 0, "%s: with the page it ends, %s", p->name, how);
	check_result(p, &f);
	flat_close(&f);
}

static long module_refs(void)
{
	char text[32] = "";
	int fd = open("/sys/module/hv/refcnt", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		tap_bail("module's reference count");
	close(fd);
	return atol(text);
}

static void victim(const struct place *p, int told)
{
	struct flat f;

	memset(ram, 0x77, PAGES * 4096);
	uffd = uffd_open(ram, PAGES * 4096);
	vm_new(&f);
	p->go(&f);
	page_take();
	flat_start(&f, FLAT_READ, NULL);
	if (!uffd_asked(uffd, LATE_MS) || write(told, "x", 1) != 1)
		_exit(1);
	pause();
	_exit(1);
}

static void check_kill(const struct place *p)
{
	long refs = module_refs();
	int told[2], status = 0, i;
	pid_t pid;
	char c;

	if (pipe(told))
		tap_bail("pipe");
	fflush(NULL);
	pid = fork();
	if (!pid)
		victim(p, told[1]);
	close(told[1]);
	tap_is(read(told[0], &c, 1), 1, "%s, kill: a vCPU waits for the page", p->name);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s, kill: the process died",
	       p->name);
	for (i = 0; i < 3000 && module_refs() > refs; i++)
		usleep(20000);
	tap_is(module_refs(), refs, "%s, kill: and its VM is gone", p->name);
	close(told[0]);
}

/* ---- a look at the guest's page tables from outside ---- */

static struct hv_translate_args translate;

static void *translator(void *vcpu)
{
	translate = (struct hv_translate_args){ .gva = HOLE };
	return (void *)hv_try(*(int *)vcpu, HV_VCPU_TRANSLATE, &translate);
}

static void translate_start(struct flat *f, pthread_t *t)
{
	if (pthread_create(t, NULL, translator, &f->vcpu))
		tap_bail("cannot start a thread");
	tap_ok(uffd_asked(uffd, LATE_MS) == ram + 4096, "translate: the tables are asked for");
}

static void translate_end(pthread_t t, long ret, const char *what)
{
	void *got;

	pthread_join(t, &got);
	tap_is((long)got, ret, "translate: %s", what);
}

/* It holds the vCPU while it waits for the page, and must not hold up who stops the VM. */
static void check_translate(void)
{
	struct hv_reset_args reset = { 0 };
	struct flat_state s;
	struct flat f;
	pthread_t t;
	void *got;

	memset(ram, 0, PAGES * 4096);
	vm_new(&f);
	at_walk(&f);
	flat_save(&f, &s);
	page_take();
	translate_start(&f, &t);
	tap_is(records_run_state(f.vm, HV_RUN_STATE_PAUSED), 0, "translate: the VM is paused");
	translate_end(t, -EINTR, "it left for that");
	tap_is(records_run_state(f.vm, HV_RUN_STATE_RUNNING), 0, "translate: the VM goes on");
	if (pthread_create(&t, NULL, translator, &f.vcpu))
		tap_bail("cannot start a thread");
	usleep(100000);
	tap_is(hv_try(f.vm, HV_VM_RESET, &reset), 0, "translate: the VM is reset");
	pthread_join(t, &got);		/* what it says depends on who was first */
	flat_load(&f, &s);
	uffd_give(uffd, ram + 4096, content);
	tap_is(hv_try(f.vcpu, HV_VCPU_TRANSLATE, &translate), 0, "translate: with the page it ends");
	tap_ok(translate.gpa == HOLE && !translate.fault, "translate: %#llx is at %#llx",
	       (unsigned long long)HOLE, (unsigned long long)translate.gpa);
	flat_close(&f);
}

/*
 * While it waits for a page of the old memory, other memory is put there. The old page must not be mapped
 * when it comes: nobody would take it back when its owner gives it up.
 */
static void check_slot_change(void)
{
	uint8_t *other = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct flat f, second;
	struct flat_regs r;
	int i;

	memset(ram, 0x77, PAGES * 4096);
	flat_new(&f, 0, 2);
	flat_add(&second, &f, 1);
	tap_is(flat_slot(&f, 1, 0, BASE, PAGES * 4096, ram), 0, "slot: the old memory");
	at_fault(&f);
	page_take();
	flat_start(&f, FLAT_READ, NULL);
	tap_ok(uffd_asked(uffd, LATE_MS) == ram + 4096, "slot: a page of the old memory is asked for");
	tap_is(flat_slot(&f, 1, 0, BASE, 0, NULL), 0, "slot: it is taken away");
	tap_is(flat_slot(&f, 1, 0, BASE, PAGES * 4096, other), 0, "slot: other memory is there");
	/* So that nothing but the page is missing when it comes. */
	tap_is(flat_write(&second, PAGE + 4096, 1), 0, "slot: another vCPU uses it");
	uffd_give(uffd, ram + 4096, content);
	for (i = 0; i < LATE_MS / 10 && !f.exit_kind; i++)
		usleep(10000);
	flat_stop(&f, &r);
	tap_ok(!f.last && f.exit_kind == HV_EXIT_PIO, "slot: the vCPU goes on");
	tap_is(r.eax, 0, "slot: and sees the other memory");
	*(uint32_t *)(other + 4096) = ANSWER;
	tap_is(flat_read(&f, PAGE, NULL), ANSWER, "slot: and what is written to that");
	flat_close(&second);
	flat_close(&f);
	munmap(other, PAGES * 4096);
}

/*
 * ---- pages that are never given ----
 *
 * A vCPU is taken away from the page it waits for, and put to another one, again and again:
 * the module's workers for the old ones cannot be called off.
 */
#define CROWD		70u	/* VMs of the hostile process */
#define ROUNDS		4u	/* pages each of them runs into: all it may wait for at a time */
#define NEVER_PAGES	(CROWD * ROUNDS)

/* The page that is asked for, if any is in that time. */
static uint8_t *run_into(struct flat *f, int fd, uint32_t page)
{
	uint8_t *p;

	flat_start(f, FLAT_READ, &(struct flat_regs){ .esi = BASE + page * 4096 });
	p = uffd_asked(fd, 200);
	flat_stop(f, NULL);
	return p;
}

static void check_bound(void)
{
	uint8_t *mem = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = uffd_open(mem, 64 * 4096);
	uint8_t *first = NULL, *p;
	unsigned int n = 0, i;
	struct flat f;

	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, 64 * 4096, mem);
	for (i = 0; i < 12; i++) {
		p = run_into(&f, fd, i);
		n += !!p;
		first = first ? first : p;
	}
	tap_ok(n && n <= ROUNDS, "put to %u pages, a vCPU waits for %u of them", i, n);
	flat_start(&f, FLAT_READ, &(struct flat_regs){ .esi = BASE + 40 * 4096 });
	tap_ok(!uffd_asked(fd, 1000), "it must wait for one more");
	uffd_give(fd, first, NULL);
	p = uffd_asked(fd, LATE_MS);
	tap_ok(p == mem + 40 * 4096, "which is asked for when another one came");
	uffd_give(fd, mem + 40 * 4096, NULL);
	for (i = 0; i < LATE_MS / 10 && !f.exit_kind; i++)
		usleep(10000);
	flat_stop(&f, NULL);
	tap_ok(!f.last && f.exit_kind == HV_EXIT_PIO, "and the vCPU goes on");
	flat_close(&f);
	close(fd);
	munmap(mem, 64 * 4096);
}

/* Many VMs, each of which waits for as many pages as it may. */
static void crowd(int told)
{
	size_t bytes = NEVER_PAGES * 4096;
	uint8_t *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = uffd_open(mem, bytes);
	unsigned int i, k;
	struct flat f;

	for (i = 0; i < CROWD; i++) {
		flat_new(&f, 0, 1);
		flat_slot(&f, 1, 0, BASE, bytes, mem);
		for (k = 0; k < ROUNDS; k++)
			run_into(&f, fd, i * ROUNDS + k);
	}
	if (write(told, "x", 1) == 1)
		pause();
	_exit(1);
}

static void check_crowd(void)
{
	uint8_t *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int told[2], fd, i;
	long refs = module_refs();
	struct flat f;
	pid_t pid;
	char c;

	if (pipe(told))
		tap_bail("pipe");
	fflush(NULL);
	pid = fork();
	if (!pid)
		crowd(told[1]);
	close(told[1]);
	tap_is(read(told[0], &c, 1), 1, "%u VMs wait for %u pages that never come", CROWD, NEVER_PAGES);
	fd = uffd_open(mem, 4096);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, 4096, mem);
	flat_start(&f, FLAT_READ, &(struct flat_regs){ .esi = BASE });
	tap_ok(uffd_asked(fd, LATE_MS) == mem, "another process's VM still asks for its own");
	uffd_give(fd, mem, NULL);
	for (i = 0; i < LATE_MS / 10 && !f.exit_kind; i++)
		usleep(10000);
	flat_stop(&f, NULL);
	tap_ok(!f.last && f.exit_kind == HV_EXIT_PIO, "and gets it");
	flat_close(&f);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < 3000 && module_refs() > refs; i++)
		usleep(20000);
	tap_is(module_refs(), refs, "all of their VMs are gone with the process");
	close(told[0]);
	close(fd);
	munmap(mem, 4096);
}

int main(void)
{
	unsigned int i;

	state = malloc(sizeof(*state));
	ram = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED || !state)
		tap_bail("no memory");
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		check_kill(&places[i]);
	check_bound();
	check_crowd();
	memset(ram, 0, PAGES * 4096);	/* we would wait for ourselves */
	uffd = uffd_open(ram, PAGES * 4096);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		check(&places[i], false);
		check(&places[i], true);
	}
	check_translate();
	check_slot_change();
	return tap_done();
}
