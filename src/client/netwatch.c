#include "client/netwatch.h"

#include <errno.h>

/* What one batch of news amounts to: a bit per enum netwatch_news. */
struct digest {
	const struct netwatch *n;
	unsigned news;
};

static void take_event(void *ctx, const struct netlink_event *e)
{
	struct digest *d = ctx;
	const struct netwatch *n = d->n;
	switch (e->kind) {
	case NETLINK_ADDRESS_GONE:
		if (addr_is_set(&n->guarded) && addr_eq(&e->address.local.addr, &n->guarded))
			d->news |= 1u << NETWATCH_LOST;
		return;
	case NETLINK_ADDRESS_NEW:
		if (e->address.index != n->adapter_index)
			d->news |= 1u << NETWATCH_NEW;
		return;
	case NETLINK_ROUTE_NEW:
		if (e->route.index != n->adapter_index && e->route.protocol != n->own_protocol)
			d->news |= 1u << NETWATCH_NEW;
		return;
	case NETLINK_LINK_NEW:
		if (e->link.index != n->adapter_index && e->link.has_carrier)
			d->news |= 1u << NETWATCH_NEW;
		return;
	case NETLINK_EVENTS_LOST:
		d->news |= 1u << NETWATCH_NEW;
		return;
	case NETLINK_LINK_GONE:
	case NETLINK_ROUTE_GONE:
		return; /* what matters to us of it shows as a lost address or as silence */
	}
}

static void netwatch_ready(void *ctx, int events)
{
	struct netwatch *n = ctx;
	struct digest d = {.n = n};
	(void)events;
	int err = netlink_monitor_read(n->monitor, take_event, &d);
	(void)err; /* the next news come all the same */
	if (d.news & 1u << NETWATCH_LOST)
		n->on_news(n->ctx, NETWATCH_LOST);
	if (d.news & 1u << NETWATCH_NEW)
		n->on_news(n->ctx, NETWATCH_NEW);
}

int netwatch_open(struct netwatch *n, uv_loop_t *loop)
{
	int err = netlink_monitor_open(&n->monitor);
	if (err) {
		n->monitor = NULL;
		return err;
	}
	n->watch = watch_new_copy(loop, netlink_monitor_fd(n->monitor), netwatch_ready, n);
	if (n->watch == NULL) {
		netwatch_close(n);
		return -ENOMEM;
	}
	watch_set(n->watch, UV_READABLE);
	return 0;
}

void netwatch_close(struct netwatch *n)
{
	watch_drop(n->watch);
	if (n->monitor != NULL)
		netlink_monitor_close(n->monitor);
	n->watch = NULL;
	n->monitor = NULL;
}

void netwatch_guard(struct netwatch *n, const struct ip_addr *outer)
{
	n->guarded = *outer;
}
