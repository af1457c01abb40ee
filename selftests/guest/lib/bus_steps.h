/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus_steps.h - between selftests/guest/bus_end.c and its host, selftests/api/bus_end_test.c
 *
 * The guest writes each step it has reached to BUS_PORT_STEP; read, the port says whether it
 * shall begin anew with a contact, because its devices have died. What it wants of the device it
 * writes to BUS_PORT_DO.
 */
#ifndef SELFTESTS_GUEST_BUS_STEPS_H
#define SELFTESTS_GUEST_BUS_STEPS_H

#define BUS_PORT_STEP	0x600
#define BUS_PORT_DO	0x604

#define BUS_BUFFER	0xe1e13u	/* handle of the GPADL that the device takes */

enum bus_step {
	STEP_BORN, STEP_CONTACT_SENT, STEP_AGREED, STEP_OFFERS_SENT, STEP_OFFERED,
	STEP_GPADL_HEADER, STEP_GPADL_BODY, STEP_GPADL_SENT, STEP_GPADL, STEP_OPENING,
	STEP_OPEN_UNREAD, STEP_SUB_OFFERED, STEP_SUB_OPEN, STEP_TRAFFIC, STEP_IN_FLIGHT,
	STEP_BUFFER_ENDING, STEP_CLOSING, STEP_RINGS_ENDING, STEP_SUB_LINGERS, STEP_CLOSED,
	STEP_OPEN_AGAIN, STEP_RESCINDED, STEP_RELEASED, STEP_UNLOADING, STEP_UNLOADED, STEP_WHOLE, STEPS,
};

enum bus_do {
	DO_HOLD_OPEN = 1,	/* the device leaves an opening unanswered, */
	DO_OPEN,		/* until here */
	DO_SUB,			/* it offers a sub-channel */
	DO_STALL,		/* it leaves packets in the ring, */
	DO_RESUME,		/* until here */
	DO_TAKE,		/* it takes BUS_BUFFER */
	DO_HOLD_ACKS,		/* it does not let go of anything, */
	DO_ACK_FIRST,		/* of the first channel alone, */
	DO_ACK,			/* until here */
	DO_RESCIND,		/* the second channel is taken back */
	DO_NEW_DEVICE,		/* a device in place of the dead one */
};

#endif
