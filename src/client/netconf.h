/* Addresses and routes of a session in the kernel: put in, repaired after a network change, taken out in
 * reverse order. All routes carry protocol NETCONF_PROTOCOL, so that what a crash left behind is found at the
 * next start. */
#ifndef CLIENT_NETCONF_H
#define CLIENT_NETCONF_H

#include "client/routes.h"
#include "io/netlink.h"

#define NETCONF_PROTOCOL 67 /* rtnetlink: below 128 and above the named ones; free for us */

struct netconf {
	struct netlink *nl;
	uint32_t index; /* the adapter */
	struct ip_addr gateway;
	struct route_plan plan;
	struct netlink_route set[ROUTES_MAX]; /* what is in the kernel because of us */
	size_t n_set;
};

/* -errno */
MUST_USE int netconf_open(struct netconf *nc);
/* Addresses, MTU, up. mtu in bytes. */
MUST_USE int netconf_adapter(
        struct netconf *nc, const char *adapter, const struct tunnel_params *p, uint16_t mtu);
/* What netconf_adapter() and netconf_routes() did is taken back and the adapter set down, with its name and
 * index kept: both can be called again. The kernel forgets the adapter's IPv6 addresses with it. */
MUST_USE int netconf_adapter_down(struct netconf *nc, const char *adapter);
/* The routes of the plan. On failure those set so far stay until netconf_undo(). *ret_failed: the
 * destination. */
MUST_USE int netconf_routes(struct netconf *nc, const struct tunnel_params *p, const struct ip_addr *gateway,
        struct ip_prefix *ret_failed);
/* Before a reconnect: the outside routes follow the machine's network as it is now. True when one moved. */
bool netconf_repair(struct netconf *nc);
MUST_USE int netconf_set_mtu(struct netconf *nc, uint16_t mtu);
void netconf_undo(struct netconf *nc);
void netconf_close(struct netconf *nc); /* undo is not included; copes with a zeroed struct */

#endif
