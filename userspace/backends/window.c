// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "window.h"

#define CHUNK_PAGES	(WINDOW_CHUNK >> 12)
#define LOOK_CHUNKS	32u		/* that are looked at with one mincore(2) */

struct window {
	const uint8_t	*at;
	uint64_t	bytes;
	_Atomic uint8_t	whole[];	/* a chunk has all of its pages */
};

static struct sigaction before;
static bool catching;
/* Where this thread goes on if what it copies is not there. */
static __thread sigjmp_buf *volatile rescue;

static void on_bus(int nr, siginfo_t *info, void *ctx)
{
	if (rescue && (info->si_code == BUS_ADRERR || info->si_code == BUS_MCEERR_AR))
		siglongjmp(*rescue, 1);
	/* Not ours. One that no instruction made (a machine check under the guest) does not come again. */
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(nr, info, ctx);
		return;
	}
	sigaction(nr, &before, NULL);
	raise(nr);
}

int window_catch(void)
{
	/* It may come again before the jump: which signals are blocked is not restored by it. */
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (catching)
		return 0;
	if (sigaction(SIGBUS, &sa, &before))
		return -errno;
	catching = true;
	return 0;
}

struct window *window_create(int fd, uint64_t bytes)
{
	uint64_t chunks = bytes / WINDOW_CHUNK;
	struct window *w;
	void *at;

	if (!catching || fd < 0 || !chunks || sysconf(_SC_PAGESIZE) != 4096)
		return NULL;
	w = calloc(1, sizeof(*w) + chunks * sizeof(w->whole[0]));
	if (!w)
		return NULL;
	w->bytes = chunks * WINDOW_CHUNK;	/* the rest is small */
	at = mmap(NULL, w->bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (at == MAP_FAILED) {
		free(w);
		return NULL;
	}
	w->at = at;
	return w;
}

void window_release(struct window *w)
{
	if (w)
		munmap((void *)w->at, w->bytes);
	free(w);
}

static bool known(struct window *w, uint64_t first, uint64_t end)
{
	for (; first < end; first++)
		if (!atomic_load_explicit(&w->whole[first], memory_order_relaxed))
			return false;
	return true;
}

/* Have chunks up to @end all of their pages? Pages that were swapped out do not count. */
static bool look(struct window *w, uint64_t first, uint64_t end)
{
	unsigned char there[LOOK_CHUNKS * CHUNK_PAGES];
	uint64_t nr = end - first, i;

	if (nr > LOOK_CHUNKS ||
	    mincore((void *)(w->at + first * WINDOW_CHUNK), nr * WINDOW_CHUNK, there))
		return false;
	for (i = 0; i < nr * CHUNK_PAGES; i++)
		if (!(there[i] & 1))
			return false;
	for (; first < end; first++)
		atomic_store_explicit(&w->whole[first], 1, memory_order_relaxed);
	return true;
}

/* Not inlined: nothing that changes may be in a register of the one that is jumped to. */
static __attribute__((noinline)) void copy(const uint8_t *from, const struct iovec *iov, int nr)
{
	for (; nr; nr--, iov++) {
		memcpy(iov->iov_base, from, iov->iov_len);
		from += iov->iov_len;
	}
}

/* False: part of it is not there (any more). */
static bool try_copy(const uint8_t *from, const struct iovec *iov, int nr)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 0)) {
		rescue = NULL;
		return false;
	}
	rescue = &here;
	atomic_signal_fence(memory_order_seq_cst);
	copy(from, iov, nr);
	atomic_signal_fence(memory_order_seq_cst);
	rescue = NULL;
	return true;
}

uint64_t window_read(struct window *w, uint64_t offset, const struct iovec *iov, int nr)
{
	uint64_t bytes = 0, first, end;

	for (int i = 0; i < nr; i++)
		bytes += iov[i].iov_len;
	if (!bytes || offset >= w->bytes || bytes > w->bytes - offset)
		return 0;
	first = offset / WINDOW_CHUNK;
	end = (offset + bytes + WINDOW_CHUNK - 1) / WINDOW_CHUNK;
	if (!known(w, first, end) && (bytes < WINDOW_CHUNK || !look(w, first, end)))
		return 0;
	return try_copy(w->at + offset, iov, nr) ? bytes : 0;
}

void window_wrote(struct window *w, uint64_t offset, uint64_t bytes)
{
	uint8_t byte;
	const struct iovec touch = { &byte, 1 };
	uint64_t i, end = (offset + bytes) / WINDOW_CHUNK;

	if (bytes > w->bytes || offset > w->bytes - bytes)
		return;
	for (i = (offset + WINDOW_CHUNK - 1) / WINDOW_CHUNK; i < end; i++)
		if (!known(w, i, i + 1) && try_copy(w->at + i * WINDOW_CHUNK, &touch, 1))
			atomic_store_explicit(&w->whole[i], 1, memory_order_relaxed);
}

void window_forget(struct window *w, uint64_t offset, uint64_t bytes)
{
	uint64_t i, end;

	if (!w || !bytes || offset >= w->bytes)
		return;
	if (bytes > w->bytes - offset)
		bytes = w->bytes - offset;
	end = (offset + bytes + WINDOW_CHUNK - 1) / WINDOW_CHUNK;
	for (i = offset / WINDOW_CHUNK; i < end; i++)
		atomic_store_explicit(&w->whole[i], 0, memory_order_relaxed);
}
