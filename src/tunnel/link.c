#include "tunnel/link_int.h"

#include "base/rd.h"
#include "base/wr.h"

/* ---- life ---- */

static void life_begin(struct link_state *c, enum link_channel ch)
{
	liveness_init(&c->life, ch == LINK_DTLS ? &liveness_terms_dtls : &liveness_terms_tls);
	c->ask_id = 0;
}

void link_init(struct link *l, ms_t now_ms)
{
	*l = (struct link){
	        .next_id = 1,
	        .last_data_ms = now_ms,
	        .last_hint_ms = MS_NEVER,
	        .hint_asked_ms = MS_NEVER,
	        .tls_data_at_ms = MS_NEVER,
	        .dtls_data_at_ms = MS_NEVER,
	        .oversize_at_ms = MS_NEVER,
	        .nudged_at_ms = MS_NEVER,
	};
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++)
		life_begin(&l->channels[ch], ch);
	link_configure(l, &(struct link_config){.peer = PEER_ASA}, now_ms);
}

void link_configure(struct link *l, const struct link_config *c, ms_t now_ms)
{
	bool is_seamless = c->policy == LINK_SEAMLESS;
	l->config = *c;
	l->peer = *peer_traits(c->peer);
	if (c->peer == PEER_OWN) {
		l->peer.may_mix = l->peer.may_duplicate = c->has_steer;
		l->peer.has_pieces = c->has_pieces;
	}
	l->last_data_ms = now_ms;
	if (l->choice.mode == CHOICE_NONE && l->choice.told == CHOICE_NONE)
		choice_init(&l->choice, is_seamless);
	l->choice.is_held = is_seamless;
	pmtu_init(&l->pmtu, is_seamless && l->peer.takes_padding ? c->dtls_max_bytes : 0, now_ms);
	link_decide(l, now_ms);
}

/* DTLS answered a probe of the size it is used for, and that is not long ago. */
static bool is_proven(const struct link *l, ms_t now_ms)
{
	const struct liveness *v = &l->channels[LINK_DTLS].life;
	ms_t at_ms = l->pmtu.state == PMTU_OFF ? v->answered_at_ms : l->pmtu.verified_at_ms;
	ms_t fresh_ms = liveness_verdict_ms(v);
	if (fresh_ms < CHOICE_FRESH_MS)
		fresh_ms = CHOICE_FRESH_MS;
	return at_ms != 0 && ms_since(at_ms, now_ms) <= fresh_ms;
}

/* TLS is there again, and data was on DTLS only for want of it. */
static void distrust_unproven(struct link *l, ms_t now_ms)
{
	struct link_state *dtls = &l->channels[LINK_DTLS];
	if (!link_is_seamless(l) || !l->channels[LINK_TLS].is_up || l->choice.mode != CHOICE_DTLS ||
	        dtls->life.state == LIVENESS_SUSPECT || pmtu_is_proven(&l->pmtu))
		return;
	liveness_doubt(&dtls->life, true, now_ms);
	link_on_suspect(l, CAUSE_NO_ANSWER, now_ms);
}

void link_up(struct link *l, enum link_channel ch, const struct link_timers *t, ms_t now_ms)
{
	struct link_state *c = &l->channels[ch];
	*c = (struct link_state){
	        .timers = *t,
	        .is_up = true,
	        .up_at_ms = now_ms,
	        .last_rx_ms = now_ms,
	        .last_tx_ms = now_ms,
	};
	life_begin(c, ch);
	if (ch == LINK_DTLS && link_is_seamless(l)) {
		/* The round trip is known by the answer. openconnect drops requests while it measures the
		 * path itself, before it sends data; without ids the answer to a later one would count for
		 * the first. */
		if (l->peer.echoes_dpd)
			liveness_doubt(&c->life, false, now_ms);
		else
			liveness_ask_at(&c->life, ms_add(now_ms, LINK_FIRST_ASK_MS));
		pmtu_restart(&l->pmtu, now_ms);
		l->last_hint_ms = now_ms; /* until it has proven DTLS, the peer sends by TLS */
	}
	link_decide(l, now_ms);
	distrust_unproven(l, now_ms);
}

