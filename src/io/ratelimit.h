/* How often may this be said (or asked)? A token bucket per key in a fixed table. Pure: time is an argument.
 *
 * The table is small and never grows: a flood of new keys displaces the oldest ones of their row, which then
 * start with a full bucket again. So this limits lines and requests of ordinary senders; a bound over all
 * senders together is one more ratelimit with a constant key. Not thread safe: one per thread. */
#ifndef IO_RATELIMIT_H
#define IO_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/util.h"

#define RATELIMIT_ROWS 64
#define RATELIMIT_WAYS 4

struct ratelimit_bucket {
	uint64_t key;
	ms_t full_at_ms;     /* when the bucket would be full again: the whole state of it */
	uint32_t suppressed; /* refused since the last one let through */
	bool is_used;
};

/* Plain memory, no pointers; ratelimit_init() or a designated initialiser with burst and period_ms. */
struct ratelimit {
	uint32_t burst;     /* this many at once, 1.. */
	uint32_t period_ms; /* and then one per period, 1.. */
	struct ratelimit_bucket rows[RATELIMIT_ROWS][RATELIMIT_WAYS];
};

void ratelimit_init(struct ratelimit *r, uint32_t burst, uint32_t period_ms);
/* True: go ahead; *ret_suppressed (may be NULL) says how many were refused since the last true. */
bool ratelimit_allows(struct ratelimit *r, uint64_t key, ms_t now_ms, uint32_t *ret_suppressed);
/* A key from bytes such as an address together with a message id. Not secret: a peer who picks his bytes
 * can collide, which costs him and those who share his row, nobody else. */
uint64_t ratelimit_key(struct span bytes, uint32_t salt);

#endif
