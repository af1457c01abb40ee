// SPDX-License-Identifier: GPL-2.0-only
/*
 * emul.c - the instruction executor's view of a vCPU
 *
 * Accesses go to guest memory or, where there is none, to devices. A device read that
 * user space must answer stops the instruction with -EAGAIN and a note in vcpu->pending;
 * executed again it makes the same accesses, and the note answers the one it was made
 * for. The note goes when the instruction (or the iteration) is done, not when it is read:
 * a store behind the read may have to wait for its page, and everything is executed once
 * more. A device write is passed on as the instruction retires.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include "x86.h"
#include "lib/debug_regs.h"
#include "lib/insn_exec.h"

#define REP_BUDGET	128

/* Linear address of the code bytes, and how many lie on this page. */
static unsigned int code_linear(struct hv_vcpu_x86 *x, enum hv_insn_mode mode, u64 *la)
{
	struct hv_rec_seg cs;

	if (likely(mode == HV_INSN_LONG64)) {
		*la = x->rip;
	} else {
		hv_v(seg_get)(x, HV_SEG_CS, &cs);
		*la = (u32)(cs.base + (u32)x->rip);
	}
	return PAGE_SIZE - offset_in_page(*la);
}

/* The entries a walk for code read, so that the page can be remembered by them. */
struct code_walk {
	struct hv_vcpu *vcpu;
	u32 n;
	hv_gpa_t gpa[5];
	u64 val[5];
};

static u64 read_entry_fast(void *cookie, u64 gpa)
{
	struct code_walk *w = cookie;
	u64 e;

	if (w->n == ARRAY_SIZE(w->gpa) || hv_gmem_read_fast(w->vcpu, gpa, &e, 8))
		return 0;
	w->gpa[w->n] = gpa;
	w->val[w->n++] = e;
	return e;
}

static int walk_read(void *cookie, u64 gpa, u64 *val, unsigned int size)
{
	*val = 0;
	return hv_gmem_read(cookie, gpa, val, size);
}

static int walk_cmpxchg(void *cookie, u64 gpa, u64 old, u64 new, unsigned int size)
{
	int ret = hv_gmem_cmpxchg(cookie, gpa, &old, new, size);

	return ret == -EAGAIN ? 1 : ret;
}

static const struct hv_gpt_ops walk_ops = { .read = walk_read, .cmpxchg = walk_cmpxchg };

int hv_gpt_translate(struct hv_vcpu_x86 *x, hv_gva_t gva, u32 access, struct hv_gpt_result *r)
{
	return hv_gpt_walk(hv_gpt_mode(x), &walk_ops, &x->core, gva, access, r);
}

/* The bytes at RIP, 4 or 16, if they are on the page remembered. */
static __always_inline int code_peek(struct hv_vcpu_x86 *x, void *buf, u32 n)
{
	return hv_gmem_code_peek(&x->core, hv_v(cr_get)(x, 3) & HV_GPTE_ADDR, x->rip, buf, n);
}

/* Up to @n code bytes from RIP on. Number fetched, or HV_INSN_FAULT-like negative errno. */
static int code_fetch(struct hv_vcpu_x86 *x, enum hv_insn_mode mode, u8 *buf, unsigned int n)
{
	const struct hv_gpt_mode *gpt = hv_gpt_mode(x);
	bool user = hv_v(cpl)(x) == 3;
	struct code_walk walk = { .vcpu = &x->core };
	struct hv_gpt_result r;
	unsigned int room, got;
	u64 la, gpa;
	int ret;

	room = code_linear(x, mode, &la);
	got = min(n, room);
	if (likely(hv_gpt_fetch_fast(gpt, la, user, read_entry_fast, &walk, &gpa) &&
		   !hv_gmem_read_fast(&x->core, gpa, buf, got))) {
		if (mode == HV_INSN_LONG64)
			hv_gmem_code_remember(&x->core, gpt->root, la, gpa, walk.gpa, walk.val,
					      walk.n);
		goto tail;
	}
	ret = hv_gpt_walk(gpt, &walk_ops, &x->core, la,
			  HV_GPT_FETCH | (user ? HV_GPT_USER : 0), &r);
	if (ret)
		return ret > 0 ? -EAGAIN : ret;
	ret = hv_gmem_read(&x->core, r.gpa, buf, got);
	if (ret)
		return ret;
tail:
	if (likely(got == n))
		return n;
	ret = hv_gpt_walk(gpt, &walk_ops, &x->core, la + got,
			  HV_GPT_FETCH | (user ? HV_GPT_USER : 0), &r);
	if (!ret && !hv_gmem_read(&x->core, r.gpa, buf + got, n - got))
		return n;
	return got;	/* enough, unless the instruction crosses: then the decoder says so */
}

