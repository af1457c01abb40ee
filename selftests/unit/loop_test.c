// SPDX-License-Identifier: GPL-2.0-or-later
/* The event loop: descriptors that delete each other, timers in order, work from other threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/loop.h"

#define MS 1000000ULL

static struct loop *loop;
static pthread_t loop_thread;

/* ---- descriptors ---- */

struct end {
	struct loop_source	src;
	int			out;		/* what is written here makes src readable */
	struct end		*victim;	/* deleted by the callback */
	unsigned int		ran;
};

static void end_ready(struct loop_source *src, uint32_t events)
{
	struct end *e = (struct end *)src;
	char c;

	CHECK(events & EPOLLIN);
	CHECK_EQ(read(src->fd, &c, 1), 1);
	e->ran++;
	if (e->victim)
		loop_del(loop, &e->victim->src);
	else if (c == 'q')
		loop_stop(loop);
}

static void end_open(struct end *e)
{
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	*e = (struct end){ .src = { .fd = fd[0], .events = EPOLLIN, .ready = end_ready }, .out = fd[1] };
	CHECK_EQ(loop_add(loop, &e->src), 0);
}

static void end_close(struct end *e)
{
	close(e->src.fd);
	close(e->out);
}

static void poke(struct end *e, char c)
{
	CHECK_EQ(write(e->out, &c, 1), 1);
}

/* Two are ready in one batch; whichever runs first deletes the other, which must not run then. */
static void sources(void)
{
	struct end a, b, quit;

	CHECK_EQ(loop_create(&loop), 0);
	end_open(&a);
	end_open(&b);
	a.victim = &b;
	b.victim = &a;
	poke(&a, 1);
	poke(&b, 1);
	end_open(&quit);
	poke(&quit, 'q');
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(a.ran + b.ran, 1);
	CHECK_EQ(quit.ran, 1);
	loop_release(loop);
	end_close(&a);
	end_close(&b);
	end_close(&quit);
}

/* A source waits for what it was last told to wait for. */
static void events(void)
{
	struct end a, quit;

	CHECK_EQ(loop_create(&loop), 0);
	end_open(&a);
	CHECK_EQ(loop_set(loop, &a.src, 0), 0);
	poke(&a, 1);
	end_open(&quit);
	poke(&quit, 'q');
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(a.ran, 0);
	loop_release(loop);

	CHECK_EQ(loop_create(&loop), 0);
	CHECK_EQ(loop_add(loop, &a.src), 0);
	CHECK_EQ(loop_set(loop, &a.src, EPOLLIN), 0);
	poke(&a, 'q');
	CHECK_EQ(loop_run(loop), 0);
	CHECK_EQ(a.ran, 2);
	CHECK(loop_add(loop, &(struct loop_source){ .fd = -1 }) < 0);
	loop_release(loop);
	end_close(&a);
	end_close(&quit);
}

/* ---- timers ---- */

static char order[16];
static unsigned int fired;

struct mark {
	struct loop_timer	timer;
	char			name;
	struct mark		*next;		/* armed by the callback */
	uint64_t		was;		/* when it fired */
};

static void mark_fire(struct loop_timer *t)
{
	struct mark *m = (struct mark *)t;

	CHECK_EQ(t->when, 0);
	m->was = loop_now();
	order[fired++] = m->name;
	if (m->next)
		loop_timer_arm(loop, &m->next->timer, m->was + MS);
	else if (m->name == 'z')
		loop_stop(loop);
}

static void timers(void)
{
	struct mark m[6];
	uint64_t now;

	CHECK_EQ(loop_create(&loop), 0);
	for (int i = 0; i < 6; i++)
		m[i] = (struct mark){ .timer.fire = mark_fire, .name = "abcdez"[i] };
	m[2].next = &m[5];
	now = loop_now();
	loop_timer_arm(loop, &m[2].timer, now + 30 * MS);
	loop_timer_arm(loop, &m[1].timer, now + 20 * MS);
	loop_timer_arm(loop, &m[0].timer, now + 40 * MS);
	loop_timer_arm(loop, &m[3].timer, now + 25 * MS);
	loop_timer_arm(loop, &m[4].timer, 0);			/* long ago: at once */
	loop_timer_arm(loop, &m[0].timer, now + 10 * MS);	/* moved to the front */
	loop_timer_cancel(loop, &m[3].timer);
	loop_timer_cancel(loop, &m[3].timer);
	CHECK_EQ(loop_run(loop), 0);
	order[fired] = 0;
	CHECK_HAS(order, "eabcz");
	CHECK(m[0].was >= now + 10 * MS);
	CHECK(m[5].was >= m[2].was + MS);
	loop_release(loop);
}

/* ---- other threads ---- */

#define CALLERS 3
#define CALLS 5000

struct job {
	struct loop_work	work;
	atomic_uint		asked, done;	/* done: asked as the last run saw it */
	bool			again;
};

static struct job jobs[CALLERS];
static atomic_uint left = CALLERS;

static void job_run(struct loop_work *w)
{
	struct job *j = (struct job *)w;

	CHECK(pthread_equal(pthread_self(), loop_thread));
	if (!j->again && atomic_load(&j->asked) == CALLS) {
		j->again = true;
		loop_call(loop, w);	/* from inside its own run: once more */
	} else if (j->again && !atomic_exchange(&j->done, atomic_load(&j->asked))) {
		if (atomic_fetch_sub(&left, 1) == 1)
			loop_stop(loop);
	}
}

static void *caller(void *arg)
{
	struct job *j = arg;

	for (int i = 0; i < CALLS; i++) {
		atomic_fetch_add(&j->asked, 1);
		loop_call(loop, &j->work);
	}
	return NULL;
}

/* No call is lost: the run after the last one sees all of them. */
static void threads(void)
{
	pthread_t t[CALLERS];

	CHECK_EQ(loop_create(&loop), 0);
	loop_thread = pthread_self();
	for (int i = 0; i < CALLERS; i++) {
		jobs[i].work.run = job_run;
		CHECK_EQ(pthread_create(&t[i], NULL, caller, &jobs[i]), 0);
	}
	CHECK_EQ(loop_run(loop), 0);
	for (int i = 0; i < CALLERS; i++) {
		pthread_join(t[i], NULL);
		CHECK_EQ(jobs[i].done, CALLS);
	}
	loop_release(loop);
	loop_release(NULL);
}

int main(void)
{
	alarm(50);	/* a loop that misses its stop */
	sources();
	events();
	timers();
	threads();
	return unit_done();
}
