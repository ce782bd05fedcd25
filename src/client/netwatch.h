/* News of the machine's network that a session should act on at once instead of waiting for DPD: its own
 * outer address is gone, or, while there is no way to the gateway, something new has come. */
#ifndef CLIENT_NETWATCH_H
#define CLIENT_NETWATCH_H

#include "client/watch.h"
#include "io/netlink.h"

enum netwatch_news {
	NETWATCH_LOST, /* the address that was given with netwatch_guard() does not exist any more */
	NETWATCH_NEW,  /* an address, a route or a link appeared that is not the adapter's */
};

struct netwatch {
	struct netlink_monitor *monitor;
	struct watch *watch;
	struct ip_addr guarded;
	uint32_t adapter_index; /* its news are our own doing; 0: none yet */
	uint8_t own_protocol;   /* of routes that are our own doing */
	void (*on_news)(void *ctx, enum netwatch_news news);
	void *ctx;
};

/* Fields from on_news on and own_protocol are set by the caller before. -errno */
MUST_USE int netwatch_open(struct netwatch *n, uv_loop_t *loop);
void netwatch_close(struct netwatch *n); /* copes with a zeroed struct */
void netwatch_guard(struct netwatch *n, const struct ip_addr *outer);

#endif
