/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvp_msg.h - messages of key-value pairs: questions as bytes, answers as text
 *
 * Pure. Answers are a guest's, so anything: what comes out is UTF-8 that may be shown on a terminal. What is not
 * UTF-16, and every character that controls something (C0, DEL, C1, separators of lines and paragraphs,
 * direction of text), is U+FFFD there.
 */
#ifndef HV_DEVICES_KVP_MSG_H
#define HV_DEVICES_KVP_MSG_H

#include <hvguest/vsp_kvp.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of text with the 0: a unit of UTF-16 becomes three at most. */
#define KVP_NAME_TEXT	(VMB_KVP_NAME_UNITS * 3 + 2)
#define KVP_VALUE_TEXT	(VMB_KVP_VALUE_BYTES / 2 * 3 + 2)
/* What a guest can keep of what we write: UTF-8 bytes of a name, of a value; units of UTF-16 without the 0. */
#define KVP_SET_NAME_BYTES	510u
#define KVP_SET_NAME_UNITS	254u
#define KVP_SET_VALUE_BYTES	2046u
#define KVP_SET_VALUE_UNITS	1022u

struct kvp_pair {
	char	name[KVP_NAME_TEXT];		/* not "" */
	char	value[KVP_VALUE_TEXT];
};

/* Text of one adapter; addresses with ';' between them. */
struct kvp_ip {
	char	address[1024 * 3 + 2], mask[1024 * 3 + 2], gateway[512 * 3 + 2], dns[1024 * 3 + 2];
	int	dhcp;
};

/* Into @m, all of it. Return: bytes to send; -EINVAL: not UTF-8, "" as a name, or longer than a guest can keep. */
int kvp_ask_entry(struct vmb_kvp *m, uint8_t pool, uint32_t index);
int kvp_ask_set(struct vmb_kvp *m, uint8_t pool, const char *name, const char *value);
int kvp_ask_delete(struct vmb_kvp *m, uint8_t pool, const char *name);
int kvp_ask_ip(struct vmb_kvp_ip *m, const uint8_t *mac);

/* An answer of @len bytes to kvp_ask_entry(). 0; -EPROTO: not one, or not to this one. */
int kvp_entry(const void *buf, size_t len, uint8_t pool, uint32_t index, struct kvp_pair *out);
/* To kvp_ask_ip(). */
int kvp_ip(const void *buf, size_t len, struct kvp_ip *out);

/* @units of UTF-16 at @p, or up to the first 0, into @out as said above; @room >= 3 * units + 2, else it is cut. */
void kvp_text(const void *p, size_t units, char *out, size_t room);

#endif
