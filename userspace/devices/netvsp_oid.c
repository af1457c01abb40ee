// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guest may ask an adapter and set, by OID (the NDIS reference). */
#include <string.h>

#include "netvsp_impl.h"

#define SPEED		100000000u	/* in 100 bit/s: 10 Gbit/s */
#define MULTICAST_MAX	32u
#define LSO_BYTES	65000u		/* of a packet to be cut: with its headers below 64 KiB */
#define TABLE_ENTRIES	128u		/* of receive scaling */

typedef int64_t (*oid_query)(struct netvsp *v, const uint8_t *in, uint32_t in_bytes, uint8_t *out, uint32_t room);
typedef uint32_t (*oid_set)(struct netvsp *v, const uint8_t *in, uint32_t bytes);

static int64_t word(uint8_t *out, uint32_t value)
{
	memcpy(out, &value, sizeof(value));
	return sizeof(value);
}

/* ---- queries ---- */

#define QUERY(name) static int64_t name(struct netvsp *v, const uint8_t *in, uint32_t in_bytes, uint8_t *out, \
					uint32_t room)
#define UNUSED ((void)v, (void)in, (void)in_bytes, (void)room)

QUERY(get_zero)		/* ready; medium 802.3; nothing lost */
{
	UNUSED;
	return word(out, 0);
}

QUERY(get_frame_size)	/* without the Ethernet header */
{
	UNUSED;
	return word(out, v->cfg.mtu);
}

QUERY(get_total_size)
{
	UNUSED;
	return word(out, v->cfg.mtu + NET_FRAME_MIN);
}

QUERY(get_speed)
{
	UNUSED;
	return word(out, SPEED);
}

QUERY(get_vendor)
{
	static const char text[] = "hv network adapter";

	UNUSED;
	memcpy(out, text, sizeof(text));
	return sizeof(text);
}

QUERY(get_filter)
{
	UNUSED;
	return word(out, atomic_load(&v->filter));
}

QUERY(get_link)		/* 0: connected */
{
	UNUSED;
	return word(out, !atomic_load(&v->up));
}

QUERY(get_permanent_address)
{
	UNUSED;
	memcpy(out, v->cfg.mac, 6);
	return 6;
}

QUERY(get_address)
{
	UNUSED;
	memcpy(out, v->mac, 6);
	return 6;
}

QUERY(get_list_size)
{
	UNUSED;
	return word(out, MULTICAST_MAX);
}

static int64_t count_of(struct netvsp *v, unsigned int counter, uint8_t *out)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < v->nr_queues; i++)
		sum += atomic_load_explicit(&v->queue[i]->count.c[counter], memory_order_relaxed);
	memcpy(out, &sum, sizeof(sum));
	return sizeof(sum);
}

QUERY(get_sent)
{
	UNUSED;
	return count_of(v, NET_COUNTER(tx_packets), out);
}

QUERY(get_received)
{
	UNUSED;
	return count_of(v, NET_COUNTER(rx_packets), out);
}

QUERY(get_send_errors)
{
	UNUSED;
	return count_of(v, NET_COUNTER(tx_dropped), out);
}

QUERY(get_no_buffer)
{
	UNUSED;
	return count_of(v, NET_COUNTER(rx_dropped), out);
}

/* The guest says how much of it it knows; a driver of an older NDIS gets as much. */
QUERY(get_offload)
{
	static const uint16_t sizes[] = { VMB_NDIS_OFFLOAD_6_30, VMB_NDIS_OFFLOAD_6_1, VMB_NDIS_OFFLOAD_6_0 };
	struct vmb_ndis_offload o = { .header = { VMB_NDIS_OFFLOAD, 3, 0 } };
	uint32_t can = v->net->can;
	unsigned int i;

	(void)in;
	for (i = 0; i < 3 && sizes[i] > in_bytes; i++)
		o.header.revision--;
	if (i == 3 || sizes[i] > room)
		return -(int64_t)VMB_RNDIS_BUFFER_TOO_SHORT;
	o.header.bytes = sizes[i];
	o.ip4_rxcsum = VMB_CSUM4_TCP | VMB_CSUM4_TCP_OPTIONS | VMB_CSUM4_UDP | VMB_CSUM4_IP;
	o.ip6_rxcsum = VMB_CSUM6_TCP | VMB_CSUM6_TCP_OPTIONS | VMB_CSUM6_UDP;
	o.ip4_rxencap = o.ip6_rxencap = VMB_ENCAP_8023;
	if (can & NET_CAN_CSUM) {
		o.ip4_txencap = o.ip6_txencap = VMB_ENCAP_8023;
		o.ip4_txcsum = o.ip4_rxcsum | VMB_CSUM4_IP_OPTIONS;
		o.ip6_txcsum = o.ip6_rxcsum | VMB_CSUM6_EXTENSIONS;
	}
	if (can & NET_CAN_TSO4) {
		o.lso4_encap = VMB_ENCAP_8023;
		o.lso4_max_bytes = LSO_BYTES;
		o.lso4_min_segments = 2;
	}
	if (can & NET_CAN_TSO6) {
		o.lso6_encap = VMB_ENCAP_8023;
		o.lso6_max_bytes = LSO_BYTES;
		o.lso6_min_segments = 2;
		o.lso6_options = VMB_LSO6_EXTENSIONS | VMB_LSO6_TCP_OPTIONS;
	}
	memcpy(out, &o, sizes[i]);
	return sizes[i];
}

