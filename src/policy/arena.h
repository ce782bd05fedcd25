/* Memory that is given back all at once, wiped: one configuration owns one arena. */
#ifndef POLICY_ARENA_H
#define POLICY_ARENA_H

#include "base/span.h"
#include "base/util.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	bool is_bad; /* an allocation failed: everything built so far is to be thrown away */
};

/* Zeroed, aligned for any type; NULL when out of memory (and is_bad). */
void *arena_alloc(struct arena *a, size_t bytes);
/* A NUL-terminated copy; NULL when out of memory. */
const char *arena_copy(struct arena *a, struct span s);
/* Room for one more element behind the n that v holds: v itself, or a larger copy. NULL when out of memory.
 */
void *arena_grow(struct arena *a, const void *v, size_t n, size_t elem_bytes);
/* Wipes and frees everything. */
void arena_done(struct arena *a);

#endif
