/* The record layer of TLS 1.3 in one direction, without OpenSSL's (RFC 8446 5 and 7). */
#ifndef IO_TLS_RECORD_H
#define IO_TLS_RECORD_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "io/aead.h"

#define TLS_RECORD_HEAD_BYTES   5
#define TLS_RECORD_EXTRA_BYTES  (1 + AEAD_TAG_BYTES)                             /* inner type, tag */
#define TLS_RECORD_ADDED_BYTES  (TLS_RECORD_HEAD_BYTES + TLS_RECORD_EXTRA_BYTES) /* to the plaintext */
#define TLS_RECORD_CONTENT_MAX  16384
#define TLS_RECORD_BODY_MAX     (TLS_RECORD_CONTENT_MAX + 256) /* RFC 8446 5.2 */
#define TLS_RECORD_SECRET_BYTES 48                             /* the longest: SHA-384 */

enum tls_content { TLS_CCS = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_DATA = 23 };

/* What a suite means. */
struct tls_suite {
	enum aead_alg alg;
	const char *hash;    /* OpenSSL's name */
	size_t secret_bytes; /* of the hash, and so of every secret */
};
/* The three suites of RFC 8446 with AES-GCM and ChaCha20, by number; NULL: another one. */
const struct tls_suite *tls_suite_find(uint16_t number);

/* One direction. Fields are for tls_record.c. */
struct tls_record {
	const struct tls_suite *suite;
	struct aead *aead;
	enum aead_use use;
	enum aead_engine engine;
	uint64_t seq;
	uint64_t n_blocks; /* sealed with this key */
	uint8_t iv[AEAD_NONCE_BYTES];
	uint8_t secret[TLS_RECORD_SECRET_BYTES];
};

/* secret: the application traffic secret in use, seq: number of records it has protected. ERR_CRYPTO,
 * -ENOMEM. */
MUST_USE int tls_record_init(struct tls_record *r, enum aead_engine engine, const struct tls_suite *suite,
        enum aead_use use, const uint8_t *secret, uint64_t seq);
void tls_record_done(struct tls_record *r); /* copes with zeroed ones; wipes */
/* The next generation of keys (RFC 8446 7.2). */
MUST_USE int tls_record_update(struct tls_record *r);
/* So much was sealed that a KeyUpdate is due (RFC 8446 5.5). */
bool tls_record_wants_update(const struct tls_record *r);

/* Writes one record, plain.n + TLS_RECORD_ADDED_BYTES bytes, to dst, which does not overlap plain.
 * plain.n <= TLS_RECORD_CONTENT_MAX. Bytes, or ERR_CRYPTO. */
MUST_USE int tls_record_seal(struct tls_record *r, enum tls_content type, uint8_t *dst, struct span plain);
/* record: header and body, body TLS_RECORD_EXTRA_BYTES..TLS_RECORD_BODY_MAX bytes. dst takes
 * body - AEAD_TAG_BYTES bytes; it may be where the body is. Bytes of content, its type; ERR_CRYPTO: a
 * forgery; ERR_MALFORMED: no type in it; ERR_TOO_LARGE. */
MUST_USE int tls_record_open(struct tls_record *r, struct span record, uint8_t *dst, uint8_t *ret_type);

/* The exporter of RFC 8446 7.5 with an empty context. */
bool tls_export(const struct tls_suite *suite, const uint8_t *exporter_secret, const char *label,
        uint8_t *ret, size_t n);

#endif
