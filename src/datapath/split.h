/* A packet as a TUN device with offloads hands it over, cut into packets that are whole: a super-packet of
 * TCP or UDP into segments with headers of their own, checksums completed. What the kernel would have done
 * had it sent to a device without offloads (Documentation/networking/segmentation-offloads.rst).
 *
 * In place and without a copy: each segment's header is written in front of its payload, over the end of the
 * segment before, which must be done with by then. Segments come in order and are contiguous, so each can be
 * encrypted from where it lies. */
#ifndef DATAPATH_SPLIT_H
#define DATAPATH_SPLIT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "datapath/vnet.h"

#define SPLIT_HEADER_MAX 256 /* IP with options or extension headers, and TCP with options */

struct split {
	uint8_t *next;     /* payload of the next segment */
	size_t left;       /* payload bytes not yet given out */
	size_t size;       /* payload bytes of each but the last; 0: the packet is given out as it is */
	size_t head_bytes; /* of all headers */
	size_t l4_at;      /* where TCP or UDP begins */
	unsigned index;    /* of the next segment */
	bool is_ip6, is_tcp, is_done, has_udp_sum;
	uint32_t seq;
	uint32_t pseudo; /* sum of the pseudo header without its length */
	uint16_t ip_id;
	uint8_t head[SPLIT_HEADER_MAX]; /* of the super-packet */
};

/* packet: n bytes behind the vnet header, to be overwritten. max_bytes: no TCP segment may be larger than
 * this with its headers, even if the kernel counted on more (its device's MTU is larger than the path's); 0:
 * as the kernel wants. Other packets are given out as they are, larger ones too. ERR_MALFORMED: the two do
 * not fit together; ERR_UNSUPPORTED: an offload that we never asked for, headers above SPLIT_HEADER_MAX, or
 * max_bytes leaves no room for payload. Nothing was changed then. */
MUST_USE int split_open(
        struct split *s, const struct vnet_hdr *h, uint8_t *packet, size_t n, size_t max_bytes);
/* The next packet, complete; false: no more. Bytes in front of *ret belong to what was given out before and
 * may be used by the caller (framing); in front of the first, the vnet header's ten bytes and what the caller
 * left free. Valid until the next call. */
bool split_next(struct split *s, uint8_t **ret, size_t *ret_n);
/* How many there will be in all. */
unsigned split_count(const struct split *s);
/* Bytes of the largest of those to come; 0: there are none. */
size_t split_packet_bytes(const struct split *s);

#endif
