// SPDX-License-Identifier: GPL-2.0-or-later
/* bus.c - VMBus from a bare guest */
#include "bus.h"

static struct tlfs_message simp[MAX_CPUS][TLFS_SINTS] __attribute__((aligned(4096)));
static u8 siefp[MAX_CPUS][4096] __attribute__((aligned(4096)));
static struct tlfs_in_post_message input __attribute__((aligned(4096)));
static u32 message_connection = VMB_CONNECTION_MESSAGES;

void bus_init(void)
{
	u32 i = this_cpu()->index;

	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp[i] | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SIEFP, (u64)(uintptr_t)siefp[i] | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + VMB_SINT, 0x60 | TLFS_SINT_POLLING);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
}

static u64 deadline(u32 ms)
{
	return reftime() + ms * 10000ull;
}

u16 bus_post_once(u32 connection, const void *msg, u32 bytes)
{
	memset(&input, 0, sizeof(input));
	input.connection = connection;
	input.type = VMB_MESSAGE_TYPE;
	input.size = bytes;
	memcpy(input.payload, msg, min(bytes, VMB_MESSAGE_MAX));
	return (u16)hcall(TLFS_HC_POST_MESSAGE, (u64)(uintptr_t)&input, 0);
}

u16 bus_post(u32 connection, const void *msg, u32 bytes)
{
	u64 end = deadline(BUS_WAIT);
	u16 status;

	do {
		status = bus_post_once(connection, msg, bytes);
	} while (status == TLFS_INSUFFICIENT_BUFFERS && reftime() < end);
	return status;
}

u32 bus_take(void *msg, u32 ms)
{
	volatile struct tlfs_message *slot = &simp[0][VMB_SINT];
	u64 end = deadline(ms);
	u32 type, i;
	bool more;

	while (!(type = __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE)))
		if (reftime() >= end)
			return 0;
	for (i = 0; i < slot->size && i < VMB_MESSAGE_MAX; i++)
		((u8 *)msg)[i] = slot->payload[i];
	__atomic_store_n(&slot->type, 0, __ATOMIC_SEQ_CST);
	more = slot->flags & TLFS_MESSAGE_F_PENDING;
	if (more)
		wrmsr(TLFS_MSR_EOM, 0);
	return type == VMB_MESSAGE_TYPE ? get_unaligned_le32(msg) : ~0u;
}

bool bus_expect(u32 type, void *msg, const char *what)
{
	u32 got = bus_take(msg, BUS_WAIT);

	return check(got == type, "%s (message %u, wanted %u)", what, got, type);
}

bool bus_silent(const char *what)
{
	u8 msg[VMB_MESSAGE_MAX];
	u32 got = bus_take(msg, BUS_QUIET);

	return check(!got, "%s (message %u)", what, got);
}

u16 bus_header(u32 type)
{
	struct vmb_header h = { .type = type };

	return bus_post(message_connection, &h, sizeof(h));
}

u16 bus_relid(u32 type, u32 relid)
{
	struct vmb_relid m = { .header.type = type, .relid = relid };

	return bus_post(message_connection, &m, sizeof(m));
}

u16 bus_contact(u32 version, struct vmb_version_response *r)
{
	struct vmb_initiate_contact m = {
		.header.type = VMB_MSG_INITIATE_CONTACT, .version = version,
	};
	bool v5 = version >= VMB_VERSION_WIN10_V5;
	u8 msg[VMB_MESSAGE_MAX];
	u32 type, left = 64;
	u16 status;

	if (v5)
		m.v5.sint = VMB_SINT;
	memset(r, 0, sizeof(*r));
	status = bus_post(v5 ? VMB_CONNECTION_CONTACT : VMB_CONNECTION_MESSAGES, &m, sizeof(m));
	if (status != TLFS_OK)
		return status;
	do {	/* what was in the slot already is of the connection before */
		type = bus_take(msg, BUS_WAIT);
	} while (type && type != VMB_MSG_VERSION_RESPONSE && --left);
	if (type == VMB_MSG_VERSION_RESPONSE)
		memcpy(r, msg, sizeof(*r));
	return status;
}

u32 bus_connect(struct vmb_offer *offers, u32 max)
{
	struct vmb_version_response r;
	u8 msg[VMB_MESSAGE_MAX];
	u32 n = 0, type;

	bus_contact(VMB_VERSION_WIN10_V5_3, &r);
	if (!check(r.supported, "contact"))
		return 0;
	bus_header(VMB_MSG_REQUEST_OFFERS);
	while ((type = bus_take(msg, BUS_WAIT)) == VMB_MSG_OFFER)
		if (n < max)
			memcpy(&offers[n++], msg, sizeof(*offers));
	check(type == VMB_MSG_OFFERS_DELIVERED, "offers delivered (message %u)", type);
	return n;
}

u32 bus_gpadl_part(u32 relid, u32 handle, const void *mem, u32 pages, u32 done)
{
	u8 msg[VMB_MESSAGE_MAX];
	struct vmb_gpadl_header h = {
		.header.type = VMB_MSG_GPADL_HEADER, .relid = relid, .gpadl = handle,
		.range_bytes = (u16)(8 + 8 * pages), .ranges = 1, .range.bytes = pages * 4096,
	};
	struct vmb_gpadl_body b = { .header.type = VMB_MSG_GPADL_BODY, .gpadl = handle };
	u64 pfn = (u64)(uintptr_t)mem >> 12;
	u32 head = done ? (u32)sizeof(b) : (u32)sizeof(h), n, i;

	n = min(pages - done, done ? 28u : 26u);
	memcpy(msg, done ? (void *)&b : (void *)&h, head);
	for (i = 0; i < n; i++)
		put_unaligned_le64(pfn + done + i, msg + head + 8 * i);
	return bus_post(message_connection, msg, head + 8 * n) == TLFS_OK ? done + n : ~0u;
}

