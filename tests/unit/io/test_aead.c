#include "../unit.h"

#include <stdlib.h>

#include "io/aead.h"

#define PLAIN_MAX 16384

static const enum aead_engine engines[] = {AEAD_OPENSSL, AEAD_IPSEC_MB};

struct vector {
	enum aead_alg alg;
	const char *key, *nonce, *aad, *plain, *sealed;
};

#define NIST_NONCE "cafebabefacedbaddecaf888"
#define NIST_AAD   "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define NIST_PLAIN                                                                                           \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                                   \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define ZERO16 "00000000000000000000000000000000"
#define ZERO12 "000000000000000000000000"

/* Test cases 1, 2, 4, 13, 14, 16 of the GCM specification submitted to NIST; RFC 8439 2.8.2. */
static const struct vector vectors[] = {
        {AEAD_AES128_GCM, ZERO16, ZERO12, "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
        {AEAD_AES128_GCM, ZERO16, ZERO12, "", ZERO16,
                "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
        {AEAD_AES128_GCM, "feffe9928665731c6d6a8f9467308308", NIST_NONCE, NIST_AAD, NIST_PLAIN,
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                "5bc94fbc3221a5db94fae95ae7121a47"},
        {AEAD_AES256_GCM, ZERO16 ZERO16, ZERO12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
        {AEAD_AES256_GCM, ZERO16 ZERO16, ZERO12, "", ZERO16,
                "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
        {AEAD_AES256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", NIST_NONCE,
                NIST_AAD, NIST_PLAIN,
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                "76fc6ece0f4e1768cddf8853bb2d551b"},
        {AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
                "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
                "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
                "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
                "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
                "637265656e20776f756c642062652069742e",
                "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
                "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
                "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
};

static size_t unhex(const char *text, uint8_t *ret)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
		ret[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

static struct aead *make(enum aead_engine e, enum aead_alg alg, enum aead_use use, const uint8_t *key)
{
	struct aead *a = NULL;

	assert_int_equal(aead_new(e, alg, use, key, &a), 0);
	return a;
}

static void check_vector(enum aead_engine e, const struct vector *v)
{
	uint8_t key[AEAD_KEY_BYTES_MAX], nonce[AEAD_NONCE_BYTES], aad[32], plain[128], sealed[144], buf[144];

	assert_int_equal(unhex(v->key, key), aead_key_bytes(v->alg));
	assert_int_equal(unhex(v->nonce, nonce), sizeof(nonce));
	struct span a = span_of(aad, unhex(v->aad, aad)), p = span_of(plain, unhex(v->plain, plain));
	struct span s = span_of(sealed, unhex(v->sealed, sealed));
	assert_int_equal(s.n, p.n + AEAD_TAG_BYTES);

	struct aead *seal = make(e, v->alg, AEAD_SEAL, key), *open = make(e, v->alg, AEAD_OPEN, key);
	assert_int_equal(aead_seal(seal, nonce, a, buf, p), 0);
	assert_memory_equal(buf, sealed, s.n);
	memcpy(buf, plain, p.n); /* in place */
	assert_int_equal(aead_seal(seal, nonce, a, buf, span_of(buf, p.n)), 0);
	assert_memory_equal(buf, sealed, s.n);
	assert_int_equal(aead_open(open, nonce, a, buf, span_of(buf, s.n)), 0);
	assert_memory_equal(buf, plain, p.n);
	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(aead_open(open, nonce, a, buf, s), 0);
	assert_memory_equal(buf, plain, p.n);
	assert_int_equal(buf[p.n], 0xee); /* nothing behind the plaintext */
	/* wrong way round */
	assert_int_equal(aead_open(seal, nonce, a, buf, s), ERR_CRYPTO);
	assert_int_equal(aead_seal(open, nonce, a, buf, p), ERR_CRYPTO);
	aead_free(seal);
	aead_free(open);
}

TEST(published_vectors)
{
	for (size_t e = 0; e < N_ELEM(engines); e++)
		for (size_t i = 0; aead_engine_exists(engines[e]) && i < N_ELEM(vectors); i++)
			check_vector(engines[e], &vectors[i]);
}

/* xorshift: the same bytes in every run */
static uint64_t dice(void)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(dice() >> 32);
}

static void cross_check(enum aead_alg alg, unsigned rounds)
{
	static uint8_t plain[PLAIN_MAX], one[PLAIN_MAX + AEAD_TAG_BYTES], two[PLAIN_MAX + AEAD_TAG_BYTES];
	uint8_t key[AEAD_KEY_BYTES_MAX], nonce[AEAD_NONCE_BYTES], aad[32];

	fill(key, sizeof(key));
	struct aead *seal[2], *open[2];
	for (int i = 0; i < 2; i++) {
		seal[i] = make(engines[i], alg, AEAD_SEAL, key);
		open[i] = make(engines[i], alg, AEAD_OPEN, key);
	}
	for (unsigned i = 0; i < rounds; i++) {
		/* every short length, then lengths anywhere */
		size_t n = i < 300 ? i : dice() % (PLAIN_MAX + 1), n_aad = dice() % (sizeof(aad) + 1);
		size_t shift = dice() % 8; /* no alignment is asked for */
		n = n > shift ? n - shift : 0;
		fill(plain, n + shift);
		fill(nonce, sizeof(nonce));
		fill(aad, n_aad);
		struct span a = span_of(aad, n_aad), p = span_of(plain + shift, n);
		assert_int_equal(aead_seal(seal[0], nonce, a, one, p), 0);
		assert_int_equal(aead_seal(seal[1], nonce, a, two, p), 0);
		assert_memory_equal(one, two, n + AEAD_TAG_BYTES);
		assert_int_equal(aead_open(open[0], nonce, a, two, span_of(two, n + AEAD_TAG_BYTES)), 0);
		assert_int_equal(aead_open(open[1], nonce, a, one, span_of(one, n + AEAD_TAG_BYTES)), 0);
		if (n > 0) {
			assert_memory_equal(one, p.p, n);
			assert_memory_equal(two, p.p, n);
		}
	}
	for (int i = 0; i < 2; i++) {
		aead_free(seal[i]);
		aead_free(open[i]);
	}
}

TEST(engines_agree_on_every_byte)
{
	if (!aead_engine_exists(AEAD_IPSEC_MB))
		skip();
	cross_check(AEAD_AES128_GCM, 700);
	cross_check(AEAD_AES256_GCM, 700);
	cross_check(AEAD_CHACHA20_POLY1305, 700);
}

static void forgeries(enum aead_engine e, enum aead_alg alg)
{
	uint8_t key[AEAD_KEY_BYTES_MAX], nonce[AEAD_NONCE_BYTES], aad[13], sealed[100 + AEAD_TAG_BYTES],
	        got[100];
	static const uint8_t zeros[100];

	fill(key, sizeof(key));
	fill(nonce, sizeof(nonce));
	fill(aad, sizeof(aad));
	fill(sealed, 100);
	struct aead *seal = make(e, alg, AEAD_SEAL, key), *open = make(e, alg, AEAD_OPEN, key);
	struct span a = span_of(aad, sizeof(aad));
	assert_int_equal(aead_seal(seal, nonce, a, sealed, span_of(sealed, 100)), 0);
	for (size_t i = 0; i < sizeof(sealed) * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		memset(got, 0xee, sizeof(got));
		assert_int_equal(aead_open(open, nonce, a, got, span_of(sealed, sizeof(sealed))), ERR_CRYPTO);
		assert_memory_equal(got, zeros, sizeof(got));
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < sizeof(sealed); n++)
		assert_int_equal(aead_open(open, nonce, a, got, span_of(sealed, n)), ERR_CRYPTO);
	aad[12] ^= 1;
	assert_int_equal(aead_open(open, nonce, a, got, span_of(sealed, sizeof(sealed))), ERR_CRYPTO);
	aad[12] ^= 1;
	nonce[0] ^= 1;
	assert_int_equal(aead_open(open, nonce, a, got, span_of(sealed, sizeof(sealed))), ERR_CRYPTO);
	nonce[0] ^= 1;
	/* and the context is none the worse for it */
	assert_int_equal(aead_open(open, nonce, a, got, span_of(sealed, sizeof(sealed))), 0);
	aead_free(seal);
	aead_free(open);
}

TEST(no_forgery_passes)
{
	for (size_t e = 0; e < N_ELEM(engines); e++) {
		if (!aead_engine_exists(engines[e]))
			continue;
		forgeries(engines[e], AEAD_AES128_GCM);
		forgeries(engines[e], AEAD_AES256_GCM);
		forgeries(engines[e], AEAD_CHACHA20_POLY1305);
	}
}

TEST(engine_is_named)
{
	struct aead *a = NULL;
	uint8_t key[AEAD_KEY_BYTES_MAX] = {0};
	bool is_imb = strncmp(aead_engine_name(), "ipsec-mb ", 9) == 0;

	assert_true(is_imb || strncmp(aead_engine_name(), "OpenSSL ", 8) == 0);
	assert_true(!is_imb || aead_engine_exists(AEAD_IPSEC_MB));
	if (!aead_engine_exists(AEAD_IPSEC_MB))
		assert_int_equal(
		        aead_new(AEAD_IPSEC_MB, AEAD_AES128_GCM, AEAD_SEAL, key, &a), ERR_UNSUPPORTED);
	aead_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(published_vectors),
	        cmocka_unit_test(engines_agree_on_every_byte),
	        cmocka_unit_test(no_forgery_passes),
	        cmocka_unit_test(engine_is_named),
	};
	return RUN(tests);
}
