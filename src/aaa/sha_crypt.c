#include "aaa/sha_crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "aaa/password.h"
#include "base/parse.h"

#define SALT_MAX_BYTES   16
#define DIGEST_MAX_BYTES 64
#define HASH_TEXT_BYTES  86 /* a digest of 64 bytes in base 64 */
#define ROUNDS_MIN       1000
#define ROUNDS_DEFAULT   5000

/* crypt's own base 64 */
static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct stored {
	const char *digest; /* OpenSSL's name */
	uint32_t n_rounds;
	struct span salt, hash;
};

/* A digest under way, with a sticky error. */
struct hasher {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	size_t n_digest; /* bytes */
	bool is_bad;
};

/* ---- the stored text ---- */

static int rounds_parse(struct span *rest, uint32_t *ret)
{
	*ret = ROUNDS_DEFAULT;
	if (!span_starts(*rest, "rounds="))
		return 0;
	*rest = span_skip(*rest, strlen("rounds="));
	struct span number = span_cut(rest, '$');
	if (number.n == 0 || number.p[0] == '0')
		return ERR_CONFIG;
	return parse_u32(number, ROUNDS_MIN, PASSWORD_MAX_ROUNDS, ret) == 0 ? 0 : ERR_CONFIG;
}

static bool are_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || strchr(digits, s.p[i]) == NULL)
			return false;
	}
	return s.n > 0;
}

static int stored_parse(const char *text, struct stored *ret)
{
	struct span rest = span_str(text);
	const bool is_512 = span_starts(rest, "$6$");
	if (!is_512 && !span_starts(rest, "$5$"))
		return ERR_CONFIG;
	ret->digest = is_512 ? "SHA512" : "SHA256";
	rest = span_skip(rest, 3);
	if (rounds_parse(&rest, &ret->n_rounds) < 0)
		return ERR_CONFIG;
	ret->salt = span_cut(&rest, '$');
	ret->hash = rest;
	return are_digits(ret->salt) && ret->salt.n <= SALT_MAX_BYTES && are_digits(rest) &&
	                       rest.n == (is_512 ? 86 : 43)
	               ? 0
	               : ERR_CONFIG;
}

/* ---- digests ---- */

static void hash_begin(struct hasher *h)
{
	h->is_bad |= EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1;
}

static void hash_put(struct hasher *h, struct span s)
{
	if (s.n > 0)
		h->is_bad |= EVP_DigestUpdate(h->ctx, s.p, s.n) != 1;
}

static void hash_end(struct hasher *h, uint8_t ret[DIGEST_MAX_BYTES])
{
	h->is_bad |= EVP_DigestFinal_ex(h->ctx, ret, NULL) != 1;
}

/* n bytes of a digest, over and over. */
static void repeat(uint8_t *ret, size_t n, const uint8_t *digest, size_t n_digest)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = digest[i % n_digest];
}

/* The digest of s, n_times over, spread over as many bytes as s has. */
static void spread(struct hasher *h, struct span s, size_t n_times, uint8_t *ret)
{
	uint8_t digest[DIGEST_MAX_BYTES] = {0};
	hash_begin(h);
	for (size_t i = 0; i < n_times; i++)
		hash_put(h, s);
	hash_end(h, digest);
	repeat(ret, s.n, digest, h->n_digest);
	explicit_bzero(digest, sizeof(digest));
}

/* Digest A of the specification, steps 1 to 12. */
static void first_digest(
        struct hasher *h, struct span password, struct span salt, uint8_t ret[DIGEST_MAX_BYTES])
{
	uint8_t b[DIGEST_MAX_BYTES] = {0}, long_b[PASSWORD_MAX_BYTES];
	hash_begin(h);
	hash_put(h, password);
	hash_put(h, salt);
	hash_put(h, password);
	hash_end(h, b);
	repeat(long_b, password.n, b, h->n_digest);
	hash_begin(h);
	hash_put(h, password);
	hash_put(h, salt);
	hash_put(h, span_of(long_b, password.n));
	for (size_t bits = password.n; bits > 0; bits >>= 1)
		hash_put(h, bits & 1 ? span_of(b, h->n_digest) : password);
	hash_end(h, ret);
	explicit_bzero(b, sizeof(b));
	explicit_bzero(long_b, sizeof(long_b));
}

