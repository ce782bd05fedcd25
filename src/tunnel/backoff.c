#include "tunnel/backoff.h"

void backoff_begin(struct backoff *b, ms_t now_ms, ms_t limit_ms)
{
	*b = (struct backoff){.until_ms = ms_add(now_ms, limit_ms)};
}

ms_t backoff_next_ms(struct backoff *b, ms_t now_ms, uint32_t random)
{
	ms_t wait_ms = BACKOFF_MIN_MS;
	for (unsigned i = 0; i < b->tries && wait_ms < BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > BACKOFF_MAX_MS)
		wait_ms = BACKOFF_MAX_MS;
	b->tries++;
	return now_ms + wait_ms / 2 + random % (wait_ms / 2 + 1);
}
