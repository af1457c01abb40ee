/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of libstate as they see each other. */
#ifndef LIBSTATE_IMPL_H
#define LIBSTATE_IMPL_H

#include "state.h"

/* pages.c: the next run of set bits at or behind *@first, which moves there. Return: its length, 0: none. */
unsigned int state_run(const uint8_t *pages, unsigned int *first);
unsigned int state_pages(const uint8_t *pages);
/* Set the bits of those of @nr pages that are not zero. Return: how many. */
unsigned int state_pages_find(const uint8_t *p, unsigned int nr, uint8_t *pages);

/* zstd.c */
struct state_packer;
size_t state_frame_bound(void);		/* of a frame that holds a chunk */
int state_packer_create(struct state_packer **out, int level);	/* 0 or -ENOMEM */
void state_packer_release(struct state_packer *p);
/* @len bytes into @to, which has room for state_frame_bound(). Return: bytes, or -EIO. */
int64_t state_compress(struct state_packer *p, void *to, const void *from, size_t len);
/* A frame that holds exactly @room bytes. Return: 0, or -EUCLEAN. */
int state_decompress(void *to, size_t room, const void *from, size_t len);

#endif
