#include "tunnel/choice.h"

static const uint32_t gap_limits_ms[CHOICE_GAP_BUCKETS] = {50, 100, 200, 300, 500, 1000, 3000, UINT32_MAX};

const char *choice_mode_name(enum choice_mode m)
{
	static const char *const names[] = {"none", "tls", "dtls", "both"};
	return names[m];
}

const char *choice_cause_name(enum choice_cause c)
{
	static const char *const names[CAUSE_N] = {
	        [CAUSE_ESTABLISHED] = "established",
	        [CAUSE_PROVEN] = "probe answered",
	        [CAUSE_NO_ANSWER] = "no answer",
	        [CAUSE_CLOSED] = "closed",
	        [CAUSE_PEER] = "peer changed",
	        [CAUSE_SIZE] = "packet size",
	        [CAUSE_NETWORK] = "network change",
	};
	return names[c];
}

uint32_t choice_gap_limit_ms(unsigned bucket)
{
	return gap_limits_ms[bucket < CHOICE_GAP_BUCKETS ? bucket : CHOICE_GAP_BUCKETS - 1];
}

const char *link_channel_name(enum link_channel ch)
{
	return ch == LINK_TLS ? "tls" : ch == LINK_DTLS ? "dtls" : "none";
}

void choice_init(struct choice *c, bool is_held)
{
	*c = (struct choice){.is_held = is_held};
}

void choice_forget(struct choice *c, ms_t now_ms)
{
	c->hold_ms = 0;
	c->return_at_ms = now_ms;
}

static bool is_on_dtls(enum choice_mode m)
{
	return m == CHOICE_DTLS || m == CHOICE_BOTH;
}

static enum choice_mode decide(const struct choice *c, const struct choice_view *v, ms_t now_ms)
{
	if (!v->is_dtls_up || !v->is_tls_up)
		return v->is_dtls_up ? CHOICE_DTLS : v->is_tls_up ? CHOICE_TLS : CHOICE_NONE;
	if (v->is_peer_gone || v->is_oversize || v->is_dead)
		return CHOICE_TLS;
	if (is_on_dtls(c->mode)) {
		if (!v->is_suspect)
			return CHOICE_DTLS;
		return v->may_duplicate ? CHOICE_BOTH : CHOICE_TLS;
	}
	if (!c->is_held)
		return CHOICE_DTLS;
	return v->is_proven && !v->is_suspect && now_ms >= c->return_at_ms ? CHOICE_DTLS : CHOICE_TLS;
}

static enum choice_cause cause_of(const struct choice *c, const struct choice_view *v, enum choice_mode to)
{
	if (is_on_dtls(to))
		return !v->is_tls_up ? CAUSE_CLOSED : c->is_held ? CAUSE_PROVEN : CAUSE_ESTABLISHED;
	if (!v->is_dtls_up)
		return CAUSE_CLOSED;
	if (v->is_dead || v->is_suspect)
		return v->doubt;
	return v->is_peer_gone ? CAUSE_PEER : CAUSE_SIZE;
}

static void hold(struct choice *c, ms_t now_ms)
{
	ms_t hold_ms = c->hold_ms * 2;
	if (hold_ms < CHOICE_HOLD_MIN_MS || ms_since(c->dtls_since_ms, now_ms) >= CHOICE_HOLD_MAX_MS)
		hold_ms = CHOICE_HOLD_MIN_MS;
	c->hold_ms = hold_ms > CHOICE_HOLD_MAX_MS ? CHOICE_HOLD_MAX_MS : hold_ms;
	c->return_at_ms = ms_add(now_ms, c->hold_ms);
}

static void count(struct choice *c, const struct choice_switch *s)
{
	unsigned bucket = 0;
	c->counts.last = *s;
	c->counts.switches[s->cause]++;
	if (is_on_dtls(s->to) || s->cause == CAUSE_SIZE)
		return;
	while (s->gap_ms > gap_limits_ms[bucket] && bucket < CHOICE_GAP_BUCKETS - 1)
		bucket++;
	c->counts.gaps[bucket]++;
}

/* Switches that follow each other before anybody asks are told as one. */
static void tell(struct choice *c, enum choice_mode to, enum choice_cause cause, ms_t gap_ms)
{
	struct choice_switch s = {c->told, to, cause, gap_ms};
	c->told = to;
	if (s.from == CHOICE_NONE || s.from == to)
		return;
	count(c, &s);
	if (c->has_event)
		s.from = c->event.from;
	c->has_event = s.from != to;
	c->event = s;
}

void choice_update(struct choice *c, const struct choice_view *v, ms_t now_ms)
{
	enum choice_mode from = c->mode, to = decide(c, v, now_ms);
	if (from == to)
		return;
	enum choice_cause cause = cause_of(c, v, to);
	ms_t gap_ms = v->lost_since_ms == MS_NEVER ? 0 : ms_since(v->lost_since_ms, now_ms);
	c->mode = to;
	if (to == CHOICE_BOTH) {
		c->counts.suspicions++;
		c->n_dups = 0;
		c->gap_ms = gap_ms;
		return;
	}
	if (is_on_dtls(from) && from != CHOICE_BOTH)
		c->gap_ms = gap_ms;
	if (is_on_dtls(to) && !is_on_dtls(from))
		c->dtls_since_ms = now_ms;
	/* a tunnel that served well and was closed, for new keys perhaps, may be followed at once by the next
	 */
	bool is_flap = ms_since(c->dtls_since_ms, now_ms) < CHOICE_HOLD_MAX_MS;
	if (is_on_dtls(from) && !is_on_dtls(to) && (cause != CAUSE_CLOSED || is_flap))
		hold(c, now_ms);
	if (to != CHOICE_NONE)
		tell(c, to, cause, is_on_dtls(to) ? 0 : c->gap_ms);
}

bool choice_take_duplicate(struct choice *c)
{
	if (c->n_dups >= CHOICE_DUP_MAX)
		return false;
	c->n_dups++;
	c->counts.duplicates++;
	return true;
}

bool choice_take_event(struct choice *c, struct choice_switch *ret)
{
	if (!c->has_event)
		return false;
	c->has_event = false;
	*ret = c->event;
	return true;
}
