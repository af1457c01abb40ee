// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bus_end.c - a guest that goes through all that a connection can be in, a step at a time
 *
 * At each step its host may reset the VM, or kill itself or the device; what comes after that
 * finds a bus that is as new. Results are told when they are wrong. Host:
 * selftests/api/bus_end_test.c.
 */
#include "bus.h"
#include "bus_steps.h"

#define PAGES	60u		/* both rings: a header and two bodies */
#define DOWN	30u
#define GPADL	0xe1e10u
#define GPADL_SUB 0xe1e11u

static u8 ring_mem[PAGES * 4096] __attribute__((aligned(4096)));
static u8 sub_mem[PAGES * 4096] __attribute__((aligned(4096)));
static u8 buffer[20 * 4096] __attribute__((aligned(4096)));
static struct vmb_offer first, second;
static struct bus_ring out, in, sub_out, sub_in;
static u8 msg[VMB_MESSAGE_MAX];
static u8 buf[1000], back[1000];
static u32 step_now, wrong;
static void *start[5];

static void must(bool good, const char *what)
{
	if (good)
		return;
	print("step %u: %s\n", step_now, what);
	wrong = 1;
}

static void must_come(u32 type, const char *what)
{
	u32 got = bus_take(msg, BUS_WAIT);

	if (got != type)
		print("message %u, wanted %u\n", got, type);
	must(got == type, what);
}

/* Something waits for the device: no message comes. */
static void must_wait(const char *what)
{
	must(!bus_take(msg, BUS_QUIET), what);
}

static void at(u32 step)
{
	step_now = step;
	outl(BUS_PORT_STEP, step);
	if (inl(BUS_PORT_STEP))
		__builtin_longjmp(start, 1);
}

static void host(u32 what)
{
	outl(BUS_PORT_DO, what);
}

/* Packets @from up to @to there, and back if @wait. */
static void echo(struct bus_ring *o, struct bus_ring *i, u32 connection, u32 from, u32 to, bool wait)
{
	struct vmb_packet d;
	u32 n, k, len;

	for (n = from; n < to; n++) {
		len = n * 37 % sizeof(buf);
		for (k = 0; k < len; k++)
			buf[k] = (u8)(n + k);
		if (bus_put(o, VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, n + 1, buf, len))
			bus_signal(connection);
	}
	for (n = from; wait && n < to; n++) {
		if (!bus_get(i, &d, back, sizeof(back), BUS_WAIT) || d.transaction != n + 1) {
			must(false, "a packet did not come back");
			return;
		}
		len = n * 37 % sizeof(buf);
		for (k = 0; k < len; k++)
			if (back[k] != (u8)(n + k + 1))
				break;
		must(k == len, "a packet came back with other bytes");
	}
}

static void contact(void)
{
	struct vmb_initiate_contact m = { .header.type = VMB_MSG_INITIATE_CONTACT,
					  .version = VMB_VERSION_WIN10_V5_3, .v5.sint = VMB_SINT };
	u32 type, left = 64;

	must(bus_post(VMB_CONNECTION_CONTACT, &m, sizeof(m)) == TLFS_OK, "contact");
	at(STEP_CONTACT_SENT);
	do {	/* what was in the slot already is of the connection before */
		type = bus_take(msg, BUS_WAIT);
	} while (type && type != VMB_MSG_VERSION_RESPONSE && --left);
	must(type == VMB_MSG_VERSION_RESPONSE && ((struct vmb_version_response *)msg)->supported,
	     "contact is answered");
	at(STEP_AGREED);
}

static void offers(void)
{
	must(bus_header(VMB_MSG_REQUEST_OFFERS) == TLFS_OK, "offers are asked for");
	at(STEP_OFFERS_SENT);
	must_come(VMB_MSG_OFFER, "the first channel");
	memcpy(&first, msg, sizeof(first));
	must_come(VMB_MSG_OFFER, "the second channel");
	memcpy(&second, msg, sizeof(second));
	must_come(VMB_MSG_OFFERS_DELIVERED, "no more");
	at(STEP_OFFERED);
}

static void gpadl(void)
{
	u32 done = 0, step = STEP_GPADL_HEADER;

	while (done < PAGES) {
		done = bus_gpadl_part(first.relid, GPADL, ring_mem, PAGES, done);
		must(done != ~0u, "a part of a GPADL");
		at(step++);
	}
	must_come(VMB_MSG_GPADL_CREATED, "the GPADL is made");
	must(!((struct vmb_gpadl_created *)msg)->status, "well");
	at(STEP_GPADL);
}

static void opens(void)
{
	bus_open_post(first.relid, GPADL, ring_mem, PAGES, DOWN, 0);
	at(STEP_OPENING);
	host(DO_OPEN);
	at(STEP_OPEN_UNREAD);
	must_come(VMB_MSG_OPEN_RESULT, "an opening is answered");
	must(!((struct vmb_open_result *)msg)->status, "well");
	bus_ring(&out, ring_mem, DOWN);
	bus_ring(&in, ring_mem + DOWN * 4096, PAGES - DOWN);
}

