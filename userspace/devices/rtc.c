// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MC146818 CMOS clock (Motorola MC146818A data sheet) with 114 bytes of memory.
 *
 * Time is the host's UTC plus an offset the guest sets by writing the clock. Nothing ticks: registers
 * are computed when they are read, and a timer is armed only while an interrupt is enabled.
 * Register A's UIP bit is set for the last 244 us of every second, so a guest that finds it clear has
 * at least that long to read a consistent time, as on the real part.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtc.h"

#define NS_PER_S	1000000000ULL
#define UIP_NS		244000ULL
#define YEAR_MAX	2250		/* 64-bit nanoseconds end in 2262 */
#define TIME_MAX	(1LL << 62)	/* ns: the sum of the host's time and an offset stays in 64 bits */

enum { R_SEC, R_SEC_ALARM, R_MIN, R_MIN_ALARM, R_HOUR, R_HOUR_ALARM, R_WDAY, R_MDAY, R_MON, R_YEAR,
       R_A, R_B, R_C, R_D };

#define A_UIP		0x80
#define A_DV_MASK	0x70
#define A_DV_RUN	0x20	/* 32.768 kHz, running */
#define A_RS_MASK	0x0f

#define B_SET		0x80
#define B_PIE		0x40
#define B_AIE		0x20
#define B_UIE		0x10
#define B_DM		0x04	/* binary, else BCD */
#define B_24H		0x02

#define C_IRQF		0x80
#define C_PF		0x40
#define C_AF		0x20
#define C_UF		0x10

#define D_VRT		0x80

struct rtc {
	struct device	dev;
	unsigned int	gsi;
	bool		level;
	uint8_t		index;
	uint8_t		cmos[128];	/* time registers live here while B_SET is on */
	uint8_t		flags;		/* register C without IRQF */
	int64_t		offset;		/* ns: guest time = host UTC + offset */
	int64_t		last_second;	/* guest second up to which UF and AF were computed */
	uint64_t	next_periodic;	/* guest ns of the next PF */
	struct dev_timer timer;
};

struct civil {
	int	sec, min, hour, wday, mday, mon, year;	/* wday 1..7 from Sunday, mon 1..12 */
};

/* Days since 1970-01-01 of a date of the Gregorian calendar, year 1970..9999. */
static int64_t days_from_civil(int y, int m, int d)
{
	int64_t days;

	y -= m <= 2;
	m += m <= 2 ? 12 : 0;
	days = 365LL * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 1;
	return days - 719468;
}

static void civil_from_seconds(int64_t t, struct civil *c)
{
	int64_t days, rest, y;
	int m;

	if (t < 0)	/* the guest set a date that does not exist */
		t = 0;
	days = t / 86400;
	rest = t % 86400;
	c->hour = rest / 3600;
	c->min = rest / 60 % 60;
	c->sec = rest % 60;
	c->wday = (days + 4) % 7 + 1;
	y = 1970 + days / 366;
	while (days_from_civil(y + 1, 1, 1) <= days)
		y++;
	for (m = 12; days_from_civil(y, m, 1) > days; m--)
		;
	c->year = y;
	c->mon = m;
	c->mday = days - days_from_civil(y, m, 1) + 1;
}

static uint8_t encode(const struct rtc *r, int v)
{
	return r->cmos[R_B] & B_DM ? v : (v / 10 % 10) << 4 | v % 10;
}

static int decode(const struct rtc *r, uint8_t v)
{
	return r->cmos[R_B] & B_DM ? v : (v >> 4) * 10 + (v & 15);
}

