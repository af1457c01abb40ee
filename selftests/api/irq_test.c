// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HV_VM_SET_IRQ and HV_VM_SET_IRQFD: targets, coalescing, level and resample, the life of
 * irqfds. No guest runs but for one EOI: what was delivered is read from the records.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

#define NR_VCPUS	4
#define REG(off)	((off) / 16)
#define IRR		0x200
#define ISR		0x100
#define TMR		0x180

static int vm, vcpu[NR_VCPUS];

static long record(int fd, unsigned long cmd, uint32_t rec, void *buf, uint32_t len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = rec, .addr = (uintptr_t)buf,
				   .len = len, .version = 1 };

	return hv_raw(fd, cmd, &a);
}

static void lapic_get(uint32_t i, struct hv_rec_lapic *r)
{
	if (record(vcpu[i], HV_VCPU_GET_STATE, HV_REC_VCPU_LAPIC, r, sizeof(*r)))
		tap_bail("local APIC record");
}

/* Fresh APICs: enabled, flat logical id 1 << index, nothing pending. */
static void lapics_reset(void)
{
	struct hv_rec_lapic r;
	uint32_t i;

	for (i = 0; i < NR_VCPUS; i++) {
		lapic_get(i, &r);
		memset(&r.regs[REG(ISR)], 0, 24 * sizeof(r.regs[0]));
		r.regs[REG(0xf0)] = 0x1ff;
		r.regs[REG(0xd0)] = 1u << (24 + i);
		r.regs[REG(0x80)] = 0;
		r.esr_pending = 0;
		if (record(vcpu[i], HV_VCPU_SET_STATE, HV_REC_VCPU_LAPIC, &r, sizeof(r)))
			tap_bail("cannot set a local APIC record");
	}
}

static bool bit(uint32_t i, uint32_t set, uint8_t vector)
{
	struct hv_rec_lapic r;

	lapic_get(i, &r);
	return r.regs[REG(set) + vector / 32] >> vector % 32 & 1;
}

/* Which vCPUs have @vector in IRR; they are cleared. */
static uint32_t who(uint8_t vector)
{
	uint32_t i, mask = 0;

	for (i = 0; i < NR_VCPUS; i++)
		mask |= (uint32_t)bit(i, IRR, vector) << i;
	lapics_reset();
	return mask;
}

static long raise_msi(uint64_t addr, uint32_t data)
{
	struct hv_irq_args a = { .target = { .kind = HV_IRQ_MSI, .msi_addr = addr, .msi_data = data } };

	return hv_try(vm, HV_VM_SET_IRQ, &a);
}

static long raise_gsi(uint32_t gsi, uint32_t level)
{
	struct hv_irq_args a = { .level = level, .target = { .kind = HV_IRQ_GSI, .gsi = gsi } };

	return hv_try(vm, HV_VM_SET_IRQ, &a);
}

static void redir(uint32_t pin, uint64_t val)
{
	struct hv_rec_ioapic r;

	if (record(vm, HV_VM_GET_STATE, HV_REC_VM_IOAPIC, &r, sizeof(r)))
		tap_bail("I/O APIC record");
	r.redir[pin] = val;
	if (record(vm, HV_VM_SET_STATE, HV_REC_VM_IOAPIC, &r, sizeof(r)))
		tap_bail("cannot set the I/O APIC record");
}

static struct hv_rec_ioapic ioapic(void)
{
	struct hv_rec_ioapic r;

	record(vm, HV_VM_GET_STATE, HV_REC_VM_IOAPIC, &r, sizeof(r));
	return r;
}

static void test_msi(void)
{
	struct hv_rec_lapic r;

	tap_is(raise_msi(0xfee02000, 0x41), 0, "MSI to id 2");
	tap_is(raise_msi(0xfee02000, 0x41), 1, "the same again merges");
	tap_ok(who(0x41) == 1u << 2, "and vCPU 2 alone has it");
	raise_msi(0xfeeff000, 0x42);
	tap_ok(who(0x42) == 0xf, "broadcast");
	raise_msi(0xfee0a004, 0x43);
	tap_ok(who(0x43) == 0xa, "logical ids 1 and 3");
	tap_is(raise_msi(0xfee0f00c, 0x44), 0, "redirection hint");
	tap_ok(__builtin_popcount(who(0x44)) == 1, "to one of them");
	tap_is(raise_msi(0xfee02020, 0x41), 1, "extended id 258: nobody listens");
	tap_ok(who(0x41) == 0, "nobody got it");
	tap_is(raise_msi(0xfee01000, 0x05), 1, "vector 5 is not taken");
	lapic_get(1, &r);
	tap_ok(r.esr_pending == 0x40, "but stands in ESR");
	lapics_reset();
	tap_is(raise_msi(0xfed01000, 0x41), -EINVAL, "not an MSI address");
	tap_is(raise_msi(0x1fee01000ull, 0x41), -EINVAL, "one above 4 GiB");
	lapic_get(3, &r);
	r.regs[REG(0xf0)] = 0xff;
	record(vcpu[3], HV_VCPU_SET_STATE, HV_REC_VCPU_LAPIC, &r, sizeof(r));
	tap_is(raise_msi(0xfee03000, 0x41), 1, "an APIC that is off by software takes none");
	lapics_reset();
}