int hv_insn_next_rip(struct hv_vcpu_x86 *x, u32 opcode, unsigned int n, u64 *rip)
{
	enum hv_insn_mode mode;
	u8 buf[HV_INSN_MAX_LEN];
	int got, len;

	u32 b;

	*rip = hv_v(next_rip)(x);
	if (*rip)
		return 0;
	/* The usual place and no prefix: one read of guest memory. */
	if (likely(hv_v(long64)(x) && !code_peek(x, &b, 4) && !((b ^ opcode) & (~0u >> (32 - 8 * n))))) {
		*rip = x->rip + n;
		x->core.stat.insn_decoded++;
		return 0;
	}
	mode = hv_cpu_mode(x);
	x->core.stat.insn_decoded++;
	got = code_fetch(x, mode, buf, 4);
	if (got < 0)
		return -EAGAIN;
	len = hv_insn_len_fixed(buf, got, opcode, n, mode);
	if (unlikely(len == -ENODATA)) {
		got = code_fetch(x, mode, buf, sizeof(buf));
		if (got < 0)
			return -EAGAIN;
		len = hv_insn_len_fixed(buf, got, opcode, n, mode);
	}
	if (len < 0)
		return -EAGAIN;
	*rip = x->rip + len;
	if (mode != HV_INSN_LONG64)
		*rip = (u32)*rip;
	return 0;
}

/* ---- memory and devices ------------------------------------------------------- */

struct emul {
	struct hv_insn_cpu cpu;
	struct hv_vcpu_x86 *x;
	hv_gpa_t gpa;		/* of the access that faulted, HV_GPA_NONE if none did */
	bool write;		/* it was a write */
	u64 port;		/* EMUL_PORT() that the CPU let the program use, 0: none */
	bool to_user;		/* the run page is filled */
	u32 dr_hits;		/* breakpoints its accesses hit, as DR6 has them */
};

#define emul_of(c)	container_of(c, struct emul, cpu)
#define EMUL_PORT(port, size)	((u64)(port) << 32 | (size))	/* as the note has it */

static int translate(struct emul *e, u64 la, u32 access, hv_gpa_t *gpa)
{
	struct hv_vcpu_x86 *x = e->x;
	struct hv_gpt_result r;
	u32 a = access & HV_INSN_WRITE ? HV_GPT_WRITE : HV_GPT_READ;
	int ret;

	if (e->cpu.cpl == 3 && !(access & HV_INSN_SYSTEM))
		a |= HV_GPT_USER;
	if (x->rflags & X86_EFLAGS_AC)
		a |= HV_GPT_AC;
	ret = hv_gpt_translate(x, la, a, &r);
	if (ret == HV_GPT_FAULT) {
		e->cpu.fault = (struct hv_insn_fault) {
			.vector = HV_VEC_PF, .has_error = true,
			.error = r.error_code, .addr = la,
		};
		return HV_INSN_FAULT;
	}
	*gpa = r.gpa;
	return ret;
}

/* The CPU watches what it executes itself; what is executed here is held against DR0-3 here. */
static void dr_watch(struct emul *e, u64 addr, unsigned int size, enum hv_dr_access access)
{
	struct hv_vcpu_x86 *x = e->x;

	if (likely(!hv_dr_armed(x->dr7)) ||
	    (access == HV_DR_IO && !(hv_v(cr_get)(x, 4) & X86_CR4_DE)))
		return;
	e->dr_hits |= hv_dr_hits(x->dr, x->dr7, addr, size, access);
}