QUERY(get_rss)
{
	const struct vmb_ndis_rss_capabilities c = {
		.header = { VMB_NDIS_RSS_CAPABILITIES, 2, VMB_NDIS_RSS_CAPABILITIES_BYTES }, .interrupts = v->nr_queues,
		.queues = v->nr_queues, .table_entries = TABLE_ENTRIES,
	};

	UNUSED;
	if (v->nr_queues < 2)
		return -(int64_t)VMB_RNDIS_NOT_SUPPORTED;
	memcpy(out, &c, VMB_NDIS_RSS_CAPABILITIES_BYTES);
	return VMB_NDIS_RSS_CAPABILITIES_BYTES;
}

static int64_t get_list(struct netvsp *v, const uint8_t *in, uint32_t in_bytes, uint8_t *out, uint32_t room);

/* ---- settings ---- */

#define SET(name) static uint32_t name(struct netvsp *v, const uint8_t *in, uint32_t bytes)

SET(set_filter)
{
	uint32_t value;

	if (bytes < sizeof(value))
		return VMB_RNDIS_INVALID_LENGTH;
	memcpy(&value, in, sizeof(value));
	atomic_store(&v->filter, value);
	return VMB_RNDIS_OK;
}

/* All groups come anyway: hosts filter them no better than guests do. */
SET(set_multicast)
{
	(void)v, (void)in;
	return bytes % 6 || bytes > 6 * MULTICAST_MAX ? VMB_RNDIS_INVALID_LENGTH : VMB_RNDIS_OK;
}

/* Frames tell by themselves what is to be done to them; only joining packets is a mode. */
SET(set_offload)
{
	struct vmb_ndis_offload_parameters p = { .header = { 0 } };

	if (bytes < sizeof(p.header))
		return VMB_RNDIS_INVALID_LENGTH;
	memcpy(&p, in, bytes < sizeof(p) ? bytes : sizeof(p));
	if (p.header.type != VMB_NDIS_DEFAULT)
		return VMB_RNDIS_INVALID_DATA;
	if (p.rsc4 && p.rsc6) {
		net_lock_others(v);
		v->rsc = p.rsc4 == 2 && p.rsc6 == 2;
		net_unlock_others(v);
	}
	return VMB_RNDIS_OK;
}

/* Frames of a flow come where the flow is sent from, as the backend does it; the table is not needed. */
SET(set_rss)
{
	struct vmb_ndis_object h;

	(void)v;
	if (bytes < sizeof(h))
		return VMB_RNDIS_INVALID_LENGTH;
	memcpy(&h, in, sizeof(h));
	return h.type == VMB_NDIS_RSS_PARAMETERS ? VMB_RNDIS_OK : VMB_RNDIS_INVALID_DATA;
}

static int hex_digit(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}

