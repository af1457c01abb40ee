/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550A serial port: 16-byte FIFOs, modem lines held active, loopback, all four interrupt causes. */
#ifndef HV_DEVICES_UART_H
#define HV_DEVICES_UART_H

#include "dev_services.h"

struct chr;

/* @chr may be NULL: output is dropped, no input. 0 or -ENOMEM. */
int uart_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int gsi,
		struct chr *chr);

#endif
