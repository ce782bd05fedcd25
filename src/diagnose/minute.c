#include "diagnose/minute.h"

#define SURE_MIN_MS 50000 /* a reconnect that only its moment gives away must be nearer to the minute */
#define SURE_MAX_MS 75000

/* While walking through a case. */
struct walk {
	int64_t start_at_ms;                    /* of the TLS tunnel in use */
	bool has_start, has_dtls, is_explained; /* since then */
	uint32_t large, dtls_failed, start;
};

static struct walk walk_from(uint32_t place, int64_t at_ms, bool has_start)
{
	return (struct walk){.start_at_ms = at_ms,
	        .has_start = has_start,
	        .large = CASE_NONE,
	        .dtls_failed = CASE_NONE,
	        .start = place};
}

static bool is_within(int64_t gap_ms, int64_t min_ms, int64_t max_ms)
{
	return gap_ms != TIME_NONE && gap_ms >= min_ms && gap_ms <= max_ms;
}

bool minute_is_near(int64_t gap_ms)
{
	return is_within(gap_ms, MINUTE_MIN_MS, MINUTE_MAX_MS);
}

static bool is_reconnect(const struct record *r)
{
	return (r->kind == EVENT_TUNNEL_REPLACED && r->tunnel != TUNNEL_DTLS) ||
	       r->kind == EVENT_SESSION_RESUMED || record_is_new_mtu(r);
}

/* Another cause of a reconnect than an MTU. */
static bool is_other_cause(const struct record *r)
{
	return r->kind == EVENT_SUSPEND || r->kind == EVENT_WAKE || r->kind == EVENT_NETWORK_CHANGE ||
	       (r->kind == EVENT_DPD_DEAD && r->tunnel != TUNNEL_DTLS) ||
	       (r->kind == EVENT_TUNNEL_DOWN && r->reason == REASON_DPD && r->tunnel != TUNNEL_DTLS) ||
	       (r->kind == EVENT_SESSION_LOST && (r->reason == REASON_DPD || r->reason == REASON_SUSPEND)) ||
	       (r->kind == EVENT_SESSION_RESUMED && r->public_ip != 0 && r->peer != 0 &&
	               r->peer != r->public_ip);
}

/* The log begins within the session: was DTLS up then? Its first line of that tunnel says so when it is an
 * end, or a connection in place of an old one. */
static bool had_dtls_before(const struct cases *c, const struct one_case *k)
{
	for (uint32_t i = k->first; k->side == SIDE_GATEWAY && !k->has_begin && i != CASE_NONE;
	        i = c->next[i]) {
		const struct record *r = store_at(c->store, i);
		if (r->tunnel == TUNNEL_DTLS)
			return r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_TUNNEL_REPLACED ||
			       r->kind == EVENT_DPD_DEAD;
	}
	return false;
}

/* When the session began is not known: then the large packets must be of the minute before the reconnect,
 * which a rekey hours later is not. */
static bool may_be_minute(const struct cases *c, const struct walk *w, const struct record *r)
{
	const struct record *large = w->large != CASE_NONE ? store_at(c->store, w->large) : r;
	return large->at_ms == TIME_NONE || r->at_ms == TIME_NONE || large->is_untimed || r->is_untimed ||
	       r->at_ms - large->last_at_ms <= MINUTE_MAX_MS;
}

static enum minute_shape shape_of(
        const struct cases *c, const struct walk *w, const struct record *r, int64_t gap_ms)
{
	bool is_unknown = gap_ms == TIME_NONE && may_be_minute(c, w, r);
	if (w->has_dtls)
		return MINUTE_NONE;
	if (record_is_new_mtu(r))
		return MINUTE_SAID;
	if (w->is_explained)
		return MINUTE_NONE;
	if (w->large != CASE_NONE && (is_unknown || minute_is_near(gap_ms)))
		return MINUTE_BOTH;
	return is_within(gap_ms, SURE_MIN_MS, SURE_MAX_MS) ? MINUTE_MOMENT : MINUTE_NONE;
}

static void note_reconnect(const struct cases *c, struct minute *m, const struct walk *w, uint32_t place)
{
	const struct record *r = store_at(c->store, place);
	bool is_timed =
	        w->has_start && w->start_at_ms != TIME_NONE && r->at_ms != TIME_NONE && !r->is_untimed;
	int64_t gap_ms = is_timed ? r->at_ms - w->start_at_ms : TIME_NONE;
	enum minute_shape shape = shape_of(c, w, r, gap_ms);
	if (shape <= m->shape)
		return;
	*m = (struct minute){.shape = shape,
	        .large = w->large,
	        .dtls_failed = w->dtls_failed,
	        .begin = w->start,
	        .reconnect = place,
	        .bounce = cases_find(c, place, EVENT_ADAPTER_BOUNCE, TUNNEL_UNKNOWN),
	        .gap_ms = gap_ms};
}

static void take(struct walk *w, const struct record *r, uint32_t place)
{
	w->has_dtls |= record_is_dtls_up(r);
	w->is_explained |= is_other_cause(r);
	if (r->kind == EVENT_LARGE_PACKET || r->kind == EVENT_FRAG_NEEDED)
		w->large = w->large == CASE_NONE ? place : w->large;
	if (r->tunnel == TUNNEL_DTLS && (r->kind == EVENT_TUNNEL_FAILED || r->kind == EVENT_TUNNEL_DOWN))
		w->dtls_failed = place;
}

/* The first TLS tunnel of the session that has no DTLS, large packets, and no time to reconnect yet. */
static bool is_cut_short(const struct one_case *k, const struct walk *w)
{
	return w->large != CASE_NONE && !w->has_dtls && !k->is_ended && k->n.tls_ups > 0 && k->has_begin &&
	       k->has_times && !case_lasted(k, MINUTE_MAX_MS);
}

static bool is_start(const struct record *r)
{
	return r->kind == EVENT_CONNECTED || (r->kind == EVENT_TUNNEL_UP && r->tunnel == TUNNEL_TLS);
}

struct minute minute_of(const struct cases *c, const struct one_case *k)
{
	struct minute m = {.shape = MINUTE_NONE};
	struct walk w = walk_from(k->first, k->begin_at_ms, k->has_begin);
	w.has_dtls = had_dtls_before(c, k);
	for (uint32_t i = k->first; i != CASE_NONE; i = c->next[i]) {
		const struct record *r = store_at(c->store, i);
		if (!w.has_start && is_start(r))
			w = walk_from(i, r->at_ms, true);
		take(&w, r, i);
		if (r->kind == EVENT_RECONNECT && k->side == SIDE_CLIENT)
			w = walk_from(i, r->at_ms, true); /* a gateway only repeats what the client says */
		if (!is_reconnect(r))
			continue;
		note_reconnect(c, &m, &w, i);
		w = walk_from(i, r->at_ms, true);
	}
	bool is_whole = store_counts(c->store).n_over_limit == 0; /* else it may go on in what was not kept */
	if (m.shape == MINUTE_NONE && is_whole && is_cut_short(k, &w))
		m = (struct minute){.shape = MINUTE_LARGE,
		        .large = w.large,
		        .dtls_failed = w.dtls_failed,
		        .begin = k->first,
		        .reconnect = CASE_NONE,
		        .bounce = CASE_NONE,
		        .gap_ms = TIME_NONE};
	return m;
}
