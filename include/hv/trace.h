/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the tracepoints, one for each dispatcher and state machine
 *
 * Each event is raised in one place only: the dispatcher or setter it is named after.
 * Strings are copied into fixed arrays, which reads the same on every kernel.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hv

#if !defined(_HV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HV_TRACE_H

#include <linux/tracepoint.h>
#include <hv/types.h>

#define hv_show_vcpu_state(s)						\
	__print_symbolic(s, { HV_VS_IDLE, "idle" }, { HV_VS_LOADED, "loaded" },	\
			 { HV_VS_GUEST, "guest" }, { HV_VS_BLOCKED, "blocked" }, \
			 { HV_VS_DEAD, "dead" })
#define hv_show_vm_state(s)						\
	__print_symbolic(s, { HV_MS_RUNNING, "running" }, { HV_MS_PAUSED, "paused" }, \
			 { HV_MS_DEAD, "dead" })
#define hv_show_next(n)							\
	__print_symbolic(n, { HV_NEXT_RESUME, "resume" }, { HV_NEXT_BLOCK, "block" }, \
			 { HV_NEXT_TO_USER, "to-user" }, { HV_NEXT_STOP, "stop" })
#define hv_show_event(e)						\
	__print_symbolic(e, { HV_EVENT_VM_CREATED, "vm-created" },	\
			 { HV_EVENT_VM_DESTROYED, "vm-destroyed" },	\
			 { HV_EVENT_VM_PAUSED, "vm-paused" },		\
			 { HV_EVENT_VM_RESUMED, "vm-resumed" },		\
			 { HV_EVENT_VM_RESET, "vm-reset" },		\
			 { HV_EVENT_VM_DEAD, "vm-dead" },		\
			 { HV_EVENT_VM_CRASHED, "vm-crashed" },		\
			 { HV_EVENT_VCPU_CREATED, "vcpu-created" },	\
			 { HV_EVENT_VCPU_STARTED, "vcpu-started" },	\
			 { HV_EVENT_VCPU_SHUTDOWN, "vcpu-shutdown" },	\
			 { HV_EVENT_VCPU_DESTROYED, "vcpu-destroyed" })

/* kmod/ioctl.c: every call but HV_VCPU_RUN, which hv_vcpu_state and hv_user_exit show */
TRACE_EVENT(hv_ioctl,
	TP_PROTO(u64 vm, int vcpu, u32 nr, u64 flags, long ret),
	TP_ARGS(vm, vcpu, nr, flags, ret),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(int, vcpu)
		__field(u32, nr)
		__field(u64, flags)
		__field(long, ret)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->nr = nr;
		__entry->flags = flags;
		__entry->ret = ret;
	),
	TP_printk("vm=%llu vcpu=%d nr=%#x flags=%#llx ret=%ld", __entry->vm, __entry->vcpu,
		  __entry->nr, __entry->flags, __entry->ret)
);

/* virt/vm_fsm.c */
TRACE_EVENT(hv_vm_state,
	TP_PROTO(struct hv_vm *vm, u32 from, u32 to),
	TP_ARGS(vm, from, to),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("vm=%llu %s -> %s", __entry->vm, hv_show_vm_state(__entry->from),
		  hv_show_vm_state(__entry->to))
);

/* virt/sleep.c: the host sleeps, or is awake again */
TRACE_EVENT(hv_vm_sleep,
	TP_PROTO(struct hv_vm *vm, bool asleep),
	TP_ARGS(vm, asleep),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(bool, asleep)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->asleep = asleep;
	),
	TP_printk("vm=%llu %s", __entry->vm, __entry->asleep ? "asleep" : "awake")
);

/* virt/vcpu_fsm.c */
TRACE_EVENT(hv_vcpu_state,
	TP_PROTO(struct hv_vcpu *vcpu, u32 from, u32 to),
	TP_ARGS(vcpu, from, to),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("vm=%llu vcpu=%u %s -> %s", __entry->vm, __entry->vcpu,
		  hv_show_vcpu_state(__entry->from), hv_show_vcpu_state(__entry->to))
);

/* arch exit dispatcher: vendor exit code and qualifications, and what the handler asked for */
TRACE_EVENT(hv_exit,
	TP_PROTO(struct hv_vcpu *vcpu, u64 code, u64 info1, u64 info2, u64 rip, u32 next),
	TP_ARGS(vcpu, code, info1, info2, rip, next),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, next)
		__field(u64, code)
		__field(u64, info1)
		__field(u64, info2)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->next = next;
		__entry->code = code;
		__entry->info1 = info1;
		__entry->info2 = info2;
		__entry->rip = rip;
	),
	TP_printk("vm=%llu vcpu=%u code=%#llx info1=%#llx info2=%#llx rip=%#llx %s", __entry->vm,
		  __entry->vcpu, __entry->code, __entry->info1, __entry->info2, __entry->rip,
		  hv_show_next(__entry->next))
);