/* UTF-16 digits; the guest writes no separators. */
static bool mac_read(const uint8_t *in, uint32_t bytes, uint8_t *mac)
{
	int high, low;

	if (bytes < 24)
		return false;
	for (unsigned int i = 0; i < 6; i++) {
		high = in[4 * i + 1] ? -1 : hex_digit(in[4 * i]);
		low = in[4 * i + 3] ? -1 : hex_digit(in[4 * i + 2]);
		if (high < 0 || low < 0)
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return !(mac[0] & 1);
}

/* RNDIS_CONFIG_PARAMETER_INFO ([MS-RNDIS] 2.2.12): the only one known is the address. */
SET(set_parameter)
{
	static const char name[] = "NetworkAddress";
	uint32_t w[5];		/* name offset and bytes, type, value offset and bytes */
	uint8_t mac[6];

	if (bytes < sizeof(w))
		return VMB_RNDIS_INVALID_LENGTH;
	memcpy(w, in, sizeof(w));
	if (w[0] > bytes || w[1] > bytes - w[0] || w[3] > bytes || w[4] > bytes - w[3] ||
	    w[1] < 2 * (sizeof(name) - 1))
		return VMB_RNDIS_INVALID_DATA;
	for (unsigned int i = 0; name[i]; i++)
		if (in[w[0] + 2 * i] != (uint8_t)name[i] || in[w[0] + 2 * i + 1])
			return VMB_RNDIS_NOT_SUPPORTED;
	if (!mac_read(in + w[3], w[4], mac))
		return VMB_RNDIS_INVALID_DATA;
	if (v->cfg.guard && memcmp(mac, v->cfg.mac, 6))
		return VMB_RNDIS_FAILURE;
	net_lock_others(v);
	memcpy(v->mac, mac, 6);
	net_unlock_others(v);
	return VMB_RNDIS_OK;
}

/* ---- the table ---- */

static const struct {
	uint32_t	oid;
	oid_query	query;		/* NULL: cannot be asked */
	oid_set		set;		/* NULL: cannot be set */
} rows[] = {
	{ VMB_OID_SUPPORTED_LIST, get_list, NULL },
	{ VMB_OID_HARDWARE_STATUS, get_zero, NULL },
	{ VMB_OID_MEDIA_SUPPORTED, get_zero, NULL },
	{ VMB_OID_MEDIA_IN_USE, get_zero, NULL },
	{ VMB_OID_MAXIMUM_FRAME_SIZE, get_frame_size, NULL },
	{ VMB_OID_LINK_SPEED, get_speed, NULL },
	{ VMB_OID_VENDOR_DESCRIPTION, get_vendor, NULL },
	{ VMB_OID_PACKET_FILTER, get_filter, set_filter },
	{ VMB_OID_MAXIMUM_TOTAL_SIZE, get_total_size, NULL },
	{ VMB_OID_MEDIA_CONNECT_STATUS, get_link, NULL },
	{ VMB_OID_XMIT_OK, get_sent, NULL },
	{ VMB_OID_RCV_OK, get_received, NULL },
	{ VMB_OID_XMIT_ERROR, get_send_errors, NULL },
	{ VMB_OID_RCV_ERROR, get_zero, NULL },
	{ VMB_OID_RCV_NO_BUFFER, get_no_buffer, NULL },
	{ VMB_OID_RSS_CAPABILITIES, get_rss, NULL },
	{ VMB_OID_RSS_PARAMETERS, NULL, set_rss },
	{ VMB_OID_CONFIG_PARAMETER, NULL, set_parameter },
	{ VMB_OID_PERMANENT_ADDRESS, get_permanent_address, NULL },
	{ VMB_OID_CURRENT_ADDRESS, get_address, NULL },
	{ VMB_OID_MULTICAST_LIST, NULL, set_multicast },
	{ VMB_OID_MAXIMUM_LIST_SIZE, get_list_size, NULL },
	{ VMB_OID_OFFLOAD_PARAMETERS, NULL, set_offload },
	{ VMB_OID_OFFLOAD_CAPABILITIES, get_offload, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

_Static_assert(ROWS * 4 <= 256, "the list of OIDs fits into a reply");

QUERY(get_list)
{
	UNUSED;
	for (size_t i = 0; i < ROWS; i++)
		memcpy(out + 4 * i, &rows[i].oid, 4);
	return 4 * ROWS;
}

int64_t net_oid_query(struct netvsp *v, uint32_t oid, const uint8_t *in, uint32_t in_bytes, uint8_t *out,
		      uint32_t room)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].oid == oid && rows[i].query)
			return rows[i].query(v, in, in_bytes, out, room);
	return -(int64_t)VMB_RNDIS_NOT_SUPPORTED;
}

uint32_t net_oid_set(struct netvsp *v, uint32_t oid, const uint8_t *in, uint32_t bytes)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].oid == oid && rows[i].set)
			return rows[i].set(v, in, bytes);
	return VMB_RNDIS_NOT_SUPPORTED;
}