static int device_read(struct emul *e, hv_gpa_t gpa, void *buf, unsigned int size)
{
	struct hv_vcpu_x86 *x = e->x;
	struct hv_pending *p = &x->core.pending;
	struct hv_run *run = x->core.run;
	u64 val = 0;

	if (p->kind == HV_PENDING_MMIO_READ && p->answered && p->key == gpa && p->len == size) {
		memcpy(buf, p->data, size);
		return 0;
	}
	if (size > 8)
		return -EOPNOTSUPP;
	if (!hv_lapic_mmio_read(x, gpa, size, &val) ||
	    !hv_ioapic_mmio_read(to_vm_x86(x->core.vm), gpa, size, &val) ||
	    !hv_iobus_read_mmio(&x->core, gpa, size, &val)) {
		memcpy(buf, &val, size);
		return 0;
	}
	hv_pending_ask(p, HV_PENDING_MMIO_READ, gpa, size, 0);
	run->mmio.gpa = gpa;
	run->mmio.bytes = size;
	run->mmio.write = 0;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	WRITE_ONCE(run->exit_kind, HV_EXIT_MMIO);
	x->core.stat.user_mmio++;
	e->to_user = true;
	return -EAGAIN;
}

static int device_write(struct emul *e, hv_gpa_t gpa, const void *buf, unsigned int size)
{
	struct hv_vcpu_x86 *x = e->x;
	struct hv_run *run = x->core.run;
	u64 val = 0;

	if (size > 8)
		return -EOPNOTSUPP;
	memcpy(&val, buf, size);
	if (!hv_lapic_mmio_write(x, gpa, size, val) ||
	    !hv_ioapic_mmio_write(to_vm_x86(x->core.vm), gpa, size, val) ||
	    !hv_iobus_write_mmio(&x->core, gpa, size, val))
		return 0;
	if (e->to_user)		/* a second one in this instruction: after the first was passed on */
		return -EAGAIN;
	run->mmio.gpa = gpa;
	run->mmio.bytes = size;
	run->mmio.write = 1;
	memcpy(run->mmio.data, &val, 8);
	WRITE_ONCE(run->exit_kind, HV_EXIT_MMIO);
	x->core.stat.user_mmio++;
	e->to_user = true;
	return HV_INSN_YIELD;
}

static int phys_read(struct emul *e, hv_gpa_t gpa, void *buf, unsigned int size)
{
	if (hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, false))
		return hv_gmem_read(&e->x->core, gpa, buf, size);
	return device_read(e, gpa, buf, size);
}

static int phys_write(struct emul *e, hv_gpa_t gpa, const void *buf, unsigned int size)
{
	if (hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, true))
		return hv_gmem_write(&e->x->core, gpa, buf, size);
	return device_write(e, gpa, buf, size);
}

static int op_mem_read(struct hv_insn_cpu *cpu, u64 la, void *buf, unsigned int size, u32 access)
{
	unsigned int first = min_t(unsigned int, size, PAGE_SIZE - offset_in_page(la));
	struct emul *e = emul_of(cpu);
	hv_gpa_t gpa, gpa2;
	int ret;

	if (!(access & HV_INSN_SYSTEM))
		dr_watch(e, la, size, HV_DR_READ);
	ret = translate(e, la, access, &gpa);
	if (ret)
		return ret;
	if (first == size)
		return phys_read(e, gpa, buf, size);
	ret = translate(e, la + first, access, &gpa2);
	if (ret)
		return ret;
	/* The note holds one answer: not both parts may be a device's. */
	if (!hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, false) &&
	    !hv_gmem_is_ram(&e->x->core, gpa2 >> PAGE_SHIFT, false))
		return -EOPNOTSUPP;
	ret = phys_read(e, gpa, buf, first);
	if (!ret)
		ret = phys_read(e, gpa2, buf + first, size - first);
	return ret;
}

