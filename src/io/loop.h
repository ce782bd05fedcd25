/* Conventions over libuv: absolute deadlines in ms_t, and descriptors that are drained in batches.
 *
 * Each thread has one uv_loop_t. A ready descriptor's function takes at most a batch (32 packets, datapath.md
 * section 7) and returns; the poll is level-triggered, so what is left is reported again after the others had
 * their turn. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <uv.h>

#include "base/util.h"

#define LOOP_BATCH 32 /* packets per turn and direction */

/* CLOCK_MONOTONIC in milliseconds, fresh (uv_now() is the loop's, taken once per turn; same clock). */
ms_t loop_now(void);

struct loop_fd;
/* events: UV_READABLE | UV_WRITABLE | UV_DISCONNECT; err 0, or negative when the descriptor has an error,
 * which the next read or write tells: it is not watched any more then, until loop_fd_watch(). */
typedef void loop_fd_fn(struct loop_fd *f, int err, int events);

/* Embed it. Lives until loop_fd_close()'s function was called. The descriptor stays the caller's. */
struct loop_fd {
	uv_poll_t poll;
	loop_fd_fn *fn;
	void *ctx;
	void (*on_closed)(struct loop_fd *f);
	int events; /* what is watched now */
};

MUST_USE int loop_fd_open(struct loop_fd *f, uv_loop_t *loop, int fd, loop_fd_fn *fn, void *ctx);
/* Watches exactly these events; 0 pauses. Cheap when nothing changes. */
MUST_USE int loop_fd_watch(struct loop_fd *f, int events);
/* Stops; close the descriptor and free the memory only in on_closed (may be NULL), which comes from the loop.
 */
void loop_fd_close(struct loop_fd *f, void (*on_closed)(struct loop_fd *f));

struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *t, ms_t now_ms);

struct loop_timer {
	uv_timer_t timer;
	loop_timer_fn *fn;
	void *ctx;
	void (*on_closed)(struct loop_timer *t);
	ms_t due_at_ms; /* MS_NEVER: not set */
};

MUST_USE int loop_timer_open(struct loop_timer *t, uv_loop_t *loop, loop_timer_fn *fn, void *ctx);
/* Once, at this time of loop_now(); the past means the next turn; MS_NEVER stops. Replaces the former one. */
void loop_timer_set(struct loop_timer *t, ms_t due_at_ms);
void loop_timer_close(struct loop_timer *t, void (*on_closed)(struct loop_timer *t));

#endif
