/* Packets of both directions: where one goes, and what becomes of one that came. */
#include <errno.h>

#include "gateway/classic.h"
#include "gateway/conn.h"
#include "gateway/session_int.h"
#include "gateway/session_log.h"
#include "gateway/too_big.h"
#include "io/log.h"
#include "io/tun.h"
#include "wire/ip.h"
#include "wire/pieces.h"

#define JOIN_MIN_BYTES 2048 /* room for a packet, whatever MTU was announced */

static void count_control(uint64_t *packets, uint64_t *bytes, size_t payload_bytes)
{
	(*packets)++;
	*bytes += CSTP_HEADER_BYTES + payload_bytes;
}

void session_count_control_tx(struct session *s, enum link_channel ch, size_t payload_bytes)
{
	struct traffic *t = &s->traffic[ch];
	count_control(&t->tx_control_packets, &t->tx_control_bytes, payload_bytes);
}

/* ---- sizes ---- */

uint16_t session_mtu_on(const struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS)
		return s->mtu.dtls;
	return ch == LINK_TLS ? s->mtu.tls : 0;
}

uint16_t session_mtu_now(const struct session *s)
{
	return session_mtu_on(s, link_active(&s->link));
}

/* The most that a SYN may ask for: what `sysopt connection tcpmss` allows, and what the path carries in one
 * datagram. 0: any. */
static uint16_t most_mss(const struct session *s, struct span packet)
{
	uint16_t path = packet.n > 0 ? link_mss_bytes(&s->link, packet.p[0] >> 4) : 0;
	uint16_t wanted = (uint16_t)s->config->tcpmss;
	return wanted == 0 || (path != 0 && path < wanted) ? path : wanted;
}

/* A SYN with the MSS that is allowed, in scratch.syn; every other packet as it is. */
static struct span fit_mss(struct session *s, struct span packet)
{
	uint16_t least = (uint16_t)s->config->tcpmss_minimum, most = most_mss(s, packet);
	uint8_t *copy = s->w->scratch.syn;
	if ((most == 0 && least == 0) || packet.n > WORKER_TUN_SLOT || !tcp_is_syn(packet))
		return packet;
	memcpy(copy, packet.p, packet.n);
	tcp_fit_mss(copy, packet.n, least, most);
	return span_of(copy, packet.n);
}

/* ---- from the client ---- */

void session_deliver(struct session *s, enum link_channel ch, struct span packet)
{
	struct traffic *t = &s->traffic[ch];
	worker_to_tun(s->w, packet);
	t->rx_packets++;
	t->rx_bytes += packet.n;
}

void session_count_rx_drop(struct session *s, enum link_channel ch, enum drop_reason why)
{
	s->traffic[ch].rx_drops++;
	worker_drop(s->w, why);
}

/* IPv6 link-local chatter is dropped as well. */
bool session_is_from_client(struct session *s, enum link_channel ch, struct span packet)
{
	struct ip_addr src, dst;
	bool has_ends = ip_addresses(packet, &src, &dst) == 0;
	if (has_ends && addr_eq(&src, src.family == 4 ? &s->id.ip4.addr : &s->id.ip6.addr))
		return true;
	session_count_rx_drop(s, ch, has_ends ? DROP_SPOOFED : DROP_BAD_LENGTH);
	return false;
}

static void packet_to_inside(struct session *s, enum link_channel ch, struct span packet)
{
	if (!session_is_from_client(s, ch, packet))
		return;
	packet = fit_mss(s, packet);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC)
		classic_to_inside(s, ch, packet);
	else
		session_deliver(s, ch, packet);
}

static void answer_dpd(struct session *s, enum link_channel ch, struct span payload)
{
	/* the same payload and length: clients measure their MTU with it (wire-protocol.md 4.8) */
	int r = ch == LINK_DTLS ? dtls_tx(s, CSTP_DPD_RESPONSE, payload)
	        : s->conn       ? conn_write_cstp(s->conn, CSTP_DPD_RESPONSE, payload)
	                        : 0;
	if (r < 0)
		s->traffic[ch].tx_drops++;
	else
		session_count_control_tx(s, ch, payload.n);
	if (r == 0)
		link_on_tx(&s->link, ch, false, payload.n, worker_now(s->w));
}

/* Memory for the putting together is taken when the first piece comes, and kept for the next ones. */
static void on_piece(struct session *s, struct span payload)
{
	struct session_pieces *j = &s->pieces;
	struct span packet;
	size_t most = s->mtu.tls > JOIN_MIN_BYTES ? s->mtu.tls : JOIN_MIN_BYTES;
	if (!j->is_agreed || (j->joiner == NULL && (j->joiner = joiner_new(most)) == NULL)) {
		session_count_rx_drop(s, LINK_DTLS, DROP_UNKNOWN_TYPE);
		return;
	}
	switch (joiner_put(j->joiner, payload, worker_now(s->w), &packet)) {
	case JOINER_MORE:
		break;
	case JOINER_PACKET:
		packet_to_inside(s, LINK_DTLS, packet);
		break;
	case JOINER_DROPPED:
		session_count_rx_drop(s, LINK_DTLS, DROP_BAD_LENGTH);
		break;
	}
}

void session_pieces_done(struct session *s)
{
	joiner_free(s->pieces.joiner);
	s->pieces.joiner = NULL;
}

static void on_disconnect(struct session *s, struct span payload)
{
	struct disconnect d = disconnect_parse(payload);
	session_log_disconnect(s, &d);
	if (disconnect_ends_session(&d))
		session_end(s, IPC_END_USER, "User Requested", false);
	else
		session_detach(s, "Transport closing");
}

