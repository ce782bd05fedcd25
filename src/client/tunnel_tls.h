/* The TLS tunnel from dialling to CSTP packets: DIAL -> HANDSHAKE -> ASK (CONNECT) -> UP. */
#ifndef CLIENT_TUNNEL_TLS_H
#define CLIENT_TUNNEL_TLS_H

#include "client/channel.h"
#include "client/conn.h"
#include "client/gate.h"
#include "client/https.h"
#include "client/watch.h"
#include "wire/cstp_long.h"
#include "wire/params.h"

#define TUNNEL_TLS_SETUP_MS     15000        /* from dialling to the answer of CONNECT */
#define TUNNEL_TLS_UNSENT_BYTES (128u << 10) /* waits at most in the kernel, so that others are not late */

enum tunnel_tls_stage {
	TUNNEL_TLS_DOWN,
	TUNNEL_TLS_DIAL,
	TUNNEL_TLS_HANDSHAKE,
	TUNNEL_TLS_ASK,
	TUNNEL_TLS_UP
};

struct tunnel_tls {
	enum tunnel_tls_stage stage;
	uv_loop_t *loop;
	struct gate *gate;
	struct channel_owner owner;
	/* writes the CONNECT request; base_mtu is the path MTU of the TCP connection, 0 unknown */
	void (*format_request)(void *ctx, uint16_t base_mtu, struct text *out);
	/* the answer, of any status: 0 takes the tunnel into use, else it is closed without on_lost() */
	int (*on_answer)(void *ctx, const struct http_head *head);
	struct sock_dial dial;
	struct conn conn;
	struct watch *watch;
	struct https_reply *reply;
	uint8_t *record;          /* TLS_RECORD_MAX of plaintext */
	bool takes_super;         /* agreed: CSTP_SUPER may come */
	struct cstp_long rx_long; /* a packet that goes on in the next record */
	uint8_t *long_memory;     /* for it; NULL: none came yet */
	ms_t setup_until_ms;
	struct channel_counters count;
};

MUST_USE int tunnel_tls_init(struct tunnel_tls *t, uv_loop_t *loop, struct gate *gate);
void tunnel_tls_done(struct tunnel_tls *t);

/* Over a connection that the login left open, or that redial.h made; it is taken over. What there was before
 * ends without a word. */
void tunnel_tls_adopt(struct tunnel_tls *t, struct conn *conn, ms_t now_ms);
/* Dials the gateway again. */
void tunnel_tls_dial(struct tunnel_tls *t, ms_t now_ms);
void tunnel_tls_close(struct tunnel_tls *t, bool is_polite);

/* One packet as one record into the queue; -ENOBUFS: the queue is full. Nothing is sent before
 * tunnel_tls_flush(). */
MUST_USE int tunnel_tls_put(struct tunnel_tls *t, struct span packet);
/* A packet with its header as several records, all or none: up to CSTP_HEADER_BYTES + CSTP_LONG_PAYLOAD_MAX.
 * -ENOBUFS: there is no room for all of it. */
MUST_USE int tunnel_tls_put_long(struct tunnel_tls *t, struct span packet);
/* The same with a type and payload that need not have room for a header in front. */
MUST_USE int tunnel_tls_put_control(struct tunnel_tls *t, uint8_t type, struct span payload);
/* One send for all that waits; afterwards tunnel_tls_is_stuffed() says whether the socket took it. */
void tunnel_tls_flush(struct tunnel_tls *t);

static inline bool tunnel_tls_is_stuffed(const struct tunnel_tls *t)
{
	return t->conn.out.n > 0;
}

/* Whether these bytes are among those received, which stay until on_batch(). */
static inline bool tunnel_tls_keeps(const struct tunnel_tls *t, const uint8_t *p)
{
	return p >= t->conn.rx && p < t->conn.rx + CONN_RX_BYTES;
}

/* Setup takes too long: gives up with on_lost(). MS_NEVER when nothing is being set up. */
ms_t tunnel_tls_due_ms(const struct tunnel_tls *t);
void tunnel_tls_on_time(struct tunnel_tls *t, ms_t now_ms);

#endif
