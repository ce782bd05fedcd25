#include "client/wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define YEARS_S 315360000 /* ten: the timer's own end does not matter */

static ms_t clock_ms(clockid_t id)
{
	struct timespec t = {0};
	clock_gettime(id, &t);
	return (ms_t)t.tv_sec * 1000 + (ms_t)(t.tv_nsec / 1000000);
}

ms_t wakeup_slept_ms(struct wakeup *w, ms_t boot_ms, ms_t monotonic_ms)
{
	ms_t ahead_ms = boot_ms > monotonic_ms ? boot_ms - monotonic_ms : 0;
	ms_t slept_ms = ahead_ms > w->ahead_ms ? ahead_ms - w->ahead_ms : 0;
	if (slept_ms < WAKEUP_MIN_MS)
		return 0;
	w->ahead_ms = ahead_ms;
	return slept_ms;
}

void wakeup_look(struct wakeup *w)
{
	ms_t slept_ms = wakeup_slept_ms(w, clock_ms(CLOCK_BOOTTIME), clock_ms(CLOCK_MONOTONIC));
	if (slept_ms > 0)
		w->on_resume(w->ctx, slept_ms);
}

static void clock_changed(void *ctx, int events)
{
	struct wakeup *w = ctx;
	uint64_t n;
	(void)events;
	/* ECANCELED is the news; it stays armed */
	(void)!read(w->fd, &n, sizeof(n));
	wakeup_look(w);
}

int wakeup_open(struct wakeup *w, uv_loop_t *loop)
{
	ms_t boot_ms = clock_ms(CLOCK_BOOTTIME), monotonic_ms = clock_ms(CLOCK_MONOTONIC);
	struct itimerspec never = {.it_value.tv_sec = time(NULL) + YEARS_S};
	w->ahead_ms = boot_ms > monotonic_ms ? boot_ms - monotonic_ms : 0;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) != 0 ? -errno
	                                                                                              : 0;
	if (err == 0 && (w->watch = watch_new(loop, fd, clock_changed, w)) == NULL)
		err = -ENOMEM;
	if (err)
		close(fd);
	else
		watch_set(w->watch, UV_READABLE);
	w->fd = fd;
	return err;
}

void wakeup_close(struct wakeup *w)
{
	watch_drop(w->watch);
	w->watch = NULL;
}
