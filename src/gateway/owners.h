/* Which thread has the session? Asked for what a thread received and cannot place itself: packets from TUN,
 * datagrams, a CONNECT with a known cookie. One table of the process for each kind of key; a thread looks
 * into its own tables first, so the lock is taken for strays only. */
#ifndef GATEWAY_OWNERS_H
#define GATEWAY_OWNERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/htab.h"

#define OWNERS_MAX_THREADS 64u /* an answer is a set of threads in one word */

enum owner_kind {
	OWNER_INDEX,   /* of the session */
	OWNER_INNER,   /* inner address */
	OWNER_DTLS_ID, /* of the ClientHello that is expected */
	OWNER_PEER,    /* UDP address and port */
	OWNER_HOST,    /* public address alone */
	OWNER_TOKEN,   /* the session's cookie */
	N_OWNER_KINDS,
};

struct owner_node {
	struct htab_node node;
	uint8_t thread;
};

struct owners {
	pthread_rwlock_t lock;
	struct htab tables[N_OWNER_KINDS];
	/* more than one thread has, or once had, the same key: with peers, a client that logged in anew */
	atomic_bool has_shared[N_OWNER_KINDS];
};

void owners_init(struct owners *o);
/* hash: keyed (htab_hash), and all that is compared: a wrong answer costs a detour and nothing else. The node
 * must not be inside. -ENOMEM. */
MUST_USE int owners_insert(
        struct owners *o, enum owner_kind kind, struct owner_node *n, uint64_t hash, uint8_t thread);
void owners_remove(struct owners *o, enum owner_kind kind, struct owner_node *n); /* no-op when not inside */
/* Bit n: thread n has a session with this key. */
uint64_t owners_find(struct owners *o, enum owner_kind kind, uint64_t hash);
static inline bool owners_are_shared(const struct owners *o, enum owner_kind kind)
{
	return atomic_load_explicit(&o->has_shared[kind], memory_order_relaxed);
}
void owners_done(struct owners *o); /* nodes are not touched */

#endif
