#include "gateway/classic.h"

#include "gateway/session_mtu.h"
#include "gateway/too_big.h"
#include "io/log.h"
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

static void answer_to_inside(struct session *s, enum link_channel ch, struct span answer)
{
	(void)ch;
	too_big_to_inside(s, answer);
}

static const struct classic_way to_client = {
        .forward = send_to_client, .answer = answer_to_inside, .is_to_client = true};
static const struct classic_way to_inside = {.forward = session_deliver, .answer = send_to_client};

/* Tells the sender, from the gateway's own address in the network of the client's. */
static void tell_sender(struct session *s, enum link_channel ch, struct span packet, uint16_t mtu,
        const struct classic_way *way)
{
	uint8_t icmp[ICMP_TOO_BIG_MAX];
	struct span answer = too_big_answer(s, packet, mtu, icmp);
	if (answer.n > 0)
		way->answer(s, ch, answer);
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
