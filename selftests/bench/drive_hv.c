// SPDX-License-Identifier: GPL-2.0-or-later
/* drive_hv.c - the bench guest on /dev/hv, by the bare ioctls as drive_kvm.c uses KVM's */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hv/hv.h>
#include <hv/hv_run.h>
#include <hv/hv_state.h>
#include <hv/hv_x86.h>
#include "drive.h"

static int sys = -1, vm = -1, vcpu = -1;
static struct hv_run *run;

static int hv_open(void)
{
	sys = open("/dev/hv", O_RDWR | O_CLOEXEC);
	return sys < 0 ? -1 : 0;
}

static int hv_vm_create(void)
{
	struct hv_vm_args a = { .size = sizeof(a), .max_vcpus = 1, .name = "bench" };

	vm = ioctl(sys, HV_SYS_CREATE_VM, &a);
	return vm < 0 ? -1 : 0;
}

static int hv_slot(int nr, uint64_t gpa, void *p, size_t bytes)
{
	struct hv_slot_args a = { .size = sizeof(a), .slot = (uint32_t)nr, .vnode = HV_NO_VNODE,
				  .gpa = gpa, .bytes = bytes, .host_addr = (uintptr_t)p, .fd = -1 };

	return ioctl(vm, HV_VM_SET_SLOT, &a);
}

static int hv_vcpu_create(void)
{
	struct hv_vcpu_args a = { .size = sizeof(a), .vnode = HV_NO_VNODE };

	vcpu = ioctl(vm, HV_VM_CREATE_VCPU, &a);
	if (vcpu < 0)
		return -1;
	run = mmap(NULL, HV_RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	return run == MAP_FAILED ? -1 : 0;
}

static int state(unsigned long op, uint32_t rec, void *buf, uint32_t len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = rec, .addr = (uintptr_t)buf,
				   .len = len, .version = 1 };

	return ioctl(vcpu, op, &a);
}

static int hv_enter_32(uint32_t rip, uint32_t eax, uint32_t ebx)
{
	struct hv_rec_seg data = { .limit = 0xffffffff, .selector = 0x10, .attr = 0xc93 };
	struct hv_rec_sregs s;
	struct hv_rec_regs r = { .rip = rip, .rflags = 2 };
	int i;

	if (state(HV_VCPU_GET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s)))
		return -1;
	for (i = HV_SEG_ES; i <= HV_SEG_GS; i++)
		s.seg[i] = data;
	s.seg[HV_SEG_CS].selector = 8;
	s.seg[HV_SEG_CS].attr = 0xc9b;
	s.cr0 = 0x11;
	r.gpr[0] = eax;
	r.gpr[3] = ebx;
	return state(HV_VCPU_SET_STATE, HV_REC_VCPU_SREGS, &s, sizeof(s)) ||
	       state(HV_VCPU_SET_STATE, HV_REC_VCPU_REGS, &r, sizeof(r)) ? -1 : 0;
}

static int hv_ioeventfd(uint64_t addr, int pio, int fd)
{
	struct hv_ioeventfd_args a = { .size = sizeof(a), .addr = addr, .len = 4, .fd = fd,
				       .flags = pio ? HV_IOEVENTFD_F_PIO : 0 };

	return ioctl(vm, HV_VM_SET_IOEVENTFD, &a);
}

static int hv_event_port(uint32_t conn, int fd)
{
	struct hv_event_port_args a = { .size = sizeof(a), .connection = conn, .fd = fd };

	return ioctl(vm, HV_VM_SET_EVENT_PORT, &a);
}

static int hv_irqfd_sint(int fd, uint32_t sint)
{
	struct hv_irqfd_args a = { .size = sizeof(a), .fd = fd, .resample_fd = -1,
				   .target = { .kind = HV_IRQ_SINT, .sint = sint, .flag = 1 } };

	return ioctl(vm, HV_VM_SET_IRQFD, &a);
}

static enum drive_exit hv_run_once(struct drive_io *io)
{
	while (ioctl(vcpu, HV_VCPU_RUN, 0) < 0)
		if (errno != EINTR)
			return DRIVE_ERROR;
	switch (run->exit_kind) {
	case HV_EXIT_PIO:
		io->port = run->pio.port;
		io->in = run->pio.in;
		io->data = (char *)run + HV_RUN_PIO_DATA;
		return DRIVE_PIO;
	case HV_EXIT_MMIO:
		if (!run->mmio.write)
			memset(run->mmio.data, 0, sizeof(run->mmio.data));
		return DRIVE_MMIO;
	default:
		return DRIVE_OTHER;
	}
}

static void hv_vm_destroy(void)
{
	munmap(run, HV_RUN_BYTES);
	close(vcpu);
	close(vm);
}

const struct drive_ops drive_hv = {
	"hv", hv_open, hv_vm_create, hv_slot, hv_vcpu_create, hv_enter_32, hv_ioeventfd,
	hv_event_port, hv_irqfd_sint, hv_run_once, hv_vm_destroy,
};
