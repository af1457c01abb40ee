/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * core.h - what arch and vmbus may call in virt ("upcalls")
 *
 * Context letters: [run] the thread running this vCPU, holding its lock; may sleep, and a
 * function that does ends the section first (see arch.h). [any] any context, hard-irq
 * included. [proc] process context, may sleep.
 */
#ifndef _HV_CORE_H
#define _HV_CORE_H

#include <linux/nospec.h>
#include <hv/types.h>

struct eventfd_ctx;
struct tlfs_in_post_message;
struct tlfs_message;

/* ---- requests and kicks: virt/request.c ---- */

/* Set a request and make the vCPU serve it soon. [any] */
void hv_vcpu_request(struct hv_vcpu *vcpu, enum hv_request req);
/*
 * Set a request for the vCPU's next entry, and make one that is in guest mode come to it. One that is
 * blocked is left alone. Takes no lock. [any]
 */
void hv_vcpu_request_entry(struct hv_vcpu *vcpu, enum hv_request req);
/* Same for every vCPU of the VM; with @wait returns after all have left guest mode once. [proc if @wait, else any] */
void hv_vm_request_all(struct hv_vm *vm, enum hv_request req, bool wait);
/* Wake it if blocked, take it out of guest mode if there. [any] */
void hv_vcpu_kick(struct hv_vcpu *vcpu);

static inline bool hv_vcpu_has_request(struct hv_vcpu *vcpu, enum hv_request req)
{
	return test_bit(req, &vcpu->requests);
}

/* Pairs with the barriers in hv_vcpu_request() and _entry(): what was written before it is visible. */
static inline bool hv_vcpu_take_request(struct hv_vcpu *vcpu, enum hv_request req)
{
	if (likely(!test_bit(req, &vcpu->requests)))
		return false;
	return test_and_clear_bit(req, &vcpu->requests);
}

/* ---- VM and vCPU look-up: virt/vm.c ---- */

/* vCPU by VP index, NULL if there is none. The VM must be alive (held by the caller). [any] */
static inline struct hv_vcpu *hv_vm_vcpu(struct hv_vm *vm, u32 index)
{
	if (index >= vm->max_vcpus)
		return NULL;
	/* Guests choose it: not even speculatively beyond the array. */
	return smp_load_acquire(&vm->vcpu[array_index_nospec(index, vm->max_vcpus)]);
}

#define hv_vm_for_each_vcpu(vm, i, v)					\
	for ((i) = 0; (i) < (vm)->max_vcpus; (i)++)			\
		if (!((v) = hv_vm_vcpu((vm), (i)))) {} else

/*
 * A host bug hit this VM: warn once, mark it dead, kick its vCPUs. Never for guest misuse.
 * @cause: short literal text, goes to the log and the netlink event. [any but hard-irq]
 */
void hv_vm_set_dead(struct hv_vm *vm, const char *cause);
/* No bug of ours: the host took away what the VM runs on. The same without the warning; false: it was dead. */
bool hv_vm_lost(struct hv_vm *vm, const char *cause);
/*
 * Leave with HV_EXIT_MEMORY_FAULT: the host answered @error (negative errno) when memory at
 * @gpa was wanted. Fills the run page. [run]
 */
enum hv_next hv_exit_memory_fault(struct hv_vcpu *vcpu, hv_gpa_t gpa, bool write, int error);
/* Broadcast a life-cycle event; @vcpu and @cause may be NULL. [any but hard-irq] */
void hv_event(struct hv_vm *vm, struct hv_vcpu *vcpu, enum hv_event event, const char *cause);

/* ---- guest memory: virt/gmem.c (the only code that dereferences it) ---- */

/*
 * Copy between kernel and guest memory; overlays win over RAM. Marks written pages dirty.
 * 0, -EFAULT (hole, read-only memory on write, or host memory not to be had), -EINTR (a
 * signal or a request to leave is pending: go out and execute the instruction again), other
 * errors of the host (-ENOMEM, -EHWPOISON). May cross pages; on error part may have been
 * written. What the host could not give stands in vcpu->gmem_fault. [run]
 */
int hv_gmem_read(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len);
int hv_gmem_write(struct hv_vcpu *vcpu, hv_gpa_t gpa, const void *buf, u32 len);
/* Compare-exchange of @len = 4 or 8 naturally aligned bytes; *@old is updated; -EAGAIN if it differed. [run] */
int hv_gmem_cmpxchg(struct hv_vcpu *vcpu, hv_gpa_t gpa, u64 *old, u64 new, u32 len);
/*
 * The same without sleeping, inside one page; for code fetch and page walks on the hot
 * path. -EAGAIN: use the sleeping one. Current address space must be the VM's. [run, preempt off ok]
 */