static int op_mem_write(struct hv_insn_cpu *cpu, u64 la, const void *buf, unsigned int size,
			u32 access)
{
	unsigned int first = min_t(unsigned int, size, PAGE_SIZE - offset_in_page(la));
	struct emul *e = emul_of(cpu);
	hv_gpa_t gpa, gpa2;
	bool ram, ram2;
	int ret, ret2;

	if (!(access & HV_INSN_SYSTEM))
		dr_watch(e, la, size, HV_DR_WRITE);
	ret = translate(e, la, access | HV_INSN_WRITE, &gpa);
	if (ret)
		return ret;
	if (first == size)
		return phys_write(e, gpa, buf, size);
	ret = translate(e, la + first, access | HV_INSN_WRITE, &gpa2);
	if (ret)
		return ret;
	/* Only one part of a crossing access may be a device's: the run page carries one. */
	ram = hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, true);
	ram2 = hv_gmem_is_ram(&e->x->core, gpa2 >> PAGE_SHIFT, true);
	if (!ram && !ram2)
		return -EOPNOTSUPP;
	/* The device last: what comes before it may have to be done again. */
	if (ram2) {
		ret2 = phys_write(e, gpa2, buf + first, size - first);
		return ret2 ? ret2 : phys_write(e, gpa, buf, first);
	}
	ret = phys_write(e, gpa, buf, first);
	return ret ? ret : phys_write(e, gpa2, buf + first, size - first);
}

static int op_mem_probe(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access)
{
	unsigned int first = min_t(unsigned int, size, PAGE_SIZE - offset_in_page(la));
	struct emul *e = emul_of(cpu);
	hv_gpa_t gpa;
	int ret;

	ret = translate(e, la, access | HV_INSN_WRITE, &gpa);
	if (!ret && first < size)
		ret = translate(e, la + first, access | HV_INSN_WRITE, &gpa);
	return ret;
}

/* Odd sizes and crossings are not atomic, as a bus without LOCK. */
static int cmpxchg_split(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new,
			 unsigned int size, bool *done)
{
	u8 was[16];
	int ret = op_mem_read(cpu, la, was, size, 0);

	if (ret)
		return ret;
	*done = !memcmp(was, old, size);
	ret = op_mem_write(cpu, la, *done ? new : was, size, 0);
	memcpy(old, was, size);
	return ret;
}

static int op_mem_cmpxchg(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new,
			  unsigned int size, bool *done)
{
	struct emul *e = emul_of(cpu);
	u64 o = 0, n = 0, cur;
	hv_gpa_t gpa;
	int ret;

	dr_watch(e, la, size, HV_DR_WRITE);
	ret = translate(e, la, HV_INSN_WRITE, &gpa);
	if (ret)
		return ret;
	if ((size == 4 || size == 8) && !(la & (size - 1)) &&
	    hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, true)) {
		memcpy(&o, old, size);
		memcpy(&n, new, size);
		cur = o;
		ret = hv_gmem_cmpxchg(&e->x->core, gpa, &cur, n, size);
		*done = !ret;
		memcpy(old, &cur, size);
		return ret == -EAGAIN ? 0 : ret;
	}
	/* A device may answer each read otherwise: it was read once, and is written once. */
	if (!hv_gmem_is_ram(&e->x->core, gpa >> PAGE_SHIFT, true)) {
		*done = true;
		return op_mem_write(cpu, la, new, size, 0);
	}
	return cmpxchg_split(cpu, la, old, new, size, done);
}

/*
 * What the CPU has checked is the access that it left the guest for. The bytes may be another
 * instruction by now: the guest goes back to that one, and the CPU checks it.
 */
static int op_io_check(struct hv_insn_cpu *cpu, u16 port, unsigned int size)
{
	struct emul *e = emul_of(cpu);

	if (e->port == EMUL_PORT(port, size))
		return 0;
	/* An answer was for that other instruction, and is not waited with. */
	hv_pending_clear(&e->x->core.pending);
	return -EAGAIN;
}

/* String output: what no eventfd takes goes to user space with one exit. */
static int op_io_out(struct hv_insn_cpu *cpu, u16 port, unsigned int size, const void *buf,
		     unsigned int count)
{
	struct emul *e = emul_of(cpu);
	struct hv_run *run = e->x->core.run;
	u8 *out = (u8 *)run + HV_RUN_PIO_DATA;
	u32 i, n = 0;

	dr_watch(e, port, size, HV_DR_IO);
	for (i = 0; i < count; i++, buf += size) {
		u64 val = 0;

		memcpy(&val, buf, size);
		if (hv_iobus_write_pio(&e->x->core, port, size, val))
			memcpy(out + size * n++, buf, size);
	}
	if (!n)
		return 0;
	run->pio.port = port;
	run->pio.bytes = size;
	run->pio.in = 0;
	run->pio.count = n;
	WRITE_ONCE(run->exit_kind, HV_EXIT_PIO);
	e->to_user = true;
	e->x->core.stat.user_pio++;
	return HV_INSN_YIELD;
}

