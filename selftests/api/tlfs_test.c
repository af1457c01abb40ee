// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Hyper-V interface, looked at by bare guests. One eventfd stands behind connection
 * 0x100 and before SINT 2, so a guest's own signal comes back to it as an event flag.
 */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define CONNECTION	0x100
#define FLAG		5

static int loop_fd;

static void wire(struct bare *b)
{
	struct hv_event_port_args port = { .connection = CONNECTION, .fd = loop_fd };
	struct hv_irqfd_args irq = { .fd = loop_fd, .resample_fd = -1,
				     .target = { .kind = HV_IRQ_SINT, .vp = 0, .sint = 2, .flag = FLAG } };

	hv_do(b->vm, HV_VM_SET_EVENT_PORT, &port);
	if (b->vm_flags & HV_VM_F_NO_TLFS) {
		tap_is(hv_try(b->vm, HV_VM_SET_IRQFD, &irq), -EINVAL, "no SINT to connect to");
		return;
	}
	hv_do(b->vm, HV_VM_SET_IRQFD, &irq);
}

static const struct {
	const char *name;
	uint32_t cpus, seconds, vm_flags;
} guests[] = {
	{ "hello", 1, 60, 0 },	{ "smp", 4, 150, 0 },	{ "tlfs_msr", 2, 150, 0 },
	{ "overlay", 1, 150, 0 },	{ "reftime", 2, 150, 0 },	{ "vp_assist", 1, 150, 0 },
	{ "synic", 2, 150, 0 },	{ "stimer", 2, 200, 0 },	{ "hypercall", 3, 200, 0 },
	{ "crash", 1, 60, 0 },	{ "hostile", 3, 200, 0 },	{ "plain", 1, 60, HV_VM_F_NO_TLFS },
};

static void check_crash(const struct bare *b)
{
	tap_is(b->crashes, 1, "one crash is told of, the second is not");
	tap_ok(b->crash_ctl >> 62 == 3, "control: notify, with a text");
	tap_is((long)b->crash_p[0], 0x1111, "parameter 0 as it was then");
	tap_ok(b->crash_p[3] < BARE_RAM && b->crash_p[4] == 15, "where the text is, how long");
}

/* Arguments: names of the guests to run; none: all. */
int main(int argc, char **argv)
{
	char path[64], words[64];
	uint32_t i;
	int a, ret;

	snprintf(words, sizeof(words), "conn=%u flag=%u", CONNECTION, FLAG);
	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct bare b = { .image = path, .append = words, .cpus = guests[i].cpus,
				  .seconds = guests[i].seconds,
				  .vm_flags = guests[i].vm_flags, .prepare = wire };

		for (a = 1; a < argc && strcmp(argv[a], guests[i].name); a++)
			;
		if (argc > 1 && a == argc)
			continue;
		snprintf(path, sizeof(path), "build/guest/%s.elf", guests[i].name);
		loop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ret = bare_run(&b);
		close(loop_fd);
		tap_is(ret, 0, "guest %s", guests[i].name);
		if (!strcmp(guests[i].name, "crash"))
			check_crash(&b);
	}
	return tap_done();
}
