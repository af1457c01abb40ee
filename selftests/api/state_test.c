// SPDX-License-Identifier: GPL-2.0-or-later
/* State by record: lengths, versions, what comes back is what was set, hostile records. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

#define ROOM	(64u << 10)

static uint8_t one[ROOM] __attribute__((aligned(64))), two[ROOM] __attribute__((aligned(64)));

struct target {
	int fd;
	unsigned long get, set;
};

static struct target vm, vcpu;

static long state_call(int fd, unsigned long cmd, struct hv_state_args *a)
{
	a->size = sizeof(*a);
	return hv_raw(fd, cmd, a);
}

static const struct record {
	const char *name;
	struct target *of;
	uint32_t id;
	uint32_t bytes;		/* 0: varies */
	int repeats;
} records[] = {
	{ "config", &vm, HV_REC_VM_CONFIG, sizeof(struct hv_rec_config), 0 },
	{ "clock", &vm, HV_REC_VM_CLOCK, sizeof(struct hv_rec_clock), 0 },
	{ "tlfs", &vm, HV_REC_VM_TLFS, sizeof(struct hv_rec_tlfs_vm), 0 },
	{ "ioapic", &vm, HV_REC_VM_IOAPIC, sizeof(struct hv_rec_ioapic), 0 },
	{ "regs", &vcpu, HV_REC_VCPU_REGS, sizeof(struct hv_rec_regs), 0 },
	{ "sregs", &vcpu, HV_REC_VCPU_SREGS, sizeof(struct hv_rec_sregs), 0 },
	{ "debug", &vcpu, HV_REC_VCPU_DEBUG, sizeof(struct hv_rec_debug), 0 },
	{ "xsave", &vcpu, HV_REC_VCPU_XSAVE, 0, 0 },
	{ "msrs", &vcpu, HV_REC_VCPU_MSRS, 0, 0 },
	{ "lapic", &vcpu, HV_REC_VCPU_LAPIC, sizeof(struct hv_rec_lapic), 0 },
	{ "events", &vcpu, HV_REC_VCPU_EVENTS, sizeof(struct hv_rec_events), 0 },
	{ "vcpu tlfs", &vcpu, HV_REC_VCPU_TLFS, sizeof(struct hv_rec_tlfs_vcpu), 0 },
	{ "pending", &vcpu, HV_REC_VCPU_PENDING, sizeof(struct hv_rec_pending), 0 },
	{ "messages", &vcpu, HV_REC_VCPU_MESSAGES, 0, 0 },
	{ "cpuid", &vm, HV_REC_VM_CPUID, 0, 0 },
};

static long get(const struct record *r, void *buf, uint32_t *len, uint32_t *version)
{
	struct hv_state_args a = { .record = r->id, .addr = (uintptr_t)buf, .len = *len };
	long ret = state_call(r->of->fd, r->of->get, &a);

	*len = a.len;
	*version = a.version;
	return ret;
}

static long set(const struct record *r, const void *buf, uint32_t len, uint32_t version)
{
	struct hv_state_args a = { .record = r->id, .addr = (uintptr_t)buf, .len = len,
				   .version = version };

	return state_call(r->of->fd, r->of->set, &a);
}

static void check_record(const struct record *r)
{
	struct hv_state_args a = { .record = r->id, .index = 1 };
	uint32_t len = 0, again = 0, version;

	tap_is(get(r, NULL, &len, &version), 0, "%s: ask for the length", r->name);
	tap_ok(len && (!r->bytes || len == r->bytes), "%s: %u bytes", r->name, len);
	again = len - 1;
	tap_is(get(r, one, &again, &version), -ENOSPC, "%s: room for one byte less", r->name);
	memset(one, 0xa5, sizeof(one));
	again = ROOM;
	tap_is(get(r, one, &again, &version), 0, "%s: get with more room", r->name);
	tap_ok(again == len || (!r->bytes && again < len), "%s: the length comes back", r->name);
	len = again;	/* one that varies may have told its upper bound */
	tap_ok(one[len] == 0xa5, "%s: nothing written behind it", r->name);
	tap_ok(version >= 1, "%s: version %u", r->name, version);

	tap_is(set(r, one, len, version), 0, "%s: set what was got", r->name);
	again = ROOM;
	memset(two, 0xa5, sizeof(two));
	tap_is(get(r, two, &again, &version), 0, "%s: get again", r->name);
	tap_ok(again == len && !memcmp(one, two, len), "%s: unchanged", r->name);

	tap_is(set(r, one, len, version + 1), -EOPNOTSUPP, "%s: newer version", r->name);
	tap_is(set(r, one, len, 0), -EINVAL, "%s: version 0", r->name);
	tap_is(set(r, one, len - 1, version), -EINVAL, "%s: one byte less", r->name);
	tap_is(set(r, one, 0, version), -EINVAL, "%s: no bytes", r->name);
	tap_is(set(r, one, ~0u, version), -EINVAL, "%s: 2^32 - 1 bytes", r->name);
	tap_is(set(r, (void *)(1ull << 62), len, version), -EFAULT, "%s: set from nowhere", r->name);
	again = ROOM;
	tap_is(get(r, (void *)(1ull << 62), &again, &version), -EFAULT, "%s: get to nowhere",
	       r->name);
	tap_is(state_call(r->of->fd, r->of->get, &a), -EINVAL, "%s: has no index 1", r->name);
}