int hv_gmem_read_fast(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len);
/*
 * The code page of the last intercepted instruction, remembered with the table entries
 * that lead to it: while those read the same under the same root, and no slot or
 * overlay changed, bytes of that page are fetched without a walk. -EAGAIN: not known, or
 * changed. _remember: @gpa is where @la lies by @n entries at @entry_gpa. [run, preempt off ok]
 */
int hv_gmem_code_peek(struct hv_vcpu *vcpu, u64 root, hv_gva_t la, void *buf, u32 len);
void hv_gmem_code_remember(struct hv_vcpu *vcpu, u64 root, hv_gva_t la, hv_gpa_t gpa,
			   const hv_gpa_t *entry_gpa, const u64 *val, u32 n);
/* Is there writable/any memory (slot or overlay) at @gfn? For MMIO decisions. [run] */
bool hv_gmem_is_ram(struct hv_vcpu *vcpu, hv_gfn_t gfn, bool write);

/* ---- overlays: virt/overlay.c ---- */

/*
 * Module-owned pages laid over guest memory. Allocated (zeroed) by _create at vCPU or VM
 * creation or at first use; _move shows the page at @gfn (HV_GFN_NONE: nowhere), the RAM
 * beneath reappears; _page is its kernel address, valid as long as the object, written
 * by the owner from any context.
 */
int hv_overlay_create(struct hv_vm *vm, u32 kind, u32 vp);			/* [proc] */
int hv_overlay_move(struct hv_vcpu *vcpu, u32 kind, u32 vp, hv_gfn_t gfn);	/* [run] */
void *hv_overlay_page(struct hv_vm *vm, u32 kind, u32 vp);			/* [any] NULL if not created */

/* ---- in-kernel I/O: virt/iobus.c ---- */

/* A guest write that a kernel device or ioeventfd may take: 0 taken, -EOPNOTSUPP not ours. Never sleeps. [run] */
int hv_iobus_write_pio(struct hv_vcpu *vcpu, u16 port, u32 len, u64 val);
int hv_iobus_write_mmio(struct hv_vcpu *vcpu, hv_gpa_t gpa, u32 len, u64 val);
int hv_iobus_read_mmio(struct hv_vcpu *vcpu, hv_gpa_t gpa, u32 len, u64 *val);

/* ---- TLFS: virt/hypercall.c, tlfs_msr.c, vsynic.c, vstimer.c, reftime.c ---- */

/* Registers of one hypercall as the calling convention has them; arch fills and stores them. */
struct hv_hcall {
	u64 control;		/* rcx / edx:eax */
	u64 in;			/* rdx / ebx:ecx: gpa, or the first 8 bytes of fast input */
	u64 out;		/* r8 / edi:esi: gpa, or the second 8 bytes */
	u64 result;		/* [out] rax / edx:eax */
	bool restart;		/* [out] leave RIP on the instruction, write back @control */
	bool ud;		/* [out] not a hypercall now: inject #UD, nothing else */
};

/* Execute it. The caller has checked CPL 0 and protected mode (else #UD). [run] */
enum hv_next hv_hypercall(struct hv_vcpu *vcpu, struct hv_hcall *hc);

/* Result of an MSR access. */
enum hv_msr_result {
	HV_MSR_OK,
	HV_MSR_GP,		/* inject #GP(0) */
	HV_MSR_USER,		/* done, and user space must hear of it: run page is filled */
	HV_MSR_RETRY,		/* execute the instruction again (an allocation or signal got in the way) */
};

/* The synthetic MSRs 0x40000000..0x4000ffff. [run] */
enum hv_msr_result hv_tlfs_msr_get(struct hv_vcpu *vcpu, u32 msr, u64 *val);
enum hv_msr_result hv_tlfs_msr_set(struct hv_vcpu *vcpu, u32 msr, u64 val);

int hv_tlfs_vm_create(struct hv_vm *vm);	/* [proc] virt/tlfs.c */
void hv_tlfs_vm_release(struct hv_vm *vm);
int hv_tlfs_vcpu_create(struct hv_vcpu *vcpu);
void hv_tlfs_vcpu_release(struct hv_vcpu *vcpu);
void hv_tlfs_vcpu_reset(struct hv_vcpu *vcpu);
void hv_tlfs_vm_reset(struct hv_vm *vm);
/* Serve HV_REQ_VSYNIC and HV_REQ_STIMER before an entry. [run, irqs on, in section or not] */
void hv_tlfs_vcpu_service(struct hv_vcpu *vcpu);
/* The local APIC ended @vector: message slots of SINTs on it are rescanned. [any] */
void hv_tlfs_eoi(struct hv_vcpu *vcpu, u8 vector);
/* Does @vector belong to a SINT with auto-EOI? Called when an interrupt is injected. [any] */
bool hv_tlfs_vector_autoeoi(struct hv_vcpu *vcpu, u8 vector);
/* Partition reference time, 100 ns units, monotonic, stands still while paused. [any] */
u64 hv_reftime_now(struct hv_vm *vm);

