// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event loop: epoll for descriptors, one timerfd for all timers, one eventfd for other threads.
 *
 * The timer list is short (a handful of device timers), so it is a sorted list.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define BATCH 16

struct loop {
	int			epoll;
	struct loop_source	timer_src;
	struct loop_source	wake_src;
	pthread_mutex_t		lock;		/* timers, works, armed */
	struct loop_timer	*timers;	/* soonest first */
	uint64_t		armed;		/* what the timerfd is set to, 0: off */
	struct loop_work	*works, **works_tail;
	volatile int		stop;
	struct epoll_event	batch[BATCH];
	int			batch_pos, batch_len;
};

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void wake(struct loop *l)
{
	const uint64_t one = 1;
	ssize_t n = write(l->wake_src.fd, &one, sizeof(one));

	(void)n;	/* EAGAIN: it is awake already */
}

/* Set the timerfd to the soonest timer; lock held. */
static void timerfd_update(struct loop *l)
{
	uint64_t when = l->timers ? l->timers->when : 0;
	struct itimerspec its = { 0 };

	if (when == l->armed)
		return;
	l->armed = when;
	its.it_value.tv_sec = when / 1000000000ULL;
	its.it_value.tv_nsec = when % 1000000000ULL;
	timerfd_settime(l->timer_src.fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void timer_unlink(struct loop *l, struct loop_timer *t)
{
	struct loop_timer **p;

	for (p = &l->timers; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->when = 0;
}

void loop_timer_arm(struct loop *l, struct loop_timer *t, uint64_t when)
{
	struct loop_timer **p = &l->timers;

	pthread_mutex_lock(&l->lock);
	if (t->when)
		timer_unlink(l, t);
	t->when = when ? when : 1;
	while (*p && (*p)->when <= t->when)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	timerfd_update(l);
	pthread_mutex_unlock(&l->lock);
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
	pthread_mutex_lock(&l->lock);
	if (t->when) {
		timer_unlink(l, t);
		timerfd_update(l);
	}
	pthread_mutex_unlock(&l->lock);
}

static void timers_ready(struct loop_source *src, uint32_t events)
{
	struct loop *l = (struct loop *)((char *)src - offsetof(struct loop, timer_src));
	struct loop_timer *t;
	uint64_t now, n;

	(void)events;
	if (read(src->fd, &n, sizeof(n)) < 0)
		return;
	now = loop_now();
	pthread_mutex_lock(&l->lock);
	l->armed = 0;
	while ((t = l->timers) && t->when <= now) {
		timer_unlink(l, t);
		pthread_mutex_unlock(&l->lock);
		t->fire(t);
		pthread_mutex_lock(&l->lock);
	}
	timerfd_update(l);
	pthread_mutex_unlock(&l->lock);
}

void loop_call(struct loop *l, struct loop_work *w)
{
	bool first = false;

	pthread_mutex_lock(&l->lock);
	if (!w->queued) {
		w->queued = 1;
		w->next = NULL;
		*l->works_tail = w;
		l->works_tail = &w->next;
		first = l->works == w;
	}
	pthread_mutex_unlock(&l->lock);
	if (first)
		wake(l);
}

void loop_uncall(struct loop *l, struct loop_work *w)
{
	struct loop_work **p;

	pthread_mutex_lock(&l->lock);
	for (p = &l->works; w->queued && *p; p = &(*p)->next) {
		if (*p != w)
			continue;
		*p = w->next;
		if (!*p)
			l->works_tail = p;
		w->queued = 0;
		break;
	}
	pthread_mutex_unlock(&l->lock);
}

static void wake_ready(struct loop_source *src, uint32_t events)
{
	struct loop *l = (struct loop *)((char *)src - offsetof(struct loop, wake_src));
	struct loop_work *w;
	uint64_t n;

	(void)events;
	if (read(src->fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&l->lock);
	while ((w = l->works)) {
		l->works = w->next;
		if (!l->works)
			l->works_tail = &l->works;
		w->queued = 0;
		pthread_mutex_unlock(&l->lock);
		w->run(w);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
}

int loop_add(struct loop *l, struct loop_source *src)
{
	struct epoll_event ev = { .events = src->events, .data.ptr = src };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, src->fd, &ev) ? -errno : 0;
}

int loop_set(struct loop *l, struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	if (src->events == events)
		return 0;
	src->events = events;
	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, src->fd, &ev) ? -errno : 0;
}

void loop_del(struct loop *l, struct loop_source *src)
{
	int i;

	epoll_ctl(l->epoll, EPOLL_CTL_DEL, src->fd, NULL);
	/* An event of it may wait in the batch being handled. */
	for (i = l->batch_pos; i < l->batch_len; i++)
		if (l->batch[i].data.ptr == src)
			l->batch[i].data.ptr = NULL;
}

int loop_create(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->works_tail = &l->works;
	l->timer_src = (struct loop_source){ .fd = -1, .events = EPOLLIN, .ready = timers_ready };
	l->wake_src = (struct loop_source){ .fd = -1, .events = EPOLLIN, .ready = wake_ready };
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		goto fail;
	l->timer_src.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->wake_src.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->timer_src.fd < 0 || l->wake_src.fd < 0 || loop_add(l, &l->timer_src) ||
	    loop_add(l, &l->wake_src))
		goto fail;
	*out = l;
	return 0;
fail:
	ret = -errno;
	loop_release(l);
	return ret;
}

void loop_release(struct loop *l)
{
	if (!l)
		return;
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->timer_src.fd >= 0)
		close(l->timer_src.fd);
	if (l->wake_src.fd >= 0)
		close(l->wake_src.fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int loop_run(struct loop *l)
{
	struct loop_source *src;

	while (!l->stop) {
		l->batch_len = epoll_wait(l->epoll, l->batch, BATCH, -1);
		if (l->batch_len < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (l->batch_pos = 0; l->batch_pos < l->batch_len;) {
			struct epoll_event *ev = &l->batch[l->batch_pos++];

			src = ev->data.ptr;
			if (src)
				src->ready(src, ev->events);
		}
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = 1;
	wake(l);
}
