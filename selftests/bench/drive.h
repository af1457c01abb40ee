/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.h - the same bare guest on hv and on KVM: what both drivers share */
#ifndef SELFTESTS_BENCH_DRIVE_H
#define SELFTESTS_BENCH_DRIVE_H

#include <stddef.h>
#include <stdint.h>

#define RAM_BYTES	(64ul << 20)
#define TOUCH_GPA	0x11000000ul	/* 4 MiB, populated, 4 KiB pages */
#define TOUCH_BYTES	(4ul << 20)
#define RTOUCH_GPA	0x20000000ul	/* 64 MiB, populated, 4 KiB pages */
#define RTOUCH_BYTES	(64ul << 20)
#define PORT_USER	0x5000
#define PORT_KICK	0x5010
#define MMIO_USER	0xd0000000ul
#define MMIO_KICK	0xd0001000ul
#define CONN_PLAIN	0x100
#define CONN_ROUND	0x101
#define ROUND_VECTOR_SINT 2

enum drive_exit { DRIVE_PIO, DRIVE_MMIO, DRIVE_OTHER, DRIVE_ERROR };

struct drive_io {
	uint16_t port;
	uint8_t in;
	void *data;		/* 4 bytes */
};

/* One hypervisor. Functions return 0 or -1 with errno, fds where named so. */
struct drive_ops {
	const char *name;
	int (*open)(void);				/* once */
	int (*vm_create)(void);				/* VM, interrupt controllers */
	int (*slot)(int nr, uint64_t gpa, void *p, size_t bytes);
	int (*vcpu_create)(void);
	int (*enter_32)(uint32_t rip, uint32_t eax, uint32_t ebx);	/* flat protected mode */
	int (*ioeventfd)(uint64_t addr, int pio, int fd);
	int (*event_port)(uint32_t conn, int fd);
	int (*irqfd_sint)(int fd, uint32_t sint);
	enum drive_exit (*run)(struct drive_io *io);	/* until user space is needed */
	void (*vm_destroy)(void);
};

extern const struct drive_ops drive_hv, drive_kvm;

#endif
