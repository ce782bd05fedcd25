#include "gateway/inner_net.h"

#include "base/err.h"
#include "store/lease.h"

bool inner_net_has(const struct inner_net *n, const struct ip_prefix *p)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].len == p->len && addr_eq(&n->v[i].addr, &p->addr))
			return true;
	return false;
}

static int inner_net_add(struct inner_net *n, const struct ip_addr *any, uint8_t len)
{
	const struct ip_prefix p = {.addr = lease_gateway(any, len), .len = len};
	if (inner_net_has(n, &p))
		return 0;
	if (n->n == INNER_NET_MAX)
		return ERR_LIMIT;
	n->v[n->n++] = p;
	return 0;
}

int inner_net_plan(const struct config *c, struct inner_net *ret)
{
	struct inner_net n = {.has_ip4 = c->n_pools4 > 0, .has_ip6 = c->n_pools6 > 0};
	int r = 0;
	for (size_t i = 0; r == 0 && i < c->n_pools4; i++)
		r = inner_net_add(&n, &c->pools4[i].first, c->pools4[i].mask_len);
	for (size_t i = 0; r == 0 && i < c->n_pools6; i++)
		r = inner_net_add(&n, &c->pools6[i].prefix.addr, c->pools6[i].prefix.len);
	if (r == 0)
		*ret = n;
	return r;
}

uint32_t inner_net_mtu(const struct config *c, const struct inner_net *n)
{
	const uint32_t min = n->has_ip6 ? INNER_NET_MTU_MIN_6 : INNER_NET_MTU_MIN;
	return c->outside_mtu < min ? min : c->outside_mtu;
}
