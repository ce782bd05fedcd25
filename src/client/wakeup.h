/* Notices that the machine was suspended: CLOCK_BOOTTIME has gone on while CLOCK_MONOTONIC stood still. There
 * is no signal for it that every machine gives, but the kernel wakes a timer that asks for changes of the
 * clock, and a resume is one (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
#ifndef CLIENT_WAKEUP_H
#define CLIENT_WAKEUP_H

#include "client/watch.h"

#define WAKEUP_MIN_MS 2000 /* less is scheduling, not sleep */

struct wakeup {
	struct watch *watch;
	int fd;        /* of the watch */
	ms_t ahead_ms; /* of BOOTTIME before MONOTONIC, when last looked at */
	/* slept_ms: at least WAKEUP_MIN_MS */
	void (*on_resume)(void *ctx, ms_t slept_ms);
	void *ctx;
};

/* on_resume and ctx are set by the caller. -errno: only wakeup_look() notices then. */
MUST_USE int wakeup_open(struct wakeup *w, uv_loop_t *loop);
void wakeup_close(struct wakeup *w);
/* Compares the clocks now; may call on_resume(). */
void wakeup_look(struct wakeup *w);
/* Pure: how long it slept since the last call, 0 if not. */
ms_t wakeup_slept_ms(struct wakeup *w, ms_t boot_ms, ms_t monotonic_ms);

#endif
