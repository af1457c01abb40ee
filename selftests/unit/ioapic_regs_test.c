// SPDX-License-Identifier: GPL-2.0-or-later
/* Register file of the I/O APIC: window, edge and level pins, EOI, save form. */
#include "arch/x86/lib/ioapic_regs.h"
#include "selftests/unit/lib/expect.h"

static struct hv_ioapic_regs r;
static struct hv_ioapic_todo todo;

static u32 rd(u32 reg)
{
	hv_ioapic_reg_write(&r, 0, reg, &todo);
	return hv_ioapic_reg_read(&r, 0x10);
}

static u32 wr(u32 reg, u32 val)
{
	hv_ioapic_reg_write(&r, 0, reg, &todo);
	hv_ioapic_reg_write(&r, 0x10, val, &todo);
	return todo.fire;
}

/* Fire what can be fired, as the kernel does; returns the pins that sent a message. */
static u32 send(u32 pins)
{
	u32 sent = 0, i;

	for (i = 0; i < HV_IOAPIC_PINS; i++)
		if ((pins >> i & 1) && hv_ioapic_pin_fire(&r, i)) {
			hv_ioapic_pin_sent(&r, i);
			sent |= 1u << i;
		}
	return sent;
}

static u32 line(u32 pin, enum hv_ioapic_source src, bool level)
{
	bool coalesced;

	return hv_ioapic_line_set(&r, pin, src, level, &coalesced) ? send(1u << pin) : 0;
}

static void fresh(void)
{
	memset(&r, 0, sizeof(r));
	hv_ioapic_regs_reset(&r);
}

static void test_window(void)
{
	fresh();
	EXPECT_EQ(rd(1), 0x170020);
	wr(0, 0xffffffff);
	EXPECT_EQ(rd(0), 0x0f000000);
	EXPECT_EQ(rd(2), 0x0f000000);
	EXPECT_EQ(rd(0x10), 0x10000);
	EXPECT_EQ(rd(0x3f), 0);
	EXPECT_EQ(rd(0x40), 0xffffffff);
	wr(0x40, 0x1234);
	wr(0x2e, 0xffffffff);
	wr(0x2f, 0xffffffff);
	EXPECT_EQ(rd(0x2e), 0x1afff);		/* delivery status and remote IRR read only */
	EXPECT_EQ(rd(0x2f), 0xfffe0000);
	wr(1, 0);
	EXPECT_EQ(rd(1), 0x170020);
	hv_ioapic_reg_write(&r, 0, 0xffffff12, &todo);
	EXPECT_EQ(hv_ioapic_reg_read(&r, 0), 0x12);
	hv_ioapic_reg_write(&r, 0x40, 0x1ff, &todo);
	EXPECT(todo.eoi && todo.vector == 0xff);
	EXPECT_EQ(hv_ioapic_reg_read(&r, 0x40), 0);
	hv_ioapic_reg_write(&r, 0x20, 1, &todo);
	EXPECT(!todo.eoi && !todo.fire);
}

static void test_edge(void)
{
	bool coalesced;

	fresh();
	EXPECT_EQ(line(4, HV_IOAPIC_SRC_USER, true), 0);	/* masked: lost */
	EXPECT_EQ(wr(0x18, 0x31), 0);				/* and not resent */
	EXPECT_EQ(line(4, HV_IOAPIC_SRC_USER, true), 0);	/* no edge */
	line(4, HV_IOAPIC_SRC_USER, false);
	EXPECT_EQ(line(4, HV_IOAPIC_SRC_USER, true), 1u << 4);
	hv_ioapic_line_set(&r, 4, HV_IOAPIC_SRC_USER, true, &coalesced);
	EXPECT(coalesced);
	EXPECT_EQ(r.redir[4] & HV_IOAPIC_REDIR_REMOTE_IRR, 0);
	EXPECT_EQ(hv_ioapic_regs_eoi(&r, 0x31), 0);
}

static void test_level(void)
{
	fresh();
	wr(0x20, 0x8031);
	EXPECT_EQ(line(8, HV_IOAPIC_SRC_USER, true), 1u << 8);
	EXPECT_EQ(rd(0x20), 0xc031);
	EXPECT_EQ(hv_ioapic_regs_eoi(&r, 0x32), 0);
	EXPECT_EQ(hv_ioapic_regs_eoi(&r, 0x31), 1u << 8);
	EXPECT_EQ(send(1u << 8), 1u << 8);			/* still up: again */
	line(8, HV_IOAPIC_SRC_RESAMPLE, true);
	line(8, HV_IOAPIC_SRC_USER, false);
	EXPECT_EQ(hv_ioapic_lines(&r), 1u << 8);		/* the other source holds it */
	line(8, HV_IOAPIC_SRC_RESAMPLE, false);
	EXPECT_EQ(hv_ioapic_regs_eoi(&r, 0x31), 1u << 8);
	EXPECT_EQ(hv_ioapic_lines(&r), 0);
	/* Up while masked, sent when unmasked. */
	wr(0x20, 0x18031);
	EXPECT_EQ(line(8, HV_IOAPIC_SRC_USER, true), 0);
	EXPECT_EQ(send(wr(0x20, 0x8031)), 1u << 8);
	EXPECT_EQ(send(wr(0x20, 0x8031)), 0);			/* remote IRR holds it back */
	/* Turned to edge: remote IRR goes. */
	wr(0x20, 0x31);
	EXPECT_EQ(rd(0x20), 0x31);
	/* NMI has no EOI to wait for. */
	wr(0x22, 0x8400);
	EXPECT_EQ(line(9, HV_IOAPIC_SRC_USER, true), 1u << 9);
	EXPECT_EQ(rd(0x22), 0x8400);
}

static void test_save(void)
{
	struct hv_ioapic_regs b;

	fresh();
	wr(0x20, 0x8031);
	line(8, HV_IOAPIC_SRC_RESAMPLE, true);
	memset(&b, 0, sizeof(b));
	EXPECT_EQ(hv_ioapic_regs_load(&b, r.redir, r.line[0], r.line[1], r.id, r.ioregsel), 0);
	EXPECT(!memcmp(&b, &r, sizeof(b)));
	EXPECT(hv_ioapic_regs_load(&b, r.redir, 1u << 24, 0, 0, 0) == -EINVAL);
	EXPECT(hv_ioapic_regs_load(&b, r.redir, 0, 0, 1, 0) == -EINVAL);
	EXPECT(hv_ioapic_regs_load(&b, r.redir, 0, 0, 0, 0x100) == -EINVAL);
	r.redir[3] = 1ull << 12;
	EXPECT(hv_ioapic_regs_load(&b, r.redir, 0, 0, 0, 0) == -EINVAL);
	r.redir[3] = HV_IOAPIC_REDIR_REMOTE_IRR;
	EXPECT(hv_ioapic_regs_load(&b, r.redir, 0, 0, 0, 0) == -EINVAL);
}

int main(void)
{
	test_window();
	test_edge();
	test_level();
	test_save();
	return expect_done();
}
