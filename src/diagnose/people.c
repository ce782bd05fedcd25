#include "diagnose/people.h"

#include <stdlib.h>

#include "diagnose/pattern.h"

#define AGAIN_MS     600000  /* a login that succeeds this soon after makes a refusal a slip of the fingers */
#define RUN_MS       3600000 /* a pause this long ends a run of tries */
#define NEAR_MS      2000    /* between a try as the client tells it and as the gateway does: so long, ... */
#define NEAR_RECORDS 8       /* ... and so many records */
#define FEW          2       /* people */
#define MAX_PEOPLE   20000   /* users and addresses that are told apart */

static bool people_init(struct find *x, struct people *p, int64_t try_ms)
{
	size_t n = store_n_words(x->s);
	*p = (struct people){.v = calloc(MAX_PEOPLE, sizeof(*p->v)),
	        .of_word = calloc(n + 1, sizeof(*p->of_word)),
	        .known = calloc(n / 8 + 1, 1),
	        .try_ms = try_ms};
	x->is_bad |= p->v == NULL || p->of_word == NULL || p->known == NULL;
	return !x->is_bad;
}

void people_done(struct people *p)
{
	free(p->v);
	free(p->of_word);
	free(p->known);
}

/* ---- who it is ---- */

static bool has_focus(const struct find *x)
{
	return store_focus(x->s)->user != NULL || addr_is_set(&store_focus(x->s)->ip);
}

static bool is_asked(const struct find *x, word_t name)
{
	const struct store_focus *focus = store_focus(x->s);
	struct ip_addr a = store_addr(x->s, name);
	return (focus->user != NULL && name != 0 && span_is_nocase(store_word(x->s, name), focus->user)) ||
	       (addr_is_set(&focus->ip) && addr_eq(&a, &focus->ip));
}

static bool is_login(const struct record *r)
{
	return r->kind == EVENT_CONNECTED || (r->kind == EVENT_TUNNEL_UP && r->tunnel == TUNNEL_TLS);
}

/* A session that began before the log says by any line of it whose it is. */
static bool is_of_session(const struct record *r)
{
	return is_login(r) || r->kind == EVENT_TUNNEL_REPLACED || r->kind == EVENT_SESSION_RESUMED ||
	       r->kind == EVENT_SNAPSHOT || r->kind == EVENT_LARGE_PACKET;
}

/* Of those whom the report is to be about. */
static void learn(const struct find *x, struct people *p)
{
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (!is_of_session(r) || !find_wants_record(x, r) || (has_focus(x) && r->user == 0))
			continue;
		p->has_sessions = true;
		word_set_add(p->known, r->user);
		word_set_add(p->known, r->public_ip);
	}
}

static bool is_known(const struct people *p, word_t w)
{
	return w != 0 && word_set_has(p->known, w);
}

/* Gateways mask the names of failed logins: "*****" is nobody. */
static word_t user_of(const struct find *x, const struct record *r)
{
	struct span u = store_word(x->s, r->user);
	bool is_masked = true;
	for (size_t i = 0; i < u.n; i++)
		is_masked &= u.p[i] == '*';
	return is_masked ? 0 : r->user;
}

static word_t name_of(const struct find *x, const struct people *p, const struct record *r)
{
	word_t user = user_of(x, r);
	if (user != 0 && (is_known(p, user) || r->public_ip == 0 || is_known(p, r->public_ip)))
		return user;
	return r->public_ip ? r->public_ip : r->user;
}

static struct person *person_at(struct people *p, word_t name, bool may_add)
{
	uint32_t at = p->of_word[name];
	if (at != 0)
		return &p->v[at - 1];
	if (!may_add || p->n == MAX_PEOPLE)
		return NULL;
	p->v[p->n] = (struct person){.name = name, .first = CASE_NONE, .run_last = CASE_NONE};
	p->of_word[name] = (uint32_t)++p->n;
	return &p->v[p->n - 1];
}

const struct person *people_who(const struct find *x, const struct people *p, const struct record *r)
{
	uint32_t at = p->of_word[name_of(x, p, r)];
	return at != 0 ? &p->v[at - 1] : NULL;
}

/* Whoever gets such an answer has an account here, or the gateway has a fault. */
static bool is_telling(struct span cause)
{
	static const char *const words[] = {"lock", "expir", "disabled", "limit", "not allowed", "terminated",
	        "enabled", "license", "pending", "parent session", "acl", "too many", "not accessible",
	        "unable", "timeout", "timed out", "no response", "certificate", "hours", "suspended",
	        "connect more than"};
	for (size_t i = 0; i < N_ELEM(words); i++)
		if (span_has_nocase(cause, words[i]))
			return true;
	return false;
}

