// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hypercall.c - shapes, statuses, IPIs and TLB flushes in all their forms
 *
 * conn=N names a connection that leads to an event port; without it only refusals of
 * HvSignalEvent are looked at.
 */
#include "hyperv.h"

#define FAST	TLFS_HC_FAST
#define VAR(n)	((u64)(n) << TLFS_HC_VAR_SHIFT)
#define REPS(count, start) \
	((u64)(count) << TLFS_HC_COUNT_SHIFT | (u64)(start) << TLFS_HC_START_SHIFT)
#define STATUS(r)	((r) & 0xffff)
#define DONE(r)		((r) >> 32 & 0xfff)

#define VEC_IPI	0x51

static u64 in[512] __attribute__((aligned(4096)));
static u32 nr_cpus;
static u32 ipis[MAX_CPUS];	/* by VP, not by the order in which processors came up */

static u64 in_gpa(void)
{
	return (u64)(uintptr_t)in;
}

static void status(u64 control, u64 a, u64 b, u64 want, const char *name)
{
	check_eq(STATUS(hcall(control, a, b)), want, name);
}

static void shapes(void)
{
	u64 gpa = in_gpa();
	u32 bit;

	status(0x3ff, 0, 0, TLFS_INVALID_CODE, "unknown code");
	status(0xffff | FAST, 0, 0, TLFS_INVALID_CODE, "unknown code, fast");
	for (bit = 27; bit < 64; bit++)
		if (TLFS_HC_RESERVED >> bit & 1 && hyperv_is_hv() &&
		    STATUS(hcall(TLFS_HC_SEND_IPI | FAST | 1ull << bit, VEC_IPI, 1)) != TLFS_INVALID_INPUT)
			check(false, "reserved control bit %u is refused", bit);
	status(TLFS_HC_SEND_IPI | FAST | REPS(1, 0), VEC_IPI, 1, TLFS_INVALID_INPUT,
	       "repetitions on a simple call");
	status(TLFS_HC_FLUSH_LIST, gpa, 0, TLFS_INVALID_INPUT, "no repetitions on a rep call");
	status(TLFS_HC_FLUSH_LIST | REPS(2, 2), gpa, 0, TLFS_INVALID_INPUT, "start beyond count");
	status(TLFS_HC_SEND_IPI | VAR(1), gpa, 0, TLFS_INVALID_INPUT,
	       "variable header where there is none");
	if (hyperv_is_hv()) {
		status(TLFS_HC_POST_MESSAGE, gpa + 4, 0, TLFS_INVALID_ALIGNMENT, "input not aligned");
		status(TLFS_HC_POST_MESSAGE, gpa + 4096 - 8, 0, TLFS_INVALID_ALIGNMENT,
		       "input leaves its page");
		status(TLFS_HC_POST_MESSAGE | FAST, 0, 0, TLFS_INVALID_INPUT, "fast where not allowed");
		status(TLFS_HC_POST_MESSAGE, 1ull << 36, 0, TLFS_INVALID_INPUT, "input in a hole");
	}
}

static void before_identity(void)
{
	u64 r;

	if (!hyperv_is_hv())
		return;
	check_eq((u64)hcall_raw(0x3ff, 0, 0, &r), VEC_UD, "no hypercall before the OS id is set");
	hyperv_enable();
	check_eq((u64)hcall_raw(0x3ff, 0, 0, &r), (u64)NO_FAULT, "after it there is");
	check_eq(STATUS(r), TLFS_INVALID_CODE, "and it answers");
	check_eq((u64)hcall_raw(TLFS_HC_FLUSH_SPACE | FAST, 0, 0, &r), VEC_UD,
		 "XMM input that is not offered");
}

/*
 * What a VMBus driver does first: INITIATE_CONTACT for 5.0 and later on connection 4, for
 * older versions on 1. In a VM without a server both say that there is no such connection,
 * at which the driver gives up at once; other statuses it retries.
 */
static void no_server(struct tlfs_in_post_message *m)
{
	static const u32 contact[] = { 14, 0, 5 << 16 | 3, 0, 2 };
	static const u32 connection[] = { 4, 1, 2, 3, 5, 0, 0xffffff, 0x1000001, 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(connection); i++) {
		memset(in, 0, sizeof(in));
		m->connection = connection[i];
		m->type = 1;
		m->size = 40;
		memcpy(m->payload, contact, sizeof(contact));
		check(STATUS(hcall(TLFS_HC_POST_MESSAGE, in_gpa(), 0)) == TLFS_INVALID_CONNECTION_ID,
		      "no server: message to connection 0x%x", connection[i]);
	}
}

