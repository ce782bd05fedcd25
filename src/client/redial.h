/* A second TLS connection to the gateway, made while the first one still stands: when nobody knows whether
 * that one is alive, whichever answers first is used. Up to the end of the handshake; CONNECT is the
 * tunnel's. */
#ifndef CLIENT_REDIAL_H
#define CLIENT_REDIAL_H

#include "client/conn.h"
#include "client/gate.h"
#include "client/watch.h"

#define REDIAL_LIMIT_MS     5000  /* for one try */
#define REDIAL_PAUSE_MS     1000  /* from the begin of one try to that of the next, doubling, */
#define REDIAL_PAUSE_MAX_MS 16000 /* up to this */

struct redial {
	uv_loop_t *loop;
	struct gate *gate;
	bool is_open; /* under way */
	struct sock_dial dial;
	struct conn conn;
	struct watch *watch; /* of a duplicate of the descriptor */
	ms_t until_ms, next_at_ms, pause_ms;
	/* The handshake is done: conn may be taken over; what is left of it is closed afterwards. */
	void (*on_ready)(void *ctx, struct conn *conn);
	void *ctx;
};

/* Fields from on_ready on are the caller's. -ENOMEM */
MUST_USE int redial_init(struct redial *r, uv_loop_t *loop, struct gate *gate);
void redial_done(struct redial *r); /* copes with a zeroed struct */
/* Nothing happens when one is under way, or before the pause is over. */
void redial_begin(struct redial *r, ms_t now_ms);
/* Gives up; the pause goes on. */
void redial_close(struct redial *r);
/* The connection lives: the next doubt is a new one. */
static inline void redial_settle(struct redial *r)
{
	r->pause_ms = 0;
}
ms_t redial_due_ms(const struct redial *r);
void redial_on_time(struct redial *r, ms_t now_ms);

#endif
