/* Between datapath.c (life, to the adapter) and datapath_up.c (from the adapter to the tunnels). */
#ifndef CLIENT_DATAPATH_INTERNAL_H
#define CLIENT_DATAPATH_INTERNAL_H

#include "client/datapath.h"
#include "wire/ip.h"

#define DATAPATH_HEADROOM 64 /* CSTP header or DTLS type byte in front, and packets on cache lines */
/* Read before anything is sent: 32 ordinary packets, or two of the largest. Little enough for the cache. */
#define DATAPATH_ROUND_BYTES ((128u << 10) + 2 * (DATAPATH_HEADROOM + VNET_HDR_BYTES) + DATAPATH_HEADROOM)

/* The adapter is readable; a watch_fn. */
void datapath_ready(void *datapath, int events);

/* Keeps the MSS of a SYN below what DTLS carries in one datagram (behaviour.md 3.1). */
static inline void datapath_clamp_mss(const struct datapath *d, uint8_t *packet, size_t n)
{
	uint16_t mss = link_mss_bytes(d->link, n > 0 ? packet[0] >> 4 : 0);
	if (mss != 0)
		(void)tcp_clamp_mss(packet, n, mss);
}

#endif
