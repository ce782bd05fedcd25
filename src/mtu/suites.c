/* The cipher suites that can occur: those of an ASA (cisco-facts.md 5.3), of AnyConnect clients, and of our
 * own pair. Names as OpenSSL and IANA write them. */
#include "mtu/derive.h"

#define V(version) (1u << (version))
#define V_1_2      (V(MTU_TLS_1_2) | V(MTU_DTLS_1_2))
#define V_1_3      V(MTU_TLS_1_3)
#define V_TO_1_2   (V(MTU_TLS_1_0) | V(MTU_TLS_1_1) | V(MTU_DTLS_1_0) | V_1_2)
#define V_RC4      (V(MTU_TLS_1_0) | V(MTU_TLS_1_1) | V(MTU_TLS_1_2)) /* RFC 6347 4.1.2.2: not in DTLS */

#define AEAD(how, digest)                                                                                    \
	.protection = (how), .digest_bytes = (digest), .versions = V_1_2, .is_negotiable = true
#define AEAD13(how, digest)                                                                                  \
	.protection = (how), .digest_bytes = (digest), .versions = V_1_3, .is_negotiable = true
/* Suites with SHA-2 came with TLS 1.2 (RFC 5246 A.5, RFC 5289 3.1). */
#define CBC(mac)                                                                                             \
	.protection = MTU_CBC, .block_bytes = 16, .mac_bytes = (mac), .digest_bytes = (mac),                 \
	.versions = (mac) == 20 ? V_TO_1_2 : V_1_2, .is_negotiable = true
#define EXPLAINED(how, block, v, why)                                                                        \
	.protection = (how), .block_bytes = (block), .mac_bytes = 20, .digest_bytes = 20, .versions = (v),   \
	.refusal = (why)

static const struct mtu_suite suites[] = {
        /* TLS 1.3 */
        {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", AEAD13(MTU_GCM, 48)},
        {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", AEAD13(MTU_GCM, 32)},
        {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", AEAD13(MTU_CHACHA, 32)},
        {"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256", AEAD13(MTU_CCM, 32)},
        {"TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256", AEAD13(MTU_CCM8, 32)},
        /* our DTLS */
        {"PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384", AEAD(MTU_GCM, 48)},
        {"PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256", AEAD(MTU_GCM, 32)},
        {"PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", AEAD(MTU_CHACHA, 32)},
        /* AES-GCM */
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", AEAD(MTU_GCM, 48)},
        {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", AEAD(MTU_GCM, 48)},
        {"DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", AEAD(MTU_GCM, 48)},
        {"AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", AEAD(MTU_GCM, 48)},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", AEAD(MTU_GCM, 32)},
        {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", AEAD(MTU_GCM, 32)},
        {"DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", AEAD(MTU_GCM, 32)},
        {"AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", AEAD(MTU_GCM, 32)},
        /* ChaCha20-Poly1305 */
        {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                AEAD(MTU_CHACHA, 32)},
        {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", AEAD(MTU_CHACHA, 32)},
        {"DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", AEAD(MTU_CHACHA, 32)},
        /* AES-CCM */
        {"ECDHE-ECDSA-AES256-CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", AEAD(MTU_CCM, 32)},
        {"ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", AEAD(MTU_CCM, 32)},
        {"ECDHE-ECDSA-AES256-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", AEAD(MTU_CCM8, 32)},
        {"ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", AEAD(MTU_CCM8, 32)},
        {"DHE-RSA-AES256-CCM", "TLS_DHE_RSA_WITH_AES_256_CCM", AEAD(MTU_CCM, 32)},
        {"DHE-RSA-AES128-CCM", "TLS_DHE_RSA_WITH_AES_128_CCM", AEAD(MTU_CCM, 32)},
        {"DHE-RSA-AES256-CCM8", "TLS_DHE_RSA_WITH_AES_256_CCM_8", AEAD(MTU_CCM8, 32)},
        {"DHE-RSA-AES128-CCM8", "TLS_DHE_RSA_WITH_AES_128_CCM_8", AEAD(MTU_CCM8, 32)},
        {"AES256-CCM", "TLS_RSA_WITH_AES_256_CCM", AEAD(MTU_CCM, 32)},
        {"AES128-CCM", "TLS_RSA_WITH_AES_128_CCM", AEAD(MTU_CCM, 32)},
        {"AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8", AEAD(MTU_CCM8, 32)},
        {"AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8", AEAD(MTU_CCM8, 32)},
        {"PSK-AES256-CCM", "TLS_PSK_WITH_AES_256_CCM", AEAD(MTU_CCM, 32)},
        {"PSK-AES128-CCM", "TLS_PSK_WITH_AES_128_CCM", AEAD(MTU_CCM, 32)},
        {"PSK-AES256-CCM8", "TLS_PSK_WITH_AES_256_CCM_8", AEAD(MTU_CCM8, 32)},
        {"PSK-AES128-CCM8", "TLS_PSK_WITH_AES_128_CCM_8", AEAD(MTU_CCM8, 32)},
        /* AES-CBC */
        {"ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", CBC(48)},
        {"ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", CBC(48)},
        {"DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", CBC(32)},
        {"AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", CBC(32)},
        {"ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", CBC(32)},
        {"ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", CBC(32)},
        {"DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", CBC(32)},
        {"AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", CBC(32)},
        {"ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", CBC(20)},
        {"ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", CBC(20)},
        {"DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", CBC(20)},
        {"AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", CBC(20)},
        {"ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", CBC(20)},
        {"ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", CBC(20)},
        {"DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", CBC(20)},
        {"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", CBC(20)},
        /* only explained */
        {"DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
                EXPLAINED(MTU_CBC, 8, V_TO_1_2, "64-bit blocks repeat within one session (CVE-2016-2183)")},
        {"RC4-SHA", "TLS_RSA_WITH_RC4_128_SHA",
                EXPLAINED(MTU_STREAM, 0, V_RC4, "RC4 is prohibited (RFC 7465)")},
        {"NULL-SHA", "TLS_RSA_WITH_NULL_SHA", EXPLAINED(MTU_NULL, 0, V_TO_1_2, "it does not encrypt")},
};

const struct mtu_suite *mtu_suite_find(struct span name)
{
	for (size_t i = 0; i < N_ELEM(suites); i++)
		if (span_is_nocase(name, suites[i].name) || span_is_nocase(name, suites[i].iana_name))
			return &suites[i];
	return NULL;
}

const struct mtu_suite *mtu_suites(size_t *ret_n)
{
	*ret_n = N_ELEM(suites);
	return suites;
}
