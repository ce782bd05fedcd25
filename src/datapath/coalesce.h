/* Received packets of a flow, put together again to super-packets before they are written to a TUN device:
 * one write and one pass through the kernel for up to 64 of them. The opposite of split.h.
 *
 * Nothing that a receiver can see changes: cut again, a super-packet gives the very packets that went in. So
 * only what follows each other without a gap and differs in nothing but sequence number, checksum and IPv4
 * identification (counting up) is joined, and only after its checksum was found right. All else goes
 * through as it is, behind what the same flow has waiting. */
#ifndef DATAPATH_COALESCE_H
#define DATAPATH_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "datapath/vnet.h"

#define COALESCE_FLOWS        8
#define COALESCE_SEGMENTS_MAX 64 /* UDP_MAX_SEGMENTS of kernels before 6.9; TCP of 1 KiB fills 64 KiB */
#define COALESCE_BYTES_MAX    65535
#define COALESCE_HEADER_MAX   100 /* IPv6 and TCP with all options */

/* What the device takes (struct tun.offloads): bits of `kinds`. */
#define COALESCE_TCP4 1u
#define COALESCE_TCP6 2u
#define COALESCE_UDP  4u /* kernels since 6.2 */

/* One write: iov[0] is the vnet header, the rest the packet. Valid only during the call. */
typedef void coalesce_emit(void *ctx, const struct iovec *iov, unsigned n_iov);

struct coalesce_flow {
	const uint8_t *first; /* the first packet as it came */
	size_t first_bytes;
	size_t head_bytes, l4_at;
	size_t bytes;        /* of the super-packet so far */
	uint32_t next_seq;   /* TCP */
	uint32_t n_segments; /* 0: free */
	uint64_t since;      /* order in which flows began */
	uint16_t size;       /* payload bytes of each segment but the last */
	bool is_ip6, is_tcp, has_push;
	struct vnet_hdr vnet;
	uint8_t head[COALESCE_HEADER_MAX];
	struct iovec iov[2 + COALESCE_SEGMENTS_MAX]; /* vnet header, header, payloads */
};

struct coalesce {
	coalesce_emit *emit;
	void *ctx;
	unsigned kinds;
	uint64_t n_flows_ever;
	struct coalesce_flow flow[COALESCE_FLOWS];
};

void coalesce_init(struct coalesce *c, unsigned kinds, coalesce_emit *emit, void *ctx);
/* Takes one packet. Its bytes must stay as they are until coalesce_flush(). */
void coalesce_add(struct coalesce *c, const uint8_t *packet, size_t n);
/* Emits all that waits; at the end of every batch. */
void coalesce_flush(struct coalesce *c);

#endif
