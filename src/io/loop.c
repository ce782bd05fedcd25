#include "io/loop.h"

#include <time.h>

ms_t loop_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (ms_t)now.tv_sec * 1000 + (ms_t)now.tv_nsec / 1000000;
}

static void loop_fd_ready(uv_poll_t *poll, int status, int events)
{
	struct loop_fd *f = CONTAINER_OF(poll, struct loop_fd, poll);
	if (status < 0)
		f->events = 0; /* libuv has stopped watching (POLLERR) */
	f->fn(f, status, events);
}

int loop_fd_open(struct loop_fd *f, uv_loop_t *loop, int fd, loop_fd_fn *fn, void *ctx)
{
	*f = (struct loop_fd){.fn = fn, .ctx = ctx};
	return uv_poll_init(loop, &f->poll, fd); /* libuv's errors are -errno on Unix */
}

int loop_fd_watch(struct loop_fd *f, int events)
{
	if (f->events == events)
		return 0;
	int r = events != 0 ? uv_poll_start(&f->poll, events, loop_fd_ready) : uv_poll_stop(&f->poll);
	if (r == 0)
		f->events = events;
	return r;
}

static void loop_fd_closed(uv_handle_t *handle)
{
	struct loop_fd *f = CONTAINER_OF((uv_poll_t *)handle, struct loop_fd, poll);
	if (f->on_closed != NULL)
		f->on_closed(f);
}

void loop_fd_close(struct loop_fd *f, void (*on_closed)(struct loop_fd *f))
{
	f->on_closed = on_closed;
	f->events = 0;
	uv_close((uv_handle_t *)&f->poll, loop_fd_closed);
}

static void loop_timer_fired(uv_timer_t *timer)
{
	struct loop_timer *t = CONTAINER_OF(timer, struct loop_timer, timer);
	t->due_at_ms = MS_NEVER;
	t->fn(t, loop_now());
}

int loop_timer_open(struct loop_timer *t, uv_loop_t *loop, loop_timer_fn *fn, void *ctx)
{
	*t = (struct loop_timer){.fn = fn, .ctx = ctx, .due_at_ms = MS_NEVER};
	return uv_timer_init(loop, &t->timer);
}

/* libuv counts from the loop's cached time, which is older than loop_now(): asking for the distance from the
 * cached time keeps the deadline absolute. */
void loop_timer_set(struct loop_timer *t, ms_t due_at_ms)
{
	if (t->due_at_ms == due_at_ms)
		return;
	t->due_at_ms = due_at_ms;
	if (due_at_ms == MS_NEVER) {
		uv_timer_stop(&t->timer);
		return;
	}
	ms_t base_ms = uv_now(t->timer.loop);
	/* fails only on a closing timer, which nobody sets */
	(void)uv_timer_start(&t->timer, loop_timer_fired, due_at_ms > base_ms ? due_at_ms - base_ms : 0, 0);
}

static void loop_timer_closed(uv_handle_t *handle)
{
	struct loop_timer *t = CONTAINER_OF((uv_timer_t *)handle, struct loop_timer, timer);
	if (t->on_closed != NULL)
		t->on_closed(t);
}

void loop_timer_close(struct loop_timer *t, void (*on_closed)(struct loop_timer *t))
{
	t->on_closed = on_closed;
	uv_close((uv_handle_t *)&t->timer, loop_timer_closed);
}