static void test_gsi(void)
{
	struct hv_irq_args bad = { .target = { .kind = 3 } };
	struct hv_irq_args sint = { .target = { .kind = HV_IRQ_SINT, .vp = NR_VCPUS, .sint = 2 } };

	tap_is(raise_gsi(24, 1), -EINVAL, "GSI 24");
	tap_is(raise_gsi(5, 2), -EINVAL, "level 2");
	tap_is(hv_try(vm, HV_VM_SET_IRQ, &bad), -EINVAL, "target of kind 3");
	tap_is(hv_try(vm, HV_VM_SET_IRQ, &sint), -EINVAL, "SINT of a vCPU that cannot be");
	sint.target.vp = 0;
	sint.target.sint = 16;
	tap_is(hv_try(vm, HV_VM_SET_IRQ, &sint), -EINVAL, "SINT 16");
	sint.target.sint = 2;
	sint.target.flag = 2048;
	tap_is(hv_try(vm, HV_VM_SET_IRQ, &sint), -EINVAL, "event flag 2048");

	tap_is(raise_gsi(5, 1), 0, "a masked pin");
	tap_ok(ioapic().level == 1u << 5 && who(0) == 0, "has its line up");
	raise_gsi(5, 0);
	redir(5, 0x0100000000000051ull);
	tap_is(raise_gsi(5, 1), 0, "edge");
	tap_is(raise_gsi(5, 1), 1, "no second edge");
	raise_gsi(5, 0);
	tap_is(raise_gsi(5, 1), 1, "a second one merges in IRR");
	raise_gsi(5, 0);
	tap_ok(!bit(1, TMR, 0x51) && who(0x51) == 1u << 1, "vCPU 1 has it, not level triggered");

	redir(6, 0x0200000000008052ull);
	tap_is(raise_gsi(6, 1), 0, "level");
	tap_ok(ioapic().redir[6] & 0x4000, "remote IRR is set");
	tap_ok(bit(2, TMR, 0x52) && who(0x52) == 1u << 2, "vCPU 2 has it, level triggered");
	raise_gsi(6, 0);
	tap_is(raise_gsi(6, 1), 1, "held back by remote IRR");
	tap_ok(who(0x52) == 0, "nothing is sent");
	raise_gsi(6, 0);
	redir(6, 0x10000);
}

static long irqfd(int fd, uint32_t flags, int resample, struct hv_irq_target target)
{
	struct hv_irqfd_args a = { .flags = flags, .fd = fd, .resample_fd = resample, .target = target };

	return hv_try(vm, HV_VM_SET_IRQFD, &a);
}

static void kick(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, 8) != 8)
		tap_bail("eventfd write");
}

static void test_irqfd(void)
{
	const struct hv_irq_target msi = { .kind = HV_IRQ_MSI, .msi_addr = 0xfee01000, .msi_data = 0x61 };
	const struct hv_irq_target bad = { .kind = HV_IRQ_MSI, .msi_addr = 0x1000 };
	int fd = eventfd(0, EFD_NONBLOCK), early = eventfd(3, EFD_NONBLOCK), pipes[2], i;
	struct hv_irq_target t = msi;
	uint64_t val;

	tap_is(irqfd(fd, 0, -1, msi), 0, "an irqfd");
	kick(fd);
	tap_ok(who(0x61) == 1u << 1, "a write delivers before it returns");
	tap_is(read(fd, &val, 8) < 0 ? -errno : 0, -EAGAIN, "the count is consumed");
	tap_is(irqfd(fd, 0, -1, msi), -EEXIST, "the same eventfd twice");
	tap_is(irqfd(early, 0, -1, msi), 0, "an eventfd that was written before");
	tap_ok(who(0x61) == 1u << 1, "delivers at once");
	tap_is(irqfd(fd, HV_IRQFD_F_DEASSIGN, -1, msi), 0, "deassign");
	kick(fd);
	tap_ok(who(0x61) == 0, "then it delivers no more");
	tap_is(read(fd, &val, 8), 8, "and its count is its reader's");
	tap_is(irqfd(fd, HV_IRQFD_F_DEASSIGN, -1, msi), -ENOENT, "deassign again");
	close(early);
	if (pipe(pipes))
		tap_bail("pipe");
	tap_is(irqfd(pipes[0], 0, -1, msi), -EINVAL, "a pipe");
	tap_is(irqfd(-1, 0, -1, msi), -EBADF, "fd -1");
	tap_is(irqfd(fd, 0, -1, bad), -EINVAL, "a bad target");
	tap_is(irqfd(fd, HV_IRQFD_F_RESAMPLE, fd, msi), -EINVAL, "resample of an MSI");
	tap_is(irqfd(fd, 4, -1, msi), -EINVAL, "unknown flag");
	close(pipes[0]);
	close(pipes[1]);

	for (i = 0; i < 300; i++) {
		int many = eventfd(0, EFD_NONBLOCK);

		t.msi_data = (uint32_t)(0x70 + i % 64);
		if (many < 0 || irqfd(many, 0, -1, t) < 0)
			break;
		kick(many);
		if (!(i % 3))
			irqfd(many, HV_IRQFD_F_DEASSIGN, -1, t);
		close(many);
	}
	tap_is(i, 300, "three hundred come, fire and go");
	tap_ok(who(0x70) == 1u << 1, "one of the vectors");
	close(fd);
}

