/* A bitmap of 64-bit words, a set bit is an address that cannot be lent now, and above it a summary with a
 * set bit for each full word: the next free one is found by looking at whole words on both levels. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/lease.h"

#define WORD_BITS 64u
#define NOT_FOUND UINT32_MAX

struct lease_pool {
	struct ip_addr first, last;
	uint8_t mask_len;
	uint32_t n;          /* addresses first..last */
	uint32_t n_reserved; /* of them never lent */
	uint32_t n_lent;
	uint32_t n_words, n_sums;
	uint64_t *words;    /* owned */
	uint64_t *sums;     /* owned */
	uint64_t *reserved; /* owned; to tell never-lent from lent */
};

/* b - a within 32 bits. False when b is before a, of another family, or too far away. */
static bool addr_distance(const struct ip_addr *a, const struct ip_addr *b, uint32_t *ret)
{
	if (a->family != b->family || a->family == 0)
		return false;
	size_t n = a->family == 4 ? 4 : 16;
	if (memcmp(a->b, b->b, n) > 0 || memcmp(a->b, b->b, n - 4) != 0) {
		/* an IPv6 range may cross a 32-bit border only if it begins near its end; pools that do are
		 * refused */
		return false;
	}
	uint32_t lo = 0, hi = 0;
	for (size_t i = n - 4; i < n; i++) {
		lo = lo << 8 | a->b[i];
		hi = hi << 8 | b->b[i];
	}
	*ret = hi - lo;
	return true;
}

static void bit_set(struct lease_pool *p, uint32_t at)
{
	uint32_t w = at / WORD_BITS;
	p->words[w] |= UINT64_C(1) << at % WORD_BITS;
	if (p->words[w] == UINT64_MAX)
		p->sums[w / WORD_BITS] |= UINT64_C(1) << w % WORD_BITS;
}

static void bit_clear(struct lease_pool *p, uint32_t at)
{
	uint32_t w = at / WORD_BITS;
	p->words[w] &= ~(UINT64_C(1) << at % WORD_BITS);
	p->sums[w / WORD_BITS] &= ~(UINT64_C(1) << w % WORD_BITS);
}

static bool bit_get(const uint64_t *words, uint32_t at)
{
	return words[at / WORD_BITS] >> at % WORD_BITS & 1;
}

/* First clear bit at or after from. */
static uint32_t clear_find(const uint64_t *words, uint32_t n_words, uint32_t from)
{
	uint32_t w = from / WORD_BITS;
	if (w >= n_words)
		return NOT_FOUND;
	uint64_t free_bits = ~words[w] & UINT64_MAX << from % WORD_BITS;
	while (free_bits == 0) {
		if (++w >= n_words)
			return NOT_FOUND;
		free_bits = ~words[w];
	}
	return w * WORD_BITS + (uint32_t)__builtin_ctzll(free_bits);
}

static uint32_t free_find(const struct lease_pool *p, uint32_t from)
{
	uint32_t w = from / WORD_BITS;
	uint64_t free_bits = ~p->words[w] & UINT64_MAX << from % WORD_BITS;
	if (free_bits == 0) {
		w = clear_find(p->sums, p->n_sums, w + 1);
		if (w == NOT_FOUND || w >= p->n_words)
			return NOT_FOUND;
		free_bits = ~p->words[w];
	}
	uint32_t at = w * WORD_BITS + (uint32_t)__builtin_ctzll(free_bits);
	return at < p->n ? at : NOT_FOUND;
}

