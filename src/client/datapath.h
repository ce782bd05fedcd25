/* Packets between the adapter and the two tunnels, in batches, without an allocation per packet. */
#ifndef CLIENT_DATAPATH_H
#define CLIENT_DATAPATH_H

#include "client/tunnel_dtls.h"
#include "client/tunnel_tls.h"
#include "client/watch.h"
#include "datapath/outlet.h"
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
	uint16_t super_max_bytes; /* of a packet in a super-packet that goes by TLS whole; 0: not agreed */
	uint16_t piece_id;
	struct watch *watch; /* of a duplicate of tun_fd */
	bool has_vnet_hdr;
	bool is_tun_gone;   /* somebody removed the adapter: never readable again, always with an error */
	uint8_t *buf;       /* packets of one round, each with room for a header in front */
	size_t slot_bytes;  /* what one read may take */
	uint8_t *spare;     /* pieces, fragments, changed SYNs, answers */
	size_t spare_bytes; /* the largest ordinary packet, rounded up */
	struct outlet down; /* to the adapter */
	struct joiner *joiner;
	struct ratelimit *tell_limit;
	uint64_t drops_up;   /* from the adapter, not sent */
	uint64_t drops_down; /* not accepted by the adapter */
	uint64_t n_told;     /* "too big" answers to senders */
	struct super_pace super_pace;
	uint64_t n_super_up, n_super_down; /* CSTP packets that were many in one */
	void (*on_batch)(void *ctx);       /* packets were sent: deadlines may have moved */
	void (*on_gone)(void *ctx);        /* somebody removed the adapter; once */
	void *ctx;
};

/* mtu_max: largest packet the adapter will ever hand over, bytes. */
MUST_USE int datapath_open(struct datapath *d, uv_loop_t *loop, const struct tun *tun, uint16_t mtu_max);
void datapath_close(struct datapath *d);
/* Reads the adapter only while a tunnel can take what comes. Call after any change of either. */
void datapath_update(struct datapath *d);
/* One packet from a tunnel to the adapter, or the payload of a DTLS_PIECE record. They leave with
 * datapath_flush(), at the end of every batch that a tunnel received. */
void datapath_deliver(struct datapath *d, struct span packet);
void datapath_deliver_piece(struct datapath *d, struct span payload, ms_t now_ms);
/* Payload of a CSTP_SUPER, which is agreed: many packets in one. The largest of them, bytes; 0: malformed. */
size_t datapath_deliver_super(struct datapath *d, struct span payload);
void datapath_flush(struct datapath *d);

#endif
