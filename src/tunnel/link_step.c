/* What is due: the time side of link. */
#include "tunnel/link_int.h"

struct out {
	struct link_action *v;
	size_t n;
};

static struct link_action *put(struct out *o, enum link_act act, enum link_channel ch)
{
	struct link_action *a = &o->v[o->n++];
	*a = (struct link_action){.act = act, .channel = ch};
	return a;
}

/* ---- DPD requests ---- */

static void remember(struct link *l, uint64_t id, ms_t now_ms)
{
	l->sent[id % LINK_SENT] = (struct link_sent){id, now_ms};
	l->n_dpd_sent++;
}

static void put_dpd(struct link *l, enum link_channel ch, ms_t now_ms, struct out *o)
{
	struct link_state *c = &l->channels[ch];
	struct link_action *a = put(o, LINK_SEND_DPD, ch);
	if (!link_is_seamless(l))
		return;
	a->id = l->next_id++;
	a->bytes = l->peer.echoes_dpd ? LINK_DPD_ID_BYTES : 0;
	remember(l, a->id, now_ms);
	c->asked_at_ms = now_ms;
	c->n_asks += c->n_asks < UINT8_MAX;
	/* without ids an answer counts for the oldest request, unless that is long lost */
	if (c->ask_id == 0 || l->peer.echoes_dpd || c->life.state == LIVENESS_DEAD)
		c->ask_id = a->id;
}

/* ---- the parts ---- */

static void step_timers(struct link *l, enum link_channel ch, ms_t now_ms, struct out *o)
{
	struct link_state *c = &l->channels[ch];
	switch (link_timers_dpd(c, now_ms)) {
	case LINK_TIMER_DEAD:
		l->doubt = CAUSE_NO_ANSWER;
		link_down(l, ch, now_ms);
		put(o, LINK_DEAD, ch);
		return;
	case LINK_TIMER_DPD:
		put_dpd(l, ch, now_ms, o);
		break;
	default:
		break;
	}
	enum link_timer_act t = link_timers_other(c, now_ms);
	if (t != LINK_TIMER_NONE)
		put(o, t == LINK_TIMER_REKEY ? LINK_REKEY : LINK_SEND_KEEPALIVE, ch);
}

static void step_life(struct link *l, enum link_channel ch, ms_t now_ms, struct out *o)
{
	struct link_state *c = &l->channels[ch];
	enum liveness_state before = c->life.state;
	if (liveness_step(&c->life, link_is_in_use(l, now_ms), now_ms) == LIVENESS_ASK)
		put_dpd(l, ch, now_ms, o);
	if (c->life.state == before)
		return;
	if (ch == LINK_DTLS && c->life.state == LIVENESS_SUSPECT) {
		link_on_suspect(l, CAUSE_NO_ANSWER, now_ms);
	} else if (ch == LINK_TLS && c->life.state == LIVENESS_DEAD && !l->config.is_gateway) {
		link_down(l, ch, now_ms);
		put(o, LINK_DEAD, ch);
	} else {
		if (ch == LINK_DTLS &&
		        c->life.state == LIVENESS_DEAD) { /* who knows by which path it returns */
			pmtu_restart(&l->pmtu, now_ms);
			pmtu_pause(&l->pmtu);
		}
		link_decide(l, now_ms);
	}
}

/* Without ids a late answer could count for the wrong size: the round trip must be known first. */
static bool may_search(const struct link *l)
{
	return l->channels[LINK_DTLS].is_up && (l->peer.echoes_dpd || l->channels[LINK_DTLS].life.has_rtt);
}

static void step_pmtu(struct link *l, ms_t now_ms, struct out *o)
{
	struct pmtu_probe probes[PMTU_MAX_SENDS];
	ms_t verdict_ms = liveness_verdict_ms(link_life(l, LINK_DTLS));
	size_t n = pmtu_step(&l->pmtu, verdict_ms, &l->next_id, now_ms, probes);
	for (size_t i = 0; i < n; i++) {
		struct link_action *a = put(o, LINK_SEND_DPD, LINK_DTLS);
		a->id = probes[i].id;
		a->bytes = probes[i].bytes;
		remember(l, a->id, now_ms);
	}
	link_decide(l, now_ms);
}

/* ---- return to DTLS ---- */

/* Data is on TLS although DTLS lives and was proven: when the hold-down is over, it is asked once more. */
static ms_t return_due_ms(const struct link *l)
{
	const struct link_state *dtls = &l->channels[LINK_DTLS];
	if (l->choice.mode != CHOICE_TLS || !dtls->is_up || !l->choice.is_held ||
	        l->oversize_at_ms != MS_NEVER || dtls->life.state != LIVENESS_ALIVE)
		return MS_NEVER;
	if (l->pmtu.state != PMTU_OFF && (!pmtu_is_proven(&l->pmtu) || l->pmtu.verify.id != 0))
		return MS_NEVER;
	return ms_add(l->last_data_ms, LIVENESS_IN_USE_MS) > l->choice.return_at_ms ? l->choice.return_at_ms
	                                                                            : MS_NEVER;
}

static void step_return(struct link *l, ms_t now_ms)
{
	if (now_ms < return_due_ms(l))
		return;
	link_decide(l, now_ms);
	if (l->choice.mode != CHOICE_TLS)
		return;
	if (!link_is_in_use(l, now_ms)) {
		l->choice.return_at_ms = now_ms; /* nothing to return; looked at again with the next data */
	} else if (l->pmtu.state == PMTU_OFF) {
		liveness_doubt(link_life(l, LINK_DTLS), false, now_ms);
	} else {
		pmtu_verify(&l->pmtu, now_ms);
	}
}

