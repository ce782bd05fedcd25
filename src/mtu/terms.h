/* What one tunnel spends of a segment or datagram, term by term: the form in which both formula sets, the
 * steps and the explanation share one arithmetic. Internal to mtu. */
#ifndef MTU_TERMS_H
#define MTU_TERMS_H

#include "mtu/derive.h"

#define MTU_IP4_HEADER_BYTES 20
#define MTU_IP6_HEADER_BYTES 40
#define MTU_TCP_HEADER_BYTES 20
#define MTU_UDP_HEADER_BYTES 8

/* All in bytes. */
struct mtu_terms {
	uint8_t header; /* of the record: TLS 5, DTLS 13 */
	uint8_t iv;     /* explicit IV or nonce in front of the ciphertext */
	uint8_t block; /* what is encrypted is a multiple of this and ends in a padding-length byte; 0: not */
	uint8_t mac;   /* MAC or tag */
	uint8_t inner_type; /* TLS 1.3 */
	uint8_t framing;    /* CSTP header 8, channel type of DTLS 1 */
	bool is_mac_last;   /* MAC outside the blocks (RFC 7366) */
	bool is_aead;       /* names only: nonce and tag rather than IV and MAC */
};

static inline bool mtu_is_dtls(enum mtu_version v)
{
	return v >= MTU_DTLS_1_0;
}

static inline uint8_t mtu_ip_header_bytes(uint8_t outer_family)
{
	return outer_family == 6 ? MTU_IP6_HEADER_BYTES : MTU_IP4_HEADER_BYTES;
}

/* How the ASA counts (cisco.c), and what is true (exact.c; o: FIRST or LAST). */
struct mtu_terms mtu_cisco_terms(enum mtu_version v, const struct mtu_suite *s);
struct mtu_terms mtu_exact_terms(enum mtu_version v, const struct mtu_suite *s, enum mtu_mac_order o);
/* The terms that this input asks for, when payload bytes are there for the record. */
struct mtu_terms mtu_input_terms(
        const struct mtu_input *in, enum mtu_version v, const struct mtu_suite *s, uint16_t payload);

/* Bytes that rounding down to whole blocks loses; 0 without blocks. */
uint16_t mtu_terms_rounding(const struct mtu_terms *t, uint16_t payload);
/* The largest inner packet whose record, framing included, has at most payload bytes (MTU_MSS_MIN..MTU_MAX).
 */
uint16_t mtu_terms_inner(const struct mtu_terms *t, uint16_t payload);

uint16_t mtu_base_clamp(uint32_t base_mtu);

#endif
