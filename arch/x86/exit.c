// SPDX-License-Identifier: GPL-2.0-only
/* exit.c - exits both vendors have, handled in terms of registers */
#include <asm/processor-flags.h>
#include "lapic.h"
#include "lib/debug_regs.h"

#define OP_CPUID	HV_OPCODE2(0x0f, 0xa2)
#define OP_RDMSR	HV_OPCODE2(0x0f, 0x32)
#define OP_WRMSR	HV_OPCODE2(0x0f, 0x30)
#define OP_HLT		HV_OPCODE1(0xf4)

enum hv_next hv_exit_cpuid(struct hv_vcpu_x86 *x)
{
	u32 out[4];
	u64 rip;

	x->core.stat.exits_cpuid++;
	if (hv_insn_next_rip(x, OP_CPUID, 2, &rip))
		return HV_NEXT_RESUME;
	hv_cpuid_query(x, x->gpr[HV_RAX], x->gpr[HV_RCX], out);
	x->gpr[HV_RAX] = out[0];
	x->gpr[HV_RBX] = out[1];
	x->gpr[HV_RCX] = out[2];
	x->gpr[HV_RDX] = out[3];
	hv_insn_retire(x, rip);
	return HV_NEXT_RESUME;
}

enum hv_next hv_exit_rdmsr(struct hv_vcpu_x86 *x)
{
	u64 rip, val;

	x->core.stat.exits_msr++;
	if (hv_insn_next_rip(x, OP_RDMSR, 2, &rip))
		return HV_NEXT_RESUME;
	switch (hv_msr_get(x, x->gpr[HV_RCX], &val)) {
	case HV_MSR_GP:
		hv_inject_gp(x);
		return HV_NEXT_RESUME;
	case HV_MSR_RETRY:
		return HV_NEXT_RESUME;
	default:
		break;
	}
	x->gpr[HV_RAX] = (u32)val;
	x->gpr[HV_RDX] = val >> 32;
	hv_insn_retire(x, rip);
	return HV_NEXT_RESUME;
}

enum hv_next hv_exit_wrmsr(struct hv_vcpu_x86 *x)
{
	u64 val = (u32)x->gpr[HV_RAX] | x->gpr[HV_RDX] << 32;
	u64 rip;

	x->core.stat.exits_msr++;
	if (hv_insn_next_rip(x, OP_WRMSR, 2, &rip))
		return HV_NEXT_RESUME;
	switch (hv_msr_set(x, x->gpr[HV_RCX], val)) {
	case HV_MSR_GP:
		hv_inject_gp(x);
		return HV_NEXT_RESUME;
	case HV_MSR_RETRY:
		return HV_NEXT_RESUME;
	case HV_MSR_USER:
		hv_insn_retire(x, rip);
		return HV_NEXT_TO_USER;
	default:
		hv_insn_retire(x, rip);
		return HV_NEXT_RESUME;
	}
}

enum hv_next hv_exit_hlt(struct hv_vcpu_x86 *x)
{
	u64 rip;

	x->core.stat.exits_hlt++;
	if (hv_insn_next_rip(x, OP_HLT, 1, &rip))
		return HV_NEXT_RESUME;
	hv_insn_retire(x, rip);
	if (unlikely(x->ev.exc_pending))	/* a single-step trap: not halted for long */
		return HV_NEXT_RESUME;
	/* The usual STI; HLT with an interrupt waiting: nothing to wait for. */
	if ((x->rflags & X86_EFLAGS_IF) && hv_lapic_attention(x) && hv_lapic_pending(x) >= 0)
		return HV_NEXT_RESUME;
	WRITE_ONCE(x->mp_state, HV_MP_HALTED);
	return HV_NEXT_BLOCK;
}

/* TLFS 3.7: 64-bit mode by RCX, RDX, R8; else EDX:EAX, EBX:ECX, EDI:ESI. */
enum hv_next hv_exit_hypercall(struct hv_vcpu_x86 *x, u32 opcode)
{
	struct hv_hcall hc = {};
	enum hv_next next;
	u64 *r = x->gpr;
	bool wide;
	u64 rip;

	x->core.stat.exits_hypercall++;
	if (hv_insn_next_rip(x, opcode, 3, &rip))
		return HV_NEXT_RESUME;
	wide = hv_v(long64)(x);
	if (!x->core.tlfs || hv_v(cpl)(x) || (!wide && !(hv_v(cr_get)(x, 0) & X86_CR0_PE))) {
		hv_inject_ud(x);
		return HV_NEXT_RESUME;
	}
	if (likely(wide)) {
		hc.control = r[HV_RCX];
		hc.in = r[HV_RDX];
		hc.out = r[HV_R8];
	} else {
		hc.control = (u32)r[HV_RAX] | r[HV_RDX] << 32;
		hc.in = (u32)r[HV_RCX] | r[HV_RBX] << 32;
		hc.out = (u32)r[HV_RSI] | r[HV_RDI] << 32;
	}
	next = hv_hypercall(&x->core, &hc);
	if (unlikely(hc.ud)) {
		hv_inject_ud(x);
		return next;
	}
	if (hc.restart) {
		if (wide) {
			r[HV_RCX] = hc.control;
		} else {
			r[HV_RAX] = (u32)hc.control;
			r[HV_RDX] = hc.control >> 32;
		}
		return next;
	}
	if (wide) {
		r[HV_RAX] = hc.result;
	} else {
		r[HV_RAX] = (u32)hc.result;
		r[HV_RDX] = hc.result >> 32;
	}
	hv_insn_retire(x, rip);
	return next;
}

