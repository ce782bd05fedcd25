/* An IPv6 packet from fd00::1 to fd00::2 in buf. */
#ifndef UNIT_WIRE_IP6_PACKET_H
#define UNIT_WIRE_IP6_PACKET_H

#include "base/wr.h"

static inline struct span ip6_packet(uint8_t *buf, size_t cap, uint8_t next, struct span payload)
{
	struct wr w = wr_open(buf, cap);
	wr_u32(&w, 0x60000000);
	wr_u16(&w, (uint16_t)payload.n);
	wr_u8(&w, next);
	wr_u8(&w, 64);
	wr_u64(&w, 0xfd00000000000000);
	wr_u64(&w, 1);
	wr_u64(&w, 0xfd00000000000000);
	wr_u64(&w, 2);
	wr_put(&w, payload);
	return wr_span(&w);
}

#endif
