/* rtnetlink: links, addresses and routes of both families, and news of their changes (rtnetlink(7)).
 *
 * One request at a time per handle; each function waits for the kernel's answer (microseconds, at most
 * NETLINK_WAIT_MS). Results are 0 or -errno as the kernel said it: -ENODEV no such link, -EEXIST, -ESRCH no
 * such route, -EADDRNOTAVAIL no such address, -EPERM, -ENETUNREACH; ERR_TOO_LARGE when a list does not fit.
 */
#ifndef IO_NETLINK_H
#define IO_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/util.h"

#define NETLINK_WAIT_MS 5000

struct netlink; /* opaque; not thread safe */

struct netlink_link {
	uint32_t index;
	char name[IFNAMSIZ];
	uint32_t mtu;   /* bytes */
	uint32_t flags; /* IFF_* of net/if.h */
	bool is_up;     /* IFF_UP */
	bool has_carrier;
};

struct netlink_address {
	uint32_t index;         /* link */
	struct ip_prefix local; /* our address with the prefix length of the network */
	struct ip_addr peer;    /* point-to-point: the other end; else none */
	uint32_t flags;         /* IFA_F_* */
	uint8_t scope;          /* RT_SCOPE_* */
};

/* For requests, what is 0 or none is left to the kernel (table: main; metric: the family's default). */
struct netlink_route {
	struct ip_prefix dst;   /* family always set; len 0: default route */
	struct ip_addr gateway; /* none: directly on the link */
	struct ip_addr prefsrc;
	uint32_t index; /* out link */
	uint32_t metric;
	uint32_t table;   /* RT_TABLE_*; 0: main */
	uint32_t mtu;     /* RTAX_MTU, bytes; 0: the link's */
	uint8_t type;     /* RTN_*; 0: unicast */
	uint8_t protocol; /* RTPROT_*; 0: static */
	bool is_onlink;   /* the gateway is on the link though no route says so */
};

MUST_USE int netlink_open(struct netlink **ret);
void netlink_close(struct netlink *nl); /* NULL is fine */

MUST_USE int netlink_link_index(struct netlink *nl, const char *name, uint32_t *ret_index);
MUST_USE int netlink_link_get(struct netlink *nl, uint32_t index, struct netlink_link *ret);
MUST_USE int netlink_link_set_up(struct netlink *nl, uint32_t index, bool is_up);
MUST_USE int netlink_link_set_mtu(struct netlink *nl, uint32_t index, uint32_t mtu_bytes);

/* local with its prefix length; peer NULL or none: an ordinary address. IPv6 is set with IFA_F_NODAD: on a
 * tunnel nobody else can have it, and it must be usable at once. Adding what is there: -EEXIST. */
MUST_USE int netlink_address_add(
        struct netlink *nl, uint32_t index, const struct ip_prefix *local, const struct ip_addr *peer);
MUST_USE int netlink_address_del(
        struct netlink *nl, uint32_t index, const struct ip_prefix *local, const struct ip_addr *peer);
/* All addresses of a link (0: of all links). ERR_TOO_LARGE when there are more than max. */
MUST_USE int netlink_address_list(
        struct netlink *nl, uint32_t index, struct netlink_address *ret, size_t max, size_t *ret_n);

enum netlink_route_op {
	NETLINK_ROUTE_ADD,     /* -EEXIST when there is one of the same destination and metric */
	NETLINK_ROUTE_REPLACE, /* add, or put in the place of that one */
};
MUST_USE int netlink_route_set(
        struct netlink *nl, enum netlink_route_op op, const struct netlink_route *route);
/* Removes one route that matches in everything given. -ESRCH when there is none. */
MUST_USE int netlink_route_del(struct netlink *nl, const struct netlink_route *route);
/* Which way would a packet to dst go now: index, gateway, prefsrc, mtu (the link's when the route has none),
 * table. dst in the answer is the address itself with full length. */
MUST_USE int netlink_route_lookup(struct netlink *nl, const struct ip_addr *dst, struct netlink_route *ret);
/* Routes over a link (0: any) of all tables, IPv4 first. Only unicast and reject kinds, no cache entries. */
MUST_USE int netlink_route_list(
        struct netlink *nl, uint32_t index, struct netlink_route *ret, size_t max, size_t *ret_n);

enum netlink_event_kind {
	NETLINK_LINK_NEW, /* made or changed (up, down, MTU, carrier) */
	NETLINK_LINK_GONE,
	NETLINK_ADDRESS_NEW,
	NETLINK_ADDRESS_GONE,
	NETLINK_ROUTE_NEW,
	NETLINK_ROUTE_GONE,
	NETLINK_EVENTS_LOST, /* the socket's buffer overran: look at everything again */
};

struct netlink_event {
	enum netlink_event_kind kind;
	union {
		struct netlink_link link;
		struct netlink_address address;
		struct netlink_route route;
	};
};

struct netlink_monitor; /* opaque */
typedef void netlink_event_fn(void *ctx, const struct netlink_event *event);

/* A socket of its own for news of all links, addresses and routes. */
MUST_USE int netlink_monitor_open(struct netlink_monitor **ret);
void netlink_monitor_close(struct netlink_monitor *m);
int netlink_monitor_fd(const struct netlink_monitor *m); /* non-blocking, to poll for reading */
/* Delivers what waits (bounded: poll again). 0 or -errno. */
MUST_USE int netlink_monitor_read(struct netlink_monitor *m, netlink_event_fn *fn, void *ctx);

#endif
