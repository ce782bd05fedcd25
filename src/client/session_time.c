/* What is due: actions of link, retries, and the deadlines of all parts, behind one timer. */
#include "client/session_internal.h"

static void on_rekey(struct session *s, enum link_channel ch)
{
	if (ch != LINK_TLS)
		return;
	if (s->params.cstp.rekey_method == REKEY_SSL && tls_key_update(s->tls.conn.tls) == 0) {
		/* keys are new, so the tunnel's age is */
		link_on_rekeyed(&s->link, LINK_TLS, loop_now());
		tunnel_tls_flush(&s->tls);
		return;
	}
	session_renew_tls(s, "rekey");
}

static void on_dead(struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS) {
		events_note(s->ev, EVENT_WARNING, 0, "The Primary DTLS connection is down: no answer to DPD");
		tunnel_dtls_restart(&s->dtls, loop_now());
		session_note_active(s, "dtls dpd", true);
		session_classic_on_dtls_lost(s, true);
		session_announce_reconnect(s);
		return;
	}
	session_note_disruption(s, "no answer to DPD");
	tunnel_tls_close(&s->tls, false);
	session_begin_reconnect(s);
	session_announce_reconnect(s);
}

static void send_dpd(struct session *s, const struct link_action *a)
{
	uint8_t buf[LINK_DPD_PAYLOAD_MAX];
	if (session_is_seamless(s)) {
		session_send_control(s, a->channel, CSTP_DPD_REQUEST, link_dpd_payload(a, buf, sizeof(buf)));
		return;
	}
	if (a->channel == LINK_DTLS)
		s->stats.dtls_probe_at_ms = 0;
	session_probe(s, a->channel);
}

static void do_action(struct session *s, const struct link_action *a)
{
	switch (a->act) {
	case LINK_SEND_DPD:
		send_dpd(s, a);
		return;
	case LINK_SEND_KEEPALIVE:
		session_send_control(s, a->channel, CSTP_KEEPALIVE, (struct span){0});
		return;
	case LINK_DEAD:
		on_dead(s, a->channel);
		return;
	case LINK_REKEY:
		on_rekey(s, a->channel);
		return;
	case LINK_IDLE_TIMEOUT:
	case LINK_NUDGE:
		return; /* the gateway's business: never set here */
	case LINK_SWITCHED:
		session_seamless_on_switch(s, &a->change);
		return;
	case LINK_PATH_LIMIT:
		session_seamless_on_limit(s, &a->limit);
		return;
	}
}

static void dial_if_due(struct session *s, ms_t now_ms)
{
	if (now_ms < s->retry_at_ms)
		return;
	s->retry_at_ms = MS_NEVER;
	if (s->has_params)
		adapter_attempt(&s->adapter, &s->params);
	events_note(s->ev, EVENT_INFO, 0, "Establishing the Primary SSL connection");
	tunnel_tls_dial(&s->tls, now_ms);
}

static ms_t session_due_ms(const struct session *s, ms_t now_ms)
{
	ms_t due_ms = ms_min(link_due_ms(&s->link), s->retry_at_ms);
	due_ms = ms_min(due_ms, tunnel_tls_due_ms(&s->tls));
	due_ms = ms_min(due_ms, session_classic_due_ms(s));
	due_ms = ms_min(due_ms, session_rules_due_ms(s));
	due_ms = ms_min(due_ms, session_seamless_due_ms(s));
	return ms_min(due_ms, tunnel_dtls_due_ms(&s->dtls, now_ms));
}

void session_tick(struct session *s)
{
	if (s->state != SESSION_ENDING)
		loop_timer_set(&s->timer, session_due_ms(s, loop_now()));
}

void session_on_batch(void *ctx)
{
	struct session *s = ctx;
	datapath_flush(&s->path);
	if (s->state == SESSION_ENDING)
		return;
	ms_t due_ms = session_due_ms(s, uv_now(&s->loop));
	if (due_ms < s->timer.due_at_ms)
		loop_timer_set(&s->timer, due_ms);
}

void session_on_time(struct loop_timer *t, ms_t now_ms)
{
	struct session *s = t->ctx;
	struct link_action actions[LINK_MAX_ACTIONS];
	session_rules_on_time(s, now_ms); /* a resume comes first: what stood still is not dead */
	size_t n = link_step(&s->link, now_ms, actions);
	for (size_t i = 0; i < n && s->state != SESSION_ENDING; i++)
		do_action(s, &actions[i]);
	if (s->state != SESSION_ENDING)
		session_classic_on_time(s, now_ms);
	if (s->state != SESSION_ENDING)
		session_seamless_on_time(s, now_ms);
	if (s->state != SESSION_ENDING)
		tunnel_dtls_on_time(&s->dtls, now_ms);
	if (s->state != SESSION_ENDING)
		tunnel_tls_on_time(&s->tls, now_ms);
	if (s->state != SESSION_ENDING)
		dial_if_due(s, now_ms);
	datapath_update(&s->path);
	session_tick(s);
}
