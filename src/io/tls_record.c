#include "io/tls_record.h"

#include <endian.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/wr.h"

#define AES_BLOCK_BYTES 16
/* RFC 8446 5.5 allows 2^24.5 full records: 2^34.5 blocks. */
#define UPDATE_BLOCKS ((uint64_t)1 << 34)
#define UPDATE_SEQ    ((uint64_t)1 << 48) /* for every suite; far below the wrap that must not be */
#define LABEL_PREFIX  "tls13 "
#define CONTEXT_MAX   64
#define INFO_MAX      (2 + 1 + 255 + 1 + CONTEXT_MAX)

static const struct {
	uint16_t number;
	struct tls_suite suite;
} suites[] = {
        {0x1301, {AEAD_AES128_GCM, "SHA256", 32}},
        {0x1302, {AEAD_AES256_GCM, "SHA384", 48}},
        {0x1303, {AEAD_CHACHA20_POLY1305, "SHA256", 32}},
};

const struct tls_suite *tls_suite_find(uint16_t number)
{
	for (size_t i = 0; i < N_ELEM(suites); i++)
		if (suites[i].number == number)
			return &suites[i].suite;
	return NULL;
}

static bool hkdf_expand(
        const struct tls_suite *suite, const uint8_t *secret, struct span info, uint8_t *ret, size_t n)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[] = {
	        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
	        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)suite->hash, 0),
	        OSSL_PARAM_construct_octet_string(
	                OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, suite->secret_bytes),
	        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p, info.n),
	        OSSL_PARAM_construct_end(),
	};
	bool ok = ctx && EVP_KDF_derive(ctx, ret, n, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return ok;
}

/* HKDF-Expand-Label(secret, label, context) of RFC 8446 7.1. context at most 64 bytes. False: OpenSSL failed.
 */
static bool expand_label(const struct tls_suite *suite, const uint8_t *secret, const char *label,
        struct span context, uint8_t *ret, size_t n)
{
	uint8_t info[INFO_MAX];
	struct wr w = wr_open(info, sizeof(info));

	wr_u16(&w, (uint16_t)n);
	wr_u8(&w, (uint8_t)(strlen(LABEL_PREFIX) + strlen(label)));
	wr_str(&w, LABEL_PREFIX);
	wr_str(&w, label);
	wr_u8(&w, (uint8_t)context.n);
	wr_put(&w, context);
	return wr_ok(&w) && hkdf_expand(suite, secret, wr_span(&w), ret, n);
}

bool tls_export(const struct tls_suite *suite, const uint8_t *exporter_secret, const char *label,
        uint8_t *ret, size_t n)
{
	uint8_t empty[EVP_MAX_MD_SIZE], secret[TLS_RECORD_SECRET_BYTES];
	size_t n_empty = 0;

	bool ok = EVP_Q_digest(NULL, suite->hash, NULL, "", 0, empty, &n_empty) == 1;
	struct span context = span_of(empty, n_empty);
	ok = ok && expand_label(suite, exporter_secret, label, context, secret, suite->secret_bytes) &&
	     expand_label(suite, secret, "exporter", context, ret, n);
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

/* Key and IV of the secret (RFC 8446 7.3). */
static int keys_make(struct tls_record *r)
{
	uint8_t key[AEAD_KEY_BYTES_MAX];
	struct span none = span_of(NULL, 0);
	struct aead *a = NULL;
	int err = ERR_CRYPTO;

	if (expand_label(r->suite, r->secret, "key", none, key, aead_key_bytes(r->suite->alg)) &&
	        expand_label(r->suite, r->secret, "iv", none, r->iv, sizeof(r->iv)))
		err = aead_new(r->engine, r->suite->alg, r->use, key, &a);
	explicit_bzero(key, sizeof(key));
	if (err < 0)
		return err;
	aead_free(r->aead);
	r->aead = a;
	return 0;
}

int tls_record_init(struct tls_record *r, enum aead_engine engine, const struct tls_suite *suite,
        enum aead_use use, const uint8_t *secret, uint64_t seq)
{
	*r = (struct tls_record){.suite = suite, .use = use, .engine = engine, .seq = seq};
	memcpy(r->secret, secret, suite->secret_bytes);
	int err = keys_make(r);
	if (err < 0)
		tls_record_done(r);
	return err;
}

void tls_record_done(struct tls_record *r)
{
	aead_free(r->aead);
	explicit_bzero(r, sizeof(*r));
}

int tls_record_update(struct tls_record *r)
{
	uint8_t next[TLS_RECORD_SECRET_BYTES];
	size_t n = r->suite->secret_bytes;

	if (!expand_label(r->suite, r->secret, "traffic upd", span_of(NULL, 0), next, n))
		return ERR_CRYPTO;
	memcpy(r->secret, next, n);
	explicit_bzero(next, sizeof(next));
	r->seq = 0;
	r->n_blocks = 0;
	return keys_make(r);
}

bool tls_record_wants_update(const struct tls_record *r)
{
	return r->seq >= UPDATE_SEQ ||
	       (r->suite->alg != AEAD_CHACHA20_POLY1305 && r->n_blocks >= UPDATE_BLOCKS);
}

/* RFC 8446 5.3: the sequence number, padded in front, xor the IV. */
static void nonce_make(const struct tls_record *r, uint8_t ret[static AEAD_NONCE_BYTES])
{
	uint64_t low;

	memcpy(ret, r->iv, AEAD_NONCE_BYTES);
	memcpy(&low, ret + 4, sizeof(low));
	low ^= htobe64(r->seq);
	memcpy(ret + 4, &low, sizeof(low));
}

int tls_record_seal(struct tls_record *r, enum tls_content type, uint8_t *dst, struct span plain)
{
	uint8_t nonce[AEAD_NONCE_BYTES], *text = dst + TLS_RECORD_HEAD_BYTES;
	size_t n_body = plain.n + TLS_RECORD_EXTRA_BYTES;

	dst[0] = TLS_DATA; /* outside all records look like data of TLS 1.2 */
	dst[1] = 3;
	dst[2] = 3;
	dst[3] = (uint8_t)(n_body >> 8);
	dst[4] = (uint8_t)n_body;
	/* the type follows the plaintext under one cipher stream: a copy costs less than a second call */
	if (plain.n > 0)
		memcpy(text, plain.p, plain.n);
	text[plain.n] = (uint8_t)type;
	nonce_make(r, nonce);
	r->seq++;
	r->n_blocks += plain.n / AES_BLOCK_BYTES + 2;
	if (aead_seal(r->aead, nonce, span_of(dst, TLS_RECORD_HEAD_BYTES), text, span_of(text, plain.n + 1)) <
	        0)
		return ERR_CRYPTO;
	return (int)(plain.n + TLS_RECORD_ADDED_BYTES);
}

int tls_record_open(struct tls_record *r, struct span record, uint8_t *dst, uint8_t *ret_type)
{
	uint8_t nonce[AEAD_NONCE_BYTES];
	struct span head = span_of(record.p, TLS_RECORD_HEAD_BYTES),
	            body = span_skip(record, TLS_RECORD_HEAD_BYTES);

	nonce_make(r, nonce);
	if (aead_open(r->aead, nonce, head, dst, body) < 0)
		return ERR_CRYPTO;
	r->seq++;
	size_t n = body.n - AEAD_TAG_BYTES;
	while (n > 0 && dst[n - 1] == 0)
		n--; /* padding, RFC 8446 5.4 */
	if (n == 0)
		return ERR_MALFORMED;
	*ret_type = dst[--n];
	return n > TLS_RECORD_CONTENT_MAX ? ERR_TOO_LARGE : (int)n;
}
