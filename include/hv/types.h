/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * types.h - the two objects everything hangs on: struct hv_vm and struct hv_vcpu
 *
 * Each shared field names what protects it:
 *   I  immutable once published
 *   A  atomic access (atomic ops, READ_ONCE/WRITE_ONCE)
 *   V  vm->lock            S  vm->slots_lock (readers: RCU)
 *   M  vm->mmu_lock        U  vcpu->lock
 *   T  only the thread that runs the vCPU (it holds U)
 *   R  RCU
 * The order of locks stands in Documentation/locking.rst:
 *   vm->lock, vcpu->lock, vm->slots_lock, mmap_lock, [mmu notifier], vm->mmu_lock;
 *   interrupt locks (I/O APIC, local APIC, vsynic) are raw spinlocks inside all of these.
 */
#ifndef _HV_TYPES_H
#define _HV_TYPES_H

#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/refcount.h>
#include <linux/rcuwait.h>
#include <linux/mmu_notifier.h>
#include <linux/xarray.h>
#include <hv/hv.h>
#include <hv/hv_run.h>
#include <hv/hv_x86.h>
#include <hv/stats.h>

typedef u64 hv_gva_t;		/* guest virtual */
typedef u64 hv_gpa_t;		/* guest physical, of this partition */
typedef u64 hv_ngpa_t;		/* guest physical of a nested guest */
typedef u64 hv_gfn_t;		/* guest frame: gpa >> 12 */
typedef unsigned long hv_hva_t;	/* address in the VMM's address space */
typedef u64 hv_spa_t;		/* host physical */

#define HV_GPA_NONE	((hv_gpa_t)~0ULL)
#define HV_GFN_NONE	((hv_gfn_t)~0ULL)

/* What a handler asks the run loop to do next. Handlers never loop and never copy to user. */
enum hv_next {
	HV_NEXT_RESUME,		/* enter the guest again */
	HV_NEXT_BLOCK,		/* wait for an event (HLT, guest idle, wait for SIPI) */
	HV_NEXT_TO_USER,	/* the run page says why */
	HV_NEXT_STOP,		/* the vCPU can not go on: -ECANCELED */
};

/* vCPU states; edges and the one setter are in virt/vcpu_fsm.c. */
enum hv_vcpu_state {
	HV_VS_IDLE,		/* not in HV_VCPU_RUN */
	HV_VS_LOADED,		/* in HV_VCPU_RUN, out of the guest */
	HV_VS_GUEST,		/* entering, in, or leaving guest mode: a kick is an IPI */
	HV_VS_BLOCKED,		/* waits for an event: a kick is a wake-up */
	HV_VS_DEAD,
	HV_VS_NR,
};

/* VM states; edges and the one setter are in virt/vm_fsm.c. */
enum hv_vm_state {
	HV_MS_RUNNING,
	HV_MS_PAUSED,
	HV_MS_DEAD,		/* killed by the module or its address space is gone */
	HV_MS_NR,
};

/* Requests: bits other contexts set in a vCPU; served before the next entry. */
enum hv_request {
	HV_REQ_EVENT,		/* look for deliverable interrupts again */
	HV_REQ_TLB_FLUSH,	/* flush this vCPU's guest translations */
	HV_REQ_SLAT_RELOAD,	/* second-level root changed */
	HV_REQ_CLOCK,		/* TSC offset or reference time changed */
	HV_REQ_KILL,		/* VM is dead */
	HV_REQ_PAUSE,		/* leave to user with -EAGAIN */
	HV_REQ_NMI,
	HV_REQ_INIT_SIPI,
	HV_REQ_VSYNIC,		/* rescan message queues */
	HV_REQ_STIMER,		/* expired timers to turn into messages or interrupts */
	HV_REQ_LAPIC_TIMER,
	HV_REQ_SHUTDOWN,	/* triple fault */
	HV_REQ_NR,
};

struct hv_vm;
struct hv_vcpu;
struct hv_slot_table;
struct hv_overlay_table;
struct hv_iobus;
struct hv_irq_table;
struct hv_port_table;
struct hv_tlfs_vm;
struct hv_bus;
struct hv_tlfs_vcpu;
struct hv_hostpage_wait;
struct hv_hostpage_pool;

/*
 * Work that awaits an answer of user space: data, never a function pointer; saved as a record.
 * Once answered, the guest is not entered before the instruction is done with the answer:
 * the device will not give it twice.
 */
struct hv_pending {
	u16 kind;		/* enum hv_pending_kind */
	u16 len;		/* bytes of @data that count */
	u32 step;
	u64 key;
	u8  data[256];		/* as much as one batch of string input */
	bool answered;		/* @data holds the answer: the instruction may be executed again */
	bool presented;		/* user space has seen the exit in its run page */
};

/* User space is asked; not the whole structure is cleared: this is on the path of each exit. */
static inline void hv_pending_ask(struct hv_pending *p, u16 kind, u64 key, u16 len, u32 step)
{
	p->kind = kind;
	p->len = len;
	p->step = step;
	p->key = key;
	p->answered = false;
	p->presented = true;
}

static inline void hv_pending_clear(struct hv_pending *p)
{
	p->kind = 0;		/* HV_PENDING_NONE */
	p->answered = false;
}

