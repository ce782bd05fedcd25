/* The DTLS tunnel of a session: dtls_rx.c (datagrams that came, and whose they are), dtls_peer.c (by what
 * they find their session), dtls_handshake.c, dtls_assoc.c (associations come and go), dtls_tx.c (the way
 * out). Source: wire-protocol.md 4.3 - 4.6. A stranger gets no answer, and no state is kept for one. */
#ifndef GATEWAY_DTLS_TUNNEL_H
#define GATEWAY_DTLS_TUNNEL_H

#include "gateway/worker.h"
#include "wire/params.h"

/* A DTLS association and where its datagrams go. */
struct session_assoc {
	struct dtls *dtls; /* NULL: none */
	struct udp_path path;
};

struct session_dtls {
	struct session_assoc active; /* carries data once up */
	struct session_assoc next;   /* handshaking; replaces active when it is up */
	struct session_assoc old;    /* replaced: what is still on the way is read until old_until_ms */
	ms_t old_until_ms;
	enum dtls_suite suite; /* DTLS_NONE: not offered in this connection */
	uint8_t id[DTLS_ID_BYTES];
	uint8_t master_secret[DTLS_SECRET_BYTES]; /* injected styles */
	char protocol[16], cipher[64];            /* OpenSSL's names, once up */
	uint16_t limit_bytes;                     /* largest inner packet for one datagram */
	ms_t next_since_ms;                       /* when the handshake of next began */
	ms_t hello_window_ms;                     /* handshakes are limited per session */
	uint8_t n_hellos[2];                      /* [1]: from the address of the TLS connection */
	uint16_t n_established;
};

/* ---- in ---- */

/* The UDP socket is readable: reads and serves one batch, and ends the turn. */
void dtls_rx_ready(struct worker *w);
/* A datagram that other threads (tried: bit n is thread n) could not place. */
void dtls_rx_handed_over(struct worker *w, const struct udp_datagram *in, uint64_t tried);

/* ---- out ---- */

/* Appends one typed packet to the session's batch. 0; ERR_CLOSED: there is no association; ERR_TOO_LARGE; an
 * error of dtls_write(). */
MUST_USE int dtls_tx(struct session *s, uint8_t type, struct span payload);
/* The same, with DTLS_CHANNEL_BYTES in front of the payload that may be written. */
MUST_USE int dtls_tx_in_place(struct session *s, uint8_t type, uint8_t *payload, size_t n);
/* Sends what waits in scratch.dtls_out for w->turn.dtls_pending. */
void dtls_tx_flush(struct worker *w);
/* Sends what one association has put into scratch.dtls_out (handshake flights). */
void dtls_assoc_flush(struct session *s, struct session_assoc *a);

/* ---- life ---- */

/* Draws an id for the ClientHello of this session and makes it known; without one DTLS is not offered. */
void dtls_id_new(struct session *s);
/* Datagrams from this host are tried on the association in use as well: its client has come back from there.
 */
void dtls_expect_from(struct session *s, const struct ip_addr *host);
void dtls_active_done(struct session *s); /* the association in use is over */
void dtls_next_done(struct session *s);   /* the handshake under way is given up */
void dtls_old_done(struct session *s);    /* nothing can be on the way any more */
void dtls_forget(struct session *s);      /* all associations, id and peer */

#endif
