#include "gateway/owners.h"

void owners_init(struct owners *o)
{
	*o = (struct owners){0};
	pthread_rwlock_init(&o->lock, NULL);
}

int owners_insert(struct owners *o, enum owner_kind kind, struct owner_node *n, uint64_t hash, uint8_t thread)
{
	pthread_rwlock_wrlock(&o->lock);
	n->thread = thread;
	for (struct htab_node *other = htab_find(&o->tables[kind], hash); other; other = htab_next(other)) {
		if (CONTAINER_OF(other, struct owner_node, node)->thread != thread)
			atomic_store_explicit(&o->has_shared[kind], true, memory_order_relaxed);
	}
	int r = htab_insert(&o->tables[kind], &n->node, hash);
	pthread_rwlock_unlock(&o->lock);
	return r;
}

void owners_remove(struct owners *o, enum owner_kind kind, struct owner_node *n)
{
	pthread_rwlock_wrlock(&o->lock);
	htab_remove(&o->tables[kind], &n->node);
	pthread_rwlock_unlock(&o->lock);
}

uint64_t owners_find(struct owners *o, enum owner_kind kind, uint64_t hash)
{
	uint64_t threads = 0;
	pthread_rwlock_rdlock(&o->lock);
	for (struct htab_node *n = htab_find(&o->tables[kind], hash); n; n = htab_next(n))
		threads |= (uint64_t)1 << CONTAINER_OF(n, struct owner_node, node)->thread;
	pthread_rwlock_unlock(&o->lock);
	return threads;
}

void owners_done(struct owners *o)
{
	for (size_t i = 0; i < N_OWNER_KINDS; i++)
		htab_done(&o->tables[i]);
	pthread_rwlock_destroy(&o->lock);
}
