/* What tunnel/link is told about the client, and what it wants done. */
#include "gateway/conn.h"
#include "gateway/offer.h"
#include "gateway/session_int.h"
#include "gateway/session_log.h"
#include "io/log.h"

/* ---- configuration ---- */

static enum peer_kind peer_kind(const struct tunnel_request *req)
{
	if (req->own.is_own)
		return PEER_OWN;
	return offer_is_cisco(req->user_agent) ? PEER_CISCO : PEER_OPENCONNECT;
}

/* The largest packet that DTLS carries and the client expects. */
static uint16_t dtls_max_bytes(const struct session *s)
{
	if (s->dtls.suite == DTLS_NONE)
		return 0;
	return s->mtu.dtls < s->dtls.limit_bytes ? s->mtu.dtls : s->dtls.limit_bytes;
}

void session_configure_link(struct session *s, const struct tunnel_request *req)
{
	struct link_config c = {
	        .policy = LINK_CLASSIC,
	        .is_gateway = true,
	        .idle_ms = (ms_t)s->policy.idle_timeout_s * 1000,
	};
	if (s->policy.mtu_policy != MTU_POLICY_CLASSIC) {
		c.policy = LINK_SEAMLESS;
		c.peer = peer_kind(req);
		c.has_steer = req->own.has_steer;
		c.has_pieces = req->own.has_pieces;
		c.dtls_max_bytes = dtls_max_bytes(s);
	}
	/* told to own clients in the answer (offer.c): they may send pieces */
	s->pieces.is_agreed = req->own.is_own;
	session_pieces_done(s); /* sized for the former MTU */
	link_configure(&s->link, &c, loop_now());
}

/* ---- actions ---- */

static void send_dpd(struct session *s, const struct link_action *a)
{
	struct span payload = link_dpd_payload(a, s->w->scratch.piece, WORKER_TUN_SLOT);
	int r = ERR_CLOSED;
	if (a->channel == LINK_DTLS)
		r = dtls_tx(s, CSTP_DPD_REQUEST, payload);
	else if (s->conn)
		r = conn_write_cstp(s->conn, CSTP_DPD_REQUEST, payload);
	if (r < 0) {
		log_line(LOG_DEBUG, "session %u: DPD not sent over %s", s->id.index,
		        link_channel_name(a->channel));
		return;
	}
	session_count_control_tx(s, a->channel, payload.n);
	link_on_tx(&s->link, a->channel, false, payload.n, loop_now());
}

static void on_dead(struct session *s, enum link_channel ch)
{
	s->n_dpd_lost++;
	if (ch == LINK_DTLS) {
		session_on_dtls_lost(s, "DPD failure");
	} else if (s->conn) {
		struct conn *c = s->conn;
		c->session = NULL;
		session_on_tls_lost(s, "DPD failure");
		conn_abort(c);
	}
}

/* The client cannot notice for minutes that UDP is dead: without TCP it comes back at once, with a new DTLS.
 */
static void nudge(struct session *s)
{
	s->w->counts.switches.n_nudges++;
	s->n_nudges++;
	session_log_nudge(s);
	session_on_dtls_lost(s, "DTLS does not answer");
	session_detach(s, "DTLS does not answer");
}

static void obey(struct session *s, const struct link_action *a)
{
	switch (a->act) {
	case LINK_SEND_DPD:
		send_dpd(s, a);
		break;
	case LINK_DEAD:
		on_dead(s, a->channel);
		break;
	case LINK_IDLE_TIMEOUT:
		session_end(s, IPC_END_IDLE, "Idle Timeout", true);
		break;
	case LINK_SEND_KEEPALIVE:
	case LINK_REKEY:
		break; /* the client's business: the gateway only announces the intervals */
	case LINK_NUDGE:
		nudge(s);
		break;
	case LINK_SWITCHED:
		switches_count(&s->w->counts.switches, &a->change);
		session_log_switched(s, &a->change);
		break;
	case LINK_PATH_LIMIT:
		s->w->counts.switches.n_limits[a->limit.cause]++;
		session_log_limit(s, &a->limit);
		break;
	}
}

/* ---- timers ---- */

static void step_handshake(struct session *s, ms_t now_ms)
{
	struct worker *w = s->w;
	if (s->dtls.next.dtls == NULL || dtls_timeout_due_ms(s->dtls.next.dtls, now_ms) > now_ms)
		return;
	dtls_tx_flush(w);
	w->turn.dtls_pending = NULL;
	if (dtls_on_timeout(s->dtls.next.dtls) < 0)
		dtls_next_done(s);
	else
		dtls_assoc_flush(s, &s->dtls.next);
}

void session_on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct session *s = t->ctx;
	struct worker *w = s->w;
	struct link_action acts[LINK_MAX_ACTIONS];
	if (s->is_closing)
		return;
	step_handshake(s, now_ms);
	if (s->dtls.old.dtls && now_ms >= s->dtls.old_until_ms)
		dtls_old_done(s);
	/* without a tunnel nothing is due here: a timer set before the loss must not end what waits to be
	 * resumed */
	size_t n = link_active(&s->link) == LINK_N_CHANNELS ? 0 : link_step(&s->link, now_ms, acts);
	for (size_t i = 0; i < n && !s->is_closing; i++)
		obey(s, &acts[i]);
	if (!s->is_closing)
		session_touch(s);
	worker_flush(w);
}

void session_rearm(struct session *s)
{
	ms_t due = link_due_ms(&s->link);
	if (link_active(&s->link) == LINK_N_CHANNELS)
		due = MS_NEVER; /* waiting to resume: auth keeps that time */
	if (s->dtls.next.dtls)
		due = ms_min(due, dtls_timeout_due_ms(s->dtls.next.dtls, loop_now()));
	if (s->dtls.old.dtls)
		due = ms_min(due, s->dtls.old_until_ms);
	/* deadlines mostly move away with each packet: the timer then fires early and looks again, once per
	 * interval */
	if (due < s->timer.due_at_ms)
		loop_timer_set(&s->timer, due);
}

/* Facts come in batches, mostly about one session: its deadline is looked at once, at the end. */
void session_touch(struct session *s)
{
	struct worker *w = s->w;
	if (w->turn.touched == s)
		return;
	session_settle(w);
	w->turn.touched = s;
}

void session_settle(struct worker *w)
{
	struct session *s = w->turn.touched;
	w->turn.touched = NULL;
	if (s && !s->is_closing)
		session_rearm(s);
}
