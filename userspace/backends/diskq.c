// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues of disk requests.
 *
 * A request walks over the extents of its map one after the other, so that it has at most one
 * operation under way. The common request is one extent. What libvhd would have to sleep for goes to
 * a thread of the queue, which does the rest of that request with the blocking calls.
 *
 * An image whose file system keeps it in memory needs no ring: moving its data is a copy, which waits
 * for no device. It is done on the spot; the kernel would give each write to a worker thread of its
 * own, because it cannot tell. What ended so is told by the next kick, as if it came from the ring.
 *
 * The ring is set up with the few operations it may carry, because seccomp does not see them.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk.h"
#include "window.h"

#define THREADS_MAX	4	/* of a queue without a ring; with one: 1 */

struct diskq {
	struct io_uring	ring;
	bool		uring;
	bool		polled;		/* a poll of @wake is in the ring */
	bool		woken;		/* it has ended; the count stands until the next diskq_wait() */
	int		wake;
	unsigned int	depth, busy;
	unsigned int	in_ring;	/* requests of which the ring holds an operation */
	unsigned int	unsent;		/* operations not handed to the kernel yet */
	struct disk_req	*ended, **ended_tail;	/* on the spot; not told yet */

	pthread_mutex_t	lock;		/* the rest */
	pthread_cond_t	work;
	struct disk_req	*todo, **todo_tail;
	struct disk_req	*done, **done_tail;
	atomic_bool	any_done;
	unsigned int	threads, idle;
	bool		quit;
	pthread_t	thread[THREADS_MAX];
};

/* ---- threads ---- */

/* @flags: VHD_NOWAIT, too. */
static int do_zero(struct disk_req *r, uint32_t flags)
{
	int ret = vhd_zero(r->disk->vhd, r->sector, r->count, flags);

	window_forget(r->disk->window, r->sector * VHD_SECTOR, r->count * VHD_SECTOR);
	return ret;
}

/* All that is left of a request, with the calls that may sleep. */
static int do_blocking(struct disk_req *r)
{
	switch (r->verb) {
	case DISK_READ:
		return vhd_read(r->disk->vhd, r->sector, r->iov, r->nr_iov, r->count * VHD_SECTOR);
	case DISK_WRITE:
		return vhd_write(r->disk->vhd, r->sector, r->iov, r->nr_iov, r->count * VHD_SECTOR);
	case DISK_FLUSH:
		return vhd_flush(r->disk->vhd);
	case DISK_ZERO:
		return do_zero(r, r->flags);
	}
	return -EINVAL;
}

static void *worker(void *arg)
{
	const uint64_t one = 1;
	struct diskq *q = arg;
	struct disk_req *r;
	ssize_t n;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		while (!q->todo && !q->quit) {
			q->idle++;
			pthread_cond_wait(&q->work, &q->lock);
			q->idle--;
		}
		r = q->todo;
		if (!r)
			break;
		q->todo = r->next;
		if (!q->todo)
			q->todo_tail = &q->todo;
		pthread_mutex_unlock(&q->lock);
		r->result = do_blocking(r);
		pthread_mutex_lock(&q->lock);
		r->next = NULL;
		*q->done_tail = r;
		q->done_tail = &r->next;
		atomic_store(&q->any_done, true);
		n = write(q->wake, &one, sizeof(one));
		(void)n;	/* its count cannot be full: the reader takes all of it */
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void to_thread(struct diskq *q, struct disk_req *r)
{
	int ret = 0;

	pthread_mutex_lock(&q->lock);
	r->next = NULL;
	*q->todo_tail = r;
	q->todo_tail = &r->next;
	if (!q->idle && q->threads < (q->uring ? 1 : THREADS_MAX)) {
		ret = pthread_create(&q->thread[q->threads], NULL, worker, q);
		q->threads += !ret;
	}
	pthread_cond_signal(&q->work);
	if (q->threads) {
		pthread_mutex_unlock(&q->lock);
		return;
	}
	/*
	 * No thread can be had: nobody but us will take it off. It might wait for a flush that is in our
	 * ring, and that for us: then the guest asks again.
	 */
	q->todo = NULL;
	q->todo_tail = &q->todo;
	pthread_mutex_unlock(&q->lock);
	r->result = q->in_ring ? -EAGAIN : do_blocking(r);
	q->busy--;
	r->done(r, r->result);
}

/* ---- the data of one request ---- */

static void iov_restore(struct disk_req *r)
{
	if (r->cut >= 0)
		r->iov[r->cut].iov_len = r->cut_len;
	r->cut = -1;
}

/* Entries of iov[] that make up @len bytes; the last one is shortened if it reaches beyond. */
static unsigned int iov_take(struct disk_req *r, uint64_t len)
{
	int i;

	for (i = 0; i < r->nr_iov; i++) {
		if (r->iov[i].iov_len < len) {
			len -= r->iov[i].iov_len;
			continue;
		}
		if (r->iov[i].iov_len > len) {
			r->cut = i;
			r->cut_len = r->iov[i].iov_len;
			r->iov[i].iov_len = len;
		}
		return (unsigned int)i + 1;
	}
	return (unsigned int)i;
}

static void iov_skip(struct disk_req *r, uint64_t len)
{
	while (len && r->nr_iov) {
		size_t n = r->iov->iov_len < len ? r->iov->iov_len : (size_t)len;

		r->iov->iov_base = (char *)r->iov->iov_base + n;
		r->iov->iov_len -= n;
		len -= n;
		if (!r->iov->iov_len) {
			r->iov++;
			r->nr_iov--;
		}
	}
}

static void iov_zero(struct disk_req *r, uint64_t len)
{
	while (len && r->nr_iov) {
		size_t n = r->iov->iov_len < len ? r->iov->iov_len : (size_t)len;

		memset(r->iov->iov_base, 0, n);
		iov_skip(r, n);
		len -= n;
	}
}

static struct io_uring_sqe *sqe_get(struct diskq *q)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);

	if (!sqe) {
		io_uring_submit(&q->ring);
		sqe = io_uring_get_sqe(&q->ring);
	}
	q->unsent += !!sqe;
	return sqe;
}