/* ---- tries ---- */

static int64_t gap_ms(const struct find *x, uint32_t from, const struct record *to)
{
	const struct record *r = store_at(x->s, from);
	return r->last_at_ms == TIME_NONE || to->at_ms == TIME_NONE ? 0 : to->at_ms - r->last_at_ms;
}

static void take_refusal(const struct find *x, struct people *p, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	struct person *who = person_at(p, name_of(x, p, r), true);
	if (who == NULL)
		return;
	int64_t gap = who->run_last != CASE_NONE ? gap_ms(x, who->run_last, r) : 0;
	/* what the store counted in one record is within STORE_MERGE_MS */
	uint32_t n = p->try_ms >= STORE_MERGE_MS ? 1 : r->count;
	bool is_same_try = who->run > 0 && r->at_ms != TIME_NONE && gap <= p->try_ms && n == 1;
	if (gap > RUN_MS)
		who->run = 0;
	if (who->run == 0)
		who->run_first = place;
	who->run += is_same_try ? 0 : n;
	who->total += is_same_try ? 0 : n;
	who->run_last = place;
	who->is_named |= user_of(x, r) != 0;
	who->is_known |= is_known(p, user_of(x, r)) || is_known(p, r->public_ip);
	who->is_client |= record_side(r) == SIDE_CLIENT;
	who->is_asked |= is_asked(x, r->user) || is_asked(x, r->public_ip);
	who->is_telling |= is_telling(store_word(x->s, r->cause));
	if (who->run < who->tries)
		return;
	who->tries = who->run;
	who->first = who->run_first;
	who->last = place;
	who->is_in_later = false;
}

static void take_login(const struct find *x, struct people *p, const struct record *r)
{
	const word_t names[] = {r->user, r->public_ip, 0};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		/* a client's own log names nobody */
		bool is_somebody = names[i] != 0 || record_side(r) == SIDE_CLIENT;
		struct person *who = is_somebody ? person_at(p, names[i], false) : NULL;
		if (who == NULL || who->run_last == CASE_NONE)
			continue;
		if (who->last == who->run_last && gap_ms(x, who->last, r) <= AGAIN_MS)
			who->is_in_later = true;
		who->run = 0;
	}
}

/* The gateway tells of the same try, and of whom. */
static bool is_clients_view(const struct find *x, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	uint32_t from = place > NEAR_RECORDS ? place - NEAR_RECORDS : 0;
	if (record_side(r) != SIDE_CLIENT || r->user != 0 || r->at_ms == TIME_NONE)
		return false;
	for (uint32_t i = from; i < store_n(x->s) && i <= place + NEAR_RECORDS; i++) {
		const struct record *o = store_at(x->s, i);
		int64_t ms = o->at_ms == TIME_NONE ? INT64_MAX : o->at_ms - r->at_ms;
		if (o->kind == r->kind && record_side(o) == SIDE_GATEWAY && ms >= -NEAR_MS && ms <= NEAR_MS)
			return true;
	}
	return false;
}

bool people_collect(struct find *x, struct people *p, enum event_kind kind, int64_t try_ms)
{
	if (!people_init(x, p, try_ms))
		return false;
	learn(x, p);
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		bool is_refusal = r->kind == kind && r->reason != REASON_FORGOTTEN;
		if (is_refusal && find_wants_record(x, r) && !is_clients_view(x, i))
			take_refusal(x, p, i);
		else if (is_login(r))
			take_login(x, p, r);
	}
	for (size_t i = 0; i < p->n; i++)
		p->n_outside += !p->v[i].is_in_later;
	return true;
}

bool people_are_few(const struct people *p)
{
	return p->n_outside <= FEW;
}

bool person_is_told(const struct find *x, const struct person *who, uint32_t known_min, uint32_t stranger_min)
{
	if (has_focus(x) && !who->is_known && !who->is_asked && !who->is_client)
		return false;
	if (who->is_in_later)
		return who->tries >= (who->is_asked ? known_min : stranger_min);
	if (who->is_asked || who->is_client || who->is_telling)
		return who->tries > 0;
	return who->tries >= (who->is_known ? known_min : stranger_min);
}
