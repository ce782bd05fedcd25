/* The ASA's arithmetic (cisco-facts.md 1.2).
 *
 * Verified, by numbers that Cisco publishes:
 *   stream ciphers      mss - 5 - 8 - 0 - mac                          1347, 1427 (tech note 116881)
 *   DTLS, CBC           ((base - ip - 8 - 13 - 16) & ~15) - 1 - mac - 1     1418 (the same)
 * Reported, or inferred from captures:
 *   TLS 1.0, CBC        ((mss - 5) & ~15) - 8 - mac - 1
 *   TLS 1.1, 1.2, CBC   the same with 16 more for the explicit IV      true of any TLS
 *   AEAD                the CBC formula with the digest in the suite's name as MAC: the pair 1367 and 1390 of
 *                       a captured CONNECT answer with ECDHE-RSA-AES256-GCM-SHA384 fits it, with MSS 1460
 * A guess of ours, for want of any number:
 *   TLS 1.3             counted as AEAD of TLS 1.2
 *   CCM, ChaCha20       as the other AEAD; the digest is that of the PRF (SHA-256)
 *   NULL in DTLS        as a stream cipher */
#include "mtu/terms.h"

#define AEAD_AS_BLOCK_BYTES 16

struct mtu_terms mtu_cisco_terms(enum mtu_version v, const struct mtu_suite *s)
{
	bool is_padded = s->protection != MTU_NULL && s->protection != MTU_STREAM;
	uint8_t block = s->protection == MTU_CBC ? s->block_bytes : AEAD_AS_BLOCK_BYTES;
	struct mtu_terms t = {
	        .header = mtu_is_dtls(v) ? 13 : 5,
	        .framing = mtu_is_dtls(v) ? 1 : 8,
	        .mac = s->digest_bytes,
	};
	if (is_padded) {
		t.block = block;
		t.iv = v == MTU_TLS_1_0 ? 0 : block;
	}
	return t;
}
