/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h - what a bare guest image may use
 *
 * An image defines main(). It reports with check() lines in TAP form on the UART
 * at 0x3f8 and ends through the debug-exit port 0xf4: 0 if every check held, 1
 * if one failed, 2 if it died of an unexpected exception. (QEMU's isa-debug-exit
 * turns value n into exit status 2n + 1.)
 *
 * The command line (multiboot) holds words "name=value"; "smp=N" says how many
 * processors there are.
 */
#ifndef SELFTESTS_GUEST_GUEST_H
#define SELFTESTS_GUEST_GUEST_H

#include <hv/portable.h>
#include "cpu.h"

void main(void);

/* ---- console: print.c ---- */
/* %d %u %x %s %c %%, with l or ll for 64 bits, and a zero-padded width for %x */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- results: tap.c ---- */
/* One numbered result line; the condition is returned. */
bool check(bool cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A result line that says why something was not looked at; counts as passed. */
void check_skip(const char *name, const char *reason);
/* Equality of integers, with both values in the line when they differ. */
bool check_eq(u64 got, u64 want, const char *name);
/* Print the plan and leave by the debug-exit port, with "exit=" (0) if all held. */
void finish(void) __attribute__((noreturn));
void leave(u8 code) __attribute__((noreturn));

/* ---- command line: cmdline.c ---- */
/* Value of "name=...", decimal or 0x hex; @missing if there is none. */
u64 option(const char *name, u64 missing);
/* Is there "name=word"? */
bool option_is(const char *name, const char *word);
void cmdline_init(void);

/* ---- traps: trap.c ---- */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

void traps_init(void);
void traps_load(void);
/* Handler of a vector 32..255 on every processor; it ends the interrupt itself. */
void irq_set(u8 vector, void (*fn)(struct trap_frame *f));

/* ---- local APIC: lapic.c, x2APIC if there is one ---- */
void lapic_init(void);
u32 lapic_id(void);
void lapic_eoi(void);
void lapic_icr(u32 dest, u32 low);
u32 lapic_read(u32 reg);		/* register offset of the xAPIC page */
void lapic_write(u32 reg, u32 val);

/* ---- processors: smp.c ---- */
/* Start the others; returns how many there are now, this one included. */
u32 smp_start(void);
/* Run @fn(@arg) on processor @index and wait until it has. Not on this one. */
void smp_call(u32 index, void (*fn)(void *arg), void *arg);
/* The same without waiting; smp_wait() waits. */
void smp_call_async(u32 index, void (*fn)(void *arg), void *arg);
void smp_wait(u32 index);
/* What must come may take this long, ms: beyond it is lost, not late, on a busy host too. */
#define LATE_MS	30000
/* Spin up to @ms milliseconds for *@p to become non-zero. */
bool wait_for(volatile u32 *p, u32 ms);

/* ---- memory: page.c ---- */
/* Map 4 KiB at virtual 512 GiB + @index * 4096 to physical @gpa. */
void *page_window(u32 index, u64 gpa, bool writable);

/* ---- 32-bit mode: mode32.S ---- */
enum { MODE32_END, MODE32_LOAD, MODE32_STORE, MODE32_ADD, MODE32_COPY };

struct mode32_op {
	u32 op;		/* MODE32_* */
	u32 addr;
	u32 val;	/* loaded, stored or added; COPY: where to */
};

/*
 * Leave long mode, do @ops with these control registers, come back. @cr3 0: paging off. The
 * tables map this code, the stack and @ops to themselves; a fault ends the machine.
 */
void mode32_run(u32 cr3, u32 cr4, struct mode32_op *ops);

/* ---- time: the TSC frequency, Hz: from the TLFS, else from "tsc_mhz=", else 1 GHz ---- */
u64 tsc_hz(void);

#endif
