// SPDX-License-Identifier: GPL-2.0-or-later
/* A list of blocks; what does not fit into the last one begins another. */
#include <stdlib.h>
#include <string.h>

#include "boot/arena.h"

#define BLOCK	16384
#define ALIGN	16

struct arena_block {
	struct arena_block	*next;
	size_t			used, size;
	char			data[] __attribute__((aligned(ALIGN)));
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){ .limit = limit };
}

void *arena_get(struct arena *a, size_t len)
{
	struct arena_block *b = a->last;
	size_t size;

	if (len > a->limit) {
		a->full = true;
		return NULL;
	}
	len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!b || b->size - b->used < len) {
		size = len > BLOCK ? len : BLOCK;
		if (size > a->limit - a->taken || !(b = calloc(1, sizeof(*b) + size))) {
			a->full = true;
			return NULL;
		}
		a->taken += size;
		b->size = size;
		b->next = a->last;
		a->last = b;
	}
	b->used += len;
	return b->data + b->used - len;
}

char *arena_text(struct arena *a, const char *s, size_t len)
{
	char *out = arena_get(a, len + 1);

	if (out)
		memcpy(out, s, len);
	return out;
}

void arena_free(struct arena *a)
{
	while (a->last) {
		struct arena_block *b = a->last;

		a->last = b->next;
		free(b);
	}
	a->taken = 0;
}
