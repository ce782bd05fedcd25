#include "store/store.h"

int store_put(struct store *st, const struct store_session *s)
{
	return st->ops->put(st, s);
}

int store_remove(struct store *st, uint32_t index)
{
	return st->ops->remove(st, index);
}

int store_each(struct store *st, store_visit_fn *fn, void *ctx)
{
	return st->ops->each(st, fn, ctx);
}

int store_begin(struct store *st)
{
	return st->ops->group(st, true);
}

int store_commit(struct store *st)
{
	return st->ops->group(st, false);
}

void store_free(struct store *st)
{
	if (st)
		st->ops->free(st);
}
