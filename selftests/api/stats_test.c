// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters: the form describes itself, and they count. */
#include <string.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

static uint8_t buf[16384] __attribute__((aligned(8)));

static const struct hv_stats_desc *desc(uint32_t i)
{
	const struct hv_stats_header *h = (void *)buf;

	return (const void *)(buf + h->desc_off + (size_t)i * h->desc_bytes);
}

/* Value of a counter by name, or ~0. */
static uint64_t value(const char *name)
{
	const struct hv_stats_header *h = (void *)buf;
	uint32_t i;

	for (i = 0; i < h->nr; i++) {
		if (!strncmp(desc(i)->name, name, sizeof(desc(i)->name)))
			return ((uint64_t *)(buf + h->data_off))[i];
	}
	return ~0ull;
}

static void check_form(const char *what, uint32_t len)
{
	const struct hv_stats_header *h = (void *)buf;
	uint32_t i, j, bad = 0;

	tap_ok(h->nr && h->desc_bytes >= sizeof(struct hv_stats_desc) &&
	       h->desc_off >= sizeof(*h) && !(h->data_off & 7) &&
	       h->desc_off + h->nr * h->desc_bytes <= h->data_off &&
	       h->data_off + h->nr * 8 == len, "%s: header of %u counters", what, h->nr);
	for (i = 0; i < h->nr; i++) {
		const struct hv_stats_desc *d = desc(i);

		bad += !d->name[0] || !memchr(d->name, 0, sizeof(d->name)) ||
		       d->unit > HV_STATS_PAGES || d->kind > HV_STATS_INSTANT;
		for (j = 0; j < i; j++)
			bad += !strcmp(d->name, desc(j)->name);
	}
	tap_is(bad, 0, "%s: names, units and kinds", what);
}

static long call(int fd, unsigned long cmd, struct hv_stats_args *a)
{
	a->size = sizeof(*a);
	return hv_raw(fd, cmd, a);
}

static void check_lengths(const char *what, int fd, unsigned long cmd)
{
	struct hv_stats_args a = { 0 };
	uint32_t need;

	tap_is(call(fd, cmd, &a), 0, "%s: ask for the length", what);
	need = a.len;
	a.addr = (uintptr_t)buf;
	a.len = need - 1;
	tap_is(call(fd, cmd, &a), -ENOSPC, "%s: room for one byte less", what);
	a.len = sizeof(buf);
	tap_is(call(fd, cmd, &a), 0, "%s: get", what);
	tap_is(a.len, need, "%s: length", what);
	check_form(what, a.len);
	a.addr = 1ull << 62;
	tap_is(call(fd, cmd, &a), -EFAULT, "%s: bad address", what);
}

int main(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), vcpu, i;
	struct hv_stats_args a = { 0 };
	uint64_t exits, user;

	hv_reset_code(vm, hv_code_out, sizeof(hv_code_out));
	vcpu = hv_vcpu_new(vm, 0);
	check_lengths("VM", vm, HV_VM_GET_STATS);
	check_lengths("vCPU", vcpu, HV_VCPU_GET_STATS);

	for (i = 0; i < 10; i++)
		hv_raw(vcpu, HV_VCPU_RUN, NULL);
	a.addr = (uintptr_t)buf;
	a.len = sizeof(buf);
	hv_do(vcpu, HV_VCPU_GET_STATS, &a);
	exits = value("exits");
	user = value("user_exits");
	tap_ok(exits != ~0ull && exits >= 10, "exits: %llu", (unsigned long long)exits);
	tap_is((long)user, 10, "user exits");
	a.len = sizeof(buf);
	hv_do(vm, HV_VM_GET_STATS, &a);
	tap_ok(value("slot_updates") == 1, "slot updates: %llu",
	       (unsigned long long)value("slot_updates"));
	close(vcpu);
	close(vm);
	return tap_done();
}