static void check_unknown(const struct target *t, const char *name, uint32_t record)
{
	struct hv_state_args a = { .record = record };

	tap_is(state_call(t->fd, t->get, &a), -EINVAL, "%s: get record %#x", name, record);
	a.addr = (uintptr_t)one;
	a.len = 8;
	a.version = 1;
	tap_is(state_call(t->fd, t->set, &a), -EINVAL, "%s: set record %#x", name, record);
}

/* What user space could hand in to make the module copy too much or index beyond a table. */
static void check_hostile_pending(void)
{
	static const struct {
		const char *what;
		struct hv_rec_pending rec;
		long answer;
	} rows[] = {
		{ "unknown kind", { .kind = 4 }, -EINVAL },
		{ "kind 65535", { .kind = 65535 }, -EINVAL },
		{ "17 bytes", { .kind = HV_PENDING_MMIO_READ, .len = 17 }, -EINVAL },
		{ "MMIO of 9 bytes", { .kind = HV_PENDING_MMIO_READ, .len = 9 }, -EINVAL },
		{ "MMIO of no bytes", { .kind = HV_PENDING_MMIO_WRITE }, -EINVAL },
		{ "port item of 3 bytes", { .kind = HV_PENDING_PIO_IN, .key = 3, .step = 1 }, -EINVAL },
		{ "port item of 0 bytes", { .kind = HV_PENDING_PIO_IN, .step = 1 }, -EINVAL },
		{ "no items", { .kind = HV_PENDING_PIO_IN, .key = 1 }, -EINVAL },
		{ "too many items", { .kind = HV_PENDING_PIO_IN, .key = 4, .step = 65 }, -EINVAL },
		{ "2^32 - 1 items", { .kind = HV_PENDING_PIO_IN, .key = 1, .step = ~0u }, -EINVAL },
		{ "port 65536", { .kind = HV_PENDING_PIO_IN, .key = 1ull << 48 | 1, .step = 1 },
		  -EINVAL },
		{ "unknown flag", { .kind = HV_PENDING_MMIO_READ, .len = 4, .flags = 2 }, -EINVAL },
		{ "reserved", { .kind = HV_PENDING_MMIO_READ, .len = 4, .rsvd = 1 }, -EINVAL },
		{ "an answer to nothing", { .flags = HV_PENDING_F_ANSWERED }, -EINVAL },
		{ "an answer", { .kind = HV_PENDING_MMIO_READ, .len = 4,
				 .flags = HV_PENDING_F_ANSWERED }, 0 },
		{ "nothing", { .kind = HV_PENDING_NONE }, 0 },
	};
	const uint32_t v1 = offsetof(struct hv_rec_pending, flags);
	const struct record *r = &records[12];
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tap_is(set(r, &rows[i].rec, sizeof(rows[i].rec), 2), rows[i].answer,
		       "pending: %s", rows[i].what);
	/* The record of the first version is shorter, and never holds an answer. */
	tap_is(set(r, &rows[0].rec, v1, 1), -EINVAL, "pending, version 1: unknown kind");
	tap_is(set(r, &rows[i - 1].rec, v1, 1), 0, "pending, version 1: nothing");
	tap_is(set(r, &rows[i - 1].rec, v1, 2), -EINVAL, "pending: version 2 of the first's length");
	tap_is(set(r, &rows[i - 1].rec, sizeof(rows[0].rec), 1), -EINVAL,
	       "pending: version 1 of the second's length");
}

