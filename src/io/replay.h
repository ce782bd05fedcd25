/* Which sequence numbers were seen already: a sliding window over the newest ones (RFC 6347 4.1.2.6), kept as
 * a ring of words so that moving on costs nothing but clearing (RFC 6479). One train of datagrams may hold
 * over a hundred records, so 64 numbers would not do. */
#ifndef IO_REPLAY_H
#define IO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WORDS  32                        /* a power of two */
#define REPLAY_WINDOW ((REPLAY_WORDS - 1) * 64) /* how far behind the newest one a number still counts */

struct replay {
	uint64_t next; /* newest number seen + 1; 0: none */
	uint64_t seen[REPLAY_WORDS];
};

/* Neither seen nor too old to tell. Changes nothing: ask before the record is known to be authentic. */
static inline bool replay_is_new(const struct replay *r, uint64_t seq)
{
	if (seq >= r->next)
		return true;
	if (r->next - seq > REPLAY_WINDOW)
		return false;
	return !(r->seen[seq / 64 % REPLAY_WORDS] >> (seq % 64) & 1);
}

/* seq must be new and its record authentic. */
static inline void replay_mark(struct replay *r, uint64_t seq)
{
	if (seq >= r->next) {
		uint64_t word = r->next ? (r->next - 1) / 64 + 1 : 0, end = seq / 64;
		if (end >= REPLAY_WORDS && word < end - REPLAY_WORDS + 1)
			word = end - REPLAY_WORDS + 1;
		for (; word <= end; word++)
			r->seen[word % REPLAY_WORDS] = 0;
		r->next = seq + 1;
	}
	r->seen[seq / 64 % REPLAY_WORDS] |= (uint64_t)1 << (seq % 64);
}

#endif
