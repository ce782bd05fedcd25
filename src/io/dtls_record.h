/* The record layer of DTLS 1.2 for AEAD suites, without OpenSSL's (RFC 6347 4.1, RFC 5288, RFC 7905).
 *
 * Only one epoch: keys do not change in the life of an association, a new one takes its place. */
#ifndef IO_DTLS_RECORD_H
#define IO_DTLS_RECORD_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "io/aead.h"

#define DTLS_RECORD_HEAD_BYTES  13
#define DTLS_RECORD_NONCE_BYTES 8 /* explicit part of AES-GCM's nonce, RFC 5288 3 */
#define DTLS_RECORD_PLAIN_MAX   16384
#define DTLS_RECORD_SEQ_END     ((uint64_t)1 << 48) /* no record has this number */
#define DTLS_VERSION_1_2        0xfefd

enum dtls_content { DTLS_CCS = 20, DTLS_ALERT = 21, DTLS_HANDSHAKE = 22, DTLS_DATA = 23 };

struct dtls_record_head {
	uint8_t type;
	uint16_t version, epoch;
	uint64_t seq;
	struct span head, body; /* views into the datagram */
};

/* Takes the next record off the datagram. False: nothing whole is left. */
bool dtls_record_cut(struct span *datagram, struct dtls_record_head *ret);

struct dtls_record_keys {
	enum aead_alg alg;
	uint8_t tx_key[AEAD_KEY_BYTES_MAX], rx_key[AEAD_KEY_BYTES_MAX];
	uint8_t tx_iv[AEAD_NONCE_BYTES], rx_iv[AEAD_NONCE_BYTES]; /* AES-GCM: only the first four bytes */
};

/* Where the sending side begins: behind everything that was ever sealed with these keys. */
struct dtls_record_start {
	uint16_t epoch;
	uint64_t tx_seq;   /* of the next record, < DTLS_RECORD_SEQ_END */
	uint64_t tx_nonce; /* its explicit nonce; later ones count up. AES-GCM only */
};

struct dtls_record;
MUST_USE int dtls_record_new(enum aead_engine engine, const struct dtls_record_keys *keys,
        const struct dtls_record_start *start, struct dtls_record **ret);
void dtls_record_free(struct dtls_record *r); /* NULL is allowed; wipes keys */

/* What a record adds to its plaintext. */
size_t dtls_record_overhead_bytes(const struct dtls_record *r);
/* Writes one record to dst, dtls_record_overhead_bytes() more than plain.n bytes; plain does not overlap it.
 * Bytes written; ERR_TOO_LARGE; ERR_CLOSED: all sequence numbers are used up; ERR_CRYPTO. */
MUST_USE int dtls_record_seal(struct dtls_record *r, enum dtls_content type, uint8_t *dst, struct span plain);

/* The plaintext's length; negative when the record cannot be one of this association (foreign epoch, too
 * short, too long, seen before). */
MUST_USE int dtls_record_plain_bytes(const struct dtls_record *r, const struct dtls_record_head *h);
/* Where the ciphertext begins: dst for opening in place. */
size_t dtls_record_text_offset(const struct dtls_record *r);
/* Decrypts a record that dtls_record_plain_bytes() has let pass, to dst: h->body.p plus
 * dtls_record_text_offset() (in place), or other memory. Bytes, or ERR_CRYPTO: a forgery; dst is zeroed then.
 */
MUST_USE int dtls_record_open(struct dtls_record *r, const struct dtls_record_head *h, uint8_t *dst);

/* The record opened last has the highest number of all that were. */
bool dtls_record_is_latest(const struct dtls_record *r);

/* So much was sealed, or so many forgeries were refused, that new keys are due (RFC 8446 5.5, RFC
 * 9147 4.5.3). Nothing stops: a caller has hours to act. */
bool dtls_record_wants_rekey(const struct dtls_record *r);

#endif