void link_down(struct link *l, enum link_channel ch, ms_t now_ms)
{
	l->channels[ch].is_up = false;
	if (ch == LINK_DTLS)
		pmtu_pause(&l->pmtu);
	else if (l->choice.mode == CHOICE_TLS && !is_proven(l, now_ms))
		pmtu_doubt(
		        &l->pmtu, now_ms); /* data returns to DTLS, which was not looked after for a while */
	link_decide(l, now_ms);
}

void link_on_rekeyed(struct link *l, enum link_channel ch, ms_t now_ms)
{
	l->channels[ch].up_at_ms = now_ms;
	l->channels[ch].is_rekey_done = false;
}

/* ---- the choice ---- */

void link_decide(struct link *l, ms_t now_ms)
{
	const struct link_state *tls = &l->channels[LINK_TLS], *dtls = &l->channels[LINK_DTLS];
	bool is_dtls_fine = dtls->is_up && !liveness_is_doubtful(&dtls->life);
	struct choice_view v = {
	        .is_tls_up = tls->is_up && !(tls->life.state == LIVENESS_DEAD && is_dtls_fine),
	        .is_dtls_up = dtls->is_up,
	        .is_suspect = dtls->life.state == LIVENESS_SUSPECT,
	        .is_dead = dtls->life.state == LIVENESS_DEAD || l->pmtu.state == PMTU_ERROR,
	        .is_proven = is_proven(l, now_ms),
	        .may_duplicate = l->peer.may_duplicate,
	        .is_oversize = l->oversize_at_ms != MS_NEVER,
	        .is_peer_gone = dtls->is_paused,
	        .doubt = l->doubt,
	        .lost_since_ms = dtls->life.unanswered_since_ms,
	};
	choice_update(&l->choice, &v, now_ms);
}

void link_on_suspect(struct link *l, enum choice_cause cause, ms_t now_ms)
{
	l->doubt = cause;
	l->suspect_at_ms = now_ms;
	pmtu_pause(&l->pmtu);
	/* the other one is needed now: does it live? */
	if (l->channels[LINK_TLS].is_up)
		liveness_doubt(&l->channels[LINK_TLS].life, false, now_ms);
	link_decide(l, now_ms);
}

/* DTLS lives again after doubt: sizes are looked after again. */
static void on_revived(struct link *l, bool was_dead, ms_t now_ms)
{
	pmtu_resume(&l->pmtu, now_ms);
	if (was_dead && l->pmtu.state == PMTU_OFF)
		liveness_doubt(&l->channels[LINK_DTLS].life, false, now_ms);
	link_decide(l, now_ms);
}

/* ---- facts ---- */

/* Data by TLS although ours goes by DTLS: the peer does not hear us, or thinks so. That is news once; a peer
 * that stays there (hold-down) is asked now and then. */
static void on_hint(struct link *l, size_t bytes, ms_t now_ms)
{
	struct liveness *v = &l->channels[LINK_DTLS].life;
	bool was_on_dtls = l->dtls_data_at_ms != MS_NEVER && l->dtls_data_at_ms >= l->last_hint_ms;
	bool is_news = l->last_hint_ms == MS_NEVER ||
	               ms_since(l->last_hint_ms, now_ms) >= (was_on_dtls ? LINK_HINT_NEW_MS : LINK_HINT_MS);
	if (!l->channels[LINK_DTLS].is_up || (l->choice.mode != CHOICE_DTLS && l->choice.mode != CHOICE_BOTH))
		return;
	if (l->peer.may_mix && !l->peer.has_pieces && bytes > pmtu_usable_bytes(&l->pmtu))
		return; /* only too large for DTLS */
	l->last_hint_ms = now_ms;
	if (v->state == LIVENESS_SUSPECT)
		return;
	if (is_news) {
		liveness_doubt(v, true, now_ms);
		link_on_suspect(l, CAUSE_PEER, now_ms);
	} else if (l->hint_asked_ms == MS_NEVER || ms_since(l->hint_asked_ms, now_ms) >= LINK_HINT_MS) {
		l->hint_asked_ms = now_ms;
		liveness_doubt(v, false, now_ms);
	}
}

