#include "datapath/split.h"

#include <stddef.h>

#include "datapath/headers.h"
#include "wire/ip.h"

/* One packet with a checksum to complete: the field holds the sum of the pseudo header. */
static int complete_sum(const struct vnet_hdr *h, uint8_t *packet, size_t n)
{
	size_t field = (size_t)h->csum_start + h->csum_offset;

	if (h->csum_start >= n || field + 2 > n)
		return ERR_MALFORMED;
	uint16_t sum = ip_fold(ip_sum(0, span_of(packet + h->csum_start, n - h->csum_start)));
	be16_put(packet + field,
	        sum ? sum : UINT16_MAX); /* 0 would be "no checksum" of UDP, and means the same */
	return 0;
}

static bool kind_fits(uint8_t gso, const struct ip_packet *ip)
{
	switch (gso & ~VNET_GSO_ECN) {
	case VNET_GSO_TCPV4:
		return ip->family == 4 && ip->proto == IP_PROTO_TCP;
	case VNET_GSO_TCPV6:
		return ip->family == 6 && ip->proto == IP_PROTO_TCP;
	case VNET_GSO_UDP_L4:
		return gso == VNET_GSO_UDP_L4 && ip->proto == IP_PROTO_UDP;
	default:
		return false;
	}
}

/* Bytes of the TCP or UDP header; 0: there is none. */
static size_t l4_bytes(const struct ip_packet *ip)
{
	if (ip->proto == IP_PROTO_UDP)
		return ip->payload.n >= UDP_HEADER_BYTES ? UDP_HEADER_BYTES : 0;
	size_t n = ip->payload.n >= TCP_HEADER_BYTES ? tcp_header_bytes(ip->payload.p) : 0;
	return n >= TCP_HEADER_BYTES && n <= ip->payload.n ? n : 0;
}

static size_t l4_sum_at(const struct split *s)
{
	return s->l4_at + (s->is_tcp ? TCP_SUM_AT : UDP_SUM_AT);
}

/* The sum that waits in the field counts the length of the whole: that is taken out. It is not made anew from
 * the addresses: with a source route or a routing header those of the header are not the ones that count. */
static uint32_t pseudo_of(const struct split *s, const struct vnet_hdr *h, const uint8_t *packet, size_t n_l4)
{
	if (h->flags & VNET_NEEDS_CSUM)
		return be16_get(packet + l4_sum_at(s)) + (uint32_t)(uint16_t)~n_l4;
	return pseudo_sum(packet, s->is_ip6, s->is_tcp ? IP_PROTO_TCP : IP_PROTO_UDP, 0);
}

static int super_open(struct split *s, const struct vnet_hdr *h, uint8_t *packet, size_t n, size_t max_bytes)
{
	struct ip_packet ip;

	if (ip_parse(span_of(packet, n), &ip) < 0 || ip.is_fragment || h->gso_size == 0)
		return ERR_MALFORMED;
	if ((h->gso_type & ~VNET_GSO_ECN) == VNET_GSO_UFO)
		return ERR_UNSUPPORTED;
	size_t l4 = kind_fits(h->gso_type, &ip) ? l4_bytes(&ip) : 0;
	if (l4 == 0)
		return ERR_MALFORMED;
	s->is_ip6 = ip.family == 6;
	s->is_tcp = ip.proto == IP_PROTO_TCP;
	s->l4_at = ip.header_bytes;
	s->head_bytes = s->l4_at + l4;
	s->size = h->gso_size;
	if (s->head_bytes > sizeof(s->head) || (max_bytes > 0 && max_bytes <= s->head_bytes))
		return ERR_UNSUPPORTED;
	if (s->is_tcp && max_bytes > 0 && s->size > max_bytes - s->head_bytes)
		s->size = max_bytes - s->head_bytes;
	memcpy(s->head, packet, s->head_bytes);
	s->next = packet + s->head_bytes;
	s->left = ip.total_bytes - s->head_bytes;
	s->ip_id = be16_get(packet + IP4_ID_AT);
	s->seq = s->is_tcp ? be32_get(packet + s->l4_at + TCP_SEQ_AT) : 0;
	s->has_udp_sum = (h->flags & VNET_NEEDS_CSUM) || (!s->is_tcp && be16_get(packet + l4_sum_at(s)));
	s->pseudo = pseudo_of(s, h, packet, ip.payload.n);
	return 0;
}

