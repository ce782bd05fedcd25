/* What the seamless policy does for a session: what the two tunnels may do with this gateway, the adapter's
 * MTU in place, what the user is told, and a second TLS connection when neither tunnel answers. */
#include "client/session_internal.h"
#include "io/offload.h"
#include "mtu/derive.h"

#define REDIAL_AFTER_MS 150 /* or two round trips: TLS was asked and says nothing, and DTLS neither */
#define BASE_MTU_USUAL  1500

/* ---- the gateway, by its answer to CONNECT ---- */

static bool has_two_mtus(const struct tunnel_params *p)
{
	return p->dtls_mtu != 0 && p->cstp_mtu != 0 && p->dtls_mtu != p->cstp_mtu;
}

static enum peer_kind peer_kind_of(const struct tunnel_params *p)
{
	if (span_starts(span_str(p->server_name), "ocserv"))
		return PEER_OCSERV;
	if (has_two_mtus(p)) /* our own too, with mtu-policy classic: it drops what is larger */
		return PEER_ASA;
	return p->own.is_own ? PEER_OWN : PEER_OCSERV;
}

/* The suite with the largest records of those that may be agreed on. */
static const struct mtu_suite *dtls_suite_of(const struct tunnel_params *p)
{
	const struct dtls_suite_info *i = dtls_suite_info(p->suite);
	const struct mtu_suite *s =
	        i != NULL && i->openssl_name != NULL ? mtu_suite_find(span_str(i->openssl_name)) : NULL;
	return s != NULL ? s : mtu_suite_find(span_str("PSK-AES256-GCM-SHA384"));
}

static uint16_t inner_bytes(const struct session *s, uint32_t path_bytes)
{
	return mtu_exact_dtls(path_bytes, s->gate->peer.addr.family, MTU_DTLS_1_2, dtls_suite_of(&s->params));
}

/* The largest datagram that may pass, as far as anybody knows: what the gateway counted with, and what TCP
 * has learned. The search begins there and never tries more. */
static uint16_t dtls_max_bytes(const struct session *s)
{
	struct sock_tcp_facts facts = {0};
	uint32_t base = s->params.base_mtu ? s->params.base_mtu : BASE_MTU_USUAL;
	if (sock_tcp_facts(s->tls.conn.fd, &facts) == 0 && facts.pmtu_bytes >= MTU_BASE_MIN &&
	        facts.pmtu_bytes < base)
		base = facts.pmtu_bytes;
	uint16_t exact = inner_bytes(s, base);
	if (s->link.config.peer == PEER_ASA && s->params.dtls_mtu != 0 && s->params.dtls_mtu < exact)
		return s->params.dtls_mtu;
	return exact;
}

bool session_wants_super(const struct session *s)
{
	return session_is_seamless(s) && !(s->opt->network.offloads_refused & OFFLOAD_SUPER);
}

/* Both have said so in this CONNECT. */
static void agree_super(struct session *s)
{
	const struct tunnel_params *p = &s->params;
	s->tls.takes_super = p->own.has_super && session_wants_super(s);
	s->path.super_max_bytes = s->tls.takes_super ? p->cstp_mtu : 0;
	s->path.super_pace = (struct super_pace){0}; /* of another connection */
}

void session_seamless_on_params(struct session *s)
{
	const struct tunnel_params *p = &s->params;
	bool is_seamless = session_is_seamless(s);
	struct link_config c = {
	        .policy = is_seamless ? LINK_SEAMLESS : LINK_CLASSIC,
	        .peer = is_seamless ? peer_kind_of(p) : PEER_ASA,
	        .has_steer = p->own.has_steer,
	        .has_pieces = p->own.has_pieces,
	};
	s->link.config.peer = c.peer;
	if (is_seamless && p->suite != DTLS_NONE)
		c.dtls_max_bytes = dtls_max_bytes(s);
	link_configure(&s->link, &c, loop_now());
	agree_super(s);
	/* such a gateway drops what is larger */
	s->path.tls_max_bytes = is_seamless && c.peer == PEER_ASA ? p->cstp_mtu : 0;
}

