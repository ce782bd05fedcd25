#include "datapath/coalesce.h"

#include "base/util.h"
#include "datapath/headers.h"

#define IP4_VERSION_AND_LENGTH 0x45 /* version 4, no options */
#define PORTS_BYTES            4

/* A packet that may have a flow, with what joining it needs. */
struct segment {
	const uint8_t *p;
	size_t n, l4_at, head_bytes;
	bool is_ip6, is_tcp;
	bool is_joinable; /* by itself: plain data, checksums right */
	bool has_push;
};

void coalesce_init(struct coalesce *c, unsigned kinds, coalesce_emit *emit, void *ctx)
{
	c->emit = emit;
	c->ctx = ctx;
	c->kinds = kinds;
	c->n_flows_ever = 0;
	for (size_t i = 0; i < N_ELEM(c->flow); i++)
		c->flow[i].n_segments = 0;
}

/* ---- output ---- */

static void emit_plain(struct coalesce *c, const uint8_t *p, size_t n)
{
	static const struct vnet_hdr none;
	struct iovec iov[2] = {{.iov_base = (void *)(uintptr_t)&none, .iov_len = sizeof(none)},
	        {.iov_base = (void *)(uintptr_t)p, .iov_len = n}};

	c->emit(c->ctx, iov, N_ELEM(iov));
}

static void head_finish(struct coalesce_flow *f)
{
	uint8_t *l4 = f->head + f->l4_at;
	size_t n_l4 = f->bytes - f->l4_at;

	if (f->is_ip6) {
		be16_put(f->head + IP6_LENGTH_AT, (uint16_t)(f->bytes - IP6_HEADER_BYTES));
	} else {
		be16_put(f->head + IP4_LENGTH_AT, (uint16_t)f->bytes);
		be16_put(f->head + IP4_SUM_AT, 0);
		be16_put(f->head + IP4_SUM_AT, ip_fold(ip_sum(0, span_of(f->head, f->l4_at))));
	}
	if (f->is_tcp && f->has_push)
		l4[TCP_FLAGS_AT] |= TCP_PSH;
	if (!f->is_tcp)
		be16_put(l4 + UDP_LENGTH_AT, (uint16_t)n_l4);
	/* the kernel, or the network card, adds the rest: the field holds the sum, not its complement */
	uint16_t partial = (uint16_t)~ip_fold(
	        pseudo_sum(f->head, f->is_ip6, f->is_tcp ? IP_PROTO_TCP : IP_PROTO_UDP, n_l4));
	be16_put(l4 + (f->is_tcp ? TCP_SUM_AT : UDP_SUM_AT), partial);
}

static void flow_flush(struct coalesce *c, struct coalesce_flow *f)
{
	if (f->n_segments == 1) {
		emit_plain(c, f->first, f->first_bytes);
	} else if (f->n_segments > 1) {
		head_finish(f);
		f->vnet = (struct vnet_hdr){.flags = VNET_NEEDS_CSUM,
		        .gso_type = !f->is_tcp  ? VNET_GSO_UDP_L4
		                    : f->is_ip6 ? VNET_GSO_TCPV6
		                                : VNET_GSO_TCPV4,
		        .hdr_len = (uint16_t)f->head_bytes,
		        .gso_size = f->size,
		        .csum_start = (uint16_t)f->l4_at,
		        .csum_offset = f->is_tcp ? TCP_SUM_AT : UDP_SUM_AT};
		f->iov[0] = (struct iovec){.iov_base = &f->vnet, .iov_len = sizeof(f->vnet)};
		f->iov[1] = (struct iovec){.iov_base = f->head, .iov_len = f->head_bytes};
		c->emit(c->ctx, f->iov, 2 + f->n_segments);
	}
	f->n_segments = 0;
}

static struct coalesce_flow *flow_oldest(struct coalesce *c)
{
	struct coalesce_flow *old = NULL;

	for (size_t i = 0; i < N_ELEM(c->flow); i++)
		if (c->flow[i].n_segments > 0 && (old == NULL || c->flow[i].since < old->since))
			old = &c->flow[i];
	return old;
}

void coalesce_flush(struct coalesce *c)
{
	struct coalesce_flow *f;

	while ((f = flow_oldest(c)) != NULL)
		flow_flush(c, f);
}

/* ---- what a packet is ---- */