/* ---- SynIC, host to guest: virt/vsynic.c, vsynic_queue.c ---- */

/*
 * Set event flag @flag (0..2047) of @sint of VP @vp and raise the SINT's interrupt if the
 * flag was clear (irqfd, VMBus signal). -EINVAL no such VP, SINT or flag, or the VM has no
 * Hyper-V interface; -EAGAIN the SINT is masked or its page or SynIC is off: nothing was
 * set, hv_vsynic_watch.ready() will tell when it listens. [any]
 */
int hv_vsynic_signal(struct hv_vm *vm, u32 vp, u32 sint, u32 flag);

/*
 * Post @m (type, size, sender, payload count; @m is copied) to @sint of VP @vp: into its
 * slot if that is free, else it waits its turn behind those posted before and goes there
 * when the guest has freed the slot. What waits is part of the vCPU's state
 * (HV_REC_VCPU_MESSAGES) and is dropped when the guest switches its message page off or
 * on, or the vCPU is reset. A masked or polled SINT takes messages without an interrupt.
 * -EAGAIN HV_VSYNIC_BACKLOG wait already, or page or SynIC is off: nothing was
 * taken, hv_vsynic_watch.ready() tells when to try again; -EINVAL no such VP or SINT, type 0
 * or the hypervisor's own, size; -ENOMEM. [proc, section ended]
 */
int hv_vsynic_post(struct hv_vm *vm, u32 vp, u32 sint, const struct tlfs_message *m);

#define HV_VSYNIC_BACKLOG	16	/* as many as Hyper-V buffers for a port (TLFS 11.8.1) */

/*
 * Who posts and signals. @ready: hv_vsynic_post() or _signal() on (@vp, @sint) was refused
 * with -EAGAIN before, and would not be now (half of the backlog is free); once for any
 * number of refusals. May come more often than that. [any: in RCU, must not sleep or
 * post; it may signal, and queue work]
 */
struct hv_vsynic_watch {
	void (*ready)(struct hv_vsynic_watch *w, u32 vp, u32 sint);
};

/*
 * Set the VM's one watch, or with NULL remove it: after return it is not called any more.
 * -EBUSY there is one; -ENOENT the VM has no Hyper-V interface. [proc]
 */
int hv_vsynic_watch(struct hv_vm *vm, struct hv_vsynic_watch *w);

/* ---- connections, guest to host: virt/port.c ---- */

/*
 * HvSignalEvent on @connection (1..0xffffff) signals @ctx, whose reference passes to the
 * port. -EEXIST taken, -EINVAL not a connection id, -ENOMEM. NULL @ctx: remove it, -ENOENT
 * there is no eventfd. User space has the same (HV_VM_SET_EVENT_PORT). [proc]
 */
int hv_port_set_event(struct hv_vm *vm, u32 connection, struct eventfd_ctx *ctx);

/*
 * The guest signals event @flag (bits 15:0; 31:16 are reserved and must be 0) of a
 * connection: TLFS status. [any: in RCU and in the vCPU's section, must not sleep]
 */
typedef u16 (*hv_port_event_fn)(void *data, u32 flag);
/*
 * The guest posted @in, a copy that nobody changes; type is not 0 and not the
 * hypervisor's own, size fits the payload. TLFS status; TLFS_INSUFFICIENT_BUFFERS has the guest try
 * again later. [run, section ended, may sleep: but not on anything a vCPU must do first]
 */
typedef u16 (*hv_port_message_fn)(struct hv_vcpu *vcpu, void *data,
				  const struct tlfs_in_post_message *in);

/*
 * A port of the module's own on @connection; errors as above. User space can neither
 * remove nor replace it. [proc]
 */
int hv_port_add_event(struct hv_vm *vm, u32 connection, hv_port_event_fn fn, void *data);
int hv_port_add_message(struct hv_vm *vm, u32 connection, hv_port_message_fn fn, void *data);
/*
 * Remove it, vCPUs may run: after return its handler does not run and is not called any
 * more. So not from the handler. No port of the module's own there: nothing. [proc]
 */
void hv_port_remove(struct hv_vm *vm, u32 connection);

#endif /* _HV_CORE_H */
