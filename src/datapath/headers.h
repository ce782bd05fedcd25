/* Where fields are in IP, TCP and UDP headers (RFC 791, 8200, 9293, 768), for code that changes packets in
 * place. Everything here trusts the caller to have checked lengths. */
#ifndef DATAPATH_HEADERS_H
#define DATAPATH_HEADERS_H

#include "wire/ip.h"

#define IP4_TOS_AT      1
#define IP4_LENGTH_AT   2
#define IP4_ID_AT       4
#define IP4_FRAGMENT_AT 6
#define IP4_TTL_AT      8
#define IP4_PROTO_AT    9
#define IP4_SUM_AT      10
#define IP4_ADDR_AT     12
#define IP4_ADDR_BYTES  8 /* both */

#define IP6_LENGTH_AT  4
#define IP6_NEXT_AT    6
#define IP6_HOPS_AT    7
#define IP6_ADDR_AT    8
#define IP6_ADDR_BYTES 32 /* both */

#define TCP_HEADER_BYTES 20 /* without options */
#define TCP_SEQ_AT       4
#define TCP_ACK_AT       8
#define TCP_OFFSET_AT    12 /* header length and reserved bits */
#define TCP_FLAGS_AT     13
#define TCP_WINDOW_AT    14
#define TCP_SUM_AT       16
#define TCP_URGENT_AT    18
#define TCP_FIN          0x01
#define TCP_PSH          0x08
#define TCP_ACK          0x10
#define TCP_CWR          0x80

#define UDP_HEADER_BYTES 8
#define UDP_LENGTH_AT    4
#define UDP_SUM_AT       6

static inline size_t tcp_header_bytes(const uint8_t *tcp)
{
	return (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4;
}

/* Sum of the pseudo header (RFC 9293 3.1, RFC 8200 8.1) from the packet's own addresses; n: bytes of TCP or
 * UDP, header included, < 65536. */
static inline uint32_t pseudo_sum(const uint8_t *ip, bool is_ip6, uint8_t proto, size_t n)
{
	struct span addr = is_ip6 ? span_of(ip + IP6_ADDR_AT, IP6_ADDR_BYTES)
	                          : span_of(ip + IP4_ADDR_AT, IP4_ADDR_BYTES);

	return ip_sum((uint32_t)n + proto, addr);
}

#endif
