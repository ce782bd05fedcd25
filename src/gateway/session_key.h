/* What a session is found by: in the tables of its thread, and which thread that is (gateway/owners.h). */
#ifndef GATEWAY_SESSION_KEY_H
#define GATEWAY_SESSION_KEY_H

#include "base/addr.h"
#include "base/htab.h"
#include "gateway/owners.h"

struct session;
struct worker;

enum session_key_kind {
	SESSION_BY_INDEX,
	SESSION_BY_IP4,
	SESSION_BY_IP6,
	SESSION_BY_DTLS_ID,
	SESSION_BY_PEER, /* of dtls.active */
	SESSION_BY_NEXT, /* of dtls.next */
	SESSION_BY_HOST, /* public address that dtls.active may come from */
	SESSION_BY_TOKEN,
	N_SESSION_KEYS,
};

struct session_key {
	struct htab_node own;
	struct owner_node shared;
};

/* One key of its kind, in place of a former one. -ENOMEM: it has none then. */
MUST_USE int session_key_set(struct session *s, enum session_key_kind kind, uint64_t hash);
void session_key_drop(struct session *s, enum session_key_kind kind);
/* The first session of this thread in that table, then session_key_next(): the hash agrees, the caller
 * compares. */
struct session *session_key_find(const struct worker *w, enum session_key_kind kind, uint64_t hash);
struct session *session_key_next(const struct session *s, enum session_key_kind kind);
/* The threads besides this one that have such a session: bit n is thread n. */
uint64_t session_key_elsewhere(struct worker *w, enum session_key_kind kind, uint64_t hash);

/* By index, inner addresses and cookie, and the kernel is told where its packets belong (io/steer.h).
 * -ENOMEM: it may have some of them. */
MUST_USE int session_key_publish(struct session *s, uint64_t token_hash);
void session_key_unpublish(struct session *s);

/* NULL: this thread has none. */
struct session *session_by_index(struct worker *w, uint32_t index);
struct session *session_by_inner(struct worker *w, const struct ip_addr *a);
/* The threads besides this one that have a session with that inner address. */
uint64_t session_inner_elsewhere(struct worker *w, const struct ip_addr *a);
/* The threads, this one included, that have the session: bit n is thread n. */
uint64_t session_is_where(struct worker *w, uint32_t index);

#endif
