/* Packets between the adapter and the two tunnels, in batches, without an allocation per packet. */
#ifndef CLIENT_DATAPATH_H
#define CLIENT_DATAPATH_H

#include "client/tunnel_dtls.h"
#include "client/tunnel_tls.h"
#include "client/watch.h"
#include "io/tun.h"

struct datapath {
	int tun_fd; /* -1: no adapter yet */
	struct tunnel_tls *tls;
	struct tunnel_dtls *dtls;
	struct link *link;
	struct watch *watch; /* of a duplicate of tun_fd */
	uint8_t *buf;        /* LOOP_BATCH slots, each with room for a header in front */
	size_t stride;       /* bytes of one slot */
	uint64_t drops_up;   /* from the adapter, not sent */
	uint64_t drops_down; /* not accepted by the adapter */
};

/* mtu_max: largest packet the adapter will ever hand over, bytes. */
MUST_USE int datapath_open(struct datapath *d, uv_loop_t *loop, int tun_fd, uint16_t mtu_max);
void datapath_close(struct datapath *d);
/* Reads the adapter only while a tunnel can take what comes. Call after any change of either. */
void datapath_update(struct datapath *d);
/* One packet from a tunnel to the adapter. */
void datapath_deliver(struct datapath *d, struct span packet);

#endif
