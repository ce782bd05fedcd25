#include "io/ratelimit.h"

#include <string.h>

void ratelimit_init(struct ratelimit *r, uint32_t burst, uint32_t period_ms)
{
	memset(r, 0, sizeof(*r));
	r->burst = burst > 0 ? burst : 1;
	r->period_ms = period_ms > 0 ? period_ms : 1;
}

/* The key's bucket, or a free one, or the one that has been full for longest. */
static struct ratelimit_bucket *ratelimit_find(struct ratelimit *r, uint64_t key)
{
	struct ratelimit_bucket *row = r->rows[(key ^ key >> 32) % RATELIMIT_ROWS], *best = &row[0];
	for (size_t i = 0; i < RATELIMIT_WAYS; i++) {
		if (row[i].is_used && row[i].key == key)
			return &row[i];
		if (best->is_used && (!row[i].is_used || row[i].full_at_ms < best->full_at_ms))
			best = &row[i];
	}
	*best = (struct ratelimit_bucket){.key = key, .is_used = true};
	return best;
}

/* A bucket is described by one instant: every token taken moves "full again" one period into the future, and
 * a token is there as long as that is less than a whole burst away. */
bool ratelimit_allows(struct ratelimit *r, uint64_t key, ms_t now_ms, uint32_t *ret_suppressed)
{
	struct ratelimit_bucket *b = ratelimit_find(r, key);
	ms_t full_at_ms = b->full_at_ms > now_ms ? b->full_at_ms : now_ms;
	if (full_at_ms - now_ms > (ms_t)(r->burst - 1) * r->period_ms) {
		if (b->suppressed < UINT32_MAX)
			b->suppressed++;
		return false;
	}
	if (ret_suppressed != NULL)
		*ret_suppressed = b->suppressed;
	b->suppressed = 0;
	b->full_at_ms = ms_add(full_at_ms, r->period_ms);
	return true;
}

uint64_t ratelimit_key(struct span bytes, uint32_t salt)
{
	uint64_t h = 0xcbf29ce484222325u ^ salt; /* FNV-1a, 64 bit */
	for (size_t i = 0; i < bytes.n; i++)
		h = (h ^ bytes.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}
