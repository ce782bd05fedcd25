/* Messages with descriptors between own processes, over AF_UNIX SOCK_SEQPACKET: boundaries kept, order kept.
 */
#ifndef IO_MSG_H
#define IO_MSG_H

#include <stddef.h>

#include "base/span.h"
#include "base/util.h"

#define MSG_MAX_BYTES 65536
#define MSG_MAX_FDS   32

/* A connected pair, non-blocking, close-on-exec, with buffers for several of the largest messages. */
MUST_USE int msg_pair(int ret_fds[static 2]);

/* The whole message or nothing. body 1..MSG_MAX_BYTES (empty cannot be told from the end): -EMSGSIZE; more
 * descriptors: -E2BIG; queue full: -EAGAIN; other end gone: -EPIPE (no signal). fds stay the caller's. */
MUST_USE int msg_send(int fd, struct span body, const int *fds, size_t n_fds);

/* One message into buf: returns its length in bytes, or -EAGAIN, or ERR_CLOSED when the other end is gone.
 * The descriptors (close-on-exec) go to ret_fds and are the caller's. Never given out half: a message larger
 * than cap is ERR_TOO_LARGE, one with more descriptors than max_fds ERR_MALFORMED; either is then gone and
 * its descriptors are closed. max_fds 0: none expected. ret_fds and ret_n_fds may be NULL only then. */
MUST_USE int msg_recv(int fd, uint8_t *buf, size_t cap, int *ret_fds, size_t max_fds, size_t *ret_n_fds);

#endif
