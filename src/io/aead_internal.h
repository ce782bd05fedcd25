/* Private to aead*.c: what an implementation gives. */
#ifndef IO_AEAD_INTERNAL_H
#define IO_AEAD_INTERNAL_H

#include "io/aead.h"

struct aead_ops {
	int (*seal)(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span plain);
	/* text and tag apart; need not wipe dst */
	int (*open)(struct aead *a, const uint8_t *nonce, struct span aad, uint8_t *dst, struct span text,
	        const uint8_t *tag);
	void (*free)(struct aead *a);
};

/* The head of every implementation's own struct. */
struct aead {
	const struct aead_ops *ops;
	enum aead_use use;
};

MUST_USE int aead_ossl_new(enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret);
const char *aead_ossl_name(void);

/* ipsec-mb: chosen when the CPU is of a kind where it was measured to be faster. */
bool aead_imb_exists(void);
bool aead_imb_is_faster(enum aead_alg alg);
MUST_USE int aead_imb_new(enum aead_alg alg, enum aead_use use, const uint8_t *key, struct aead **ret);
const char *aead_imb_name(void);

#endif