/* virt/exit.c: the run page goes to user space */
TRACE_EVENT(hv_user_exit,
	TP_PROTO(struct hv_vcpu *vcpu, u32 kind, u64 where),
	TP_ARGS(vcpu, kind, where),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, kind)
		__field(u64, where)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->kind = kind;
		__entry->where = where;
	),
	TP_printk("vm=%llu vcpu=%u kind=%u at=%#llx", __entry->vm, __entry->vcpu, __entry->kind,
		  __entry->where)
);

/* virt/hypercall.c */
TRACE_EVENT(hv_hypercall,
	TP_PROTO(struct hv_vcpu *vcpu, u64 control, u64 in, u64 out, u64 result),
	TP_ARGS(vcpu, control, in, out, result),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u64, control)
		__field(u64, in)
		__field(u64, out)
		__field(u64, result)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->control = control;
		__entry->in = in;
		__entry->out = out;
		__entry->result = result;
	),
	TP_printk("vm=%llu vcpu=%u code=%#x control=%#llx in=%#llx out=%#llx result=%#llx",
		  __entry->vm, __entry->vcpu, (u16)__entry->control, __entry->control, __entry->in,
		  __entry->out, __entry->result)
);

/* arch MSR dispatcher; @result: enum hv_msr_result */
TRACE_EVENT(hv_msr,
	TP_PROTO(struct hv_vcpu *vcpu, bool write, u32 msr, u64 val, u32 result),
	TP_ARGS(vcpu, write, msr, val, result),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, val)
		__field(u32, vcpu)
		__field(u32, msr)
		__field(u32, result)
		__field(bool, write)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->msr = msr;
		__entry->val = val;
		__entry->result = result;
		__entry->write = write;
	),
	TP_printk("vm=%llu vcpu=%u %s %#x = %#llx%s", __entry->vm, __entry->vcpu,
		  __entry->write ? "wrmsr" : "rdmsr", __entry->msr, __entry->val,
		  __print_symbolic(__entry->result, { 0, "" }, { 1, " #GP" }, { 2, " user" },
				   { 3, " retry" }))
);

/* hv_irq_deliver(); @kind: enum hv_irq_kind; @a, @b: gsi and level, address and data, VP and SINT */
TRACE_EVENT(hv_irq,
	TP_PROTO(struct hv_vm *vm, u32 kind, u64 a, u64 b, int ret),
	TP_ARGS(vm, kind, a, b, ret),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, a)
		__field(u64, b)
		__field(u32, kind)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->a = a;
		__entry->b = b;
		__entry->kind = kind;
		__entry->ret = ret;
	),
	TP_printk("vm=%llu %s %#llx %#llx ret=%d", __entry->vm,
		  __print_symbolic(__entry->kind, { HV_IRQ_GSI, "gsi" }, { HV_IRQ_MSI, "msi" },
				   { HV_IRQ_SINT, "sint" }),
		  __entry->a, __entry->b, __entry->ret)
);

/* An interrupt goes into the guest. */
TRACE_EVENT(hv_inject,
	TP_PROTO(struct hv_vcpu *vcpu, u32 type, u8 vector, u32 error),
	TP_ARGS(vcpu, type, vector, error),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, type)
		__field(u32, error)
		__field(u8, vector)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->type = type;
		__entry->error = error;
		__entry->vector = vector;
	),
	TP_printk("vm=%llu vcpu=%u type=%u vector=%u error=%#x", __entry->vm, __entry->vcpu,
		  __entry->type, __entry->vector, __entry->error)
);

/* second-level fault; @access: HV_SLAT_F_*, @result: enum hv_slat_result, @fetched: the host page had to be had first */
TRACE_EVENT(hv_slat_fault,
	TP_PROTO(struct hv_vcpu *vcpu, u64 gpa, u32 access, bool fetched, u32 result),
	TP_ARGS(vcpu, gpa, access, fetched, result),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, gpa)
		__field(u32, vcpu)
		__field(u32, access)
		__field(u32, result)
		__field(bool, fetched)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->gpa = gpa;
		__entry->vcpu = vcpu->index;
		__entry->access = access;
		__entry->fetched = fetched;
		__entry->result = result;
	),
	TP_printk("vm=%llu vcpu=%u gpa=%#llx access=%#x fetched=%d %s", __entry->vm, __entry->vcpu,
		  __entry->gpa, __entry->access, __entry->fetched,
		  __print_symbolic(__entry->result, { 0, "mapped" }, { 1, "retry" }, { 2, "mmio" },
				   { 3, "error" }))
);

