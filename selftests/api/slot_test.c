// SPDX-License-Identifier: GPL-2.0-or-later
/* Slots: what is refused, what the guest sees of RAM, read-only memory and holes, replacement. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/child.h"
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u

static void *ram(size_t bytes, int flags)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no memory");
	return p;
}

static long slot_in_child(void *arg)
{
	const struct flat *f = arg;

	return flat_slot(f, 1, 0, BASE, 4096, f->code);
}

static void check_refusals(void)
{
	struct hv_slot_args a = { .slot = 1, .vnode = HV_NO_VNODE, .gpa = BASE, .bytes = 4096 };
	uint64_t top = 1ull << 63;
	struct flat f;
	char *p = ram(2 * MIB, MAP_PRIVATE);
	FILE *file = tmpfile();

	flat_new(&f, 0, 1);
	tap_is(flat_slot(&f, 1, 0, BASE + 1, 4096, p), -EINVAL, "guest address not aligned");
	tap_is(flat_slot(&f, 1, 0, BASE, 4095, p), -EINVAL, "length not aligned");
	tap_is(flat_slot(&f, 1, 0, BASE, 4096, p + 8), -EINVAL, "host address not aligned");
	tap_is(flat_slot(&f, HV_MAX_SLOTS, 0, BASE, 4096, p), -EINVAL, "slot number too high");
	tap_is(flat_slot(&f, 1, 0, top, 4096, p), -EINVAL, "beyond the guest's address width");
	tap_is(flat_slot(&f, 1, 0, -4096ull, 8192, p), -EINVAL, "range that wraps");
	tap_is(flat_slot(&f, 1, 0, BASE, 1ull << 62, p), -EINVAL, "range too long");
	/* With fewer than 44 bits for guest addresses they do not fit anyway. */
	tap_is(flat_slot(&f, 1, HV_SLOT_F_DIRTY_LOG, 1ull << 32, 1ull << 43, p), -EINVAL, "2^31 pages");
	tap_is(flat_slot(&f, 1, HV_SLOT_F_DIRTY_LOG, 1ull << 32, 1ull << 46, p), -EINVAL, "2^34 pages");
	tap_is(flat_slot(&f, 1, 0, BASE, 4096, (void *)(top | 0x1000)), -EINVAL, "kernel address");
	tap_is(flat_slot(&f, 1, 1u << 9, BASE, 4096, p), -EINVAL, "unknown flag");
	tap_is(flat_slot(&f, 1, 0, 0, 0, NULL), -ENOENT, "delete what is not there");
	a.host_addr = (uintptr_t)p;
	a.fd = -2;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EINVAL, "fd -2");
	a.fd = 999;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EBADF, "fd that is not open");
	a.fd = fileno(file);
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EINVAL, "fd that is not mapped there");
	a.fd = -1;
	a.vnode = HV_MAX_VNODES;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EINVAL, "virtual node too high");
	tap_is(child_call(slot_in_child, &f), -EIO, "from another process");

	tap_is(flat_slot(&f, 1, 0, BASE, 8192, p), 0, "a slot");
	tap_is(flat_slot(&f, 2, 0, BASE + 4096, 4096, p), -EEXIST, "overlap at its end");
	tap_is(flat_slot(&f, 2, 0, BASE - 4096, 8192, p), -EEXIST, "overlap at its start");
	tap_is(flat_slot(&f, 2, 0, BASE - 4096, 4096, p), 0, "adjacent below");
	tap_is(flat_slot(&f, 3, 0, BASE + 8192, 4096, p), 0, "adjacent above");
	tap_is(flat_slot(&f, 1, 0, BASE, 3 * 4096, p), -EEXIST, "grown into a neighbour");
	tap_is(flat_slot(&f, 1, 0, 0, 0, NULL), 0, "delete");
	tap_is(flat_slot(&f, 1, 0, 0, 0, NULL), -ENOENT, "delete twice");
	fclose(file);
	flat_close(&f);
	munmap(p, 2 * MIB);
}

/* A file named must be the one that is mapped, at that offset. */
static void check_fd(void)
{
	struct hv_slot_args a = { .slot = 1, .vnode = HV_NO_VNODE, .gpa = BASE, .bytes = 8192 };
	int fd = memfd_create("slot_test", MFD_CLOEXEC);
	struct flat f;
	char *p;

	if (fd < 0 || ftruncate(fd, MIB))
		tap_bail("no memfd");
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0x4000);
	flat_new(&f, 0, 1);
	a.host_addr = (uintptr_t)p;
	a.fd = fd;
	a.fd_offset = 0x3000;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EINVAL, "wrong offset in the file");
	a.fd_offset = 0x4000;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), 0, "the file that is mapped");
	tap_is(flat_write(&f, BASE + 4096, 0x1234), 0, "guest writes to it");
	munmap(p, 8192);
	close(f.vcpu);
	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0x4000);
	tap_is(*(uint32_t *)(p + 4096), 0x1234, "the write is in the file after the mapping went");
	munmap(p, 8192);
	close(fd);
	f.vcpu = dup(f.vm);
	flat_close(&f);
}

