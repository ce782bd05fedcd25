#include "policy/arena.h"

#include <stdlib.h>

#define CHUNK_BYTES 16384u

struct arena_chunk {
	struct arena_chunk *next;
	size_t n, cap; /* bytes used and available in data */
	_Alignas(max_align_t) uint8_t data[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t bytes)
{
	size_t cap = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	struct arena_chunk *c = calloc(1, sizeof(*c) + cap);
	if (c == NULL)
		return NULL;
	c->cap = cap;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	size_t n = (bytes + align - 1) / align * align;
	struct arena_chunk *c = a->chunks;
	if (c == NULL || c->cap - c->n < n)
		c = chunk_new(a, n);
	if (c == NULL) {
		a->is_bad = true;
		return NULL;
	}
	void *p = c->data + c->n;
	c->n += n;
	return p;
}

const char *arena_copy(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

void *arena_grow(struct arena *a, const void *v, size_t n, size_t elem_bytes)
{
	if (n > 0 && (n & (n - 1)) != 0)
		return (void *)(uintptr_t)v; /* full only at powers of two */
	void *p = arena_alloc(a, (n ? 2 * n : 1) * elem_bytes);
	if (p != NULL && n > 0)
		memcpy(p, v, n * elem_bytes);
	return p;
}

void arena_done(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks, *next; c != NULL; c = next) {
		next = c->next;
		explicit_bzero(c->data, c->n);
		free(c);
	}
	*a = (struct arena){0};
}
