#include "tunnel/pmtu.h"

const char *pmtu_state_name(enum pmtu_state s)
{
	static const char *const names[] = {"off", "base", "search", "complete", "doubt", "error"};
	return names[s];
}

const char *pmtu_cause_name(enum pmtu_cause c)
{
	static const char *const names[] = {"probe", "black hole", "kernel", "restart"};
	return names[c];
}

static uint16_t least(uint32_t a, uint32_t b)
{
	return (uint16_t)(a < b ? a : b);
}

static uint16_t base_bytes(const struct pmtu *p)
{
	return least(PMTU_BASE_BYTES, p->max_bytes);
}

static uint16_t floor_bytes(const struct pmtu *p)
{
	return least(PMTU_FLOOR_BYTES, p->max_bytes);
}

/* ---- states ---- */

static void set_limit(struct pmtu *p, uint16_t bytes, enum pmtu_cause cause)
{
	if (bytes == p->limit_bytes)
		return;
	p->limit_bytes = bytes;
	p->cause = cause;
}

static void give_up(struct pmtu *p, struct pmtu_probe *q)
{
	p->n_strays += q->id != 0 && p->n_strays < UINT8_MAX;
	q->id = 0;
}

/* Beginning of a state: no search probe under way, the next one at once. */
static void enter(struct pmtu *p, enum pmtu_state s, ms_t now_ms)
{
	p->state = s;
	p->n_lost = 0;
	give_up(p, &p->search);
	p->next_at_ms = now_ms;
}

void pmtu_restart(struct pmtu *p, ms_t now_ms)
{
	if (p->state == PMTU_OFF)
		return;
	enter(p, PMTU_BASE, now_ms);
	p->is_paused = p->has_large = p->has_looked = false;
	give_up(p, &p->verify);
	p->good_bytes = 0;
	p->bad_bytes = p->max_bytes + 1;
	p->safe_bytes = floor_bytes(p);
	p->verified_at_ms = 0;
}

void pmtu_init(struct pmtu *p, uint16_t max_bytes, ms_t now_ms)
{
	if (max_bytes > PMTU_LARGEST_BYTES)
		max_bytes = PMTU_LARGEST_BYTES;
	*p = (struct pmtu){
	        .state = max_bytes ? PMTU_BASE : PMTU_OFF,
	        .max_bytes = max_bytes,
	        .limit_bytes = max_bytes,
	        .told_bytes = max_bytes,
	        .safe_bytes = max_bytes ? max_bytes : PMTU_LARGEST_BYTES,
	        .next_at_ms = MS_NEVER,
	};
	pmtu_restart(p, now_ms);
}

static void complete(struct pmtu *p, ms_t now_ms)
{
	enter(p, PMTU_COMPLETE, now_ms);
	p->next_at_ms = MS_NEVER;
	p->raise_at_ms = ms_add(now_ms, PMTU_RAISE_MS);
	set_limit(p, p->good_bytes, PMTU_BY_PROBE);
}

static bool is_range_closed(const struct pmtu *p)
{
	return p->good_bytes >= p->max_bytes || p->bad_bytes - p->good_bytes <= PMTU_GRAIN_BYTES;
}

/* Goes on after something was proven or excluded. */
static void narrow(struct pmtu *p, ms_t now_ms)
{
	bool is_closed = is_range_closed(p);
	if (is_closed && (p->good_bytes >= p->max_bytes || p->has_looked || p->bad_bytes > p->max_bytes)) {
		complete(p, now_ms);
		return;
	}
	enter(p, PMTU_SEARCH, now_ms);
}

/* Loss is not size: before a limit under the largest size is believed, the size above it is tried once more.
 */
static bool is_last_look(const struct pmtu *p)
{
	return p->state == PMTU_SEARCH && is_range_closed(p) && !p->has_looked;
}

static uint16_t candidate(const struct pmtu *p)
{
	if (p->state == PMTU_DOUBT)
		return base_bytes(p);
	if (p->state == PMTU_BASE) {
		/* the largest first, then what surely passes, in turn */
		const uint16_t order[] = {p->max_bytes, base_bytes(p), p->max_bytes, floor_bytes(p)};
		return order[p->n_lost % N_ELEM(order)];
	}
	if (p->bad_bytes > p->max_bytes)
		return p->max_bytes;
	if (is_last_look(p))
		return p->bad_bytes;
	return (uint16_t)(p->good_bytes + (p->bad_bytes - p->good_bytes) / 2);
}

/* ---- answers ---- */

