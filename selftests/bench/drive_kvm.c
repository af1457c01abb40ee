// SPDX-License-Identifier: GPL-2.0-or-later
/* drive_kvm.c - the bench guest on /dev/kvm, with its Hyper-V interface: the peer */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drive.h"

#define CPUID_MAX	200
#define GSI_SINT	6

static int sys = -1, vm = -1, vcpu = -1, run_bytes;
static struct kvm_run *run;

static int kvm_open(void)
{
	sys = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	return sys < 0 ? -1 : 0;
}

static int kvm_vm_create(void)
{
	vm = ioctl(sys, KVM_CREATE_VM, 0);
	if (vm < 0)
		return -1;
	return ioctl(vm, KVM_CREATE_IRQCHIP, 0);
}

static int kvm_slot(int nr, uint64_t gpa, void *p, size_t bytes)
{
	struct kvm_userspace_memory_region r = { .slot = (uint32_t)nr, .guest_phys_addr = gpa,
						 .memory_size = bytes,
						 .userspace_addr = (uintptr_t)p };

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);
}

/* Host CPUID with x2APIC, and KVM's Hyper-V leaves in place of its own. */
static int cpuid_set(void)
{
	size_t bytes = sizeof(struct kvm_cpuid2) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2);
	struct kvm_cpuid2 *c = calloc(1, bytes), *h = calloc(1, bytes);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC2 };
	uint32_t i, n = 0;
	int ret = -1;

	c->nent = h->nent = CPUID_MAX / 2;
	if (ioctl(sys, KVM_GET_SUPPORTED_CPUID, c))
		goto out;
	if (ioctl(sys, KVM_GET_SUPPORTED_HV_CPUID, h))
		h->nent = 0;
	for (i = 0; i < c->nent; i++) {
		if (c->entries[i].function == 1)
			c->entries[i].ecx |= 1u << 31 | 1u << 24 | 1u << 21;
		if (c->entries[i].function >> 8 != 0x400000)
			c->entries[n++] = c->entries[i];
	}
	for (i = 0; i < h->nent; i++) {
		if (h->entries[i].function == 0x4000000a)
			continue;
		/* KVM signs as itself here; every VMM that offers the interface puts this. */
		if (h->entries[i].function == 0x40000000) {
			h->entries[i].ebx = 0x7263694d;	/* "Microsoft Hv" */
			h->entries[i].ecx = 0x666f736f;
			h->entries[i].edx = 0x76482074;
		}
		c->entries[n++] = h->entries[i];
	}
	c->nent = n;
	if (ioctl(vcpu, KVM_ENABLE_CAP, &cap))
		goto out;
	ret = ioctl(vcpu, KVM_SET_CPUID2, c);
out:
	free(c);
	free(h);
	return ret;
}

static int kvm_vcpu_create(void)
{
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return -1;
	run_bytes = ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	return run == MAP_FAILED ? -1 : 0;
}

static int kvm_enter_32(uint32_t rip, uint32_t eax, uint32_t ebx)
{
	struct kvm_segment d = { .limit = 0xffffffff, .selector = 0x10, .type = 3, .present = 1,
				 .s = 1, .db = 1, .g = 1 };
	struct kvm_regs r = { .rip = rip, .rflags = 2, .rax = eax, .rbx = ebx };
	struct kvm_sregs s;

	if (cpuid_set() || ioctl(vcpu, KVM_GET_SREGS, &s))
		return -1;
	s.ds = s.es = s.fs = s.gs = s.ss = d;
	s.cs = d;
	s.cs.selector = 8;
	s.cs.type = 11;
	s.cr0 = 0x11;
	return ioctl(vcpu, KVM_SET_SREGS, &s) || ioctl(vcpu, KVM_SET_REGS, &r) ? -1 : 0;
}

static int kvm_ioeventfd(uint64_t addr, int pio, int fd)
{
	struct kvm_ioeventfd e = { .addr = addr, .len = 4, .fd = fd,
				   .flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0 };

	return ioctl(vm, KVM_IOEVENTFD, &e);
}

static int kvm_event_port(uint32_t conn, int fd)
{
	struct kvm_hyperv_eventfd e = { .conn_id = conn, .fd = fd };

	return ioctl(vm, KVM_HYPERV_EVENTFD, &e);
}

static int kvm_irqfd_sint(int fd, uint32_t sint)
{
	size_t bytes = sizeof(struct kvm_irq_routing) + sizeof(struct kvm_irq_routing_entry);
	struct kvm_irq_routing *r = calloc(1, bytes);
	struct kvm_irqfd q = { .fd = (uint32_t)fd, .gsi = GSI_SINT };
	int ret;

	r->nr = 1;
	r->entries[0].gsi = GSI_SINT;
	r->entries[0].type = KVM_IRQ_ROUTING_HV_SINT;
	r->entries[0].u.hv_sint.sint = sint;
	ret = ioctl(vm, KVM_SET_GSI_ROUTING, r) || ioctl(vm, KVM_IRQFD, &q) ? -1 : 0;
	free(r);
	return ret;
}

static enum drive_exit kvm_run_once(struct drive_io *io)
{
	while (ioctl(vcpu, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			return DRIVE_ERROR;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		io->port = run->io.port;
		io->in = run->io.direction == KVM_EXIT_IO_IN;
		io->data = (char *)run + run->io.data_offset;
		return DRIVE_PIO;
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0, sizeof(run->mmio.data));
		return DRIVE_MMIO;
	case KVM_EXIT_HYPERV:	/* tells the VMM where the SynIC pages are: nothing to do */
		return DRIVE_MMIO;
	default:
		return DRIVE_OTHER;
	}
}

static void kvm_vm_destroy(void)
{
	munmap(run, (size_t)run_bytes);
	close(vcpu);
	close(vm);
}

const struct drive_ops drive_kvm = {
	"kvm", kvm_open, kvm_vm_create, kvm_slot, kvm_vcpu_create, kvm_enter_32, kvm_ioeventfd,
	kvm_event_port, kvm_irqfd_sint, kvm_run_once, kvm_vm_destroy,
};
