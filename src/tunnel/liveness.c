#include "tunnel/liveness.h"

/* DTLS: behaviour.md 3.3. TLS repeats what is lost by itself, and a full queue delays its answers: nothing is
 * concluded in less than a few of TCP's own timeouts (RFC 6298: 1 s at least). */
const struct liveness_terms liveness_terms_dtls = {.quiet_ms = 50, .silence_ms = 150, .probe_ms = 100};
const struct liveness_terms liveness_terms_tls = {.quiet_ms = 2000, .silence_ms = 5000, .probe_ms = 3000};

#define RTT_UNKNOWN_US 333333 /* until it is measured: RFC 6298's second of patience, as 3 round trips */

const char *liveness_state_name(enum liveness_state s)
{
	static const char *const names[] = {"alive", "queried", "suspect", "dead"};
	return names[s];
}

static ms_t at_least(uint64_t us, ms_t min_ms)
{
	ms_t ms = (us + 999) / 1000;
	return ms > min_ms ? ms : min_ms;
}

static uint64_t srtt_us(const struct liveness *v)
{
	return v->has_rtt ? v->srtt_us : RTT_UNKNOWN_US;
}

static ms_t quiet_ms(const struct liveness *v)
{
	return at_least(srtt_us(v) * 3 / 2, v->terms->quiet_ms);
}

/* How long to wait for the answer to one probe. */
static ms_t answer_wait_ms(const struct liveness *v)
{
	uint64_t usual_us = srtt_us(v) * 3 / 2, wide_us = srtt_us(v) + 4ull * v->rttvar_us;
	return at_least(usual_us > wide_us ? usual_us : wide_us, v->terms->probe_ms);
}

ms_t liveness_verdict_ms(const struct liveness *v)
{
	ms_t verdict_ms = at_least(srtt_us(v) * 3, v->terms->silence_ms), answer_ms = answer_wait_ms(v);
	return verdict_ms > answer_ms ? verdict_ms : answer_ms;
}

void liveness_init(struct liveness *v, const struct liveness_terms *t)
{
	*v = (struct liveness){
	        .terms = t,
	        .waiting_since_ms = MS_NEVER,
	        .unanswered_since_ms = MS_NEVER,
	        .due_ms = MS_NEVER,
	};
}

/* ---- facts ---- */

void liveness_on_tx_data(struct liveness *v, ms_t now_ms)
{
	if (v->waiting_since_ms != MS_NEVER)
		return;
	v->waiting_since_ms = now_ms;
	if (v->state == LIVENESS_ALIVE &&
	        !v->needs_answer) /* else a question is planned, and not to be put off */
		v->due_ms = ms_add(now_ms, quiet_ms(v));
}

void liveness_on_use(struct liveness *v, ms_t now_ms)
{
	if (v->state != LIVENESS_DEAD || v->due_ms != MS_NEVER)
		return;
	ms_t due_ms = ms_add(v->asked_at_ms, LIVENESS_RETRY_MIN_MS);
	v->retry_ms = LIVENESS_RETRY_MIN_MS;
	v->due_ms = due_ms > now_ms ? due_ms : now_ms;
}

static void measure(struct liveness *v, ms_t rtt_ms)
{
	if (rtt_ms > LIVENESS_RTT_MAX_MS)
		return;
	uint32_t rtt_us = (uint32_t)rtt_ms * 1000;
	if (rtt_us == 0)
		rtt_us = 500; /* under the clock's grain */
	if (!v->has_rtt) {
		v->has_rtt = true;
		v->srtt_us = rtt_us;
		v->rttvar_us = rtt_us / 2;
		return;
	}
	uint32_t off_us = v->srtt_us > rtt_us ? v->srtt_us - rtt_us : rtt_us - v->srtt_us;
	v->rttvar_us = (uint32_t)((3ull * v->rttvar_us + off_us) / 4);
	v->srtt_us = (uint32_t)((7ull * v->srtt_us + rtt_us) / 8);
}

/* Back from the dead, perhaps by another path, perhaps because the peer was not running: what was asked
 * before has waited somewhere, and its answers would make the round trip seconds long. It is measured anew,
 * at once.
 */
static void come_back(struct liveness *v, ms_t now_ms)
{
	v->revived_at_ms = now_ms;
	v->has_rtt = false;
	v->rttvar_us = 0;
	v->needs_answer = true;
	v->due_ms = now_ms;
}

bool liveness_on_rx(struct liveness *v, ms_t now_ms)
{
	bool was_doubtful = liveness_is_doubtful(v), was_dead = v->state == LIVENESS_DEAD;
	v->waiting_since_ms = MS_NEVER;
	if (v->needs_answer)
		return false;
	v->state = LIVENESS_ALIVE;
	v->due_ms = MS_NEVER;
	v->unanswered_since_ms = MS_NEVER;
	if (was_dead)
		come_back(v, now_ms);
	return was_doubtful;
}

