/* The tables behind policy/cipher.h: which suites there are, and the words of cipher strings. */
#ifndef POLICY_CIPHER_TABLE_H
#define POLICY_CIPHER_TABLE_H

#include "base/span.h"
#include "policy/model.h"

/* What a suite is made of. A word of a cipher string stands for any of some tags. */
enum cipher_tag {
	KX_RSA = 1 << 0,
	KX_DHE = 1 << 1,
	KX_ECDHE = 1 << 2,
	KX_PSK = 1 << 3,
	KX_ANY = 1 << 4, /* TLS 1.3 */
	AU_RSA = 1 << 5,
	AU_ECDSA = 1 << 6,
	AES128 = 1 << 7,
	AES256 = 1 << 8,
	CHACHA = 1 << 9,
	GCM = 1 << 10,
	CBC = 1 << 11,
	SHA1 = 1 << 12,
	SHA256 = 1 << 13,
	SHA384 = 1 << 14,
	SINCE_1_2 = 1 << 15, /* does not exist in older versions */
	SINCE_1_0 = 1 << 16,
};

#define CIPHER_SCOPE(s) (1u << (s))

struct cipher_suite {
	const char *name, *iana_name;
	uint32_t tags;   /* enum cipher_tag */
	uint32_t scopes; /* bits (1 << enum ssl_scope) where the gateway can speak it */
};

#define CIPHER_N_SUITES 33
/* In the order of preference of the levels: forward secrecy, then AEAD, then strength. */
extern const struct cipher_suite cipher_suites[CIPHER_N_SUITES];

/* By OpenSSL's or IANA's name; NULL: none of ours. */
const struct cipher_suite *cipher_suite_find(struct span name);
/* Does a word stand for suites? *ret: those with any of these tags (CIPHER_MAC_...: see there); 0: none. */
bool cipher_word_find(struct span word, uint32_t *ret);
/* Not tags of a suite: SHA256 and SHA384 as words mean the MAC, which only CBC suites have. */
#define CIPHER_MAC_SHA256 (1u << 30)
#define CIPHER_MAC_SHA384 (1u << 31)
/* Why a name or word is never spoken; NULL: nothing is known of it. */
const char *cipher_why_refused(struct span name);
/* What an ASA speaks and we do not, so that `culvert mtu` knows it. */
bool cipher_is_explained(struct span name);

#endif
