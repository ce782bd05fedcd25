/* Records in an array sorted by index: new ones have the highest index and go to the end. */
#include <errno.h>
#include <stdlib.h>

#include "store/store.h"

struct memory {
	struct store base;
	struct store_session *all;
	size_t n, cap;
};

static size_t memory_find(const struct memory *m, uint32_t index)
{
	size_t lo = 0, hi = m->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->all[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int memory_put(struct store *st, const struct store_session *s)
{
	struct memory *m = CONTAINER_OF(st, struct memory, base);
	size_t at = memory_find(m, s->index);
	if (at == m->n || m->all[at].index != s->index) {
		if (m->n == m->cap) {
			size_t cap = m->cap ? 2 * m->cap : 16;
			struct store_session *all = reallocarray(m->all, cap, sizeof(*all));
			if (all == NULL)
				return -ENOMEM;
			m->all = all;
			m->cap = cap;
		}
		memmove(&m->all[at + 1], &m->all[at], (m->n - at) * sizeof(*m->all));
		m->n++;
	}
	m->all[at] = *s;
	return 0;
}

static int memory_remove(struct store *st, uint32_t index)
{
	struct memory *m = CONTAINER_OF(st, struct memory, base);
	size_t at = memory_find(m, index);
	if (at < m->n && m->all[at].index == index) {
		memmove(&m->all[at], &m->all[at + 1], (m->n - at - 1) * sizeof(*m->all));
		m->n--;
	}
	return 0;
}

static int memory_each(struct store *st, store_visit_fn *fn, void *ctx)
{
	struct memory *m = CONTAINER_OF(st, struct memory, base);
	int r = 0;
	for (size_t i = 0; i < m->n && r >= 0; i++)
		r = fn(ctx, &m->all[i]);
	return r < 0 ? r : 0;
}

static int memory_group(struct store *st, bool is_begin)
{
	(void)st, (void)is_begin;
	return 0;
}

static void memory_free(struct store *st)
{
	struct memory *m = CONTAINER_OF(st, struct memory, base);
	free(m->all);
	free(m);
}

static const struct store_ops memory_ops = {.put = memory_put,
        .remove = memory_remove,
        .each = memory_each,
        .group = memory_group,
        .free = memory_free};

int store_memory_new(struct store **ret)
{
	struct memory *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->base.ops = &memory_ops;
	*ret = &m->base;
	return 0;
}
