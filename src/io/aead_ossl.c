/* The portable implementation. One EVP context per key; per record only the nonce is set anew, which saves
 * the key schedule and half of the time (datapath.md section 1). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "io/aead_internal.h"

struct aead_ossl {
	struct aead base;
	EVP_CIPHER_CTX *ctx;
};

static struct aead_ossl *self(struct aead *a)
{
	return CONTAINER_OF(a, struct aead_ossl, base);
}

static int ossl_failed(void)
{
	ERR_clear_error();
	return ERR_CRYPTO;
}

static int ossl_seal(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span plain)
{
	EVP_CIPHER_CTX *ctx = self(a)->ctx;
	int n = 0;

	if (EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce) != 1 ||
	        (aad.n > 0 && EVP_EncryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1) ||
	        (plain.n > 0 && EVP_EncryptUpdate(ctx, dst, &n, plain.p, (int)plain.n) != 1) ||
	        EVP_EncryptFinal_ex(ctx, dst + plain.n, &n) != 1 ||
	        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, dst + plain.n) != 1)
		return ossl_failed();
	return 0;
}

static int ossl_open(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span text,
        const uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = self(a)->ctx;
	uint8_t want[AEAD_TAG_BYTES], none[AEAD_TAG_BYTES];
	int n = 0;

	memcpy(want, tag, sizeof(want)); /* the control call takes no const */
	if (EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce) != 1 ||
	        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, want) != 1 ||
	        (aad.n > 0 && EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1) ||
	        (text.n > 0 && EVP_DecryptUpdate(ctx, dst, &n, text.p, (int)text.n) != 1) ||
	        EVP_DecryptFinal_ex(ctx, none, &n) != 1)
		return ossl_failed();
	return 0;
}

static void ossl_free(struct aead *a)
{
	EVP_CIPHER_CTX_free(self(a)->ctx); /* OpenSSL wipes the key */
	free(self(a));
}

static const struct aead_ops ossl_ops = {.seal = ossl_seal, .open = ossl_open, .free = ossl_free};

static const EVP_CIPHER *ossl_cipher(enum aead_alg alg)
{
	switch (alg) {
	case AEAD_AES128_GCM:
		return EVP_aes_128_gcm();
	case AEAD_AES256_GCM:
		return EVP_aes_256_gcm();
	case AEAD_CHACHA20_POLY1305:
		return EVP_chacha20_poly1305();
	}
	return NULL;
}

int aead_ossl_new(enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret)
{
	struct aead_ossl *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (a == NULL || (a->ctx = EVP_CIPHER_CTX_new()) == NULL)
		goto fail;
	a->base = (struct aead){.ops = &ossl_ops, .use = use};
	r = ERR_CRYPTO;
	if (EVP_CipherInit_ex(a->ctx, ossl_cipher(alg), NULL, key, NULL, use == AEAD_SEAL) != 1)
		goto fail;
	*ret = &a->base;
	return 0;
fail:
	ERR_clear_error();
	if (a)
		EVP_CIPHER_CTX_free(a->ctx);
	free(a);
	return r;
}

static char name[32];
static pthread_once_t name_once = PTHREAD_ONCE_INIT;

/* "OpenSSL 3.0.19 27 Jan 2026": the date says nothing more */
static void name_make(void)
{
	struct span text = span_str(OpenSSL_version(OPENSSL_VERSION));
	struct span word = span_cut(&text, ' '), number = span_cut(&text, ' ');
	size_t n = (size_t)(number.p + number.n - word.p);

	memcpy(name, word.p, n < sizeof(name) ? n : sizeof(name) - 1);
}

const char *aead_ossl_name(void)
{
	pthread_once(&name_once, name_make);
	return name;
}
