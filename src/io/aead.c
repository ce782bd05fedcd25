#include "io/aead_internal.h"

#ifndef HAVE_IPSEC_MB /* the build's option ipsec_mb: the engine does not exist */

bool aead_imb_exists(void)
{
	return false;
}

bool aead_imb_is_faster(enum aead_alg alg)
{
	(void)alg;
	return false;
}

int aead_imb_new(enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret)
{
	(void)alg, (void)use, (void)key, (void)ret;
	return ERR_UNSUPPORTED;
}

const char *aead_imb_name(void)
{
	return "";
}

#endif

int aead_new(
        enum aead_engine engine, enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret)
{
	if (engine == AEAD_AUTO)
		engine = aead_imb_is_faster(alg) ? AEAD_IPSEC_MB : AEAD_OPENSSL;
	if (!aead_engine_exists(engine))
		return ERR_UNSUPPORTED;
	return engine == AEAD_IPSEC_MB ? aead_imb_new(alg, use, key, ret) : aead_ossl_new(alg, use, key, ret);
}

void aead_free(struct aead *a)
{
	if (a)
		a->ops->free(a);
}

int aead_seal(struct aead *a, const uint8_t nonce[static AEAD_NONCE_BYTES], struct span aad, uint8_t *dst,
        struct span plain)
{
	if (a->use != AEAD_SEAL || plain.n > INT32_MAX)
		return ERR_CRYPTO;
	return a->ops->seal(a, nonce, aad, dst, plain);
}

int aead_open(struct aead *a, const uint8_t nonce[static AEAD_NONCE_BYTES], struct span aad, uint8_t *dst,
        struct span sealed)
{
	if (a->use != AEAD_OPEN || sealed.n < AEAD_TAG_BYTES || sealed.n > INT32_MAX)
		return ERR_CRYPTO;
	struct span text = span_of(sealed.p, sealed.n - AEAD_TAG_BYTES);
	if (a->ops->open(a, nonce, aad, dst, text, sealed.p + text.n) == 0)
		return 0;
	if (text.n > 0)
		memset(dst, 0, text.n); /* nobody may see plaintext that is not authentic */
	return ERR_CRYPTO;
}

bool aead_engine_exists(enum aead_engine engine)
{
	return engine != AEAD_IPSEC_MB || aead_imb_exists();
}

const char *aead_engine_name(void)
{
	return aead_imb_is_faster(AEAD_AES256_GCM) ? aead_imb_name() : aead_ossl_name();
}
