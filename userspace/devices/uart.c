// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 16550A serial port (National Semiconductor PC16550D data sheet).
 *
 * The transmitter is infinitely fast: a byte written is gone at once, so LSR always shows it empty.
 * Received bytes wait in the FIFO; the backend is asked for more when half of it is free. The modem
 * status lines CTS, DSR and DCD are active outside loopback.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../backends/chr.h"
#include "uart.h"

#define FIFO_SIZE	16

enum {	/* register offsets; the first two are the divisor latch when LCR.DLAB is set */
	R_DATA, R_IER, R_IIR_FCR, R_LCR, R_MCR, R_LSR, R_MSR, R_SCR
};

#define IER_RDI		0x01	/* received data available, and time-out */
#define IER_THRI	0x02	/* transmitter holding register empty */
#define IER_RLSI	0x04	/* line status: overrun, parity, framing, break */
#define IER_MSI		0x08	/* modem status change */
#define IER_ALL		0x0f

#define IIR_NONE	0x01
#define IIR_MSI		0x00
#define IIR_THRI	0x02
#define IIR_RDI		0x04
#define IIR_RLSI	0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFO	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02

#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08	/* gates the interrupt line on a PC */
#define MCR_LOOP	0x10
#define MCR_ALL		0x1f

#define LSR_DR		0x01
#define LSR_OE		0x02
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

#define MSR_DELTA	0x0f
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

struct uart {
	struct device	dev;
	struct chr	*chr;
	unsigned int	gsi;
	bool		level;		/* of the interrupt line */
	bool		thre_pending;	/* the THRE interrupt was not yet read from IIR */
	bool		starved;	/* the backend was told to wait for room */
	uint8_t		ier, lcr, mcr, lsr_error, msr, scr, fcr, dll, dlm;
	uint8_t		fifo[FIFO_SIZE];
	unsigned int	head, count;
};

static const uint8_t trigger_level[4] = { 1, 4, 8, 14 };

