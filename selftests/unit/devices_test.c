// SPDX-License-Identifier: GPL-2.0-or-later
/* Device models against fake services: registers, interrupt lines, timers, power. */
#include <stdlib.h>

#include "backends/chr.h"
#include "devices/acpi_pm.h"
#include "devices/rtc.h"
#include "devices/testdev.h"
#include "devices/uart.h"
#include "lib/unit.h"
#include "vmm/loop.h"

#define S 1000000000ULL

static bool line[24];
static unsigned int edges[24];
static uint64_t mono = 5 * S, wall;
static uint64_t armed;
static struct dev_timer *armed_timer;
static int power_what = -1, power_code;
static uint64_t touched;
static unsigned int logged;

static int f_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	(void)ds, (void)gpa, (void)len, (void)dir, (void)out;
	return -14;
}

static int f_get_like(struct dev_services *ds, const struct gmem *held_one, uint64_t gpa, uint32_t len,
		      struct gmem *out)
{
	return f_get(ds, gpa, len, held_one->dir, out);
}

static void f_put(struct dev_services *ds, struct gmem *g)
{
	(void)ds, (void)g;
}

static void f_irq(struct dev_services *ds, unsigned int gsi, bool level)
{
	(void)ds;
	edges[gsi] += level && !line[gsi];
	line[gsi] = level;
}

static int f_arm(struct dev_services *ds, struct dev_timer *t, uint64_t when)
{
	(void)ds;
	armed = when;
	armed_timer = t;
	return 0;
}

static void f_cancel(struct dev_services *ds, struct dev_timer *t)
{
	(void)ds, (void)t;
	armed = 0;
}

static uint64_t f_now(struct dev_services *ds)
{
	(void)ds;
	return mono;
}

static uint64_t f_wall(struct dev_services *ds)
{
	(void)ds;
	return wall;
}

static void f_power(struct dev_services *ds, enum dev_power what, unsigned int code)
{
	(void)ds;
	power_what = what;
	power_code = code;
}

static void f_touch(struct dev_services *ds, uint64_t gpa)
{
	(void)ds;
	touched = gpa;
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level, (void)fmt;
	logged++;
}

static const struct dev_services_ops fake = {
	.gmem_get = f_get, .gmem_get_like = f_get_like, .gmem_put = f_put, .irq_set = f_irq, .timer_arm = f_arm,
	.timer_cancel = f_cancel, .timer_free = f_cancel, .now_ns = f_now, .wall_ns = f_wall,
	.power = f_power, .page_touch = f_touch, .log = f_log,
};
static struct dev_services ds = { &fake };

static uint8_t in(struct device *d, uint64_t off)
{
	return d->ops->read(d, 0, off, 1);
}

static void out(struct device *d, uint64_t off, uint8_t v)
{
	d->ops->write(d, 0, off, 1, v);
}

/* ---- UART ---- */

static void uart_check(void)
{
	struct device *d;
	int i;

	CHECK_EQ(uart_create(&d, &ds, 0x3f8, 4, NULL), 0);
	CHECK_EQ(in(d, 5), 0x60);		/* transmitter empty */
	CHECK_EQ(in(d, 2), 0x01);		/* nothing pending */
	out(d, 7, 0xa5);
	CHECK_EQ(in(d, 7), 0xa5);
	out(d, 3, 0x83);			/* divisor latch */
	out(d, 0, 0x34);
	out(d, 1, 0x12);
	CHECK_EQ(in(d, 0), 0x34);
	CHECK_EQ(in(d, 1), 0x12);
	out(d, 3, 0x03);
	CHECK_EQ(in(d, 1), 0);

	out(d, 1, 0x02);			/* THRE interrupt, but OUT2 gates it */
	CHECK(!line[4]);
	out(d, 4, 0x08);
	CHECK(line[4]);
	CHECK_EQ(in(d, 2), 0x02);		/* reading IIR clears it */
	CHECK(!line[4]);
	CHECK_EQ(in(d, 2), 0x01);
	out(d, 0, 'x');
	CHECK(line[4]);
	CHECK_EQ(in(d, 2), 0x02);
	out(d, 1, 0x00);

	out(d, 2, 0xc7);			/* FIFO on, cleared, trigger 14 */
	CHECK_EQ(in(d, 2) & 0xc0, 0xc0);
	out(d, 4, 0x18);			/* loopback */
	out(d, 1, 0x05);
	for (i = 0; i < 13; i++)
		out(d, 0, i);
	CHECK_EQ(in(d, 2), 0xcc);		/* below the trigger: time-out */
	out(d, 0, 13);
	CHECK_EQ(in(d, 2), 0xc4);
	CHECK(!line[4]);			/* loopback keeps the line off */
	out(d, 0, 14);
	out(d, 0, 15);
	out(d, 0, 16);				/* one too many */
	CHECK_EQ(in(d, 2), 0xc6);
	CHECK_EQ(in(d, 5), 0x63);		/* overrun, and data */
	CHECK_EQ(in(d, 5), 0x61);		/* reading clears the overrun */
	for (i = 0; i < 16; i++)
		CHECK_EQ(in(d, 0), i);
	CHECK_EQ(in(d, 5), 0x60);
	CHECK_EQ(in(d, 0), 0);
	out(d, 4, 0x10 | 0x0f);			/* all modem outputs looped back */
	CHECK_EQ(in(d, 6) & 0xf0, 0xf0);
	CHECK_EQ(in(d, 6) & 0x0f, 0);		/* deltas cleared by the read */
	out(d, 4, 0x10);
	CHECK_EQ(in(d, 6), 0x0f);		/* all fell */
	out(d, 4, 0);
	CHECK_EQ(in(d, 6) & 0xf0, 0xb0);
	CHECK_EQ(d->ops->read(d, 0, 0, 2) >> 8 & 0xff, 0xff);
	d->ops->reset(d);
	CHECK_EQ(in(d, 7), 0);
	d->ops->release(d);
}