static enum hv_next pio_to_user(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes, bool in)
{
	struct hv_run *run = x->core.run;

	run->pio.port = port;
	run->pio.bytes = bytes;
	run->pio.in = in;
	run->pio.count = 1;
	WRITE_ONCE(run->exit_kind, HV_EXIT_PIO);
	x->core.stat.user_pio++;
	return HV_NEXT_TO_USER;
}

/* An I/O breakpoint on the port just accessed: its trap, and a single step's with it. */
static void pio_break(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes)
{
	u32 hits;

	if (likely(!hv_dr_armed(x->dr7)) || !(hv_v(cr_get)(x, 4) & X86_CR4_DE))
		return;
	hits = hv_dr_hits(x->dr, x->dr7, port, bytes, HV_DR_IO);
	if (hits)
		hv_exit_db(x, hits | (x->rflags & X86_EFLAGS_TF ? HV_DR6_BS : 0));
}

enum hv_next hv_exit_pio(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes, bool in, bool string,
			 u64 next_rip)
{
	struct hv_pending *p = &x->core.pending;
	u64 val = x->gpr[HV_RAX];

	x->core.stat.exits_pio++;
	if (string || !next_rip)
		return hv_emulate_pio(x, port, bytes);
	if (in) {
		/* RIP moves when the answer is there: until then nothing has happened. */
		hv_pending_ask(p, HV_PENDING_PIO_IN, (u64)port << 32 | bytes, 0, 1);
		x->pio_next_rip = next_rip;
		return pio_to_user(x, port, bytes, true);
	}
	if (bytes < 8)
		val &= (1ULL << (bytes * 8)) - 1;
	hv_insn_retire(x, next_rip);
	pio_break(x, port, bytes);
	if (!hv_iobus_write_pio(&x->core, port, bytes, val))
		return HV_NEXT_RESUME;
	*(u32 *)((u8 *)x->core.run + HV_RUN_PIO_DATA) = val;
	return pio_to_user(x, port, bytes, false);
}

enum hv_next hv_arch_finish_pio_in(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	struct hv_pending *p = &vcpu->pending;
	unsigned int bytes = (u8)p->key;
	u32 val;

	if (!x->pio_next_rip) {
		/* String input, or a record from elsewhere: the instruction finds the answer. */
		return hv_emulate_answered(x, HV_GPA_NONE);
	}
	memcpy(&val, p->data, sizeof(val));
	hv_pending_clear(p);
	if (bytes == 4)
		x->gpr[HV_RAX] = val;
	else if (bytes == 2)
		x->gpr[HV_RAX] = (x->gpr[HV_RAX] & ~0xffffULL) | (u16)val;
	else
		x->gpr[HV_RAX] = (x->gpr[HV_RAX] & ~0xffULL) | (u8)val;
	hv_insn_retire(x, x->pio_next_rip);
	pio_break(x, p->key >> 32, bytes);
	x->pio_next_rip = 0;
	return HV_NEXT_RESUME;
}

enum hv_next hv_exit_slat(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u64 access)
{
	x->core.stat.exits_slat++;
	switch (hv_mmu_fault(x, gpa, access)) {
	case HV_SLAT_MMIO:
		/* Its tables or its stack lie in no memory: what a CPU reads there leads to a triple fault. */
		if (unlikely(x->ev.reinject))
			return hv_exit_shutdown(x);
		x->core.stat.mmio++;
		return hv_emulate_mmio(x, gpa, access & HV_SLAT_F_WRITE);
	case HV_SLAT_ERROR:
		return HV_NEXT_TO_USER;
	default:
		return HV_NEXT_RESUME;
	}
}

enum hv_next hv_exit_internal(struct hv_vcpu_x86 *x, u32 cause, u64 i0, u64 i1, u64 i2, u64 i3)
{
	struct hv_run *run = x->core.run;

	run->internal.cause = cause;
	run->internal.info[0] = i0;
	run->internal.info[1] = i1;
	run->internal.info[2] = i2;
	run->internal.info[3] = i3;
	WRITE_ONCE(run->exit_kind,
		   cause == HV_INTERNAL_ENTRY ? HV_EXIT_FAIL_ENTRY : HV_EXIT_INTERNAL);
	return HV_NEXT_TO_USER;
}

enum hv_next hv_exit_shutdown(struct hv_vcpu_x86 *x)
{
	WRITE_ONCE(x->mp_state, HV_MP_SHUTDOWN);
	hv_event(x->core.vm, &x->core, HV_EVENT_VCPU_SHUTDOWN, NULL);
	WRITE_ONCE(x->core.run->exit_kind, HV_EXIT_SHUTDOWN);
	return HV_NEXT_TO_USER;
}