/* Classic: a peer that sends data by TLS while DTLS is up has lost its DTLS: stock clients cannot say so in
 * any other way (wire-protocol.md 3.5). Its next DTLS packet takes this back. */
static void on_rx_classic(struct link *l, enum link_channel ch, bool is_data, ms_t now_ms)
{
	struct link_state *dtls = &l->channels[LINK_DTLS];
	bool was_paused = dtls->is_paused;
	if (ch == LINK_DTLS)
		dtls->is_paused = false;
	else if (is_data && l->config.is_gateway)
		dtls->is_paused = true;
	if (was_paused != dtls->is_paused)
		link_decide(l, now_ms);
}

void link_on_rx(struct link *l, enum link_channel ch, bool is_data, size_t bytes, ms_t now_ms)
{
	struct link_state *c = &l->channels[ch];
	bool was_dead = c->life.state == LIVENESS_DEAD;
	c->last_rx_ms = now_ms;
	c->n_probes = 0;
	if (is_data)
		l->last_data_ms = now_ms;
	if (!link_is_seamless(l)) {
		on_rx_classic(l, ch, is_data, now_ms);
		return;
	}
	if (liveness_on_rx(&c->life, now_ms) && ch == LINK_DTLS)
		on_revived(l, was_dead, now_ms);
	if (!is_data)
		return;
	liveness_on_use(link_life(l, LINK_DTLS), now_ms);
	if (ch == LINK_DTLS) {
		l->dtls_data_at_ms = now_ms;
		if (c->asked_at_ms == 0 && !l->peer.echoes_dpd)
			liveness_doubt(&c->life, false, now_ms);
	} else {
		l->tls_data_at_ms = now_ms;
		on_hint(l, bytes, now_ms);
	}
}

static ms_t rtt_of(const struct link *l, uint64_t id, ms_t now_ms)
{
	const struct link_sent *s = &l->sent[id % LINK_SENT];
	return id != 0 && s->id == id ? ms_since(s->at_ms, now_ms) : MS_NEVER;
}

/* Which request an answer without payload may answer: the smallest that waits, so that a size is never taken
 * for proven by the answer to another. */
static uint64_t guess_id(struct link *l, enum link_channel ch, ms_t now_ms)
{
	struct pmtu *p = &l->pmtu;
	struct link_state *c = &l->channels[ch];
	if (ms_since(c->asked_at_ms, now_ms) > 2 * liveness_verdict_ms(&c->life))
		c->n_asks = p->n_strays = 0; /* lost */
	if (c->n_asks > 0 || ch == LINK_TLS) {
		c->n_asks -= c->n_asks > 0;
		return c->ask_id;
	}
	if (p->n_strays > 0) {
		p->n_strays--;
		return 0;
	}
	if (p->search.id != 0 && p->verify.id != 0)
		return p->search.bytes < p->verify.bytes ? p->search.id : p->verify.id;
	return p->search.id ? p->search.id : p->verify.id;
}

void link_on_dpd_answer(struct link *l, enum link_channel ch, struct span payload, ms_t now_ms)
{
	struct link_state *c = &l->channels[ch];
	struct rd r = rd_open(payload);
	uint64_t id = rd_u64(&r);
	bool was_dead = c->life.state == LIVENESS_DEAD;
	if (!link_is_seamless(l))
		return;
	if (!rd_ok(&r))
		id = guess_id(l, ch, now_ms);
	c->ask_id = 0;
	if (liveness_on_answer(&c->life, rtt_of(l, id, now_ms), now_ms) && ch == LINK_DTLS)
		on_revived(l, was_dead, now_ms);
	if (ch == LINK_DTLS) {
		pmtu_on_answer(&l->pmtu, id, now_ms);
		link_decide(l, now_ms);
	}
}

