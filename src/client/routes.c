#include "client/routes.h"

#include <linux/rtnetlink.h>

static void plan_add(struct route_plan *plan, struct ip_prefix dst, enum route_way way)
{
	dst.addr = prefix_network(&dst);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].dst.len == dst.len && addr_eq(&plan->steps[i].dst.addr, &dst.addr))
			return; /* said twice, or the gateway itself: the first one wins */
	if (plan->n < ROUTES_MAX)
		plan->steps[plan->n++] = (struct route_step){dst, way};
}

static struct ip_prefix host_prefix(const struct ip_addr *a)
{
	return (struct ip_prefix){*a, a->family == 4 ? 32 : 128};
}

static void plan_default(struct route_plan *plan, uint8_t family)
{
	struct ip_prefix half = {.addr.family = family, .len = 1};
	plan_add(plan, half, ROUTE_TUNNEL);
	half.addr.b[0] = 0x80;
	plan_add(plan, half, ROUTE_TUNNEL);
}

static void plan_family(struct route_plan *plan, const struct tunnel_params *p, uint8_t family)
{
	bool has_include = false;
	for (size_t i = 0; i < p->n_include; i++) {
		if (p->include[i].addr.family != family)
			continue;
		has_include = true;
		if (p->include[i].len == 0)
			plan_default(plan, family);
		else
			plan_add(plan, p->include[i], ROUTE_TUNNEL);
	}
	if (!has_include)
		plan_default(plan, family);
}

static bool plan_covers(const struct route_plan *plan, const struct ip_addr *a)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->steps[i].way == ROUTE_TUNNEL && prefix_has(&plan->steps[i].dst, a))
			return true;
	return false;
}

/* 0.0.0.0/32 means "the local network", whose own routes are longer than our halves and win anyway. */
static bool is_local_lan(const struct ip_prefix *p)
{
	static const uint8_t zeros[16];
	return p->len == (p->addr.family == 4 ? 32 : 128) && memcmp(p->addr.b, zeros, sizeof(zeros)) == 0;
}

void routes_plan(const struct tunnel_params *p, const struct ip_addr *gateway, struct route_plan *ret)
{
	ret->n = 0;
	plan_add(ret, host_prefix(gateway), ROUTE_OUTSIDE);
	for (size_t i = 0; i < p->n_exclude; i++)
		if (!is_local_lan(&p->exclude[i]))
			plan_add(ret, p->exclude[i], ROUTE_OUTSIDE);
	if (addr_is_set(&p->ip4.addr))
		plan_family(ret, p, 4);
	if (addr_is_set(&p->ip6.addr))
		plan_family(ret, p, 6);
	for (size_t i = 0; i < p->n_dns; i++) {
		const struct ip_prefix *own = p->dns[i].family == 4 ? &p->ip4 : &p->ip6;
		if (addr_is_set(&own->addr) && !plan_covers(ret, &p->dns[i]))
			plan_add(ret, host_prefix(&p->dns[i]), ROUTE_TUNNEL);
	}
}

static bool is_better(const struct netlink_route *a, const struct netlink_route *b)
{
	return a->dst.len != b->dst.len ? a->dst.len > b->dst.len : a->metric < b->metric;
}

const struct netlink_route *routes_best(const struct netlink_route *routes, size_t n,
        const struct ip_addr *dst, uint32_t skip_index, uint8_t skip_protocol)
{
	const struct netlink_route *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct netlink_route *r = &routes[i];
		if (r->index == skip_index || r->protocol == skip_protocol || r->type != RTN_UNICAST)
			continue;
		if ((r->table != 0 && r->table != RT_TABLE_MAIN) || r->dst.addr.family != dst->family)
			continue;
		if (prefix_has(&r->dst, dst) && (best == NULL || is_better(r, best)))
			best = r;
	}
	return best;
}