/* One packet of either channel, by its type. */
static void on_packet(struct session *s, enum link_channel ch, const struct cstp_packet *p)
{
	struct traffic *t = &s->traffic[ch];
	if (ch == LINK_TLS && p->type == CSTP_SUPER && s->super.is_agreed) {
		session_super_receive(s, p->payload);
		return;
	}
	bool is_piece = ch == LINK_DTLS && p->type == DTLS_PIECE, is_data = p->type == CSTP_DATA || is_piece;
	link_on_rx(&s->link, ch, is_data, p->payload.n, worker_now(s->w));
	if (!is_data)
		count_control(&t->rx_control_packets, &t->rx_control_bytes, p->payload.n);
	if (is_piece) {
		on_piece(s, p->payload);
		return;
	}
	switch (p->type) {
	case CSTP_DATA:
		packet_to_inside(s, ch, p->payload);
		break;
	case CSTP_DPD_REQUEST:
		answer_dpd(s, ch, p->payload);
		break;
	case CSTP_DPD_RESPONSE:
		link_on_dpd_answer(&s->link, ch, p->payload, worker_now(s->w));
		break;
	case CSTP_KEEPALIVE: /* never answered: that would loop */
		break;
	case CSTP_DISCONNECT:
		on_disconnect(s, p->payload);
		break;
	default:
		session_count_rx_drop(s, ch, DROP_UNKNOWN_TYPE);
		session_log(s, LOG_WARNING, 722015, "Unknown SVC frame type: %u", p->type);
		break;
	}
}

static void on_bad_frame(struct session *s, struct span record, enum cstp_fault fault)
{
	bool has_length = fault == CSTP_BAD_LENGTH;
	worker_drop(s->w, has_length ? DROP_BAD_LENGTH : DROP_BAD_FRAMING);
	if (has_length)
		session_log(s, LOG_WARNING, 722016, "Bad SVC frame length: %zu expected: %u",
		        record.n - CSTP_HEADER_BYTES, (unsigned)(record.p[4] << 8 | record.p[5]));
	else if (fault == CSTP_SHORT)
		session_log(s, LOG_WARNING, 722019, "Not enough data for an SVC header: %zu", record.n);
	else if (fault == CSTP_BAD_VERSION)
		session_log(s, LOG_WARNING, 722018, "Bad SVC protocol version: %u, expected: 1", record.p[3]);
	else
		session_log(s, LOG_WARNING, 722017, "Bad SVC framing: %02X%02X%02X, reserved: %X",
		        record.p[0], record.p[1], record.p[2], record.p[7]);
	/* stream and framing no longer agree: say so, close, keep the session for its cookie */
	if (s->conn && conn_write_cstp(s->conn, CSTP_DISCONNECT, span_of(NULL, 0)) == 0)
		session_detach(s, "Bad framing");
	else if (s->conn)
		conn_abort(s->conn);
}

static void on_first_part(struct session *s, struct span part)
{
	if (conn_long_begin(s->conn, part) < 0) {
		on_bad_frame(s, part, CSTP_BAD_LENGTH);
		return;
	}
	link_on_rx(&s->link, LINK_TLS, false, part.n, worker_now(s->w));
}

static void on_next_part(struct session *s, struct span part)
{
	struct conn *c = s->conn;
	struct cstp_long *l = &c->rx_long;
	int r = cstp_long_put(l, part);
	link_on_rx(&s->link, LINK_TLS, false, part.n, worker_now(s->w));
	if (r == ERR_MORE)
		return;
	if (r == 0) {
		struct cstp_packet p = cstp_long_packet(l);
		on_packet(s, LINK_TLS, &p);
	} else {
		on_bad_frame(s, span_of(l->bytes, l->n), CSTP_BAD_LENGTH);
	}
	conn_long_done(c);
}

/* The packets in a record, of which only the last may go on behind it. */
static void on_packets(struct session *s, struct span rest)
{
	while (rest.n > 0 && !s->is_closing && s->conn) {
		struct cstp_packet p;
		enum cstp_fault fault;
		struct span at = rest;
		if (s->super.is_agreed && cstp_long_begins(rest, CSTP_SUPER)) {
			on_first_part(s, rest);
			return;
		}
		if (cstp_take(&rest, &p, &fault) < 0) {
			on_bad_frame(s, at, fault);
			return;
		}
		on_packet(s, LINK_TLS, &p);
	}
}

void session_on_tls_record(struct session *s, struct span record)
{
	if (record.n == 0)
		return;
	if (cstp_long_waits(&s->conn->rx_long))
		on_next_part(s, record);
	else
		on_packets(s, record);
	if (!s->is_closing)
		session_touch(s);
}

void session_on_dtls_record(struct session *s, struct span record)
{
	struct cstp_packet p;
	if (dtls_channel_parse(record, &p) < 0) {
		worker_drop(s->w, DROP_BAD_LENGTH);
		return;
	}
	on_packet(s, LINK_DTLS, &p);
	if (!s->is_closing)
		session_touch(s);
}

/* ---- to the client ---- */

void session_send_packet(struct session *s, struct span packet)
{
	enum link_channel ch = link_active(&s->link);
	packet = fit_mss(s, packet);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC && ch != LINK_N_CHANNELS)
		classic_to_client(s, ch, packet);
	else
		session_transmit(s, packet);
	session_touch(s);
}

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
		session_send_packet(s, span_of(p, n));
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
	s->w->drops[DROP_FLOW_CONTROL] += n_full;
	s->w->drops[DROP_NO_SESSION] += n_all - n_sent - n_full;
	if (n_sent > 0)
		link_on_tx(&s->link, ch, true, largest, worker_now(s->w));
	session_touch(s);
}

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
