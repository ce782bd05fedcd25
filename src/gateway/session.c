#include "gateway/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/classic.h"
#include "gateway/conn.h"
#include "gateway/offer.h"
#include "gateway/session_log.h"
#include "io/log.h"
#include "io/tun.h"
#include "wire/ip.h"

/* ---- tables ---- */

static uint64_t hash_bytes(struct worker *w, const void *p, size_t n)
{
	return htab_hash(w->tables.hash_key, span_of(p, n));
}

struct session *session_by_index(struct worker *w, uint32_t index)
{
	struct htab_node *n = htab_find(&w->tables.by_index, hash_bytes(w, &index, sizeof(index)));
	for (; n; n = htab_next(n)) {
		struct session *s = CONTAINER_OF(n, struct session, by_index);
		if (s->id.index == index)
			return s;
	}
	return NULL;
}

struct session *session_by_inner(struct worker *w, const struct ip_addr *a)
{
	struct htab_node *n = htab_find(&w->tables.by_inner, hash_bytes(w, a, sizeof(*a)));
	for (; n; n = htab_next(n)) {
		struct session *s = a->family == 4 ? CONTAINER_OF(n, struct session, by_ip4)
		                                   : CONTAINER_OF(n, struct session, by_ip6);
		if (addr_eq(a->family == 4 ? &s->id.ip4.addr : &s->id.ip6.addr, a))
			return s;
	}
	return NULL;
}

static int session_publish(struct session *s)
{
	struct worker_tables *t = &s->w->tables;
	int r = htab_insert(&t->by_index, &s->by_index, hash_bytes(s->w, &s->id.index, sizeof(s->id.index)));
	if (r == 0 && s->id.ip4.addr.family)
		r = htab_insert(
		        &t->by_inner, &s->by_ip4, hash_bytes(s->w, &s->id.ip4.addr, sizeof(struct ip_addr)));
	if (r == 0 && s->id.ip6.addr.family)
		r = htab_insert(
		        &t->by_inner, &s->by_ip6, hash_bytes(s->w, &s->id.ip6.addr, sizeof(struct ip_addr)));
	return r;
}

static void session_unpublish(struct session *s)
{
	struct worker_tables *t = &s->w->tables;
	htab_remove(&t->by_index, &s->by_index);
	htab_remove(&t->by_inner, &s->by_ip4);
	htab_remove(&t->by_inner, &s->by_ip6);
}

/* ---- life ---- */

static void on_timer(struct loop_timer *t, ms_t now_ms);

static void on_timer_closed(struct loop_timer *t)
{
	struct session *s = t->ctx;
	config_put(s->config);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

/* Takes the session out of everything; the memory goes when libuv is done with the timer. */
static void session_free(struct session *s)
{
	struct worker *w = s->w;
	dtls_forget(s);
	session_tunnel_end(s);
	session_unpublish(s);
	if (s->prev)
		s->prev->next = s->next;
	else
		w->sessions = s->next;
	if (s->next)
		s->next->prev = s->prev;
	w->n_sessions--;
	s->is_closing = true;
	loop_timer_close(&s->timer, on_timer_closed);
}

static struct session *session_new(struct worker *w)
{
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->w = w;
	if (loop_timer_open(&s->timer, &w->loop, on_timer, s) < 0) {
		free(s);
		return NULL;
	}
	s->next = w->sessions;
	if (w->sessions)
		w->sessions->prev = s;
	w->sessions = s;
	w->n_sessions_total++;
	if (++w->n_sessions > w->n_sessions_peak)
		w->n_sessions_peak = w->n_sessions;
	return s;
}

static void set_identity(struct session *s, const struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req)
{
	struct session_identity *id = &s->id;
	id->index = info->index;
	id->connection = info->connection;
	memcpy(id->username, info->username, sizeof(id->username));
	memcpy(id->tunnel_group, info->tunnel_group, sizeof(id->tunnel_group));
	memcpy(id->group_policy, info->group_policy, sizeof(id->group_policy));
	id->ip4 = (struct ip_prefix){info->ip4, info->ip4_len};
	id->ip6 = (struct ip_prefix){info->ip6, info->ip6_len};
	id->login_at_s = info->login_at_s;
	id->peer = c->peer;
	id->peer_port = c->peer_port;
	snprintf(id->user_agent, sizeof(id->user_agent), "%s", req->user_agent);
	snprintf(id->hostname, sizeof(id->hostname), "%.*s", (int)sizeof(id->hostname) - 1, req->hostname);
}

static int resolve_policy(struct session *s)
{
	struct config *cfg = s->w->config;
	const struct tunnel_group *g = config_find_tunnel_group(cfg, span_str(s->id.tunnel_group));
	const struct local_user *u = config_find_user(cfg, span_str(s->id.username));
	if (g == NULL)
		g = config_find_tunnel_group(cfg, span_str(POLICY_DEFAULT_WEBVPN_GROUP));
	int r = config_resolve_policy(cfg, g, u, span_str(s->id.group_policy), NULL, &s->policy);
	if (r < 0)
		return r;
	config_put(s->config);
	s->config = config_get(cfg);
	return 0;
}

/* The newer connection wins. The older one is closed without DISCONNECT, which a client would take as the
 * end. */
static void drop_tunnels(struct session *s)
{
	struct conn *old = s->conn;
	s->conn = NULL;
	if (old) {
		old->session = NULL;
		conn_close(old);
	}
	link_down(&s->link, LINK_TLS, loop_now());
	session_tunnel_down(s, TUNNEL_TLS);
	dtls_forget(s);
	link_down(&s->link, LINK_DTLS, loop_now());
	session_tunnel_down(s, TUNNEL_DTLS);
}

static void count_replaced(const struct session *s)
{
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		if (link_is_up(&s->link, ch))
			worker_drop(s->w, DROP_REPLACED);
	}
}