static ms_t oversize_due_ms(const struct link *l)
{
	return ms_add(l->oversize_at_ms, LINK_OVERSIZE_MS);
}

static void step_oversize(struct link *l, ms_t now_ms)
{
	if (l->oversize_at_ms == MS_NEVER || now_ms < oversize_due_ms(l))
		return;
	l->oversize_at_ms = MS_NEVER;
	link_decide(l, now_ms);
}

/* ---- nudge ---- */

/* TLS was heard since DTLS became suspect. An answer in the same millisecond is one to the question asked
 * then. */
static bool has_tls_answered(const struct link *l)
{
	const struct link_state *tls = &l->channels[LINK_TLS];
	return tls->last_rx_ms > l->suspect_at_ms || tls->life.answered_at_ms >= l->suspect_at_ms;
}

/* The client's data does not come by TLS, so it has not noticed; TLS answered, so it lives. */
static ms_t nudge_due_ms(const struct link *l)
{
	const struct link_state *tls = &l->channels[LINK_TLS], *dtls = &l->channels[LINK_DTLS];
	if (!l->config.is_gateway || !l->peer.is_nudgeable || !tls->is_up || !dtls->is_up ||
	        dtls->life.state != LIVENESS_DEAD || !has_tls_answered(l))
		return MS_NEVER;
	if (l->tls_data_at_ms != MS_NEVER && l->tls_data_at_ms > l->suspect_at_ms)
		return MS_NEVER;
	ms_t due_ms = ms_add(dtls->life.unanswered_since_ms, LINK_NUDGE_AFTER_MS);
	if (l->nudged_at_ms != MS_NEVER) {
		ms_t again_ms = ms_add(l->nudged_at_ms, LINK_NUDGE_EVERY_MS);
		due_ms = again_ms > due_ms ? again_ms : due_ms;
	}
	return ms_add(l->last_data_ms, LIVENESS_IN_USE_MS) >= due_ms ? due_ms : MS_NEVER;
}

static void step_nudge(struct link *l, ms_t now_ms, struct out *o)
{
	if (now_ms < nudge_due_ms(l))
		return;
	l->nudged_at_ms = now_ms;
	put(o, LINK_NUDGE, LINK_TLS);
}

/* ---- all ---- */

static ms_t idle_due_ms(const struct link *l)
{
	return l->config.idle_ms ? ms_add(l->last_data_ms, l->config.idle_ms) : MS_NEVER;
}

static void step_events(struct link *l, struct out *o)
{
	struct choice_switch s;
	struct link_limit limit;
	if (choice_take_event(&l->choice, &s))
		put(o, LINK_SWITCHED, LINK_N_CHANNELS)->change = s;
	if (pmtu_take_event(&l->pmtu, &limit.old_bytes, &limit.new_bytes)) {
		limit.cause = l->pmtu.cause;
		put(o, LINK_PATH_LIMIT, LINK_DTLS)->limit = limit;
	}
}

static void step_seamless(struct link *l, ms_t now_ms, struct out *o)
{
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		if (l->channels[ch].is_up)
			step_life(l, ch, now_ms, o);
	}
	step_oversize(l, now_ms);
	step_return(l, now_ms);
	if (may_search(l))
		step_pmtu(l, now_ms, o);
	step_nudge(l, now_ms, o);
}

size_t link_step(struct link *l, ms_t now_ms, struct link_action ret[static LINK_MAX_ACTIONS])
{
	struct out o = {.v = ret};
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		if (l->channels[ch].is_up)
			step_timers(l, ch, now_ms, &o);
	}
	if (link_is_seamless(l))
		step_seamless(l, now_ms, &o);
	if (now_ms >= idle_due_ms(l)) {
		l->last_data_ms = now_ms;
		put(&o, LINK_IDLE_TIMEOUT, LINK_N_CHANNELS);
	}
	step_events(l, &o);
	return o.n;
}

static ms_t seamless_due_ms(const struct link *l)
{
	const struct link_state *tls = &l->channels[LINK_TLS], *dtls = &l->channels[LINK_DTLS];
	ms_t due_ms = ms_min(return_due_ms(l), nudge_due_ms(l));
	if (l->oversize_at_ms != MS_NEVER)
		due_ms = ms_min(due_ms, oversize_due_ms(l));
	if (tls->is_up)
		due_ms = ms_min(due_ms, tls->life.due_ms);
	if (!dtls->is_up)
		return due_ms;
	due_ms = ms_min(due_ms, dtls->life.due_ms);
	return may_search(l) ? ms_min(due_ms, pmtu_due_ms(&l->pmtu, liveness_verdict_ms(&dtls->life)))
	                     : due_ms;
}

ms_t link_due_ms(const struct link *l)
{
	ms_t due_ms = idle_due_ms(l);
	if (l->choice.has_event || l->pmtu.limit_bytes != l->pmtu.told_bytes)
		return 0;
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		if (l->channels[ch].is_up)
			due_ms = ms_min(due_ms, link_timers_due_ms(&l->channels[ch]));
	}
	return link_is_seamless(l) ? ms_min(due_ms, seamless_due_ms(l)) : due_ms;
}
