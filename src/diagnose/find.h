/* What the rules of find_*.c are written with. One function a finding: it walks the cases, calls find_hit()
 * for each that shows it, find_prove() for the lines that do, and says the rest in words. */
#ifndef DIAGNOSE_FIND_H
#define DIAGNOSE_FIND_H

#include "diagnose/cases.h"
#include "diagnose/finding.h"
#include "diagnose/product.h"
#include "diagnose/setup.h"

#define DTLS_GRACE_MS 45000 /* DTLS comes up within seconds; after this it will not any more */
#define IP6_MIN_MTU   1280  /* RFC 8200 5 */
#define NOTE_MSS      1460  /* the third remedy of the note */

/* By which rules one finds what another one would report as well, in a lesser form. */
enum case_mark {
	MARK_MTU_RECONNECT = 1,
	MARK_DTLS_BLOCKED = 2,
	MARK_DTLS_LOST = 4,
	MARK_TLS_LIVED = 8, /* although the gateway declared it dead */
};

/* Bit sets over words. */
static inline bool word_set_has(const uint8_t *set, word_t w)
{
	return (set[w / 8] & 1u << w % 8) != 0;
}

static inline void word_set_add(uint8_t *set, word_t w)
{
	set[w / 8] |= (uint8_t)(1u << w % 8);
}

struct find {
	const struct store *s;
	const struct cases *c;
	struct setup *u;
	struct finding *f; /* the one in work */
	size_t n_hits;     /* of it */
	word_t own_user;   /* of it: whose own settings the cures of a policy must change; 0: the policy's */
	unsigned products; /* gateways of its hits, bits */
	unsigned all_products;                /* of all that is read */
	uint8_t *marks;                       /* of each case, enum case_mark */
	const struct policy_setup **policies; /* of each case, or NULL */
	uint8_t *seen_users;                  /* set of words, of the finding in work */
	uint8_t *mtu_users; /* set of words: who has MTU trouble, which includes that DTLS is blocked */
	bool tells_dtls;    /* the log of ocserv has lines of DTLS tunnels */
	bool is_bad;        /* no memory */
};

/* ---- asking ---- */

/* Concerns the user, address and time that were asked for. */
bool find_wants(const struct find *x, const struct one_case *k);
bool find_wants_record(const struct find *x, const struct record *r);
/* And it is a session of somebody: gateways see strangers, too. */
bool find_is_session(const struct find *x, const struct one_case *k);
const struct policy_setup *find_policy_of(const struct find *x, const struct one_case *k);
/* Whose configuration the finding's cures are for; bits. */
unsigned find_products(const struct find *x);
/* TLS only on purpose: the configuration says so. */
bool find_is_dtls_off(const struct find *x, const struct one_case *k);
bool find_has_ip6(const struct find *x, const struct one_case *k);
bool find_is_mtu_user(const struct find *x, word_t user);
/* Some source tells of sessions; false when there are only configurations and counters. */
bool find_has_sessions(const struct find *x);

/* ---- telling ---- */

void find_hit(struct find *x, const struct one_case *k, int64_t first_ms, int64_t last_ms);
/* A hit without a session: of a user (0: nobody known) at a time. */
void find_hit_record(struct find *x, const struct record *r);
/* Lines as evidence; no-op for CASE_NONE and NULL, and once there are enough. */
void find_prove(struct find *x, uint32_t place);
void find_prove_fact(struct find *x, const struct fact_record *f);
/* What TLS MTUs of this device are computed from. */
void find_prove_device(struct find *x, word_t device);
/* The next remedy, zeroed; the last one again when there are too many. */
struct remedy *find_remedy(struct find *x, const char *title);

/* "alice", "alice, bob and 12 others", "the client" */
void find_say_users(const struct find *x, struct text *t);
void find_say_word(const struct find *x, struct text *t, word_t w);
void find_say_addr(const struct find *x, struct text *t, word_t w);

/* ---- the rules, in find_*.c ---- */

void find_mtu_reconnect(struct find *x);
void find_mtu_risk(struct find *x);    /* called by it when no file tells of sessions, */
void find_large_alone(struct find *x); /* and when some do, which do not show it */
void find_dtls_blocked(struct find *x);
void find_dtls_flapping(struct find *x);
void find_dtls_lost(struct find *x);
void find_udp_silent(struct find *x);
void find_tls_too_small(struct find *x);
void find_below_1280(struct find *x);
void find_black_hole(struct find *x);
void find_tcpmss(struct find *x);
void find_ineffective(struct find *x);
void find_timeouts(struct find *x);
void find_dpd(struct find *x);
void find_suspend(struct find *x);
void find_preempted(struct find *x);
void find_connect_failed(struct find *x);
void find_not_resumed(struct find *x);
void find_rejected(struct find *x);
void find_pool(struct find *x);
void find_cipher(struct find *x);

#endif