static uint8_t encode_hour(const struct rtc *r, int h)
{
	if (r->cmos[R_B] & B_24H)
		return encode(r, h);
	return encode(r, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static int decode_hour(const struct rtc *r, uint8_t v)
{
	if (r->cmos[R_B] & B_24H)
		return decode(r, v);
	return decode(r, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

static int64_t guest_ns(struct rtc *r)
{
	return (int64_t)r->dev.ds->ops->wall_ns(r->dev.ds) + r->offset;
}

static int64_t floor_second(int64_t ns)
{
	return ns >= 0 ? ns / (int64_t)NS_PER_S : -((-ns + (int64_t)NS_PER_S - 1) / (int64_t)NS_PER_S);
}

/* Put the present time into the register bytes. */
static void registers_fill(struct rtc *r)
{
	struct civil c;

	civil_from_seconds(floor_second(guest_ns(r)), &c);
	r->cmos[R_SEC] = encode(r, c.sec);
	r->cmos[R_MIN] = encode(r, c.min);
	r->cmos[R_HOUR] = encode_hour(r, c.hour);
	r->cmos[R_WDAY] = encode(r, c.wday);
	r->cmos[R_MDAY] = encode(r, c.mday);
	r->cmos[R_MON] = encode(r, c.mon);
	r->cmos[R_YEAR] = encode(r, c.year % 100);
	r->cmos[RTC_CENTURY] = encode(r, c.year / 100);
}

/* Take the time the guest wrote as the present one. Nonsense values give some time, never an error. */
static void registers_take(struct rtc *r)
{
	int year = decode(r, r->cmos[R_YEAR]) % 100 + decode(r, r->cmos[RTC_CENTURY]) % 100 * 100;
	int mon = decode(r, r->cmos[R_MON]);
	int64_t t;

	if (year < 1970)
		year = 1970;
	if (year > YEAR_MAX)
		year = YEAR_MAX;
	if (mon < 1 || mon > 12)
		mon = 1;
	t = days_from_civil(year, mon, decode(r, r->cmos[R_MDAY])) * 86400 +
	    decode_hour(r, r->cmos[R_HOUR]) * 3600 + decode(r, r->cmos[R_MIN]) * 60 +
	    decode(r, r->cmos[R_SEC]);
	r->offset += t * (int64_t)NS_PER_S - guest_ns(r);
	r->last_second = t;
}

/* Does the alarm go off in guest second @t? Values from 0xc0 up mean "any". */
static bool alarm_matches(const struct rtc *r, int64_t t)
{
	uint8_t s = r->cmos[R_SEC_ALARM], m = r->cmos[R_MIN_ALARM], h = r->cmos[R_HOUR_ALARM];

	return (s >= 0xc0 || decode(r, s) == t % 60) && (m >= 0xc0 || decode(r, m) == t / 60 % 60) &&
	       (h >= 0xc0 || decode_hour(r, h) == t / 3600 % 24);
}

/* Period of PF in ns, 0 when off. */
static uint64_t periodic_ns(const struct rtc *r)
{
	unsigned int rs = r->cmos[R_A] & A_RS_MASK;

	if (!rs || (r->cmos[R_A] & A_DV_MASK) != A_DV_RUN)
		return 0;
	if (rs <= 2)
		rs += 7;
	return (NS_PER_S << (rs - 1)) / 32768;
}

/* Bring UF, AF and PF up to the present. Runs whenever a register is touched or the timer fires. */
static void flags_update(struct rtc *r)
{
	int64_t now = guest_ns(r), second = floor_second(now);
	uint64_t period = periodic_ns(r);
	int64_t s;

	if (period && (int64_t)r->next_periodic <= now) {
		r->flags |= C_PF;
		r->next_periodic += ((uint64_t)now - r->next_periodic) / period * period + period;
	}
	if (r->cmos[R_B] & B_SET)
		return;
	if (second == r->last_second)
		return;
	r->flags |= C_UF;
	/* The alarm repeats daily: a longer gap needs no more than a day of looking. */
	s = r->last_second + 1;
	if (second - s >= 86400 || second < s)
		s = second < s ? second : second - 86399;
	for (; s <= second && !(r->flags & C_AF); s++) {
		if (alarm_matches(r, s))
			r->flags |= C_AF;
	}
	r->last_second = second;
}

static uint8_t reg_c(const struct rtc *r)
{
	return r->flags | (r->flags & r->cmos[R_B] & (C_PF | C_AF | C_UF) ? C_IRQF : 0);
}

/* The guest ns of the next enabled event, 0: none. An alarm is looked for second by second. */
static int64_t next_event(struct rtc *r)
{
	uint8_t want = r->cmos[R_B] & ~r->flags & (B_PIE | B_AIE | B_UIE);
	int64_t second = (r->last_second + 1) * (int64_t)NS_PER_S, next = 0;
	int i;

	if (!(r->cmos[R_B] & B_SET)) {
		if (want & B_UIE)
			next = second;
		for (i = 0; (want & B_AIE) && !next && i < 86400; i++) {
			if (alarm_matches(r, r->last_second + 1 + i))
				next = second + i * (int64_t)NS_PER_S;
		}
	}
	if ((want & B_PIE) && periodic_ns(r) && (!next || (int64_t)r->next_periodic < next))
		next = r->next_periodic;
	return next;
}

static void line_update(struct rtc *r)
{
	struct dev_services *ds = r->dev.ds;
	bool level = reg_c(r) & C_IRQF;
	int64_t next, now;

	if (level != r->level) {
		r->level = level;
		ds->ops->irq_set(ds, r->gsi, level);
	}
	next = r->cmos[R_B] & (B_PIE | B_AIE | B_UIE) ? next_event(r) : 0;
	if (!next) {
		ds->ops->timer_cancel(ds, &r->timer);
		return;
	}
	now = guest_ns(r);
	ds->ops->timer_arm(ds, &r->timer, ds->ops->now_ns(ds) + (next > now ? next - now : 0));
}

static void rtc_fire(struct dev_timer *t)
{
	struct rtc *r = dev_container(t, struct rtc, timer);

	flags_update(r);
	line_update(r);
}

static bool is_time(unsigned int reg)
{
	return reg == R_SEC || reg == R_MIN || reg == R_HOUR || (reg >= R_WDAY && reg <= R_YEAR) ||
	       reg == RTC_CENTURY;
}

static uint8_t a_read(struct rtc *r)
{
	int64_t now = guest_ns(r);
	uint64_t in_second = now - floor_second(now) * (int64_t)NS_PER_S;
	bool uip = !(r->cmos[R_B] & B_SET) && in_second >= NS_PER_S - UIP_NS;

	return r->cmos[R_A] | (uip ? A_UIP : 0);
}

static uint8_t cmos_read(struct rtc *r)
{
	uint8_t v;

	switch (r->index) {
	case R_A:
		return a_read(r);
	case R_C:
		flags_update(r);
		v = reg_c(r);
		r->flags = 0;
		line_update(r);
		return v;
	case R_D:
		return D_VRT;
	}
	if (is_time(r->index) && !(r->cmos[R_B] & B_SET))
		registers_fill(r);
	return r->cmos[r->index];
}

static void b_write(struct rtc *r, uint8_t v)
{
	uint8_t old = r->cmos[R_B];

	if ((v & B_SET) && !(old & B_SET))
		registers_fill(r);
	if (v & B_SET)
		v &= ~B_UIE;	/* data sheet: SET clears UIE */
	r->cmos[R_B] = v;
	if (!(v & B_SET) && (old & B_SET))
		registers_take(r);
}

static void a_write(struct rtc *r, uint8_t v)
{
	uint64_t period;

	r->cmos[R_A] = v & ~A_UIP;
	period = periodic_ns(r);
	if (period)
		r->next_periodic = (uint64_t)guest_ns(r) / period * period + period;
}

static void cmos_write(struct rtc *r, uint8_t v)
{
	flags_update(r);
	switch (r->index) {
	case R_A:
		a_write(r, v);
		break;
	case R_B:
		b_write(r, v);
		break;
	case R_C:
	case R_D:
		return;	/* read-only */
	default:
		if (is_time(r->index) && !(r->cmos[R_B] & B_SET)) {
			registers_fill(r);
			r->cmos[r->index] = v;
			registers_take(r);
		} else {
			r->cmos[r->index] = v;
		}
	}
	line_update(r);
}

static uint64_t rtc_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	(void)id;
	return (off == 1 ? cmos_read(r) : 0xff) | (size > 1 ? ~0ULL << 8 : 0);
}

static void rtc_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
		      uint64_t value)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	(void)id;
	if (off == 0) {
		r->index = value & 0x7f;	/* bit 7 masks NMI on a PC; there is no such gate here */
		if (size > 1)
			cmos_write(r, value >> 8);
	} else {
		cmos_write(r, value);
	}
}

static void rtc_reset(struct device *d)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	/* The clock is battery-backed: time, alarm and memory stay, interrupts go off. */
	r->index = 0;
	if (r->cmos[R_B] & B_SET)
		registers_take(r);
	r->cmos[R_A] = A_DV_RUN | 6;
	r->cmos[R_B] = (r->cmos[R_B] & B_DM) | B_24H;
	r->flags = 0;
	r->last_second = floor_second(guest_ns(r));
	line_update(r);
}

