#include "gateway/classic.h"

#include <stdio.h>

#include "io/log.h"
#include "io/tun.h"
#include "store/lease.h"
#include "wire/ip.h"
#include "wire/ip_fragment.h"

/* One direction: how a packet goes on, and how an answer goes back. */
struct classic_way {
	void (*forward)(struct session *s, enum link_channel ch, struct span packet);
	void (*answer)(struct session *s, enum link_channel ch, struct span packet);
	bool is_to_client;
};

static void send_to_client(struct session *s, enum link_channel ch, struct span packet)
{
	(void)ch; /* chosen by size: a floor of 1280 may be more than a datagram holds */
	session_transmit(s, packet);
}

/* Not counted as the client's traffic: it is our own word. */
static void answer_to_inside(struct session *s, enum link_channel ch, struct span packet)
{
	(void)ch;
	if (tun_write(s->w->tun_fd, packet.p, packet.n) < 0)
		worker_drop(s->w, DROP_NO_CHANNEL);
}

static const struct classic_way to_client = {
        .forward = send_to_client, .answer = answer_to_inside, .is_to_client = true};
static const struct classic_way to_inside = {.forward = session_deliver, .answer = send_to_client};

static void log_602101(struct session *s, const struct ip_packet *p, uint16_t mtu)
{
	char dst[ADDR_TEXT_MAX], src[ADDR_TEXT_MAX], number[8];
	const char *prot = p->proto == IP_PROTO_TCP      ? "TCP"
	                   : p->proto == IP_PROTO_UDP    ? "UDP"
	                   : p->proto == IP_PROTO_ICMP   ? "ICMP"
	                   : p->proto == IP_PROTO_ICMPV6 ? "ICMP6"
	                                                 : number;
	if (!log_wants_msg(LOG_INFO, 602101) || !worker_may_log(s->w, 602101, s->id.index))
		return;
	snprintf(number, sizeof(number), "%u", p->proto);
	log_msg(LOG_INFO, "ASA", 602101,
	        "PMTU-D packet %u bytes greater than effective mtu %u, dest_addr=%s, src_addr=%s, prot=%s",
	        p->total_bytes, mtu, addr_format(&p->dst, dst), addr_format(&p->src, src), prot);
}

/* May this sender be told again that packets of this session are too big? */
static bool may_answer(struct session *s, const struct ip_addr *sender)
{
	struct {
		struct ip_addr sender;
		uint32_t session;
	} key;
	memset(&key, 0, sizeof(key)); /* the gaps count as well */
	key.sender = *sender;
	key.session = s->id.index;
	return ratelimit_allows(
	        &s->w->too_big, ratelimit_key(span_of(&key, sizeof(key)), 0), worker_now(s->w), NULL);
}

/* Tells the sender, from the gateway's own address in the network of the client's. */
static void tell_sender(struct session *s, enum link_channel ch, struct span packet, uint16_t mtu,
        const struct classic_way *way)
{
	struct ip_packet p;
	uint8_t icmp[ICMP_TOO_BIG_MAX];
	if (ip_parse(packet, &p) < 0 || !may_answer(s, &p.src))
		return;
	const struct ip_prefix *own = p.family == 4 ? &s->id.ip4 : &s->id.ip6;
	struct ip_addr from = lease_gateway(&own->addr, own->len);
	int n = icmp_too_big(packet, &from, mtu, icmp, sizeof(icmp));
	if (n < 0)
		return; /* what must not be answered: ICMP errors, later fragments, multicast */
	log_602101(s, &p, mtu);
	way->answer(s, ch, span_of(icmp, (size_t)n));
}

static void forward_pieces(struct session *s, enum link_channel ch, struct span packet, uint16_t mtu,
        const struct classic_way *way)
{
	struct ip_fragmenter f;
	uint8_t *piece = s->w->scratch.piece;
	int n = ip_fragment_init(&f, packet, mtu, s->mtu.next_fragment_id++);
	while (n >= 0 && (n = ip_fragment_next(&f, piece, WORKER_TUN_SLOT)) > 0)
		way->forward(s, ch, span_of(piece, (size_t)n));
	if (n < 0) /* ip_fit() has said that it can be cut */
		worker_drop(s->w, DROP_NO_FRAGMENT);
}

static void count_drop(
        struct session *s, enum link_channel ch, const struct classic_way *way, enum drop_reason why)
{
	struct traffic *t = &s->traffic[ch];
	worker_drop(s->w, why);
	if (way->is_to_client)
		t->tx_drops++;
	else
		t->rx_drops++;
}

static void refuse(struct session *s, enum link_channel ch, struct span packet, uint16_t mtu,
        const struct classic_way *way)
{
	count_drop(s, ch, way, DROP_NO_FRAGMENT);
	if (way->is_to_client)
		session_log(
		        s, LOG_INFO, 722036, "Transmitting large packet %zu (threshold %u).", packet.n, mtu);
	tell_sender(s, ch, packet, mtu, way);
}

static void treat(struct session *s, enum link_channel ch, struct span packet, uint16_t mtu,
        const struct classic_way *way)
{
	switch (ip_fit(packet, mtu, s->policy.df_bit_ignore)) {
	case IP_FITS:
		way->forward(s, ch, packet);
		break;
	case IP_FRAGMENT:
		forward_pieces(s, ch, packet, mtu, way);
		break;
	case IP_TOO_BIG:
		refuse(s, ch, packet, mtu, way);
		break;
	case IP_BROKEN:
		count_drop(s, ch, way, DROP_BAD_LENGTH);
		break;
	}
}

void classic_to_client(struct session *s, enum link_channel ch, struct span packet)
{
	treat(s, ch, packet, session_mtu_on(s, ch), &to_client);
}

void classic_to_inside(struct session *s, enum link_channel ch, struct span packet)
{
	uint16_t mtu = session_mtu_on(s, ch);
	if (packet.n > mtu)
		session_log(s, LOG_ERR, 722035, "Received large packet %zu (threshold %u).", packet.n, mtu);
	treat(s, ch, packet, mtu, &to_inside);
}
