#include "wire/ip.h"

#include "base/rd.h"

#define IP6_HOP_BY_HOP  0
#define IP6_ROUTING     43
#define IP6_FRAGMENT    44
#define IP6_DESTINATION 60
/* RFC 8200 4.1 knows at most seven in a packet; a longer chain is an attack on whoever walks it */
#define IP6_MAX_EXTENSIONS 8

static struct ip_addr addr_take(struct rd *r, uint8_t family)
{
	uint8_t b[16];
	rd_copy(r, b, family == 4 ? 4 : 16);
	return addr_from_bytes(family, b);
}

static int ip4_parse(struct span packet, struct ip_packet *p)
{
	struct rd r = rd_open(packet);
	p->family = 4;
	p->header_bytes = (uint16_t)((rd_u8(&r) & 15) * 4);
	rd_u8(&r); /* type of service */
	p->total_bytes = rd_u16(&r);
	rd_u16(&r); /* identification */
	uint16_t fragment = rd_u16(&r);
	rd_u8(&r); /* time to live */
	p->proto = rd_u8(&r);
	rd_u16(&r); /* checksum: the kernel's affair */
	p->src = addr_take(&r, 4);
	p->dst = addr_take(&r, 4);
	p->has_df = fragment & 0x4000;
	p->is_fragment = (fragment & 0x3fff) != 0;
	p->is_later_fragment = (fragment & 0x1fff) != 0;
	if (!rd_ok(&r) || p->header_bytes < IP4_HEADER_BYTES)
		return ERR_MALFORMED;
	return p->header_bytes <= p->total_bytes && p->total_bytes <= packet.n ? 0 : ERR_MALFORMED;
}

static bool is_extension(uint8_t proto)
{
	return proto == IP6_HOP_BY_HOP || proto == IP6_ROUTING || proto == IP6_FRAGMENT ||
	       proto == IP6_DESTINATION;
}

/* Steps over one extension header. */
static void extension_skip(struct rd *r, struct ip_packet *p)
{
	uint8_t next = rd_u8(r);
	uint8_t length = rd_u8(r);
	if (p->proto == IP6_FRAGMENT) {
		uint16_t fragment = rd_u16(r);
		rd_u32(r);
		p->is_fragment |= (fragment & 0xfff9) != 0;
		p->is_later_fragment |= (fragment & 0xfff8) != 0;
	} else {
		rd_span(r, (size_t)length * 8 + 6);
	}
	p->proto = next;
}

static int ip6_parse(struct span packet, struct ip_packet *p)
{
	struct rd r = rd_open(packet);
	rd_u32(&r); /* version, class, flow */
	uint32_t total = IP6_HEADER_BYTES + (uint32_t)rd_u16(&r);
	p->family = 6;
	p->has_df = true;
	p->proto = rd_u8(&r);
	rd_u8(&r); /* hop limit */
	p->src = addr_take(&r, 6);
	p->dst = addr_take(&r, 6);
	if (!rd_ok(&r) || total > packet.n || total > UINT16_MAX)
		return ERR_MALFORMED;
	p->total_bytes = (uint16_t)total;
	r.rest.n = total - IP6_HEADER_BYTES;
	/* what follows in a later fragment is data, whatever the header says */
	for (int n = 0; is_extension(p->proto) && !p->is_later_fragment; n++) {
		if (n == IP6_MAX_EXTENSIONS)
			return ERR_MALFORMED;
		extension_skip(&r, p);
		if (!rd_ok(&r))
			return ERR_MALFORMED;
	}
	p->header_bytes = (uint16_t)(total - r.rest.n);
	return 0;
}

int ip_parse(struct span packet, struct ip_packet *ret)
{
	struct ip_packet p = {0};
	int r = ERR_MALFORMED;
	if (packet.n > 0 && packet.p[0] >> 4 == 4)
		r = ip4_parse(packet, &p);
	else if (packet.n > 0 && packet.p[0] >> 4 == 6)
		r = ip6_parse(packet, &p);
	if (r < 0)
		return r;
	p.payload = span_of(packet.p + p.header_bytes, (size_t)(p.total_bytes - p.header_bytes));
	*ret = p;
	return 0;
}

int ip_addresses(struct span packet, struct ip_addr *ret_src, struct ip_addr *ret_dst)
{
	const uint8_t *p = packet.p;
	if (packet.n >= IP4_HEADER_BYTES && p[0] >> 4 == 4) {
		size_t total = be16_get(p + 2);
		if (total < IP4_HEADER_BYTES || total > packet.n)
			return ERR_MALFORMED;
		*ret_src = addr_from_bytes(4, p + 12);
		*ret_dst = addr_from_bytes(4, p + 16);
		return 0;
	}
	if (packet.n >= IP6_HEADER_BYTES && p[0] >> 4 == 6) {
		if ((size_t)be16_get(p + 4) + IP6_HEADER_BYTES > packet.n)
			return ERR_MALFORMED;
		*ret_src = addr_from_bytes(6, p + 8);
		*ret_dst = addr_from_bytes(6, p + 24);
		return 0;
	}
	return ERR_MALFORMED;
}