static void rtc_save(struct device *d, struct fields_out *out)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	fields_put_u8(out, r->index);
	fields_put(out, r->cmos, sizeof(r->cmos));
	fields_put_u8(out, r->flags);
	fields_put_u64(out, (uint64_t)r->offset);
	fields_put_u64(out, (uint64_t)r->last_second);
	fields_put_u64(out, r->next_periodic);
}

/* The clock went on meanwhile, as that of a PC that is switched off. */
static int rtc_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	(void)version;
	r->index = fields_get_u8(in) & 0x7f;
	fields_get(in, r->cmos, sizeof(r->cmos));
	r->cmos[R_A] &= ~A_UIP;
	r->flags = fields_get_u8(in) & (C_PF | C_AF | C_UF);
	r->offset = (int64_t)fields_get_u64(in);
	r->last_second = (int64_t)fields_get_u64(in);
	r->next_periodic = fields_get_u64(in);
	if (r->offset > TIME_MAX || r->offset < -TIME_MAX || r->last_second > TIME_MAX / (int64_t)NS_PER_S ||
	    r->last_second < -TIME_MAX / (int64_t)NS_PER_S) {
		r->offset = r->last_second = 0;
		return -EINVAL;
	}
	r->level = reg_c(r) & C_IRQF;
	line_update(r);
	return 0;
}

static void rtc_release(struct device *d)
{
	struct rtc *r = dev_container(d, struct rtc, dev);

	d->ds->ops->timer_free(d->ds, &r->timer);
	free(r);
}

static const struct dev_record rtc_record = { DEV_REC_RTC, 1, rtc_save, rtc_load };

static const struct dev_ops rtc_ops = {
	.name = "rtc", .read = rtc_read, .write = rtc_write,
	.reset = rtc_reset, .release = rtc_release, .record = &rtc_record,
};

int rtc_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int gsi)
{
	const struct dev_range range = { DEV_SPACE_PORT, port, 2, 0 };
	struct rtc *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	device_init(&r->dev, &rtc_ops, ds, &range, 1);
	r->gsi = gsi;
	r->timer.fire = rtc_fire;
	r->timer.dev = &r->dev;
	rtc_reset(&r->dev);
	*out = &r->dev;
	return 0;
}