static void on_proven(struct pmtu *p, uint16_t bytes, ms_t now_ms)
{
	if (bytes <= p->good_bytes)
		return;
	p->good_bytes = p->safe_bytes = bytes;
	p->verified_at_ms = now_ms;
	if (bytes >= p->bad_bytes) { /* it was loss, or the path has grown */
		p->bad_bytes = p->max_bytes + 1;
		p->has_looked = false;
	}
	narrow(p, now_ms);
}

/* The doubt was not justified. */
static void on_verified(struct pmtu *p, ms_t now_ms)
{
	p->verified_at_ms = now_ms;
	p->safe_bytes = p->good_bytes;
	if (p->state != PMTU_DOUBT)
		return;
	enter(p, is_range_closed(p) ? PMTU_COMPLETE : PMTU_SEARCH, now_ms);
	if (p->state == PMTU_COMPLETE)
		p->next_at_ms = MS_NEVER;
}

void pmtu_on_answer(struct pmtu *p, uint64_t id, ms_t now_ms)
{
	if (id == 0 || p->state == PMTU_OFF)
		return;
	if (id == p->verify.id) {
		p->verify.id = 0;
		on_verified(p, now_ms);
	} else if (id == p->search.id) {
		p->search.id = 0;
		if (p->state == PMTU_DOUBT) {
			p->safe_bytes = least(p->search.bytes, p->good_bytes);
			p->next_at_ms = MS_NEVER;
		} else {
			on_proven(p, p->search.bytes, now_ms);
		}
	}
}

/* ---- losses ---- */

static void fail(struct pmtu *p, ms_t now_ms)
{
	enter(p, PMTU_ERROR, ms_add(now_ms, PMTU_ERROR_MS));
	p->good_bytes = 0;
	p->verified_at_ms = 0;
}

static void on_black_hole(struct pmtu *p, enum pmtu_cause cause, ms_t now_ms)
{
	uint16_t proven = p->safe_bytes; /* since the doubt */
	p->n_black_holes += cause == PMTU_BY_BLACK_HOLE;
	p->bad_bytes = p->good_bytes;
	p->good_bytes = p->safe_bytes = least(proven, p->bad_bytes - 1u);
	p->has_looked = false;
	set_limit(p, p->good_bytes, cause);
	p->verify.id = 0;
	enter(p, PMTU_SEARCH, now_ms);
	if (p->good_bytes < floor_bytes(p))
		fail(p, now_ms);
}

void pmtu_doubt(struct pmtu *p, ms_t now_ms)
{
	if (p->state != PMTU_SEARCH && p->state != PMTU_COMPLETE)
		return;
	enter(p, PMTU_DOUBT, now_ms);
	p->safe_bytes = least(floor_bytes(p), p->good_bytes);
	if (p->good_bytes <= base_bytes(p))
		p->next_at_ms = MS_NEVER;
	pmtu_verify(p, now_ms);
}

static void on_verify_lost(struct pmtu *p, ms_t now_ms)
{
	p->verify.id = 0;
	pmtu_doubt(p, now_ms);
	pmtu_verify(p, now_ms);
	p->n_lost++;
	if (p->n_lost >= PMTU_MAX_PROBES)
		on_black_hole(p, PMTU_BY_BLACK_HOLE, now_ms);
}

static void on_size_excluded(struct pmtu *p, uint16_t bytes, ms_t now_ms)
{
	if (is_last_look(p))
		p->has_looked = true;
	p->bad_bytes = least(p->bad_bytes, bytes);
	narrow(p, now_ms);
}

static void on_search_lost(struct pmtu *p, ms_t now_ms)
{
	uint16_t bytes = p->search.bytes;
	p->search.id = 0;
	p->next_at_ms = now_ms;
	p->n_lost += p->state != PMTU_DOUBT; /* there it counts the verifications */
	if (p->state == PMTU_BASE && p->n_lost >= 4 * PMTU_MAX_PROBES) {
		fail(p, now_ms);
	} else if (p->state == PMTU_SEARCH && p->n_lost >= PMTU_MAX_PROBES) {
		on_size_excluded(p, bytes, now_ms);
	}
}

void pmtu_on_too_big(struct pmtu *p, uint16_t bytes, ms_t now_ms)
{
	if (p->state == PMTU_OFF || bytes <= PMTU_FLOOR_BYTES || bytes > p->max_bytes)
		return;
	p->bad_bytes = least(p->bad_bytes, bytes);
	if (bytes <= p->good_bytes) {
		p->good_bytes = bytes;
		p->safe_bytes =
		        least(p->safe_bytes, bytes <= PMTU_BASE_BYTES ? PMTU_FLOOR_BYTES : PMTU_BASE_BYTES);
		on_black_hole(p, PMTU_BY_KERNEL, now_ms);
	} else if (p->search.id && p->search.bytes >= bytes) {
		p->search.id = 0;
		p->next_at_ms = now_ms;
		if (p->state == PMTU_SEARCH)
			on_size_excluded(p, bytes, now_ms);
		else
			p->n_lost++;
	}
}

