/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kvp_store.h - names and values that a guest told, so many and no more */
#ifndef HV_DEVICES_KVP_STORE_H
#define HV_DEVICES_KVP_STORE_H

#include <stdbool.h>
#include <stddef.h>

#define KVP_LIST_MAX	256u		/* entries of a pool */
#define KVP_LIST_BYTES	(96u << 10)	/* of all names and values */

struct kvp_item {
	char	*name, *value;		/* UTF-8 without control characters (kvp_msg.h) */
};

/* Zero it first. */
struct kvp_list {
	struct kvp_item	*item;
	unsigned int	nr;
	size_t		bytes;
	bool		cut;		/* there was more */
};

/* 0; -ENOSPC: it is full, and cut; -ENOMEM. */
int kvp_list_add(struct kvp_list *l, const char *name, const char *value);
void kvp_list_free(struct kvp_list *l);			/* empty, and cut no more */
/* The value of the first entry of that name, or NULL. */
const char *kvp_list_value(const struct kvp_list *l, const char *name);

#endif