#define MXCSR		24	/* in the area, and what bits of it there are behind it */

/* Bits of MXCSR that no CPU has would fault in the host's XRSTOR, whatever mask user space names. */
static void check_mxcsr(void)
{
	const struct record *r = &records[7];
	uint8_t *area = one + sizeof(struct hv_rec_xsave);
	uint32_t len = ROOM, version, all = ~0u;

	get(r, one, &len, &version);
	memcpy(area + MXCSR + 4, &all, 4);
	tap_is(set(r, one, len, version), 0, "xsave: a mask with all bits of MXCSR");
	memcpy(area + MXCSR, &all, 4);
	tap_is(set(r, one, len, version), -EINVAL, "xsave: MXCSR with all bits, after that");
}

/* 64-bit mode, with PCIDs where the CPU has them; the registers must fit each other. */
#define CR0_LONG	0x80000011ull	/* PG, ET, PE */
#define CR4_PAE		0x20ull
#define CR4_PCIDE	0x20000ull
#define EFER_LONG	0x500ull	/* LMA, LME */
#define CS_LONG		0xa9bu		/* G, L, code */
#define CS_BIG		0x400u

static void check_hostile_sregs(void)
{
	static const struct {
		const char *what;
		uint64_t cr0, cr3, cr4, efer;
		uint16_t cs;
		long answer;
	} rows[] = {
		{ "64-bit mode", CR0_LONG, 0x1000, CR4_PAE, EFER_LONG, CS_LONG, 0 },
		{ "64-bit mode, CR3 with bit 63", CR0_LONG, 1ull << 63 | 0x1000, CR4_PAE, EFER_LONG,
		  CS_LONG, 0 },
		{ "64-bit mode, CR3 with bit 62", CR0_LONG, 1ull << 62, CR4_PAE, EFER_LONG, CS_LONG,
		  -EINVAL },
		{ "real mode, CR3 with bit 62", 0x10, 1ull << 62, 0, 0, 0x9b, -EINVAL },
		{ "real mode, CR3 with bit 63", 0x10, 1ull << 63, 0, 0, 0x9b, 0 },
		{ "a code segment of 64 and of 32 bits", CR0_LONG, 0x1000, CR4_PAE, EFER_LONG,
		  CS_LONG | CS_BIG, -EINVAL },
		{ "the same where it means nothing", 0x11, 0, 0, 0, CS_LONG | CS_BIG, 0 },
		{ "PCIDs outside long mode", 0x11, 0, CR4_PAE | CR4_PCIDE, 0, 0xc9b, -EINVAL },
		{ "LMA without LME", CR0_LONG, 0x1000, CR4_PAE, 0x400, CS_LONG, -EINVAL },
		{ "long mode without PAE", CR0_LONG, 0x1000, 0, EFER_LONG, CS_LONG, -EINVAL },
	};
	const struct record *r = &records[5];
	struct hv_rec_sregs keep, s;
	uint32_t len = sizeof(keep), version;
	unsigned int i;

	get(r, &keep, &len, &version);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = keep;
		s.cr0 = rows[i].cr0;
		s.cr3 = rows[i].cr3;
		s.cr4 = rows[i].cr4;
		s.efer = rows[i].efer;
		s.seg[HV_SEG_CS].attr = rows[i].cs;
		tap_is(set(r, &s, len, version), rows[i].answer, "sregs: %s", rows[i].what);
		get(r, &s, &len, &version);
		tap_ok(!(s.cr3 >> 52), "sregs: CR3 is %#llx then", (unsigned long long)s.cr3);
	}
	tap_is(set(r, &keep, len, version), 0, "sregs: as before");
}

