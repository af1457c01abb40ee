/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_user.h - a network of its own behind the host's addresses, without privileges: libslirp
 *
 * The guest is 10.0.2.15 by DHCP, its router and the host 10.0.2.2, its name server 10.0.2.3; fec0::/64.
 * libslirp is loaded when the first one is made: it costs each start of a program that links it too much.
 */
#ifndef HV_BACKENDS_NET_USER_H
#define HV_BACKENDS_NET_USER_H

#include <netinet/in.h>

#include "base/err.h"
#include "net.h"

/* Connections to a port of the host go to one of the guest. */
struct net_user_rule {
	bool		udp;
	struct in_addr	host, guest;		/* host 0: all addresses; guest 0: the one DHCP gives */
	uint16_t	host_port, guest_port;	/* > 0 */
};

/* "tcp:[ADDRESS]:PORT-[ADDRESS]:PORT", or udp. @bytes of @text. 0 or -EINVAL. */
int net_user_rule_parse(const char *text, size_t bytes, struct net_user_rule *out);

/*
 * Make one. @rules: as above, separated by blanks, or NULL. @restricted: the guest reaches nothing but what is
 * forwarded. 0; -EINVAL rules; -ENOENT libslirp is not installed; -EADDRINUSE, -EACCES: a port cannot be had.
 */
int net_user_create(struct net **out, const char *rules, bool restricted, struct err *e);

#endif
