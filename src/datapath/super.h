/* A super-packet of TUN as it goes to an own peer in one CSTP_SUPER packet (PROTOCOL.md): neither cut here
 * nor joined there, and no sum over its payload on either side. Payload of the CSTP packet, big-endian:
 *
 *   0                2 ...
 *   segment u16      the packet, as long as its IP header says
 *
 * segment: payload bytes of TCP or UDP in each of the packets it stands for, but the last. All else that a
 * kernel must know to cut it is in the packet's own headers, and is taken from there. The field of the TCP or
 * UDP checksum means nothing: the receiver sets it, so what it makes of a packet is always right.
 *
 * What may come is narrow, the same for both sides, and checked by the same function: what the sender finds
 * not to fit goes the old way, packet by packet. No packet that it stands for is more than the two ends have
 * agreed on, none but the last is small, and none is one that anybody looks into (SYN, RST, fragments, IP
 * options). */
#ifndef DATAPATH_SUPER_H
#define DATAPATH_SUPER_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "datapath/split.h"

#define SUPER_HEADER_BYTES  2
#define SUPER_PACKET_MAX    65533 /* with the header what CSTP's length field can say */
#define SUPER_SEGMENT_MIN   256   /* payload: a few bytes here must not be many packets there */
#define SUPER_UDP_PACKETS   64    /* UDP_MAX_SEGMENTS of kernels before 6.9 */
#define SUPER_INNER_HEADERS 100   /* IPv6 and TCP with all options */

/* What one is, by its headers. */
struct super_form {
	size_t l4_at, head_bytes;
	size_t segment_bytes;
	size_t largest_bytes; /* of the packets it stands for */
	size_t total_bytes;   /* of all of them */
	unsigned n_packets;
	bool is_ip6, is_tcp;
};

/* ERR_MALFORMED: not one that may be sent. max_bytes: of a single packet. */
MUST_USE int super_check(struct span packet, size_t segment_bytes, size_t max_bytes, struct super_form *ret);

/* To be sent: what split_open() has opened and of which nothing was taken yet, with SUPER_HEADER_BYTES in
 * front of the packet written. NULL: goes packet by packet. The split can be used all the same. */
uint8_t *super_put(const struct split *s, size_t max_bytes, size_t *ret_n, struct super_form *ret);

/* Received. */
struct super {
	struct super_form form;
	struct span packet;                /* view into the payload */
	struct vnet_hdr vnet;              /* for a device that takes it whole */
	uint8_t head[SUPER_INNER_HEADERS]; /* the packet's headers, as vnet wants them: form.head_bytes */
};
MUST_USE int super_parse(struct span payload, size_t max_bytes, struct super *ret);

/* Whether the connection is fast enough for them. All of one arrives at once, when its last byte has come: on
 * a slow path single packets are there earlier, and cost nothing that matters. */
#define SUPER_PACE_BYTES_PER_S 13107200u /* the largest in 5 ms */
#define SUPER_PACE_LOOK_MS     20
#define SUPER_PACE_LOOKS       3 /* so many in turn must say so: after a pause the kernel measures a burst */

struct super_pace {
	ms_t look_at_ms; /* when to ask the kernel again */
	uint8_t n_fast_looks;
	bool is_fast;
};
static inline bool super_pace_is_due(const struct super_pace *p, ms_t now_ms)
{
	return now_ms >= p->look_at_ms;
}
/* What TCP delivers, as measured; 0: not known. */
void super_pace_note(struct super_pace *p, uint64_t bytes_per_s, ms_t now_ms);

#endif
