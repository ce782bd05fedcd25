#include "io/netlink_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/err.h"

#define NETLINK_REQUEST_BYTES 512 /* our largest request is a route of some 150 bytes */

#define NETLINK_DUMP_TRIES 4

struct netlink {
	struct mnl_socket *socket;
	uint32_t seq;
	uint8_t buf[NETLINK_BUF_BYTES];
};

int netlink_open(struct netlink **ret)
{
	/* a lost answer must not hang the program; the kernel answers within the call, so this never fires */
	struct timeval wait = {.tv_sec = NETLINK_WAIT_MS / 1000};
	struct netlink *nl = calloc(1, sizeof(*nl));
	int on = 1, r = 0;
	if (nl == NULL)
		return -ENOMEM;
	nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (nl->socket == NULL || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	        setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0) {
		r = -errno;
		netlink_close(nl);
		return r;
	}
	/* the kernel then filters dumps itself (since 4.20); we filter in any case */
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*ret = nl;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl == NULL)
		return;
	if (nl->socket != NULL)
		mnl_socket_close(nl->socket);
	free(nl);
}

/* Sends and gives each answer to cb until the kernel acknowledges or refuses. */
static int netlink_talk(struct netlink *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
	unsigned port = mnl_socket_get_portid(nl->socket);
	int r = MNL_CB_OK;
	h->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, nl->buf, sizeof(nl->buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ERR_TIMEOUT : -errno;
		r = mnl_cb_run(nl->buf, (size_t)n, nl->seq, port, cb, arg);
		if (r < 0 && errno == EPROTO)
			r = MNL_CB_OK; /* sequence number of a request that was given up */
	}
	return r < 0 ? -errno : 0;
}

/* ---- links ---- */

struct netlink_link_want {
	struct netlink_link *ret;
	bool is_found;
};

static int netlink_link_take(const struct nlmsghdr *h, void *arg)
{
	struct netlink_link_want *want = arg;
	if (h->nlmsg_type == RTM_NEWLINK && netlink_link_parse(h, want->ret) == 0)
		want->is_found = true;
	return MNL_CB_OK;
}

static int netlink_link_ask(struct netlink *nl, uint32_t index, const char *name, struct netlink_link *ret)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct netlink_link link = {0};
	struct netlink_link_want want = {.ret = &link};
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_index = (int)index;
	if (name != NULL)
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
	int r = netlink_talk(nl, h, netlink_link_take, &want);
	if (r == 0 && !want.is_found)
		r = -ENODEV;
	if (r == 0)
		*ret = link;
	return r;
}

int netlink_link_index(struct netlink *nl, const char *name, uint32_t *ret_index)
{
	struct netlink_link link;
	if (name[0] == '\0' || strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	int r = netlink_link_ask(nl, 0, name, &link);
	if (r == 0)
		*ret_index = link.index;
	return r;
}

int netlink_link_get(struct netlink *nl, uint32_t index, struct netlink_link *ret)
{
	return index == 0 ? -ENODEV : netlink_link_ask(nl, index, NULL, ret);
}

static int netlink_link_change(
        struct netlink *nl, uint32_t index, unsigned flags, unsigned mask, uint32_t mtu)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_index = (int)index;
	m->ifi_flags = flags;
	m->ifi_change = mask;
	if (mtu != 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return index == 0 ? -ENODEV : netlink_talk(nl, h, NULL, NULL);
}

int netlink_link_set_up(struct netlink *nl, uint32_t index, bool is_up)
{
	return netlink_link_change(nl, index, is_up ? IFF_UP : 0, IFF_UP, 0);
}

int netlink_link_set_mtu(struct netlink *nl, uint32_t index, uint32_t mtu_bytes)
{
	return mtu_bytes == 0 ? -EINVAL : netlink_link_change(nl, index, 0, 0, mtu_bytes);
}

/* ---- addresses ---- */

static void netlink_attr_put_addr(struct nlmsghdr *h, uint16_t type, const struct ip_addr *a)
{
	mnl_attr_put(h, type, a->family == 4 ? 4 : 16, a->b);
}

static uint8_t netlink_family(uint8_t family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

static int netlink_address_change(struct netlink *nl, uint16_t type, uint16_t flags, uint32_t index,
        const struct ip_prefix *local, const struct ip_addr *peer)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	bool has_peer = peer != NULL && addr_is_set(peer);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	if (!addr_is_set(&local->addr) || (has_peer && peer->family != local->addr.family))
		return -EINVAL;
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifa_family = netlink_family(local->addr.family);
	m->ifa_prefixlen = local->len;
	m->ifa_index = index;
	netlink_attr_put_addr(h, IFA_LOCAL, &local->addr);
	netlink_attr_put_addr(h, IFA_ADDRESS, has_peer ? peer : &local->addr);
	if (local->addr.family == 6 && type == RTM_NEWADDR)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	return netlink_talk(nl, h, NULL, NULL);
}

int netlink_address_add(
        struct netlink *nl, uint32_t index, const struct ip_prefix *local, const struct ip_addr *peer)
{
	return netlink_address_change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, local, peer);
}