u32 bus_gpadl(u32 relid, u32 handle, const void *mem, u32 pages)
{
	u8 msg[VMB_MESSAGE_MAX];
	struct vmb_gpadl_created r;
	u32 done = 0;

	do {
		done = bus_gpadl_part(relid, handle, mem, pages, done);
		if (done == ~0u)
			return ~0u;
	} while (done < pages);
	if (bus_take(msg, BUS_WAIT) != VMB_MSG_GPADL_CREATED)
		return ~1u;
	memcpy(&r, msg, sizeof(r));
	return r.relid == relid && r.gpadl == handle ? r.status : ~2u;
}

u16 bus_teardown(u32 relid, u32 handle)
{
	struct vmb_gpadl_teardown m = {
		.header.type = VMB_MSG_GPADL_TEARDOWN, .relid = relid, .gpadl = handle,
	};

	return bus_post(message_connection, &m, sizeof(m));
}

void bus_open_post(u32 relid, u32 gpadl, void *ring, u32 pages, u32 downstream, u32 vp)
{
	struct vmb_open m = {
		.header.type = VMB_MSG_OPEN, .relid = relid, .open_id = relid, .gpadl = gpadl,
		.target_vp = vp, .downstream = downstream, .user_defined = { 1, 2, 3 },
	};
	struct vmb_ring_header *h = ring;

	if (downstream < pages) {
		memset(h, 0, sizeof(*h));
		h->features = VMB_RING_F_PENDING_SEND;
		h = (void *)((u8 *)ring + downstream * 4096);
		memset(h, 0, sizeof(*h));
		h->features = VMB_RING_F_PENDING_SEND;
	}
	bus_post(message_connection, &m, sizeof(m));
}

u32 bus_open(u32 relid, u32 gpadl, void *ring, u32 pages, u32 downstream, u32 vp)
{
	u8 msg[VMB_MESSAGE_MAX];
	struct vmb_open_result r;

	bus_open_post(relid, gpadl, ring, pages, downstream, vp);
	if (bus_take(msg, BUS_WAIT) != VMB_MSG_OPEN_RESULT)
		return ~1u;
	memcpy(&r, msg, sizeof(r));
	return r.relid == relid && r.open_id == relid ? r.status : ~2u;
}

bool bus_flag(u32 vp, u32 relid, u32 ms)
{
	u8 *byte = &siefp[vp][VMB_SINT * 256 + relid / 8];
	u8 bit = (u8)(1u << relid % 8);
	u64 end = deadline(ms);

	while (!(__atomic_load_n(byte, __ATOMIC_ACQUIRE) & bit))
		if (reftime() >= end)
			return false;
	__atomic_and_fetch(byte, (u8)~bit, __ATOMIC_SEQ_CST);
	return true;
}

u16 bus_signal(u32 connection)
{
	return (u16)hcall(TLFS_HC_SIGNAL_EVENT | TLFS_HC_FAST, connection, 0);
}

/* ---- rings ---- */

void bus_ring(struct bus_ring *r, void *mem, u32 pages)
{
	r->h = mem;
	r->data = (u8 *)mem + 4096;
	r->bytes = (pages - 1) * 4096;
}

static u32 put_bytes(struct bus_ring *r, u32 at, const void *buf, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++) {
		r->data[at] = ((const u8 *)buf)[i];
		at = at + 1 == r->bytes ? 0 : at + 1;
	}
	return at;
}

bool bus_put(struct bus_ring *r, u16 type, u16 flags, u64 tid, const void *buf, u32 len)
{
	u32 old = r->h->write_index, at, total = 16 + ((len + 7) & ~7u);
	struct vmb_packet d = {
		.type = type, .header_words = 2, .words = (u16)(total / 8), .flags = flags,
		.transaction = tid,
	};
	u64 trailer = (u64)old << 32, zero = 0;

	at = put_bytes(r, old, &d, sizeof(d));
	at = put_bytes(r, at, buf, len);
	at = put_bytes(r, at, &zero, total - 16 - len);
	at = put_bytes(r, at, &trailer, 8);
	__atomic_store_n(&r->h->write_index, at, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !r->h->interrupt_mask && r->h->read_index == old;
}

static u32 get_bytes(struct bus_ring *r, u32 at, void *buf, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++) {
		((u8 *)buf)[i] = r->data[at];
		at = at + 1 == r->bytes ? 0 : at + 1;
	}
	return at;
}

bool bus_get(struct bus_ring *r, struct vmb_packet *d, void *buf, u32 max, u32 ms)
{
	u64 end = deadline(ms);
	u32 at = r->h->read_index, len;

	while (__atomic_load_n(&r->h->write_index, __ATOMIC_ACQUIRE) == at)
		if (reftime() >= end)
			return false;
	at = get_bytes(r, at, d, sizeof(*d));
	len = d->words * 8u - 16;
	get_bytes(r, at, buf, min(len, max));
	at += len + 8;
	__atomic_store_n(&r->h->read_index, at >= r->bytes ? at - r->bytes : at, __ATOMIC_SEQ_CST);
	return true;
}