/* Only what we send may be lost, while the peer's data comes as before. One of ours sees that ours is missing
 * and gives a hint; any other has to be asked. */
static void check_one_way(struct link *l, ms_t now_ms)
{
	struct link_state *dtls = &l->channels[LINK_DTLS];
	if (dtls->life.state != LIVENESS_ALIVE || dtls->life.needs_answer ||
	        (l->config.peer == PEER_OWN && l->config.has_steer))
		return;
	if (ms_since(dtls->life.answered_at_ms, now_ms) >= LINK_CHECK_MS)
		liveness_doubt(&dtls->life, false, now_ms);
}

void link_on_tx(struct link *l, enum link_channel ch, bool is_data, size_t bytes, ms_t now_ms)
{
	l->channels[ch].last_tx_ms = now_ms;
	if (!is_data)
		return;
	l->last_data_ms = now_ms;
	if (!link_is_seamless(l))
		return;
	liveness_on_use(link_life(l, LINK_DTLS), now_ms);
	if (ch == LINK_DTLS && bytes > PMTU_FLOOR_BYTES)
		pmtu_on_large_tx(&l->pmtu);
	if (ch == LINK_DTLS)
		check_one_way(l, now_ms);
	/* a gateway has nothing better than the TLS tunnel it was given, and does not judge it */
	if (ch == LINK_DTLS || (l->choice.mode == CHOICE_TLS && !l->config.is_gateway))
		liveness_on_tx_data(link_life(l, ch), now_ms);
}

void link_on_too_big(struct link *l, size_t bytes, ms_t now_ms)
{
	if (bytes <= PMTU_LARGEST_BYTES)
		pmtu_on_too_big(&l->pmtu, (uint16_t)bytes, now_ms);
}

void link_on_network_change(struct link *l, ms_t now_ms)
{
	if (!link_is_seamless(l))
		return;
	choice_forget(&l->choice, now_ms);
	pmtu_restart(&l->pmtu, now_ms);
	if (l->channels[LINK_DTLS].is_up) {
		liveness_on_network_change(link_life(l, LINK_DTLS), now_ms);
		link_on_suspect(l, CAUSE_NETWORK, now_ms);
	} else if (l->channels[LINK_TLS].is_up) {
		liveness_doubt(link_life(l, LINK_TLS), false, now_ms);
	}
}

void link_on_peer_address_change(struct link *l, ms_t now_ms)
{
	if (!link_is_seamless(l) || !l->channels[LINK_DTLS].is_up)
		return;
	liveness_doubt(link_life(l, LINK_DTLS), false, now_ms);
	pmtu_verify(&l->pmtu, now_ms);
}

/* ---- routes ---- */

static uint16_t usable_bytes(const struct link *l)
{
	if (l->pmtu.state == PMTU_OFF && l->config.dtls_max_bytes != 0)
		return l->config.dtls_max_bytes;
	return pmtu_usable_bytes(&l->pmtu);
}

/* A packet that does not fit one datagram, while data goes by DTLS. */
static void route_large(struct link *l, uint16_t usable, ms_t now_ms, struct link_route *r)
{
	bool is_tls_up = l->channels[LINK_TLS].is_up;
	if (l->choice.mode == CHOICE_DTLS && l->peer.has_pieces) {
		r->dtls = r->in_pieces = true;
		r->piece_bytes = usable;
		l->n_in_pieces++;
		return;
	}
	r->tls = is_tls_up;
	r->dtls = !is_tls_up; /* the last resort: the path may let it through */
	l->n_oversize++;
	if (is_tls_up && !l->peer.may_mix) {
		l->oversize_at_ms = now_ms;
		link_decide(l, now_ms);
	}
}