static void check_kinds(void)
{
	struct flat f;
	uint32_t *p = ram(2 * MIB, MAP_PRIVATE);
	long err;

	flat_new(&f, 0, 1);
	p[0] = 0x11;
	p[1024] = 0x22;
	tap_is(flat_read(&f, BASE, &err), ~0u, "a hole");
	tap_is(err, HV_EXIT_MMIO, "reading a hole leaves as MMIO");
	tap_is(flat_write(&f, BASE, 1), HV_EXIT_MMIO, "so does writing it");
	flat_slot(&f, 1, 0, BASE, 2 * MIB, p);
	tap_is(flat_read(&f, BASE, NULL), 0x11, "the hole became RAM");
	tap_is(flat_write(&f, BASE + 4, 0x33), 0, "write");
	tap_is(p[1], 0x33, "the host sees it");
	p[2] = 0x44;
	tap_is(flat_read(&f, BASE + 8, NULL), 0x44, "the guest sees the host's");

	tap_is(flat_slot(&f, 1, HV_SLOT_F_READONLY, BASE, 2 * MIB, p), 0, "now read-only");
	tap_is(flat_read(&f, BASE + 4096, NULL), 0x22, "reading goes on");
	tap_is(flat_write(&f, BASE + 4096, 0x55), HV_EXIT_MMIO, "writing leaves as MMIO");
	tap_ok(f.run->mmio.write && f.run->mmio.gpa == BASE + 4096 && f.run->mmio.bytes == 4,
	       "and says what was written where");
	tap_is(p[1024], 0x22, "memory is as it was");
	tap_is(flat_write(&f, BASE, 0x55), HV_EXIT_MMIO, "a page that had been writable");
	tap_is(flat_slot(&f, 1, 0, BASE, 2 * MIB, p), 0, "writable again");
	tap_is(flat_write(&f, BASE, 0x66), 0, "write");
	tap_is(p[0], 0x66, "it arrives");
	flat_slot(&f, 1, 0, 0, 0, NULL);
	tap_is(flat_write(&f, BASE, 1), HV_EXIT_MMIO, "a deleted slot is a hole");
	flat_close(&f);
	munmap(p, 2 * MIB);
}

#define PAGES	64u

/* Two vCPUs count in words of their own on the same pages while the backing is replaced. */
static void check_replace(void)
{
	struct flat_regs r = { .esi = BASE, .ebx = 4096, .edx = PAGES };
	struct flat_regs r2 = { .esi = BASE + 64, .ebx = 4096, .edx = PAGES };
	uint32_t *mem[2], i, n, bad = 0;
	struct flat f, g;

	flat_new(&f, 0, 2);
	flat_add(&g, &f, 1);
	for (i = 0; i < 2; i++) {
		mem[i] = ram(PAGES * 4096, MAP_PRIVATE);
		memset(mem[i], 0, PAGES * 4096);
	}
	flat_slot(&f, 1, 0, BASE, PAGES * 4096, mem[0]);
	flat_start(&f, FLAT_COUNT, &r);
	flat_start(&g, FLAT_COUNT, &r2);
	usleep(20000);
	for (n = 1; n < 200; n++) {
		uint32_t *now = mem[n % 2], *old = mem[(n - 1) % 2];

		if (flat_slot(&f, 1, 0, BASE, PAGES * 4096, now))
			bad++;
		/* Nobody writes here any more: a snapshot stays true. */
		for (i = 0; i < PAGES; i++)
			old[i * 1024 + 1] = old[i * 1024] + old[i * 1024 + 16];
		usleep(n % 8 * 100);
		for (i = 0; i < PAGES; i++)
			bad += old[i * 1024] + old[i * 1024 + 16] != old[i * 1024 + 1];
	}
	flat_stop(&f, &r);
	flat_stop(&g, &r2);
	tap_ok(f.exit_kind == HV_EXIT_NONE && g.exit_kind == HV_EXIT_NONE,
	       "no exit to user space: the guest saw no hole");
	tap_is(bad, 0, "after the call returns nothing writes to the old backing");
	for (i = 0, n = 0; i < PAGES; i++)
		n += mem[0][i * 1024] && mem[1][i * 1024] && mem[0][i * 1024 + 16] &&
		     mem[1][i * 1024 + 16];
	tap_is(n, PAGES, "both backings were written to by both");
	tap_note("%u and %u rounds of the guests", r.ebp, r2.ebp);
	flat_close(&g);
	flat_close(&f);
}

