#include "gateway/session_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/conn.h"
#include "gateway/offer.h"
#include "gateway/process.h"
#include "gateway/session_log.h"
#include "io/log.h"

/* ---- life ---- */

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
	session_pieces_done(s);
	if (w->turn.touched == s)
		w->turn.touched = NULL;
	session_tunnel_end(s);
	session_key_unpublish(s);
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
	if (loop_timer_open(&s->timer, &w->loop, session_on_timer, s) < 0) {
		free(s);
		return NULL;
	}
	s->next = w->sessions;
	if (w->sessions)
		w->sessions->prev = s;
	w->sessions = s;
	w->n_sessions++;
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
static void drop_tls(struct session *s)
{
	struct conn *old = s->conn;
	s->conn = NULL;
	if (old) {
		old->session = NULL;
		conn_close(old);
	}
	link_down(&s->link, LINK_TLS, loop_now());
	session_tunnel_down(s, TUNNEL_TLS);
}

static void drop_dtls(struct session *s)
{
	dtls_forget(s);
	link_down(&s->link, LINK_DTLS, loop_now());
	session_tunnel_down(s, TUNNEL_DTLS);
}

static void drop_tunnels(struct session *s)
{
	drop_tls(s);
	drop_dtls(s);
}

/* A client of ours that comes back keeps its DTLS until the next one is up: data goes on meanwhile. Stock
 * clients forget theirs. */
static bool keeps_dtls(const struct session *s, const struct tunnel_request *req)
{
	return req->own.is_own && req->suites != 0 && s->dtls.active.dtls != NULL &&
	       s->link.config.policy == LINK_SEAMLESS && s->link.config.peer == PEER_OWN;
}

static void count_replaced(const struct session *s, const struct tunnel_request *req)
{
	if (link_is_up(&s->link, LINK_TLS))
		worker_drop(s->w, DROP_REPLACED);
	if (link_is_up(&s->link, LINK_DTLS) && !keeps_dtls(s, req))
		worker_drop(s->w, DROP_REPLACED);
}

static void tell_auth(struct worker *w, uint8_t type, uint32_t index, uint32_t connection, uint8_t reason)
{
	struct ipc_msg m = {.type = type};
	if (type == IPC_SESSION_LOST)
		m.session_lost = (struct ipc_session_lost){index, connection};
	else
		m.session_end = (struct ipc_session_end){index, connection, reason};
	if (worker_tell_auth(w, &m) < 0 && w->auth.is_up)
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
		count_replaced(s, req);
		if (s->conn)
			session_log(s, LOG_NOTICE, 722028, "Stale SVC connection closed.");
		drop_tls(s);
		dtls_next_done(s);
		if (!keeps_dtls(s, req))
			drop_dtls(s);
		session_key_unpublish(s); /* the client may ask for other address families than before */
	}
	set_identity(s, c, info, req);
	if ((r = session_key_publish(s, c->token_hash)) < 0)
		goto fail;
	if ((r = resolve_policy(s)) < 0)
		goto fail;
	if ((r = offer_make(s, c, info, req, ret_reply)) < 0)
		goto fail;
	session_configure_link(s, req);
	if (s->dtls.active.dtls && (s->dtls.suite == DTLS_NONE || s->link.config.policy == LINK_CLASSIC))
		drop_dtls(s); /* the new offer has none, or nobody would look after it */
	s->conn = c;
	c->session = s;
	*ret = s;
	return 0;
fail:
	session_free(s);
	session_not_opened(w, info);
	return r;
}

/* The client has come back while its DTLS was still there: does that one live? */
static void check_kept_dtls(struct session *s, ms_t now_ms)
{
	struct ip_addr host = udp_addr_ip(&s->dtls.active.path.peer, &(uint16_t){0});
	if (addr_eq(&host, &s->id.peer)) {
		link_on_peer_address_change(&s->link, now_ms);
	} else { /* it cannot be reached there any more; what it sends from here counts */
		dtls_expect_from(s, &s->id.peer);
		link_on_network_change(&s->link, now_ms);
	}
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
	if (s->dtls.active.dtls)
		check_kept_dtls(s, now);
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
	session_count_control_tx(s, LINK_TLS, w.n);
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

/* Another thread has the session now, and nothing here is told of its end. */
static void forget(struct session *s)
{
	drop_tunnels(s);
	session_free(s);
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
	else if (reason == IPC_KICK_TAKEN_OVER)
		forget(s);
}
