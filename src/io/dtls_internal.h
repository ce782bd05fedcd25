/* Private to dtls*.c. */
#ifndef IO_DTLS_INTERNAL_H
#define IO_DTLS_INTERNAL_H

#include "io/dtls.h"
#include "io/ossl.h"

#define DTLS_ERROR_TEXT_MAX 160

struct dtls_ctx {
	SSL_CTX *ssl_ctx;
	unsigned refs; /* atomic */
};

struct dtls {
	SSL *ssl;
	struct dtls_ctx *ctx;
	struct dtls_out *out;
	struct span in;      /* the datagram not yet read */
	SSL_SESSION *resume; /* server: what the ClientHello's id must find */
	uint8_t psk[DTLS_PSK_BYTES];
	uint32_t first_timeout_ms;
	size_t mtu; /* of a flight's datagrams, bytes of UDP payload */
	bool is_server, is_resume, has_psk, is_up, is_closed;
	char error[DTLS_ERROR_TEXT_MAX];
};

BIO *dtls_bio_new(struct dtls *d);

#endif