static void tell_auth(struct worker *w, uint8_t type, uint32_t index, uint32_t connection, uint8_t reason)
{
	struct ipc_msg m = {.type = type};
	if (type == IPC_SESSION_LOST)
		m.session_lost = (struct ipc_session_lost){index, connection};
	else
		m.session_end = (struct ipc_session_end){index, connection, reason};
	if (worker_tell_auth(w, &m) < 0 && w->is_auth_up)
		log_line(LOG_WARNING, "auth process does not answer: end of session %u not recorded", index);
}

void session_not_opened(struct worker *w, const struct ipc_session_info *info)
{
	struct session *s = session_by_index(w, info->index);
	if (s)
		s->id.connection = info->connection;
	if (s == NULL || link_active(&s->link) == LINK_N_CHANNELS)
		tell_auth(w, IPC_SESSION_LOST, info->index, info->connection, 0);
}

static void configure_link(struct session *s)
{
	struct link_config c = {
	        .policy = LINK_CLASSIC,
	        .is_gateway = true,
	        .idle_ms = (ms_t)s->policy.idle_timeout_s * 1000,
	};
	link_configure(&s->link, &c, loop_now());
}

int session_open(struct worker *w, struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req, struct text *ret_reply, struct session **ret)
{
	struct session *s = session_by_index(w, info->index);
	bool is_new = s == NULL;
	int r = 0;
	if (is_new) {
		if ((s = session_new(w)) == NULL) {
			session_not_opened(w, info);
			return -ENOMEM;
		}
		link_init(&s->link, loop_now());
		s->opened_at_ms = loop_now();
		session_tunnel_begin(s, info->connection, loop_now());
	} else {
		count_replaced(s);
		if (s->conn)
			session_log(s, LOG_NOTICE, 722028, "Stale SVC connection closed.");
		drop_tunnels(s);
		session_unpublish(s); /* the client may ask for other address families than before */
	}
	set_identity(s, c, info, req);
	if ((r = session_publish(s)) < 0)
		goto fail;
	if ((r = resolve_policy(s)) < 0)
		goto fail;
	configure_link(s);
	if ((r = offer_make(s, c, info, req, ret_reply)) < 0)
		goto fail;
	s->conn = c;
	c->session = s;
	*ret = s;
	return 0;
fail:
	session_free(s);
	session_not_opened(w, info);
	return r;
}

