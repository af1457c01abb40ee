// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Birth and death in numbers: 1,000 VMs made, run and destroyed in turn, 40 more whose
 * process is killed while they run, and then the kernel has as much memory as before.
 *
 * A leak of one object a VM shows as a thousand of them: less than three quarters of that is
 * noise (RCU, what the file system keeps), once per-CPU caches have been emptied. Forty would drown
 * in it. So the killed live in a memory cgroup.
 */
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/cpus.h"
#include "selftests/lib/hvio.h"
#include "selftests/lib/memgroup.h"

#define ROUNDS		1000
#define KILLED		40
#define RAM_BYTES	(2ul << 20)

/* ---- what the kernel holds ---- */

struct slab {
	char name[64];
	unsigned long objects;
};

struct usage {
	struct slab slab[512];
	unsigned int nr_slabs;
	unsigned long free_kb, vmalloc_kb, shmem_kb, tables_kb, percpu_kb;
	unsigned long pinned;	/* pages pinned and not released */
};

static unsigned long field(const char *file, const char *name)
{
	unsigned long value = 0;
	char line[256];
	size_t len = strlen(name);
	FILE *f = fopen(file, "r");

	if (!f)
		tap_bail("%s: %s", file, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && (line[len] == ':' || line[len] == ' '))
			value = strtoul(line + len + 1, NULL, 10);
	}
	fclose(f);
	return value;
}

static void slabs_read(struct usage *u)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[512];

	u->nr_slabs = 0;
	if (!f)
		tap_bail("/proc/slabinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f) && u->nr_slabs < 512) {
		struct slab *s = &u->slab[u->nr_slabs];

		if (line[0] != '#' && sscanf(line, "%63s %lu", s->name, &s->objects) == 2)
			u->nr_slabs++;
	}
	fclose(f);
}

static void file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

/* Per-CPU slabs and page lists, empty slabs, clean caches: back to where they are counted. */
static void caches_drop(void)
{
	glob_t g;
	size_t i;

	usleep(300000);		/* RCU callbacks and delayed frees */
	file_write("/proc/sys/vm/drop_caches", "3");
	if (!glob("/sys/kernel/slab/*/shrink", 0, NULL, &g)) {
		for (i = 0; i < g.gl_pathc; i++)
			file_write(g.gl_pathv[i], "1");
		globfree(&g);
	}
	file_write("/proc/sys/vm/compact_memory", "1");
}

static void usage_read(struct usage *u)
{
	cpu_set_t was;
	int cpu[2];

	sched_getaffinity(0, sizeof(was), &was);
	sync();
	/* On one CPU: so that the work of reading takes the slabs of one, each time. */
	cpus_two(cpu);
	cpu_pin(0, cpu[0]);
	caches_drop();
	slabs_read(u);
	u->free_kb = field("/proc/meminfo", "MemFree");
	u->vmalloc_kb = field("/proc/meminfo", "VmallocUsed");
	u->shmem_kb = field("/proc/meminfo", "Shmem");
	u->tables_kb = field("/proc/meminfo", "PageTables") +
		       field("/proc/meminfo", "SecPageTables");
	u->percpu_kb = field("/proc/meminfo", "Percpu");
	u->pinned = field("/proc/vmstat", "nr_foll_pin_acquired") -
		    field("/proc/vmstat", "nr_foll_pin_released");
	sched_setaffinity(0, sizeof(was), &was);
}

static long grown(unsigned long before, unsigned long after)
{
	return (long)after - (long)before;
}

/* Largest growth of a slab cache; *@where is its name. */
static long slabs_grown(const struct usage *a, const struct usage *b, const char **where)
{
	long more, largest = 0;
	unsigned int i, j;

	*where = "none";
	for (i = 0; i < b->nr_slabs; i++) {
		for (j = 0; j < a->nr_slabs && strcmp(a->slab[j].name, b->slab[i].name); j++)
			;
		if (j == a->nr_slabs)
			continue;
		more = grown(a->slab[j].objects, b->slab[i].objects);
		if (more > largest) {
			largest = more;
			*where = b->slab[i].name;
		}
	}
	return largest;
}

/*
 * All objects of a slab that a CPU has for itself count as in use, 512 of kmalloc-8, and any work on
 * that CPU takes one. So the least of several readings counts: a leak is in all of them.
 */
static void usage_settle(const struct usage *a, struct usage *b, long most)
{
	static struct usage now;
	const char *where;
	unsigned int i, j;

	usage_read(b);
	for (i = 0; i < 20; i++) {
		if (slabs_grown(a, b, &where) < most && grown(b->free_kb, a->free_kb) < most)
			break;
		usage_read(&now);
		for (j = 0; j < b->nr_slabs && j < now.nr_slabs; j++)
			if (now.slab[j].objects < b->slab[j].objects &&
			    !strcmp(now.slab[j].name, b->slab[j].name))
				b->slab[j].objects = now.slab[j].objects;
		now.nr_slabs = b->nr_slabs;
		memcpy(now.slab, b->slab, sizeof(now.slab));
		*b = now;
	}
}

