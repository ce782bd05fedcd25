#include "client/netconf.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#define NETCONF_LIST_MAX 4096 /* routes of the machine that a repair looks at */

int netconf_open(struct netconf *nc)
{
	*nc = (struct netconf){0};
	return netlink_open(&nc->nl);
}

void netconf_close(struct netconf *nc)
{
	netlink_close(nc->nl);
	nc->nl = NULL;
}

int netconf_set_mtu(struct netconf *nc, uint16_t mtu)
{
	return netlink_link_set_mtu(nc->nl, nc->index, mtu);
}

static int address_set(struct netconf *nc, const struct ip_prefix *p)
{
	if (!addr_is_set(&p->addr))
		return 0;
	int err = netlink_address_add(nc->nl, nc->index, p, NULL);
	return err == -EEXIST ? 0 : err;
}

int netconf_adapter(struct netconf *nc, const char *adapter, const struct tunnel_params *p, uint16_t mtu)
{
	int err = netlink_link_index(nc->nl, adapter, &nc->index);
	if (err == 0)
		err = netlink_link_set_mtu(nc->nl, nc->index, mtu);
	if (err == 0)
		err = netlink_link_set_up(nc->nl, nc->index, true);
	if (err == 0)
		err = address_set(nc, &p->ip4);
	if (err == 0)
		err = address_set(nc, &p->ip6);
	return err;
}

int netconf_adapter_down(struct netconf *nc, const char *adapter)
{
	netconf_undo(nc);
	int err = netlink_link_index(nc->nl, adapter, &nc->index);
	return err ? err : netlink_link_set_up(nc->nl, nc->index, false);
}

static int route_put(struct netconf *nc, const struct netlink_route *r)
{
	int err = netlink_route_set(nc->nl, NETLINK_ROUTE_REPLACE, r);
	if (err == 0 && nc->n_set < ROUTES_MAX)
		nc->set[nc->n_set++] = *r;
	return err;
}

/* The route to dst by the path of old; without a gateway it is on the link itself. */
static struct netlink_route route_outside(const struct ip_prefix *dst, const struct netlink_route *old)
{
	return (struct netlink_route){
	        .dst = *dst,
	        .gateway = old->gateway,
	        .index = old->index,
	        .protocol = NETCONF_PROTOCOL,
	        .is_onlink = old->is_onlink,
	};
}

static bool is_loopback(struct netconf *nc, uint32_t index)
{
	struct netlink_link link;
	return netlink_link_get(nc->nl, index, &link) == 0 && (link.flags & IFF_LOOPBACK) != 0;
}

static int step_outside(struct netconf *nc, const struct ip_prefix *dst)
{
	struct netlink_route old;
	int err = netlink_route_lookup(nc->nl, &dst->addr, &old);
	if (err == -ENETUNREACH || err == -EHOSTUNREACH)
		return 0; /* not reachable before, so nothing to preserve */
	if (err)
		return err;
	if (old.index == 0 || is_loopback(nc, old.index))
		return 0; /* this machine itself */
	struct netlink_route r = route_outside(dst, &old);
	return route_put(nc, &r);
}

static int step_do(struct netconf *nc, const struct route_step *s)
{
	if (s->way == ROUTE_OUTSIDE)
		return step_outside(nc, &s->dst);
	struct netlink_route r = {.dst = s->dst, .index = nc->index, .protocol = NETCONF_PROTOCOL};
	return route_put(nc, &r);
}

/* Routes past the tunnel that a killed culvert left: they would pass for the machine's own path. */
static void forget_leftovers(struct netconf *nc, const struct ip_prefix *dst)
{
	struct netlink_route stale = {.dst = *dst, .protocol = NETCONF_PROTOCOL};
	for (int i = 0; i < 8; i++)
		if (netlink_route_del(nc->nl, &stale) != 0)
			return;
}

int netconf_routes(struct netconf *nc, const struct tunnel_params *p, const struct ip_addr *gateway,
        struct ip_prefix *ret_failed)
{
	nc->gateway = *gateway;
	routes_plan(p, gateway, &nc->plan);
	for (size_t i = 0; i < nc->plan.n && nc->plan.steps[i].way == ROUTE_OUTSIDE; i++)
		forget_leftovers(nc, &nc->plan.steps[i].dst);
	for (size_t i = 0; i < nc->plan.n; i++) {
		int err = step_do(nc, &nc->plan.steps[i]);
		if (err == 0)
			continue;
		*ret_failed = nc->plan.steps[i].dst;
		return err;
	}
	return 0;
}

static bool is_same_path(const struct netlink_route *a, const struct netlink_route *b)
{
	return a->index == b->index && addr_eq(&a->gateway, &b->gateway);
}

static struct netlink_route *set_find(struct netconf *nc, const struct ip_prefix *dst)
{
	for (size_t i = 0; i < nc->n_set; i++)
		if (nc->set[i].dst.len == dst->len && addr_eq(&nc->set[i].dst.addr, &dst->addr))
			return &nc->set[i];
	return NULL;
}

static bool step_repair(
        struct netconf *nc, const struct ip_prefix *dst, const struct netlink_route *all, size_t n)
{
	const struct netlink_route *now = routes_best(all, n, &dst->addr, nc->index, NETCONF_PROTOCOL);
	struct netlink_route *mine = set_find(nc, dst);
	if (now == NULL || (mine != NULL && is_same_path(now, mine)))
		return false;
	struct netlink_route r = route_outside(dst, now);
	if (netlink_route_set(nc->nl, NETLINK_ROUTE_REPLACE, &r) != 0)
		return false;
	if (mine != NULL)
		*mine = r;
	else if (nc->n_set < ROUTES_MAX)
		nc->set[nc->n_set++] = r;
	return true;
}

/* The kernel drops our outside routes when their link goes down: put them in again even if the path is the
 * same. */
static bool is_in_kernel(const struct netlink_route *r, const struct netlink_route *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].protocol == NETCONF_PROTOCOL && all[i].dst.len == r->dst.len &&
		        addr_eq(&all[i].dst.addr, &r->dst.addr) && is_same_path(&all[i], r))
			return true;
	return false;
}

static void set_forget(struct netconf *nc, const struct netlink_route *r)
{
	size_t i = (size_t)(r - nc->set);
	memmove(&nc->set[i], &nc->set[i + 1], (nc->n_set - i - 1) * sizeof(nc->set[0]));
	nc->n_set--;
}

bool netconf_repair(struct netconf *nc)
{
	size_t n = 0;
	bool has_moved = false;
	struct netlink_route *all = calloc(NETCONF_LIST_MAX, sizeof(*all));
	if (all == NULL || netlink_route_list(nc->nl, 0, all, NETCONF_LIST_MAX, &n) != 0)
		goto exit; /* too many routes to look at: leave things as they are */
	for (size_t i = 0; i < nc->plan.n && nc->plan.steps[i].way == ROUTE_OUTSIDE; i++) {
		const struct ip_prefix *dst = &nc->plan.steps[i].dst;
		struct netlink_route *mine = set_find(nc, dst);
		if (mine != NULL && !is_in_kernel(mine, all, n))
			set_forget(nc, mine);
		has_moved |= step_repair(nc, dst, all, n);
	}
exit:
	free(all);
	return has_moved;
}

void netconf_undo(struct netconf *nc)
{
	/* what is gone already was somebody else's decision: go on */
	for (; nc->n_set > 0; nc->n_set--) {
		int err = netlink_route_del(nc->nl, &nc->set[nc->n_set - 1]);
		(void)err;
	}
}