static void messages(void)
{
	struct tlfs_in_post_message *m = (void *)in;

	if (hyperv_is_hv())
		no_server(m);
	m->size = TLFS_MESSAGE_PAYLOAD + 1;
	if (hyperv_is_hv())
		status(TLFS_HC_POST_MESSAGE, in_gpa(), 0, TLFS_INVALID_PARAMETER, "message too long");
	m->size = 8;
	m->type = TLFS_MESSAGE_TIMER_EXPIRED;
	if (hyperv_is_hv())
		status(TLFS_HC_POST_MESSAGE, in_gpa(), 0, TLFS_INVALID_PARAMETER,
		       "message of the hypervisor's own type");
}

static void events(void)
{
	u64 conn = option("conn", 0);

	status(TLFS_HC_SIGNAL_EVENT | FAST, 0x777, ~0ull, TLFS_INVALID_CONNECTION_ID,
	       "signal to an unknown connection");
	in[0] = 0x777;
	if (hyperv_is_hv())
		status(TLFS_HC_SIGNAL_EVENT, in_gpa(), 0, TLFS_INVALID_CONNECTION_ID,
		       "the same from memory");
	if (!conn) {
		check_skip("signal to an event port", "no conn= given");
		return;
	}
	status(TLFS_HC_SIGNAL_EVENT | FAST, conn, ~0ull, TLFS_OK, "signal to an event port");
	in[0] = conn;
	status(TLFS_HC_SIGNAL_EVENT, in_gpa(), 0, TLFS_OK, "the same from memory");
	status(TLFS_HC_SIGNAL_EVENT | FAST, conn | 1ull << 32, 0, TLFS_INVALID_PARAMETER,
	       "flag number beyond the port's");
}

/* ---- IPIs ---- */

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&ipis[lapic_id() % MAX_CPUS], 1, __ATOMIC_SEQ_CST);
	lapic_eoi();
}

static volatile u32 listen;

static void take_ipis(void *arg)
{
	(void)arg;
	irq_enable();
	while (READ_ONCE(listen))
		cpu_pause();
	irq_disable();
}

/* Did each processor of @mask, and no other, get one more since @before? */
static bool arrived(const u32 *before, u32 mask)
{
	u64 end = rdtsc() + LATE_MS * (tsc_hz() / 1000);
	u32 i;

	for (i = 0; i < nr_cpus; i++)
		while ((mask >> i & 1) && READ_ONCE(ipis[i]) == before[i] && rdtsc() < end)
			cpu_pause();
	for (i = 0; i < nr_cpus; i++)
		if (READ_ONCE(ipis[i]) != before[i] + (mask >> i & 1))
			return false;
	return true;
}

static void ipi(u32 mask, u64 control, u64 a, u64 b, const char *name)
{
	u32 before[MAX_CPUS];
	u32 i;
	u64 r;

	memcpy(before, ipis, sizeof(before));
	r = hcall(control, a, b);
	if (check(STATUS(r) == TLFS_OK && arrived(before, mask), "%s to 0x%x (status %llu)", name,
		  mask, STATUS(r)))
		return;
	for (i = 0; i < nr_cpus; i++)
		print("# VP %u: %u, then %u\n", i, before[i], READ_ONCE(ipis[i]));
}

static void ipi_tests(void)
{
	u32 all = (1u << nr_cpus) - 1;
	u32 i;

	irq_set(VEC_IPI, on_ipi);
	listen = 1;
	for (i = 1; i < nr_cpus; i++)
		smp_call_async(i, take_ipis, NULL);
	irq_enable();
	if (hyperv_is_hv()) {
		status(TLFS_HC_SEND_IPI | FAST, 0xf, 1, TLFS_INVALID_PARAMETER, "IPI with vector 15");
		status(TLFS_HC_SEND_IPI | FAST, 0x100, 1, TLFS_INVALID_PARAMETER,
		       "IPI with vector 256");
	}
	for (i = 0; i < nr_cpus; i++)
		ipi(1u << i, TLFS_HC_SEND_IPI | FAST, VEC_IPI, 1ull << i, "fast IPI");
	ipi(all, TLFS_HC_SEND_IPI | FAST, VEC_IPI, ~0ull, "fast IPI, absent VPs in the mask");
	in[0] = VEC_IPI;
	in[1] = all & ~1u;
	ipi(all & ~1u, TLFS_HC_SEND_IPI, in_gpa(), 0, "IPI from memory");
	in[1] = TLFS_VPSET_SPARSE;
	in[2] = 1;
	in[3] = all;
	ipi(all, TLFS_HC_SEND_IPI_EX | VAR(1), in_gpa(), 0, "IPI Ex, one bank");
	in[2] = 5;
	in[3] = 1;
	in[4] = ~0ull;
	ipi(1, TLFS_HC_SEND_IPI_EX | VAR(2), in_gpa(), 0, "IPI Ex, a bank of absent VPs");
	in[1] = TLFS_VPSET_ALL;
	in[2] = 0;
	ipi(all, TLFS_HC_SEND_IPI_EX, in_gpa(), 0, "IPI Ex, all VPs");
	if (hyperv_is_hv()) {
		in[1] = 7;
		status(TLFS_HC_SEND_IPI_EX, in_gpa(), 0, TLFS_INVALID_PARAMETER, "IPI Ex, unknown format");
		in[1] = TLFS_VPSET_SPARSE;
		in[2] = 3;
		status(TLFS_HC_SEND_IPI_EX | VAR(1), in_gpa(), 0, TLFS_INVALID_INPUT,
		       "IPI Ex, fewer banks than bits");
	}
	listen = 0;
	for (i = 1; i < nr_cpus; i++)
		smp_wait(i);
	irq_disable();
}

