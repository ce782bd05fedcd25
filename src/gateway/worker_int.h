/* Between the files of a thread: worker.c (life, end of a turn, sockets, other threads), worker_auth.c
 * (questions to auth), worker_tun.c (packets from and to the inside). */
#ifndef GATEWAY_WORKER_INT_H
#define GATEWAY_WORKER_INT_H

#include "gateway/worker.h"

/* worker_auth.c: the channel is readable or writable. */
void worker_on_auth_ready(struct loop_fd *f, int err, int events);

/* worker_tun.c */
/* Takes w->tun.dev.fds[0] as it was set up by the monitor. offloads_refused: OFFLOAD_* bits. -ENOMEM. */
MUST_USE int worker_tun_open(struct worker *w, unsigned offloads_refused);
/* The device has something to read: a turn's worth of it. */
void worker_on_tun_ready(struct loop_fd *f, int err, int events);
/* What was read from TUN: one packet, or many in one, with its header when the device has one. The bytes may
 * be changed, and WORKER_TUN_HEADROOM in front of them. may_stray: it may be another thread's. */
void worker_forward(struct worker *w, uint8_t *p, size_t n, bool may_stray);

#endif