static bool ip_cut(struct segment *s)
{
	const uint8_t *p = s->p;

	if (s->n >= IP4_HEADER_BYTES && p[0] == IP4_VERSION_AND_LENGTH) {
		s->l4_at = IP4_HEADER_BYTES;
		s->is_tcp = p[IP4_PROTO_AT] == IP_PROTO_TCP;
		/* only DF may be set: a fragment belongs to no flow */
		return be16_get(p + IP4_LENGTH_AT) == s->n && (p[IP4_FRAGMENT_AT] & 0xbf) == 0 &&
		       p[IP4_FRAGMENT_AT + 1] == 0 && (s->is_tcp || p[IP4_PROTO_AT] == IP_PROTO_UDP);
	}
	if (s->n >= IP6_HEADER_BYTES && p[0] >> 4 == 6) {
		s->is_ip6 = true;
		s->l4_at = IP6_HEADER_BYTES;
		s->is_tcp = p[IP6_NEXT_AT] == IP_PROTO_TCP;
		return be16_get(p + IP6_LENGTH_AT) + (size_t)IP6_HEADER_BYTES == s->n &&
		       (s->is_tcp || p[IP6_NEXT_AT] == IP_PROTO_UDP);
	}
	return false;
}

static bool sums_are_right(const struct segment *s)
{
	struct span l4 = span_of(s->p + s->l4_at, s->n - s->l4_at);
	uint8_t proto = s->is_tcp ? IP_PROTO_TCP : IP_PROTO_UDP;

	return (s->is_ip6 || ip_fold(ip_sum(0, span_of(s->p, s->l4_at))) == 0) &&
	       ip_fold(ip_sum(pseudo_sum(s->p, s->is_ip6, proto, l4.n), l4)) == 0;
}

/* Data with ACK and perhaps PSH, nothing else: no other flag, no reserved bit. */
static bool tcp_is_plain(const uint8_t *tcp)
{
	return (tcp[TCP_OFFSET_AT] & 15) == 0 && (tcp[TCP_FLAGS_AT] & ~TCP_PSH) == TCP_ACK;
}

/* Zero has two forms in ones' complement. Whoever sums anew writes one of them; a packet with the other, or
 * with one that not everybody would choose, must stay as it is. */
static bool sums_have_one_form(const struct segment *s)
{
	uint16_t ip = s->is_ip6 ? 0 : be16_get(s->p + IP4_SUM_AT);
	uint16_t l4 = be16_get(s->p + s->l4_at + (s->is_tcp ? TCP_SUM_AT : UDP_SUM_AT));

	/* UDP: 0 says that there is none, and 0xffff is the only form of zero (RFC 768) */
	return ip != UINT16_MAX && l4 != 0 && (l4 != UINT16_MAX || !s->is_tcp);
}

static bool tcp_is_joinable(struct segment *s, const uint8_t *tcp, size_t n)
{
	size_t n_head = n >= TCP_HEADER_BYTES ? tcp_header_bytes(tcp) : 0;

	if (n_head < TCP_HEADER_BYTES || n_head >= n)
		return false;
	s->head_bytes = s->l4_at + n_head;
	s->has_push = tcp[TCP_FLAGS_AT] & TCP_PSH;
	return tcp_is_plain(tcp);
}

static bool udp_is_joinable(struct segment *s, const uint8_t *udp, size_t n)
{
	s->head_bytes = s->l4_at + UDP_HEADER_BYTES;
	return n > UDP_HEADER_BYTES && be16_get(udp + UDP_LENGTH_AT) == n;
}

/* False: the packet belongs to no flow. A malformed one does if it has ports: it stays in its place. */
static bool l4_cut(struct segment *s, unsigned kinds)
{
	const uint8_t *l4 = s->p + s->l4_at;
	size_t n = s->n - s->l4_at;

	if (!(kinds & (!s->is_tcp         ? COALESCE_UDP
	                      : s->is_ip6 ? COALESCE_TCP6
	                                  : COALESCE_TCP4)) ||
	        n < PORTS_BYTES)
		return false;
	s->is_joinable = (s->is_tcp ? tcp_is_joinable(s, l4, n) : udp_is_joinable(s, l4, n)) &&
	                 sums_have_one_form(s) && sums_are_right(s);
	return true;
}

/* ---- flows ---- */

static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

/* Addresses and ports. */
static struct coalesce_flow *flow_find(struct coalesce *c, const struct segment *s)
{
	size_t addr_at = s->is_ip6 ? IP6_ADDR_AT : IP4_ADDR_AT;

	for (size_t i = 0; i < N_ELEM(c->flow); i++) {
		struct coalesce_flow *f = &c->flow[i];
		/* addresses are the end of the IP header and ports the begin of what follows */
		if (f->n_segments > 0 && f->is_ip6 == s->is_ip6 && f->is_tcp == s->is_tcp &&
		        same(f->head + addr_at, s->p + addr_at, s->l4_at + PORTS_BYTES - addr_at))
			return f;
	}
	return NULL;
}

