/* ns per record of both engines: 13 bytes of additional data, a new nonce each. */
#include "micro.h"

#include "io/aead.h"

static uint8_t buf[16384 + AEAD_TAG_BYTES], out[16384 + AEAD_TAG_BYTES];

struct job {
	struct aead *a;
	uint8_t nonce[AEAD_NONCE_BYTES];
	uint8_t aad[13];
	size_t n;
};

static void seal_one(void *ctx)
{
	struct job *j = ctx;

	j->nonce[11]++;
	micro_must(
	        aead_seal(j->a, j->nonce, span_of(j->aad, sizeof(j->aad)), out, span_of(buf, j->n)), "seal");
}

static void open_one(void *ctx)
{
	struct job *j = ctx;
	struct span sealed = span_of(out, j->n + AEAD_TAG_BYTES);

	micro_must(aead_open(j->a, j->nonce, span_of(j->aad, sizeof(j->aad)), buf, sealed), "open");
}

static void row(enum aead_engine e, const char *engine, enum aead_alg alg, const char *name)
{
	static const size_t sizes[] = {64, 512, 1400, 16384};
	static const uint8_t key[AEAD_KEY_BYTES_MAX] = {1};
	struct job seal = {0}, open = {0};

	micro_must(aead_new(e, alg, AEAD_SEAL, key, &seal.a), "new");
	micro_must(aead_new(e, alg, AEAD_OPEN, key, &open.a), "new");
	printf("%-9s %-18s", engine, name);
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		seal.n = open.n = sizes[i];
		printf(" %7.0f", micro_ns(seal_one, &seal, 20000));
		seal_one(&seal);
		for (size_t k = 0; k < sizeof(seal.nonce); k++)
			open.nonce[k] = seal.nonce[k];
		printf(" /%7.0f", micro_ns(open_one, &open, 20000));
	}
	printf("\n");
	aead_free(seal.a);
	aead_free(open.a);
}

int main(void)
{
	static const char *const name[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};

	printf("AES-GCM is served by %s\nns per record, seal / open, of 64, 512, 1400, 16384 bytes\n",
	        aead_engine_name());
	for (int alg = AEAD_AES128_GCM; alg <= AEAD_CHACHA20_POLY1305; alg++) {
		row(AEAD_OPENSSL, "OpenSSL", alg, name[alg]);
		if (aead_engine_exists(AEAD_IPSEC_MB))
			row(AEAD_IPSEC_MB, "ipsec-mb", alg, name[alg]);
	}
	return 0;
}
