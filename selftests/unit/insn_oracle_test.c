// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_oracle_test.c - decoder and executor against the real CPU
 *
 *	insn_oracle_test [instances [seed]]
 *
 * Makes random instructions with random registers, executes each with
 * insn_exec on a copy of memory, then on the CPU, single-stepped, and compares
 * registers, flags, memory, and the vector, error code and address of faults.
 * 64-bit code, and by segments of the LDT also 32-bit and 16-bit code, with
 * expand-down, read-only and short data segments.
 *
 * The CPU is entered by a signal handler that changes the interrupted
 * context, and left by the trap or fault that follows, in whose handler the
 * context is put back; so one instance costs two signals.
 *
 * Only what insn_exec executes is run for real (and what the decoder calls
 * invalid): no system calls, no far transfers, no segment loads. Anything that
 * would touch memory other than the scratch area is not run either.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "arch/x86/lib/insn_exec.h"
#include "lib/unit.h"

#define CODE		0x10000000ull
#define SCRATCH		0x20000000ull
#define SCRATCH_SIZE	0x10000u
#define PAGE		4096u
#define HOLE_PAGE	4u		/* not mapped */
#define RO_PAGE		8u		/* read-only */
/* Around the scratch area nothing is mapped. */
#define MARGIN		0x10000ull

#define TRACE_MAX	64u

/* Argument of modify_ldt(2). */
struct user_desc {
	unsigned int entry_number, base_addr, limit;
	unsigned int seg_32bit:1, contents:2, read_exec_only:1, limit_in_pages:1;
	unsigned int seg_not_present:1, useable:1, lm:1;
};

enum space { SPACE_LONG, SPACE_FLAT32, SPACE_SEG32, SPACE_SEG16, SPACE_NR };

/* One instance: what goes in, and what came out of one of the two. */
struct state {
	u64 gpr[HV_GPR_NR];
	u64 rip, rflags;
	u8 vec[16][32];
	int vector;		/* 1 for the single step */
	u32 error;
	u64 addr;
};

struct touch {
	u64 la;
	unsigned int size;
};

static struct {
	u8 mem[SCRATCH_SIZE];	/* the model's copy */
	struct touch touched[TRACE_MAX];
	unsigned int n;
	bool outside;		/* went where the CPU must not follow */
	enum space space;
	struct hv_rec_seg seg[HV_SEG_NR];
} model;

static u64 seed;
static const struct state *enter;	/* for the handlers */
static struct state *volatile leave;
static ucontext_t saved;
static bool have_ldt, have_avx;
static u16 sel_code32, sel_code16, sel_data16, sel_down, sel_ro, sel_short;
static unsigned long ran[SPACE_NR], faulted[SPACE_NR], skipped;
static unsigned long op_ran[HV_INSN_OP_NR];

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* --- the CPU */

/* AC, NT and ID survive into a handler and into what follows it. */
static inline void clear_odd_flags(void)
{
	__asm__ volatile("pushfq; andl $~0x244000, (%%rsp); popfq" ::: "cc", "memory");
}

static const int greg[HV_GPR_NR] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/*
 * Vector registers in the signal frame: FXSAVE layout, then the XSAVE header
 * at 512 and the upper halves at 576 (SDM volume 1, 13.4). None of them is
 * alive across the call that raises the signal, so they are not put back.
 */
static void exchange_vectors(void *ctx, u8 (*vec)[32], bool set)
{
	u8 *fx = (u8 *)((ucontext_t *)ctx)->uc_mcontext.fpregs;
	unsigned int i;
	u64 have;

	memcpy(&have, fx + 512, 8);
	for (i = 0; i < 16; i++) {
		if (set) {
			memcpy(fx + 160 + 16 * i, vec[i], 16);
			if (have_avx)
				memcpy(fx + 576 + 16 * i, vec[i] + 16, 16);
		} else {
			memcpy(vec[i], fx + 160 + 16 * i, 16);
			memset(vec[i] + 16, 0, 16);
			if (have_avx && (have & 4))
				memcpy(vec[i] + 16, fx + 576 + 16 * i, 16);
		}
	}
	have |= 2 | (have_avx ? 4 : 0);
	if (set)
		memcpy(fx + 512, &have, 8);
}

