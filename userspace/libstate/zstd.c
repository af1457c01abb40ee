// SPDX-License-Identifier: LGPL-2.1-or-later
/* Chunks as zstd frames. */
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "impl.h"

struct state_packer {
	ZSTD_CCtx	*ctx;
	int		level;
};

size_t state_frame_bound(void)
{
	return ZSTD_COMPRESSBOUND(STATE_CHUNK);
}

int state_packer_create(struct state_packer **out, int level)
{
	struct state_packer *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->level = level;
	p->ctx = ZSTD_createCCtx();
	if (!p->ctx) {
		free(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void state_packer_release(struct state_packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->ctx);
	free(p);
}

int64_t state_compress(struct state_packer *p, void *to, const void *from, size_t len)
{
	size_t n = ZSTD_compressCCtx(p->ctx, to, state_frame_bound(), from, len, p->level);

	return ZSTD_isError(n) ? -EIO : (int64_t)n;
}

int state_decompress(void *to, size_t room, const void *from, size_t len)
{
	size_t n = ZSTD_decompress(to, room, from, len);

	return ZSTD_isError(n) || n != room ? -EUCLEAN : 0;
}