static bool ip_continues(const struct coalesce_flow *f, const uint8_t *p)
{
	if (f->is_ip6) /* version, class, flow label; hop limit */
		return same(f->head, p, 4) && f->head[IP6_HOPS_AT] == p[IP6_HOPS_AT];
	return f->head[IP4_TOS_AT] == p[IP4_TOS_AT] &&
	       same(f->head + IP4_FRAGMENT_AT, p + IP4_FRAGMENT_AT, 3) &&
	       be16_get(p + IP4_ID_AT) == (uint16_t)(be16_get(f->head + IP4_ID_AT) + f->n_segments);
}

static bool tcp_continues(const struct coalesce_flow *f, const uint8_t *tcp)
{
	const uint8_t *first = f->head + f->l4_at;

	/* acknowledgement and header length; window; urgent pointer and options */
	return be32_get(tcp + TCP_SEQ_AT) == f->next_seq && same(first + TCP_ACK_AT, tcp + TCP_ACK_AT, 5) &&
	       same(first + TCP_WINDOW_AT, tcp + TCP_WINDOW_AT, 2) &&
	       same(first + TCP_URGENT_AT, tcp + TCP_URGENT_AT, f->head_bytes - f->l4_at - TCP_URGENT_AT);
}

static bool flow_takes(const struct coalesce_flow *f, const struct segment *s)
{
	size_t n = s->n - s->head_bytes;

	return s->head_bytes == f->head_bytes && n <= f->size && f->bytes + n <= COALESCE_BYTES_MAX &&
	       f->n_segments < COALESCE_SEGMENTS_MAX && ip_continues(f, s->p) &&
	       (!f->is_tcp || tcp_continues(f, s->p + s->l4_at));
}

static void flow_append(struct coalesce_flow *f, const struct segment *s)
{
	size_t n = s->n - s->head_bytes;

	f->iov[2 + f->n_segments++] =
	        (struct iovec){.iov_base = (void *)(uintptr_t)(s->p + s->head_bytes), .iov_len = n};
	f->bytes += n;
	f->next_seq += (uint32_t)n;
	f->has_push = s->has_push;
}

static void flow_begin(struct coalesce *c, const struct segment *s)
{
	struct coalesce_flow *f = NULL;

	for (size_t i = 0; i < N_ELEM(c->flow) && f == NULL; i++)
		if (c->flow[i].n_segments == 0)
			f = &c->flow[i];
	if (f == NULL) {
		f = flow_oldest(c);
		flow_flush(c, f);
	}
	f->first = s->p;
	f->first_bytes = s->n;
	f->head_bytes = s->head_bytes;
	f->l4_at = s->l4_at;
	f->bytes = s->head_bytes;
	f->since = c->n_flows_ever++;
	f->size = (uint16_t)(s->n - s->head_bytes);
	f->is_ip6 = s->is_ip6;
	f->is_tcp = s->is_tcp;
	f->next_seq = s->is_tcp ? be32_get(s->p + s->l4_at + TCP_SEQ_AT) : 0;
	memcpy(f->head, s->p, s->head_bytes);
	flow_append(f, s);
}

/* A fragment, or a packet with IP options, may belong to any flow of its two addresses: it stays behind them.
 */
static void flush_between_hosts(struct coalesce *c, const uint8_t *p, size_t n)
{
	bool is_ip6 = n > 0 && p[0] >> 4 == 6;
	size_t at = is_ip6 ? IP6_ADDR_AT : IP4_ADDR_AT, n_addr = is_ip6 ? IP6_ADDR_BYTES : IP4_ADDR_BYTES;

	for (size_t i = 0; n >= at + n_addr && i < N_ELEM(c->flow); i++) {
		struct coalesce_flow *f = &c->flow[i];
		if (f->n_segments > 0 && f->is_ip6 == is_ip6 && same(f->head + at, p + at, n_addr))
			flow_flush(c, f);
	}
}

void coalesce_add(struct coalesce *c, const uint8_t *packet, size_t n)
{
	struct segment s = {.p = packet, .n = n};

	if (!ip_cut(&s)) {
		flush_between_hosts(c, packet, n);
		emit_plain(c, packet, n);
		return;
	}
	if (!l4_cut(&s, c->kinds)) {
		emit_plain(c, packet, n);
		return;
	}
	struct coalesce_flow *f = flow_find(c, &s);
	if (f && s.is_joinable && flow_takes(f, &s)) {
		flow_append(f, &s);
		/* a short one or a push ends a super-packet: only its last segment may be like that */
		if (s.has_push || s.n - s.head_bytes < f->size)
			flow_flush(c, f);
		return;
	}
	if (f)
		flow_flush(c, f);
	if (s.is_joinable && !s.has_push)
		flow_begin(c, &s);
	else
		emit_plain(c, packet, n);
}
