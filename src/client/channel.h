/* What the two tunnels of a session have in common: counters, and who is told. */
#ifndef CLIENT_CHANNEL_H
#define CLIENT_CHANNEL_H

#include "tunnel/link.h"
#include "wire/cstp.h"

struct channel_counters {
	uint64_t tx_bytes, rx_bytes; /* of inner packets */
	uint64_t tx_packets, rx_packets;
	uint64_t tx_control_bytes, rx_control_bytes; /* of the other types, without headers */
	uint64_t tx_control_packets, rx_control_packets;
	uint64_t tx_wire_bytes, rx_wire_bytes; /* TLS or DTLS records as TCP or UDP carry them */
};

static inline void channel_count_rx(struct channel_counters *c, const struct cstp_packet *p)
{
	if (p->type == CSTP_DATA) {
		c->rx_packets++;
		c->rx_bytes += p->payload.n;
	} else {
		c->rx_control_packets++;
		c->rx_control_bytes += p->payload.n;
	}
}

static inline void channel_count_control(struct channel_counters *c, size_t payload_bytes)
{
	c->tx_control_packets++;
	c->tx_control_bytes += payload_bytes;
}

/* Calls from a tunnel to the session. Any of them may close the tunnel: the caller looks again afterwards. */
struct channel_owner {
	void *ctx;
	void (*on_up)(void *ctx, enum link_channel ch);
	void (*on_packet)(void *ctx, enum link_channel ch, const struct cstp_packet *p);
	/* Part of a packet came; the rest is on its way (TLS only). */
	void (*on_part)(void *ctx, enum link_channel ch, size_t bytes);
	/* All that had come was read: deadlines may have moved. */
	void (*on_batch)(void *ctx);
	/* The socket took what had waited: more may be sent (TLS only). */
	void (*on_room)(void *ctx);
	/* The tunnel has closed itself. why: one line, lives until the return. */
	void (*on_lost)(void *ctx, enum link_channel ch, int err, const char *why);
};

#endif
