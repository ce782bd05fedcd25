/* One TLS connection over one TCP socket: bytes between io/tls.h and the descriptor. Never blocks by itself.
 */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include "io/tls.h"

#define CONN_RX_BYTES  (256u << 10)
#define CONN_OUT_BYTES (256u << 10) /* waits at most while the socket is not writable */

struct conn {
	int fd; /* -1: closed; owned */
	struct tls *tls;
	struct tls_out out;
	uint8_t *rx;                 /* CONN_RX_BYTES of ciphertext being read */
	uint64_t rx_bytes, tx_bytes; /* of the connections so far */
};

/* An empty connection. conn_done() frees its buffers. */
MUST_USE int conn_init(struct conn *c);
void conn_done(struct conn *c);

/* Takes fd over (also on failure). The ClientHello comes with the first conn_handshake(). */
MUST_USE int conn_open(struct conn *c, struct tls_client_ctx *ctx, const char *host, int fd);
/* With is_polite a close_notify is tried. The descriptor is closed. */
void conn_close(struct conn *c, bool is_polite);
/* Gives the descriptor out of hand: the caller closes it. */
int conn_release_fd(struct conn *c);

static inline bool conn_is_open(const struct conn *c)
{
	return c->fd >= 0;
}

/* One recv(), handed to TLS. 0; -EAGAIN: nothing there; ERR_CLOSED; -errno. Only when all earlier bytes are
 * consumed. */
MUST_USE int conn_pull(struct conn *c);
/* One send() of what waits. 0: all gone; -EAGAIN: some waits for the socket; ERR_CLOSED; -errno. */
MUST_USE int conn_push(struct conn *c);
/* Goes on with the handshake and sends what it has to say. 0: up; ERR_MORE: after the next conn_pull(); else
 * why not. */
MUST_USE int conn_handshake(struct conn *c);

#endif