int netlink_address_del(
        struct netlink *nl, uint32_t index, const struct ip_prefix *local, const struct ip_addr *peer)
{
	return netlink_address_change(nl, RTM_DELADDR, 0, index, local, peer);
}

/* ---- lists ---- */

/* What a dump collects: addresses or routes, one of the two arrays is set. */
struct netlink_list {
	uint32_t index;
	struct netlink_address *addresses;
	struct netlink_route *routes;
	size_t max;
	size_t n; /* also counts what did not fit */
};

static int netlink_list_take(const struct nlmsghdr *h, void *arg)
{
	struct netlink_list *l = arg;
	struct netlink_address a;
	struct netlink_route route;
	if (l->addresses != NULL && h->nlmsg_type == RTM_NEWADDR && netlink_address_parse(h, &a) == 0 &&
	        (l->index == 0 || a.index == l->index)) {
		if (l->n++ < l->max)
			l->addresses[l->n - 1] = a;
	} else if (l->routes != NULL && h->nlmsg_type == RTM_NEWROUTE &&
	           netlink_route_parse(h, &route) == 0 && (l->index == 0 || route.index == l->index)) {
		if (l->n++ < l->max)
			l->routes[l->n - 1] = route;
	}
	return MNL_CB_OK;
}

/* A table that changes while it is read gives EINTR: then once more from the start. */
static int netlink_dump(struct netlink *nl, struct nlmsghdr *h, struct netlink_list *list)
{
	size_t n_before = list->n;
	int r = -EINTR;
	for (int i = 0; r == -EINTR && i < NETLINK_DUMP_TRIES; i++) {
		list->n = n_before;
		r = netlink_talk(nl, h, netlink_list_take, list);
	}
	return r;
}

static int netlink_list_done(const struct netlink_list *l, int r, size_t *ret_n)
{
	if (r < 0)
		return r;
	*ret_n = l->n < l->max ? l->n : l->max;
	return l->n > l->max ? ERR_TOO_LARGE : 0;
}

int netlink_address_list(
        struct netlink *nl, uint32_t index, struct netlink_address *ret, size_t max, size_t *ret_n)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct netlink_list list = {.index = index, .addresses = ret, .max = max};
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_GETADDR;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifa_index = index;
	return netlink_list_done(&list, netlink_dump(nl, h, &list), ret_n);
}

int netlink_route_list(
        struct netlink *nl, uint32_t index, struct netlink_route *ret, size_t max, size_t *ret_n)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct netlink_list list = {.index = index, .routes = ret, .max = max};
	int r = 0;
	for (size_t i = 0; r == 0 && i < N_ELEM(families); i++) {
		uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
		struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
		h->nlmsg_type = RTM_GETROUTE;
		h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
		m->rtm_family = families[i];
		if (index != 0)
			mnl_attr_put_u32(h, RTA_OIF, index);
		r = netlink_dump(nl, h, &list);
		if (r == -EAFNOSUPPORT || r == -EOPNOTSUPP)
			r = 0; /* no IPv6 in this kernel */
	}
	return netlink_list_done(&list, r, ret_n);
}

/* ---- routes ---- */