/* With a console: input fills the FIFO, waits, and flows on. */
static void uart_input_check(void)
{
	const struct chr_sink none = { 0 };
	struct loop *loop;
	struct chr *chr;
	struct device *d;
	uint8_t ring[8];

	CHECK_EQ(loop_create(&loop), 0);
	CHECK_EQ(chr_create(&chr, loop), 0);
	CHECK_EQ(uart_create(&d, &ds, 0x3f8, 4, chr), 0);
	out(d, 2, 0x01);
	out(d, 0, 'h');
	out(d, 0, 'i');
	CHECK_EQ(chr_ring_copy(chr, ring, sizeof(ring)), 2);
	CHECK_EQ(memcmp(ring, "hi", 2), 0);
	d->ops->release(d);
	chr_sink_set(chr, &none);
	chr_release(chr);
	loop_release(loop);
}

/* ---- RTC ---- */

static uint8_t cmos(struct device *d, uint8_t reg)
{
	out(d, 0, reg);
	return in(d, 1);
}

static void cmos_set(struct device *d, uint8_t reg, uint8_t v)
{
	out(d, 0, reg);
	out(d, 1, v);
}

static void fire(void)
{
	wall += armed - mono;
	mono = armed;
	armed_timer->fire(armed_timer);
}

static void rtc_check(void)
{
	struct device *d;

	wall = 1709251199 * S + S / 2;		/* 2024-02-29 23:59:59.5 UTC, a Thursday */
	CHECK_EQ(rtc_create(&d, &ds, 0x70, 8), 0);
	CHECK_EQ(cmos(d, 0), 0x59);
	CHECK_EQ(cmos(d, 2), 0x59);
	CHECK_EQ(cmos(d, 4), 0x23);
	CHECK_EQ(cmos(d, 6), 5);
	CHECK_EQ(cmos(d, 7), 0x29);
	CHECK_EQ(cmos(d, 8), 0x02);
	CHECK_EQ(cmos(d, 9), 0x24);
	CHECK_EQ(cmos(d, 0x32), 0x20);
	CHECK_EQ(cmos(d, 0x0d), 0x80);
	CHECK_EQ(cmos(d, 0x0a) & 0x80, 0);
	wall += S / 2 - 244000;			/* UIP for the last 244 us of a second */
	CHECK_EQ(cmos(d, 0x0a) & 0x80, 0x80);
	wall += 243999;
	CHECK_EQ(cmos(d, 0x0a) & 0x80, 0x80);
	wall += 1;
	CHECK_EQ(cmos(d, 0x0a) & 0x80, 0);
	CHECK_EQ(cmos(d, 7), 0x01);
	CHECK_EQ(cmos(d, 8), 0x03);
	CHECK_EQ(cmos(d, 4), 0x00);

	cmos_set(d, 0x0b, 0x06);		/* binary, 24 h */
	CHECK_EQ(cmos(d, 9), 24);
	cmos_set(d, 0x0b, 0x04);		/* 12 h */
	CHECK_EQ(cmos(d, 4), 12);
	wall += 13 * 3600 * S;
	CHECK_EQ(cmos(d, 4), 0x81);
	cmos_set(d, 0x0b, 0x82);		/* SET: write a date of one's own, BCD */
	cmos_set(d, 0, 0x10);
	cmos_set(d, 2, 0x20);
	cmos_set(d, 4, 0x05);
	cmos_set(d, 7, 0x31);
	cmos_set(d, 8, 0x12);
	cmos_set(d, 9, 0x99);
	cmos_set(d, 0x32, 0x19);
	CHECK_EQ(cmos(d, 0x0a) & 0x80, 0);
	cmos_set(d, 0x0b, 0x02);
	wall += 2 * S;
	CHECK_EQ(cmos(d, 0), 0x12);
	CHECK_EQ(cmos(d, 4), 0x05);
	CHECK_EQ(cmos(d, 9), 0x99);
	CHECK_EQ(cmos(d, 0x32), 0x19);

	/* alarm three seconds ahead */
	cmos(d, 0x0c);
	cmos_set(d, 1, 0x15);
	cmos_set(d, 3, 0x20);
	cmos_set(d, 5, 0xff);
	cmos_set(d, 0x0b, 0x22);
	CHECK(armed > mono && armed <= mono + 3 * S);
	edges[8] = 0;
	fire();
	CHECK_EQ(edges[8], 1);
	CHECK(line[8]);
	CHECK_EQ(cmos(d, 0x0c), 0xb0);		/* IRQF, AF, and UF came along */
	CHECK(!line[8]);
	/* every second */
	cmos_set(d, 0x0b, 0x12);
	fire();
	CHECK_EQ(cmos(d, 0x0c), 0x90);
	CHECK(armed > mono && armed <= mono + S);
	/* periodic, 1024 Hz */
	cmos_set(d, 0x0a, 0x26);
	cmos_set(d, 0x0b, 0x42);
	CHECK(armed - mono <= 976563);
	fire();
	CHECK_EQ(cmos(d, 0x0c) & 0xc0, 0xc0);
	cmos_set(d, 0x0b, 0x02);
	CHECK_EQ(armed, 0);
	/* nonsense does not hang or crash */
	cmos_set(d, 0x0b, 0x82);
	for (int i = 0; i < 10; i++)
		cmos_set(d, i, 0xff);
	cmos_set(d, 0x32, 0xff);
	cmos_set(d, 0x0b, 0x72);
	cmos(d, 0);
	cmos_set(d, 0x50, 0x77);
	d->ops->reset(d);
	CHECK_EQ(cmos(d, 0x50), 0x77);		/* memory survives */
	CHECK_EQ(cmos(d, 0x0b) & 0x70, 0);
	d->ops->release(d);
}