static void on_enter(int sig, siginfo_t *info, void *ctx)
{
	greg_t *g = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	u64 cs = 0x33, ss = 0x2b;
	unsigned int i;

	(void)sig;
	(void)info;
	memcpy(saved.uc_mcontext.gregs, g, sizeof(saved.uc_mcontext.gregs));
	for (i = 0; i < HV_GPR_NR; i++)
		g[greg[i]] = (greg_t)enter->gpr[i];
	exchange_vectors(ctx, (u8 (*)[32])enter->vec, true);
	g[REG_RIP] = (greg_t)enter->rip;
	g[REG_EFL] = (greg_t)enter->rflags;
	if (model.space != SPACE_LONG) {
		cs = model.seg[HV_SEG_CS].selector;
		ss = model.seg[HV_SEG_SS].selector;
	}
	g[REG_CSGSFS] = (greg_t)(((u64)g[REG_CSGSFS] & 0x0000ffffffff0000ull) | cs | ss << 48);
}

static void on_leave(int sig, siginfo_t *info, void *ctx)
{
	greg_t *g = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	unsigned int i;

	clear_odd_flags();
	(void)sig;
	(void)info;
	if (!leave) {			/* not in the middle of an instance: a bug of the test */
		static const char text[] = "insn_oracle_test: stray fault\n";

		if (write(2, text, sizeof(text) - 1) < 0)
			_exit(4);
		_exit(3);
	}
	for (i = 0; i < HV_GPR_NR; i++)
		leave->gpr[i] = (u64)g[greg[i]];
	exchange_vectors(ctx, leave->vec, false);
	leave->rip = (u64)g[REG_RIP];
	leave->rflags = (u64)g[REG_EFL];
	leave->vector = (int)g[REG_TRAPNO];
	leave->error = (u32)g[REG_ERR];
	leave->addr = (u64)g[REG_CR2];
	leave = NULL;
	memcpy(g, saved.uc_mcontext.gregs, sizeof(saved.uc_mcontext.gregs));
}

static int install(void)
{
	static const int leaving[] = { SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 1 << 17 };
	unsigned int i;

	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL))
		return -1;
	sigfillset(&sa.sa_mask);
	sa.sa_sigaction = on_enter;
	if (sigaction(SIGUSR1, &sa, NULL))
		return -1;
	sa.sa_sigaction = on_leave;
	for (i = 0; i < ARRAY_SIZE(leaving); i++) {
		sigdelset(&sa.sa_mask, leaving[i]);
		if (sigaction(leaving[i], &sa, NULL))
			return -1;
	}
	return 0;
}

static void load_ds_es(u16 ds, u16 es)
{
	__asm__ volatile("mov %0, %%ds; mov %1, %%es" :: "r"(ds), "r"(es));
}

static void run_cpu(const struct state *in, struct state *out)
{
	enter = in;
	leave = out;
	if (model.space != SPACE_LONG)
		load_ds_es(model.seg[HV_SEG_DS].selector, model.seg[HV_SEG_ES].selector);
	syscall(SYS_tgkill, getpid(), (int)syscall(SYS_gettid), SIGUSR1);
	if (model.space != SPACE_LONG)
		load_ds_es(0x2b, 0x2b);
}

static u16 ldt_entry(unsigned int nr, struct user_desc d)
{
	d.entry_number = nr;
	return syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)) ? 0 : (u16)(nr << 3 | 7);
}