enum link_channel link_plain_route(const struct link *l, size_t packet_bytes)
{
	bool fits = packet_bytes <= usable_bytes(l);

	if (l->choice.mode == CHOICE_DTLS && fits)
		return LINK_DTLS;
	/* what would be too large for DTLS keeps it away for a while: that is link_route()'s to note */
	if (l->choice.mode == CHOICE_TLS && (fits || l->oversize_at_ms == MS_NEVER))
		return LINK_TLS;
	return LINK_N_CHANNELS;
}

struct link_route link_route(struct link *l, size_t packet_bytes, ms_t now_ms)
{
	struct link_route r = {.path_limit = l->pmtu.limit_bytes};
	enum choice_mode mode = l->choice.mode;
	uint16_t usable = usable_bytes(l);
	if (mode == CHOICE_TLS) {
		r.tls = true;
		if (packet_bytes > usable && l->oversize_at_ms != MS_NEVER)
			l->oversize_at_ms = now_ms;
	}
	if (mode == CHOICE_TLS || mode == CHOICE_NONE)
		return r;
	if (packet_bytes > usable) {
		route_large(l, usable, now_ms, &r);
		r.tell_too_big = r.path_limit != 0 && packet_bytes > r.path_limit;
		return r;
	}
	r.tls = mode == CHOICE_BOTH;
	r.dtls = mode == CHOICE_DTLS || choice_take_duplicate(&l->choice);
	return r;
}

enum link_channel link_active(const struct link *l)
{
	switch (l->choice.mode) {
	case CHOICE_TLS:
		return LINK_TLS;
	case CHOICE_DTLS:
	case CHOICE_BOTH:
		return LINK_DTLS;
	case CHOICE_NONE:
		break;
	}
	return LINK_N_CHANNELS;
}

uint16_t link_mss_bytes(const struct link *l, unsigned family)
{
	uint16_t limit = l->pmtu.limit_bytes, headers = family == 6 ? 60 : 40;
	if (limit == 0)
		return 0;
	if (family == 6 && limit < 1280) /* RFC 8200 5: what is larger than the limit finds its way */
		limit = 1280;
	return limit - headers;
}

int64_t link_rtt_ms(const struct link *l, enum link_channel ch)
{
	const struct liveness *v = &l->channels[ch].life;
	return v->has_rtt ? (int64_t)(v->srtt_us + 500) / 1000 : -1;
}

/* ---- words ---- */

const char *link_why(const struct link *l)
{
	const struct liveness *v = &l->channels[LINK_DTLS].life;
	if (l->choice.mode == CHOICE_BOTH || (l->choice.mode == CHOICE_DTLS && v->state == LIVENESS_SUSPECT))
		return "DTLS is suspect";
	if (l->choice.mode == CHOICE_DTLS)
		return "DTLS is alive";
	if (l->choice.mode == CHOICE_NONE)
		return "no tunnel is up";
	if (!l->channels[LINK_DTLS].is_up)
		return "DTLS is down";
	if (l->channels[LINK_DTLS].is_paused)
		return "the peer sends by TLS";
	if (l->oversize_at_ms != MS_NEVER)
		return "packets are too large for DTLS";
	if (v->state == LIVENESS_DEAD)
		return "DTLS does not answer";
	return l->pmtu.state != PMTU_OFF && !pmtu_is_proven(&l->pmtu) ? "DTLS is not proven yet"
	                                                              : "hold-down";
}

struct span link_dpd_payload(const struct link_action *a, uint8_t *buf, size_t cap)
{
	size_t n = a->bytes < cap ? a->bytes : cap;
	struct wr w = wr_open(buf, n);
	memset(buf, 0, n);
	wr_u64(&w, a->id);
	return span_of(buf, n);
}
