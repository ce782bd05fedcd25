/* An intrusive chained hash table that grows. Keys are the user's: it passes a hash and compares itself while
 * it walks the chain. For keys that strangers choose, hash with htab_hash(), which is keyed per process. */
#ifndef BASE_HTAB_H
#define BASE_HTAB_H

#include "base/span.h"
#include "base/util.h"

struct htab_node {
	struct htab_node *next;
	uint64_t hash;
};

struct htab {
	struct htab_node **slots; /* owned; nodes are not */
	size_t n_slots;           /* power of two, 0 before the first insert */
	size_t n;
};

/* SipHash-2-4 of the bytes under key. */
uint64_t htab_hash(const uint8_t key[static 16], struct span s);

MUST_USE int htab_insert(struct htab *t, struct htab_node *node, uint64_t hash); /* -ENOMEM */
void htab_remove(struct htab *t, struct htab_node *node); /* no-op when it is not inside */
/* First node with this hash, then htab_next(); NULL at the end. */
struct htab_node *htab_find(const struct htab *t, uint64_t hash);
struct htab_node *htab_next(const struct htab_node *node);
/* One slot of a walk in many steps, between which nodes may come and go and the table may grow: begins with
 * cursor 0, goes on with what it returns, is over when that is 0. A node that is inside all the time is seen
 * at least once (twice when the table grows meanwhile). f must not change the table. */
uint64_t htab_scan(
        const struct htab *t, uint64_t cursor, void (*f)(struct htab_node *node, void *arg), void *arg);
void htab_done(struct htab *t);

#endif
