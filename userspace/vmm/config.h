/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration a front end hands to the VM process.
 *
 * The front end (hvctl, later virthvd) reads options or XML, checks what it can name in the user's own
 * words, and fills a struct vmm_config. It may hand the struct over in memory (fork without exec), or in
 * the text form of vmm_config_encode() through a memfd or pipe. The VM process checks everything again:
 * the text form is input from another process.
 *
 * Text form: one "key=value" a line, keys in any order, '\n' ends each line, no escapes: values hold no
 * '\n' and no NUL. Unknown keys are refused, so an old VM process never ignores a new meaning.
 */
#ifndef HV_VMM_CONFIG_H
#define HV_VMM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMM_NAME_MAX		63	/* bytes, without the NUL; [A-Za-z0-9][A-Za-z0-9._-]* */
#define VMM_CPUS_MAX		240	/* HV_MAX_VCPUS */
#define VMM_NODES_MAX		16
#define VMM_TEXT_MAX		16384	/* bytes of the whole text form */
#define VMM_CMDLINE_MAX		4095	/* bytes; Linux's boot protocol limit may be lower, checked at load */
#define VMM_PATH_MAX		4095
#define VMM_MEMORY_MIN		(1ULL << 20)
#define VMM_MEMORY_MAX		(1ULL << 42)

/* What guest memory is made of. */
enum vmm_backing {
	VMM_BACKING_AUTO,	/* the VM process chooses: huge pages where the host gives them for nothing */
	VMM_BACKING_MEMFD,	/* shared memory; huge pages if shmem_enabled allows */
	VMM_BACKING_THP,	/* private anonymous memory with transparent huge pages */
	VMM_BACKING_HUGETLB,	/* hugetlbfs pages of 2 MiB, reserved when the VM is made */
	VMM_BACKING_NR
};

/* Where the first serial port goes. */
enum vmm_serial {
	VMM_SERIAL_NONE,	/* output kept in the console ring only, until somebody attaches */
	VMM_SERIAL_STDIO,	/* the caller's terminal, or plain stdin/stdout when that is no terminal */
	VMM_SERIAL_PTY,		/* a new pseudo terminal; its name is logged */
	VMM_SERIAL_SOCKET,	/* a listening Unix socket at serial_path; one client at a time */
	VMM_SERIAL_FILE,	/* output appended to serial_path; no input */
	VMM_SERIAL_NR
};

/* One virtual NUMA node. Nodes take memory in order from GPA 0; CPUs are given as a run of indices. */
struct vmm_node {
	uint64_t	memory;		/* bytes, a multiple of 2 MiB unless it is the only node */
	uint16_t	cpu_first;
	uint16_t	cpu_count;	/* may be 0 */
	int16_t		host_node;	/* host node to bind to, -1: host default policy */
};

#define VMM_DISKS_MAX		64
#define VMM_CONTROLLERS_MAX	4
#define VMM_LUNS_MAX		64	/* of a controller */

/* A disk or DVD drive on a SCSI controller. */
struct vmm_disk {
	const char	*path;		/* image; NULL: a DVD drive without a medium */
	uint8_t		flags;		/* VMM_DISK_* */
	uint8_t		controller;	/* 0..VMM_CONTROLLERS_MAX - 1; those named exist */
	uint8_t		lun;		/* 0..VMM_LUNS_MAX - 1, unique on its controller */
};

#define VMM_DISK_READONLY	(1u << 0)
#define VMM_DISK_DVD		(1u << 1)
#define VMM_DISK_THREADS	(1u << 2)	/* its controller does without io_uring */
#define VMM_DISK_RAW		(1u << 3)	/* its format is not looked for */
#define VMM_DISK_ALL		((1u << 4) - 1)

#define VMM_NETS_MAX		8
#define VMM_NET_TO_MAX		1023	/* bytes of vmm_net.to */
#define VMM_NET_MTU_MIN		576
#define VMM_NET_MTU_MAX		9216

/* What a network adapter is connected to. */
enum vmm_net_kind {
	VMM_NET_USER,		/* a network of its own behind the host's addresses; @to: port forwards */
	VMM_NET_TAP,		/* an interface of the host; @to: its name or "-", and a bridge, if any */
	VMM_NET_NR
};

/* A network adapter. */
struct vmm_net {
	uint8_t		kind;		/* enum vmm_net_kind */
	uint8_t		flags;		/* VMM_NET_* */
	uint8_t		mac[6];		/* all 0: made of the VM's name and the adapter's number */
	uint16_t	mtu;		/* largest that the guest may use; 0: what the backend can */
	const char	*to;		/* words of the backend, separated by blanks, or NULL */
};

#define VMM_NET_GUARD		(1u << 0)	/* the guest cannot pretend to be another one */
#define VMM_NET_RESTRICTED	(1u << 1)	/* VMM_NET_USER: it reaches nothing but what is forwarded */
#define VMM_NET_ALL		((1u << 2) - 1)

#define VMM_F_TEST_DEVICES	(1u << 0)	/* isa-debug-exit and the pc-testdev ports */
#define VMM_F_START_PAUSED	(1u << 1)	/* vCPUs wait for `resume` */
#define VMM_F_NO_REBOOT		(1u << 2)	/* a guest reset ends the VM */
#define VMM_F_SECCOMP_LOG	(1u << 3)	/* log refused system calls and go on, for debugging */
#define VMM_F_NO_SANDBOX	(1u << 4)	/* neither seccomp nor privilege drop, for debugging */
#define VMM_F_ALL		((1u << 5) - 1)

