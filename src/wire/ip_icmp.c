/* ICMP "packet too big": RFC 1191 4, RFC 1812 4.3.2.3, RFC 4443 3.2 and 2.4. */
#include <errno.h>

#include "base/wr.h"
#include "wire/ip.h"

#define ICMP4_MAX_BYTES   576  /* the whole answer, RFC 1812 */
#define ICMP6_MAX_BYTES   1280 /* the whole answer, RFC 4443 */
#define ICMP_HEADER_BYTES 8
#define ICMP_TTL          64

/* Never an error about an error, RFC 1122 3.2.2. */
static bool is_icmp_error(const struct ip_packet *p)
{
	uint8_t type = p->payload.n ? p->payload.p[0] : 0;
	if (p->proto == IP_PROTO_ICMP && p->family == 4)
		return p->payload.n == 0 || type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	if (p->proto == IP_PROTO_ICMPV6 && p->family == 6)
		return p->payload.n == 0 || type < 128 || type == 137;
	return false;
}

/* One host that may be answered or named: not none, multicast, broadcast, or loopback. */
static bool is_unicast(const struct ip_addr *a)
{
	static const struct ip_addr none4 = {.family = 4}, none6 = {.family = 6};
	static const struct ip_addr loop6 = {.family = 6, .b = {[15] = 1}};
	if (a->family == 4)
		return !addr_eq(a, &none4) && a->b[0] < 224 && a->b[0] != 127;
	return !addr_eq(a, &none6) && !addr_eq(a, &loop6) && a->b[0] != 0xff;
}

static void put_icmp4(
        struct wr *w, const struct ip_packet *p, const struct ip_addr *from, uint16_t mtu, struct span quote)
{
	uint16_t total = (uint16_t)(IP4_HEADER_BYTES + ICMP_HEADER_BYTES + quote.n);
	uint32_t header = 0x4500u + 0x00c0u + total + 0x4000u + (ICMP_TTL << 8) + IP_PROTO_ICMP;
	header = ip_sum(ip_sum(header, span_of(from->b, 4)), span_of(p->src.b, 4));
	wr_u16(w, 0x45c0); /* precedence: internetwork control */
	wr_u16(w, total);
	wr_u32(w, 0x4000); /* no identification, do not fragment */
	wr_u8(w, ICMP_TTL);
	wr_u8(w, IP_PROTO_ICMP);
	wr_u16(w, ip_fold(header));
	wr_put(w, span_of(from->b, 4));
	wr_put(w, span_of(p->src.b, 4));
	wr_u16(w, 0x0304);
	wr_u16(w, ip_fold(ip_sum(0x0304u + mtu, quote)));
	wr_u32(w, mtu);
	wr_put(w, quote);
}

static void put_icmp6(
        struct wr *w, const struct ip_packet *p, const struct ip_addr *from, uint16_t mtu, struct span quote)
{
	uint16_t bytes = (uint16_t)(ICMP_HEADER_BYTES + quote.n);
	uint32_t sum = ip_pseudo_sum(from, &p->src, IP_PROTO_ICMPV6, bytes);
	wr_u32(w, 0x60000000);
	wr_u16(w, bytes);
	wr_u8(w, IP_PROTO_ICMPV6);
	wr_u8(w, ICMP_TTL);
	wr_put(w, span_of(from->b, 16));
	wr_put(w, span_of(p->src.b, 16));
	wr_u16(w, 0x0200);
	wr_u16(w, ip_fold(ip_sum(sum + 0x0200u + mtu, quote)));
	wr_u32(w, mtu);
	wr_put(w, quote);
}

int icmp_too_big(struct span packet, const struct ip_addr *from, uint16_t mtu, uint8_t *ret, size_t cap)
{
	struct ip_packet p;
	if (ip_parse(packet, &p) < 0)
		return ERR_MALFORMED;
	if (from->family != p.family || is_icmp_error(&p) || p.is_later_fragment || !is_unicast(&p.src) ||
	        !is_unicast(&p.dst))
		return ERR_UNSUPPORTED;
	size_t overhead = ICMP_HEADER_BYTES + (p.family == 4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	size_t most = (p.family == 4 ? ICMP4_MAX_BYTES : ICMP6_MAX_BYTES) - overhead;
	struct span quote = span_of(packet.p, p.total_bytes < most ? p.total_bytes : most);
	if (cap < overhead + quote.n)
		return -ENOBUFS;
	struct wr w = wr_open(ret, cap);
	if (p.family == 4)
		put_icmp4(&w, &p, from, mtu, quote);
	else
		put_icmp6(&w, &p, from, mtu, quote);
	return wr_done(&w);
}
