/* What a record really adds: wire-protocol.md 5.3; RFC 5246 6.2.3, RFC 6347 4.1, RFC 8446 5.2, RFC 7366. */
#include "mtu/terms.h"

/* AEAD in (D)TLS 1.2: explicit nonce and tag (RFC 5288 3, 6655 3, 7905 2). TLS 1.3: no nonce, same tag. */
static const struct {
	uint8_t nonce, tag;
} aead[] = {
        [MTU_GCM] = {8, 16},
        [MTU_CCM] = {8, 16},
        [MTU_CCM8] = {8, 8},
        [MTU_CHACHA] = {0, 16},
};

struct mtu_terms mtu_exact_terms(enum mtu_version v, const struct mtu_suite *s, enum mtu_mac_order o)
{
	struct mtu_terms t = {
	        .header = mtu_is_dtls(v) ? 13 : 5,
	        .framing = mtu_is_dtls(v) ? 1 : 8,
	        .mac = s->mac_bytes,
	        .inner_type = v == MTU_TLS_1_3,
	};
	if (s->protection == MTU_CBC) {
		t.block = s->block_bytes;
		t.iv = v == MTU_TLS_1_0 ? 0 : s->block_bytes; /* 1.0: the last block of the record before */
		t.is_mac_last = o == MTU_MAC_LAST;
	} else if (s->protection >= MTU_GCM && s->protection < N_ELEM(aead)) {
		t.iv = v == MTU_TLS_1_3 ? 0 : aead[s->protection].nonce;
		t.mac = aead[s->protection].tag;
		t.is_aead = true;
	}
	return t;
}

/* From residues only, so that no n overflows. At least the padding-length byte. */
static uint32_t padding_bytes(const struct mtu_terms *t, uint32_t n)
{
	uint32_t mac = t->is_mac_last ? 0 : t->mac;
	return t->block ? t->block - (n % t->block + mac) % t->block : 0;
}

uint32_t mtu_record_overhead_bytes(enum mtu_version v, const struct mtu_suite *s, uint32_t n)
{
	struct mtu_terms first = mtu_exact_terms(v, s, MTU_MAC_FIRST);
	struct mtu_terms last = mtu_exact_terms(v, s, MTU_MAC_LAST);
	uint32_t a = padding_bytes(&first, n), b = padding_bytes(&last, n);
	return first.header + first.iv + first.mac + first.inner_type + (a > b ? a : b);
}

uint16_t mtu_exact_dtls(
        uint32_t base_mtu, uint8_t outer_family, enum mtu_version v, const struct mtu_suite *s)
{
	struct mtu_input any = {.formula = MTU_EXACT, .mac_order = MTU_MAC_ANY};
	uint16_t payload = (uint16_t)(mtu_base_clamp(base_mtu) - mtu_ip_header_bytes(outer_family) -
	                              MTU_UDP_HEADER_BYTES);
	struct mtu_terms t = mtu_input_terms(&any, v, s, payload);
	return mtu_terms_inner(&t, payload);
}