static int op_io_in(struct hv_insn_cpu *cpu, u16 port, unsigned int size, void *buf,
		    unsigned int count)
{
	struct emul *e = emul_of(cpu);
	struct hv_pending *p = &e->x->core.pending;
	u64 key = EMUL_PORT(port, size);

	dr_watch(e, port, size, HV_DR_IO);
	if (p->kind == HV_PENDING_PIO_IN && p->answered && p->key == key && p->step == count) {
		memcpy(buf, p->data, count * size);
		return HV_INSN_YIELD;
	}
	if (count * size > sizeof(p->data))
		return -EOPNOTSUPP;
	hv_pending_ask(p, HV_PENDING_PIO_IN, key, 0, count);
	e->x->pio_next_rip = 0;
	e->x->core.run->pio.port = port;
	e->x->core.run->pio.bytes = size;
	e->x->core.run->pio.in = 1;
	e->x->core.run->pio.count = count;
	WRITE_ONCE(e->x->core.run->exit_kind, HV_EXIT_PIO);
	e->x->core.stat.user_pio++;
	e->to_user = true;
	return -EAGAIN;
}

static void op_seg_get(struct hv_insn_cpu *cpu, unsigned int seg, struct hv_rec_seg *out)
{
	hv_v(seg_get)(emul_of(cpu)->x, seg, out);
}

static int op_cr_read(struct hv_insn_cpu *cpu, unsigned int cr, u64 *val)
{
	struct hv_vcpu_x86 *x = emul_of(cpu)->x;

	*val = cr == 8 ? hv_lapic_tpr_get(x) >> 4 : hv_v(cr_get)(x, cr);
	return 0;
}

static int op_cr_write(struct hv_insn_cpu *cpu, unsigned int cr, u64 val)
{
	if (!hv_cr_write(emul_of(cpu)->x, cr, val))
		return 0;
	cpu->fault = (struct hv_insn_fault) { .vector = HV_VEC_GP, .has_error = true };
	return HV_INSN_FAULT;
}

static int op_vec_read(struct hv_insn_cpu *cpu, unsigned int reg, void *buf, unsigned int size)
{
	return hv_fpu_vec_read(emul_of(cpu)->x, reg, buf, size);
}

static int op_vec_write(struct hv_insn_cpu *cpu, unsigned int reg, const void *buf,
			unsigned int size, bool clear_upper)
{
	return hv_fpu_vec_write(emul_of(cpu)->x, reg, buf, size, clear_upper);
}

static const struct hv_insn_ops emul_ops = {
	.mem_read = op_mem_read,
	.mem_write = op_mem_write,
	.mem_cmpxchg = op_mem_cmpxchg,
	.mem_probe = op_mem_probe,
	.io_in = op_io_in,
	.io_out = op_io_out,
	.io_check = op_io_check,
	.seg_get = op_seg_get,
	.cr_read = op_cr_read,
	.cr_write = op_cr_write,
	.vec_read = op_vec_read,
	.vec_write = op_vec_write,
};

/* ---- running one instruction --------------------------------------------------- */

static enum hv_next emulation_failed(struct hv_vcpu_x86 *x, const u8 *bytes)
{
	u64 b[2];

	memcpy(b, bytes, 8);
	b[1] = 0;
	memcpy(&b[1], bytes + 8, 7);
	return hv_exit_internal(x, HV_INTERNAL_EMULATION, x->rip, b[0], b[1], hv_cpu_mode(x));
}

/* The trap of breakpoints that were hit; it takes a single step's along. */
static void dr_trap(struct emul *e)
{
	struct hv_vcpu_x86 *x = e->x;

	if (unlikely(e->dr_hits))
		hv_exit_db(x, e->dr_hits | (x->rflags & X86_EFLAGS_TF ? HV_DR6_BS : 0));
}

/* The host could not give the memory: user space may do something about it and run again. */
static enum hv_next memory_failed(struct hv_vcpu_x86 *x)
{
	const struct hv_gmem_fault *f = &x->core.gmem_fault;

