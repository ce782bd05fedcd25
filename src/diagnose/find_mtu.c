/* The event of tech note 116881: TLS only, packets larger than TLS carries, and about a minute after the
 * connect a reconnect that lowers the adapter's MTU. */
#include "diagnose/remedy.h"

#define CODE_NEW_MTU  16    /* "New MTU configuration" */
#define SURE_MIN_MS   50000 /* a reconnect that only its moment gives away must be nearer to the minute */
#define SURE_MAX_MS   75000
#define SURE_SESSIONS 2    /* and must have happened so often */
#define PROVED_CASES  4    /* whose lines are shown */
#define DROPS_MIN     1000 /* of mp-svc-no-fragment, to be worth a word when nothing else is known */

enum shape {
	SHAPE_NONE,
	SHAPE_MOMENT, /* TLS only, and a reconnect after a minute */
	SHAPE_LARGE,  /* TLS only, large packets dropped; the file ends before the minute does */
	SHAPE_BOTH,   /* large packets, and the reconnect */
	SHAPE_SAID,   /* the client says so: reason code 16 */
};

/* What was found in one case. */
struct minute {
	enum shape shape;
	uint32_t large, reconnect, bounce, dtls_failed, begin; /* places, or CASE_NONE */
	int64_t gap_ms;                                        /* from connect to reconnect; TIME_NONE */
};

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

static bool is_mtu_reconfigure(const struct record *r)
{
	return r->kind == EVENT_RECONFIGURE && r->code == CODE_NEW_MTU;
}

static bool is_reconnect(const struct record *r)
{
	return (r->kind == EVENT_TUNNEL_REPLACED && r->tunnel != TUNNEL_DTLS) ||
	       r->kind == EVENT_SESSION_RESUMED || is_mtu_reconfigure(r);
}