static void check_hostile_events(void)
{
	static const struct {
		const char *what;
		uint8_t pending, vector, reinject, reinject_vector;
		long answer;
	} rows[] = {
		{ "#UD", 1, 6, 0, 0, 0 },
		{ "an exception of the NMI's vector", 1, 2, 0, 0, -EINVAL },
		{ "no exception, and that vector", 0, 2, 0, 0, 0 },
		{ "exception 32", 1, 32, 0, 0, -EINVAL },
		{ "#PF again", 0, 0, 4, 14, 0 },
		{ "an exception of the NMI's vector again", 0, 0, 4, 2, -EINVAL },
		{ "exception 32 again", 0, 0, 4, 32, -EINVAL },
	};
	const struct record *r = &records[10];
	struct hv_rec_events keep, e;
	uint32_t len = sizeof(keep), version;
	unsigned int i;

	get(r, &keep, &len, &version);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e = keep;
		e.exc_pending = rows[i].pending;
		e.exc_vector = rows[i].vector;
		e.reinject = rows[i].reinject;
		e.reinject_vector = rows[i].reinject_vector;
		tap_is(set(r, &e, len, version), rows[i].answer, "events: %s", rows[i].what);
	}
	tap_is(set(r, &keep, len, version), 0, "events: as before");
}

static void check_config(void)
{
	struct hv_rec_config c, bad;
	uint32_t len = sizeof(c), version;

	get(&records[0], &c, &len, &version);
	tap_ok(c.max_vcpus == 2 && c.tsc_khz, "config: %u vCPUs, %u kHz", c.max_vcpus, c.tsc_khz);
	bad = c;
	bad.max_vcpus++;
	tap_is(set(&records[0], &bad, len, version), -EINVAL, "config: other number of vCPUs");
	bad = c;
	bad.cpu_model ^= 2;
	tap_is(set(&records[0], &bad, len, version), -EINVAL, "config: other CPU model");
	bad = c;
	bad.vm_flags ^= 1;
	tap_is(set(&records[0], &bad, len, version), -EINVAL, "config: other flags");
	bad = c;
	bad.cpuid_crc ^= 1;
	tap_is(set(&records[0], &bad, len, version), -EINVAL, "config: other CPUID leaves");
	bad = c;
	bad.tsc_khz += c.tsc_khz / 1000;
	tap_is(set(&records[0], &bad, len, version), -EINVAL, "config: TSC 1000 ppm off");
	bad = c;
	bad.tsc_khz += c.tsc_khz / 10000;
	tap_is(set(&records[0], &bad, len, version), 0, "config: TSC 100 ppm off");
}

/* Any bytes at all may be refused or taken, but neither harm the host nor be taken twice
 * differently; then the vCPU is run a little with what was taken.
 */
static void check_garbage(void)
{
	unsigned int i, n, taken = 0, sets = 0;
	struct hv_run *run = hv_run_map(vcpu.fd);
	uint32_t len, version;

	srand(1);
	for (n = 0; n < 40; n++) {
		for (i = 1; i < sizeof(records) / sizeof(records[0]); i++) {
			const struct record *r = &records[i];
			uint32_t k, bytes;

			len = ROOM;
			if (get(r, one, &len, &version))
				continue;
			bytes = 1 + (uint32_t)rand() % 8;
			for (k = 0; k < bytes; k++)
				one[(uint32_t)rand() % len] = (uint8_t)rand();
			sets++;
			taken += !set(r, one, len, version);
		}
		run->immediate_exit = 1;
		hv_raw(vcpu.fd, HV_VCPU_RUN, NULL);
	}
	tap_ok(sets, "%u of %u records with random bytes taken, the host lives", taken, sets);
}

int main(void)
{
	struct hv_run_state_args pause = { .state = HV_RUN_STATE_PAUSED };
	int sys = hv_open();
	unsigned int i;

	vm = (struct target){ hv_vm_new(sys, 0, 2), HV_VM_GET_STATE, HV_VM_SET_STATE };
	vcpu = (struct target){ hv_vcpu_new(vm.fd, 0), HV_VCPU_GET_STATE, HV_VCPU_SET_STATE };
	hv_do(vm.fd, HV_VM_SET_RUN_STATE, &pause);

	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		check_record(&records[i]);
	check_unknown(&vm, "VM", 0);
	check_unknown(&vm, "VM", HV_REC_VCPU_REGS);
	check_unknown(&vm, "VM", 0xffffffff);
	check_unknown(&vcpu, "vCPU", HV_REC_VM_CONFIG);
	check_unknown(&vcpu, "vCPU", 0x10b);
	check_hostile_pending();
	check_mxcsr();
	check_hostile_sregs();
	check_hostile_events();
	check_config();
	check_garbage();
	return tap_done();
}
