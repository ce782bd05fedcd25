/* AES-GCM and ChaCha20-Poly1305 of Intel's ipsec-mb (BSD licence; despite its name it runs on every x86-64).
 * Its single-buffer functions keep no state in the manager, so that one manager serves all threads. */
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h> /* before intel-ipsec-mb.h: enum names of that one are macros of OpenSSL's */

#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>

#include "io/aead_internal.h"

struct aead_imb {
	struct aead base;
	aes_gcm_enc_dec_t gcm; /* of this key's size and direction */
	union {
		struct gcm_context_data gcm;
		struct chacha20_poly1305_context_data chacha;
	} scratch;
	alignas(64) struct gcm_key_data key; /* the functions fault on less */
	uint8_t chacha_key[AEAD_KEY_BYTES_MAX];
};

static struct {
	IMB_MGR *mgr; /* NULL: not usable here; lives as long as the process */
	bool is_avx512;
	bool has_vaes;
	char name[48];
} imb;
static pthread_once_t imb_once = PTHREAD_ONCE_INIT;

static struct aead_imb *self(struct aead *a)
{
	return CONTAINER_OF(a, struct aead_imb, base);
}

static bool imb_is_sound(const IMB_MGR *m, IMB_ARCH arch)
{
	bool has_selftest = m->features & IMB_FEATURE_SELF_TEST;

	if (has_selftest && !(m->features & IMB_FEATURE_SELF_TEST_PASS))
		return false;
	/* slower kinds of CPU have too little to gain: OpenSSL serves them */
	return (arch == IMB_ARCH_AVX2 || arch == IMB_ARCH_AVX512) && (m->features & IMB_FEATURE_AESNI) &&
	       (m->features & IMB_FEATURE_PCLMULQDQ);
}

static void imb_start(void)
{
	IMB_ARCH arch = IMB_ARCH_NONE;
	IMB_MGR *m = alloc_mb_mgr(0);

	if (m == NULL)
		return;
	init_mb_mgr_auto(m, &arch);
	if (imb_get_errno(m) != 0 || !imb_is_sound(m, arch)) {
		free_mb_mgr(m);
		return;
	}
	imb.is_avx512 = arch == IMB_ARCH_AVX512;
	imb.has_vaes =
	        imb.is_avx512 && (m->features & IMB_FEATURE_VAES) && (m->features & IMB_FEATURE_VPCLMULQDQ);
	snprintf(imb.name, sizeof(imb.name), "ipsec-mb %s (%s%s)", imb_get_version_str(),
	        imb.is_avx512 ? "AVX512" : "AVX2", imb.has_vaes ? ", VAES" : "");
	imb.mgr = m;
}

static IMB_MGR *imb_mgr(void)
{
	pthread_once(&imb_once, imb_start);
	return imb.mgr;
}

bool aead_imb_exists(void)
{
	return imb_mgr() != NULL;
}

bool aead_imb_is_faster(enum aead_alg alg)
{
	return imb_mgr() != NULL && (alg != AEAD_CHACHA20_POLY1305 || imb.is_avx512);
}

const char *aead_imb_name(void)
{
	return imb_mgr() ? imb.name : "";
}

static int imb_gcm_seal(
        struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span plain)
{
	struct aead_imb *s = self(a);

	s->gcm(&s->key, &s->scratch.gcm, dst, plain.p, plain.n, nonce, aad.p, aad.n, dst + plain.n,
	        AEAD_TAG_BYTES);
	return 0;
}

static int imb_gcm_open(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span text,
        const uint8_t *tag)
{
	struct aead_imb *s = self(a);
	uint8_t have[AEAD_TAG_BYTES];

	s->gcm(&s->key, &s->scratch.gcm, dst, text.p, text.n, nonce, aad.p, aad.n, have, AEAD_TAG_BYTES);
	return CRYPTO_memcmp(have, tag, sizeof(have)) == 0 ? 0 : ERR_CRYPTO;
}

static int imb_chacha_seal(
        struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span plain)
{
	struct aead_imb *s = self(a);
	struct chacha20_poly1305_context_data *ctx = &s->scratch.chacha;

	imb.mgr->chacha20_poly1305_init(s->chacha_key, ctx, nonce, aad.p, aad.n);
	imb.mgr->chacha20_poly1305_enc_update(s->chacha_key, ctx, dst, plain.p, plain.n);
	imb.mgr->chacha20_poly1305_finalize(ctx, dst + plain.n, AEAD_TAG_BYTES);
	return 0;
}

static int imb_chacha_open(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst,
        struct span text, const uint8_t *tag)
{
	struct aead_imb *s = self(a);
	struct chacha20_poly1305_context_data *ctx = &s->scratch.chacha;
	uint8_t have[AEAD_TAG_BYTES];

	imb.mgr->chacha20_poly1305_init(s->chacha_key, ctx, nonce, aad.p, aad.n);
	imb.mgr->chacha20_poly1305_dec_update(s->chacha_key, ctx, dst, text.p, text.n);
	imb.mgr->chacha20_poly1305_finalize(ctx, have, AEAD_TAG_BYTES);
	return CRYPTO_memcmp(have, tag, sizeof(have)) == 0 ? 0 : ERR_CRYPTO;
}

static void imb_free(struct aead *a)
{
	struct aead_imb *s = self(a);

	explicit_bzero(s, sizeof(*s));
	free(s);
}

static const struct aead_ops imb_gcm_ops = {.seal = imb_gcm_seal, .open = imb_gcm_open, .free = imb_free};
static const struct aead_ops imb_chacha_ops = {
        .seal = imb_chacha_seal, .open = imb_chacha_open, .free = imb_free};

int aead_imb_new(enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret)
{
	IMB_MGR *m = imb_mgr();
	struct aead_imb *s = m ? aligned_alloc(alignof(struct aead_imb), sizeof(*s)) : NULL;

	if (s == NULL)
		return m ? -ENOMEM : ERR_UNSUPPORTED;
	memset(s, 0, sizeof(*s));
	s->base = (struct aead){.ops = &imb_gcm_ops, .use = use};
	switch (alg) {
	case AEAD_AES128_GCM:
		m->gcm128_pre(key, &s->key);
		s->gcm = use == AEAD_SEAL ? m->gcm128_enc : m->gcm128_dec;
		break;
	case AEAD_AES256_GCM:
		m->gcm256_pre(key, &s->key);
		s->gcm = use == AEAD_SEAL ? m->gcm256_enc : m->gcm256_dec;
		break;
	case AEAD_CHACHA20_POLY1305:
		memcpy(s->chacha_key, key, sizeof(s->chacha_key));
		s->base.ops = &imb_chacha_ops;
		break;
	}
	*ret = &s->base;
	return 0;
}