static bool is_dtls_up(const struct record *r)
{
	return r->tunnel == TUNNEL_DTLS && (r->kind == EVENT_TUNNEL_UP || r->kind == EVENT_TUNNEL_REPLACED);
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
static bool had_dtls_before(const struct find *x, const struct one_case *k)
{
	for (uint32_t i = k->first; k->side == SIDE_GATEWAY && !k->has_begin && i != CASE_NONE;
	        i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (r->tunnel == TUNNEL_DTLS)
			return r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_TUNNEL_REPLACED ||
			       r->kind == EVENT_DPD_DEAD;
	}
	return false;
}

/* When the session began is not known: then the large packets must be of the minute before the reconnect,
 * which a rekey hours later is not. */
static bool may_be_minute(const struct find *x, const struct walk *w, const struct record *r)
{
	const struct record *large = w->large != CASE_NONE ? store_at(x->s, w->large) : r;
	return large->at_ms == TIME_NONE || r->at_ms == TIME_NONE || large->is_untimed || r->is_untimed ||
	       r->at_ms - large->last_at_ms <= MINUTE_MAX_MS;
}

static enum shape shape_of(const struct find *x, const struct walk *w, const struct record *r, int64_t gap_ms)
{
	bool is_unknown = gap_ms == TIME_NONE && may_be_minute(x, w, r);
	if (w->has_dtls)
		return SHAPE_NONE;
	if (is_mtu_reconfigure(r))
		return is_unknown || is_within(gap_ms, MINUTE_MIN_MS, MINUTE_MAX_MS) ? SHAPE_SAID
		                                                                     : SHAPE_NONE;
	if (w->is_explained)
		return SHAPE_NONE;
	if (w->large != CASE_NONE && (is_unknown || is_within(gap_ms, MINUTE_MIN_MS, MINUTE_MAX_MS)))
		return SHAPE_BOTH;
	return is_within(gap_ms, SURE_MIN_MS, SURE_MAX_MS) ? SHAPE_MOMENT : SHAPE_NONE;
}

static void note_reconnect(const struct find *x, struct minute *m, const struct walk *w, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	bool is_timed =
	        w->has_start && w->start_at_ms != TIME_NONE && r->at_ms != TIME_NONE && !r->is_untimed;
	int64_t gap_ms = is_timed ? r->at_ms - w->start_at_ms : TIME_NONE;
	enum shape shape = shape_of(x, w, r, gap_ms);
	if (shape <= m->shape)
		return;
	*m = (struct minute){.shape = shape,
	        .large = w->large,
	        .dtls_failed = w->dtls_failed,
	        .begin = w->start,
	        .reconnect = place,
	        .bounce = cases_find(x->c, place, EVENT_ADAPTER_BOUNCE, TUNNEL_UNKNOWN),
	        .gap_ms = gap_ms};
}

static void take(struct walk *w, const struct record *r, uint32_t place)
{
	w->has_dtls |= is_dtls_up(r);
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

static struct minute look(const struct find *x, const struct one_case *k)
{
	struct minute m = {.shape = SHAPE_NONE};
	struct walk w = walk_from(k->first, k->begin_at_ms, k->has_begin);
	w.has_dtls = had_dtls_before(x, k);
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (r->kind == EVENT_CONNECTED || (r->kind == EVENT_TUNNEL_UP && r->tunnel == TUNNEL_TLS)) {
			if (!w.has_start)
				w = walk_from(i, r->at_ms, true);
		}
		take(&w, r, i);
		if (r->kind == EVENT_RECONNECT && k->side == SIDE_CLIENT)
			w = walk_from(i, r->at_ms, true); /* a gateway only repeats what the client says */
		if (!is_reconnect(r))
			continue;
		note_reconnect(x, &m, &w, i);
		w = walk_from(i, r->at_ms, true);
	}
	bool is_whole = store_counts(x->s).n_over_limit == 0; /* else it may go on in what was not kept */
	if (m.shape == SHAPE_NONE && is_whole && is_cut_short(k, &w))
		m = (struct minute){.shape = SHAPE_LARGE,
		        .large = w.large,
		        .dtls_failed = w.dtls_failed,
		        .begin = k->first,
		        .reconnect = CASE_NONE,
		        .bounce = CASE_NONE,
		        .gap_ms = TIME_NONE};
	return m;
}

/* ---- over all cases ---- */

struct tally {
	struct hit_groups groups;
	size_t n[SHAPE_SAID + 1], n_proved;
	uint32_t n_large;
	uint32_t large_size, large_limit, new_mtu;
	int64_t gap_ms;
	uint32_t sources; /* of the cases */
	bool is_joined;   /* one session seen from both ends */
	word_t device;
};

static void prove(struct find *x, const struct minute *m)
{
	find_prove(x, m->begin);
	find_prove(x, m->dtls_failed);
	find_prove(x, m->large);
	if (m->large != CASE_NONE)
		find_prove(x, cases_find(x->c, m->large, EVENT_FRAG_NEEDED, TUNNEL_UNKNOWN));
	find_prove(x, m->reconnect);
	find_prove(x, m->bounce);
}

static void add_case(struct find *x, struct tally *t, uint32_t at, const struct minute *m)
{
	const struct one_case *k = &x->c->v[at];
	int64_t end = m->reconnect != CASE_NONE ? store_at(x->s, m->reconnect)->at_ms : k->last_at_ms;
	find_hit(x, k, k->begin_at_ms, end);
	x->marks[at] |= MARK_MTU_RECONNECT;
	x->mtu_users[k->user / 8] |= (uint8_t)(1u << k->user % 8);
	if (k->partner != CASE_NONE)
		x->marks[k->partner] |= MARK_MTU_RECONNECT;
	remedy_collect(x, &t->groups, k);
	t->n[m->shape]++;
	t->n_large += k->n.large_to_client;
	t->sources |= 1u << k->source;
	t->is_joined |= k->partner != CASE_NONE;
	t->device = t->device ? t->device : k->device;
	if (k->n.large_size > t->large_size) {
		t->large_size = k->n.large_size;
		t->large_limit = k->n.large_limit;
	}
	if (m->gap_ms != TIME_NONE && t->gap_ms == TIME_NONE)
		t->gap_ms = m->gap_ms;
	if (m->bounce != CASE_NONE && store_at(x->s, m->bounce)->adapter)
		t->new_mtu = store_at(x->s, m->bounce)->adapter;
	if (t->n_proved++ < PROVED_CASES)
		prove(x, m);
}

static bool is_candidate(const struct find *x, const struct one_case *k)
{
	bool is_known = k->side == SIDE_CLIENT || k->user != 0;
	return is_known && find_wants(x, k) && k->source != SOURCE_OPENCONNECT &&
	       k->source != SOURCE_OCSERV && k->source != SOURCE_ASA_SESSIONS && !find_is_dtls_off(x, k);
}

/* Sessions that only the moment gives away count when there are several, or others are beyond doubt. */
static size_t count_shapes(const struct find *x, size_t n[static SHAPE_SAID + 1])
{
	size_t n_sure = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		if (!is_candidate(x, &x->c->v[i]))
			continue;
		enum shape s = look(x, &x->c->v[i]).shape;
		n[s]++;
		n_sure += s > SHAPE_MOMENT;
	}
	return n_sure;
}