/* ---- power ---- */

static void pm_check(void)
{
	struct device *d;

	CHECK_EQ(acpi_pm_create(&d, &ds, 0x400, 9), 0);
	CHECK_EQ(d->ops->read(d, 0, 4, 2), 1);			/* SCI_EN */
	acpi_pm_press(d);
	CHECK(!line[9]);					/* not enabled */
	CHECK_EQ(d->ops->read(d, 0, 0, 2), 0x100);
	d->ops->write(d, 0, 2, 2, 0x100);
	CHECK(line[9]);
	d->ops->write(d, 0, 0, 2, 0x100);			/* write one to clear */
	CHECK(!line[9]);
	CHECK_EQ(d->ops->read(d, 0, 0, 4), 0x1000000);
	d->ops->write(d, 0, 4, 2, 3 << 10 | 0x2001);		/* a sleep state the tables lack */
	CHECK_EQ(power_what, -1);
	CHECK_EQ(logged, 1);
	d->ops->write(d, 0, 4, 2, ACPI_PM_NO_BOOT_TYPE << 10 | 0x2001);
	CHECK_EQ(power_what, DEV_POWER_NO_BOOT);
	d->ops->write(d, 0, 4, 2, 5 << 10 | 0x2001);
	CHECK_EQ(power_what, DEV_POWER_OFF);
	d->ops->write(d, 0, 8, 1, 0);
	CHECK_EQ(power_what, DEV_POWER_OFF);
	d->ops->write(d, 0, 8, 1, 1);
	CHECK_EQ(power_what, DEV_POWER_RESET);
	d->ops->release(d);
}

