// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first bytes of a frame, in a copy: what they say, what the guest wants done to them, and whether it may
 * send them. Ethernet: IEEE 802.3 and 802.1Q; RFC 791, 8200, 9293, 768, 826, 2131, 4861.
 */
#include <errno.h>
#include <string.h>

#include "netvsp_impl.h"

#define TYPE_IP4	0x0800
#define TYPE_ARP	0x0806
#define TYPE_IP6	0x86dd
#define TYPE_VLAN	0x8100
#define TYPE_QINQ	0x88a8
#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_ICMP6	58
#define PROTO_FRAGMENT	44	/* a header of IPv6 */
#define IP4_BYTES	20u
#define IP6_BYTES	40u
#define TCP_BYTES	20u
#define UDP_BYTES	8u
#define EXTENSIONS	8u	/* of an IPv6 header that are looked through */
#define MSS_MIN		64u

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void be16_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void ip4_read(const uint8_t *p, uint32_t bytes, struct net_headers *h)
{
	uint32_t n = bytes - h->l3 >= IP4_BYTES ? (p[h->l3] & 15) * 4u : 0;

	if (n < IP4_BYTES || p[h->l3] >> 4 != 4 || n > bytes - h->l3)
		return;
	h->protocol = p[h->l3 + 9];
	h->later = be16(p + h->l3 + 6) & 0x1fff;
	if (!h->later)
		h->l4 = (uint16_t)(h->l3 + n);
}

static void ip6_read(const uint8_t *p, uint32_t bytes, struct net_headers *h)
{
	uint32_t at = h->l3 + IP6_BYTES;
	uint8_t next, is;

	if (bytes < at || p[h->l3] >> 4 != 6)
		return;
	next = p[h->l3 + 6];
	/* hop-by-hop, routing, destination options, and that of a fragment, whose length is fixed */
	for (unsigned int i = 0; next == 0 || next == 43 || next == 60 || next == PROTO_FRAGMENT; i++) {
		if (bytes - at < 8 || i == EXTENSIONS)
			return;
		is = next;
		next = p[at];
		h->later = is == PROTO_FRAGMENT && be16(p + at + 2) & 0xfff8;
		at += 8 + (is == PROTO_FRAGMENT ? 0 : p[at + 1] * 8u);
		if (h->later || at > bytes)
			return;
	}
	h->protocol = next;
	h->l4 = (uint16_t)at;
}

void net_headers_read(const uint8_t *p, uint32_t bytes, struct net_headers *h)
{
	uint32_t at = 12;

	memset(h, 0, sizeof(*h));
	while (bytes >= at + 6 && (be16(p + at) == TYPE_VLAN || be16(p + at) == TYPE_QINQ) && at < 20)
		at += 4;
	if (bytes < at + 2)
		return;
	h->type = be16(p + at);
	h->l3 = (uint16_t)(at + 2);
	if (h->type == TYPE_IP4)
		ip4_read(p, bytes, h);
	else if (h->type == TYPE_IP6)
		ip6_read(p, bytes, h);
}

/* ---- what the guest wants done ---- */

static uint16_t sum_of(const uint8_t *p, uint32_t bytes, uint32_t start)
{
	const struct iovec iov = { (void *)p, bytes };

	return net_csum(&iov, 1, 0, bytes, start);
}

static void ip4_csum_set(uint8_t *ip)
{
	uint32_t n = (ip[0] & 15) * 4u;
	uint16_t sum;

	memset(ip + 10, 0, 2);
	sum = (uint16_t)~sum_of(ip, n, 0);
	memcpy(ip + 10, &sum, 2);
}

/* Checksum field of TCP: the pseudo header's sum, as a segment of @bytes has it. */
static void tcp_pseudo_set(uint8_t *p, const struct net_headers *h, uint32_t bytes)
{
	bool ip6 = h->type == TYPE_IP6;
	uint8_t tail[4] = { 0, PROTO_TCP, 0, 0 };
	uint16_t sum;

	be16_put(tail + 2, bytes);
	sum = ip6 ? sum_of(p + h->l3 + 8, 32, 0) : sum_of(p + h->l3 + 12, 8, 0);
	sum = sum_of(tail, sizeof(tail), sum);
	memcpy(p + h->l4 + 16, &sum, 2);
}

/*
 * A segment for the backend to cut. The guest leaves the length out of the headers (NDIS, LSOv2); they are
 * given that of the whole.
 */
