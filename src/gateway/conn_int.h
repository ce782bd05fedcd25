/* Between the files of a connection: conn.c (life, what comes in), conn_out.c (what goes out), conn_request.c
 * (the requests before the tunnel), conn_move.c (to another thread). */
#ifndef GATEWAY_CONN_INT_H
#define GATEWAY_CONN_INT_H

#include "gateway/conn.h"

/* conn.c */
/* Into and out of its thread's list; out of the list of those with output as well. */
void conn_link(struct conn *c);
void conn_unlink(struct conn *c);
/* Descriptor and timer in the loop of its thread. -errno: neither is open. */
MUST_USE int conn_handles_open(struct conn *c);

/* conn_out.c */
/* Tells the loop what to wait for. May abort the connection. */
void conn_watch(struct conn *c);
/* As much of the output as the socket takes now. 0, also when some is left; -errno: the connection is dead.
 */
MUST_USE int conn_send(struct conn *c);

/* conn_request.c */
/* Plaintext of one record before the tunnel. Wiped: it may hold a password. */
void conn_on_request_bytes(struct conn *c, uint8_t *plain, size_t n);
/* Answers the requests that have come, one after the other, until one of them must wait for auth. */
void conn_step_requests(struct conn *c);

/* conn_move.c */
/* At the end of the turn in which conn_move() was called: leaves this thread. */
void conn_move_begin(struct conn *c);
/* The connection dies before it has left. */
void conn_move_cancel(struct conn *c);

#endif
