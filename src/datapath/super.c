#include "datapath/super.h"

#include "base/rd.h"
#include "datapath/headers.h"

#define IP4_VERSION_AND_LENGTH 0x45 /* version 4, no options */
#define IP4_DF_ALONE           0xbf /* mask of the upper byte: all that must be zero */
#define TCP_RESERVED           0x0f
/* Every other one is looked at on the way, or belongs to one packet of a train only in a way that not all
 * kernels agree on (CWR). */
#define TCP_FLAGS_ALLOWED (TCP_FIN | TCP_PSH | TCP_ACK | TCP_URG | TCP_ECE)
#define TCP_URG           0x20
#define TCP_ECE           0x40

static bool ip4_check(struct span packet, struct super_form *f)
{
	const uint8_t *p = packet.p;

	f->l4_at = IP4_HEADER_BYTES;
	f->is_tcp = p[IP4_PROTO_AT] == IP_PROTO_TCP;
	return be16_get(p + IP4_LENGTH_AT) == packet.n && (p[IP4_FRAGMENT_AT] & IP4_DF_ALONE) == 0 &&
	       p[IP4_FRAGMENT_AT + 1] == 0 && (f->is_tcp || p[IP4_PROTO_AT] == IP_PROTO_UDP) &&
	       ip_fold(ip_sum(0, span_of(p, IP4_HEADER_BYTES))) == 0;
}

static bool ip6_check(struct span packet, struct super_form *f)
{
	const uint8_t *p = packet.p;

	f->is_ip6 = true;
	f->l4_at = IP6_HEADER_BYTES;
	f->is_tcp = p[IP6_NEXT_AT] == IP_PROTO_TCP;
	return be16_get(p + IP6_LENGTH_AT) + (size_t)IP6_HEADER_BYTES == packet.n &&
	       (f->is_tcp || p[IP6_NEXT_AT] == IP_PROTO_UDP);
}

static bool ip_check(struct span packet, struct super_form *f)
{
	if (packet.n >= IP4_HEADER_BYTES && packet.p[0] == IP4_VERSION_AND_LENGTH)
		return ip4_check(packet, f);
	return packet.n >= IP6_HEADER_BYTES && packet.p[0] >> 4 == 6 && ip6_check(packet, f);
}

static bool tcp_check(struct span tcp, struct super_form *f)
{
	size_t n = tcp.n >= TCP_HEADER_BYTES ? tcp_header_bytes(tcp.p) : 0;

	f->head_bytes = f->l4_at + n;
	return n >= TCP_HEADER_BYTES && n < tcp.n && (tcp.p[TCP_OFFSET_AT] & TCP_RESERVED) == 0 &&
	       (tcp.p[TCP_FLAGS_AT] & ~TCP_FLAGS_ALLOWED) == 0 && (tcp.p[TCP_FLAGS_AT] & TCP_ACK);
}

static bool udp_check(struct span udp, struct super_form *f)
{
	f->head_bytes = f->l4_at + UDP_HEADER_BYTES;
	return udp.n > UDP_HEADER_BYTES && be16_get(udp.p + UDP_LENGTH_AT) == udp.n;
}

int super_check(struct span packet, size_t segment_bytes, size_t max_bytes, struct super_form *ret)
{
	struct super_form f = {.segment_bytes = segment_bytes};

	if (packet.n > SUPER_PACKET_MAX || segment_bytes < SUPER_SEGMENT_MIN || !ip_check(packet, &f))
		return ERR_MALFORMED;
	struct span l4 = span_skip(packet, f.l4_at);
	if (!(f.is_tcp ? tcp_check(l4, &f) : udp_check(l4, &f)))
		return ERR_MALFORMED;
	size_t n_payload = packet.n - f.head_bytes;
	f.largest_bytes = f.head_bytes + segment_bytes;
	if (n_payload <= segment_bytes || f.largest_bytes > max_bytes)
		return ERR_MALFORMED;
	f.n_packets = (unsigned)((n_payload + segment_bytes - 1) / segment_bytes);
	f.total_bytes = n_payload + f.n_packets * f.head_bytes;
	if (!f.is_tcp && f.n_packets > SUPER_UDP_PACKETS)
		return ERR_MALFORMED;
	*ret = f;
	return 0;
}

uint8_t *super_put(const struct split *s, size_t max_bytes, size_t *ret_n, struct super_form *ret)
{
	if (s->is_done || s->size == 0 || s->index > 0 || (!s->is_tcp && !s->has_udp_sum))
		return NULL;
	uint8_t *packet = s->next - s->head_bytes, *payload = packet - SUPER_HEADER_BYTES;
	size_t n = s->head_bytes + s->left;
	if (super_check(span_of(packet, n), s->size, max_bytes, ret) < 0)
		return NULL;
	be16_put(payload, (uint16_t)s->size);
	*ret_n = SUPER_HEADER_BYTES + n;
	return payload;
}

void super_pace_note(struct super_pace *p, uint64_t bytes_per_s, ms_t now_ms)
{
	if (bytes_per_s < SUPER_PACE_BYTES_PER_S)
		p->n_fast_looks = 0;
	else if (p->n_fast_looks < SUPER_PACE_LOOKS)
		p->n_fast_looks++;
	p->is_fast = p->n_fast_looks == SUPER_PACE_LOOKS;
	p->look_at_ms = ms_add(now_ms, SUPER_PACE_LOOK_MS);
}

/* The kernel adds the payload: the field holds the pseudo header's sum, not its complement. */
static void head_make(struct super *u)
{
	const struct super_form *f = &u->form;
	uint8_t proto = f->is_tcp ? IP_PROTO_TCP : IP_PROTO_UDP;
	uint16_t sum_at = f->is_tcp ? TCP_SUM_AT : UDP_SUM_AT;

	memcpy(u->head, u->packet.p, f->head_bytes);
	be16_put(u->head + f->l4_at + sum_at,
	        (uint16_t)~ip_fold(pseudo_sum(u->head, f->is_ip6, proto, u->packet.n - f->l4_at)));
	u->vnet = (struct vnet_hdr){
	        .flags = VNET_NEEDS_CSUM,
	        .gso_type = !f->is_tcp  ? VNET_GSO_UDP_L4
	                    : f->is_ip6 ? VNET_GSO_TCPV6
	                                : VNET_GSO_TCPV4,
	        .hdr_len = (uint16_t)f->head_bytes,
	        .gso_size = (uint16_t)f->segment_bytes,
	        .csum_start = (uint16_t)f->l4_at,
	        .csum_offset = sum_at,
	};
}

int super_parse(struct span payload, size_t max_bytes, struct super *ret)
{
	struct rd r = rd_open(payload);
	size_t segment_bytes = rd_u16(&r);

	ret->packet = rd_rest(&r);
	if (!rd_ok(&r) || super_check(ret->packet, segment_bytes, max_bytes, &ret->form) < 0)
		return ERR_MALFORMED;
	head_make(ret);
	return 0;
}