/* The map is done with, one way or the other. 0, or why the request has failed. */
static int map_end(struct disk_req *r, int64_t result)
{
	int ret;

	if (!r->map.nr)
		return result < 0 ? (int)result : 0;
	ret = vhd_map_done(r->disk->vhd, &r->map, result, 0);
	r->map.nr = 0;
	if (result < 0)
		return (int)result;
	if (!ret) {
		r->sector += r->map.count;
		r->count -= r->map.count;
	}
	return ret;
}

static void finish(struct diskq *q, struct disk_req *r, int result)
{
	q->busy--;
	r->done(r, result);
}

/* Its requester hears of it from diskq_kick(): a chain of requests does not go down the stack. */
static void finish_later(struct diskq *q, struct disk_req *r, int result)
{
	r->result = result;
	r->next = NULL;
	*q->ended_tail = r;
	q->ended_tail = &r->next;
}

/* What an operation has moved is behind us. 0, or why the request has failed. */
static int account(struct disk_req *r, int64_t res)
{
	struct vhd_extent *e = &r->map.ext[r->ext];

	iov_restore(r);
	if (res == -EAGAIN || res == -EINTR)
		return 0;
	/* Nothing where something must be: the file got shorter. */
	if (res <= 0)
		return res ? (int)res : -EIO;
	r->pos += (uint64_t)res;
	r->moved += (uint64_t)res;
	if (r->pos >= e->len) {
		r->ext++;
		r->pos = 0;
	}
	if (r->moved < r->count * VHD_SECTOR)	/* else nobody looks at iov[] again */
		iov_skip(r, (uint64_t)res);
	return 0;
}

/*
 * Have extents of @r mapped, the zeros at their front written. 1: an operation is to be done at r->ext;
 * 0: all of @r is; -EINPROGRESS: a thread has it; else why it has failed.
 */
static int extent_next(struct diskq *q, struct disk_req *r)
{
	struct vhd_extent *e;
	int ret;

	for (;;) {
		if (r->ext == r->map.nr) {
			ret = map_end(r, (int64_t)r->moved);
			if (ret || !r->count)
				return ret;
			ret = vhd_map(r->disk->vhd, r->sector, r->count,
				      r->verb == DISK_WRITE ? VHD_WRITE : VHD_READ, VHD_NOWAIT, &r->map);
			r->ext = 0;
			if (ret) {
				r->map.nr = 0;
				if (ret != -EAGAIN)
					return ret;
				to_thread(q, r);
				return -EINPROGRESS;
			}
			r->pos = r->moved = 0;
		}
		e = &r->map.ext[r->ext];
		if (e->kind != VHD_EXT_ZERO)
			return 1;
		iov_zero(r, e->len);
		r->moved += e->len;
		r->ext++;
	}
}

static void advance(struct diskq *q, struct disk_req *r);