static unsigned int fifo_depth(const struct uart *u)
{
	return u->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

/* The highest-priority cause, as IIR shows it. */
static uint8_t uart_cause(const struct uart *u)
{
	unsigned int trigger = u->fcr & FCR_ENABLE ? trigger_level[u->fcr >> 6] : 1;

	if ((u->ier & IER_RLSI) && u->lsr_error)
		return IIR_RLSI;
	if ((u->ier & IER_RDI) && u->count)
		return u->count >= trigger ? IIR_RDI : IIR_TIMEOUT;
	if ((u->ier & IER_THRI) && u->thre_pending)
		return IIR_THRI;
	if ((u->ier & IER_MSI) && (u->msr & MSR_DELTA))
		return IIR_MSI;
	return IIR_NONE;
}

static bool line_level(const struct uart *u)
{
	return uart_cause(u) != IIR_NONE && (u->mcr & MCR_OUT2) && !(u->mcr & MCR_LOOP);
}

static void uart_line_update(struct uart *u)
{
	bool level = line_level(u);

	if (level == u->level)
		return;
	u->level = level;
	u->dev.ds->ops->irq_set(u->dev.ds, u->gsi, level);
}

static void rx_push(struct uart *u, uint8_t byte)
{
	if (u->count == fifo_depth(u)) {
		u->lsr_error |= LSR_OE;
		return;
	}
	u->fifo[(u->head + u->count++) % FIFO_SIZE] = byte;
}

static uint8_t rx_pop(struct uart *u)
{
	uint8_t byte;

	if (!u->count)
		return 0;
	byte = u->fifo[u->head];
	u->head = (u->head + 1) % FIFO_SIZE;
	u->count--;
	if (u->starved && u->count <= fifo_depth(u) / 2) {
		u->starved = false;
		chr_input_ready(u->chr);
	}
	return byte;
}

/* Modem lines as the guest sees them: wired back in loopback, all active otherwise. */
static void msr_update(struct uart *u)
{
	uint8_t lines = MSR_CTS | MSR_DSR | MSR_DCD;
	uint8_t changed;

	if (u->mcr & MCR_LOOP) {
		lines = (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
			(u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
	}
	changed = (u->msr ^ lines) >> 4;
	if (!(u->msr & MSR_RI))
		changed &= ~(MSR_RI >> 4);	/* TERI: only the trailing edge counts */
	u->msr = lines | (u->msr & MSR_DELTA) | changed;
}

static void data_write(struct uart *u, uint8_t byte)
{
	u->thre_pending = true;
	if (u->mcr & MCR_LOOP)
		rx_push(u, byte);
	else if (u->chr)
		chr_write(u->chr, &byte, 1);
}

static void fcr_write(struct uart *u, uint8_t v)
{
	if (((v ^ u->fcr) & FCR_ENABLE) || (v & FCR_CLEAR_RX)) {
		u->count = 0;
		if (u->starved) {
			u->starved = false;
			chr_input_ready(u->chr);
		}
	}
	u->fcr = v & FCR_ENABLE ? v & (FCR_ENABLE | 0xc0) : 0;
}

static void mcr_write(struct uart *u, uint8_t v)
{
	bool left_loop = (u->mcr & MCR_LOOP) && !(v & MCR_LOOP);

	u->mcr = v & MCR_ALL;
	msr_update(u);
	if (left_loop && u->starved) {
		u->starved = false;
		chr_input_ready(u->chr);
	}
}

static void uart_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
		       uint64_t value)
{
	struct uart *u = dev_container(d, struct uart, dev);
	bool dlab = u->lcr & LCR_DLAB;
	uint8_t v = value;

	(void)id;
	(void)size;	/* an 8-bit device: wider writes reach the first register only */
	switch (off) {
	case R_DATA:
		if (dlab)
			u->dll = v;
		else
			data_write(u, v);
		break;
	case R_IER:
		if (dlab) {
			u->dlm = v;
			break;
		}
		/* Enabling THRI while the transmitter is empty raises it at once. */
		if ((v & IER_THRI) && !(u->ier & IER_THRI))
			u->thre_pending = true;
		u->ier = v & IER_ALL;
		break;
	case R_IIR_FCR:
		fcr_write(u, v);
		break;
	case R_LCR:
		u->lcr = v;
		break;
	case R_MCR:
		mcr_write(u, v);
		break;
	case R_SCR:
		u->scr = v;
		break;
	}
	uart_line_update(u);
}

static uint8_t iir_read(struct uart *u)
{
	uint8_t cause = uart_cause(u);

	if (cause == IIR_THRI)
		u->thre_pending = false;
	return cause | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t lsr_read(struct uart *u)
{
	uint8_t v = LSR_THRE | LSR_TEMT | u->lsr_error | (u->count ? LSR_DR : 0);

	u->lsr_error = 0;
	return v;
}

static uint64_t uart_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	struct uart *u = dev_container(d, struct uart, dev);
	bool dlab = u->lcr & LCR_DLAB;
	uint8_t v = 0xff;

	(void)id;
	switch (off) {
	case R_DATA:
		v = dlab ? u->dll : rx_pop(u);
		break;
	case R_IER:
		v = dlab ? u->dlm : u->ier;
		break;
	case R_IIR_FCR:
		v = iir_read(u);
		break;
	case R_LCR:
		v = u->lcr;
		break;
	case R_MCR:
		v = u->mcr;
		break;
	case R_LSR:
		v = lsr_read(u);
		break;
	case R_MSR:
		v = u->msr;
		u->msr &= ~MSR_DELTA;
		break;
	case R_SCR:
		v = u->scr;
		break;
	}
	uart_line_update(u);
	return size == 1 ? v : ~0ULL << 8 | v;
}

/* The backend brings input; loop thread. */
static size_t uart_input(void *arg, const uint8_t *buf, size_t len)
{
	struct uart *u = arg;
	size_t n = 0;

	pthread_mutex_lock(&u->dev.lock);
	if (!(u->mcr & MCR_LOOP)) {
		while (n < len && u->count < fifo_depth(u))
			rx_push(u, buf[n++]);
	}
	if (n < len)
		u->starved = true;
	uart_line_update(u);
	pthread_mutex_unlock(&u->dev.lock);
	return n;
}

static void uart_reset(struct device *d)
{
	struct uart *u = dev_container(d, struct uart, dev);

	u->ier = u->lcr = u->mcr = u->lsr_error = u->scr = u->fcr = 0;
	u->dll = 12;	/* 9600 baud, as firmware leaves it */
	u->dlm = 0;
	u->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	u->thre_pending = false;
	u->count = u->head = 0;
	if (u->starved) {
		u->starved = false;
		chr_input_ready(u->chr);
	}
	uart_line_update(u);
}

static void uart_save(struct device *d, struct fields_out *out)
{
	const struct uart *u = dev_container(d, struct uart, dev);
	const uint8_t regs[] = { u->ier, u->lcr, u->mcr, u->lsr_error, u->msr, u->scr, u->fcr, u->dll, u->dlm };

	fields_put(out, regs, sizeof(regs));
	fields_put_u8(out, u->thre_pending);
	fields_put_u8(out, (uint8_t)u->count);
	for (unsigned int i = 0; i < u->count; i++)
		fields_put_u8(out, u->fifo[(u->head + i) % FIFO_SIZE]);
}

static int uart_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct uart *u = dev_container(d, struct uart, dev);

	(void)version;
	u->ier = fields_get_u8(in) & IER_ALL;
	u->lcr = fields_get_u8(in);
	u->mcr = fields_get_u8(in) & MCR_ALL;
	u->lsr_error = fields_get_u8(in) & LSR_OE;
	u->msr = fields_get_u8(in);
	u->scr = fields_get_u8(in);
	u->fcr = fields_get_u8(in) & (FCR_ENABLE | 0xc0);
	u->dll = fields_get_u8(in);
	u->dlm = fields_get_u8(in);
	u->thre_pending = fields_get_bool(in);
	u->head = 0;
	u->count = fields_get_u8(in);
	if (u->count > fifo_depth(u)) {
		u->count = 0;
		return -EINVAL;
	}
	fields_get(in, u->fifo, u->count);
	u->level = line_level(u);
	return 0;
}

static void uart_release(struct device *d)
{
	struct uart *u = dev_container(d, struct uart, dev);

	if (u->chr)
		chr_sink_set(u->chr, NULL);
	free(u);
}

static const struct dev_record uart_record = { DEV_REC_UART, 1, uart_save, uart_load };

static const struct dev_ops uart_ops = {
	.name = "uart", .read = uart_read, .write = uart_write,
	.reset = uart_reset, .release = uart_release, .record = &uart_record,
};

int uart_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int gsi,
		struct chr *chr)
{
	const struct dev_range range = { DEV_SPACE_PORT, port, 8, 0 };
	struct uart *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	device_init(&u->dev, &uart_ops, ds, &range, 1);
	u->gsi = gsi;
	u->chr = chr;
	uart_reset(&u->dev);
	if (chr) {
		const struct chr_sink sink = { uart_input, u };

		chr_sink_set(chr, &sink);
	}
	*out = &u->dev;
	return 0;
}