const struct tunnel_dtls_pace *session_dtls_pace(const struct session *s)
{
	if (!session_is_seamless(s))
		return &tunnel_dtls_pace_classic;
	return s->params.own.is_own ? &tunnel_dtls_pace_own : &tunnel_dtls_pace_foreign;
}

/* ---- the adapter ---- */

/* One announced value stays, and packets above the path limit find their way; a peer that takes no mixture
 * gets no such packets, as far as possible. Of two values the smaller, and the one of DTLS while that
 * carries. */
uint16_t session_seamless_mtu(const struct session *s)
{
	const struct tunnel_params *p = &s->params;
	uint16_t mtu = adapter_mtu(p), limit = link_path_limit_bytes(&s->link);
	if (s->link.config.peer == PEER_ASA && has_two_mtus(p))
		return link_active(&s->link) == LINK_DTLS ? adapter_mtu_bound(p, p->dtls_mtu) : mtu;
	if (s->link.config.peer == PEER_OCSERV && limit != 0 && limit < mtu)
		return adapter_mtu_bound(p, limit);
	return mtu;
}

static void update_adapter(struct session *s)
{
	if (s->has_params && s->adapter.is_open)
		adapter_set_mtu(&s->adapter, session_seamless_mtu(s));
}

/* ---- news of link ---- */

static enum link_channel channel_of(enum choice_mode m)
{
	return m == CHOICE_DTLS || m == CHOICE_BOTH ? LINK_DTLS
	       : m == CHOICE_TLS                    ? LINK_TLS
	                                            : LINK_N_CHANNELS;
}

/* DTLS for the first time, and its renewal after a reconnect, are no news for the user. */
static void say_switch(struct session *s, const struct choice_switch *c)
{
	if (channel_of(c->to) == LINK_DTLS) {
		if (s->seamless.is_udp_lost)
			events_say(s->ev, "UDP back.");
		s->seamless.is_udp_lost = false;
	} else if (c->cause != CAUSE_SIZE && !s->seamless.is_dtls_replaced) {
		if (!s->seamless.is_udp_lost)
			events_say(s->ev, "UDP lost, continuing over TLS.");
		s->seamless.is_udp_lost = true;
	}
	s->seamless.is_dtls_replaced = false;
}

void session_seamless_on_switch(struct session *s, const struct choice_switch *c)
{
	if (!session_is_seamless(s))
		return;
	s->active = channel_of(c->to);
	s->stats.switches++;
	s->stats.last = (struct session_switch){
	        channel_of(c->from), channel_of(c->to), choice_cause_name(c->cause), c->gap_ms};
	events_note(s->ev, EVENT_INFO, 0, "Data goes by %s now, before by %s: %s (after %llu ms).",
	        link_channel_name(s->stats.last.to), link_channel_name(s->stats.last.from),
	        s->stats.last.cause, (unsigned long long)c->gap_ms);
	say_switch(s, c);
	update_adapter(s);
	datapath_update(&s->path);
}

void session_seamless_on_limit(struct session *s, const struct link_limit *limit)
{
	events_note(s->ev, EVENT_INFO, 0,
	        "The largest packet of the DTLS tunnel is %u bytes now, before %u: %s.", limit->new_bytes,
	        limit->old_bytes, pmtu_cause_name(limit->cause));
	update_adapter(s);
}

void session_on_too_big(void *ctx, uint16_t path_bytes)
{
	struct session *s = ctx;
	if (path_bytes < MTU_BASE_MIN)
		return;
	uint16_t fits = inner_bytes(s, path_bytes);
	if (s->link.config.dtls_max_bytes != 0 && fits < s->link.config.dtls_max_bytes)
		link_on_too_big(&s->link, (size_t)fits + 1, loop_now());
}

/* ---- neither tunnel answers ---- */