void session_start(struct session *s)
{
	ms_t now = loop_now();
	struct link_timers t = {.dpd_ms = (ms_t)s->policy.dpd_gateway_s * 1000};
	struct tls_info info;
	tls_info(s->conn->tls, &info);
	snprintf(s->tls_protocol, sizeof(s->tls_protocol), "%s", info.protocol);
	snprintf(s->tls_cipher, sizeof(s->tls_cipher), "%s", info.cipher);
	link_up(&s->link, LINK_TLS, &t, now);
	session_tunnel_up(s, TUNNEL_TLS, now);
	bool is_first = s->n_tls++ == 0, was_lost = s->lost_at_ms != 0;
	s->lost_at_ms = 0;
	session_log_up(s, is_first, was_lost);
	session_rearm(s);
}

/* ---- end ---- */

/* Neither tunnel is left: the session waits. */
static void check_lost(struct session *s)
{
	if (link_active(&s->link) != LINK_N_CHANNELS || s->is_closing)
		return;
	tell_auth(s->w, IPC_SESSION_LOST, s->id.index, s->id.connection, 0);
	session_rearm(s);
}

void session_on_tls_lost(struct session *s, const char *why)
{
	session_log(s, LOG_NOTICE, 722037, "SVC closing connection: %s.", why);
	session_log(s, LOG_INFO, 722023, "TCP SVC connection terminated without compression");
	s->conn = NULL;
	link_down(&s->link, LINK_TLS, loop_now());
	session_tunnel_down(s, TUNNEL_TLS);
	s->lost_at_ms = loop_now();
	check_lost(s);
}

void session_on_dtls_lost(struct session *s, const char *why)
{
	session_log(s, LOG_NOTICE, 722037, "SVC closing connection: %s.", why);
	session_log(s, LOG_INFO, 722023, "UDP SVC connection terminated without compression");
	dtls_active_done(s);
	link_down(&s->link, LINK_DTLS, loop_now());
	session_tunnel_down(s, TUNNEL_DTLS);
	check_lost(s);
}

static void count_control(uint64_t *packets, uint64_t *bytes, size_t payload_bytes)
{
	(*packets)++;
	*bytes += CSTP_HEADER_BYTES + payload_bytes;
}

static void count_control_tx(struct session *s, enum link_channel ch, size_t payload_bytes)
{
	struct traffic *t = &s->traffic[ch];
	count_control(&t->tx_control_packets, &t->tx_control_bytes, payload_bytes);
}

/* What a client is told by the code, by the ASA's name of the cause: all of them are for good (type 16). */
static uint8_t disconnect_code(const char *why)
{
	static const struct {
		const char *why;
		uint8_t severity; /* as of syslog */
	} causes[] = {
	        {"Idle Timeout", LOG_WARNING},
	        {"Max time exceeded", LOG_WARNING},
	        {"Administrator Shutdown", LOG_CRIT},
	};
	for (size_t i = 0; i < N_ELEM(causes); i++) {
		if (strcmp(causes[i].why, why) == 0)
			return DISCONNECT_CODE(causes[i].severity, DISCONNECT_TYPE_LOGOUT);
	}
	return DISCONNECT_USER;
}

static void send_disconnect(struct session *s, const char *text)
{
	uint8_t payload[128];
	struct wr w = wr_open(payload, sizeof(payload));
	wr_u8(&w, disconnect_code(text));
	wr_str(&w, text);
	count_control_tx(s, LINK_TLS, w.n);
	if (s->conn && wr_ok(&w) && conn_write_cstp(s->conn, CSTP_DISCONNECT, wr_span(&w)) < 0)
		return; /* a client that does not read will notice the closed connection */
}

void session_end(struct session *s, enum ipc_end_reason reason, const char *text, bool tells_client)
{
	if (s->is_closing)
		return;
	session_log_end(s, text, tells_client);
	if (tells_client)
		send_disconnect(s, text);
	drop_tunnels(s);
	if (reason != IPC_END_N)
		tell_auth(s->w, IPC_SESSION_END, s->id.index, s->id.connection, (uint8_t)reason);
	session_free(s);
}

void session_detach(struct session *s, const char *why)
{
	if (s->conn) {
		struct conn *c = s->conn;
		c->session = NULL;
		session_on_tls_lost(s, why);
		conn_close(c);
	}
}

