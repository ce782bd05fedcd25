/* The largest inner packet that one outer packet can carry, from true record overheads.
 * Source: wire-protocol.md 5.3 (overheads), behaviour.md 3.1 (floors). Pure arithmetic on range-checked
 * numbers. */
#ifndef MTU_EXACT_H
#define MTU_EXACT_H

#include <stdbool.h>

#include "base/util.h"

#define MTU_MIN      576  /* never announce less (RFC 791: what every host accepts) */
#define MTU_MIN_IP6  1280 /* with IPv6 inside (RFC 8200 5) */
#define MTU_MAX      16384
#define MTU_BASE_MIN 576

/* How a DTLS record is protected; CBC by its MAC, the same in DTLS 1.0 and 1.2, MAC before encryption. */
enum mtu_record {
	MTU_DTLS12_GCM,
	MTU_DTLS12_CHACHA,
	MTU_DTLS_CBC_SHA1,
	MTU_DTLS_CBC_SHA256,
	MTU_DTLS_CBC_SHA384,
};
/* Bytes that DTLS adds at most to an inner packet, without IP and UDP: the type byte, the 13 of the record
 * header, and what the protection needs: AES-GCM and CCM 8 + 16, ChaCha20-Poly1305 16 (nonce implicit), CBC
 * an IV, the MAC and 1 to 16 of padding. */
uint32_t mtu_record_overhead_bytes(enum mtu_record r);

/* Inner bytes that fit a DTLS datagram of a path whose outer packets have at most base_mtu bytes (clamped to
 * MTU_BASE_MIN..MTU_MAX); outer_family 4 or 6. Range 490..16346: the true limit, no floor applied. */
uint16_t mtu_exact_dtls(uint32_t base_mtu, uint8_t outer_family, enum mtu_record r);

/* What is announced for both tunnels (seamless): the exact limit, capped by configured (0: none), then raised
 * to the floor that inner IPv6 demands; packets between the exact limit and this value go by TLS. */
uint16_t mtu_announce(uint16_t exact, uint32_t configured, bool has_ip6);

#endif
