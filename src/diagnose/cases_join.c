/* A client's log and a gateway's tell of the same session when its parts happened at the same moments, on
 * clocks that may be in different zones; an address or a name in common is the better proof. */
#include <stdlib.h>

#include "diagnose/cases.h"

#define MOMENT_MS    5000 /* both ends log the same reconnect within this */
#define SCORE_ADDR   4
#define SCORE_USER   3
#define SCORE_MOMENT 2 /* a reconnect at the same distance from the login */
#define SCORE_MIN    2

struct match {
	uint32_t at;
	int score;
	int64_t shift_ms;
	bool is_tie;
};

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

/* The whole quarters of an hour that bring a to b; false when the rest is more than clocks drift. */
static bool find_shift(int64_t a, int64_t b, bool is_same_zone, int64_t *ret)
{
	int64_t d = b - a, q = d >= 0 ? (d + CASE_ZONE_MS / 2) / CASE_ZONE_MS
	                              : -((-d + CASE_ZONE_MS / 2) / CASE_ZONE_MS);
	if (q > CASE_ZONE_MAX || q < -CASE_ZONE_MAX || (is_same_zone && q != 0))
		return false;
	*ret = d;
	return distance(d, q * CASE_ZONE_MS) <= CASE_DRIFT_MS;
}

/* Time of the first reconnect; TIME_NONE. */
static int64_t first_reconnect(const struct cases *c, const struct one_case *k)
{
	for (uint32_t i = k->first; i != CASE_NONE; i = c->next[i])
		if (record_is_reconnect(store_at(c->store, i)))
			return store_at(c->store, i)->at_ms;
	return TIME_NONE;
}

static bool is_same_name(const struct store *s, word_t a, word_t b)
{
	struct span x = store_word(s, a), y = store_word(s, b);
	return x.n > 0 && x.n == y.n && strncasecmp((const char *)x.p, (const char *)y.p, x.n) == 0;
}

static int score(const struct cases *c, const struct one_case *client, int64_t client_reconnect,
        const struct one_case *gateway, int64_t shift_ms)
{
	int n = 0;
	if ((client->inner && client->inner == gateway->inner) ||
	        (client->inner6 && client->inner6 == gateway->inner6))
		n += SCORE_ADDR;
	else if (client->inner && gateway->inner)
		return 0;
	if (is_same_name(c->store, client->user, gateway->user))
		n += SCORE_USER;
	if (client_reconnect != TIME_NONE) {
		int64_t t = first_reconnect(c, gateway);
		if (t != TIME_NONE && distance(client_reconnect + shift_ms, t) <= MOMENT_MS)
			n += SCORE_MOMENT;
	}
	return n;
}

static struct match find_match(const struct cases *c, const struct one_case *client)
{
	struct match best = {.at = CASE_NONE};
	int64_t reconnect = first_reconnect(c, client);
	for (uint32_t i = 0; i < c->n; i++) {
		const struct one_case *g = &c->v[i];
		int64_t shift;
		if (g->side != SIDE_GATEWAY || !g->has_begin || !g->has_times || g->partner != CASE_NONE ||
		        g->user == 0 ||
		        !find_shift(
		                client->begin_at_ms, g->begin_at_ms, client->has_zone && g->has_zone, &shift))
			continue;
		int n = score(c, client, reconnect, g, shift);
		if (n > best.score)
			best = (struct match){i, n, shift, false};
		else if (n == best.score && n > 0)
			best.is_tie = true;
	}
	return best;
}

void cases_join(struct cases *c)
{
	size_t n_asked = 0;
	for (uint32_t i = 0; i < c->n && n_asked < CASE_MAX_CLIENT; i++) {
		struct one_case *k = &c->v[i];
		if (k->side != SIDE_CLIENT || !k->has_begin || !k->has_times)
			continue;
		n_asked++;
		struct match m = find_match(c, k);
		if (m.at == CASE_NONE || m.is_tie || m.score < SCORE_MIN)
			continue;
		k->partner = m.at;
		k->shift_ms = m.shift_ms;
		c->v[m.at].partner = i;
		c->v[m.at].shift_ms = -m.shift_ms;
	}
}