/* What the guest counted is in the sum of all backings, nothing is lost. */
static void check_replace_counts(void)
{
	struct flat_regs r = { .esi = BASE, .ebx = 4096, .edx = 1 };
	enum { N = 50 };
	uint32_t *mem[N], i, sum = 0;
	struct flat f;

	flat_new(&f, 0, 1);
	for (i = 0; i < N; i++)
		mem[i] = ram(4096, MAP_PRIVATE);
	flat_slot(&f, 1, 0, BASE, 4096, mem[0]);
	flat_start(&f, FLAT_COUNT, &r);
	for (i = 1; i < N; i++) {
		usleep(2000);
		flat_slot(&f, 1, 0, BASE, 4096, mem[i]);
	}
	usleep(2000);
	flat_stop(&f, &r);
	for (i = 0; i < N; i++)
		sum += mem[i][0];
	tap_ok(sum - r.ebp <= 1, "%u increments of the guest, %u in the backings", r.ebp, sum);
	flat_close(&f);
}

static long slot_record(int vm, unsigned long cmd, uint32_t index, struct hv_rec_slot *rec)
{
	struct hv_state_args a = { .size = sizeof(a), .record = HV_REC_VM_SLOT, .index = index,
				   .addr = (uintptr_t)rec, .len = sizeof(*rec), .version = 1 };

	return hv_raw(vm, cmd, &a);
}

/* The virtual node a slot was given on comes back in its record, and belongs to the VM's shape. */
static void check_vnodes(void)
{
	struct hv_vcpu_args v = { .index = 1, .vnode = HV_MAX_VNODES };
	struct hv_slot_args a = { .slot = 7, .gpa = BASE, .bytes = 8192, .fd = -1 };
	struct hv_rec_slot r[4], bad;
	char *p = ram(16384, MAP_PRIVATE);
	struct flat f;
	long fd;

	flat_new(&f, 0, 2);
	a.host_addr = (uintptr_t)p;
	a.vnode = HV_MAX_VNODES - 1;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), 0, "a slot on the last virtual node");
	a.slot = 3;
	a.gpa = BASE + 8192;
	a.host_addr += 8192;
	a.vnode = 0;
	a.flags = HV_SLOT_F_READONLY;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), 0, "a read-only one on node 0");
	a.vnode = HV_NO_VNODE - 1;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), -EINVAL, "node 2^32 - 2");
	tap_is(slot_record(f.vm, HV_VM_GET_STATE, 0, &r[0]), 0, "record of the first slot");
	tap_is(slot_record(f.vm, HV_VM_GET_STATE, 1, &r[1]), 0, "of the second");
	tap_is(slot_record(f.vm, HV_VM_GET_STATE, 2, &r[2]), 0, "of the third");
	tap_is(slot_record(f.vm, HV_VM_GET_STATE, 3, &r[3]), -ENOENT, "there are no more");
	tap_ok(r[0].slot == 7 && r[0].gpa == BASE && r[0].bytes == 8192 && !r[0].flags &&
	       r[0].vnode == HV_MAX_VNODES - 1, "the first: node %u", r[0].vnode);
	tap_ok(r[1].slot == 3 && r[1].gpa == BASE + 8192 && r[1].flags == HV_SLOT_F_READONLY &&
	       r[1].vnode == 0, "the second: node %u", r[1].vnode);
	tap_ok(r[2].slot == FLAT_CODE_SLOT && r[2].vnode == HV_NO_VNODE, "the third: no node");
	tap_is(slot_record(f.vm, HV_VM_SET_STATE, 0, &r[1]), 0, "set compares: the same");
	bad = r[1];
	bad.vnode = 1;
	tap_is(slot_record(f.vm, HV_VM_SET_STATE, 0, &bad), -EINVAL, "another node");
	bad = r[1];
	bad.bytes += 4096;
	tap_is(slot_record(f.vm, HV_VM_SET_STATE, 0, &bad), -EINVAL, "another length");
	bad = r[1];
	bad.flags ^= HV_SLOT_F_DIRTY_LOG;
	tap_is(slot_record(f.vm, HV_VM_SET_STATE, 0, &bad), 0, "a dirty log is not the guest's");
	bad.slot = 4;
	tap_is(slot_record(f.vm, HV_VM_SET_STATE, 0, &bad), -EINVAL, "a slot that is not there");

	a.vnode = 5;
	tap_is(hv_try(f.vm, HV_VM_SET_SLOT, &a), 0, "a slot moves to another node");
	slot_record(f.vm, HV_VM_GET_STATE, 1, &r[1]);
	tap_is(r[1].vnode, 5, "its node");

	tap_is(hv_try(f.vm, HV_VM_CREATE_VCPU, &v), -EINVAL, "a vCPU on a node too high");
	v.vnode = HV_MAX_VNODES - 1;
	fd = hv_try(f.vm, HV_VM_CREATE_VCPU, &v);
	tap_ok(fd >= 0, "a vCPU on the last node");
	close((int)fd);
	flat_close(&f);
	munmap(p, 16384);
}

int main(void)
{
	check_vnodes();
	check_refusals();
	check_fd();
	check_kinds();
	check_replace();
	check_replace_counts();
	return tap_done();
}
