/* DTLS 1.2 (on request 1.0) associations without sockets, in the styles of AnyConnect peers
 * (wire-protocol.md 4.3 to 4.5): PSK from the TLS exporter, and "resumption" of a session that was agreed
 * over HTTPS. Datagram boundaries are kept in both directions.
 *
 * Per datagram: dtls_feed(d, span); until dtls_is_up(): dtls_handshake(d); then dtls_read() until it returns
 * 0.
 *
 * The handshake is OpenSSL's. When it is over, our own record layer (io/dtls_record.h) takes the keys of
 * AES-GCM and ChaCha20-Poly1305 suites and OpenSSL's object is freed: the same bytes on the wire, several
 * times as fast, and 3 KB instead of 70. Other suites stay with OpenSSL. The functions are the same for both.
 */
#ifndef IO_DTLS_H
#define IO_DTLS_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "io/udp.h"

#define DTLS_PLAIN_MAX 16384
/* Bytes that one record adds: header, explicit IV, MAC and padding of any suite we may agree on. */
#define DTLS_OVERHEAD_MAX 96
#define DTLS_PSK_BYTES    32
#define DTLS_MASTER_BYTES 48
#define DTLS_ID_MAX       32

/* ---- output: datagrams back to back in one buffer, as udp_send() takes them ---- */

struct dtls_out {
	uint8_t *p;
	size_t n, cap; /* bytes */
	/* ascending and without gaps: dgram[i].offset + dgram[i].len == dgram[i+1].offset */
	struct udp_piece *dgram;
	size_t n_dgram, cap_dgram;
	uint64_t n_dropped; /* handshake datagrams that found no room (the protocol sends them again) */
};

MUST_USE int dtls_out_init(struct dtls_out *o, size_t cap_bytes, size_t cap_dgram);
void dtls_out_done(struct dtls_out *o);
static inline void dtls_out_reset(struct dtls_out *o)
{
	o->n = 0;
	o->n_dgram = 0;
}
/* The datagram put last carries data: udp_piece.may_fragment. */
static inline void dtls_out_may_fragment(struct dtls_out *o)
{
	if (o->n_dgram > 0)
		o->dgram[o->n_dgram - 1].may_fragment = true;
}

/* ---- shared settings, one per process or thread ---- */

struct dtls_ctx;
MUST_USE int dtls_ctx_new(struct dtls_ctx **ret);
/* Also while associations live that were made with it. NULL is allowed. */
void dtls_ctx_free(struct dtls_ctx *c);

/* ---- one association ---- */

struct dtls;

/* PSK-AES256-GCM-SHA384, PSK-CHACHA20-POLY1305, PSK-AES128-GCM-SHA256; any PSK identity; no ticket, no cookie
 * exchange (the caller has matched the ClientHello's id to a session before). ciphers: OpenSSL names of PSK
 * suites joined with ':' to allow only these, in this order, or NULL. */
MUST_USE int dtls_server_new_psk(
        struct dtls_ctx *c, const uint8_t psk[static DTLS_PSK_BYTES], const char *ciphers, struct dtls **ret);
/* Accepts only the abbreviated handshake of this session. cipher: OpenSSL name, e.g. "AES256-GCM-SHA384".
 * id 1..32 bytes. ERR_UNSUPPORTED: unknown cipher. */
MUST_USE int dtls_server_new_resume(struct dtls_ctx *c, struct span id,
        const uint8_t master[static DTLS_MASTER_BYTES], const char *cipher, struct dtls **ret);
/* app_id (1..32 bytes) goes into the ClientHello's session id; the handshake is a full one. */
MUST_USE int dtls_client_new_psk(struct dtls_ctx *c, struct span app_id,
        const uint8_t psk[static DTLS_PSK_BYTES], const char *cipher, struct dtls **ret);
/* dtls_handshake() fails with ERR_PEER_PROTOCOL if the server does not resume. */
MUST_USE int dtls_client_new_resume(struct dtls_ctx *c, struct span id,
        const uint8_t master[static DTLS_MASTER_BYTES], const char *cipher, struct dtls **ret);
/* Speaks DTLS 1.0 instead of 1.2; for associations of an injected session with a CBC-SHA1 suite, before the
 * handshake. ERR_UNSUPPORTED: the suite is not one of DTLS 1.0. */
