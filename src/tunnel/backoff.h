/* When to try again: growing waits with jitter, until a time limit. Pure. */
#ifndef TUNNEL_BACKOFF_H
#define TUNNEL_BACKOFF_H

#include <stdbool.h>

#include "base/util.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000

struct backoff {
	ms_t until_ms; /* give up after this */
	unsigned tries;
};

void backoff_begin(struct backoff *b, ms_t now_ms, ms_t limit_ms);
/* The wait doubles from 100 ms to 10 s; the actual one is between its half and its whole, by the random
 * number. */
ms_t backoff_next_ms(struct backoff *b, ms_t now_ms, uint32_t random);
static inline bool backoff_is_over(const struct backoff *b, ms_t now_ms)
{
	return now_ms >= b->until_ms;
}

#endif