/* ---- TLB flushes: a reader may not see the old frame after the call has returned ---- */

static u8 frames[2][4096] __attribute__((aligned(4096)));
static volatile u64 *window;
static volatile u32 stop, mapped, confirmed[MAX_CPUS], stale;

/* Watch the window: after @mapped says a frame is in, only that frame may be seen. */
static void watch(void *arg)
{
	u32 me = this_cpu()->index;

	(void)arg;
	while (!stop) {
		u32 want = smp_load_acquire(&mapped);
		u64 seen = *window;

		if (want && smp_load_acquire(&mapped) == want) {
			if (seen != (want & 1))
				stale++;
			confirmed[me] = want;
		}
	}
}

static u64 flush_call(u32 form)
{
	in[0] = read_cr3();
	in[1] = form & 1 ? TLFS_FLUSH_ALL_PROCESSORS : 0;
	in[2] = (1u << nr_cpus) - 1;
	switch (form >> 1) {
	case 0:
		return hcall(TLFS_HC_FLUSH_SPACE, in_gpa(), 0);
	case 1:
		in[3] = (u64)(uintptr_t)window;
		in[4] = 0x100000;
		return hcall(TLFS_HC_FLUSH_LIST | REPS(2, hyperv_is_hv()), in_gpa(), 0);
	case 2:
		in[2] = TLFS_VPSET_SPARSE;
		in[3] = 1;
		in[4] = (1u << nr_cpus) - 1;
		return hcall(TLFS_HC_FLUSH_SPACE_EX | VAR(1), in_gpa(), 0);
	default:
		in[2] = TLFS_VPSET_ALL;
		in[3] = 0;
		in[4] = (u64)(uintptr_t)window;
		return hcall(TLFS_HC_FLUSH_LIST_EX | REPS(1, 0), in_gpa(), 0);
	}
}

static void flush_round(u32 form, u32 turn)
{
	u32 i;

	for (i = 1; i < nr_cpus; i++)	/* everybody has the present frame in its TLB */
		while (confirmed[i] != mapped)
			cpu_pause();
	smp_store_release(&mapped, 0);
	page_window(0, (u64)(uintptr_t)frames[turn & 1], true);
	flush_call(form);
	smp_store_release(&mapped, turn);
}

static void flush_tests(void)
{
	static const char *const names[] = { "space", "list", "space Ex", "list Ex" };
	u32 i, form, turn = 2;
	u64 r;

	*(u64 *)frames[1] = 1;
	window = page_window(0, (u64)(uintptr_t)frames[0], true);
	mapped = turn;
	for (i = 1; i < nr_cpus; i++)
		smp_call_async(i, watch, NULL);
	for (form = 0; form < 8; form++) {
		u64 reps = form >> 1 == 1 ? 2 : form >> 1 == 3 ? 1 : 0;

		stale = 0;
		r = flush_call(form);
		for (i = 0; i < option("rounds", 20); i++)
			flush_round(form, ++turn);
		check(STATUS(r) == TLFS_OK && DONE(r) == reps && !stale,
		      "flush %s%s: status %llu, %llu done, %u stale", names[form >> 1],
		      form & 1 ? ", all processors" : "", STATUS(r), DONE(r), stale);
	}
	stop = 1;
	for (i = 1; i < nr_cpus; i++)
		smp_wait(i);
	in[1] = 1ull << 60;
	if (hyperv_is_hv())
		status(TLFS_HC_FLUSH_SPACE, in_gpa(), 0, TLFS_INVALID_PARAMETER, "flush with unknown flags");
}

void main(void)
{
	u64 r;

	if (!hyperv_present())
		leave(2);
	nr_cpus = smp_start();
	before_identity();
	hyperv_enable();
	shapes();
	messages();
	events();
	ipi_tests();
	flush_tests();
	wrmsr(TLFS_MSR_GUEST_OS_ID, 0);
	if (hyperv_is_hv())
		check_eq((u64)hcall_raw(0x3ff, 0, 0, &r), VEC_UD, "no hypercall after OS id 0");
}
