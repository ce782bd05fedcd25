/* TLS 1.2 and 1.3, for old clients 1.0 and 1.1, without sockets: ciphertext in, ciphertext out, one record
 * at a time. OpenSSL's TLS is used here, in io/dtls.h and in io/tls_cert.h, and nowhere else.
 *
 * Use, per readable socket:
 *	recv() into a buffer of the thread, then tls_feed(t, span)
 *	until tls_is_up(): tls_handshake(t)
 *	then tls_read_record() until it returns 0: all fed bytes are consumed
 *	what the connection wants to send lies in the tls_out of tls_set_output(): one send() for all of it
 *
 * Nothing here blocks, reads a clock for the protocol, or keeps a pointer to the caller's bytes after they
 * were consumed. One connection is used by one thread at a time; contexts may be shared by threads. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/err.h"
#include "base/text.h"
#include "io/tls_cert.h"

#define TLS_RECORD_MAX     16384 /* plaintext bytes in one record (RFC 8446 5.1) */
#define TLS_OVERHEAD_MAX   96    /* bytes that one record adds, any suite: CBC with SHA-384 85 */
#define TLS_PSK_BYTES      32
#define TLS_ERROR_TEXT_MAX 256

/* ---- output: a growing sink with a limit, shared by all connections of a thread ---- */

struct tls_out {
	uint8_t *p;
	size_t n;   /* bytes waiting to be sent */
	size_t cap; /* bytes allocated */
	size_t max; /* tls_write() fails with -ENOBUFS rather than to go beyond */
};

/* Records that the protocol itself must send (handshake, alerts, KeyUpdate) may exceed max by this. */
#define TLS_OUT_RESERVE_BYTES (64u << 10)

void tls_out_init(struct tls_out *o, size_t max);
void tls_out_done(struct tls_out *o);
/* Forgets the first n bytes (what send() took). */
void tls_out_consume(struct tls_out *o, size_t n);

static inline struct span tls_out_span(const struct tls_out *o)
{
	return span_of(o->p, o->n);
}

/* ---- server and client settings ---- */

enum tls_version { TLS_ANY = 0, TLS_1_0 = 10, TLS_1_1 = 11, TLS_1_2 = 12, TLS_1_3 = 13 };
#define TLS_N_VERSIONS 4 /* TLS_1_0..TLS_1_3; their order is that of the lists below */

/* Suites without other orders: TLS 1.3 AES-256-GCM, ChaCha20-Poly1305, AES-128-GCM in this order; TLS 1.2 the
 * same with ECDHE. Off: tickets, session cache, renegotiation, compression, ALPN. The order of the server
 * counts. */
struct tls_server_opts {
	struct span cert_pem; /* the server's certificate first, then the chain */
	struct span key_pem;  /* unencrypted */
	struct span
	        client_ca_pem; /* empty: no certificate is asked for. Else one is asked for, not required, and
	                        * a bad one does not end the handshake: see tls_info.is_peer_verified */
	/* TLS_ANY: 1.2, 1.3. Below 1.2 the library's security level falls to 0, but only in connections whose
	 * client offers nothing newer. */
	enum tls_version min, max;
	const char *
	        suites[TLS_N_VERSIONS]; /* of TLS 1.0 to 1.3: OpenSSL names joined with ':'; NULL: as above */
	const char *groups;   /* OpenSSL's names of curves joined with ':'; NULL: X25519:P-256:P-384 */
	const char *dh_group; /* of DHE suites: "modp_2048" ... (EVP_PKEY-DH(7)); NULL: modp_2048 */
};

struct tls_server_ctx;
/* One reference for the caller. why (may be NULL) gets a line for the log on failure. The options are not
 * needed afterwards. ERR_CONFIG: bad PEM, key and certificate do not match, impossible versions, suites or
 * groups, or a version none of whose suites works with the kind of the certificate's key. */
MUST_USE int tls_server_ctx_new(
        const struct tls_server_opts *o, struct text *why, struct tls_server_ctx **ret);
/* Connections hold their own reference: a reload makes a new context and puts the old one. Thread-safe. */
struct tls_server_ctx *tls_server_ctx_get(struct tls_server_ctx *c);
void tls_server_ctx_put(struct tls_server_ctx *c); /* NULL is allowed */

struct tls_client_opts {
	/* Accepted identities: "pin-sha256:BASE64" (at least 4 digits after the colon, a prefix is enough),
	 * "sha256:HEX" of the same, "sha1:HEX" of the SubjectPublicKeyInfo, or 40 hex digits: SHA-1 of the
	 * certificate. A matching pin replaces chain and name checks. With pins and neither ca_pem nor
	 * wants_system_ca nothing else is accepted. */
	const char *const *pin;
	size_t n_pin;
	struct span ca_pem;
	bool wants_system_ca;
	struct span cert_pem, key_pem; /* the client's own, both or none */
	enum tls_version min, max;     /* TLS_ANY: 1.2, 1.3 */
};

