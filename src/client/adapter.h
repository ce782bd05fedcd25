/* The adapter with everything that belongs to it on this machine: device, addresses, routes, resolvers, or
 * the user's script in place of these. Made once, untouched by reconnects, taken down in reverse order. Only
 * the classic MTU policy disables it in between. */
#ifndef CLIENT_ADAPTER_H
#define CLIENT_ADAPTER_H

#include "client/connect_options.h"
#include "client/dns.h"
#include "client/events.h"
#include "client/netconf.h"
#include "client/script.h"
#include "io/tun.h"

#define ADAPTER_MTU_MAX 16320 /* with all headers in one TLS record */
/* What may wait to be read, above all while TLS takes no more: large packets of a bulk stream fill the queue,
 * and others wait behind them. The kernel's usual 500 were made for packets of 1500 bytes. */
#define ADAPTER_QUEUE_PACKETS 300
#define ADAPTER_MTU_IP6       1280 /* RFC 8200 section 5 */

struct adapter {
	const struct network_options *opt;
	struct events *ev;
	struct tun tun;
	bool is_open, is_configured;
	bool is_disabled; /* by adapter_disable() */
	uint64_t bounces; /* how often it was disabled */
	struct netconf net;
	struct dns dns;
	uint16_t mtu; /* bytes */
	struct ip_addr gateway;
	char *cstp_options; /* for the script; owned */
	unsigned verbosity;
};

/* The smaller of the two announced values, within bounds. */
uint16_t adapter_mtu(const struct tunnel_params *p);
/* mtu, made possible: at most ADAPTER_MTU_MAX, at least 1280 with IPv6 inside. */
uint16_t adapter_mtu_bound(const struct tunnel_params *p, uint16_t mtu);

/* Before CONNECT: repairs leftovers, runs the script's pre-init. 0, or -errno and the user was told. */
MUST_USE int adapter_prepare(
        struct adapter *a, const struct connect_options *o, const struct ip_addr *gateway, struct events *ev);
/* First answer of CONNECT. 0, or negative and the user was told what to do. */
MUST_USE int adapter_up(
        struct adapter *a, const struct tunnel_params *p, const struct http_head *head, uint16_t mtu);
/* The machine's network has changed: true when the route to the gateway had to be moved to follow it. */
bool adapter_follow(struct adapter *a);
/* Before each try to reconnect, and after a successful one: the MTU changes in place. */
void adapter_attempt(struct adapter *a, const struct tunnel_params *p);
void adapter_reconnected(struct adapter *a, const struct tunnel_params *p, uint16_t mtu);
/* In mid-session, in place: nothing goes down, and no script is called. */
void adapter_set_mtu(struct adapter *a, uint16_t mtu);
/* Sets the device down, with everything that depends on it; and up again with this MTU. As adapter_up(). */
MUST_USE int adapter_disable(struct adapter *a, const struct tunnel_params *p);
MUST_USE int adapter_enable(struct adapter *a, const struct tunnel_params *p, uint16_t mtu);
/* Undoes everything. */
void adapter_down(struct adapter *a, const struct tunnel_params *p);

#endif
