/* One end of a socket between two of the gateway's processes: sends and receives whole checked messages.
 * The descriptor is non-blocking; the owner polls it for reading always and for writing while
 * chan_wants_write(). */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include "ipc/msg.h"

/* Waiting for a peer that does not read, memory of ours included: more is a dead peer. A logoff of all
 * sessions there can be is a quarter of it. */
#define CHAN_QUEUE_BYTES (16u << 20)

struct chan_item;

struct chan {
	int fd; /* owned; -1 = closed */
	struct ipc_gate gate;
	struct chan_item *first, *last; /* waiting to be sent */
	uint32_t n_waiting;
	size_t waiting_bytes;
};

/* Takes fd and makes it non-blocking and close-on-exec. self, peer: enum ipc_role. */
void chan_init(struct chan *c, int fd, uint8_t self, uint8_t peer);
/* A connected pair of sockets of the right kind, close-on-exec. 0 or -errno. */
MUST_USE int chan_pair(int ret_fds[2]);
/* Sends or queues. fd: passed along as a copy (IPC_FD), -1 for none; a message with one is never queued, so
 * send those before the peer can be slow. 0, ERR_CLOSED, ERR_LIMIT (the queue is full: it is given up, and
 * both ends see the end of the channel), -EAGAIN (only with fd), -errno. */
MUST_USE int chan_send(struct chan *c, const struct ipc_msg *m, int fd);
bool chan_wants_write(const struct chan *c);
/* Sends what waits. 0 (also when some still waits); ERR_CLOSED: nobody reads it any more, so nothing waits,
 * but what the peer has said can still be received; -errno. */
MUST_USE int chan_flush(struct chan *c);
/* Next message, checked against the permission table. *ret_fd: the descriptor that came with it, the caller's
 * from now on, or -1. 0; -EAGAIN: nothing there; ERR_CLOSED: peer is gone; ERR_LIMIT: *ret is filled, but it
 * was too many of them: answer with an error; ERR_MALFORMED or -EPERM: do not trust this peer any longer. */
MUST_USE int chan_recv(struct chan *c, uint8_t state, ms_t now_ms, struct ipc_msg *ret, int *ret_fd);
/* Gives up what waits; both ends see the end of the channel, but receive first what was said before. */
void chan_break(struct chan *c);
/* Closes and forgets what waits, wiping it. */
void chan_done(struct chan *c);

#endif
