/* Inside of the authority, shared by its files only. */
#ifndef GATEWAY_AUTHORITY_INT_H
#define GATEWAY_AUTHORITY_INT_H

#include "base/htab.h"
#include "gateway/authority.h"
#include "store/lease.h"

#define OWNER_NONE (-1)

/* One session in the authority's tables. */
struct entry {
	struct store_session rec; /* connection 0: pending, not in the store */
	int owner;                /* worker thread that has it connected, or OWNER_NONE */
	int holder;               /* the one that had it last and still knows it, or OWNER_NONE */
	struct htab_node by_token, by_user;
	struct htab_node by_ip4, by_ip6; /* inside with an address */
	struct entry *older, *newer;     /* of those that are pending */
};

struct pool {
	char name[STORE_NAME_MAX + 1];
	struct lease_pool *leases; /* owned */
};

struct authority {
	struct authority_host host;
	struct store *store; /* owned */
	struct entry **all;  /* sorted by index: new ones go to the end */
	size_t n, cap;
	struct htab by_token, by_user, by_ip4, by_ip6;
	struct entry *oldest_pending, *newest_pending;
	uint8_t hash_key[16];
	uint32_t last_index;
	uint32_t n_pending, n_connected, n_peak;
	uint64_t n_sessions; /* since start */
	uint64_t due_s;      /* not later than the first deadline of any session */
	struct pool *pools;  /* owned */
	size_t n_pools;
};

static inline bool entry_is_pending(const struct entry *s)
{
	return s->rec.connection == 0;
}

/* authority.c */
/* After anything that moves the session's deadline. */
void entry_due_update(struct authority *a, const struct entry *s);
/* Tells the host what the store did not take; s may be NULL. */
void authority_store_check(struct authority *a, const struct entry *s, int err);

/* authority_table.c */
/* NULL: there is none. */
struct entry *entry_by_token(const struct authority *a, const uint8_t token[static IPC_TOKEN_BYTES]);
struct entry *entry_by_index(const struct authority *a, uint32_t index);
/* The oldest of the user's sessions, pending ones or the others; *ret_n: how many there are. */
struct entry *entry_oldest_of(
        const struct authority *a, const char *username, bool wants_pending, uint32_t *ret_n);
/* Place in a->all of the first session whose index is not below. */
size_t entry_place(const struct authority *a, uint32_t index);
/* Its index is larger than that of all others. -ENOMEM: it is still the caller's. */
MUST_USE int entry_add(struct authority *a, struct entry *s);
/* Takes it out of everything, tells the worker thread that holds it, frees it. reason: enum ipc_kick_reason;
 * is_silent: whoever asked knows already. */
void entry_remove(struct authority *a, struct entry *s, uint8_t reason, bool is_silent);
/* It was connected with: no longer one of those that wait for that. */
void entry_unpend(struct authority *a, struct entry *s);
/* Worker thread that has it connected, or OWNER_NONE. */
void entry_set_owner(struct authority *a, struct entry *s, int owner);
/* To the worker thread `owner`. reason: enum ipc_kick_reason. */
void entry_kick(struct authority *a, const struct entry *s, int owner, uint8_t reason);

/* authority_address.c */
/* Gives the session its addresses. 0 or ERR_NO_ADDRESS, then it has none. May remove another session of the
 * same user that holds the user's own address. */
MUST_USE int address_assign(struct authority *a, struct entry *s, const struct authority_policy *policy,
        bool wants_ip4, bool wants_ip6);
/* After a restart or a reload: marks what the session has as lent. */
void address_retake(struct authority *a, const struct entry *s);
void address_free(struct authority *a, const struct entry *s);
/* So that it is found by what addresses it has; again after they have changed. -ENOMEM. */
MUST_USE int address_link(struct authority *a, struct entry *s);
void address_unlink(struct authority *a, struct entry *s); /* no-op when not linked */

static inline void event_send(const struct authority *a, const struct authority_event *e)
{
	a->host.event(a->host.ctx, e);
}

#endif
