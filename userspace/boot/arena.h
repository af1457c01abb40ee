/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is given back all at once, with a limit: what hostile configuration can make us take. */
#ifndef HV_BOOT_ARENA_H
#define HV_BOOT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block	*last;
	size_t			taken, limit;	/* bytes */
	bool			full;		/* a request failed since arena_init() */
};

/* @limit: bytes that may be taken in all. */
void arena_init(struct arena *a, size_t limit);
/* Zeroed and aligned for anything; NULL when the limit is reached or memory is out. */
void *arena_get(struct arena *a, size_t len);
/* A copy of @len bytes of @s with a NUL behind, or NULL. */
char *arena_text(struct arena *a, const char *s, size_t len);
void arena_free(struct arena *a);

#endif