int split_open(struct split *s, const struct vnet_hdr *h, uint8_t *packet, size_t n, size_t max_bytes)
{
	int r;

	/* not the template: it is filled when it is needed, and this runs once per packet */
	memset(s, 0, offsetof(struct split, head));
	if (h->gso_type != VNET_GSO_NONE) {
		if ((r = super_open(s, h, packet, n, max_bytes)) == 0)
			return 0;
		s->is_done = true;
		return r;
	}
	if (n == 0 || ((h->flags & VNET_NEEDS_CSUM) && complete_sum(h, packet, n) < 0)) {
		s->is_done = true;
		return ERR_MALFORMED;
	}
	s->next = packet;
	s->left = n;
	return 0;
}

unsigned split_count(const struct split *s)
{
	if (s->is_done && s->index == 0)
		return 0;
	if (s->size == 0)
		return 1;
	size_t n = (s->left + s->size - 1) / s->size;
	return s->index + (unsigned)(s->left == 0 && s->index == 0 ? 1 : n);
}

size_t split_packet_bytes(const struct split *s)
{
	if (s->is_done)
		return 0;
	return s->size == 0 || s->left < s->size ? s->head_bytes + s->left : s->head_bytes + s->size;
}

static void ip_finish(const struct split *s, uint8_t *p, size_t n)
{
	if (s->is_ip6) {
		be16_put(p + IP6_LENGTH_AT, (uint16_t)(n - IP6_HEADER_BYTES));
		return;
	}
	be16_put(p + IP4_LENGTH_AT, (uint16_t)n);
	be16_put(p + IP4_ID_AT, (uint16_t)(s->ip_id + s->index));
	be16_put(p + IP4_SUM_AT, 0);
	be16_put(p + IP4_SUM_AT, ip_fold(ip_sum(0, span_of(p, s->l4_at))));
}

/* CWR only in the first, FIN and PSH only in the last. The urgent pointer stays as it is, as in the kernel.
 */
static void tcp_finish(const struct split *s, uint8_t *tcp, bool is_last)
{
	be32_put(tcp + TCP_SEQ_AT, s->seq);
	if (s->index > 0)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR;
	if (!is_last)
		tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

static void l4_sum(const struct split *s, uint8_t *p, size_t n)
{
	uint8_t *field = p + l4_sum_at(s);
	struct span l4 = span_of(p + s->l4_at, n - s->l4_at);

	be16_put(field, 0);
	if (!s->is_tcp && !s->has_udp_sum)
		return;
	uint16_t sum = ip_fold(ip_sum(s->pseudo + (uint32_t)l4.n, l4));
	be16_put(field, sum || s->is_tcp ? sum : UINT16_MAX);
}

bool split_next(struct split *s, uint8_t **ret, size_t *ret_n)
{
	if (s->is_done)
		return false;
	if (s->size == 0) {
		s->is_done = true;
		*ret = s->next;
		*ret_n = s->left;
		return true;
	}
	size_t n = s->left < s->size ? s->left : s->size;
	uint8_t *p = s->next - s->head_bytes;
	memcpy(p, s->head, s->head_bytes);
	s->is_done = n == s->left;
	if (s->is_tcp)
		tcp_finish(s, p + s->l4_at, s->is_done);
	else
		be16_put(p + s->l4_at + UDP_LENGTH_AT, (uint16_t)(n + UDP_HEADER_BYTES));
	ip_finish(s, p, s->head_bytes + n);
	l4_sum(s, p, s->head_bytes + n);
	s->next += n;
	s->left -= n;
	s->seq += (uint32_t)n;
	s->index++;
	*ret = p;
	*ret_n = s->head_bytes + n;
	return true;
}