static void on_redialled(void *ctx, struct conn *conn)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING || s->tls.stage != TUNNEL_TLS_UP)
		return;
	if (s->link.channels[LINK_TLS].life.state == LIVENESS_ALIVE) {
		events_note(s->ev, EVENT_INFO, 0, "The Primary SSL connection answers again.");
		return;
	}
	session_note_disruption(s, "neither tunnel answers, a new connection does");
	session_begin_reconnect(s);
	s->retry_at_ms = MS_NEVER;
	tunnel_tls_adopt(&s->tls, conn, loop_now());
	session_announce_reconnect(s);
	session_tick(s);
}

int session_seamless_open(struct session *s)
{
	struct redial *r = &s->seamless.redial;
	r->on_ready = on_redialled;
	r->ctx = s;
	return redial_init(r, &s->loop, s->gate);
}

void session_seamless_close(struct session *s)
{
	redial_close(&s->seamless.redial);
}

void session_seamless_redial(struct session *s, const char *why)
{
	events_note(s->ev, EVENT_INFO, 0, "A second SSL connection is tried: %s.", why);
	link_on_network_change(&s->link, loop_now());
	if (s->tls.stage != TUNNEL_TLS_UP)
		return;
	liveness_doubt(&s->link.channels[LINK_TLS].life, true, loop_now());
	redial_begin(&s->seamless.redial, loop_now());
}

static ms_t patience_ms(const struct session *s)
{
	struct sock_tcp_facts facts;
	if (sock_tcp_facts(s->tls.conn.fd, &facts) != 0)
		return REDIAL_AFTER_MS;
	ms_t wait_ms = facts.rtt_us / 500;
	return wait_ms > REDIAL_AFTER_MS ? wait_ms : REDIAL_AFTER_MS;
}

/* When a second connection is due; MS_NEVER while one of the tunnels answers. */
static ms_t doubt_due_ms(const struct session *s)
{
	const struct link_state *tls = &s->link.channels[LINK_TLS], *dtls = &s->link.channels[LINK_DTLS];
	const struct redial *r = &s->seamless.redial;
	if (!session_is_seamless(s) || s->tls.stage != TUNNEL_TLS_UP || r->is_open)
		return MS_NEVER;
	if (tls->life.state != LIVENESS_QUERIED && tls->life.state != LIVENESS_SUSPECT)
		return MS_NEVER;
	if (dtls->is_up && !liveness_is_doubtful(&dtls->life))
		return MS_NEVER;
	ms_t due_ms = ms_add(tls->life.asked_at_ms, patience_ms(s));
	return due_ms > r->next_at_ms ? due_ms : r->next_at_ms;
}

ms_t session_seamless_due_ms(const struct session *s)
{
	if (!session_is_seamless(s))
		return MS_NEVER;
	return ms_min(redial_due_ms(&s->seamless.redial), doubt_due_ms(s));
}

/* A DTLS that is silent gets a successor; one that answers needs none. */
static void look_after_dtls(struct session *s, ms_t now_ms)
{
	const struct link_state *dtls = &s->link.channels[LINK_DTLS];
	if (s->dtls.stage != TUNNEL_DTLS_UP || s->tls.stage != TUNNEL_TLS_UP)
		return;
	if (dtls->life.state == LIVENESS_DEAD)
		tunnel_dtls_replace(&s->dtls, now_ms);
	else if (dtls->life.state == LIVENESS_ALIVE)
		tunnel_dtls_settle(&s->dtls);
}

void session_seamless_on_time(struct session *s, ms_t now_ms)
{
	struct redial *r = &s->seamless.redial;
	if (!session_is_seamless(s))
		return;
	redial_on_time(r, now_ms);
	if (s->link.channels[LINK_TLS].life.state == LIVENESS_ALIVE && s->tls.stage == TUNNEL_TLS_UP) {
		redial_close(r);
		redial_settle(r);
	} else if (now_ms >= doubt_due_ms(s)) {
		events_note(
		        s->ev, EVENT_INFO, 0, "Neither tunnel answers: a second SSL connection is tried.");
		redial_begin(r, now_ms);
	}
	look_after_dtls(s, now_ms);
}
