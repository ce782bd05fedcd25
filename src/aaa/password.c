#include "aaa/password.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "aaa/sha_crypt.h"
#include "base/parse.h"

#define PBKDF2_MAX_BYTES      64 /* salt, hash: one SHA-512 block of output is plenty */
#define PBKDF2_MIN_HASH_BYTES 16
#define DIGEST_BYTES          32

struct pbkdf2 {
	uint32_t n_rounds;
	uint8_t salt[PBKDF2_MAX_BYTES], hash[PBKDF2_MAX_BYTES];
	size_t n_salt, n_hash; /* bytes */
};

static int base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4 with padding, and only its canonical form: one text for one secret. */
static int base64_parse(struct span in, uint8_t *ret, size_t cap, size_t *ret_n)
{
	size_t n = 0, n_pad = 0;
	if (in.n == 0 || in.n % 4 != 0 || in.n / 4 * 3 > cap + 2)
		return ERR_CONFIG;
	while (n_pad < 2 && in.p[in.n - 1 - n_pad] == '=')
		n_pad++;
	uint32_t acc = 0;
	unsigned n_bits = 0;
	for (size_t i = 0; i < in.n - n_pad; i++) {
		int digit = base64_digit(in.p[i]);
		if (digit < 0)
			return ERR_CONFIG;
		acc = (acc << 6 | (uint32_t)digit) & 0xfff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		if (n == cap)
			return ERR_CONFIG;
		n_bits -= 8;
		ret[n++] = (uint8_t)(acc >> n_bits);
	}
	if ((acc & ((1u << n_bits) - 1)) != 0)
		return ERR_CONFIG;
	*ret_n = n;
	return 0;
}

static int pbkdf2_parse(const char *stored, struct pbkdf2 *ret)
{
	struct span rest = span_str(stored);
	if (!span_starts(rest, "$sha512$"))
		return ERR_CONFIG;
	rest = span_skip(rest, strlen("$sha512$"));
	struct span rounds = span_cut(&rest, '$');
	struct span salt = span_cut(&rest, '$');
	if (parse_u32(rounds, 1, PASSWORD_MAX_ROUNDS, &ret->n_rounds) < 0 ||
	        base64_parse(salt, ret->salt, sizeof(ret->salt), &ret->n_salt) < 0 ||
	        base64_parse(rest, ret->hash, sizeof(ret->hash), &ret->n_hash) < 0)
		return ERR_CONFIG;
	return ret->n_hash >= PBKDF2_MIN_HASH_BYTES ? 0 : ERR_CONFIG;
}

static int pbkdf2_derive(const struct pbkdf2 *p, struct span password, uint8_t *ret)
{
	const char *text = password.n > 0 ? (const char *)password.p : "";
	int ok = PKCS5_PBKDF2_HMAC(text, (int)password.n, p->salt, (int)p->n_salt, (int)p->n_rounds,
	        EVP_sha512(), (int)p->n_hash, ret);
	return ok == 1 ? 0 : ERR_CRYPTO;
}

static int pbkdf2_verify(const char *stored, struct span password)
{
	struct pbkdf2 p = {0};
	uint8_t hash[PBKDF2_MAX_BYTES];
	int err = pbkdf2_parse(stored, &p);
	if (err == 0)
		err = pbkdf2_derive(&p, password, hash);
	if (err == 0 && CRYPTO_memcmp(hash, p.hash, p.n_hash) != 0)
		err = ERR_REFUSED;
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(&p, sizeof(p));
	return err;
}

/* Digests are compared, so that neither the bytes nor the length of the secret show in the time. */
static int plain_verify(const char *stored, struct span password)
{
	uint8_t want[DIGEST_BYTES], have[DIGEST_BYTES];
	struct span secret = span_str(stored);
	if (EVP_Digest(secret.p, secret.n, want, NULL, EVP_sha256(), NULL) != 1 ||
	        EVP_Digest(password.n > 0 ? password.p : secret.p, password.n, have, NULL, EVP_sha256(),
	                NULL) != 1)
		return ERR_CRYPTO;
	int err = CRYPTO_memcmp(want, have, sizeof(want)) == 0 ? 0 : ERR_REFUSED;
	explicit_bzero(want, sizeof(want));
	explicit_bzero(have, sizeof(have));
	return err;
}

