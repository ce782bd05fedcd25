#include "diagnose/upheaval.h"

#define NEAR_LINES 2
#define FAR_MS     60000
#define MAX_STEPS  1000 /* events of one session within seconds: more only somebody makes who wants to */

bool record_is_dtls_down(const struct record *r)
{
	return r->tunnel == TUNNEL_DTLS &&
	       (r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_DPD_DEAD || r->kind == EVENT_TUNNEL_STALL);
}

bool record_is_upheaval(const struct record *r)
{
	return r->kind == EVENT_SESSION_END || r->kind == EVENT_SESSION_LOST ||
	       r->kind == EVENT_SESSION_RESUMED || r->kind == EVENT_SUSPEND || r->kind == EVENT_WAKE ||
	       r->kind == EVENT_NETWORK_CHANGE ||
	       (r->tunnel != TUNNEL_DTLS &&
	               (r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_TUNNEL_REPLACED ||
	                       r->kind == EVENT_DPD_DEAD));
}

/* From a to b; lines without a time are near each other when they stand so in their file. */
static int64_t distance_ms(const struct record *a, const struct record *b)
{
	if (a->at_ms != TIME_NONE && b->at_ms != TIME_NONE)
		return b->at_ms - a->at_ms;
	int64_t lines = (int64_t)b->line - a->line;
	return lines >= -NEAR_LINES && lines <= NEAR_LINES ? 0 : lines * FAR_MS;
}

bool record_is_tls_dead(const struct record *r)
{
	return r->kind == EVENT_DPD_DEAD && r->tunnel == TUNNEL_TLS;
}

/* Without times a tunnel that is declared dead may have lived on for long. */
static bool is_apart(const struct record *a, const struct record *b)
{
	return record_is_tls_dead(b) && (a->at_ms == TIME_NONE || b->at_ms == TIME_NONE);
}

bool upheaval_is_near(const struct cases *c, uint32_t place, uint32_t *from)
{
	const struct record *r = store_at(c->store, place);
	while (*from != place && distance_ms(r, store_at(c->store, *from)) < -CASE_TAIL_MS)
		*from = c->next[*from];
	uint32_t i = *from;
	for (int n = 0; i != CASE_NONE && n < MAX_STEPS; i = c->next[i], n++) {
		const struct record *o = store_at(c->store, i);
		if (distance_ms(r, o) > CASE_TAIL_MS)
			break;
		if (record_is_upheaval(o) && !is_apart(r, o))
			return true;
	}
	return false;
}