struct tls_client_ctx;
MUST_USE int tls_client_ctx_new(
        const struct tls_client_opts *o, struct text *why, struct tls_client_ctx **ret);
struct tls_client_ctx *tls_client_ctx_get(struct tls_client_ctx *c);
void tls_client_ctx_put(struct tls_client_ctx *c);

/* ---- one connection ---- */

struct tls;
MUST_USE int tls_server_new(struct tls_server_ctx *c, struct tls **ret);
/* host: DNS name or address literal (no brackets), the name to verify; SNI is sent for names only. */
MUST_USE int tls_client_new(struct tls_client_ctx *c, const char *host, struct tls **ret);
void tls_free(struct tls *t); /* NULL is allowed; sends nothing */

/* Where ciphertext goes from now on; NULL (the state after _new) makes everything that must send fail. */
void tls_set_output(struct tls *t, struct tls_out *o);

/* Ciphertext from the peer, any cut. A view: it must stay valid until tls_unread() is 0, which it is when
 * tls_handshake() returned ERR_MORE or tls_read_record() returned 0. -EBUSY: earlier bytes are still unread.
 */
MUST_USE int tls_feed(struct tls *t, struct span ciphertext);
size_t tls_unread(const struct tls *t);

/* The same; tls_read_view() may decrypt in it. */
MUST_USE int tls_feed_writable(struct tls *t, uint8_t *p, size_t n);

/* 0: up. ERR_MORE: needs bytes from the peer (the client's first call makes the ClientHello). ERR_IDENTITY:
 * the server is not who it should be, tls_error() says why and which pin to use. ERR_CRYPTO, ERR_CLOSED.
 * After a failure flush the output (it may hold an alert) and free. */
MUST_USE int tls_handshake(struct tls *t);
bool tls_is_up(const struct tls *t);

/* Of a connection that is up: our own record layer (io/tls_record.h) takes TLS 1.3 over at the next moment
 * between two records, and OpenSSL's object is freed. The same bytes on the wire, several times as fast, with
 * a quarter of the memory. All functions go on as before; TLS 1.2 stays with OpenSSL. */
void tls_go_fast(struct tls *t);
bool tls_is_fast(const struct tls *t);

/* Plaintext of exactly one record when cap >= TLS_RECORD_MAX (else its first part). Bytes, or 0: none until
 * more is fed. ERR_CLOSED: close_notify. ERR_MORE never. Post-handshake messages are handled inside. */
MUST_USE int tls_read_record(struct tls *t, void *buf, size_t cap);
/* The same without a copy where that is possible: *ret is in the bytes that tls_feed_writable() gave and
 * lives as long as these, or (a record that was fed in pieces) in memory of the connection until the next
 * call, or at buf. Whoever collects several records must copy what is not in the fed bytes. */
MUST_USE int tls_read_view(struct tls *t, uint8_t *buf, size_t cap, uint8_t **ret);
/* The bytes (1..TLS_RECORD_MAX) as exactly one record appended to the output (before it an empty one in TLS
 * 1.0 with CBC, against guessed IVs). 0, or -ENOBUFS (output full: nothing was written, flush and try again),
 * ERR_TOO_LARGE, ERR_CLOSED, ERR_CRYPTO. */
MUST_USE int tls_write(struct tls *t, struct span plaintext);
/* Whether n bytes, as records of TLS_RECORD_MAX, can all be written now: tls_write() will find room and
 * memory for each of them. For what must not be left half written. */
bool tls_has_room(struct tls *t, size_t n);
/* Appends close_notify, once. Later writes fail with ERR_CLOSED. */
void tls_close(struct tls *t);
/* Asks for new keys in TLS 1.3 (both directions); ERR_UNSUPPORTED with TLS 1.2. */
MUST_USE int tls_key_update(struct tls *t);

/* PSK of DTLS: exporter EXPORTER-openconnect-psk without context (wire-protocol.md 4.3). */
MUST_USE int tls_export_psk(struct tls *t, uint8_t ret[static TLS_PSK_BYTES]);

struct tls_info {
	const char *protocol; /* "TLSv1.3" */
	const char *cipher;   /* OpenSSL's name: "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384" */
	bool has_peer_cert;
	bool is_peer_verified; /* server: the certificate leads to client_ca_pem. client: always true once up
	                        */
	char peer_pin[TLS_PIN_TEXT_MAX]; /* "" without a certificate */
};
void tls_info(const struct tls *t, struct tls_info *ret);
/* The suites in the client's hello that OpenSSL knows, by its names; a server's side, after the hello came.
 */
size_t tls_n_proposed(const struct tls *t);
const char *tls_proposed(const struct tls *t, size_t i);
/* What went wrong, one line; "" when nothing did. Lives as long as t. */
const char *tls_error(const struct tls *t);
/* Name, version and date of the library in use. */
const char *tls_library_version(void);

#endif
