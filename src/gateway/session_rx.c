/* From the client: records of both tunnels, the packets in them, and what becomes of each. */
#include "gateway/classic.h"
#include "gateway/conn.h"
#include "gateway/session_int.h"
#include "gateway/session_log.h"
#include "io/log.h"
#include "wire/ip.h"
#include "wire/pieces.h"

#define JOIN_MIN_BYTES 2048 /* room for a packet, whatever MTU was announced */

/* ---- to the inside ---- */

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
	packet = session_fit_mss(s, packet);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC)
		classic_to_inside(s, ch, packet);
	else
		session_deliver(s, ch, packet);
}

/* ---- packets ---- */

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
	if (!is_data) {
		t->rx_control_packets++;
		t->rx_control_bytes += CSTP_HEADER_BYTES + p->payload.n;
	}
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

/* ---- records ---- */

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