/* ---- doubt from elsewhere ---- */

void pmtu_verify(struct pmtu *p, ms_t now_ms)
{
	if (p->good_bytes == 0 || p->verify.id != 0)
		return;
	p->has_large = true;
	p->verify_at_ms = now_ms;
}

void pmtu_pause(struct pmtu *p)
{
	p->is_paused = true;
	give_up(p, &p->search);
	give_up(p, &p->verify);
}

void pmtu_resume(struct pmtu *p, ms_t now_ms)
{
	if (!p->is_paused)
		return;
	p->is_paused = false;
	pmtu_doubt(p, now_ms); /* nobody looked after the size meanwhile */
	if (p->state == PMTU_DOUBT) {
		p->n_lost = 0;
		p->safe_bytes =
		        least(floor_bytes(p), p->good_bytes); /* what passed before the pause may not now */
		p->next_at_ms = p->good_bytes > base_bytes(p) ? now_ms : MS_NEVER;
		pmtu_verify(p, now_ms);
	}
}

/* ---- time ---- */

static bool is_lost(const struct pmtu_probe *q, ms_t verdict_ms, ms_t now_ms)
{
	return q->id != 0 && now_ms >= ms_add(q->sent_at_ms, verdict_ms);
}

/* Looks upward again, but only when somebody sends large packets. */
static bool wants_raise(const struct pmtu *p)
{
	return p->state == PMTU_COMPLETE && p->good_bytes < p->max_bytes && p->has_large;
}

static bool wants_search(const struct pmtu *p)
{
	return p->search.id == 0 && p->next_at_ms != MS_NEVER;
}

static void begin_raise(struct pmtu *p, ms_t now_ms)
{
	p->bad_bytes = p->max_bytes + 1;
	p->has_looked = false;
	enter(p, PMTU_SEARCH, now_ms);
}

static bool wants_verify(const struct pmtu *p)
{
	return p->verify.id == 0 && p->has_large && p->good_bytes != 0;
}

static struct pmtu_probe send(struct pmtu_probe *q, uint16_t bytes, uint64_t *next_id, ms_t now_ms)
{
	*q = (struct pmtu_probe){(*next_id)++, bytes, now_ms};
	return *q;
}

size_t pmtu_step(struct pmtu *p, ms_t verdict_ms, uint64_t *next_id, ms_t now_ms,
        struct pmtu_probe ret[static PMTU_MAX_SENDS])
{
	size_t n = 0;
	if (p->state == PMTU_OFF || p->is_paused)
		return 0;
	if (is_lost(&p->search, verdict_ms, now_ms))
		on_search_lost(p, now_ms);
	if (is_lost(&p->verify, verdict_ms, now_ms))
		on_verify_lost(p, now_ms);
	if (wants_raise(p) && now_ms >= p->raise_at_ms)
		begin_raise(p, now_ms);
	if (wants_search(p) && now_ms >= p->next_at_ms) {
		if (p->state == PMTU_ERROR)
			pmtu_restart(p, now_ms);
		ret[n++] = send(&p->search, candidate(p), next_id, now_ms);
	}
	if (wants_verify(p) && now_ms >= p->verify_at_ms) {
		p->has_large = false;
		p->verify_at_ms = ms_add(now_ms, PMTU_VERIFY_MS);
		ret[n++] = send(&p->verify, p->good_bytes, next_id, now_ms);
	}
	return n;
}

ms_t pmtu_due_ms(const struct pmtu *p, ms_t verdict_ms)
{
	ms_t due_ms = MS_NEVER;
	if (p->state == PMTU_OFF || p->is_paused)
		return MS_NEVER;
	if (p->search.id)
		due_ms = ms_add(p->search.sent_at_ms, verdict_ms);
	else if (wants_search(p))
		due_ms = p->next_at_ms;
	if (wants_raise(p))
		due_ms = ms_min(due_ms, p->raise_at_ms);
	if (p->verify.id)
		return ms_min(due_ms, ms_add(p->verify.sent_at_ms, verdict_ms));
	return wants_verify(p) ? ms_min(due_ms, p->verify_at_ms) : due_ms;
}

bool pmtu_take_event(struct pmtu *p, uint16_t *ret_old, uint16_t *ret_new)
{
	if (p->limit_bytes == p->told_bytes)
		return false;
	*ret_old = p->told_bytes;
	*ret_new = p->told_bytes = p->limit_bytes;
	return true;
}