	return hv_exit_memory_fault(&x->core, f->gpa, f->write, f->error);
}

static void retire(struct emul *e)
{
	struct hv_vcpu_x86 *x = e->x;

	x->core.stat.insn_executed++;
	hv_pending_clear(&x->core.pending);
	hv_insn_retire(x, e->cpu.rip);
	dr_trap(e);
	x->rflags = e->cpu.rflags;
	if (e->cpu.out & HV_INSN_OUT_SHADOW)
		hv_v(int_shadow_set)(x, 1);
}

static enum hv_next execute(struct emul *e, const u8 *bytes, const struct hv_insn *insn)
{
	struct hv_vcpu_x86 *x = e->x;

	e->cpu = (struct hv_insn_cpu) {
		.ops = &emul_ops, .gpr = x->gpr, .rip = x->rip, .rflags = x->rflags,
		.mode = insn->mode, .cpl = hv_v(cpl)(x),
		/* a trap an iteration */
		.budget = x->rflags & X86_EFLAGS_TF || hv_dr_armed(x->dr7) ? 1 : REP_BUDGET,
		.la57 = x->gpt.levels == 5, .umip = false,
	};
	switch (hv_insn_exec(insn, &e->cpu)) {
	case HV_INSN_DONE:
		retire(e);
		break;
	case HV_INSN_PARTIAL:
		/* The finished iterations stay; their device answer is used up. */
		if (x->rflags & X86_EFLAGS_TF)
			hv_insn_step_trap(x);
		dr_trap(e);
		x->rflags = e->cpu.rflags;
		hv_pending_clear(&x->core.pending);
		break;
	case HV_INSN_FAULT:
		hv_pending_clear(&x->core.pending);
		hv_inject_exception(x, e->cpu.fault.vector, e->cpu.fault.has_error,
				    e->cpu.fault.error, e->cpu.fault.addr);
		break;
	case -EAGAIN:
	case -EINTR:
		break;
	default:
		return x->core.gmem_fault.error ? memory_failed(x) : emulation_failed(x, bytes);
	}
	return e->to_user ? HV_NEXT_TO_USER : HV_NEXT_RESUME;
}

/*
 * The common case of MMIO: a plain move whose guest-physical address the CPU reported.
 * No page walk, no executor. False: not that simple.
 */
static bool plain_move(struct emul *e, const struct hv_insn *insn, enum hv_next *next)
{
	struct hv_vcpu_x86 *x = e->x;
	struct hv_insn_move m;
	u64 val = 0;
	int ret;

	/* Breakpoints are for linear addresses: the executor has them. */
	if (e->gpa == HV_GPA_NONE || hv_dr_armed(x->dr7) || !hv_insn_as_move(insn, &m) ||
	    offset_in_page(e->gpa) + m.size > PAGE_SIZE)
		return false;
	/* Not checked by the CPU: another instruction stood there. */
	if (m.write && !e->write)
		return false;
	/* An answer to less than that is to a part of an access that crosses pages. */
	if (x->core.pending.answered && x->core.pending.len != m.size)
		return false;
	if (m.write) {
		val = hv_insn_move_value(&m, x->gpr);
		ret = device_write(e, e->gpa, &val, m.size);
	} else {
		ret = device_read(e, e->gpa, &val, m.size);
		if (!ret)
			x->gpr[m.gpr] = hv_insn_move_result(&m, x->gpr[m.gpr], val);
	}
	if (ret >= 0) {
		u64 rip = x->rip + insn->len;

		x->core.stat.insn_executed++;
		hv_pending_clear(&x->core.pending);
		hv_insn_retire(x, insn->mode == HV_INSN_LONG64 ? rip : (u32)rip);
	} else if (ret != -EAGAIN) {
		return false;
	}
	*next = e->to_user ? HV_NEXT_TO_USER : HV_NEXT_RESUME;
	return true;
}

/*
 * A wait keeps the answer. Else the guest's own fetch will fault, or find the code: whoever
 * took the mapping away from under an instruction gets the device read again.
 */
static enum hv_next fetch_failed(struct hv_vcpu_x86 *x, int error)
{
	if (error == -EINTR)
		return HV_NEXT_RESUME;
	if (x->core.gmem_fault.error)
		return memory_failed(x);
	hv_pending_clear(&x->core.pending);
	return HV_NEXT_RESUME;
}