void session_on_kick(struct session *s, enum ipc_kick_reason reason)
{
	static const char *const texts[] = {
	        [IPC_KICK_REPLACED] = "Port Preempted",
	        [IPC_KICK_SESSION_TIMEOUT] = "Max time exceeded",
	        [IPC_KICK_EXPIRED] = "Idle Timeout",
	        [IPC_KICK_ADMIN] = "Administrator Reset",
	};
	if (reason < N_ELEM(texts) && texts[reason])
		session_end(s, IPC_END_N, texts[reason], true);
}

/* ---- timers ---- */

static void send_dpd(struct session *s, enum link_channel ch)
{
	count_control_tx(s, ch, 0);
	if (ch == LINK_TLS && s->conn && conn_write_cstp(s->conn, CSTP_DPD_REQUEST, span_of(NULL, 0)) < 0)
		log_line(LOG_DEBUG, "session %u: DPD not sent, client does not read", s->id.index);
	if (ch == LINK_DTLS && dtls_tx(s, CSTP_DPD_REQUEST, span_of(NULL, 0)) < 0)
		log_line(LOG_DEBUG, "session %u: DPD not sent over DTLS", s->id.index);
}

static void obey(struct session *s, const struct link_action *a)
{
	switch (a->act) {
	case LINK_SEND_DPD:
		send_dpd(s, a->channel);
		break;
	case LINK_DEAD:
		s->n_dpd_lost++;
		if (a->channel == LINK_DTLS) {
			session_on_dtls_lost(s, "DPD failure");
		} else if (s->conn) {
			struct conn *c = s->conn;
			c->session = NULL;
			session_on_tls_lost(s, "DPD failure");
			conn_abort(c);
		}
		break;
	case LINK_IDLE_TIMEOUT:
		session_end(s, IPC_END_IDLE, "Idle Timeout", true);
		break;
	case LINK_SEND_KEEPALIVE:
	case LINK_REKEY:
		break; /* the client's business: the gateway only announces the intervals */
	case LINK_NUDGE:
	case LINK_SWITCHED:
	case LINK_PATH_LIMIT:
		break;
	}
}

static void on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct session *s = t->ctx;
	struct worker *w = s->w;
	struct link_action acts[LINK_MAX_ACTIONS];
	if (s->is_closing)
		return;
	if (s->dtls.next.dtls && dtls_timeout_due_ms(s->dtls.next.dtls, now_ms) <= now_ms) {
		dtls_tx_flush(w);
		w->dtls_pending = NULL;
		if (dtls_on_timeout(s->dtls.next.dtls) < 0)
			dtls_next_done(s);
		else
			dtls_assoc_flush(s, &s->dtls.next);
	}
	/* without a tunnel nothing is due here: a timer set before the loss must not end what waits to be
	 * resumed */
	size_t n = link_active(&s->link) == LINK_N_CHANNELS ? 0 : link_step(&s->link, now_ms, acts);
	for (size_t i = 0; i < n && !s->is_closing; i++)
		obey(s, &acts[i]);
	if (!s->is_closing)
		session_rearm(s);
	dtls_tx_flush(w);
	conn_flush_dirty(w);
}

void session_rearm(struct session *s)
{
	ms_t due = link_due_ms(&s->link);
	if (link_active(&s->link) == LINK_N_CHANNELS)
		due = MS_NEVER; /* waiting to resume: auth keeps that time */
	if (s->dtls.next.dtls)
		due = ms_min(due, dtls_timeout_due_ms(s->dtls.next.dtls, loop_now()));
	/* deadlines mostly move away with each packet: the timer then fires early and looks again, once per
	 * interval */
	if (due < s->timer.due_at_ms)
		loop_timer_set(&s->timer, due);
}

/* ---- packets ---- */

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

/* A SYN with the MSS that `sysopt connection tcpmss` allows, in scratch.syn; every other packet as it is. */
static struct span fit_mss(struct session *s, struct span packet)
{
	const struct config *c = s->config;
	uint8_t *copy = s->w->scratch.syn;
	if ((c->tcpmss == 0 && c->tcpmss_minimum == 0) || packet.n > WORKER_TUN_SLOT || !tcp_is_syn(packet))
		return packet;
	memcpy(copy, packet.p, packet.n);
	tcp_fit_mss(copy, packet.n, (uint16_t)c->tcpmss_minimum, (uint16_t)c->tcpmss);
	return span_of(copy, packet.n);
}

