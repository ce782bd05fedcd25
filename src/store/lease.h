/* Addresses of one pool, lent and given back. Never lent: the network's first address (the network itself,
 * for IPv6 the routers' anycast address), the one after it (the gateway's own inner address), and an IPv4
 * broadcast address.
 *
 * Which address somebody gets follows from a hash of who he is: the same one again as long as it is free,
 * after a restart as well, without anything being remembered; and a returned address is seldom the next to be
 * lent. */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "base/addr.h"

#define LEASE_POOL_MAX (1u << 24) /* addresses in one pool */

struct lease_pool;

/* first..last, both included, of one family and inside one prefix of mask_len. -EINVAL; ERR_TOO_LARGE;
 * -ENOMEM. */
MUST_USE int lease_pool_new(
        const struct ip_addr *first, const struct ip_addr *last, uint8_t mask_len, struct lease_pool **ret);
void lease_pool_free(struct lease_pool *p); /* NULL is fine */

/* A free address, the first one at or after the place that wish (any number, e.g. a hash) points to.
 * ERR_NO_ADDRESS. Time: one summary bit per 4096 addresses is looked at. */
MUST_USE int lease_take(struct lease_pool *p, uint64_t wish, struct ip_addr *ret);
/* Exactly this one. -ERANGE: not in the pool or never lent; -EADDRINUSE. */
MUST_USE int lease_take_at(struct lease_pool *p, const struct ip_addr *a);
/* No-op for an address that is not lent. */
void lease_give(struct lease_pool *p, const struct ip_addr *a);

bool lease_has(const struct lease_pool *p, const struct ip_addr *a); /* within first..last */
uint32_t lease_n_free(const struct lease_pool *p);
uint32_t lease_n_lent(const struct lease_pool *p);
uint8_t lease_mask_len(const struct lease_pool *p);
struct ip_addr lease_first(const struct lease_pool *p);
struct ip_addr lease_last(const struct lease_pool *p);

/* The gateway's own inner address in this network: the one after the network's first (of a network of one or
 * two addresses, its first). */
struct ip_addr lease_gateway(const struct ip_addr *any, uint8_t mask_len);

#endif
