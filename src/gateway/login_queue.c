#include "gateway/login_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"

struct login_source {
	struct htab_node node;
	struct ip_addr addr;
	struct login_source *next;         /* in turn, while is_in_turn */
	struct login_ticket *first, *last; /* waiting */
	unsigned n_waiting, n_running;
	bool is_in_turn;
};

void login_queue_init(struct login_queue *q, const uint8_t key[static 16])
{
	*q = (struct login_queue){0};
	memcpy(q->hash_key, key, sizeof(q->hash_key));
}

void login_queue_free(struct login_queue *q)
{
	while (q->first) { /* those whose logins have all expired */
		struct login_source *s = q->first;
		q->first = s->next;
		htab_remove(&q->sources, &s->node);
		free(s);
	}
	htab_done(&q->sources);
}

/* ---- addresses ---- */

static struct login_source *source_find(
        const struct login_queue *q, const struct ip_addr *addr, uint64_t hash)
{
	for (struct htab_node *n = htab_find(&q->sources, hash); n; n = htab_next(n)) {
		struct login_source *s = CONTAINER_OF(n, struct login_source, node);
		if (addr_eq(&s->addr, addr))
			return s;
	}
	return NULL;
}

static struct login_source *source_get(struct login_queue *q, const struct ip_addr *peer)
{
	struct ip_addr addr = addr_customer(peer);
	uint64_t hash = htab_hash(q->hash_key, span_of(&addr, sizeof(addr)));
	struct login_source *s = source_find(q, &addr, hash);
	if (s)
		return s;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->addr = addr;
	if (htab_insert(&q->sources, &s->node, hash) == 0)
		return s;
	free(s);
	return NULL;
}

static void source_put(struct login_queue *q, struct login_source *s)
{
	if (s->n_waiting + s->n_running > 0 || s->is_in_turn)
		return;
	htab_remove(&q->sources, &s->node);
	free(s);
}

static void turn_append(struct login_queue *q, struct login_source *s)
{
	if (s->is_in_turn)
		return;
	s->is_in_turn = true;
	s->next = NULL;
	if (q->first)
		q->last->next = s;
	else
		q->first = s;
	q->last = s;
}

static struct login_source *turn_take(struct login_queue *q)
{
	struct login_source *s = q->first;
	if (s == NULL)
		return NULL;
	q->first = s->next;
	s->is_in_turn = false;
	return s;
}

/* ---- logins ---- */

static void age_append(struct login_queue *q, struct login_ticket *t)
{
	t->older = q->newest;
	t->newer = NULL;
	*(q->newest ? &q->newest->newer : &q->oldest) = t;
	q->newest = t;
}

int login_queue_put(struct login_queue *q, struct login_ticket *t, const struct ip_addr *peer, ms_t now_ms)
{
	if (q->n_waiting >= LOGIN_QUEUE_MAX)
		return ERR_LIMIT;
	struct login_source *s = source_get(q, peer);
	if (s == NULL)
		return -ENOMEM;
	if (s->n_waiting >= LOGIN_QUEUE_PER_PEER_MAX)
		return ERR_LIMIT;
	*t = (struct login_ticket){.source = s, .since_ms = now_ms};
	*(s->first ? &s->last->next : &s->first) = t;
	s->last = t;
	s->n_waiting++;
	q->n_waiting++;
	age_append(q, t);
	turn_append(q, s);
	return 0;
}

/* The oldest of its address, which waits no more. */
static struct login_ticket *source_shift(struct login_queue *q, struct login_source *s)
{
	struct login_ticket *t = s->first;
	s->first = t->next;
	s->n_waiting--;
	q->n_waiting--;
	*(t->older ? &t->older->newer : &q->oldest) = t->newer;
	*(t->newer ? &t->newer->older : &q->newest) = t->older;
	t->next = t->older = t->newer = NULL;
	return t;
}

struct login_ticket *login_queue_take(struct login_queue *q)
{
	struct login_source *s;
	while (q->n_running < LOGIN_CHECKS_MAX && (s = turn_take(q)) != NULL) {
		if (s->n_waiting == 0) { /* all of them have expired */
			source_put(q, s);
			continue;
		}
		struct login_ticket *t = source_shift(q, s);
		s->n_running++;
		q->n_running++;
		if (s->n_waiting > 0)
			turn_append(q, s);
		return t;
	}
	return NULL;
}

void login_queue_done(struct login_queue *q, struct login_ticket *t)
{
	q->n_running--;
	t->source->n_running--;
	source_put(q, t->source);
	t->source = NULL;
}

struct login_ticket *login_queue_expire(struct login_queue *q, ms_t now_ms)
{
	if (q->oldest == NULL || now_ms < login_queue_due_ms(q))
		return NULL;
	struct login_ticket *t = source_shift(q, q->oldest->source); /* the first there as well */
	t->source = NULL;
	return t;
}

ms_t login_queue_due_ms(const struct login_queue *q)
{
	return q->oldest ? ms_add(q->oldest->since_ms, LOGIN_QUEUE_WAIT_MS) : MS_NEVER;
}