static void netlink_route_put(struct nlmsghdr *h, const struct netlink_route *route)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	bool is_direct = !addr_is_set(&route->gateway);
	m->rtm_family = netlink_family(route->dst.addr.family);
	m->rtm_dst_len = route->dst.len;
	m->rtm_type = route->type;
	m->rtm_protocol = route->protocol;
	m->rtm_scope = is_direct && route->index != 0 && route->dst.addr.family == 4 ? RT_SCOPE_LINK
	                                                                             : RT_SCOPE_UNIVERSE;
	m->rtm_flags = route->is_onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(h, RTA_TABLE, route->table != 0 ? route->table : RT_TABLE_MAIN);
	if (route->dst.len > 0) {
		struct ip_addr network = prefix_network(&route->dst); /* the kernel refuses host bits */
		netlink_attr_put_addr(h, RTA_DST, &network);
	}
	if (!is_direct)
		netlink_attr_put_addr(h, RTA_GATEWAY, &route->gateway);
	if (addr_is_set(&route->prefsrc))
		netlink_attr_put_addr(h, RTA_PREFSRC, &route->prefsrc);
	if (route->index != 0)
		mnl_attr_put_u32(h, RTA_OIF, route->index);
	if (route->metric != 0)
		mnl_attr_put_u32(h, RTA_PRIORITY, route->metric);
	if (route->mtu != 0) {
		struct nlattr *nest = mnl_attr_nest_start(h, RTA_METRICS);
		mnl_attr_put_u32(h, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(h, nest);
	}
}

static bool netlink_route_is_good(const struct netlink_route *route)
{
	uint8_t family = route->dst.addr.family;
	return (family == 4 || family == 6) && route->dst.len <= (family == 4 ? 32 : 128) &&
	       (!addr_is_set(&route->gateway) || route->gateway.family == family) &&
	       (!addr_is_set(&route->prefsrc) || route->prefsrc.family == family);
}

int netlink_route_set(struct netlink *nl, enum netlink_route_op op, const struct netlink_route *route)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct netlink_route full = *route;
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	if (!netlink_route_is_good(route))
		return -EINVAL;
	full.type = route->type != 0 ? route->type : RTN_UNICAST;
	full.protocol = route->protocol != 0 ? route->protocol : RTPROT_STATIC;
	h->nlmsg_type = RTM_NEWROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
	                 (op == NETLINK_ROUTE_REPLACE ? NLM_F_REPLACE : NLM_F_EXCL);
	netlink_route_put(h, &full);
	return netlink_talk(nl, h, NULL, NULL);
}

int netlink_route_del(struct netlink *nl, const struct netlink_route *route)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct netlink_route pattern = *route;
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	if (!netlink_route_is_good(route))
		return -EINVAL;
	pattern.mtu = 0; /* a property, not part of what identifies a route */
	h->nlmsg_type = RTM_DELROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	netlink_route_put(h, &pattern);
	struct rtmsg *m = mnl_nlmsg_get_payload(h);
	m->rtm_scope = RT_SCOPE_NOWHERE; /* any */
	return netlink_talk(nl, h, NULL, NULL);
}

static int netlink_route_take(const struct nlmsghdr *h, void *arg)
{
	struct netlink_route *route = arg;
	if (h->nlmsg_type == RTM_NEWROUTE && netlink_route_parse(h, route) < 0)
		route->index = 0;
	return MNL_CB_OK;
}

int netlink_route_lookup(struct netlink *nl, const struct ip_addr *dst, struct netlink_route *ret)
{
	uint8_t buf[NETLINK_REQUEST_BYTES] = {0};
	struct netlink_route route = {0};
	struct netlink_link link;
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	if (!addr_is_set(dst))
		return -EINVAL;
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = netlink_family(dst->family);
	m->rtm_dst_len = dst->family == 4 ? 32 : 128;
	netlink_attr_put_addr(h, RTA_DST, dst);
	int r = netlink_talk(nl, h, netlink_route_take, &route);
	if (r < 0)
		return r;
	if (route.index == 0)
		return -ENETUNREACH;
	if (route.mtu == 0 && (r = netlink_link_get(nl, route.index, &link)) < 0)
		return r;
	if (route.mtu == 0)
		route.mtu = link.mtu;
	route.dst = (struct ip_prefix){.addr = *dst, .len = dst->family == 4 ? 32 : 128};
	*ret = route;
	return 0;
}