static void add_cases(struct find *x, struct tally *t)
{
	size_t n[SHAPE_SAID + 1] = {0};
	size_t n_sure = count_shapes(x, n);
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (!is_candidate(x, k))
			continue;
		struct minute m = look(x, k);
		if (m.shape > SHAPE_MOMENT ||
		        (m.shape == SHAPE_MOMENT && (n_sure > 0 || n[m.shape] >= SURE_SESSIONS)))
			add_case(x, t, i, &m);
	}
}

/* ---- words ---- */

static void say_why(const struct find *x, struct text *c, const struct tally *t)
{
	const struct hit_group *g = &t->groups.v[0];
	struct estimate e;
	text_str(c, "UDP between client and gateway does not get through, so the DTLS tunnel did not come up "
	            "and all "
	            "data went by TLS. The client's adapter begins with the MTU of DTLS");
	bool is_known = t->groups.n > 0 && remedy_estimate(x, g, &e) && e.d.is_reconnect_expected;
	if (is_known)
		text_fmt(c, " (%u), but TLS carries packets of %u bytes at most", e.d.adapter, e.d.tls);
	else
		text_str(c, ", which is larger than that of TLS");
	text_str(c, ". ");
	if (is_known && e.is_exact && e.is_tls_seen) {
		text_str(c, "The threshold is ");
		estimate_say_steps(c, &e.d.tls_steps);
		text_str(c, ". ");
	}
}

static void say_large(struct text *c, const struct tally *t)
{
	if (t->n_large > 0)
		text_fmt(c,
		        "Larger ones were dropped on the way to the client: %u %s of up to %u bytes "
		        "(threshold %u); web "
		        "pages and downloads hang meanwhile. ",
		        t->n_large, t->n_large == 1 ? "packet" : "packets", t->large_size, t->large_limit);
}

static void say_reconnect(struct text *c, const struct tally *t)
{
	size_t n = t->n[SHAPE_MOMENT] + t->n[SHAPE_BOTH] + t->n[SHAPE_SAID];
	if (n == 0) {
		text_str(c, "The files end before the minute in which the client would reconnect. ");
		return;
	}
	if (t->gap_ms != TIME_NONE)
		text_fmt(c, "%lld seconds after the connect", (long long)(t->gap_ms + 500) / 1000);
	else
		text_str(c, "After about a minute");
	text_str(c, " the client gave DTLS up, lowered its adapter's MTU");
	if (t->new_mtu)
		text_fmt(c, " to %u", t->new_mtu);
	text_str(c, " and reconnected");
	text_str(c, t->n[SHAPE_SAID] ? " (reason code 16, \"New MTU configuration\")" : "");
	text_str(c, "; the adapter goes down and up, and connections may break. ");
}

static enum confidence confidence_of(const struct tally *t)
{
	if (t->n[SHAPE_SAID] > 0 && (t->n[SHAPE_BOTH] > 0 || t->is_joined || t->n_large > 0))
		return CONFIDENCE_CERTAIN;
	if (t->n[SHAPE_BOTH] > 0 || t->n[SHAPE_SAID] > 0)
		return t->n[SHAPE_BOTH] > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
	return CONFIDENCE_POSSIBLE;
}

static void prove_counters(struct find *x)
{
	for (size_t i = 0; i < store_n_facts(x->s); i++) {
		const struct fact_record *f = store_fact(x->s, i);
		if (f->kind == FACT_DROP_COUNT && f->number > 0 &&
		        span_is(store_word(x->s, f->value), "mp-svc-no-fragment"))
			find_prove_fact(x, f);
	}
}

static void say(struct find *x, const struct tally *t)
{
	struct finding *f = x->f;
	say_why(x, &f->cause, t);
	say_large(&f->cause, t);
	say_reconnect(&f->cause, t);
	find_say_users(x, &f->verdict);
	text_str(&f->verdict,
	        ": UDP is blocked, large packets do not fit TLS, so the client reconnects after a minute.");
	f->confidence = confidence_of(t);
	prove_counters(x);
	find_prove_device(x, t->device);
	remedy_mtu(x, &t->groups);
	remedy_open_udp(x, t->device);
}

void find_mtu_reconnect(struct find *x)
{
	struct tally t = {.gap_ms = TIME_NONE};
	add_cases(x, &t);
	if (x->n_hits > 0)
		say(x, &t);
	else if (!find_has_sessions(x))
		find_mtu_risk(x);
}
