#include "base/htab.h"

#include <errno.h>
#include <stdlib.h>

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = ROTL(v[1], 13) ^ v[0];
	v[0] = ROTL(v[0], 32);
	v[2] += v[3];
	v[3] = ROTL(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = ROTL(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = ROTL(v[1], 17) ^ v[2];
	v[2] = ROTL(v[2], 32);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

uint64_t htab_hash(const uint8_t key[static 16], struct span s)
{
	uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
	        k1 ^ 0x7465646279746573};
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t m = load_le(s.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	uint64_t last = (uint64_t)s.n << 56 | (s.n > i ? load_le(s.p + i, s.n - i) : 0);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int r = 0; r < 4; r++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int htab_grow(struct htab *t)
{
	size_t n_slots = t->n_slots ? t->n_slots * 2 : 16;
	struct htab_node **slots = calloc(n_slots, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_slots; i++) {
		for (struct htab_node *n = t->slots[i], *next; n; n = next) {
			next = n->next;
			n->next = slots[n->hash & (n_slots - 1)];
			slots[n->hash & (n_slots - 1)] = n;
		}
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n_slots;
	return 0;
}

int htab_insert(struct htab *t, struct htab_node *node, uint64_t hash)
{
	if (t->n >= t->n_slots) {
		int r = htab_grow(t);
		if (r < 0)
			return r;
	}
	struct htab_node **slot = &t->slots[hash & (t->n_slots - 1)];
	node->hash = hash;
	node->next = *slot;
	*slot = node;
	t->n++;
	return 0;
}

void htab_remove(struct htab *t, struct htab_node *node)
{
	if (t->n_slots == 0)
		return;
	for (struct htab_node **at = &t->slots[node->hash & (t->n_slots - 1)]; *at; at = &(*at)->next) {
		if (*at == node) {
			*at = node->next;
			node->next = NULL;
			t->n--;
			return;
		}
	}
}

struct htab_node *htab_find(const struct htab *t, uint64_t hash)
{
	if (t->n_slots == 0)
		return NULL;
	for (struct htab_node *n = t->slots[hash & (t->n_slots - 1)]; n; n = n->next) {
		if (n->hash == hash)
			return n;
	}
	return NULL;
}

struct htab_node *htab_next(const struct htab_node *node)
{
	for (struct htab_node *n = node->next; n; n = n->next) {
		if (n->hash == node->hash)
			return n;
	}
	return NULL;
}

static uint64_t reverse_bits(uint64_t v)
{
	uint64_t r = 0;
	for (int i = 0; i < 64; i++, v >>= 1)
		r = r << 1 | (v & 1);
	return r;
}

/* Counts with the highest bit of the slot number as the lowest: the slots that one of a smaller table becomes
 * follow each other, so growing brings nothing back but what was in the slot in hand. */
uint64_t htab_scan(
        const struct htab *t, uint64_t cursor, void (*f)(struct htab_node *node, void *arg), void *arg)
{
	if (t->n_slots == 0)
		return 0;
	uint64_t mask = t->n_slots - 1;
	for (struct htab_node *n = t->slots[cursor & mask]; n; n = n->next)
		f(n, arg);
	return reverse_bits(reverse_bits(cursor | ~mask) + 1);
}

void htab_done(struct htab *t)
{
	free(t->slots);
	*t = (struct htab){0};
}