/* virt/hc_message.c: what the guest posted and the TLFS status it got */
TRACE_EVENT(hv_post_message,
	TP_PROTO(struct hv_vcpu *vcpu, u32 connection, u32 type, u32 size, u32 status),
	TP_ARGS(vcpu, connection, type, size, status),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, connection)
		__field(u32, type)
		__field(u32, size)
		__field(u32, status)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->connection = connection;
		__entry->type = type;
		__entry->size = size;
		__entry->status = status;
	),
	TP_printk("vm=%llu vcpu=%u connection=%#x type=%#x size=%u status=%u", __entry->vm,
		  __entry->vcpu, __entry->connection, __entry->type, __entry->size,
		  __entry->status)
);

/* virt/vsynic_queue.c: a message reached its slot (@ret 0), or was not taken */
TRACE_EVENT(hv_vsynic_message,
	TP_PROTO(struct hv_vcpu *vcpu, u32 sint, u32 type, int ret),
	TP_ARGS(vcpu, sint, type, ret),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, sint)
		__field(u32, type)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->index;
		__entry->sint = sint;
		__entry->type = type;
		__entry->ret = ret;
	),
	TP_printk("vm=%llu vcpu=%u sint=%u type=%#x ret=%d", __entry->vm, __entry->vcpu,
		  __entry->sint, __entry->type, __entry->ret)
);

TRACE_EVENT(hv_vsynic_event,
	TP_PROTO(struct hv_vm *vm, u32 vcpu, u32 sint, u32 flag, int ret),
	TP_ARGS(vm, vcpu, sint, flag, ret),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, sint)
		__field(u32, flag)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->vcpu = vcpu;
		__entry->sint = sint;
		__entry->flag = flag;
		__entry->ret = ret;
	),
	TP_printk("vm=%llu vcpu=%u sint=%u flag=%u ret=%d", __entry->vm, __entry->vcpu,
		  __entry->sint, __entry->flag, __entry->ret)
);

/* vmbus/: each channel message, @ret: TLFS status of the guest's, errno of ours */
TRACE_EVENT(hv_bus_message,
	TP_PROTO(u64 vm, bool to_guest, u32 type, u32 bytes, int ret),
	TP_ARGS(vm, to_guest, type, bytes, ret),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(bool, to_guest)
		__field(u32, type)
		__field(u32, bytes)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->to_guest = to_guest;
		__entry->type = type;
		__entry->bytes = bytes;
		__entry->ret = ret;
	),
	TP_printk("vm=%llu %s type=%u bytes=%u ret=%d", __entry->vm,
		  __entry->to_guest ? "to guest" : "to host", __entry->type, __entry->bytes,
		  __entry->ret)
);

/* vmbus/server.c: a version offered by the guest, and whether it was agreed upon */
TRACE_EVENT(hv_bus_contact,
	TP_PROTO(u64 vm, u32 version, bool agreed),
	TP_ARGS(vm, version, agreed),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, version)
		__field(bool, agreed)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->version = version;
		__entry->agreed = agreed;
	),
	TP_printk("vm=%llu version=%u.%u %s", __entry->vm, __entry->version >> 16,
		  __entry->version & 0xffff, __entry->agreed ? "agreed" : "refused")
);

/* vmbus/chan.c: the setter; states are enum hv_chan_state, moves enum hv_chan_move */
TRACE_EVENT(hv_chan_state,
	TP_PROTO(u64 vm, u32 relid, u32 move, u32 from, u32 to),
	TP_ARGS(vm, relid, move, from, to),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, relid)
		__field(u32, move)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->relid = relid;
		__entry->move = move;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("vm=%llu relid=%u move=%u %u -> %u", __entry->vm, __entry->relid, __entry->move,
		  __entry->from, __entry->to)
);

/* virt/event.c: life-cycle events, whether or not anybody listens; @vcpu -1: of the VM */
TRACE_EVENT(hv_event,
	TP_PROTO(struct hv_vm *vm, int vcpu, u32 event, const char *cause),
	TP_ARGS(vm, vcpu, event, cause),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(int, vcpu)
		__field(u32, event)
		__array(char, name, 32)
		__array(char, cause, 48)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->vcpu = vcpu;
		__entry->event = event;
		strscpy(__entry->name, vm->name, sizeof(__entry->name));
		strscpy(__entry->cause, cause ? cause : "", sizeof(__entry->cause));
	),
	TP_printk("vm=%llu name=%s vcpu=%d %s %s", __entry->vm, __entry->name, __entry->vcpu,
		  hv_show_event(__entry->event), __entry->cause)
);

#endif /* _HV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH hv
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