bool liveness_on_answer(struct liveness *v, ms_t rtt_ms, ms_t now_ms)
{
	bool is_old = v->revived_at_ms != 0 && rtt_ms > ms_since(v->revived_at_ms, now_ms);
	if (v->state != LIVENESS_DEAD && !is_old)
		measure(v, rtt_ms);
	v->answered_at_ms = now_ms;
	v->needs_answer = false;
	bool was_doubtful = liveness_on_rx(v, now_ms);
	if (is_old && !v->has_rtt &&
	        !v->needs_answer) /* of a peer without ids it was taken for the new one */
		liveness_ask_at(v, ms_add(now_ms, LIVENESS_RETRY_MIN_MS));
	return was_doubtful;
}

static void become_suspect(struct liveness *v, ms_t now_ms)
{
	v->unanswered_since_ms = v->waiting_since_ms == MS_NEVER ? now_ms : v->waiting_since_ms;
	v->state = LIVENESS_SUSPECT;
	v->needs_answer = true;
	v->n_probes = 0;
	v->is_graced = false;
	v->due_ms = now_ms;
}

void liveness_doubt(struct liveness *v, bool is_suspect, ms_t now_ms)
{
	v->needs_answer = true;
	if (v->state == LIVENESS_DEAD) {
		v->due_ms = ms_min(v->due_ms, now_ms);
	} else if (is_suspect && v->state != LIVENESS_SUSPECT) {
		become_suspect(v, now_ms);
	} else if (v->state == LIVENESS_ALIVE) {
		v->due_ms = now_ms;
	}
}

void liveness_ask_at(struct liveness *v, ms_t at_ms)
{
	v->needs_answer = true;
	v->due_ms = at_ms;
}

void liveness_on_network_change(struct liveness *v, ms_t now_ms)
{
	v->has_rtt = false;
	v->rttvar_us = 0;
	if (v->state == LIVENESS_DEAD)
		v->state = LIVENESS_ALIVE;
	liveness_doubt(v, true, now_ms);
}

/* ---- time ---- */

static enum liveness_act ask(struct liveness *v, ms_t due_ms, ms_t now_ms)
{
	v->asked_at_ms = now_ms;
	v->due_ms = due_ms;
	v->is_graced = false;
	return LIVENESS_ASK;
}

/* Suspicion needs both: silence for long enough, and a question that could have been answered. */
static ms_t suspect_at_ms(const struct liveness *v, ms_t asked_at_ms)
{
	ms_t answer_at_ms = ms_add(asked_at_ms, answer_wait_ms(v));
	if (v->waiting_since_ms == MS_NEVER)
		return answer_at_ms;
	ms_t silent_at_ms = ms_add(v->waiting_since_ms, liveness_verdict_ms(v));
	return answer_at_ms > silent_at_ms ? answer_at_ms : silent_at_ms;
}

static enum liveness_act step_suspect(struct liveness *v, ms_t now_ms)
{
	if (v->n_probes < LIVENESS_DEAD_PROBES) {
		v->n_probes++;
		return ask(v, ms_add(now_ms, answer_wait_ms(v)), now_ms);
	}
	v->state = LIVENESS_DEAD;
	v->needs_answer = false;
	v->retry_ms = LIVENESS_RETRY_MIN_MS;
	v->due_ms = ms_add(now_ms, LIVENESS_RETRY_MIN_MS);
	return LIVENESS_NOTHING;
}

static enum liveness_act step_dead(struct liveness *v, bool is_in_use, ms_t now_ms)
{
	if (!is_in_use) {
		v->due_ms = MS_NEVER;
		return LIVENESS_NOTHING;
	}
	ms_t wait_ms = v->retry_ms;
	v->retry_ms = wait_ms * 2 > LIVENESS_RETRY_MAX_MS ? LIVENESS_RETRY_MAX_MS : wait_ms * 2;
	return ask(v, ms_add(now_ms, v->retry_ms), now_ms);
}

enum liveness_act liveness_step(struct liveness *v, bool is_in_use, ms_t now_ms)
{
	if (now_ms < v->due_ms)
		return LIVENESS_NOTHING;
	/* whoever comes so late was not listening, either */
	bool is_verdict = v->state == LIVENESS_QUERIED || (v->state == LIVENESS_SUSPECT && v->n_probes > 0);
	if (is_verdict && !v->is_graced && ms_since(v->due_ms, now_ms) > LIVENESS_LATE_MS) {
		v->is_graced = true;
		v->due_ms = ms_add(now_ms, LIVENESS_GRACE_MS);
		return LIVENESS_NOTHING;
	}
	switch (v->state) {
	case LIVENESS_ALIVE:
		v->state = LIVENESS_QUERIED;
		v->needs_answer = true; /* what the peer sends by itself says nothing about what we send */
		return ask(v, suspect_at_ms(v, now_ms), now_ms);
	case LIVENESS_QUERIED:
		become_suspect(v, now_ms);
		v->unanswered_since_ms = ms_min(v->unanswered_since_ms, v->asked_at_ms);
		return step_suspect(v, now_ms);
	case LIVENESS_SUSPECT:
		return step_suspect(v, now_ms);
	case LIVENESS_DEAD:
		return step_dead(v, is_in_use, now_ms);
	}
	return LIVENESS_NOTHING;
}