struct vmm_config {
	char		name[VMM_NAME_MAX + 1];
	uint32_t	flags;			/* VMM_F_* */
	uint16_t	cpus;			/* 1..VMM_CPUS_MAX */
	uint16_t	nodes;			/* 0: one node with everything, not told to the guest */
	uint64_t	memory;			/* bytes, multiple of 4 KiB; sum of the nodes if there are any */
	uint8_t		backing;		/* enum vmm_backing */
	uint8_t		serial;			/* enum vmm_serial */
	uint8_t		escape;			/* terminal escape character, 0x1d (^]) by default; 0: none */
	int16_t		host_node;		/* bind all memory when nodes == 0; -1: default policy */
	struct vmm_node	node[VMM_NODES_MAX];
	uint8_t		distance[VMM_NODES_MAX][VMM_NODES_MAX];	/* SLIT; all 0: 10 on the diagonal, else 20 */

	uint16_t	disks;
	struct vmm_disk	disk[VMM_DISKS_MAX];
	uint16_t	nets;
	struct vmm_net	net[VMM_NETS_MAX];

	/* Strings: NULL when absent. After vmm_config_decode() they point into the text buffer. */
	const char	*kernel;		/* bzImage, ELF with a PVH note, or multiboot; told by content */
	const char	*initrd;		/* initial RAM disk, or the multiboot module */
	const char	*append;		/* kernel command line */
	const char	*cpu_model;		/* NULL or "host": host-passthrough; else x86-64-v2, -v3, -v4 */
	const char	*cpu_off;		/* comma list of CPU feature names to hide */
	const char	*serial_path;
};

/* How the VM came to its end; the front end turns it into an exit code and a message. */
enum vmm_cause {
	VMM_END_NONE,		/* still there */
	VMM_END_POWEROFF,	/* the guest entered S5 */
	VMM_END_RESET,		/* the guest reset and VMM_F_NO_REBOOT was set */
	VMM_END_DEBUG_EXIT,	/* isa-debug-exit; code is the byte written, exit status (code << 1) | 1 */
	VMM_END_KILLED,		/* `hvctl kill`, a signal, or the console's escape */
	VMM_END_TRIPLE_FAULT,	/* only with VMM_F_NO_REBOOT, else it is a reset */
	VMM_END_CRASHED,	/* the guest's vCPU cannot go on (bad state, emulation failure) */
	VMM_END_HOST_ERROR,	/* the host failed: memory, /dev/hv, a device backend */
	VMM_END_CONFIG,		/* never started: configuration or image invalid */
	VMM_END_UNSUPPORTED,	/* never started: host lacks hv.ko, VT or permission, or KVM holds the CPU */
	VMM_END_NO_BOOT,	/* the boot image found nothing on the disks that it could start */
	VMM_END_SAVED,		/* `hvctl save`: it goes on from the file */
	VMM_END_NR
};

struct vmm_end {
	enum vmm_cause	cause;
	int		code;		/* DEBUG_EXIT: the byte; HOST_ERROR, UNSUPPORTED: positive errno or 0 */
	char		text[384];	/* one or two lines: what failed, naming the object, and the next step */
};

/* Descriptors the front end opened for the VM process; -1: absent. The VM process owns them from here on. */
struct vmm_fds {
	int		hv;		/* /dev/hv already open, or -1: the VM process opens it */
	int		ctl;		/* listening control socket (SOCK_SEQPACKET or SOCK_STREAM as ctl.c wants) */
	int		log;		/* the VM's log, opened O_RDWR | O_APPEND-less; kept below VMM_LOG_MAX bytes */
	int		ready;		/* gets one byte 0 when vCPUs may run, or is closed with `end` filled in */
	int		in, out;	/* VMM_SERIAL_STDIO */
	int		state;		/* file with a saved VM, whose configuration it gets, to go on from; or -1 */
	const char	*state_path;	/* its name, for messages */
	bool		state_force;	/* although its disks were written since */
	bool		state_other;	/* it is not the VM it was: another name */
	bool		state_eager;	/* all of its memory is loaded and checked first */
};

#define VMM_LOG_MAX		(64u << 10)

/** vmm_config_init() - all fields at their defaults: 1 CPU, 512 MiB, auto backing, no strings. */
void vmm_config_init(struct vmm_config *cfg);

/**
 * vmm_config_check() - check a configuration for internal sense (not that files exist).
 * @err:  on failure one line naming the field and the limit.
 * Return: 0 or -EINVAL.
 */
int vmm_config_check(const struct vmm_config *cfg, char *err, size_t errlen);

/** vmm_config_encode() - write the text form. Return: bytes written (no NUL), or -E2BIG. */
int vmm_config_encode(const struct vmm_config *cfg, char *buf, size_t len);

/**
 * vmm_config_decode() - read the text form; hostile input is normal.
 * @text:  modified in place; the strings of @cfg point into it.
 * Return: 0 or -EINVAL with @err filled in. Calls vmm_config_check().
 */
int vmm_config_decode(struct vmm_config *cfg, char *text, size_t len, char *err, size_t errlen);

/** vmm_cause_name() - "power-off", "reset", ... for logs and JSON. */
const char *vmm_cause_name(enum vmm_cause cause);

/**
 * vmm_main() - be the VM until it ends.
 *
 * Called in the process that becomes the VM: either the front end itself (`hvctl run`: console in the
 * foreground, nothing forked) or its forked child (`hvctl start`). It makes the VM, drops privileges,
 * runs the loop in the calling thread, and tears everything down. It never calls exit().
 *
 * Return: 0 when @end says how the guest ended it, -1 when the VM never ran (cause CONFIG, UNSUPPORTED or
 * HOST_ERROR). @end is filled in either way.
 */
int vmm_main(const struct vmm_config *cfg, const struct vmm_fds *fds, struct vmm_end *end);

#endif
