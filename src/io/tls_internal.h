/* Private to tls*.c: what contexts and connections share. */
#ifndef IO_TLS_INTERNAL_H
#define IO_TLS_INTERNAL_H

#include "io/ossl.h"
#include "io/tls.h"

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
bool tls_pin_matches(const struct tls_pin *pin, X509 *x);

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

struct tls {
	SSL *ssl;
	struct tls_client_ctx *client; /* one of the two is set */
	struct tls_server_ctx *server;
	struct tls_out *out;
	struct span in;
	bool is_up, is_closed, is_peer_verified, is_identity_refused;
	char error[TLS_ERROR_TEXT_MAX];
};

BIO *tls_bio_new(struct tls *t);
bool tls_out_put(struct tls_out *o, const void *p, size_t n);

/* Callbacks of SSL_CTX_set_cert_verify_callback(). */
int tls_verify_server(X509_STORE_CTX *chain, void *unused);
int tls_verify_client(X509_STORE_CTX *chain, void *unused);

#endif