static int lso_apply(uint32_t lso, uint8_t *p, uint32_t head, uint32_t bytes, struct net_meta *meta)
{
	bool ip6 = lso & VMB_RNDIS_LSO_IP6;
	struct net_headers h;
	uint32_t tcp;

	net_headers_read(p, head, &h);
	if (!(lso & VMB_RNDIS_LSO_V2) || !h.l4 || h.protocol != PROTO_TCP || head - h.l4 < TCP_BYTES ||
	    h.type != (ip6 ? TYPE_IP6 : TYPE_IP4) || VMB_RNDIS_LSO_MSS(lso) < MSS_MIN ||
	    VMB_RNDIS_LSO_MSS(lso) > UINT16_MAX)
		return -EPROTO;
	tcp = (p[h.l4 + 12] >> 4) * 4u;
	if (tcp < TCP_BYTES || tcp > head - h.l4 || bytes - h.l3 > UINT16_MAX)
		return -EPROTO;
	if (ip6) {
		be16_put(p + h.l3 + 4, bytes - h.l3 - IP6_BYTES);
	} else {
		be16_put(p + h.l3 + 2, bytes - h.l3);
		ip4_csum_set(p + h.l3);
	}
	tcp_pseudo_set(p, &h, bytes - h.l4);
	*meta = (struct net_meta){
		.flags = NET_META_CSUM, .gso = ip6 ? NET_GSO_TCP6 : NET_GSO_TCP4,
		.header_bytes = (uint16_t)(h.l4 + tcp), .gso_bytes = (uint16_t)VMB_RNDIS_LSO_MSS(lso),
		.csum_start = h.l4, .csum_offset = 16,
	};
	/* What fits into one segment is none to cut. */
	if (bytes - meta->header_bytes <= meta->gso_bytes)
		meta->gso = NET_GSO_NONE;
	return 0;
}

static int csum_apply(uint32_t csum, uint8_t *p, uint32_t head, uint32_t bytes, struct net_meta *meta)
{
	struct net_headers h;
	bool tcp = csum & VMB_RNDIS_CSUM_TX_TCP;
	uint32_t at;

	net_headers_read(p, head, &h);
	if (csum & VMB_RNDIS_CSUM_TX_IP && csum & VMB_RNDIS_CSUM_TX_IP4) {
		if (h.type != TYPE_IP4 || head - h.l3 < IP4_BYTES || (p[h.l3] & 15) * 4u < IP4_BYTES ||
		    (p[h.l3] & 15) * 4u > head - h.l3)
			return -EPROTO;
		ip4_csum_set(p + h.l3);
	}
	if (!(csum & (VMB_RNDIS_CSUM_TX_TCP | VMB_RNDIS_CSUM_TX_UDP)))
		return 0;
	/* Behind headers that are not known here the guest's word counts. */
	at = h.l4 ? h.l4 : VMB_RNDIS_CSUM_TX_OFFSET(csum);
	if (at < NET_FRAME_MIN + IP4_BYTES || at > bytes || bytes - at < (tcp ? TCP_BYTES : UDP_BYTES))
		return -EPROTO;
	meta->flags = NET_META_CSUM;
	meta->csum_start = (uint16_t)at;
	meta->csum_offset = tcp ? 16 : 6;
	return 0;
}

int net_wish_apply(const struct net_wish *w, uint8_t *p, uint32_t head, uint32_t bytes, struct net_meta *meta)
{
	if (w->has_lso && VMB_RNDIS_LSO_MSS(w->lso))
		return lso_apply(w->lso, p, head, bytes, meta);
	return w->has_csum ? csum_apply(w->csum, p, head, bytes, meta) : 0;
}

/* ---- what it may send, and wants to have ---- */

/* Ports and types by which others are told where to send their frames to. */
static bool misleads(const uint8_t *p, uint32_t head, const struct net_headers *h)
{
	/* What cannot be seen through could hide it (RFC 7113); a later fragment has no such header. */
	if (!h->l4)
		return h->type == TYPE_IP6 && !h->later;
	/* A DHCP server's port, and that of its clients: they do not look where an answer comes from. */
	if (h->protocol == PROTO_UDP && head - h->l4 >= UDP_BYTES)
		return h->type == TYPE_IP4 ? be16(p + h->l4) == 67 || be16(p + h->l4 + 2) == 68 :
		       be16(p + h->l4) == 547 || be16(p + h->l4 + 2) == 546;
	/* redirect */
	if (h->protocol == PROTO_ICMP && h->type == TYPE_IP4 && head > h->l4)
		return p[h->l4] == 5;
	/* router advertisement, redirect */
	if (h->protocol == PROTO_ICMP6 && h->type == TYPE_IP6 && head > h->l4)
		return p[h->l4] == 134 || p[h->l4] == 137;
	return false;
}

bool net_guard_allows(const uint8_t *mac, const uint8_t *p, uint32_t head)
{
	static const uint8_t bridges[5] = { 0x01, 0x80, 0xc2, 0, 0 };
	struct net_headers h;

	/* Groups 0 to 15 are the bridges' own, by which they find their tree. */
	if (memcmp(p + 6, mac, 6) || (!memcmp(p, bridges, sizeof(bridges)) && p[5] < 16))
		return false;
	net_headers_read(p, head, &h);
	if (h.type == TYPE_ARP)
		return head - h.l3 >= 28 && !memcmp(p + h.l3 + 8, mac, 6);
	/* Behind more tags than are looked through there could be anything. */
	if (h.type == TYPE_VLAN || h.type == TYPE_QINQ)
		return false;
	return !misleads(p, head, &h);
}

bool net_filter_wants(uint32_t filter, const uint8_t *mac, const uint8_t *to)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (filter & VMB_FILTER_PROMISCUOUS)
		return true;
	if (!(to[0] & 1))
		return filter & VMB_FILTER_DIRECTED && !memcmp(to, mac, 6);
	if (!memcmp(to, all, 6))
		return filter & VMB_FILTER_BROADCAST;
	/* Which groups the guest names is not looked at: it sorts them out itself. */
	return filter & (VMB_FILTER_MULTICAST | VMB_FILTER_ALL_MULTICAST);
}
