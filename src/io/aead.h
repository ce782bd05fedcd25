/* Authenticated encryption of records: one key in one direction, twelve bytes of nonce, sixteen of tag.
 *
 * Two implementations give the same bytes: OpenSSL, and Intel's ipsec-mb, which is two to five times faster
 * for AES-GCM on CPUs with VAES (datapath.md section 1). Which one serves a cipher is decided once per
 * process. A context is used by one thread at a time; different contexts are independent. */
#ifndef IO_AEAD_H
#define IO_AEAD_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

#define AEAD_NONCE_BYTES   12
#define AEAD_TAG_BYTES     16
#define AEAD_KEY_BYTES_MAX 32

enum aead_alg { AEAD_AES128_GCM, AEAD_AES256_GCM, AEAD_CHACHA20_POLY1305 };
enum aead_use { AEAD_SEAL, AEAD_OPEN };
enum aead_engine {
	AEAD_AUTO, /* the faster one that is there */
	AEAD_OPENSSL,
	AEAD_IPSEC_MB,
};

static inline size_t aead_key_bytes(enum aead_alg alg)
{
	return alg == AEAD_AES128_GCM ? 16 : 32;
}

struct aead;

/* key: aead_key_bytes(alg) bytes, copied. ERR_UNSUPPORTED: this build or CPU does not have that engine.
 * ERR_CRYPTO, -ENOMEM. */
MUST_USE int aead_new(
        enum aead_engine engine, enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret);
void aead_free(struct aead *a); /* NULL is allowed; wipes the key */

/* Writes plain.n + AEAD_TAG_BYTES bytes to dst, which is plain.p itself or does not overlap it. The nonce
 * must never be used twice with one key. 0, or ERR_CRYPTO when the library fails. */
MUST_USE int aead_seal(struct aead *a, const uint8_t nonce[static AEAD_NONCE_BYTES], struct span aad,
        uint8_t *dst, struct span plain);
/* sealed: ciphertext and tag. Writes sealed.n - AEAD_TAG_BYTES bytes to dst, which is sealed.p itself or does
 * not overlap it. ERR_CRYPTO: not authentic; dst then holds zeros, so that what was opened in place is lost.
 */
MUST_USE int aead_open(struct aead *a, const uint8_t nonce[static AEAD_NONCE_BYTES], struct span aad,
        uint8_t *dst, struct span sealed);

/* What serves AES-GCM in this process, for people: "ipsec-mb 1.3.0 (AVX512)", "OpenSSL 3.0.19". Static. */
const char *aead_engine_name(void);
/* Whether the engine can be asked for. */
bool aead_engine_exists(enum aead_engine engine);

#endif
