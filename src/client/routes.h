/* Which routes a session needs: a pure plan from the tunnel parameters. */
#ifndef CLIENT_ROUTES_H
#define CLIENT_ROUTES_H

#include "io/netlink.h"
#include "wire/params.h"

/* The gateway itself, excludes, includes, two halves of a default route per family, resolvers. */
#define ROUTES_MAX (2 * PARAMS_MAX_ROUTES + PARAMS_MAX_DNS + 8)

enum route_way {
	ROUTE_OUTSIDE, /* by the path that was there before the tunnel */
	ROUTE_TUNNEL,
};

struct route_step {
	struct ip_prefix dst;
	enum route_way way;
};

struct route_plan {
	struct route_step steps[ROUTES_MAX]; /* in the order to install: outside first */
	size_t n;
};

/* Full tunnel when the gateway names no include of a family that has an address. A default route becomes two
 * halves, so that the machine's own default route stays and comes back by itself (wire-protocol.md 8.1). */
void routes_plan(const struct tunnel_params *p, const struct ip_addr *gateway, struct route_plan *ret);

/* The best of the machine's routes to dst that does not leave through link skip_index: longest prefix, then
 * lowest metric, main table, unicast, and not one of ours (protocol skip_protocol). NULL: none. */
const struct netlink_route *routes_best(const struct netlink_route *routes, size_t n,
        const struct ip_addr *dst, uint32_t skip_index, uint8_t skip_protocol);

#endif