/* Why the last access to guest memory failed, when it was the host that could not. */
struct hv_gmem_fault {
	hv_gpa_t gpa;
	int error;		/* negative errno; 0: it was not the host */
	bool write;
};

struct hv_vm {
	u64 id;				/* I */
	char name[32];			/* I */
	u32 flags;			/* I: HV_VM_F_* */
	u32 cpu_model;			/* I: enum hv_cpu_model */
	u32 max_vcpus;			/* I */
	pid_t owner;			/* I: tgid of the creator, initial namespace */
	struct mm_struct *mm;		/* I: mmgrab'ed; mmget only for the length of a call */
	refcount_t refs;		/* A: the VM fd, each vCPU fd, each call in flight */
	struct list_head link;		/* hv_vm_list_lock */

	struct mutex lock;		/* vCPU creation, run state, configuration */
	u32 state;			/* A: enum hv_vm_state, written under V */
	u32 nr_vcpus;			/* A: written under V */
	struct hv_vcpu **vcpu;		/* I array of max_vcpus; entries set once under V (release) */
	atomic_t nr_running;		/* A: vCPUs inside HV_VCPU_RUN */
	bool asleep;			/* V: its clocks stand, for the host sleeps */

	/* memory: virt/slot*.c, gmem.c, overlay.c, notifier.c, dirty.c */
	struct mutex slots_lock;
	struct hv_slot_table __rcu *slots;	/* S, R */
	struct hv_slot *slot_retiring;	/* M: not in the table any more, but entries for it may be */
	u64 slots_gen;			/* A: raised by every slot update; gmem caches compare it */
	struct hv_overlay_table __rcu *overlays;	/* S, R: those shown, by gfn */
	struct xarray overlay_pages;	/* S; readers: R: all, by (kind, vp) */
	struct list_head frame_watches;	/* S; readers: SRCU of virt/framewatch.c */
	bool notifier_on;		/* V: registered */
	spinlock_t mmu_lock;		/* never sleeps, never held across GUP */
	struct mmu_notifier notifier;
	unsigned long notify_seq;	/* M: raised at the end of each invalidation */
	long notify_count;		/* M: invalidations in progress */
	unsigned long notify_start, notify_end;	/* M: host range they cover */
	struct hv_hostpage_pool *hostpages;	/* A: set once; virt/hostpage.c */

	/* devices: virt/iobus.c, irq*.c, ioeventfd.c */
	struct hv_iobus *iobus;
	struct hv_irq_table *irqs;
	struct hv_port_table *ports;

	/* TLFS: virt/vsynic.c, vstimer.c, reftime.c, hypercall.c */
	struct hv_tlfs_vm *tlfs;

	struct hv_bus *bus;		/* V: set once; vmbus/ */

	struct hv_stats_vm stat;
};

/* Where guest memory around the last fast read lies; valid while @gen is vm->slots_gen. */
#define HV_GMEM_CODE_BITS	3
#define HV_GMEM_CODE_PAGES	(1 << HV_GMEM_CODE_BITS)

/*
 * Where a code page lies, and the table entries that say so: as long as they read the
 * same, the walk would end at the same page. See hv_gmem_code_peek().
 */
struct hv_gmem_code {
	u64 gen;		/* vm->slots_gen all this was found at */
	u64 root;		/* of the guest's tables */
	hv_gva_t page;
	hv_hva_t hva;		/* of the page, or */
	const void *overlay;
	u32 levels;
	hv_hva_t entry[5];
	u64 val[5];
};

struct hv_gmem_cache {
	u64 gen;
	hv_gfn_t first;			/* frames without an overlay in between */
	u64 npages;			/* 0: empty */
	hv_hva_t hva;			/* of @first */
};

/*
 * Pages of the host one vCPU may wait for at a time: the one it runs into, and those it was
 * taken away from by interrupts or its owner.
 */
#define HV_HOSTPAGE_WAITS	4

struct hv_vcpu {
	struct hv_vm *vm;		/* I */
	u32 index;			/* I: VP index and APIC id */
	u32 vnode;			/* I */
	refcount_t refs;		/* A */
	struct mutex lock;		/* held for the whole of HV_VCPU_RUN and state calls */

	u32 state;			/* A: enum hv_vcpu_state */
	int cpu;			/* A: host CPU while in a section, else -1 */
	unsigned long requests;		/* A: bits of enum hv_request */
	bool in_section;		/* T: guest FPU and host CPU are ours, preemption is off */
	u8 level;			/* T: 0; 1 while a nested guest runs */
	bool started;			/* U: has run since creation or reset */
	struct rcuwait wait;		/* where the thread sleeps in HV_VS_BLOCKED */
	struct hv_run *run;		/* I: the run page, shared with user space */
	struct hv_pending pending;	/* U */
	struct hv_tlfs_vcpu *tlfs;	/* I: NULL with HV_VM_F_NO_TLFS */
	struct hv_gmem_cache gmem;	/* T: virt/gmem.c */
	struct hv_gmem_fault gmem_fault;	/* T: virt/gmem.c; whoever reports it clears it before */
	struct hv_gmem_code code[HV_GMEM_CODE_PAGES];	/* T: by a hash of the page number */
	struct hv_hostpage_wait *hostwait[HV_HOSTPAGE_WAITS];	/* T: virt/hostpage.c */

	struct hv_stats_vcpu stat;	/* T (A for those counted elsewhere) */
};

#endif /* _HV_TYPES_H */
