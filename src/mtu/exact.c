#include "mtu/exact.h"

#define CHANNEL_TYPE_BYTES 1
#define DTLS_HEADER_BYTES  13
#define GCM_NONCE_BYTES    8
#define AEAD_TAG_BYTES     16
#define UDP_HEADER_BYTES   8
#define CBC_BLOCK_BYTES    16

/* 0: not CBC. */
static uint32_t mac_bytes(enum mtu_record r)
{
	return r == MTU_DTLS_CBC_SHA1     ? 20
	       : r == MTU_DTLS_CBC_SHA256 ? 32
	       : r == MTU_DTLS_CBC_SHA384 ? 48
	                                  : 0;
}

uint32_t mtu_record_overhead_bytes(enum mtu_record r)
{
	uint32_t bytes = r == MTU_DTLS12_CHACHA ? AEAD_TAG_BYTES : GCM_NONCE_BYTES + AEAD_TAG_BYTES;
	if (mac_bytes(r) > 0)
		bytes = CBC_BLOCK_BYTES + mac_bytes(r) + CBC_BLOCK_BYTES;
	return CHANNEL_TYPE_BYTES + DTLS_HEADER_BYTES + bytes;
}

uint16_t mtu_exact_dtls(uint32_t base_mtu, uint8_t outer_family, enum mtu_record r)
{
	uint32_t outer = (outer_family == 6 ? 40 : 20) + UDP_HEADER_BYTES;
	if (base_mtu < MTU_BASE_MIN)
		base_mtu = MTU_BASE_MIN;
	if (base_mtu > MTU_MAX)
		base_mtu = MTU_MAX;
	if (mac_bytes(r) == 0)
		return (uint16_t)(base_mtu - outer - mtu_record_overhead_bytes(r)); /* >= 576 - 48 - 38 */
	uint32_t blocks = (base_mtu - outer - DTLS_HEADER_BYTES - CBC_BLOCK_BYTES) / CBC_BLOCK_BYTES;
	/* the least padding is its length byte */
	return (uint16_t)(blocks * CBC_BLOCK_BYTES - mac_bytes(r) - 1 - CHANNEL_TYPE_BYTES);
}

uint16_t mtu_announce(uint16_t exact, uint32_t configured, bool has_ip6)
{
	uint16_t floor = has_ip6 ? MTU_MIN_IP6 : MTU_MIN;
	uint32_t mtu = configured != 0 && configured < exact ? configured : exact;
	return (uint16_t)(mtu < floor ? floor : mtu);
}
