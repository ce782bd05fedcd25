/* Private to dtls*.c. */
#ifndef IO_DTLS_INTERNAL_H
#define IO_DTLS_INTERNAL_H

#include "io/dtls.h"
#include "io/dtls_record.h"
#include "io/ossl.h"

#define DTLS_ERROR_TEXT_MAX 160

struct dtls_ctx {
	SSL_CTX *ssl_ctx;
};

/* What OpenSSL's own records in the epoch of the data have used up: all that it sends passes dtls_bio.c. */
struct dtls_spent {
	uint64_t next_seq;   /* 0: no such record yet */
	uint64_t next_nonce; /* explicit nonces count up from a random start; the one after the last */
	bool is_odd;         /* they do not count up: the nonces to come cannot be known */
};

/* The datagrams of the flight that ended the handshake, to be sent again byte by byte: a side that has freed
 * its SSL object cannot make new ones. Change cipher spec and Finished need about 100 bytes. */
#define DTLS_FLIGHT_BYTES_MAX  1024
#define DTLS_FLIGHT_DGRAMS_MAX 8
struct dtls_flight {
	uint8_t *p; /* NULL: nothing to repeat */
	size_t n;
	uint16_t len[DTLS_FLIGHT_DGRAMS_MAX];
	unsigned n_dgram;
	bool is_over; /* did not fit */
};

/* Records of data or alerts that came before the handshake was over (sent by a peer that had finished it). */
#define DTLS_EARLY_RECORDS_MAX 16
#define DTLS_EARLY_BYTES_MAX   (32u << 10)
struct dtls_early {
	uint8_t *p; /* whole records, back to back */
	size_t n, at;
	unsigned n_record;
};

struct dtls {
	SSL *ssl; /* NULL after the switch to our own record layer */
	struct dtls_out *out;
	struct span in;      /* the datagram not yet read */
	bool is_in_writable; /* .. by dtls_feed_writable() */
	struct dtls_record *record;
	struct dtls_spent spent;
	struct dtls_flight flight;
	struct dtls_early early;
	const SSL_CIPHER *suite; /* of the handshake; OpenSSL's static table */
	bool is_resumed, is_openssl_kept;
	uint8_t *filtered;   /* the fed datagram without its early records */
	SSL_SESSION *resume; /* server: what the ClientHello's id must find */
	uint8_t psk[DTLS_PSK_BYTES];
	uint32_t first_timeout_ms;
	size_t mtu; /* of a flight's datagrams, bytes of UDP payload */
	bool is_server, is_resume, has_psk, is_up, is_closed;
	char error[DTLS_ERROR_TEXT_MAX];
};

BIO *dtls_bio_new(struct dtls *d);
/* One datagram into the output; false: no room. */
bool dtls_out_put(struct dtls_out *o, const void *p, size_t n);

/* Every datagram that OpenSSL sends, whether it found room or not. */
void dtls_switch_on_sent(struct dtls *d, struct span datagram);
/* The handshake is over: our own record layer takes over if it knows the suite, and the SSL object is freed.
 * If not (or without memory) all goes on through OpenSSL. */
void dtls_switch(struct dtls *d);
void dtls_flight_reset(struct dtls *d);

/* Takes early records out of a datagram for a handshake under way; the rest is what OpenSSL gets. */
struct span dtls_early_take(struct dtls *d, struct span datagram);
/* The next early record as a datagram of its own; empty: none is left, and the memory is freed. */
struct span dtls_early_next(struct dtls *d);
void dtls_early_reset(struct dtls *d);

/* The association after the switch. is_in_place: the plaintext may stay in the datagram. */
MUST_USE int dtls_fast_read(struct dtls *d, bool is_in_place, uint8_t *buf, size_t cap, uint8_t **ret);
MUST_USE int dtls_fast_write(struct dtls *d, struct span plaintext);
void dtls_fast_close(struct dtls *d);

#endif
