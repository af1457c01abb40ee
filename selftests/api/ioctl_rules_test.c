// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules that hold for every ioctl, from one table: sizes, tails, flags, reserved
 * fields, kinds of fd, processes, bad pointers. A row gives a call that is well formed
 * and what it answers; each rule changes one thing about it.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/child.h"
#include "selftests/lib/hvio.h"

enum kind { SYS, VM, VCPU, NR_KINDS };

static const char *const kind_names[NR_KINDS] = { "system", "VM", "vCPU" };
static int fds[NR_KINDS];
static int event;
static uint8_t buffer[64 << 10] __attribute__((aligned(4096)));

#define ANY_FD	1000000		/* expected: a new fd */

static void fill_cap(void *p)
{
	((struct hv_cap_args *)p)->cap = HV_CAP_MAX_VCPUS;
}

static void fill_vm(void *p)
{
	((struct hv_vm_args *)p)->max_vcpus = 1;
}

static void fill_cpuid(void *p)
{
	struct hv_cpuid_args *a = p;

	a->nr = 1024;
	a->addr = (uintptr_t)buffer;
}

/* Index 0 exists. */
static void fill_vcpu(void *p)
{
	((struct hv_vcpu_args *)p)->vnode = HV_NO_VNODE;
}

/* Deletes a slot that isn't there. */
static void fill_slot(void *p)
{
	struct hv_slot_args *a = p;

	a->slot = 7;
	a->vnode = HV_NO_VNODE;
	a->fd = -1;
}

static void fill_dirty(void *p)
{
	struct hv_dirty_args *a = p;

	a->slot = 7;
	a->npages = 64;
	a->addr = (uintptr_t)buffer;
}

static void fill_ioeventfd(void *p)
{
	struct hv_ioeventfd_args *a = p;

	a->flags = HV_IOEVENTFD_F_PIO | HV_IOEVENTFD_F_DEASSIGN;
	a->addr = 0x42;
	a->len = 1;
	a->fd = event;
}

static void fill_irqfd(void *p)
{
	struct hv_irqfd_args *a = p;

	a->flags = HV_IRQFD_F_DEASSIGN;
	a->fd = event;
	a->resample_fd = -1;
}

static void fill_port(void *p)
{
	struct hv_event_port_args *a = p;

	a->connection = 0x1234;
	a->fd = -1;
}

static void fill_message(void *p)
{
	struct hv_message_args *a = p;

	a->type = 1;	/* but nobody has switched a message page on */
	a->len = 16;
	a->addr = (uintptr_t)buffer;
}

static void fill_vm_record(void *p)
{
	((struct hv_state_args *)p)->record = HV_REC_VM_CONFIG;
}

static void fill_vm_record_new(void *p)
{
	struct hv_state_args *a = p;

	a->record = HV_REC_VM_CONFIG;
	a->addr = (uintptr_t)buffer;
	a->len = sizeof(struct hv_rec_config);
	a->version = 1000;
}

static void fill_vcpu_record(void *p)
{
	((struct hv_state_args *)p)->record = HV_REC_VCPU_PENDING;
}

static void fill_vcpu_record_new(void *p)
{
	struct hv_state_args *a = p;

	a->record = HV_REC_VCPU_PENDING;
	a->addr = (uintptr_t)buffer;
	a->len = sizeof(struct hv_rec_pending);
	a->version = 1000;
}

