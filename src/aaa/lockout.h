/* Failed logins by user name and by client address (IPv6: its /64): how long must the next attempt wait?
 * Pure: time is an argument, nothing is locked; one thread. Memory is fixed at lockout_new(): strangers
 * choose the keys, so each of the two tables is bounded and forgets the entry whose last failure is the
 * oldest. Keys are kept only as keyed hashes. */
#ifndef AAA_LOCKOUT_H
#define AAA_LOCKOUT_H

#include "base/addr.h"
#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

struct lockout_rule {
	uint32_t n_free;         /* failures that cost nothing */
	uint32_t first_delay_ms; /* after the next one; doubles with each further */
	uint32_t max_delay_ms;
	uint32_t n_lock; /* from this failure on: lock_ms instead of the delay; 0: never */
	uint32_t lock_ms;
	uint32_t forget_ms; /* without a failure for so long (and not waiting): as new */
	size_t max_entries; /* 1..LOCKOUT_MAX_ENTRIES */
};
#define LOCKOUT_MAX_ENTRIES (1u << 20)

struct lockout_config {
	struct lockout_rule user, address;
};

/* User: 3 free, 1 s to 16 s, 10 failures lock for 5 minutes. Address: as behind it there may be an office:
 * 10 free, 50 lock. 15 minutes of memory, 16384 entries each. */
extern const struct lockout_config lockout_default;

struct lockout;

/* key: random, for the hashes. -ENOMEM; -EINVAL (max_entries). */
MUST_USE int lockout_new(
        const struct lockout_config *config, const uint8_t key[static 16], struct lockout **ret);
void lockout_free(struct lockout *l); /* NULL is fine */

struct lockout_wait {
	uint32_t wait_ms; /* 0: may try now */
	bool is_locked;   /* it is the lock, not the growing delay (for the log) */
};

/* The longer of what user name and address must wait. addr NULL or unset: only the user counts. */
struct lockout_wait lockout_ask(
        const struct lockout *l, struct span user, const struct ip_addr *addr, ms_t now_ms);
/* A wrong password, or an unknown user, which must not differ from it. */
void lockout_failure(struct lockout *l, struct span user, const struct ip_addr *addr, ms_t now_ms);
/* Clears the user's failures. Not the address's: one good account must not buy guesses at others. */
void lockout_success(struct lockout *l, struct span user);

#endif
