/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lent.h - the machine under a fuzzed device: guest memory is lent as copies, so that every byte beyond is seen */
#ifndef HV_FUZZ_LENT_H
#define HV_FUZZ_LENT_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/chan.h"
#include "devices/dev_services.h"

#define RAM		(1u << 20)

static uint8_t ram[RAM];
static unsigned int held;	/* pieces that were not put back */

static uintptr_t sum_of(const uint8_t *p, uint32_t len)
{
	uintptr_t sum = len;

	while (len--)
		sum = (sum ^ *p++) * 0x100000001b3;
	return sum;
}

static int f_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	uint8_t *p;

	(void)ds;
	if (!len)
		abort();
	if (gpa > RAM || len > RAM - gpa)
		return -EFAULT;
	p = malloc(len);
	memcpy(p, ram + gpa, len);
	*out = (struct gmem){ .ptr = p, .gpa = gpa, .len = len, .dir = dir };
	out->range = (void *)sum_of(p, len);
	held++;
	return 0;
}

static int f_get_like(struct dev_services *ds, const struct gmem *one, uint64_t gpa, uint32_t len,
		      struct gmem *out)
{
	return f_get(ds, gpa, len, one->dir, out);
}

static void f_put(struct dev_services *ds, struct gmem *g)
{
	(void)ds;
	if (g->dir & DEV_DIR_WRITE)
		memcpy(ram + g->gpa, g->ptr, g->len);
	else if (g->range != (void *)sum_of(g->ptr, g->len))
		abort();
	free(g->ptr);
	g->ptr = NULL;
	held--;
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level, (void)fmt;
}

static int f_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	(void)ds, (void)offer, (void)c;
	return 0;
}

static void f_sub(struct dev_services *ds, struct chan *primary, struct chan *c)
{
	(void)ds, (void)primary, (void)c;
}

static void f_chan(struct dev_services *ds, struct chan *c)
{
	(void)ds, (void)c;
}

/* For a table of services. */
#define LENT_OPS								\
	.gmem_get = f_get, .gmem_get_like = f_get_like, .gmem_put = f_put, .log = f_log,	\
	.chan_create = f_create, .chan_sub_create = f_sub, .chan_remove = f_chan,		\
	.chan_signal = f_chan, .chan_closed = f_chan

#endif
