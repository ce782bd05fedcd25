/* The gateway's own inner addresses and the TUN device's MTU, as the configuration wants them. Pure. */
#ifndef GATEWAY_INNER_NET_H
#define GATEWAY_INNER_NET_H

#include "policy/model.h"

#define INNER_NET_MAX       256 /* networks; more pools than this share some or are refused */
#define INNER_NET_MTU_MIN   576
#define INNER_NET_MTU_MIN_6 1280 /* RFC 8200 section 5: IPv6 is switched off on a link below */

struct inner_net {
	struct ip_prefix v[INNER_NET_MAX]; /* the gateway's address with the network's length; no doubles */
	size_t n;
	bool has_ip4, has_ip6;
};

/* From all pools. ERR_LIMIT: more than INNER_NET_MAX networks. */
MUST_USE int inner_net_plan(const struct config *c, struct inner_net *ret);
bool inner_net_has(const struct inner_net *n, const struct ip_prefix *p);
/* MTU of the TUN device, bytes: the largest that any client may be told. */
uint32_t inner_net_mtu(const struct config *c, const struct inner_net *n);

#endif