static void reserve(struct lease_pool *p, const struct ip_addr *a)
{
	uint32_t at;
	if (!addr_distance(&p->first, a, &at) || at >= p->n || bit_get(p->reserved, at))
		return;
	p->reserved[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
	bit_set(p, at);
	p->n_reserved++;
}

struct ip_addr lease_gateway(const struct ip_addr *any, uint8_t mask_len)
{
	struct ip_prefix net = {.addr = *any, .len = mask_len};
	struct ip_addr network = prefix_network(&net);
	unsigned bits = any->family == 4 ? 32 : 128;
	return mask_len + 1u >= bits ? network : addr_add(&network, 1);
}

static void reserve_all(struct lease_pool *p)
{
	struct ip_prefix net = {.addr = p->first, .len = p->mask_len};
	unsigned bits = p->first.family == 4 ? 32 : 128;
	struct ip_addr gateway = lease_gateway(&p->first, p->mask_len);
	reserve(p, &gateway);
	if (p->mask_len + 1u >= bits) /* no network and broadcast address in so small a network (RFC 3021) */
		return;
	struct ip_addr network = prefix_network(&net);
	reserve(p, &network);
	if (bits == 32) {
		struct ip_addr broadcast =
		        addr_from_v4(addr_to_v4(&network) | (uint32_t)(UINT32_MAX >> p->mask_len));
		reserve(p, &broadcast);
	}
}

int lease_pool_new(
        const struct ip_addr *first, const struct ip_addr *last, uint8_t mask_len, struct lease_pool **ret)
{
	uint32_t distance;
	if (!addr_distance(first, last, &distance) || mask_len > (first->family == 4 ? 32 : 128))
		return -EINVAL;
	if (distance >= LEASE_POOL_MAX)
		return ERR_TOO_LARGE;
	struct lease_pool *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	*p = (struct lease_pool){.first = *first, .last = *last, .mask_len = mask_len, .n = distance + 1};
	p->n_words = (p->n + WORD_BITS - 1) / WORD_BITS;
	p->n_sums = (p->n_words + WORD_BITS - 1) / WORD_BITS;
	p->words = calloc(p->n_words, sizeof(*p->words));
	p->reserved = calloc(p->n_words, sizeof(*p->reserved));
	p->sums = calloc(p->n_sums, sizeof(*p->sums));
	if (!p->words || !p->reserved || !p->sums) {
		lease_pool_free(p);
		return -ENOMEM;
	}
	for (uint32_t at = p->n; at < p->n_words * WORD_BITS; at++)
		bit_set(p, at); /* places behind the end are never free */
	reserve_all(p);
	*ret = p;
	return 0;
}

void lease_pool_free(struct lease_pool *p)
{
	if (p == NULL)
		return;
	free(p->words);
	free(p->reserved);
	free(p->sums);
	free(p);
}

int lease_take(struct lease_pool *p, uint64_t wish, struct ip_addr *ret)
{
	if (lease_n_free(p) == 0)
		return ERR_NO_ADDRESS;
	uint32_t at = free_find(p, (uint32_t)(wish % p->n));
	if (at == NOT_FOUND)
		at = free_find(p, 0);
	if (at == NOT_FOUND)
		return ERR_NO_ADDRESS;
	bit_set(p, at);
	p->n_lent++;
	*ret = addr_add(&p->first, at);
	return 0;
}

int lease_take_at(struct lease_pool *p, const struct ip_addr *a)
{
	uint32_t at;
	if (!addr_distance(&p->first, a, &at) || at >= p->n || bit_get(p->reserved, at))
		return -ERANGE;
	if (bit_get(p->words, at))
		return -EADDRINUSE;
	bit_set(p, at);
	p->n_lent++;
	return 0;
}

void lease_give(struct lease_pool *p, const struct ip_addr *a)
{
	uint32_t at;
	if (!addr_distance(&p->first, a, &at) || at >= p->n || bit_get(p->reserved, at) ||
	        !bit_get(p->words, at))
		return;
	bit_clear(p, at);
	p->n_lent--;
}

bool lease_has(const struct lease_pool *p, const struct ip_addr *a)
{
	uint32_t at;
	return addr_distance(&p->first, a, &at) && at < p->n;
}

uint32_t lease_n_free(const struct lease_pool *p)
{
	return p->n - p->n_reserved - p->n_lent;
}

uint32_t lease_n_lent(const struct lease_pool *p)
{
	return p->n_lent;
}

uint8_t lease_mask_len(const struct lease_pool *p)
{
	return p->mask_len;
}

struct ip_addr lease_first(const struct lease_pool *p)
{
	return p->first;
}

struct ip_addr lease_last(const struct lease_pool *p)
{
	return p->last;
}
