/* A watched descriptor that it owns, on the heap: libuv lets go of a poll handle only in a later turn, while
 * a reconnect opens the next socket at once. */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include "io/loop.h"

struct watch;
typedef void watch_fn(void *ctx, int events);

/* NULL: out of memory or descriptors; fd then stays the caller's. */
struct watch *watch_new(uv_loop_t *loop, int fd, watch_fn *fn, void *ctx);
/* The same for a duplicate of fd, which stays the caller's in any case. */
struct watch *watch_new_copy(uv_loop_t *loop, int fd, watch_fn *fn, void *ctx);
void watch_set(struct watch *w, int events); /* UV_READABLE | UV_WRITABLE */
/* Nothing is called any more; the descriptor is closed later. NULL is fine. */
void watch_drop(struct watch *w);

#endif
