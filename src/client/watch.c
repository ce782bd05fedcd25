#include "client/watch.h"

#include <stdlib.h>
#include <unistd.h>

struct watch {
	struct loop_fd poll;
	int fd;
	watch_fn *fn;
	void *ctx;
};

static void watch_ready(struct loop_fd *f, int err, int events)
{
	struct watch *w = f->ctx;
	/* an error of the poll shows itself in the next read or write */
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

void watch_set(struct watch *w, int events)
{
	int err = loop_fd_watch(&w->poll, events);
	(void)err; /* fails only on closed descriptors, which a watch never holds */
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
