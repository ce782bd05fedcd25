/* Packets for the session of another thread. Any thread appends, the owner takes all of it at once and works
 * on it without the lock while the others fill the second buffer. What does not fit is the caller's to drop
 * and to count: nobody waits. */
#ifndef GATEWAY_HANDOVER_H
#define GATEWAY_HANDOVER_H

#include <pthread.h>

#include "base/span.h"
#include "io/udp.h"

#define HANDOVER_BYTES    (2u << 20) /* of one buffer; memory only once it was used */
#define HANDOVER_HEADROOM 64         /* in front of each packet, for the header of a record */

/* Where it came from. */
struct handover_head {
	uint32_t n;       /* bytes that follow the headroom; set by handover_put() */
	bool is_datagram; /* of UDP, with the fields below; else what was read from TUN */
	uint32_t ifindex;
	uint64_t tried; /* datagrams: the threads that could not place it */
	union udp_addr peer;
	struct ip_addr local;
};

struct handover {
	pthread_mutex_t lock;
	uint8_t *bufs[2];
	size_t n_filled;    /* bytes of the buffer that is filled now */
	unsigned i_filling; /* which one */
	size_t buf_bytes;
};

/* What the owner has taken: valid until it takes again. */
struct handover_batch {
	uint8_t *p;
	size_t n, at;
};

MUST_USE int handover_init(struct handover *h, size_t buf_bytes); /* -ENOMEM */
void handover_done(struct handover *h);
/* Copies head and bytes. 1: the buffer was empty, so the owner must be woken; 0; -ENOBUFS. */
MUST_USE int handover_put(struct handover *h, const struct handover_head *head, struct span bytes);
/* The owner only. */
struct handover_batch handover_take(struct handover *h);
/* The next packet, NULL at the end. Its bytes may be changed, and the headroom in front of them. */
const struct handover_head *handover_next(struct handover_batch *b, uint8_t **ret_p);

#endif
