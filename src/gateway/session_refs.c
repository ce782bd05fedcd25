#include "gateway/session_refs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64 /* a power of two */

static int compare(uint8_t kind, const struct session_ref *a, const struct session_ref *b)
{
	int r = 0;
	if (kind == SESSION_REF_NAME)
		r = strcmp(a->by.name, b->by.name);
	else if (kind == SESSION_REF_ADDR)
		r = memcmp(&a->by.addr, &b->by.addr, sizeof(a->by.addr));
	else if (kind == SESSION_REF_NUMBER)
		r = a->by.number > b->by.number ? -1 : a->by.number < b->by.number;
	return r ? r : a->index < b->index ? -1 : a->index > b->index;
}

/* ---- the indexes ---- */

static bool seen_put(uint32_t *seen, size_t cap, uint32_t index)
{
	size_t at = index * UINT32_C(2654435769) & (cap - 1);
	while (seen[at] != 0 && seen[at] != index)
		at = (at + 1) & (cap - 1);
	bool is_new = seen[at] == 0;
	seen[at] = index;
	return is_new;
}

static int seen_reserve(struct session_refs *r)
{
	if (2 * (r->n_seen + 1) <= r->seen_cap)
		return 0;
	size_t cap = r->seen_cap ? 2 * r->seen_cap : FIRST_SLOTS;
	uint32_t *seen = calloc(cap, sizeof(*seen));
	if (seen == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < r->seen_cap; i++) {
		if (r->seen[i] != 0)
			seen_put(seen, cap, r->seen[i]);
	}
	free(r->seen);
	r->seen = seen;
	r->seen_cap = cap;
	return 0;
}

/* ---- the heap ---- */

static int heap_reserve(struct session_refs *r)
{
	if (r->n < r->cap)
		return 0;
	size_t cap = r->cap ? 2 * r->cap : FIRST_SLOTS;
	struct session_ref *v = reallocarray(r->v, cap, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	r->v = v;
	r->cap = cap;
	return 0;
}

int session_refs_add(struct session_refs *r, struct session_ref *ref)
{
	if (seen_reserve(r) < 0 || heap_reserve(r) < 0)
		return -ENOMEM;
	if (!seen_put(r->seen, r->seen_cap, ref->index)) {
		session_ref_done(r, ref);
		return 0;
	}
	r->n_seen++;
	size_t at = r->n++;
	for (size_t up; at > 0; at = up) {
		up = (at - 1) / 2;
		if (compare(r->kind, ref, &r->v[up]) >= 0)
			break;
		r->v[at] = r->v[up];
	}
	r->v[at] = *ref;
	*ref = (struct session_ref){0};
	return 0;
}

bool session_refs_take(struct session_refs *r, struct session_ref *ret)
{
	if (r->n == 0)
		return false;
	*ret = r->v[0];
	const struct session_ref *last = &r->v[--r->n];
	size_t at = 0;
	for (size_t down; (down = 2 * at + 1) < r->n; at = down) {
		if (down + 1 < r->n && compare(r->kind, &r->v[down + 1], &r->v[down]) < 0)
			down++;
		if (compare(r->kind, last, &r->v[down]) <= 0)
			break;
		r->v[at] = r->v[down];
	}
	r->v[at] = *last;
	return true;
}

void session_ref_done(const struct session_refs *r, struct session_ref *ref)
{
	if (r->kind == SESSION_REF_NAME)
		free(ref->by.name);
	*ref = (struct session_ref){0};
}

void session_refs_done(struct session_refs *r)
{
	for (size_t i = 0; i < r->n; i++)
		session_ref_done(r, &r->v[i]);
	free(r->v);
	free(r->seen);
	*r = (struct session_refs){0};
}
