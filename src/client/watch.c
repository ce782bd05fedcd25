#include "client/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct watch {
	struct loop_fd poll;
	int fd;
	int events; /* wanted */
	watch_fn *fn;
	void *ctx;
};

void watch_set(struct watch *w, int events)
{
	w->events = events;
	int err = loop_fd_watch(&w->poll, events);
	(void)err; /* fails only on closed descriptors, which a watch never holds */
}

static void watch_ready(struct loop_fd *f, int err, int events)
{
	struct watch *w = f->ctx;
	/* An error shows itself in the next read or write, and is gone by that: an ICMP message on a
	 * connected UDP socket, say. What has one for good must be dropped, or watched for nothing. */
	if (err)
		watch_set(w, w->events);
	w->fn(w->ctx, err ? UV_READABLE | UV_WRITABLE : events);
}

struct watch *watch_new(uv_loop_t *loop, int fd, watch_fn *fn, void *ctx)
{
	struct watch *w = malloc(sizeof(*w));
	if (w == NULL)
		return NULL;
	*w = (struct watch){.fd = fd, .fn = fn, .ctx = ctx};
	if (loop_fd_open(&w->poll, loop, fd, watch_ready, w) != 0) {
		free(w);
		return NULL;
	}
	return w;
}

struct watch *watch_new_copy(uv_loop_t *loop, int fd, watch_fn *fn, void *ctx)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct watch *w = copy >= 0 ? watch_new(loop, copy, fn, ctx) : NULL;
	if (w == NULL && copy >= 0)
		close(copy);
	return w;
}

static void watch_closed(struct loop_fd *f)
{
	struct watch *w = f->ctx;
	close(w->fd);
	free(w);
}

void watch_drop(struct watch *w)
{
	if (w != NULL)
		loop_fd_close(&w->poll, watch_closed);
}
