/* Messages of the kernel to links, addresses and routes. */
#include "io/netlink_int.h"

#include <errno.h>
#include <string.h>

/* Attributes by number; those beyond the table are unknown to us and left out. */
struct netlink_attrs {
	const struct nlattr **at;
	uint16_t n;
};

static int netlink_attr_put(const struct nlattr *attr, void *arg)
{
	struct netlink_attrs *t = arg;
	if (mnl_attr_get_type(attr) < t->n)
		t->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int netlink_attrs_read(const struct nlmsghdr *h, size_t head, const struct nlattr **at, uint16_t n)
{
	struct netlink_attrs t = {.at = at, .n = n};
	if (mnl_nlmsg_get_payload_len(h) < head ||
	        mnl_attr_parse(h, (unsigned)head, netlink_attr_put, &t) < 0)
		return -EBADMSG;
	return 0;
}

static uint32_t netlink_attr_u32(const struct nlattr *a)
{
	return a != NULL && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static struct ip_addr netlink_attr_addr(const struct nlattr *a, uint8_t family)
{
	size_t n = family == AF_INET ? 4 : 16;
	if (a == NULL || mnl_attr_get_payload_len(a) < n)
		return (struct ip_addr){0};
	return addr_from_bytes(family == AF_INET ? 4 : 6, mnl_attr_get_payload(a));
}

int netlink_link_parse(const struct nlmsghdr *h, struct netlink_link *ret)
{
	const struct nlattr *at[IFLA_MTU + 1] = {0};
	struct netlink_link link = {0};
	int r = netlink_attrs_read(h, sizeof(struct ifinfomsg), at, N_ELEM(at));
	if (r < 0)
		return r;
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
	link.index = (uint32_t)m->ifi_index;
	link.flags = m->ifi_flags;
	link.is_up = (m->ifi_flags & IFF_UP) != 0;
	link.has_carrier = (m->ifi_flags & IFF_RUNNING) != 0;
	link.mtu = netlink_attr_u32(at[IFLA_MTU]);
	if (at[IFLA_IFNAME] != NULL) {
		size_t n = strnlen(
		        mnl_attr_get_payload(at[IFLA_IFNAME]), mnl_attr_get_payload_len(at[IFLA_IFNAME]));
		memcpy(link.name, mnl_attr_get_payload(at[IFLA_IFNAME]), n < IFNAMSIZ ? n : IFNAMSIZ - 1);
	}
	*ret = link;
	return 0;
}

int netlink_address_parse(const struct nlmsghdr *h, struct netlink_address *ret)
{
	const struct nlattr *at[IFA_FLAGS + 1] = {0};
	int r = netlink_attrs_read(h, sizeof(struct ifaddrmsg), at, N_ELEM(at));
	if (r < 0)
		return r;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return -EOPNOTSUPP;
	/* IFA_ADDRESS is the peer of a point-to-point address, and the same as IFA_LOCAL otherwise; IPv6 has
	 * IFA_LOCAL only with a peer. */
	struct ip_addr address = netlink_attr_addr(at[IFA_ADDRESS], m->ifa_family);
	struct ip_addr local = netlink_attr_addr(at[IFA_LOCAL], m->ifa_family);
	struct netlink_address a = {.index = m->ifa_index, .scope = m->ifa_scope};
	a.flags = at[IFA_FLAGS] != NULL ? netlink_attr_u32(at[IFA_FLAGS]) : m->ifa_flags;
	a.local = (struct ip_prefix){.addr = addr_is_set(&local) ? local : address, .len = m->ifa_prefixlen};
	if (addr_is_set(&local) && !addr_eq(&local, &address))
		a.peer = address;
	*ret = a;
	return 0;
}

static uint32_t netlink_route_mtu(const struct nlattr *metrics)
{
	const struct nlattr *at[RTAX_MTU + 1] = {0};
	struct netlink_attrs t = {.at = at, .n = N_ELEM(at)};
	if (metrics == NULL || mnl_attr_parse_nested(metrics, netlink_attr_put, &t) < 0)
		return 0;
	return netlink_attr_u32(at[RTAX_MTU]);
}

int netlink_route_parse(const struct nlmsghdr *h, struct netlink_route *ret)
{
	const struct nlattr *at[RTA_TABLE + 1] = {0};
	int r = netlink_attrs_read(h, sizeof(struct rtmsg), at, N_ELEM(at));
	if (r < 0)
		return r;
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	if ((m->rtm_family != AF_INET && m->rtm_family != AF_INET6) || m->rtm_type == RTN_MULTICAST)
		return -EOPNOTSUPP;
	struct netlink_route route = {
	        .dst = {.addr = netlink_attr_addr(at[RTA_DST], m->rtm_family), .len = m->rtm_dst_len},
	        .gateway = netlink_attr_addr(at[RTA_GATEWAY], m->rtm_family),
	        .prefsrc = netlink_attr_addr(at[RTA_PREFSRC], m->rtm_family),
	        .index = netlink_attr_u32(at[RTA_OIF]),
	        .metric = netlink_attr_u32(at[RTA_PRIORITY]),
	        .table = at[RTA_TABLE] != NULL ? netlink_attr_u32(at[RTA_TABLE]) : m->rtm_table,
	        .mtu = netlink_route_mtu(at[RTA_METRICS]),
	        .type = m->rtm_type,
	        .protocol = m->rtm_protocol,
	        .is_onlink = (m->rtm_flags & RTNH_F_ONLINK) != 0,
	};
	route.dst.addr.family = m->rtm_family == AF_INET ? 4 : 6;
	*ret = route;
	return 0;
}
