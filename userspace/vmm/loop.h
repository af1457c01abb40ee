/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop of the VM process: one epoll set, one timerfd, run by the main thread.
 * All functions are for the loop thread, except loop_wake() and loop_call().
 */
#ifndef HV_VMM_LOOP_H
#define HV_VMM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A descriptor in the loop. Embed it; it must stay in place until loop_del(). */
struct loop_source {
	int		fd;
	uint32_t	events;		/* EPOLLIN, EPOLLOUT, ... as last set */
	void		(*ready)(struct loop_source *src, uint32_t events);
};

/* A one-shot timer. Embed it, zero it first. @fire runs in the loop thread. */
struct loop_timer {
	uint64_t		when;	/* CLOCK_MONOTONIC ns; 0: not armed */
	struct loop_timer	*next;
	void			(*fire)(struct loop_timer *t);
};

/* Work handed to the loop thread by loop_call(); embed it, zero it first. */
struct loop_work {
	struct loop_work	*next;
	int			queued;
	void			(*run)(struct loop_work *w);
};

int loop_create(struct loop **out);		/* 0 or -errno */
void loop_release(struct loop *l);

int loop_add(struct loop *l, struct loop_source *src);	/* 0 or -errno */
int loop_set(struct loop *l, struct loop_source *src, uint32_t events);
/* A source may delete itself or others from inside its callback. Does not close the fd. */
void loop_del(struct loop *l, struct loop_source *src);

uint64_t loop_now(void);			/* CLOCK_MONOTONIC, ns */
/* Timers may be armed and cancelled from any thread; cancel does not wait for a running @fire. */
void loop_timer_arm(struct loop *l, struct loop_timer *t, uint64_t when);
void loop_timer_cancel(struct loop *l, struct loop_timer *t);

/* Any thread: have @w run soon in the loop thread; queued once however often it is called. */
void loop_call(struct loop *l, struct loop_work *w);
/* Loop thread: @w, if it is queued, will not run. */
void loop_uncall(struct loop *l, struct loop_work *w);

/* Run until loop_stop(). Return: 0 or -errno of epoll itself. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);			/* any thread */

#endif
