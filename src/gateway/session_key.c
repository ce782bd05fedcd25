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

/* ---- by index and inner address ---- */

static uint64_t hash_bytes(struct worker *w, const void *p, size_t n)
{
	return htab_hash(w->tables.hash_key, span_of(p, n));
}

struct session *session_by_index(struct worker *w, uint32_t index)
{
	struct session *s = session_key_find(w, SESSION_BY_INDEX, hash_bytes(w, &index, sizeof(index)));
	while (s && s->id.index != index)
		s = session_key_next(s, SESSION_BY_INDEX);
	return s;
}

struct session *session_by_inner(struct worker *w, const struct ip_addr *a)
{
	enum session_key_kind kind = a->family == 4 ? SESSION_BY_IP4 : SESSION_BY_IP6;
	struct session *s = session_key_find(w, kind, hash_bytes(w, a, sizeof(*a)));
	while (s && !addr_eq(a->family == 4 ? &s->id.ip4.addr : &s->id.ip6.addr, a))
		s = session_key_next(s, kind);
	return s;
}

uint64_t session_inner_elsewhere(struct worker *w, const struct ip_addr *a)
{
	return session_key_elsewhere(w, SESSION_BY_IP4, hash_bytes(w, a, sizeof(*a)));
}

uint64_t session_is_where(struct worker *w, uint32_t index)
{
	uint64_t here = session_by_index(w, index) ? (uint64_t)1 << w->index : 0;
	return here | session_key_elsewhere(w, SESSION_BY_INDEX, hash_bytes(w, &index, sizeof(index)));
}

/* ---- all keys of a session but those of its DTLS ---- */

/* What comes from TUN for the session comes to this thread. */
static void steer_inner(struct session *s)
{
	steer_slot *slots = s->w->process->steer[STEER_BY_DESTINATION];
	if (s->id.ip4.addr.family)
		steer_set(slots, &s->id.ip4.addr, 0, s->w->index);
	if (s->id.ip6.addr.family)
		steer_set(slots, &s->id.ip6.addr, 0, s->w->index);
}

int session_key_publish(struct session *s, uint64_t token_hash)
{
	struct worker *w = s->w;
	int r = session_key_set(s, SESSION_BY_INDEX, hash_bytes(w, &s->id.index, sizeof(s->id.index)));
	if (r == 0)
		r = session_key_set(s, SESSION_BY_TOKEN, token_hash);
	if (r == 0 && s->id.ip4.addr.family)
		r = session_key_set(
		        s, SESSION_BY_IP4, hash_bytes(w, &s->id.ip4.addr, sizeof(struct ip_addr)));
	if (r == 0 && s->id.ip6.addr.family)
		r = session_key_set(
		        s, SESSION_BY_IP6, hash_bytes(w, &s->id.ip6.addr, sizeof(struct ip_addr)));
	steer_inner(s);
	return r;
}

void session_key_unpublish(struct session *s)
{
	steer_slot *slots = s->w->process->steer[STEER_BY_DESTINATION];
	steer_clear(slots, &s->id.ip4.addr, 0, s->w->index);
	steer_clear(slots, &s->id.ip6.addr, 0, s->w->index);
	session_key_drop(s, SESSION_BY_INDEX);
	session_key_drop(s, SESSION_BY_TOKEN);
	session_key_drop(s, SESSION_BY_IP4);
	session_key_drop(s, SESSION_BY_IP6);
}
