#include "diagnose/people.h"

#include <stdlib.h>

#define AGAIN_MS     600000 /* a login that succeeds this soon after makes a refusal a slip of the fingers */
#define TRY_MS       2000   /* several lines of one try come within this */
#define NEAR_RECORDS 8      /* between a try as the client sees it and as the gateway does */
#define MAX_PEOPLE   20000  /* users and addresses that are told apart */

static bool people_init(struct find *x, struct people *p)
{
	*p = (struct people){.v = calloc(MAX_PEOPLE, sizeof(*p->v)),
	        .of_word = calloc(store_n_words(x->s) + 1, sizeof(*p->of_word))};
	x->is_bad |= p->v == NULL || p->of_word == NULL;
	return !x->is_bad;
}

void people_done(struct people *p)
{
	free(p->v);
	free(p->of_word);
}

/* Gateways mask the names of failed logins: "*****" is nobody. */
static word_t name_of(const struct find *x, const struct record *r)
{
	struct span u = store_word(x->s, r->user);
	bool is_masked = u.n > 0;
	for (size_t i = 0; i < u.n; i++)
		is_masked &= u.p[i] == '*';
	return r->user != 0 && !is_masked ? r->user : r->public_ip ? r->public_ip : r->user;
}

static struct person *person_at(struct people *p, word_t name, bool may_add)
{
	uint32_t at = p->of_word[name];
	if (at != 0)
		return &p->v[at - 1];
	if (!may_add || p->n == MAX_PEOPLE)
		return NULL;
	p->v[p->n] = (struct person){.name = name, .first = CASE_NONE};
	p->of_word[name] = (uint32_t)++p->n;
	return &p->v[p->n - 1];
}

static int64_t gap_ms(const struct find *x, uint32_t from, const struct record *to)
{
	const struct record *r = store_at(x->s, from);
	return r->last_at_ms == TIME_NONE || to->at_ms == TIME_NONE ? 0 : to->at_ms - r->last_at_ms;
}

static void take_refusal(const struct find *x, struct people *p, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	struct person *who = person_at(p, name_of(x, r), true);
	if (who == NULL)
		return;
	bool is_same_try =
	        who->first != CASE_NONE && r->at_ms != TIME_NONE && gap_ms(x, who->last, r) <= TRY_MS;
	if (!is_same_try || r->count > 1)
		who->tries += r->count;
	who->first = who->first == CASE_NONE ? place : who->first;
	who->last = place;
	who->is_in_later = false;
}

static bool is_login(const struct record *r)
{
	return r->kind == EVENT_CONNECTED || (r->kind == EVENT_TUNNEL_UP && r->tunnel == TUNNEL_TLS);
}

static void take_login(const struct find *x, struct people *p, const struct record *r)
{
	const word_t names[] = {r->user, r->public_ip};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		struct person *who = names[i] ? person_at(p, names[i], false) : NULL;
		if (who != NULL && gap_ms(x, who->last, r) <= AGAIN_MS)
			who->is_in_later = true;
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
		if (o->kind == r->kind && record_side(o) == SIDE_GATEWAY && ms >= -TRY_MS && ms <= TRY_MS)
			return true;
	}
	return false;
}

bool people_collect(struct find *x, struct people *p, enum event_kind kind)
{
	if (!people_init(x, p))
		return false;
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		bool is_refusal = r->kind == kind && r->reason != REASON_FORGOTTEN;
		if (is_refusal && find_wants_record(x, r) && !is_clients_view(x, i))
			take_refusal(x, p, i);
		else if (is_login(r))
			take_login(x, p, r);
	}
	return true;
}