/* A guest that ends one interrupt: DS is laid over the APIC page, "mov [0xb0], eax". */
static void guest_eoi(uint32_t i)
{
	static const uint8_t code[] = { 0x66, 0xa3, 0xb0, 0x00, 0xe6, 0x42, 0xeb, 0xfe };
	struct hv_run *run = hv_run_map(vcpu[i]);
	struct hv_rec_sregs s;

	hv_reset_code(vm, code, sizeof(code));
	record(vcpu[i], HV_VCPU_GET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	s.seg[HV_SEG_DS].base = 0xfee00000;
	record(vcpu[i], HV_VCPU_SET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s));
	tap_is(hv_raw(vcpu[i], HV_VCPU_RUN, NULL), 0, "a guest ends the interrupt");
	tap_ok(run->exit_kind == HV_EXIT_PIO && run->pio.port == 0x42, "and says so");
}

static void test_resample(void)
{
	const struct hv_irq_target gsi = { .kind = HV_IRQ_GSI, .gsi = 7 };
	int fd = eventfd(0, EFD_NONBLOCK), ack = eventfd(0, EFD_NONBLOCK);
	struct hv_rec_lapic r;
	uint64_t val;

	redir(7, 0x8062);
	tap_is(irqfd(fd, HV_IRQFD_F_RESAMPLE, -1, gsi), -EBADF, "resample fd -1");
	tap_is(irqfd(fd, HV_IRQFD_F_RESAMPLE, ack, gsi), 0, "an irqfd with resample");
	kick(fd);
	tap_ok(ioapic().resample == 1u << 7 && ioapic().level == 0, "a write raises the line");
	tap_ok(bit(0, IRR, 0x62), "vCPU 0 has the interrupt");
	kick(fd);
	tap_ok(read(ack, &val, 8) < 0, "nothing to resample before EOI");

	lapic_get(0, &r);
	memset(&r.regs[REG(IRR)], 0, 8 * sizeof(r.regs[0]));
	r.regs[REG(ISR) + 3] = 1u << 2;
	record(vcpu[0], HV_VCPU_SET_STATE, HV_REC_VCPU_LAPIC, &r, sizeof(r));
	guest_eoi(0);
	tap_is(read(ack, &val, 8), 8, "EOI signals the resample eventfd");
	tap_ok(val == 1, "once");
	tap_ok(ioapic().resample == 0 && !(ioapic().redir[7] & 0x4000), "the line is down");
	tap_ok(!bit(0, ISR, 0x62) && !bit(0, IRR, 0x62), "nothing is in service or pending");

	kick(fd);
	tap_ok(ioapic().resample == 1u << 7, "up again");
	tap_is(irqfd(fd, HV_IRQFD_F_DEASSIGN, -1, gsi), 0, "deassign");
	tap_ok(ioapic().resample == 0, "takes the line down");
	close(fd);
	close(ack);
}

int main(void)
{
	int sys = hv_open(), fd = eventfd(0, EFD_NONBLOCK), i;
	const struct hv_irq_target msi = { .kind = HV_IRQ_MSI, .msi_addr = 0xfee01000, .msi_data = 0x61 };

	vm = hv_vm_new(sys, 0, NR_VCPUS);
	for (i = 0; i < NR_VCPUS; i++)
		vcpu[i] = hv_vcpu_new(vm, (uint32_t)i);
	lapics_reset();
	test_msi();
	test_gsi();
	test_irqfd();
	test_resample();
	/* The VM goes while an irqfd is in place; the eventfd outlives it. */
	irqfd(fd, 0, -1, msi);
	for (i = 0; i < NR_VCPUS; i++)
		close(vcpu[i]);
	close(vm);
	kick(fd);
	tap_ok(true, "the eventfd outlives the VM");
	return tap_done();
}
