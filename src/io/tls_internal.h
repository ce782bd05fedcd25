/* Private to tls*.c: what contexts and connections share. */
#ifndef IO_TLS_INTERNAL_H
#define IO_TLS_INTERNAL_H

#include "io/ossl.h"
#include "io/tls.h"
#include "io/tls_record.h"

#define TLS_PINS_MAX 32

struct tls_pin {
	enum tls_pin_kind {
		PIN_SPKI_SHA256_B64,
		PIN_SPKI_SHA256_HEX,
		PIN_SPKI_SHA1_HEX,
		PIN_CERT_SHA1_HEX
	} kind;
	char digits[65]; /* a prefix of the full text; hex in upper case */
};

/* ERR_CONFIG: not one of the forms of tls_client_opts.pin. */
MUST_USE int tls_pin_parse(const char *text, struct tls_pin *ret);

struct tls_server_ctx {
	SSL_CTX *ssl_ctx;
	unsigned refs;       /* atomic */
	char *old_suites[2]; /* lists of TLS 1.0 and 1.1; NULL: the version is not allowed */
};

struct tls_client_ctx {
	SSL_CTX *ssl_ctx;
	unsigned refs; /* atomic */
	bool has_ca;
	size_t n_pin;
	struct tls_pin pin[TLS_PINS_MAX];
};

enum { TLS_SECRET_CLIENT, TLS_SECRET_SERVER, TLS_SECRET_EXPORTER, TLS_SECRETS };

/* The secrets of TLS 1.3 as OpenSSL derives them. */
struct tls_secrets {
	uint8_t secret[TLS_SECRETS][TLS_RECORD_SECRET_BYTES];
	size_t bytes[TLS_SECRETS]; /* 0: not yet */
};

enum { TLS_RX, TLS_TX, TLS_DIRECTIONS };

/* Under the traffic secrets of OpenSSL's side: */
struct tls_count {
	uint64_t n_records; /* since the last change of keys */
	uint64_t n_updates;
};

/* Where in a record the bytes given to OpenSSL end. */
struct tls_boundary {
	uint8_t head[TLS_RECORD_HEAD_BYTES];
	unsigned n_head;
	size_t body_left;
};

/* What is left of a connection without its SSL object. */
struct tls_fast {
	struct tls_record tx, rx;
	uint8_t exporter[TLS_RECORD_SECRET_BYTES];
	const SSL_CIPHER *cipher; /* OpenSSL's static table */
	X509 *peer;               /* NULL: none */
	bool owes_update;         /* a KeyUpdate must go ahead of the next data (RFC 8446 4.6.3) */
	unsigned n_idle;          /* records without data in a row */
	uint8_t msg_head[4];      /* of a handshake message that is cut over records */
	unsigned n_msg_head;
	uint32_t msg_left; /* bytes of it to skip */
	uint8_t *part;     /* memory for one record; NULL while the fed bytes do */
	size_t n_part;     /* bytes of an incomplete record in it */
	struct span rest;  /* data in it that was not yet given out */
};

struct tls {
	SSL *ssl;                      /* NULL once `fast` is set */
	struct tls_client_ctx *client; /* one of the two is set */
	struct tls_server_ctx *server;
	struct tls_out *out;
	struct span in;
	bool is_in_writable; /* .. by tls_feed_writable() */
	bool is_up, is_closed, is_peer_verified, is_identity_refused;
	bool wants_fast; /* the switch waits for a moment between two records */
	struct tls_fast *fast;
	struct tls_secrets *secrets; /* NULL: TLS 1.2, or already in use */
	struct tls_count count[TLS_DIRECTIONS];
	struct tls_boundary boundary;
	char error[TLS_ERROR_TEXT_MAX];
};

BIO *tls_bio_new(struct tls *t);
/* Room for n bytes behind what is there, to be counted by the caller; NULL: the limit, or no memory. */
uint8_t *tls_out_reserve(struct tls_out *o, size_t n);

/* tls_suites.c */
/* Versions and suites without other orders (tls.h). False: impossible. */
bool tls_suites_default(SSL_CTX *c, enum tls_version min, enum tls_version max);
/* The server's own groups and suites, after its key was loaded. ERR_CONFIG with a line in why (may be NULL),
 * -ENOMEM. */
MUST_USE int tls_groups_set(SSL_CTX *c, const struct tls_server_opts *o, struct text *why);
MUST_USE int tls_suites_set(struct tls_server_ctx *c, const struct tls_server_opts *o, struct text *why);

/* Callbacks of OpenSSL. */
void tls_on_keylog(const SSL *ssl, const char *line);
void tls_on_message(int is_write, int version, int type, const void *buf, size_t n, SSL *ssl, void *arg);
/* What OpenSSL reads. */
void tls_boundary_note(struct tls_boundary *b, struct span in);
/* Takes the connection over if that is wanted and this is a moment for it. */
void tls_switch(struct tls *t);
void tls_secrets_free(struct tls *t);

/* The functions of tls.h after the switch. */
void tls_fast_free(struct tls_fast *f);
MUST_USE int tls_fast_write(struct tls *t, struct span plaintext);
MUST_USE int tls_fast_read(struct tls *t, bool is_view, uint8_t *buf, size_t cap, uint8_t **ret);
MUST_USE int tls_fast_key_update(struct tls *t);
void tls_fast_close(struct tls *t);

/* Callbacks of SSL_CTX_set_cert_verify_callback(). */
int tls_verify_server(X509_STORE_CTX *chain, void *unused);
int tls_verify_client(X509_STORE_CTX *chain, void *unused);

#endif