void session_deliver(struct session *s, enum link_channel ch, struct span packet)
{
	struct traffic *t = &s->traffic[ch];
	if (tun_write(s->w->tun_fd, packet.p, packet.n) < 0) {
		t->rx_drops++;
		worker_drop(s->w, DROP_NO_CHANNEL);
		return;
	}
	t->rx_packets++;
	t->rx_bytes += packet.n;
}

static void packet_to_inside(struct session *s, enum link_channel ch, struct span packet)
{
	struct ip_addr src, dst;
	struct traffic *t = &s->traffic[ch];
	if (ip_addresses(packet, &src, &dst) < 0) {
		t->rx_drops++;
		worker_drop(s->w, DROP_BAD_LENGTH);
		return;
	}
	/* a client speaks for its own addresses only; IPv6 link-local chatter is dropped as well */
	if (!addr_eq(&src, src.family == 4 ? &s->id.ip4.addr : &s->id.ip6.addr)) {
		t->rx_drops++;
		worker_drop(s->w, DROP_SPOOFED);
		return;
	}
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
		count_control_tx(s, ch, payload.n);
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
	link_on_rx(&s->link, ch, p->type == CSTP_DATA, p->payload.n, worker_now(s->w));
	if (p->type != CSTP_DATA)
		count_control(&t->rx_control_packets, &t->rx_control_bytes, p->payload.n);
	switch (p->type) {
	case CSTP_DATA:
		packet_to_inside(s, ch, p->payload);
		break;
	case CSTP_DPD_REQUEST:
		answer_dpd(s, ch, p->payload);
		break;
	case CSTP_DPD_RESPONSE:
	case CSTP_KEEPALIVE: /* never answered: that would loop */
		break;
	case CSTP_DISCONNECT:
		on_disconnect(s, p->payload);
		break;
	default:
		worker_drop(s->w, DROP_UNKNOWN_TYPE);
		s->traffic[ch].rx_drops++;
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

void session_on_tls_record(struct session *s, struct span record)
{
	struct span rest = record;
	if (record.n == 0)
		return;
	while (rest.n > 0 && !s->is_closing && s->conn) {
		struct cstp_packet p;
		enum cstp_fault fault;
		struct span at = rest;
		if (cstp_take(&rest, &p, &fault) < 0) {
			on_bad_frame(s, at, fault);
			return;
		}
		on_packet(s, LINK_TLS, &p);
	}
	if (!s->is_closing)
		session_rearm(s);
}

void session_on_dtls_record(struct session *s, struct span record)
{
	struct cstp_packet p;
	if (dtls_channel_parse(record, &p) < 0) {
		worker_drop(s->w, DROP_BAD_LENGTH);
		return;
	}
	on_packet(s, LINK_DTLS, &p);
}

void session_send_packet(struct session *s, struct span packet)
{
	enum link_channel ch = link_active(&s->link);
	packet = fit_mss(s, packet);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC && ch != LINK_N_CHANNELS)
		classic_to_client(s, ch, packet);
	else
		session_transmit(s, packet);
}

void session_transmit(struct session *s, struct span packet)
{
	enum link_channel ch = link_active(&s->link);
	int r = ERR_CLOSED;
	if (ch == LINK_DTLS && packet.n > s->dtls.limit_bytes && s->conn)
		ch = LINK_TLS; /* whatever does not fit a datagram goes by TLS, which has no such limit */
	if (ch == LINK_DTLS)
		r = dtls_tx(s, CSTP_DATA, packet);
	else if (ch == LINK_TLS && s->conn)
		r = conn_write_cstp(s->conn, CSTP_DATA, packet);
	if (ch == LINK_N_CHANNELS) {
		worker_drop(s->w, DROP_NO_SESSION);
		return;
	}
	struct traffic *t = &s->traffic[ch];
	if (r < 0) {
		t->tx_drops++;
		worker_drop(s->w, r == -ENOBUFS ? DROP_FLOW_CONTROL : DROP_NO_SESSION);
		return;
	}
	if (ch != s->last_active) {
		s->n_switches += s->traffic[0].tx_packets + s->traffic[1].tx_packets > 0;
		s->last_active = (uint8_t)ch;
	}
	t->tx_packets++;
	t->tx_bytes += packet.n;
	link_on_tx(&s->link, ch, true, packet.n, worker_now(s->w));
}