/* What is left of an extent, or less. Bytes or -errno. */
static int64_t copy_extent(struct disk_req *r, const struct vhd_extent *e)
{
	int nr = (int)iov_take(r, e->len - r->pos);
	uint64_t offset = e->offset + r->pos;
	ssize_t n = 0;

	if (r->verb == DISK_READ && r->disk->window)
		n = (ssize_t)window_read(r->disk->window, offset, r->iov, nr);
	if (n)
		return n;
	n = r->verb == DISK_WRITE ? pwritev(e->fd, r->iov, nr, (off_t)offset) :
				    preadv(e->fd, r->iov, nr, (off_t)offset);
	if (n >= (ssize_t)WINDOW_CHUNK && r->verb == DISK_WRITE && r->disk->window)
		window_wrote(r->disk->window, offset, (uint64_t)n);
	return n < 0 ? -errno : n;
}

/* All of a READ or WRITE of an image in memory. */
static void copy_now(struct diskq *q, struct disk_req *r)
{
	struct vhd_extent *e;
	int ret;

	while ((ret = extent_next(q, r)) == 1) {
		e = &r->map.ext[r->ext];
		if (e->fd != vhd_fd(r->disk->vhd))
			return advance(q, r);	/* another file of a chain: who knows where that is */
		ret = account(r, copy_extent(r, e));
		if (ret) {
			ret = map_end(r, ret);
			break;
		}
	}
	if (ret != -EINPROGRESS)
		finish_later(q, r, ret);
}

/* Go on with a READ or WRITE until an operation is in the ring, or it is done. */
static void advance(struct diskq *q, struct disk_req *r)
{
	int ret = extent_next(q, r);
	struct io_uring_sqe *sqe;
	struct vhd_extent *e;
	unsigned int n;

	if (ret == -EINPROGRESS)
		return;
	if (ret != 1)
		return finish(q, r, ret);
	sqe = sqe_get(q);
	if (!sqe)
		return finish(q, r, map_end(r, -EAGAIN));
	e = &r->map.ext[r->ext];
	n = iov_take(r, e->len - r->pos);
	if (r->verb == DISK_WRITE)
		io_uring_prep_writev(sqe, e->fd, r->iov, n, e->offset + r->pos);
	else
		io_uring_prep_readv(sqe, e->fd, r->iov, n, e->offset + r->pos);
	io_uring_sqe_set_data(sqe, r);
	q->in_ring++;
}

static void moved(struct diskq *q, struct disk_req *r, int res)
{
	int ret = account(r, res);

	if (ret)
		return finish(q, r, map_end(r, ret));
	advance(q, r);
}

static void flush_begin(struct diskq *q, struct disk_req *r)
{
	struct io_uring_sqe *sqe;

	r->ticket = vhd_flush_begin(r->disk->vhd);
	if (r->ticket == -EAGAIN)
		return to_thread(q, r);
	if (r->ticket < 0)
		return finish(q, r, (int)r->ticket);
	sqe = sqe_get(q);
	if (!sqe) {
		vhd_flush_end(r->disk->vhd, r->ticket, -ECANCELED);
		return finish(q, r, -EAGAIN);
	}
	io_uring_prep_fsync(sqe, vhd_fd(r->disk->vhd), IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data(sqe, r);
	q->in_ring++;
}

/* ---- the queue ---- */

static const int may[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_POLL_ADD };

static long ring_register(struct diskq *q, unsigned int what, const void *arg, unsigned int nr)
{
	return syscall(SYS_io_uring_register, q->ring.ring_fd, what, arg, nr);
}

static bool ring_create(struct diskq *q)
{
	struct io_uring_restriction res[sizeof(may) / sizeof(may[0]) + 1];
	unsigned int n = sizeof(may) / sizeof(may[0]), i;
	struct io_uring_params p = { .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN };
	int ret = io_uring_queue_init_params(q->depth + 1, &q->ring, &p);

	if (ret == -EINVAL) {	/* a kernel before 5.19 */
		memset(&p, 0, sizeof(p));
		p.flags = IORING_SETUP_R_DISABLED;
		ret = io_uring_queue_init_params(q->depth + 1, &q->ring, &p);
	}
	if (ret)
		return false;
	memset(res, 0, sizeof(res));
	for (i = 0; i < n; i++) {
		res[i].opcode = IORING_RESTRICTION_SQE_OP;
		res[i].sqe_op = (uint8_t)may[i];
	}
	/* Debian 12's liburing does not export its functions for these two. */
	if (ring_register(q, IORING_REGISTER_RESTRICTIONS, res, n) ||
	    ring_register(q, IORING_REGISTER_ENABLE_RINGS, NULL, 0)) {
		io_uring_queue_exit(&q->ring);
		return false;
	}
	return true;
}

int diskq_create(struct diskq **out, unsigned int depth, int wake, bool threads)
{
	struct diskq *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->depth = depth;
	q->wake = wake;
	q->todo_tail = &q->todo;
	q->done_tail = &q->done;
	q->ended_tail = &q->ended;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->work, NULL);
	q->uring = !threads && ring_create(q);
	*out = q;
	return 0;
}

