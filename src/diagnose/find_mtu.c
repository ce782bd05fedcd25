/* dtls-blocked-mtu-reconnect: the sessions that show it (minute.h), put together and put into words. */
#include "diagnose/minute.h"
#include "diagnose/remedy.h"

#define SURE_SESSIONS 2 /* that only their moment gives away: so many must agree */
#define PROVED_CASES  4 /* whose lines are shown */

struct tally {
	struct hit_groups groups;
	size_t n[MINUTE_N], n_proved;
	uint32_t n_large;
	uint32_t large_size, large_limit, new_mtu;
	int64_t least_gap_ms, most_gap_ms; /* from connect to reconnect; TIME_NONE */
	bool is_joined;                    /* one session seen from both ends */
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

static void take_gap(struct tally *t, int64_t gap_ms)
{
	if (gap_ms == TIME_NONE)
		return;
	if (t->least_gap_ms == TIME_NONE || gap_ms < t->least_gap_ms)
		t->least_gap_ms = gap_ms;
	if (t->most_gap_ms == TIME_NONE || gap_ms > t->most_gap_ms)
		t->most_gap_ms = gap_ms;
}

static void add_case(struct find *x, struct tally *t, uint32_t at, const struct minute *m)
{
	const struct one_case *k = &x->c->v[at];
	int64_t end = m->reconnect != CASE_NONE ? store_at(x->s, m->reconnect)->at_ms : k->last_at_ms;
	find_hit(x, k, k->begin_at_ms, end);
	x->marks[at] |= MARK_MTU_RECONNECT;
	word_set_add(x->mtu_users, k->user);
	if (k->partner != CASE_NONE)
		x->marks[k->partner] |= MARK_MTU_RECONNECT;
	remedy_collect(x, &t->groups, k);
	t->n[m->shape]++;
	t->n_large += k->n.large_to_client;
	t->is_joined |= k->partner != CASE_NONE;
	t->device = t->device ? t->device : k->device;
	if (k->n.large_size > t->large_size) {
		t->large_size = k->n.large_size;
		t->large_limit = k->n.large_limit;
	}
	take_gap(t, m->gap_ms);
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
static size_t count_shapes(const struct find *x, size_t n[static MINUTE_N])
{
	size_t n_sure = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		if (!is_candidate(x, &x->c->v[i]))
			continue;
		enum minute_shape s = minute_of(x->c, &x->c->v[i]).shape;
		if (s == MINUTE_MOMENT && x->c->v[i].is_mixed)
			continue;
		n[s]++;
		n_sure += s > MINUTE_MOMENT;
	}
	return n_sure;
}

static void add_cases(struct find *x, struct tally *t)
{
	size_t n[MINUTE_N] = {0};
	size_t n_sure = count_shapes(x, n);
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (!is_candidate(x, k))
			continue;
		struct minute m = minute_of(x->c, k);
		if (m.shape > MINUTE_MOMENT || (m.shape == MINUTE_MOMENT && !k->is_mixed &&
		                                       (n_sure > 0 || n[m.shape] >= SURE_SESSIONS)))
			add_case(x, t, i, &m);
	}
}

/* ---- words ---- */

/* The log shows what the configuration beside it cannot lead to. */
static void say_older(
        const struct find *x, struct text *c, const struct hit_group *g, const struct estimate *e)
{
	const struct seen_mtu nothing = {0};
	struct estimate now;
	if (!e->is_tls_seen || e->is_exact || !e->is_tcpmss_known || g->policy == NULL ||
	        !estimate_make(x, setup_device(x->u, g->device), g->policy, g->has_ip6, &nothing, &now))
		return;
	text_fmt(c,
	        "The configuration that was given does not lead to this (by it TLS would carry %u): the log "
	        "is "
	        "older, or the clients agree on another cipher. ",
	        now.d.tls);
}

static void say_why(const struct find *x, struct text *c, const struct tally *t)
{
	const struct hit_group *g = &t->groups.v[0];
	struct estimate e;
	text_str(c, "UDP between client and gateway does not get through, so the DTLS tunnel did not come up "
	            "and all data went by TLS. The client's adapter begins with the MTU of DTLS");
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
	if (is_known)
		say_older(x, c, g, &e);
}

static void say_large(struct text *c, const struct tally *t)
{
	if (t->n_large > 0)
		text_fmt(c,
		        "Larger ones were dropped on the way to the client: %u %s of up to %u bytes "
		        "(threshold %u); web pages and downloads hang meanwhile. ",
		        t->n_large, t->n_large == 1 ? "packet" : "packets", t->large_size, t->large_limit);
}

static long long seconds_of(int64_t ms)
{
	return (long long)(ms + 500) / 1000;
}

static void say_gap(struct text *c, const struct tally *t)
{
	if (t->least_gap_ms == TIME_NONE) {
		text_str(c, "Then "); /* the lines have no times */
		return;
	}
	text_fmt(c, "%lld ", seconds_of(t->least_gap_ms));
	if (seconds_of(t->most_gap_ms) > seconds_of(t->least_gap_ms))
		text_fmt(c, "to %lld ", seconds_of(t->most_gap_ms));
	text_str(c, "seconds after the connect ");
}

/* The note's minute, or what another client waited for. */
static void say_moment(struct text *v, const struct tally *t)
{
	if (t->least_gap_ms == TIME_NONE)
		text_str(v, " to lower its MTU");
	else if (minute_is_near(t->least_gap_ms))
		text_str(v, " after a minute");
	else
		text_fmt(v, " after %lld s", seconds_of(t->least_gap_ms));
}

static void say_reconnect(struct text *c, const struct tally *t)
{
	size_t n = t->n[MINUTE_MOMENT] + t->n[MINUTE_BOTH] + t->n[MINUTE_SAID];
	if (n == 0) {
		text_str(c, "The files end before the minute in which the client would reconnect. ");
		return;
	}
	say_gap(c, t);
	text_str(c, "the client gave DTLS up, lowered its adapter's MTU");
	if (t->new_mtu)
		text_fmt(c, " to %u", t->new_mtu);
	text_str(c, " and reconnected");
	text_str(c, t->n[MINUTE_SAID] ? " (reason code 16, \"New MTU configuration\")" : "");
	text_str(c, "; the adapter goes down and up, and connections may break. ");
}

static enum confidence confidence_of(const struct tally *t)
{
	if (t->n[MINUTE_SAID] > 0 && (t->n[MINUTE_BOTH] > 0 || t->is_joined || t->n_large > 0))
		return CONFIDENCE_CERTAIN;
	if (t->n[MINUTE_BOTH] > 0 || t->n[MINUTE_SAID] > 0)
		return t->n[MINUTE_BOTH] > 1 ? CONFIDENCE_CERTAIN : CONFIDENCE_PROBABLE;
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
	remedy_say_newer(x, &t->groups);
	find_say_users(x, &f->verdict);
	text_str(&f->verdict, ": UDP is blocked, large packets do not fit TLS, so the client reconnects");
	say_moment(&f->verdict, t);
	text_str(&f->verdict, ".");
	f->confidence = confidence_of(t);
	prove_counters(x);
	find_prove_device(x, t->device);
	remedy_mtu(x, &t->groups);
	remedy_open_udp(x, t->device);
}

void find_mtu_reconnect(struct find *x)
{
	struct tally t = {.least_gap_ms = TIME_NONE, .most_gap_ms = TIME_NONE};
	add_cases(x, &t);
	if (x->n_hits > 0)
		say(x, &t);
	else if (find_has_sessions(x))
		find_large_alone(x);
	else
		find_mtu_risk(x);
}