/* Steps 13 to 21. */
static void derive(
        struct hasher *h, const struct stored *st, struct span password, uint8_t a[DIGEST_MAX_BYTES])
{
	uint8_t p_bytes[PASSWORD_MAX_BYTES], s_bytes[SALT_MAX_BYTES];
	const struct span p = span_of(p_bytes, password.n), s = span_of(s_bytes, st->salt.n);
	const struct span last = span_of(a, h->n_digest);
	first_digest(h, password, st->salt, a);
	spread(h, password, password.n, p_bytes);
	spread(h, st->salt, 16 + (size_t)a[0], s_bytes);
	for (uint32_t i = 0; i < st->n_rounds && !h->is_bad; i++) {
		hash_begin(h);
		hash_put(h, i & 1 ? p : last);
		if (i % 3)
			hash_put(h, s);
		if (i % 7)
			hash_put(h, p);
		hash_put(h, i & 1 ? last : p);
		hash_end(h, a);
	}
	explicit_bzero(p_bytes, sizeof(p_bytes));
	explicit_bzero(s_bytes, sizeof(s_bytes));
}

/* ---- as text ---- */

static size_t put_digits(char *ret, size_t at, uint32_t v, size_t n)
{
	for (; n > 0; n--, v >>= 6)
		ret[at++] = digits[v & 63];
	return at;
}

/* Three bytes to four digits; the bytes come from the three thirds of the digest, which take turns in being
 * the first: SHA-256 turns one way, SHA-512 the other (step 22). */
static size_t encode(const uint8_t *d, size_t n_digest, char ret[HASH_TEXT_BYTES])
{
	const size_t third = n_digest / 3;
	const bool is_512 = n_digest == 64;
	size_t v[3] = {0, third, 2 * third}, at = 0;
	for (size_t i = 0; i < third; i++) {
		at = put_digits(ret, at, (uint32_t)d[v[0]] << 16 | (uint32_t)d[v[1]] << 8 | d[v[2]], 4);
		const size_t next[3] = {v[is_512 ? 1 : 2] + 1, v[is_512 ? 2 : 0] + 1, v[is_512 ? 0 : 1] + 1};
		memcpy(v, next, sizeof(v));
	}
	return is_512 ? put_digits(ret, at, d[63], 2) : put_digits(ret, at, (uint32_t)d[31] << 8 | d[30], 3);
}

int sha_crypt_verify(const char *text, struct span password)
{
	struct stored st;
	uint8_t digest[DIGEST_MAX_BYTES] = {0};
	char hash[HASH_TEXT_BYTES];
	int err = stored_parse(text, &st);
	if (err != 0 || password.n > PASSWORD_MAX_BYTES)
		return ERR_CONFIG;
	struct hasher h = {.md = EVP_MD_fetch(NULL, st.digest, NULL), .ctx = EVP_MD_CTX_new()};
	h.is_bad = h.md == NULL || h.ctx == NULL;
	if (!h.is_bad) {
		h.n_digest = (size_t)EVP_MD_get_size(h.md);
		derive(&h, &st, password, digest);
	}
	if (h.is_bad)
		err = ERR_CRYPTO;
	else if (encode(digest, h.n_digest, hash) != st.hash.n ||
	         CRYPTO_memcmp(hash, st.hash.p, st.hash.n) != 0)
		err = ERR_REFUSED;
	EVP_MD_CTX_free(h.ctx);
	EVP_MD_free(h.md);
	explicit_bzero(digest, sizeof(digest));
	explicit_bzero(hash, sizeof(hash));
	return err;
}