static enum hv_next emulate(struct emul *e)
{
	struct hv_vcpu_x86 *x = e->x;
	enum hv_insn_mode mode = hv_cpu_mode(x);
	u8 bytes[HV_INSN_MAX_LEN + 1] = {};
	const struct hv_insn *insn = &x->insn;
	enum hv_next next;
	int n, ret;

	x->core.stat.insn_decoded++;
	x->core.gmem_fault.error = 0;
	/* The same bytes as last time mean the same instruction. */
	if (likely(e->gpa != HV_GPA_NONE && hv_v(long64)(x) && !code_peek(x, bytes, 16) &&
		   x->insn_mode == HV_INSN_LONG64 && !memcmp(bytes, x->insn_bytes, insn->len))) {
		if (plain_move(e, insn, &next))
			return next;
		return execute(e, bytes, insn);
	}
	/* The CPU delivers the bytes with a SLAT fault on data only; later they may be another's. */
	n = e->gpa != HV_GPA_NONE && !x->core.pending.answered ? hv_v(insn_bytes)(x, bytes) : 0;
	if (!n)
		n = code_fetch(x, mode, bytes, HV_INSN_MAX_LEN);
	if (n < 0)
		return fetch_failed(x, n);
	x->insn_mode = HV_INSN_MODE_NONE;
	ret = hv_insn_decode(bytes, n, mode, &x->insn);
	if (ret == -ENODATA)
		return fetch_failed(x, -EAGAIN);
	if (ret == -EINVAL) {
		hv_pending_clear(&x->core.pending);
		hv_inject_ud(x);
		return HV_NEXT_RESUME;
	}
	if (ret)
		return emulation_failed(x, bytes);
	memcpy(x->insn_bytes, bytes, sizeof(x->insn_bytes));
	x->insn_mode = mode;
	if (plain_move(e, insn, &next))
		return next;
	return execute(e, bytes, insn);
}

enum hv_next hv_emulate(struct hv_vcpu_x86 *x)
{
	struct emul e = { .x = x, .gpa = HV_GPA_NONE };

	hv_pending_clear(&x->core.pending);
	return emulate(&e);
}

enum hv_next hv_emulate_mmio(struct hv_vcpu_x86 *x, hv_gpa_t gpa, bool write)
{
	struct emul e = { .x = x, .gpa = gpa, .write = write };

	hv_pending_clear(&x->core.pending);
	return emulate(&e);
}

enum hv_next hv_emulate_pio(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes)
{
	struct emul e = { .x = x, .gpa = HV_GPA_NONE, .port = EMUL_PORT(port, bytes) };

	hv_pending_clear(&x->core.pending);
	return emulate(&e);
}

enum hv_next hv_emulate_answered(struct hv_vcpu_x86 *x, hv_gpa_t gpa)
{
	struct emul e = { .x = x, .gpa = gpa };

	/* Only a read has an answer, and only a port that the program may use was asked. */
	if (x->core.pending.kind == HV_PENDING_PIO_IN)
		e.port = x->core.pending.key;
	return emulate(&e);
}

/* If it is a plain move, the access the note was made for is its only one. */
enum hv_next hv_arch_finish_mmio(struct hv_vcpu *vcpu)
{
	return hv_emulate_answered(to_x86(vcpu), vcpu->pending.key);
}

int hv_arch_vcpu_translate(struct hv_vcpu *vcpu, struct hv_translate_args *args)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	struct hv_gpt_result r;
	u32 access = HV_GPT_PEEK;
	int ret;

	access |= args->flags & HV_TRANSLATE_F_WRITE ? HV_GPT_WRITE : 0;
	access |= args->flags & HV_TRANSLATE_F_EXEC ? HV_GPT_FETCH : 0;
	access |= args->flags & HV_TRANSLATE_F_USER ? HV_GPT_USER : 0;
	ret = hv_gpt_translate(x, args->gva, access, &r);
	if (ret < 0)
		return ret;
	args->gpa = ret ? 0 : r.gpa;
	args->fault = ret ? r.error_code | HV_TRANSLATE_FAULT : 0;
	return 0;
}