/* "$6$rounds=N$salt$hash", crypt(5); without rounds= the library takes 5000. */
static bool sha_crypt_is_ok(struct span s)
{
	uint32_t n_rounds;
	s = span_skip(s, 3);
	if (!span_starts(s, "rounds="))
		return s.n > 0;
	s = span_skip(s, strlen("rounds="));
	return parse_u32(span_cut(&s, '$'), 1, PASSWORD_MAX_ROUNDS, &n_rounds) == 0 && s.n > 0;
}

/* "$y$jNr$salt$hash" as crypt_gensalt(3) makes it: flags j; N the base-2 logarithm of the block count less
 * one in crypt's base 64; r block size 8 (5) or 32 (T). D with T is 2^16 blocks of 4 KiB: 256 MiB. */
static bool yescrypt_is_ok(struct span s)
{
	s = span_skip(s, 3);
	return s.n > 5 && s.p[0] == 'j' && s.p[1] != '\0' && strchr("789ABCD", s.p[1]) != NULL &&
	       (s.p[2] == '5' || s.p[2] == 'T') && s.p[3] == '$';
}

static bool crypt_is_ok(const char *stored)
{
	struct span s = span_str(stored);
	if (s.n >= CRYPT_OUTPUT_SIZE)
		return false;
	if (span_starts(s, "$y$"))
		return yescrypt_is_ok(s);
	return (span_starts(s, "$6$") || span_starts(s, "$5$")) && sha_crypt_is_ok(s);
}

/* Strings of equal length in constant time: the length of a hash is no secret. */
static bool hash_eq(const char *a, const char *b)
{
	size_t n = strlen(a);
	return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}

static int crypt_verify(const char *stored, struct span password)
{
	if (!crypt_is_ok(stored))
		return ERR_CONFIG;
	int err = sha_crypt_verify(stored, password);
	if (err != ERR_CONFIG)
		return err;
	char phrase[PASSWORD_MAX_BYTES + 1] = {0};
	struct crypt_data *data = calloc(1, sizeof(*data));
	if (data == NULL)
		return -ENOMEM;
	if (password.n > 0)
		memcpy(phrase, password.p, password.n);
	errno = 0;
	const char *hash = crypt_rn(phrase, stored, data, (int)sizeof(*data));
	err = hash == NULL            ? (errno == ENOMEM ? -ENOMEM : ERR_CONFIG)
	      : hash_eq(hash, stored) ? 0
	                              : ERR_REFUSED;
	explicit_bzero(phrase, sizeof(phrase));
	explicit_bzero(data, sizeof(*data));
	free(data);
	return err;
}

void password_burn(struct span password)
{
	struct pbkdf2 p = {.n_rounds = PASSWORD_DEFAULT_ROUNDS, .n_salt = 16, .n_hash = 16};
	uint8_t hash[PBKDF2_MAX_BYTES];
	if (password.n > PASSWORD_MAX_BYTES)
		password.n = PASSWORD_MAX_BYTES;
	/* the result does not matter, only the time */
	if (pbkdf2_derive(&p, password, hash) == 0)
		explicit_bzero(hash, sizeof(hash));
}

int password_stored_check(enum secret_kind kind, const char *stored)
{
	struct pbkdf2 p;
	int err = 0;
	switch (kind) {
	case SECRET_NONE:
		return 0;
	case SECRET_PLAIN:
		return stored[0] != '\0' && strlen(stored) <= PASSWORD_MAX_BYTES ? 0 : ERR_CONFIG;
	case SECRET_CRYPT:
		return crypt_is_ok(stored) ? 0 : ERR_CONFIG;
	case SECRET_PBKDF2:
		err = pbkdf2_parse(stored, &p);
		explicit_bzero(&p, sizeof(p));
		return err;
	}
	return ERR_CONFIG;
}

int password_verify(enum secret_kind kind, const char *stored, struct span password)
{
	/* crypt(3) would take what stands before a NUL for the whole */
	bool is_possible = password.n <= PASSWORD_MAX_BYTES &&
	                   (password.n == 0 || memchr(password.p, '\0', password.n) == NULL);
	int err = is_possible && kind != SECRET_NONE ? password_stored_check(kind, stored) : ERR_REFUSED;
	if (err != 0) {
		if (kind == SECRET_PBKDF2 || kind == SECRET_CRYPT)
			password_burn(password);
		return err;
	}
	if (kind == SECRET_PLAIN)
		return plain_verify(stored, password);
	return kind == SECRET_PBKDF2 ? pbkdf2_verify(stored, password) : crypt_verify(stored, password);
}