static int set_up(void)
{
	u8 *p = mmap((void *)CODE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	u8 *m = mmap((void *)SCRATCH, SCRATCH_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (u8 *)CODE || m != (u8 *)SCRATCH || install())
		return -1;
	memset(m, 1, SCRATCH_SIZE);
	memset(model.mem, 1, SCRATCH_SIZE);
	if (mprotect(m + HOLE_PAGE * PAGE, PAGE, PROT_NONE) || mprotect(m + RO_PAGE * PAGE, PAGE, PROT_READ))
		return -1;
	sel_code32 = ldt_entry(0, (struct user_desc){ .limit = 0xfffff, .limit_in_pages = 1,
				.seg_32bit = 1, .contents = 2, .useable = 1 });
	sel_code16 = ldt_entry(1, (struct user_desc){ .base_addr = CODE, .limit = 0xffff,
				.contents = 2, .useable = 1 });
	sel_data16 = ldt_entry(2, (struct user_desc){ .base_addr = SCRATCH, .limit = 0xffff, .useable = 1 });
	sel_down = ldt_entry(3, (struct user_desc){ .base_addr = SCRATCH, .limit = 0x1fff,
				.contents = 1, .useable = 1 });
	sel_ro = ldt_entry(4, (struct user_desc){ .base_addr = SCRATCH, .limit = 0xffff,
				.read_exec_only = 1, .useable = 1 });
	sel_short = ldt_entry(5, (struct user_desc){ .base_addr = SCRATCH, .limit = 0x57ff, .useable = 1,
				.seg_32bit = 1 });
	have_ldt = sel_code32 && sel_code16 && sel_data16 && sel_down && sel_ro && sel_short;
	have_avx = __builtin_cpu_supports("avx");
	return 0;
}

/* --- the model's callbacks */

static int page_fault(struct hv_insn_cpu *cpu, u64 la, u32 access, bool present)
{
	cpu->fault = (struct hv_insn_fault){
		.vector = HV_VEC_PF, .has_error = true, .addr = la,
		.error = 4 | (access & HV_INSN_WRITE ? 2 : 0) | (present ? 1 : 0),
	};
	return HV_INSN_FAULT;
}

/* May the model touch this? Fills in the fault, or says that the CPU must not try. */
static int check_touch(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access)
{
	u64 at, page;
	unsigned int i;

	if (la < SCRATCH - MARGIN || la > SCRATCH + SCRATCH_SIZE + MARGIN) {
		model.outside = true;
		return -EFAULT;
	}
	for (i = 0; i < size; i++) {
		at = la + i;
		page = (at - SCRATCH) / PAGE;
		if (at < SCRATCH || at >= SCRATCH + SCRATCH_SIZE || page == HOLE_PAGE)
			return page_fault(cpu, at, access, false);
		if (page == RO_PAGE && (access & HV_INSN_WRITE))
			return page_fault(cpu, at, access, true);
	}
	if (model.n < TRACE_MAX)
		model.touched[model.n++] = (struct touch){ la, size };
	return 0;
}

static int mem_read(struct hv_insn_cpu *cpu, u64 la, void *buf, unsigned int size, u32 access)
{
	int ret = check_touch(cpu, la, size, access);

	if (!ret)
		memcpy(buf, model.mem + (la - SCRATCH), size);
	return ret;
}

static int mem_write(struct hv_insn_cpu *cpu, u64 la, const void *buf, unsigned int size, u32 access)
{
	int ret = check_touch(cpu, la, size, access | HV_INSN_WRITE);

	if (!ret)
		memcpy(model.mem + (la - SCRATCH), buf, size);
	return ret;
}

static int mem_cmpxchg(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new, unsigned int size,
		       bool *done)
{
	int ret = check_touch(cpu, la, size, HV_INSN_WRITE);
	u8 *m = model.mem + (la - SCRATCH);

	if (ret)
		return ret;
	*done = !memcmp(m, old, size);
	if (*done)
		memcpy(m, new, size);
	else
		memcpy(old, m, size);
	return 0;
}

static int mem_probe(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access)
{
	return check_touch(cpu, la, size, access | HV_INSN_WRITE);
}

static int no_port(struct hv_insn_cpu *cpu, u16 port, unsigned int size)
{
	(void)port;
	(void)size;
	cpu->fault = (struct hv_insn_fault){ .vector = HV_VEC_GP, .has_error = true };
	return HV_INSN_FAULT;
}

static void seg_get(struct hv_insn_cpu *cpu, unsigned int seg, struct hv_rec_seg *out)
{
	(void)cpu;
	*out = model.seg[seg];
}

static int vec_read(struct hv_insn_cpu *cpu, unsigned int reg, void *buf, unsigned int size)
{
	memcpy(buf, ((struct state *)cpu->ctx)->vec[reg], size);
	return 0;
}

static int vec_write(struct hv_insn_cpu *cpu, unsigned int reg, const void *buf, unsigned int size,
		     bool clear_upper)
{
	u8 *vec = ((struct state *)cpu->ctx)->vec[reg];

	memcpy(vec, buf, size);
	if (clear_upper)
		memset(vec + size, 0, 32 - size);
	return 0;
}

static const struct hv_insn_ops ops = {
	.mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg,
	.mem_probe = mem_probe, .seg_get = seg_get, .io_check = no_port,
	.vec_read = vec_read, .vec_write = vec_write,
};

/* --- instances */

static void set_segments(enum space space)
{
	struct hv_rec_seg flat = { 0, 0xffffffff, 0x2b, 0xcf3 };
	struct hv_rec_seg data16 = { SCRATCH, 0xffff, sel_data16, 0x0f3 };
	struct hv_rec_seg odd[] = {
		{ SCRATCH, 0x1fff, sel_down, 0x0f7 }, { SCRATCH, 0xffff, sel_ro, 0x0f1 },
		{ SCRATCH, 0x57ff, sel_short, 0x4f3 }, data16,
	};
	unsigned int i;

	model.space = space;
	for (i = 0; i < HV_SEG_NR; i++)
		model.seg[i] = space == SPACE_SEG16 ? data16 : flat;
	/* FS and GS stay the process's own: never run. */
	model.seg[HV_SEG_FS].base = model.seg[HV_SEG_GS].base = 0;
	model.seg[HV_SEG_FS].selector = model.seg[HV_SEG_GS].selector = 0;
	model.seg[HV_SEG_CS] = (struct hv_rec_seg){ 0, 0xffffffff, 0x33, 0xafb };
	if (space == SPACE_FLAT32 || space == SPACE_SEG32)
		model.seg[HV_SEG_CS] = (struct hv_rec_seg){ 0, 0xffffffff, sel_code32, 0xcfb };
	if (space == SPACE_SEG16)
		model.seg[HV_SEG_CS] = (struct hv_rec_seg){ CODE, 0xffff, sel_code16, 0x0fb };
	if (space == SPACE_SEG32 || (space == SPACE_SEG16 && rnd() % 4 == 0)) {
		model.seg[HV_SEG_DS] = odd[rnd() % 4];
		model.seg[HV_SEG_ES] = odd[rnd() % 4];
		if (rnd() % 2)
			model.seg[HV_SEG_SS] = odd[rnd() % 2 ? 0 : 2];
	}
}

static u64 random_value(void)
{
	u64 r = rnd(), v = rnd();

	switch (r & 7) {
	case 0:
		return v & 15;
	case 1:
		return 0 - (v & 15);
	case 2:
		return 1ull << (v & 63);
	case 3:
		return (1ull << (v & 63)) - 1;
	case 4:
		return v & 0xffffffff;
	default:
		return v;
	}
}

/* Somewhere in the scratch area, often near a page boundary. */
static u64 random_spot(void)
{
	u64 r = rnd(), spot = (r >> 8) % SCRATCH_SIZE;

	if (r % 8 == 0)
		spot = (((r >> 8) % 17) * PAGE - 16 + (r >> 16) % 32) % SCRATCH_SIZE;
	if (r % 64 == 1)
		spot = r >> 32;
	return SCRATCH + spot;
}

static unsigned int random_bytes(u8 *b)
{
	static const u8 prefixes[] = {
		0x66, 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0xf0, 0xf0,
		0x48, 0x48, 0x49, 0x4c, 0x41, 0x44, 0x42, 0x40, 0x4f,
	};
	static const u8 moves[] = {
		0x10, 0x11, 0x28, 0x29, 0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6, 0xe7, 0xf0,
	};
	unsigned int i, n = 0;
	u64 r = rnd();

	for (i = 0; i < 16; i++)
		b[i] = (u8)(rnd() >> 24);
	if (r & 3)
		for (i = r >> 2 & 3; i; i--)
			b[n++] = prefixes[rnd() % sizeof(prefixes)];
	switch (r >> 8 & 15) {
	case 0: case 1: case 2: case 3: case 4:
		b[n++] = 0x0f;
		break;
	case 5:
		b[n++] = 0x0f;
		b[n++] = 0x38;
		b[n++] = (u8)(0xf0 | (r >> 16 & 1));
		break;
	case 6: case 7:		/* strings */
		b[n++] = (u8)(r >> 16 & 1 ? 0xa4 + (r >> 20) % 12 : 0x6c + (r >> 20) % 4);
		break;
	case 8:			/* vector moves */
		if (r >> 16 & 1) {
			b[n++] = (u8)(0xc4 + (r >> 17 & 1));
			if (r >> 17 & 1)
				b[n++] = (u8)((r >> 20 & 0x87) | 0x78);
			else
				b[n++] = (u8)(r >> 20 & 0xe0) | 1;
			if (!(r >> 17 & 1))
				b[n++] = (u8)((r >> 28 & 0x87) | 0x78);
		} else {
			b[n++] = 0x0f;
		}
		b[n++] = moves[(r >> 40) % sizeof(moves)];
		break;
	default:
		break;
	}
	return n;
}

/* Overwrites displacement bytes so that the operand lies at @off. */
static void patch_displacement(u8 *b, enum hv_insn_mode mode, struct hv_insn *insn, u64 off)
{
	unsigned int width = insn->dst == HV_OPND_MOFFS || insn->src == HV_OPND_MOFFS ? insn->addrsize :
		insn->addrsize == 2 ? 2 : 4, pos;
	struct hv_insn again;
	u8 old[8];

	for (pos = 1; pos + width <= insn->len; pos++) {
		memcpy(old, b + pos, width);
		memcpy(b + pos, &off, width);
		if (!hv_insn_decode(b, 15, mode, &again) && again.op == insn->op && again.len == insn->len &&
		    (((u64)again.disp - off) << (64 - 8 * width)) == 0) {
			*insn = again;
			return;
		}
		memcpy(b + pos, old, width);
	}
}

static u64 segment_base(unsigned int seg)
{
	return model.space == SPACE_LONG ? 0 : model.seg[seg].base;
}

/* Points the registers of the memory operand into the scratch area. */
static void aim(u8 *b, enum hv_insn_mode mode, struct hv_insn *insn, struct state *s)
{
	u64 off = random_spot() - segment_base(insn->seg), index = 0;

	if (insn->op >= HV_INSN_OP_BT && insn->op <= HV_INSN_OP_BTC && rnd() % 8)
		s->gpr[insn->reg] = (u64)((s64)(rnd() % 8192) - 4096);
	if (insn->base == insn->index && insn->base != HV_GPR_NONE) {
		if (insn->scale == 0 && !((off - (u64)insn->disp) & 1))
			s->gpr[insn->base] = (off - (u64)insn->disp) / 2;
		return;
	}
	if (insn->index != HV_GPR_NONE) {
		if (rnd() % 4)
			s->gpr[insn->index] &= 0xff;
		index = s->gpr[insn->index] << insn->scale;
	}
	if (insn->base == HV_GPR_RIP)
		patch_displacement(b, mode, insn, off - (s->rip + insn->len));
	else if (insn->base == HV_GPR_NONE)
		patch_displacement(b, mode, insn, off - index);
	else
		s->gpr[insn->base] = off - (u64)insn->disp - index;
}

static void random_state(struct state *s, enum space space)
{
	unsigned int i;

	for (i = 0; i < HV_GPR_NR; i++)
		s->gpr[i] = random_value();
	for (i = 0; i < 16 * 4; i++)
		memcpy(s->vec[i / 4] + i % 4 * (have_avx ? 8 : 4), &(u64){ rnd() }, 8);
	s->gpr[HV_GPR_RSP] = random_spot() - segment_base(HV_SEG_SS);
	if (rnd() % 16)
		s->gpr[HV_GPR_RSP] &= ~7ull;
	if (rnd() % 2)
		s->gpr[HV_GPR_RBP] = random_spot() - segment_base(HV_SEG_SS);
	s->gpr[HV_GPR_RSI] = random_spot() - segment_base(HV_SEG_DS);
	s->gpr[HV_GPR_RDI] = random_spot() - segment_base(HV_SEG_ES);
	if (rnd() % 16 == 0)		/* upper halves that a 32-bit address ignores */
		for (i = 0; i < 3; i++)
			s->gpr[i ? HV_GPR_RSI + i - 1 : HV_GPR_RCX] |= rnd() << 32;
	if (rnd() % 4 == 0)
		s->gpr[HV_GPR_RBX] = random_spot() - segment_base(HV_SEG_DS);
	if (rnd() % 2)
		s->gpr[HV_GPR_RCX] &= 7;
	s->rip = space == SPACE_SEG16 ? 0x100 : CODE + 0x100;
	s->rflags = 0x202 | HV_FLAG_TF | (rnd() & HV_FLAG_ARITH) | (rnd() & rnd() & HV_FLAG_DF);
	if (space != SPACE_LONG) {
		for (i = 0; i < HV_GPR_NR; i++)
			s->gpr[i] = (u32)s->gpr[i];
	}
}

/* What must not run for real even though it is known. */
static bool keep_off(const struct hv_insn *insn)
{
	switch (insn->op) {
	case HV_INSN_OP_INT: case HV_INSN_OP_INT3: case HV_INSN_OP_INTO: case HV_INSN_OP_OTHER:
	case HV_INSN_OP_SGDT: case HV_INSN_OP_SIDT: case HV_INSN_OP_SLDT: case HV_INSN_OP_STR:
	case HV_INSN_OP_SMSW: case HV_INSN_OP_CPUID:
		return true;
	case HV_INSN_OP_NOP:		/* CLFLUSH checks its operand; hardware did that */
		return insn->map == 1 && insn->opcode == 0xae;
	default:
		if ((insn->flags & HV_INSN_F_VEX) && !have_avx)
			return true;
		return (insn->flags & HV_INSN_F_SEG) && insn->seg >= HV_SEG_FS;
	}
}

static unsigned int shift_count(const struct hv_insn *insn, const struct state *in)
{
	bool by_cl = insn->src == HV_OPND_CL || (insn->src == HV_OPND_REG && (insn->opcode & 1));
	u64 count = by_cl ? in->gpr[HV_GPR_RCX] : insn->src == HV_OPND_ONE ? 1 : insn->imm;

	return count & (insn->opsize == 8 ? 63 : 31);
}

/* A double shift by more than the operand's width has no defined result at all. */
static bool undefined_result(const struct hv_insn *insn, const struct state *in)
{
	return (insn->op == HV_INSN_OP_SHLD || insn->op == HV_INSN_OP_SHRD) &&
		shift_count(insn, in) > 8u * insn->opsize;
}

/* Flags the architecture leaves undefined; CPUs differ in them. */
static u64 undefined_flags(const struct hv_insn *insn, const struct state *in, const struct state *out)
{
	unsigned int width = 8u * insn->opsize, count;
	u64 mask = 0;

	switch (insn->op) {
	case HV_INSN_OP_OR: case HV_INSN_OP_AND: case HV_INSN_OP_XOR: case HV_INSN_OP_TEST:
		return HV_FLAG_AF;
	case HV_INSN_OP_MUL: case HV_INSN_OP_IMUL: case HV_INSN_OP_IMUL2: case HV_INSN_OP_IMUL3:
		return HV_FLAG_SF | HV_FLAG_ZF | HV_FLAG_AF | HV_FLAG_PF;
	case HV_INSN_OP_DIV: case HV_INSN_OP_IDIV:
		return HV_FLAG_ARITH;
	case HV_INSN_OP_BSF: case HV_INSN_OP_BSR:
		return HV_FLAG_ARITH & ~HV_FLAG_ZF;
	case HV_INSN_OP_BT: case HV_INSN_OP_BTS: case HV_INSN_OP_BTR: case HV_INSN_OP_BTC:
	case HV_INSN_OP_TZCNT: case HV_INSN_OP_LZCNT:
		return HV_FLAG_OF | HV_FLAG_SF | HV_FLAG_AF | HV_FLAG_PF;
	case HV_INSN_OP_AAA: case HV_INSN_OP_AAS:
		return HV_FLAG_OF | HV_FLAG_SF | HV_FLAG_ZF | HV_FLAG_PF;
	case HV_INSN_OP_AAD: case HV_INSN_OP_AAM:
		return HV_FLAG_OF | HV_FLAG_AF | HV_FLAG_CF;
	case HV_INSN_OP_DAA: case HV_INSN_OP_DAS:
		return HV_FLAG_OF;
	case HV_INSN_OP_CMPS: case HV_INSN_OP_SCAS:
		/* between iterations the CPU has not brought the flags up to date */
		return out->rip == in->rip ? HV_FLAG_ARITH : 0;
	case HV_INSN_OP_ROL ... HV_INSN_OP_SAR: case HV_INSN_OP_SHLD: case HV_INSN_OP_SHRD:
		count = shift_count(insn, in);
		if (insn->op >= HV_INSN_OP_SHL)
			mask |= HV_FLAG_AF;
		if (count != 1)
			mask |= HV_FLAG_OF;
		if (insn->op >= HV_INSN_OP_SHL && count >= width)
			mask |= HV_FLAG_CF;
		return count ? mask : 0;
	default:
		return 0;
	}
}

static void report(const char *what, const u8 *b, const struct hv_insn *insn, const struct state *in,
		   const struct state *want, const struct state *got)
{
	unsigned int i;

	fprintf(stderr, "%s: space %d op %u bytes", what, (int)model.space, insn->op);
	for (i = 0; i < 15; i++)
		fprintf(stderr, "%s%02x", i == insn->len ? " | " : " ", b[i]);
	fprintf(stderr, "\n  rip %llx flags in %llx cpu %llx model %llx; vector cpu %d/%x/%llx model %d/%x/%llx\n",
		in->rip, in->rflags, got->rflags, want->rflags, got->vector, got->error, got->addr,
		want->vector, want->error, want->addr);
	fprintf(stderr, "  rip cpu %llx model %llx\n", got->rip, want->rip);
	for (i = 0; i < HV_GPR_NR; i++)
		if (in->gpr[i] != got->gpr[i] || got->gpr[i] != want->gpr[i])
			fprintf(stderr, "  r%u in %llx cpu %llx model %llx\n", i, in->gpr[i], got->gpr[i],
				want->gpr[i]);
}

/* What a faulting ENTER or PUSHA had written beneath the stack is the CPU's affair. */
static bool half_written(const struct hv_insn *insn, const struct state *want)
{
	return want->vector != 1 && (insn->op == HV_INSN_OP_ENTER || insn->op == HV_INSN_OP_PUSHA);
}

static bool same_memory(void)
{
	unsigned int i;
	u64 first, last;

	for (i = 0; i < model.n; i++) {
		first = model.touched[i].la - SCRATCH;
		last = first + model.touched[i].size;
		if (memcmp(model.mem + first, (u8 *)SCRATCH + first, last - first))
			return false;
	}
	return true;
}

static unsigned int prefixes(const u8 *b)
{
	unsigned int n = 0;

	while (n < 15 && (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", b[n], 11) ||
			  (b[n] & 0xf0) == 0x40))
		n++;
	return n;
}

static bool same(const struct hv_insn *insn, const u8 *b, const struct state *in, const struct state *want,
		 const struct state *got)
{
	u64 mask = model.space == SPACE_LONG ? ~0ull : 0xffffffff;
	u64 ignore = HV_FLAG_RF;
	unsigned int i;

	/* The CPU sees the 15-byte limit before an opcode that is not there. */
	if (want->vector == HV_VEC_UD && got->vector == HV_VEC_GP && insn->op == HV_INSN_OP_INVALID &&
	    prefixes(b) >= 3)
		return true;
	/* And has no XOP, if it is Intel's, so that none can be too long. */
	if (want->vector == HV_VEC_GP && got->vector == HV_VEC_UD && b[prefixes(b)] == 0x8f &&
	    insn->op == HV_INSN_OP_INVALID)
		return true;
	if (got->vector != want->vector || got->rip != want->rip)
		return false;
	if (want->vector == 1)
		ignore |= undefined_flags(insn, in, want);
	if (want->vector != 1 && want->vector != HV_VEC_DE && want->vector != HV_VEC_UD &&
	    want->vector != HV_VEC_BR && got->error != want->error)
		return false;
	if (want->vector == HV_VEC_PF && got->addr != want->addr)
		return false;
	if ((got->rflags ^ want->rflags) & ~ignore)
		return false;
	/* POPA leaves what it had popped when it faults. */
	for (i = 0; i < (model.space == SPACE_LONG ? HV_GPR_NR : 8u) &&
	     (insn->op != HV_INSN_OP_POPA || want->vector == 1); i++)
		if ((got->gpr[i] ^ want->gpr[i]) & mask)
			return false;
	if (memcmp(got->vec, want->vec, sizeof(got->vec)))
		return false;
	return half_written(insn, want) || same_memory();
}

static const enum hv_insn_mode mode_of[] = {
	HV_INSN_LONG64, HV_INSN_PROT32, HV_INSN_PROT32, HV_INSN_PROT16,
};

/* Runs the model. False: not for the CPU. */
static bool run_model(const struct hv_insn *insn, int decoded, const struct state *in, struct state *out)
{
	struct hv_insn_cpu cpu = {
		.ops = &ops, .ctx = out, .gpr = out->gpr, .rip = in->rip, .rflags = in->rflags,
		.mode = (u8)mode_of[model.space], .cpl = 3, .budget = 1,
	};
	int ret;

	*out = *in;
	model.n = 0;
	model.outside = false;
	out->vector = 1;
	if (decoded == -EINVAL) {
		out->vector = HV_VEC_UD;
		return true;
	}
	if (decoded == -E2BIG) {
		out->vector = HV_VEC_GP;
		out->error = 0;
		return true;
	}
	ret = hv_insn_exec(insn, &cpu);
	if (ret < 0 || model.outside)
		return false;
	out->rip = cpu.rip;
	out->rflags = cpu.rflags;
	if (ret == HV_INSN_FAULT) {
		out->vector = cpu.fault.vector;
		out->error = cpu.fault.error;
		out->addr = cpu.fault.addr;
	}
	return true;
}

/* Makes the model's memory what the CPU's is: where it was touched, or everywhere. */
static void follow_cpu(bool everywhere)
{
	const u8 *cpu = (const u8 *)SCRATCH;
	unsigned int i;
	u64 first;

	for (i = 0; i < model.n; i++) {
		first = model.touched[i].la - SCRATCH;
		memcpy(model.mem + first, cpu + first, model.touched[i].size);
	}
	for (i = 0; everywhere && i < SCRATCH_SIZE / PAGE; i++) {
		if (i != HOLE_PAGE)
			memcpy(model.mem + i * PAGE, cpu + i * PAGE, PAGE);
	}
}

/* A write where the model made none shows up here. */
static bool same_everywhere(void)
{
	unsigned int i;

	for (i = 0; i < SCRATCH_SIZE / PAGE; i++) {
		if (i != HOLE_PAGE && memcmp(model.mem + i * PAGE, (u8 *)SCRATCH + i * PAGE, PAGE))
			return false;
	}
	return true;
}

static bool one(enum space space)
{
	static struct state in, want, got;
	struct hv_insn insn = { 0 };
	u8 b[16];
	int decoded;

	set_segments(space);
	random_state(&in, space);
	random_bytes(b);
	decoded = hv_insn_decode(b, 15, mode_of[space], &insn);
	if (!decoded && (insn.flags & HV_INSN_F_MEM || insn.dst == HV_OPND_MOFFS || insn.src == HV_OPND_MOFFS)) {
		aim(b, mode_of[space], &insn, &in);
		decoded = hv_insn_decode(b, 15, mode_of[space], &insn);
	}
	if (space != SPACE_LONG && !decoded)
		in.gpr[HV_GPR_RSP] = (u32)in.gpr[HV_GPR_RSP];
	if (decoded)
		insn = (struct hv_insn){ 0 };
	if ((!decoded && (keep_off(&insn) || undefined_result(&insn, &in))) || !run_model(&insn, decoded, &in, &want)) {
		skipped++;
		follow_cpu(false);	/* the model may have written before it gave up */
		return true;
	}
	memcpy((u8 *)CODE + 0x100, b, 16);
	run_cpu(&in, &got);
	ran[space]++;
	if (!decoded)
		op_ran[insn.op]++;
	if (want.vector != 1)
		faulted[space]++;
	if (same(&insn, b, &in, &want, &got)) {
		if (half_written(&insn, &want))
			follow_cpu(true);
		return true;
	}
	report("differs", b, &insn, &in, &want, &got);
	follow_cpu(true);
	return false;
}

/* Every op that may run did run: the generator has not gone stale. */
static void check_coverage(void)
{
	struct hv_insn insn = { 0 };
	unsigned int op;

	for (op = HV_INSN_OP_ADD; op <= HV_INSN_OP_BOUND; op++) {
		insn.op = (u8)op;
		if (!op_ran[op] && !keep_off(&insn)) {
			fprintf(stderr, "op %u never ran\n", op);
			CHECK(have_ldt == false);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000, i, bad = 0;
	unsigned int spaces;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (u64)time(NULL) * 0x9e3779b97f4a7c15ull;
	seed |= 1;
	printf("seed %#llx\n", seed);
	if (set_up()) {
		perror("insn_oracle_test: set up");
		return 1;
	}
	spaces = have_ldt ? SPACE_NR : 1;
	if (!have_ldt)
		printf("no LDT on this kernel: 64-bit code alone\n");
	for (i = 0; i < n && bad < 20; i++) {
		bad += !one((enum space)(rnd() % spaces));
		if (i % 4096 == 0 || i == n - 1)
			CHECK(same_everywhere());
	}
	for (i = 0; i < SPACE_NR; i++)
		printf("space %lu: %lu run, %lu of them fault\n", i, ran[i], faulted[i]);
	printf("%lu not run\n", skipped);
	if (n >= 200000)
		check_coverage();
	CHECK_EQ(bad, 0);
	return unit_done();
}
