/* Packets between the adapter and the two tunnels, in batches, without an allocation per packet. */
#ifndef CLIENT_DATAPATH_H
#define CLIENT_DATAPATH_H

#include "client/tunnel_dtls.h"
#include "client/tunnel_tls.h"
#include "client/watch.h"
#include "io/ratelimit.h"
#include "io/tun.h"
#include "wire/pieces.h"

/* "Too big" to the sender of one flow: so many at once, then one in so many ms. */
#define DATAPATH_TELL_BURST     4
#define DATAPATH_TELL_PERIOD_MS 250

struct datapath {
	int tun_fd; /* -1: no adapter yet */
	struct tunnel_tls *tls;
	struct tunnel_dtls *dtls;
	struct link *link;
	uint16_t tls_max_bytes; /* larger packets are not sent by TLS, the gateway would drop them; 0: none */
	uint16_t piece_id;
	struct watch *watch; /* of a duplicate of tun_fd */
	uint8_t *buf;        /* LOOP_BATCH slots, each with room for a header in front */
	size_t stride;       /* bytes of one slot */
	uint8_t *spare;      /* one more slot: pieces, fragments, changed SYNs, answers */
	struct joiner *joiner;
	struct ratelimit *tell_limit;
	uint64_t drops_up;           /* from the adapter, not sent */
	uint64_t drops_down;         /* not accepted by the adapter */
	uint64_t n_told;             /* "too big" answers to senders */
	void (*on_batch)(void *ctx); /* packets were sent: deadlines may have moved */
	void *ctx;
};

/* mtu_max: largest packet the adapter will ever hand over, bytes. */
MUST_USE int datapath_open(struct datapath *d, uv_loop_t *loop, int tun_fd, uint16_t mtu_max);
void datapath_close(struct datapath *d);
/* Reads the adapter only while a tunnel can take what comes. Call after any change of either. */
void datapath_update(struct datapath *d);
/* One packet from a tunnel to the adapter; or the payload of a DTLS_PIECE record. */
void datapath_deliver(struct datapath *d, struct span packet);
void datapath_deliver_piece(struct datapath *d, struct span payload, ms_t now_ms);

#endif
