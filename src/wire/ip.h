/* IPv4, IPv6, TCP, UDP and ICMP headers as far as a tunnel needs them. All views; nothing is trusted. */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include "base/addr.h"
#include "base/be.h"
#include "base/err.h"

#define IP4_HEADER_BYTES 20 /* without options */
#define IP6_HEADER_BYTES 40
#define ICMP_TOO_BIG_MAX 1280 /* a buffer of this size holds any answer of icmp_too_big() */

#define IP_PROTO_ICMP   1
#define IP_PROTO_TCP    6
#define IP_PROTO_UDP    17
#define IP_PROTO_ICMPV6 58

struct ip_packet {
	uint8_t family;   /* 4 or 6 */
	uint8_t proto;    /* IPv6: after hop-by-hop, routing, destination options and fragment headers */
	bool has_df;      /* IPv6: always true */
	bool is_fragment; /* not the first fragment, or more follow */
	bool is_later_fragment; /* not the first: payload does not start with a transport header */
	uint16_t header_bytes;  /* to the transport header */
	uint16_t total_bytes;   /* the packet's own length field(s), <= bytes at hand */
	struct ip_addr src, dst;
	struct span payload; /* transport header onwards */
};

/* ERR_MALFORMED: not IPv4/IPv6, header or length beyond the bytes at hand (trailing bytes are allowed and
 * cut). */
MUST_USE int ip_parse(struct span packet, struct ip_packet *ret);

/* Fast path: both addresses after a check of version and length alone. ERR_MALFORMED otherwise. */
MUST_USE int ip_addresses(struct span packet, struct ip_addr *ret_src, struct ip_addr *ret_dst);

/* RFC 1071 sum of s added to sum; ip_fold() gives the value to store, and 0 for data whose checksum is right.
 * Only the last part of what is summed may have an odd length. */
uint32_t ip_sum(uint32_t sum, struct span s);
uint16_t ip_fold(uint32_t sum);
/* Sum of the TCP/UDP/ICMPv6 pseudo header (RFC 793, RFC 8200 8.1). */
uint32_t ip_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t bytes);

/* "Packet too big" for an inner packet: ICMP type 3 code 4 (RFC 1191) or ICMPv6 type 2 (RFC 4443 3.2), from
 * `from` to the packet's source, quoting as much as the RFC wants. mtu in bytes. Returns bytes written to
 * ret; ERR_MALFORMED; ERR_UNSUPPORTED: must not be answered (ICMP errors, fragments behind the first,
 * addresses that are no single host's) or `from` is of the other family; -ENOBUFS. */
MUST_USE int icmp_too_big(
        struct span packet, const struct ip_addr *from, uint16_t mtu, uint8_t *ret, size_t cap);

/* Lowers the MSS option of a TCP SYN in place if it is larger than mss, fixing the checksum (RFC 1624).
 * True when something was changed. Any malformed option list leaves the packet untouched, as do fragments. */
bool tcp_clamp_mss(uint8_t *packet, size_t bytes, uint16_t mss);
/* Is this a SYN whose options can be read? */
bool tcp_is_syn(struct span packet);
/* tcp_clamp_mss() to max, and raises an MSS that is smaller to min; 0: no such limit. Where the two
 * contradict, max counts. */
bool tcp_fit_mss(uint8_t *packet, size_t bytes, uint16_t min, uint16_t max);

#endif