static const struct row {
	const char *name;
	unsigned long cmd;
	enum kind kind;
	uint32_t bytes;		/* of the structure */
	uint32_t min;		/* of its first release: never changes */
	uint32_t flags;		/* known */
	uint32_t rsvd;		/* offset of a reserved field, 0: none */
	void (*fill)(void *args);
	long answer;		/* of the well-formed call */
} rows[] = {
#define ROW(CMD, KIND, STRUCT, MIN, FLAGS, RSVD, FILL, ANSWER) \
	{ #CMD, CMD, KIND, sizeof(struct STRUCT), MIN, FLAGS, RSVD, FILL, ANSWER }
	ROW(HV_SYS_GET_VERSION, SYS, hv_version_args, 48, 0, 0, NULL, 0),
	ROW(HV_SYS_GET_CAP, SYS, hv_cap_args, 24, 0, 12, fill_cap, 0),
	ROW(HV_SYS_CREATE_VM, SYS, hv_vm_args, 56, 7, 0, fill_vm, ANY_FD),
	ROW(HV_SYS_GET_CPUID, SYS, hv_cpuid_args, 24, 0, 0, fill_cpuid, 0),
	ROW(HV_VM_CREATE_VCPU, VM, hv_vcpu_args, 16, 0, 0, fill_vcpu, -EEXIST),
	ROW(HV_VM_SET_SLOT, VM, hv_slot_args, 56, 3, 44, fill_slot, -ENOENT),
	ROW(HV_VM_GET_DIRTY, VM, hv_dirty_args, 48, 1, 12, fill_dirty, -ENOENT),
	ROW(HV_VM_SET_IOEVENTFD, VM, hv_ioeventfd_args, 32, 7, 0, fill_ioeventfd, -ENOENT),
	ROW(HV_VM_SET_IRQFD, VM, hv_irqfd_args, 48, 3, 0, fill_irqfd, -ENOENT),
	ROW(HV_VM_SET_IRQ, VM, hv_irq_args, 48, 0, 12, NULL, 0),
	ROW(HV_VM_SET_EVENT_PORT, VM, hv_event_port_args, 16, 0, 0, fill_port, -ENOENT),
	ROW(HV_VM_GET_STATE, VM, hv_state_args, 32, 0, 0, fill_vm_record, 0),
	ROW(HV_VM_SET_STATE, VM, hv_state_args, 32, 0, 0, fill_vm_record_new, -EOPNOTSUPP),
	ROW(HV_VM_GET_STATS, VM, hv_stats_args, 24, 0, 20, NULL, 0),
	ROW(HV_VM_SET_RUN_STATE, VM, hv_run_state_args, 16, 0, 12, NULL, 0),
	ROW(HV_VM_RESET, VM, hv_reset_args, 8, 0, 0, NULL, 0),
	ROW(HV_VM_GET_CPUID, VM, hv_cpuid_args, 24, 0, 0, fill_cpuid, 0),
	ROW(HV_VM_POST_MESSAGE, VM, hv_message_args, 40, 0, 0, fill_message, -EAGAIN),
	ROW(HV_VCPU_GET_STATE, VCPU, hv_state_args, 32, 0, 0, fill_vcpu_record, 0),
	ROW(HV_VCPU_SET_STATE, VCPU, hv_state_args, 32, 0, 0, fill_vcpu_record_new, -EOPNOTSUPP),
	ROW(HV_VCPU_GET_STATS, VCPU, hv_stats_args, 24, 0, 20, NULL, 0),
	ROW(HV_VCPU_INJECT, VCPU, hv_inject_args, 16, 0, 12, NULL, 0),
	ROW(HV_VCPU_TRANSLATE, VCPU, hv_translate_args, 32, 7, 28, NULL, 0),
};

/* Room for one structure, its tail, and a page behind it that can't be touched. */
static uint8_t *page, *edge;

static void *fresh(const struct row *r)
{
	memset(page, 0, 8192);
	*(uint32_t *)page = r->bytes;
	if (r->fill)
		r->fill(page);
	return page;
}

/* The call, with a new fd closed again and told as ANY_FD. */
static long call_at(const struct row *r, int fd, unsigned long cmd, void *args)
{
	long ret = hv_raw(fd, cmd, args);

	if (ret > 0 && r->answer == ANY_FD) {
		close((int)ret);
		return ANY_FD;
	}
	return ret;
}

static long call(const struct row *r, void *args)
{
	return call_at(r, fds[r->kind], r->cmd, args);
}

static void check_sizes(const struct row *r)
{
	uint32_t *size = (uint32_t *)page;

	tap_is(call(r, fresh(r)), r->answer, "%s: well formed", r->name);
	tap_ok(r->bytes == _IOC_SIZE(r->cmd), "%s: size in the number", r->name);

	fresh(r);
	*size = r->min;
	tap_is(call(r, page), r->answer, "%s: size of the first release", r->name);
	fresh(r);
	*size = r->min - 1;
	tap_is(call(r, page), -EINVAL, "%s: one byte less", r->name);
	fresh(r);
	*size = 0;
	tap_is(call(r, page), -EINVAL, "%s: size 0", r->name);

	fresh(r);
	*size = r->bytes + 64;
	tap_is(call(r, page), r->answer, "%s: larger, tail of zeros", r->name);
	fresh(r);
	*size = r->bytes + 64;
	page[r->bytes + 63] = 1;
	tap_is(call(r, page), -E2BIG, "%s: larger, last byte of the tail set", r->name);
	fresh(r);
	*size = r->bytes + 1;
	page[r->bytes] = 0x80;
	tap_is(call(r, page), -E2BIG, "%s: one byte larger and set", r->name);
	fresh(r);
	*size = 4097;
	tap_is(call(r, page), -E2BIG, "%s: larger than a page", r->name);
	fresh(r);
	*size = 0xffffffff;
	tap_is(call(r, page), -E2BIG, "%s: size 2^32 - 1", r->name);
}

static void check_number(const struct row *r)
{
	unsigned long smaller = _IOC(_IOC_DIR(r->cmd), _IOC_TYPE(r->cmd), _IOC_NR(r->cmd), 8);
	unsigned long dir = _IOC(_IOC_NONE, _IOC_TYPE(r->cmd), _IOC_NR(r->cmd), r->bytes);

	tap_is(call_at(r, fds[r->kind], smaller, fresh(r)), r->answer,
	       "%s: another size in the number", r->name);
	tap_is(call_at(r, fds[r->kind], dir, fresh(r)), -ENOTTY, "%s: another direction", r->name);
}

static void check_flags(const struct row *r)
{
	uint32_t bit;
	int bad = -1;

	for (bit = 0; bit < 32; bit++) {
		if (r->flags & (1u << bit))
			continue;
		fresh(r);
		((uint32_t *)page)[1] |= 1u << bit;
		if (call(r, page) != -EINVAL)
			bad = (int)bit;
	}
	tap_is(bad, -1, "%s: every unknown flag is refused", r->name);
	if (r->rsvd) {
		fresh(r);
		page[r->rsvd + 3] = 0x80;
		tap_is(call(r, page), -EINVAL, "%s: reserved field", r->name);
	}
}

static void check_memory(const struct row *r)
{
	uint8_t *at = edge - r->bytes;

	memcpy(at, fresh(r), r->bytes);
	tap_is(call(r, at), r->answer, "%s: structure ends at the end of memory", r->name);
	memcpy(at, fresh(r), r->bytes);
	*(uint32_t *)at = r->bytes + 8;
	tap_is(call(r, at), -EFAULT, "%s: tail is not there", r->name);
	tap_is(call(r, NULL), -EFAULT, "%s: no structure", r->name);
	tap_is(call(r, edge), -EFAULT, "%s: structure is not there", r->name);
	tap_is(call(r, (void *)(uintptr_t)0xffffffff80000000ull), -EFAULT,
	       "%s: structure in the kernel", r->name);
}

static void check_fds(const struct row *r)
{
	int fd = dup(fds[r->kind]), k;

	for (k = 0; k < NR_KINDS; k++) {
		if (k != (int)r->kind)
			tap_is(call_at(r, fds[k], r->cmd, fresh(r)), -ENOTTY, "%s: on a %s fd",
			       r->name, kind_names[k]);
	}
	tap_is(call_at(r, event, r->cmd, fresh(r)), -ENOTTY, "%s: on an eventfd", r->name);
	close(fd);
	tap_is(call_at(r, fd, r->cmd, fresh(r)), -EBADF, "%s: closed fd", r->name);
}

static long call_in_child(void *arg)
{
	const struct row *r = arg;

	return call(r, fresh(r));
}

static void check_process(const struct row *r)
{
	tap_is(child_call(call_in_child, (void *)(uintptr_t)r),
	       r->kind == SYS ? r->answer : -EIO, "%s: from another process", r->name);
}

static void check_unknown_numbers(void)
{
	static const unsigned int nrs[] = { 0x04, 0x1f, 0x30, 0x3f, 0x46, 0x47, 0xff };
	unsigned int i, k;

	for (k = 0; k < NR_KINDS; k++) {
		for (i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++)
			tap_is(hv_raw(fds[k], _IOC(_IOC_READ | _IOC_WRITE, HV_IOC_MAGIC, nrs[i], 16), page),
			       -ENOTTY, "number %#x on a %s fd", nrs[i], kind_names[k]);
		tap_is(hv_raw(fds[k], _IOC(_IOC_READ | _IOC_WRITE, 0xae, 0, 48), page), -ENOTTY,
		       "another type on a %s fd", kind_names[k]);
	}
	tap_is(hv_raw(fds[VCPU], _IOC(_IOC_NONE, HV_IOC_MAGIC, 0x40, 8), page), -ENOTTY,
	       "HV_VCPU_RUN with a size in its number");
	tap_is(hv_raw(fds[VM], HV_VCPU_RUN, NULL), -ENOTTY, "HV_VCPU_RUN on a VM fd");
	tap_is(hv_raw(fds[SYS], HV_VCPU_RUN, NULL), -ENOTTY, "HV_VCPU_RUN on a system fd");
}

int main(void)
{
	unsigned int i;

	page = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		tap_bail("mmap");
	edge = page + 3 * 4096;
	mprotect(edge, 4096, PROT_NONE);

	event = eventfd(0, EFD_CLOEXEC);
	fds[SYS] = hv_open();
	fds[VM] = hv_vm_new(fds[SYS], 0, 4);
	fds[VCPU] = hv_vcpu_new(fds[VM], 0);

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_sizes(&rows[i]);
		check_number(&rows[i]);
		check_flags(&rows[i]);
		check_memory(&rows[i]);
		check_fds(&rows[i]);
		check_process(&rows[i]);
	}
	check_unknown_numbers();
	return tap_done();
}