void diskq_release(struct diskq *q)
{
	unsigned int i;

	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->quit = true;
	pthread_cond_broadcast(&q->work);
	pthread_mutex_unlock(&q->lock);
	for (i = 0; i < q->threads; i++)
		pthread_join(q->thread[i], NULL);
	if (q->uring)
		io_uring_queue_exit(&q->ring);
	pthread_cond_destroy(&q->work);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int diskq_submit(struct diskq *q, struct disk_req *r)
{
	int ret;

	if (q->busy >= q->depth)
		return -EBUSY;
	q->busy++;
	r->q = q;
	r->map.nr = r->ext = 0;
	r->pos = r->moved = 0;
	r->cut = -1;
	if (!q->uring || vhd_fd(r->disk->vhd) < 0) {
		to_thread(q, r);
		return 0;
	}
	switch (r->verb) {
	case DISK_FLUSH:
		flush_begin(q, r);
		break;
	case DISK_ZERO:
		ret = do_zero(r, r->flags | VHD_NOWAIT);
		if (ret == -EAGAIN)
			to_thread(q, r);
		else
			finish(q, r, ret);
		break;
	default:
		if (r->disk->in_memory)
			copy_now(q, r);
		else
			advance(q, r);
	}
	return 0;
}

/* Those that ended up to now. What they begin waits for the next kick, and others get in between. */
static void collect_ended(struct diskq *q)
{
	struct disk_req *r = q->ended, *next;

	q->ended = NULL;
	q->ended_tail = &q->ended;
	for (; r; r = next) {
		next = r->next;
		finish(q, r, r->result);
	}
}

static void collect_threads(struct diskq *q)
{
	struct disk_req *r, *next;

	if (!atomic_load_explicit(&q->any_done, memory_order_relaxed))
		return;
	pthread_mutex_lock(&q->lock);
	r = q->done;
	q->done = NULL;
	q->done_tail = &q->done;
	atomic_store(&q->any_done, false);
	pthread_mutex_unlock(&q->lock);
	for (; r; r = next) {
		next = r->next;
		finish(q, r, r->result);
	}
}

static void collect_ring(struct diskq *q)
{
	struct io_uring_cqe *cqe;
	struct disk_req *r;
	int res;

	while ((q->in_ring || q->polled) && !io_uring_peek_cqe(&q->ring, &cqe)) {
		r = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(&q->ring, cqe);
		if (!r) {
			q->polled = false;
			q->woken = true;
			continue;
		}
		q->in_ring--;
		if (r->verb == DISK_FLUSH)
			finish(q, r, vhd_flush_end(r->disk->vhd, r->ticket, res));
		else
			moved(q, r, res);
	}
}

void diskq_kick(struct diskq *q)
{
	if (q->ended)
		collect_ended(q);
	if (q->uring) {
		do {
			if (q->unsent) {
				q->unsent = 0;
				io_uring_submit(&q->ring);
			}
			collect_ring(q);
		} while (q->unsent);
	}
	collect_threads(q);
}

static void wait_ring(struct diskq *q)
{
	struct io_uring_sqe *sqe;

	if (!q->polled) {
		sqe = sqe_get(q);
		if (sqe) {
			io_uring_prep_poll_add(sqe, q->wake, POLLIN);
			io_uring_sqe_set_data(sqe, NULL);
			q->polled = true;
		}
	}
	q->unsent = 0;
	io_uring_submit_and_wait(&q->ring, 1);
}

/* Take the count of @wake without sleeping. */
static void wake_take(struct diskq *q)
{
	uint64_t count;
	struct iovec iov = { &count, sizeof(count) };
	ssize_t n = preadv2(q->wake, &iov, 1, -1, RWF_NOWAIT);

	(void)n;	/* somebody took it */
}

void diskq_wait(struct diskq *q)
{
	uint64_t count;
	ssize_t n;

	/* What ended on the spot is to be told now: no sleeping over it. */
	if (!q->ended && !q->woken) {
		if (q->in_ring) {
			wait_ring(q);
		} else {
			n = read(q->wake, &count, sizeof(count));
			(void)n;	/* EINTR: the caller looks and comes back */
		}
		if (q->uring)
			collect_ring(q);
	}
	/* A kick has only noted the signal: here the count goes, before everything is looked at. */
	if (q->woken) {
		q->woken = false;
		wake_take(q);
	}
	diskq_kick(q);
}

unsigned int diskq_busy(const struct diskq *q)
{
	return q->busy;
}

const char *diskq_engine(const struct diskq *q)
{
	return q->uring ? "io_uring" : "threads";
}