static void testdev_check(void)
{
	struct device *d;
	char sig[5] = "";
	int i;

	CHECK_EQ(debug_exit_create(&d, &ds), 0);
	d->ops->write(d, 0, 0, 1, 42);
	CHECK_EQ(power_what, DEV_POWER_DEBUG_EXIT);
	CHECK_EQ(power_code, 42);
	d->ops->release(d);
	CHECK_EQ(pc_testdev_create(&d, &ds), 0);
	d->ops->write(d, 3, 10, 1, 1);
	CHECK(line[10]);
	d->ops->write(d, 3, 10, 1, 0);
	CHECK(!line[10]);
	d->ops->write(d, 0, 0, 4, 0x12345678);
	CHECK_EQ(d->ops->read(d, 0, 1, 2), 0x3456);
	CHECK_EQ(d->ops->read(d, 2, 3, 1), 0x12);
	d->ops->write(d, 1, 0, 4, 0x123456);
	CHECK_EQ(touched, 0x123000);
	d->ops->write(d, 4, 0xfff8, 8, 0x1122334455667788);
	CHECK_EQ(d->ops->read(d, 4, 0xfffc, 4), 0x11223344);
	d->ops->release(d);
	CHECK_EQ(fw_cfg_create(&d, &ds, 1 << 30, 3), 0);
	d->ops->write(d, 0, 0, 2, 0);
	for (i = 0; i < 4; i++)
		sig[i] = d->ops->read(d, 0, 1, 1);
	CHECK_EQ(strcmp(sig, "QEMU"), 0);
	d->ops->write(d, 0, 0, 2, 5);
	CHECK_EQ(d->ops->read(d, 0, 1, 1), 3);
	CHECK_EQ(d->ops->read(d, 0, 1, 1), 0);
	d->ops->release(d);
}

static int load(struct device *d, const uint8_t *buf, size_t len)
{
	struct fields_in i = { .buf = buf, .len = len };
	int ret = d->ops->record->load(d, &i, 1);

	return ret ? ret : fields_end(&i) ? 0 : -1;
}

/* What @from saves, @to goes on from; nothing shorter or longer is taken. */
static void move(struct device *from, struct device *to)
{
	struct fields_out one = { 0 }, two = { 0 };

	from->ops->record->save(from, &one);
	for (size_t len = 0; len < one.len && len < 300; len++)
		CHECK(load(to, one.buf, len) < 0);
	fields_put_u8(&one, 0);
	CHECK(load(to, one.buf, one.len) < 0);
	CHECK_EQ(load(to, one.buf, one.len - 1), 0);
	to->ops->record->save(to, &two);
	CHECK_EQ(two.len, one.len - 1);
	CHECK(!memcmp(one.buf, two.buf, two.len));
	from->ops->release(from);
	free(one.buf);
	free(two.buf);
}

static void uart_record_check(void)
{
	struct device *a, *b;

	CHECK_EQ(uart_create(&a, &ds, 0x3f8, 4, NULL), 0);
	CHECK_EQ(uart_create(&b, &ds, 0x3f8, 4, NULL), 0);
	out(a, 2, 1);
	out(a, 4, 0x1b);		/* loopback */
	out(a, 0, 'x');
	out(a, 0, 'y');
	in(a, 0);
	out(a, 0, 'z');
	out(a, 7, 0x5a);
	line[4] = false;
	move(a, b);
	CHECK(!line[4]);		/* lines are the module's */
	CHECK_EQ(in(b, 0), 'y');
	CHECK_EQ(in(b, 0), 'z');
	CHECK_EQ(in(b, 5) & 1, 0);
	CHECK_EQ(in(b, 7), 0x5a);
	b->ops->release(b);
}

static void others_record_check(void)
{
	struct device *a, *b;

	CHECK_EQ(rtc_create(&a, &ds, 0x70, 8), 0);
	CHECK_EQ(rtc_create(&b, &ds, 0x70, 8), 0);
	out(a, 0, 0x50);
	out(a, 1, 0x77);
	move(a, b);
	wall += 3600 * S;
	CHECK_EQ(in(b, 1), 0x77);
	b->ops->release(b);
	CHECK_EQ(acpi_pm_create(&a, &ds, 0x400, 9), 0);
	CHECK_EQ(acpi_pm_create(&b, &ds, 0x400, 9), 0);
	acpi_pm_press(a);
	line[9] = false;
	move(a, b);
	CHECK_EQ(in(b, 1), 1);
	out(b, 3, 1);			/* the button was pressed before, and is told now */
	CHECK(line[9]);
	line[9] = false;
	b->ops->release(b);
	CHECK_EQ(pc_testdev_create(&a, &ds), 0);
	CHECK_EQ(pc_testdev_create(&b, &ds), 0);
	a->ops->write(a, 4, 0x1000, 8, 0x1122334455667788);
	move(a, b);
	CHECK(b->ops->read(b, 4, 0x1000, 8) == 0x1122334455667788);
	b->ops->release(b);
	CHECK_EQ(fw_cfg_create(&a, &ds, 1 << 30, 3), 0);
	CHECK_EQ(fw_cfg_create(&b, &ds, 1 << 30, 3), 0);
	a->ops->write(a, 0, 0, 2, 5);
	move(a, b);
	CHECK_EQ(b->ops->read(b, 0, 1, 1), 3);
	b->ops->release(b);
}

int main(void)
{
	uart_record_check();
	others_record_check();
	uart_check();
	uart_input_check();
	rtc_check();
	pm_check();
	testdev_check();
	return unit_done();
}
