/* What changes in the machine's network: the kernel's own messages, as events. */
#include "io/netlink_int.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define NETLINK_MONITOR_READS 32      /* per call; the socket stays readable when there is more */
#define NETLINK_MONITOR_BYTES 1048576 /* receive buffer: a full routing table may be reloaded */

struct netlink_monitor {
	struct mnl_socket *socket;
	netlink_event_fn *fn;
	void *ctx;
	uint8_t buf[NETLINK_BUF_BYTES];
};

int netlink_monitor_open(struct netlink_monitor **ret)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
	        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	int bytes = NETLINK_MONITOR_BYTES, r;
	struct netlink_monitor *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->socket == NULL || mnl_socket_bind(m->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	for (size_t i = 0; i < N_ELEM(groups); i++)
		if (mnl_socket_setsockopt(m->socket, NETLINK_ADD_MEMBERSHIP, (void *)(uintptr_t)&groups[i],
		            sizeof(int)) < 0)
			goto fail;
	/* smaller is no reason to fail: an overrun is an event */
	(void)setsockopt(mnl_socket_get_fd(m->socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	*ret = m;
	return 0;
fail:
	r = -errno;
	netlink_monitor_close(m);
	return r;
}

void netlink_monitor_close(struct netlink_monitor *m)
{
	if (m == NULL)
		return;
	if (m->socket != NULL)
		mnl_socket_close(m->socket);
	free(m);
}

int netlink_monitor_fd(const struct netlink_monitor *m)
{
	return mnl_socket_get_fd(m->socket);
}

static int netlink_event_take(const struct nlmsghdr *h, void *arg)
{
	struct netlink_monitor *m = arg;
	struct netlink_event e;
	int r = -EOPNOTSUPP;
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		e.kind = h->nlmsg_type == RTM_NEWLINK ? NETLINK_LINK_NEW : NETLINK_LINK_GONE;
		r = netlink_link_parse(h, &e.link);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		e.kind = h->nlmsg_type == RTM_NEWADDR ? NETLINK_ADDRESS_NEW : NETLINK_ADDRESS_GONE;
		r = netlink_address_parse(h, &e.address);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		e.kind = h->nlmsg_type == RTM_NEWROUTE ? NETLINK_ROUTE_NEW : NETLINK_ROUTE_GONE;
		r = netlink_route_parse(h, &e.route);
		break;
	}
	if (r == 0)
		m->fn(m->ctx, &e);
	return MNL_CB_OK;
}

int netlink_monitor_read(struct netlink_monitor *m, netlink_event_fn *fn, void *ctx)
{
	const struct netlink_event lost = {.kind = NETLINK_EVENTS_LOST};
	m->fn = fn;
	m->ctx = ctx;
	for (int i = 0; i < NETLINK_MONITOR_READS; i++) {
		ssize_t n = mnl_socket_recvfrom(m->socket, m->buf, sizeof(m->buf));
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOBUFS || errno == ENOSPC)) { /* ENOSPC: cut by our buffer */
			fn(ctx, &lost);
			continue;
		}
		if (n < 0)
			return -errno;
		if (mnl_cb_run(m->buf, (size_t)n, 0, 0, netlink_event_take, m) < 0)
			return -errno;
	}
	return 0;
}
