/* Events put together to sessions of users: what one gateway saw of one login, or one client of its
 * connection; and which of these are the same session seen from both ends. */
#ifndef DIAGNOSE_CASES_H
#define DIAGNOSE_CASES_H

#include "diagnose/store.h"

#define CASES_MAX         100000
#define CASE_NONE         UINT32_MAX
#define CASE_MAX_ADDRS    4      /* public addresses of one session */
#define CASE_TAIL_MS      10000  /* tunnels that go down this long around the end belong to it */
#define CASE_NEW_LOGIN_MS 600000 /* a second login of a user after this is a new session, sooner a reconnect */
#define CASE_MOVE_MS      30000  /* a change of network explains what happens this long before and after */
#define CASE_ZONE_MS      (15 * 60000) /* zones differ by whole multiples of this */
#define CASE_DRIFT_MS     90000  /* clocks differ by at most this besides */

enum case_side { SIDE_GATEWAY, SIDE_CLIENT };

/* Sums over the events of a case. Times: first occurrence, TIME_NONE when there is none. */
struct case_counts {
	uint32_t tls_ups, dtls_ups, dtls_failures, replaced, resumed, lost, moves;
	uint32_t large_to_client, large_from_client; /* packets */
	uint32_t large_size, large_limit;            /* largest to the client, and the threshold then */
	uint32_t frag_needed, frag_size, frag_limit; /* the same of 602101 */
	uint32_t tls_mtu, dtls_mtu, adapter_mtu;     /* last announced; adapter: last set */
};

struct one_case {
	word_t device, user, group, profile, inner, inner6;
	word_t addrs[CASE_MAX_ADDRS]; /* public; the latest first */
	uint32_t file;                /* of its first event */
	uint8_t side;                 /* enum case_side */
	uint8_t source;               /* enum source_kind of its first event */
	uint8_t reason;               /* enum end_reason, valid with is_ended */
	bool has_begin, is_ended, has_times, has_zone;
	bool has_down_tls;            /* last seen state of the tunnels */
	bool is_up_dtls;
	int64_t begin_at_ms;          /* connected; first event when that was not seen */
	int64_t first_at_ms, last_at_ms, end_at_ms, known_until_ms; /* its file goes on until then */
	int64_t dtls_up_at_ms, dtls_down_at_ms; /* first, last */
	uint32_t first, last;         /* places in the store's order; see cases_next() */
	struct case_counts n;
	uint32_t partner;             /* the same session from the other side, or CASE_NONE */
	int64_t shift_ms;             /* to add to this clock to get the partner's */
};

struct cases {
	const struct store *store;
	struct one_case *v;
	size_t n;
	uint32_t *next;     /* of each place: the next of the same case, or CASE_NONE */
	uint32_t *case_of;  /* of each place: index of its case, or CASE_NONE */
	int64_t *file_ends; /* time of the last event of each file */
	size_t n_files;
	size_t n_lost_cases;
};

/* Of a finished store. -ENOMEM */
MUST_USE int cases_init(struct cases *c, const struct store *s);
void cases_done(struct cases *c);

/* for (i = c->v[k].first; i != CASE_NONE; i = c->next[i]) store_at(c->store, i) */
static inline const struct record *cases_record(const struct cases *c, uint32_t place)
{
	return store_at(c->store, place);
}

/* True when the case was seen for at least this long after it began. */
bool case_lasted(const struct one_case *k, int64_t ms);
/* The first event of this kind (and tunnel, unless TUNNEL_UNKNOWN) at or after place; CASE_NONE. */
uint32_t cases_find(const struct cases *c, uint32_t place, enum event_kind kind, enum tunnel_kind tunnel);

#endif
