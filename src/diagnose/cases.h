/* Events put together to sessions of users: what one gateway saw of one login, or one client of its
 * connection; and which of these are the same session seen from both ends. */
#ifndef DIAGNOSE_CASES_H
#define DIAGNOSE_CASES_H

#include "diagnose/store.h"

#define CASES_MAX       200000
#define CASE_NONE       UINT32_MAX
#define CASE_MAX_ADDRS  4            /* public addresses of one session */
#define CASE_TAIL_MS    10000        /* lines of a session come this long after its end was logged */
#define CASE_LOGIN_MS   10000        /* all lines of one login come within this */
#define CASE_ZONE_MS    (15 * 60000) /* zones differ by whole multiples of this */
#define CASE_ZONE_MAX   (14 * 4)     /* by so many at most */
#define CASE_DRIFT_MS   90000        /* clocks differ by at most this besides */
#define CASE_MAX_CLIENT 64           /* clients for which a gateway's session is looked for */

enum case_side { SIDE_GATEWAY, SIDE_CLIENT };

/* Sums over the events of a case. */
struct case_counts {
	uint32_t tls_ups, dtls_ups, dtls_failures, replaced, resumed, lost, moves;
	uint32_t large_to_client, large_from_client; /* packets */
	uint32_t large_size, large_limit;            /* largest to the client, and the threshold then */
	uint32_t frag_needed, frag_size, frag_limit; /* the same of 602101 */
	uint32_t tls_mtu, dtls_mtu, adapter_mtu;     /* last said */
};

struct one_case {
	word_t device, user, group, profile, inner, inner6;
	word_t addrs[CASE_MAX_ADDRS]; /* public; the latest first */
	uint8_t side;                 /* enum case_side */
	uint8_t source;               /* enum source_kind of its first event */
	uint8_t reason;               /* enum end_reason, valid with is_ended */
	bool has_begin : 1;           /* begin_at_ms is a login, else merely the first event */
	bool is_ended : 1, has_times : 1, has_zone : 1;
	bool is_tls_up : 1, is_dtls_up : 1; /* as last seen */
	/* another session of the user from the same address went on meanwhile: a line may be of either */
	bool is_mixed : 1;
	uint32_t first_file, last_file;
	int64_t begin_at_ms, last_at_ms, end_at_ms;
	int64_t known_until_ms; /* its file goes on until then, with or without it */
	int64_t dtls_up_at_ms;  /* first; TIME_NONE */
	uint32_t first, last;   /* places in the store's order */
	struct case_counts n;
	uint32_t older;   /* case of the same user before, or CASE_NONE */
	uint32_t partner; /* the same session from the other side, or CASE_NONE */
	int64_t shift_ms; /* to add to this clock to get the partner's */
};

struct cases {
	const struct store *store;
	struct one_case *v;
	size_t n;
	uint32_t *next;    /* of each place: the next of the same case, or CASE_NONE */
	uint32_t *case_of; /* of each place: index of its case, or CASE_NONE */
	size_t n_lost;     /* cases over the limit */
};

/* Of a finished store. -ENOMEM */
MUST_USE int cases_init(struct cases *c, const struct store *s);
void cases_done(struct cases *c);
/* Finds the partners; cases_init() calls it. In cases_join.c. */
void cases_join(struct cases *c);

/* ---- what a record says ---- */

#define CODE_NEW_MTU 16 /* of EVENT_RECONFIGURE: "New MTU configuration" */

enum case_side record_side(const struct record *r);
bool record_is_dtls_up(const struct record *r);
/* The session went on in a new connection, or is about to. */
bool record_is_reconnect(const struct record *r);
/* The client says that it begins anew for another MTU. */
bool record_is_new_mtu(const struct record *r);

/* ---- cases ---- */

/* Adds up what an event says; cases_init() calls it. In cases_take.c. */
void case_take(const struct store *s, struct one_case *k, const struct record *r);
/* True when the case was seen for at least this long after it began. */
bool case_lasted(const struct one_case *k, int64_t ms);
/* openconnect's or ocserv's, with their own ways to lose UDP. */
bool case_is_open_source(const struct one_case *k);
/* When it was seen last: its end, or that of its file. */
int64_t case_until(const struct one_case *k);
/* The first event of this kind (and tunnel, unless TUNNEL_UNKNOWN) at place or later; CASE_NONE. To walk a
 * case: for (i = k->first; i != CASE_NONE; i = c->next[i]). */
uint32_t cases_find(const struct cases *c, uint32_t place, enum event_kind kind, enum tunnel_kind tunnel);

#endif
