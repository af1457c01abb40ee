// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmbus_fuzz.c - hostile channel messages, one after the other, as the server takes them
 *
 * Each message is a length byte and that many bytes. Besides what the sanitizers find: a GPADL
 * never gets more page numbers than it announced, versions agreed upon are known ones, and no
 * order of moves brings a channel out of its states.
 */
#include <stdlib.h>
#include <hv/portable.h>
#include <hvguest/vmbus.h>
#include "vmbus/lib/chan.h"
#include "vmbus/lib/conn.h"
#include "vmbus/lib/gpadl.h"
#include "vmbus/lib/msg.h"

#define EXPECT(cond) do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct hv_conn conn;
static u64 *pfns;
static u32 npages, have;
static int chan;

static void contact(const u8 *msg)
{
	struct vmb_version_response r;

	memcpy(&conn.contact, msg, sizeof(conn.contact));
	hv_conn_end(&conn, HV_CONN_NEXT_CONTACT);
	EXPECT(hv_conn_ended(&conn) == HV_CONN_NEXT_CONTACT);
	hv_conn_answer(&conn, &r);
	EXPECT(!r.supported == !conn.version);
	EXPECT(conn.version <= HV_CONN_VERSION_MAX);
}

static void gpadl_header(const u8 *msg, u32 bytes)
{
	struct hv_gpadl_shape s;
	u32 nr, i;

	if (hv_gpadl_header(msg, bytes, &s, &nr))
		return;
	EXPECT(s.npages && s.npages <= HV_GPADL_MAX_PAGES && nr <= s.npages);
	EXPECT((u64)s.npages * VMB_PAGE >= (u64)s.offset + s.bytes);
	free(pfns);
	pfns = malloc(s.npages * sizeof(*pfns));
	npages = s.npages;
	for (i = 0; i < nr; i++)
		pfns[i] = hv_gpadl_header_pfn(msg, i);
	have = nr;
	hv_chan_rings_check(s.npages, s.bytes, s.offset, msg[9], 0);
}

static void gpadl_body(const u8 *msg, u32 bytes)
{
	int nr = hv_gpadl_body(bytes, npages - have), i;

	for (i = 0; i < nr; i++)
		pfns[have + (u32)i] = hv_gpadl_body_pfn(msg, (u32)i);
	if (nr > 0)
		have += (u32)nr;
	EXPECT(have <= npages);
}

static void message(const u8 *msg, u32 bytes)
{
	int type = hv_busmsg_check(msg, bytes, conn.version), to;

	if (type < 0)
		return;
	EXPECT(bytes >= hv_busmsg_shapes[type].min && hv_busmsg_shapes[type].to_host);
	EXPECT(conn.version || type == VMB_MSG_INITIATE_CONTACT || type == VMB_MSG_UNLOAD);
	if (type == VMB_MSG_INITIATE_CONTACT)
		contact(msg);
	else if (type == VMB_MSG_GPADL_HEADER)
		gpadl_header(msg, bytes);
	else if (type == VMB_MSG_GPADL_BODY)
		gpadl_body(msg, bytes);
	to = hv_chan_edge((enum hv_chan_state)chan, (enum hv_chan_move)(msg[4] % (HV_CM_NR + 1)));
	EXPECT(to < HV_CHAN_STATES);
	chan = to >= 0 ? to : chan;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *copy;
	u32 n;

	hv_conn_init(&conn, 0);
	npages = have = 0;
	chan = 0;
	while (size) {
		n = min((u32)data[0], (u32)(size - 1));
		copy = malloc(n ? n : 1);	/* so that a byte too many is seen */
		memcpy(copy, data + 1, n);
		message(copy, n);
		free(copy);
		data += 1 + n;
		size -= 1 + n;
	}
	free(pfns);
	pfns = NULL;
	return 0;
}
