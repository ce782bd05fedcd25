/* To the client: what was read from TUN, by the tunnel that takes it. */
#include <errno.h>

#include "gateway/classic.h"
#include "gateway/conn.h"
#include "gateway/session_int.h"
#include "gateway/session_mtu.h"
#include "gateway/too_big.h"
#include "wire/ip.h"
#include "wire/pieces.h"

void session_count_control_tx(struct session *s, enum link_channel ch, size_t payload_bytes)
{
	struct traffic *t = &s->traffic[ch];
	t->tx_control_packets++;
	t->tx_control_bytes += CSTP_HEADER_BYTES + payload_bytes;
}

/* The most that a SYN may ask for: what `sysopt connection tcpmss` allows, and what the path carries in one
 * datagram. 0: any. */
static uint16_t most_mss(const struct session *s, struct span packet)
{
	uint16_t path = packet.n > 0 ? link_mss_bytes(&s->link, packet.p[0] >> 4) : 0;
	uint16_t wanted = (uint16_t)s->config->tcpmss;
	return wanted == 0 || (path != 0 && path < wanted) ? path : wanted;
}

struct span session_fit_mss(struct session *s, struct span packet)
{
	uint16_t least = (uint16_t)s->config->tcpmss_minimum, most = most_mss(s, packet);
	uint8_t *copy = s->w->scratch.syn;
	if ((most == 0 && least == 0) || packet.n > WORKER_TUN_SLOT || !tcp_is_syn(packet))
		return packet;
	memcpy(copy, packet.p, packet.n);
	tcp_fit_mss(copy, packet.n, least, most);
	return span_of(copy, packet.n);
}

/* ---- one packet ---- */

static int send_tls(struct session *s, struct span packet)
{
	return s->conn ? conn_write_cstp(s->conn, CSTP_DATA, packet) : ERR_CLOSED;
}

static int send_pieces(struct session *s, struct span packet, uint16_t piece_bytes)
{
	uint8_t *piece = s->w->scratch.piece;
	struct cutter c = cutter_open(packet, s->pieces.next_id++, piece_bytes);
	size_t n;
	int r = 0;
	while (r == 0 && (n = cutter_next(&c, piece)) > 0)
		r = dtls_tx(s, DTLS_PIECE, span_of(piece, n));
	return r;
}

/* How one packet, or its copy, went out by a channel. */
static void count_sent(struct session *s, enum link_channel ch, size_t packet_bytes, size_t datagram_bytes)
{
	struct traffic *t = &s->traffic[ch];
	t->tx_packets++;
	t->tx_bytes += packet_bytes;
	link_on_tx(&s->link, ch, true, datagram_bytes, worker_now(s->w));
}

static void count_unsent(struct session *s, enum link_channel ch, int err)
{
	s->traffic[ch].tx_drops++;
	worker_drop(s->w, err == -ENOBUFS ? DROP_FLOW_CONTROL : DROP_NO_SESSION);
}

static void transmit_seamless(struct session *s, struct span packet)
{
	struct link_route to = link_route(&s->link, packet.n, worker_now(s->w));
	int tls = to.tls ? send_tls(s, packet) : ERR_CLOSED, dtls = ERR_CLOSED;
	if (to.in_pieces)
		dtls = send_pieces(s, packet, to.piece_bytes);
	else if (to.dtls)
		dtls = dtls_tx(s, CSTP_DATA, packet);
	if (tls == 0)
		count_sent(s, LINK_TLS, packet.n, packet.n);
	if (dtls == 0)
		count_sent(s, LINK_DTLS, packet.n, to.in_pieces ? to.piece_bytes : packet.n);
	if (tls < 0 && dtls < 0) /* a packet whose copy went out is not lost */
		count_unsent(s, to.tls ? LINK_TLS : LINK_DTLS, to.tls ? tls : dtls);
	if (to.tell_too_big)
		too_big_tell_limit(s, packet, to.path_limit);
}

static void transmit_classic(struct session *s, struct span packet)
{
	enum link_channel ch = link_active(&s->link);
	if (ch == LINK_DTLS && packet.n > s->dtls.limit_bytes && s->conn)
		ch = LINK_TLS; /* whatever does not fit a datagram goes by TLS, which has no such limit */
	if (ch == LINK_N_CHANNELS) {
		worker_drop(s->w, DROP_NO_SESSION);
		return;
	}
	int r = ch == LINK_DTLS ? dtls_tx(s, CSTP_DATA, packet) : send_tls(s, packet);
	if (r < 0)
		count_unsent(s, ch, r);
	else
		count_sent(s, ch, packet.n, packet.n);
}

void session_transmit(struct session *s, struct span packet)
{
	if (s->link.config.policy == LINK_SEAMLESS && link_active(&s->link) != LINK_N_CHANNELS)
		transmit_seamless(s, packet);
	else
		transmit_classic(s, packet);
}

static void send_packet(struct session *s, struct span packet)
{
	enum link_channel ch = link_active(&s->link);
	packet = session_fit_mss(s, packet);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC && ch != LINK_N_CHANNELS)
		classic_to_client(s, ch, packet);
	else
		session_transmit(s, packet);
	session_touch(s);
}

/* ---- what was read from TUN ---- */

/* Where packets of that size go as they are, without a look at each of them; LINK_N_CHANNELS: look. */
static enum link_channel plain_way(const struct session *s, size_t bytes)
{
	enum link_channel ch = link_active(&s->link);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC && bytes > session_mtu_on(s, ch))
		return LINK_N_CHANNELS;
	if (s->link.config.policy == LINK_SEAMLESS)
		return link_plain_route(&s->link, bytes);
	return ch == LINK_DTLS && bytes > s->dtls.limit_bytes ? LINK_N_CHANNELS : ch;
}

static void send_each(struct session *s, struct split *split)
{
	uint8_t *p;
	size_t n;
	while (!s->is_closing && split_next(split, &p, &n))
		send_packet(s, span_of(p, n));
}

void session_send(struct session *s, struct split *split)
{
	size_t largest = split_packet_bytes(split), n, n_bytes = 0;
	unsigned n_sent = 0, n_full = 0, n_all = split_count(split);
	enum link_channel ch = n_all > 1 ? plain_way(s, largest) : LINK_N_CHANNELS;
	uint8_t *p;
	if (ch == LINK_N_CHANNELS || (ch == LINK_TLS && s->conn == NULL)) {
		send_each(s, split);
		return;
	}
	if (ch == LINK_TLS && session_super_send(s, split))
		return;
	for (int r; split_next(split, &p, &n);) {
		r = ch == LINK_DTLS ? dtls_tx_in_place(s, CSTP_DATA, p, n)
		                    : conn_write_cstp_in_place(s->conn, CSTP_DATA, p, n);
		n_sent += r == 0;
		n_bytes += r == 0 ? n : 0;
		n_full += r == -ENOBUFS;
	}
	struct traffic *t = &s->traffic[ch];
	t->tx_packets += n_sent;
	t->tx_bytes += n_bytes;
	t->tx_drops += n_all - n_sent;
	s->w->counts.drops[DROP_FLOW_CONTROL] += n_full;
	s->w->counts.drops[DROP_NO_SESSION] += n_all - n_sent - n_full;
	if (n_sent > 0)
		link_on_tx(&s->link, ch, true, largest, worker_now(s->w));
	session_touch(s);
}