static void usage_compare(const struct usage *a, struct usage *b, long rounds)
{
	/* Under one of each VM, over one slab of the smallest objects. */
	long most = rounds * 3 / 4, kb;
	const char *where;

	usage_settle(a, b, most);
	kb = slabs_grown(a, b, &where);
	tap_ok(kb < most, "slab caches: %ld objects more of %s", kb, where);
	kb = grown(b->free_kb, a->free_kb);
	/* Half a page of each VM, and what CPUs keep in page lists of their own, an idle one for long. */
	tap_ok(kb < rounds * 2 + 500 * sysconf(_SC_NPROCESSORS_ONLN), "free memory: %ld KiB less", kb);
	kb = grown(a->vmalloc_kb, b->vmalloc_kb);
	tap_ok(kb < most, "vmalloc: %ld KiB more", kb);
	kb = grown(a->shmem_kb, b->shmem_kb);
	tap_ok(kb < most, "shared memory and memfd: %ld KiB more", kb);
	kb = grown(a->tables_kb, b->tables_kb);
	tap_ok(kb < most, "page tables: %ld KiB more", kb);
	kb = grown(a->percpu_kb, b->percpu_kb);
	tap_ok(kb < most, "per-CPU memory: %ld KiB more", kb);
	tap_is(grown(a->pinned, b->pinned), 0, "pinned pages");
}

/* ---- lives ---- */

static void *ram_add(int vm)
{
	struct hv_slot_args args = {
		.slot = 1, .vnode = HV_NO_VNODE, .gpa = 0, .bytes = RAM_BYTES,
	};
	void *p;

	args.fd = memfd_create("ram", MFD_CLOEXEC);
	if (args.fd < 0 || ftruncate(args.fd, (off_t)RAM_BYTES))
		tap_bail("memfd: %s", strerror(errno));
	p = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, args.fd, 0);
	if (p == MAP_FAILED)
		tap_bail("memfd: %s", strerror(errno));
	args.host_addr = (uintptr_t)p;
	hv_do(vm, HV_VM_SET_SLOT, &args);
	close(args.fd);
	return p;
}

/* mov [0x1000], al; out 0x42, al; jmp to the start: touches the memfd */
static const uint8_t code_touch[] = { 0xa2, 0x00, 0x10, 0xe6, 0x42, 0xeb, 0xf9 };

static bool one_life(int sys, unsigned int n)
{
	int vm = hv_vm_new(sys, 0, 2), vcpu[2];
	void *code = hv_reset_code(vm, code_touch, sizeof(code_touch)), *ram = ram_add(vm);
	bool good;

	vcpu[0] = hv_vcpu_new(vm, 0);
	vcpu[1] = hv_vcpu_new(vm, 1);
	good = hv_raw(vcpu[0], HV_VCPU_RUN, NULL) == 0 && hv_raw(vcpu[0], HV_VCPU_RUN, NULL) == 0;
	/* Fds close in every order; memory goes before and after the VM. */
	if (n & 1)
		munmap(ram, RAM_BYTES);
	close(n & 2 ? vcpu[0] : vm);
	close(vcpu[1]);
	close(n & 2 ? vm : vcpu[0]);
	if (!(n & 1))
		munmap(ram, RAM_BYTES);
	munmap(code, 4096);
	return good;
}

/* ---- the killed ---- */

static void victim(int sys, int ready)
{
	int vm;

	memgroup_join();
	vm = hv_vm_new(sys, 0, 2);

	hv_reset_code(vm, hv_code_spin, sizeof(hv_code_spin));
	ram_add(vm);
	hv_vcpu_new(vm, 1);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	hv_raw(hv_vcpu_new(vm, 0), HV_VCPU_RUN, NULL);
	_exit(2);
}

static bool one_kill(int sys, unsigned int n)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (!pid)
		victim(sys, ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		tap_bail("the child died early");
	usleep(n % 8 * 1000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void hardware_is(int sys, long want)
{
	struct hv_cap_args cap = { .cap = HV_CAP_HW_STATE };
	int i;

	for (i = 0; i < 3000; i++) {
		hv_do(sys, HV_SYS_GET_CAP, &cap);
		if ((long)cap.value == want)
			break;
		usleep(10000);
	}
	tap_is((long)cap.value, want, "hardware state");
}

static struct usage before, after;

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : ROUNDS, n, good = 0;
	int sys = hv_open();

	for (n = 0; n < 40; n++)
		one_life(sys, n);
	usage_read(&before);
	for (n = 0; n < rounds; n++)
		good += one_life(sys, n);
	tap_is(good, rounds, "VMs made, run and destroyed");
	hardware_is(sys, HV_HW_OFF);
	usage_compare(&before, &after, rounds);

	memgroup_make();
	for (n = good = 0; n < KILLED; n++)
		good += one_kill(sys, n);
	tap_is(good, KILLED, "processes killed while their guest spins");
	tap_ok(memgroup_stat("pgfault") >= KILLED, "they lived in the group");
	hardware_is(sys, HV_HW_OFF);
	memgroup_check(KILLED * 2048, KILLED);	/* half a page a kill is a leak */
	usage_compare(&before, &after, rounds);
	return tap_done();
}
