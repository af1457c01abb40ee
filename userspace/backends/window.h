/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window.h - an image that lies in memory, mapped for reading
 *
 * What a file system without a device keeps, a read can take from where it is: without a system call,
 * and without looking up and marking each page of it. The page cache is the same, so writes to the file
 * are seen. A mapping has two traps. Touching a hole would allocate memory for it: so only chunks are
 * touched that were found to be whole. And a file that others cut short answers with SIGBUS: this is
 * caught, and the caller does it with read(2), which tells the error.
 */
#ifndef HV_BACKENDS_WINDOW_H
#define HV_BACKENDS_WINDOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define WINDOW_CHUNK	(64u << 10)	/* what the kernel maps at one fault */

struct window;

/*
 * Catch SIGBUS that a window brings; any other goes to the handler that was there before, so call it
 * behind the one who sets that. Until then no window is made. 0 or -errno.
 */
int window_catch(void);

/* Of the first @bytes of @fd; NULL: there is none, use read(2). */
struct window *window_create(int fd, uint64_t bytes);
/* NULL is fine. Nobody reads. */
void window_release(struct window *w);

/*
 * Any thread. Copy from @offset to all of @iov. Return: bytes; 0: it must be done with read(2), and
 * parts of @iov may have been written. Requests of a chunk or more look whether the chunks around them
 * are whole, smaller ones only use what was found.
 */
uint64_t window_read(struct window *w, uint64_t offset, const struct iovec *iov, int nr);
/*
 * Any thread. @bytes were written at @offset by write(2): the chunks that lie in there are whole, and are mapped
 * now, once, as a read would have to.
 */
void window_wrote(struct window *w, uint64_t offset, uint64_t bytes);
/* Any thread. Space was given back there: its chunks are not whole any more. NULL is fine. */
void window_forget(struct window *w, uint64_t offset, uint64_t bytes);

#endif
