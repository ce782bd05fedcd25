/* The keys of sessions: in the tables of the thread, and in those of the process when it has several threads.
 */
#include "gateway/process.h"
#include "gateway/session.h"

static const uint8_t owner_kinds[N_SESSION_KEYS] = {
        [SESSION_BY_INDEX] = OWNER_INDEX,
        [SESSION_BY_IP4] = OWNER_INNER,
        [SESSION_BY_IP6] = OWNER_INNER,
        [SESSION_BY_DTLS_ID] = OWNER_DTLS_ID,
        [SESSION_BY_PEER] = OWNER_PEER,
        [SESSION_BY_NEXT] = OWNER_PEER,
        [SESSION_BY_HOST] = OWNER_HOST,
        [SESSION_BY_TOKEN] = OWNER_TOKEN,
};

static struct session *session_of(struct htab_node *n, enum session_key_kind kind)
{
	if (n == NULL)
		return NULL;
	struct session_key *keys = CONTAINER_OF(n, struct session_key, own) - kind;
	return CONTAINER_OF(keys, struct session, keys[0]);
}

int session_key_set(struct session *s, enum session_key_kind kind, uint64_t hash)
{
	struct worker *w = s->w;
	struct session_key *k = &s->keys[kind];
	session_key_drop(s, kind);
	int r = htab_insert(&w->tables.by[kind], &k->own, hash);
	if (r == 0 && w->process->n_threads > 1)
		r = owners_insert(&w->process->owners, owner_kinds[kind], &k->shared, hash, w->index);
	if (r < 0)
		htab_remove(&w->tables.by[kind], &k->own);
	return r;
}

void session_key_drop(struct session *s, enum session_key_kind kind)
{
	struct worker *w = s->w;
	struct session_key *k = &s->keys[kind];
	htab_remove(&w->tables.by[kind], &k->own);
	if (w->process->n_threads > 1)
		owners_remove(&w->process->owners, owner_kinds[kind], &k->shared);
}

struct session *session_key_find(const struct worker *w, enum session_key_kind kind, uint64_t hash)
{
	return session_of(htab_find(&w->tables.by[kind], hash), kind);
}

struct session *session_key_next(const struct session *s, enum session_key_kind kind)
{
	return session_of(htab_next(&s->keys[kind].own), kind);
}

uint64_t session_key_elsewhere(struct worker *w, enum session_key_kind kind, uint64_t hash)
{
	if (w->process->n_threads <= 1)
		return 0;
	return owners_find(&w->process->owners, owner_kinds[kind], hash) & ~((uint64_t)1 << w->index);
}