MUST_USE int dtls_use_v1_0(struct dtls *d);
void dtls_free(struct dtls *d); /* NULL is allowed; sends nothing, wipes keys */

void dtls_set_output(struct dtls *d, struct dtls_out *o);
/* Largest datagram payload (UDP payload bytes, 256..16384) for handshake flights; default 1200. */
void dtls_set_mtu(struct dtls *d, size_t payload_bytes);
/* First retransmission after this many ms (default 1000, doubles up to 60 s). Before the handshake. */
void dtls_set_first_timeout_ms(struct dtls *d, uint32_t ms);

/* Before the handshake: stay with OpenSSL's record layer whatever the suite is. */
void dtls_keep_openssl(struct dtls *d);
/* Whether our own record layer serves the association. */
bool dtls_is_fast(const struct dtls *d);

/* One datagram from the peer. A view: valid until the next dtls_handshake() or dtls_read() that returns
 * ERR_MORE or 0. Garbage is answered with nothing and changes nothing. A datagram fed before the last one was
 * read replaces it (UDP may lose). */
void dtls_feed(struct dtls *d, struct span datagram);
/* The same; dtls_read_view() may decrypt in it. A datagram that turns out not to be this peer's is lost then.
 */
void dtls_feed_writable(struct dtls *d, uint8_t *p, size_t n);
/* 0: up. ERR_MORE: waits for the peer (the client's first call makes the ClientHello). ERR_TIMEOUT: gave up
 * repeating; a wrong PSK or master secret ends like this too, because its Finished cannot be told from a
 * forgery. ERR_REFUSED: no common suite. ERR_PEER_PROTOCOL, ERR_UNSUPPORTED, ERR_CRYPTO, ERR_CLOSED. */
MUST_USE int dtls_handshake(struct dtls *d);
bool dtls_is_up(const struct dtls *d);

/* Plaintext of one record; 0: none. ERR_CLOSED: close_notify or fatal alert. Replays, forgeries and records
 * of other epochs are dropped silently. A repeated Finished is answered; a renegotiation is refused and
 * leaves the association intact. */
MUST_USE int dtls_read(struct dtls *d, void *buf, size_t cap);
/* The same without a copy where that is possible: *ret is in the datagram that dtls_feed_writable() gave,
 * with the record's header and explicit nonce (13 bytes at least) in front of it free for use, or at buf.
 * Records that do not fit buf are dropped by both functions; DTLS_PLAIN_MAX bytes take every one. */
MUST_USE int dtls_read_view(struct dtls *d, uint8_t *buf, size_t cap, uint8_t **ret);
/* The record read last is the newest of all so far; one that is not was overtaken, or held back by somebody,
 * and says nothing about where the peer is now (RFC 9146 6). Suites that stay with OpenSSL: always true. */
bool dtls_read_latest(const struct dtls *d);
/* 1..DTLS_PLAIN_MAX bytes as one record in one datagram. 0, -ENOBUFS (batch full, nothing written),
 * ERR_TOO_LARGE, ERR_CLOSED, ERR_CRYPTO. */
MUST_USE int dtls_write(struct dtls *d, struct span plaintext);
/* Our keys or the peer's have protected so much that the association should be replaced by a new one, which
 * is the client's to begin. */
bool dtls_wants_rekey(const struct dtls *d);
/* Appends close_notify, once. */
void dtls_close(struct dtls *d);

/* When dtls_on_timeout() is to be called, on the scale of now_ms; MS_NEVER: nothing to repeat. OpenSSL
 * measures by its own clock. */
ms_t dtls_timeout_due_ms(struct dtls *d, ms_t now_ms);
/* Repeats the last flight if it is due. ERR_TIMEOUT: too often repeated. */
MUST_USE int dtls_on_timeout(struct dtls *d);

struct dtls_info {
	const char *protocol; /* "DTLSv1.2", "DTLSv1" */
	const char *cipher;   /* OpenSSL's name */
	bool is_resumed;
};
void dtls_info(const struct dtls *d, struct dtls_info *ret);
const char *dtls_error(const struct dtls *d); /* one line, "" when nothing went wrong */

#endif