/* Its number. */
static u32 sub_open(void)
{
	struct vmb_offer o;

	must_come(VMB_MSG_OFFER, "a sub-channel");
	memcpy(&o, msg, sizeof(o));
	must(!bus_gpadl(o.relid, GPADL_SUB, sub_mem, PAGES), "its GPADL");
	must(!bus_open(o.relid, GPADL_SUB, sub_mem, PAGES, DOWN, 1), "it is opened");
	bus_ring(&sub_out, sub_mem, DOWN);
	bus_ring(&sub_in, sub_mem + DOWN * 4096, PAGES - DOWN);
	echo(&sub_out, &sub_in, o.connection, 0, 10, true);
	return o.relid;
}

static void traffic(void)
{
	echo(&out, &in, first.connection, 0, 10, true);
	must(!bus_gpadl(first.relid, BUS_BUFFER, buffer, 20), "a buffer's GPADL");
	host(DO_TAKE);
	at(STEP_TRAFFIC);
	host(DO_STALL);
	echo(&out, &in, first.connection, 10, 20, false);
	at(STEP_IN_FLIGHT);
	host(DO_RESUME);
	echo(&out, &in, first.connection, 20, 20, true);
}

static void closes(u32 sub_relid)
{
	host(DO_HOLD_ACKS);
	bus_teardown(first.relid, BUS_BUFFER);
	at(STEP_BUFFER_ENDING);
	host(DO_ACK);
	must_come(VMB_MSG_GPADL_TORNDOWN, "the device has given the buffer back");
	host(DO_HOLD_ACKS);
	bus_relid(VMB_MSG_CLOSE, first.relid);
	at(STEP_CLOSING);
	bus_teardown(first.relid, GPADL);
	at(STEP_RINGS_ENDING);
	host(DO_ACK_FIRST);
	must_come(VMB_MSG_GPADL_TORNDOWN, "the device has let go of the rings");
	bus_teardown(sub_relid, GPADL_SUB);
	must_wait("of the sub-channel's it has not, nor is that taken back");
	at(STEP_SUB_LINGERS);
	host(DO_ACK);
	must_come(VMB_MSG_GPADL_TORNDOWN, "now it has");
	must_come(VMB_MSG_RESCIND, "and the sub-channel goes");
	bus_relid(VMB_MSG_RELID_RELEASED, sub_relid);
	at(STEP_CLOSED);
}

static void open_whole(void)
{
	must(!bus_gpadl(first.relid, GPADL, ring_mem, PAGES), "a GPADL");
	must(!bus_open(first.relid, GPADL, ring_mem, PAGES, DOWN, 0), "an opening");
	bus_ring(&out, ring_mem, DOWN);
	bus_ring(&in, ring_mem + DOWN * 4096, PAGES - DOWN);
	echo(&out, &in, first.connection, 0, 10, true);
}

static void unloads(void)
{
	host(DO_RESCIND);
	at(STEP_RESCINDED);
	must_come(VMB_MSG_RESCIND, "the second channel is taken back");
	bus_relid(VMB_MSG_RELID_RELEASED, second.relid);
	at(STEP_RELEASED);
	host(DO_SUB);
	sub_open();
	host(DO_HOLD_ACKS);
	bus_relid(VMB_MSG_CLOSE, first.relid);
	host(DO_ACK_FIRST);
	must_wait("the sub-channel's device has not let go");
	bus_header(VMB_MSG_UNLOAD);
	must_wait("and an unload waits for it");
	at(STEP_UNLOADING);
	host(DO_ACK);
	must_come(VMB_MSG_UNLOAD_RESPONSE, "unload");
	at(STEP_UNLOADED);
}

/*
 * The answer to the first contact is under way, and would be taken for the next one's: only an
 * unload tells where it ends.
 */
static void forget_contact(void)
{
	u32 type, left = 64;

	bus_header(VMB_MSG_UNLOAD);
	do {
		type = bus_take(msg, BUS_WAIT);
	} while (type && type != VMB_MSG_UNLOAD_RESPONSE && --left);
	must(type == VMB_MSG_UNLOAD_RESPONSE, "an unload is answered");
}

static void on_other(void *arg)
{
	(void)arg;
	bus_init();
}

void main(void)
{
	struct vmb_version_response r;
	bool again;
	u32 sub;

	hyperv_enable();
	if (smp_start() < 2)
		leave(2);
	smp_call(1, on_other, NULL);
	bus_init();
	again = __builtin_setjmp(start);
	if (!again)
		at(STEP_BORN);
	else if (step_now == STEP_CONTACT_SENT)
		forget_contact();
	contact();
	if (again)
		host(DO_NEW_DEVICE);
	offers();
	gpadl();
	host(DO_HOLD_OPEN);
	opens();
	host(DO_SUB);
	at(STEP_SUB_OFFERED);
	sub = sub_open();
	at(STEP_SUB_OPEN);
	traffic();
	closes(sub);
	open_whole();
	at(STEP_OPEN_AGAIN);
	unloads();
	bus_contact(VMB_VERSION_WIN10_V5_3, &r);
	must(r.supported, "and connected anew");
	must(bus_header(VMB_MSG_REQUEST_OFFERS) == TLFS_OK, "offers");
	must_come(VMB_MSG_OFFER, "an offer");
	must_come(VMB_MSG_OFFERS_DELIVERED, "and no more");
	open_whole();
	at(STEP_WHOLE);
	leave((u8)wrong);
}
