/* The newest messages of the log within a number of bytes: what `show logging` shows. Pure. */
#ifndef GATEWAY_LOG_RING_H
#define GATEWAY_LOG_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

#define LOG_RING_ITEM_BYTES 64u /* what a message costs beside its text */

struct log_item {
	uint64_t number; /* 1.., without gaps */
	uint64_t at_s;   /* Unix time */
	uint32_t id;     /* 0: none */
	uint8_t severity;
	bool is_asa;
	const char *text;
};

struct log_ring {
	struct log_slot **slots; /* of message number n: slots[n % n_slots] */
	size_t n_slots;
	size_t max_bytes, n_bytes;
	uint64_t first, next; /* numbers: the oldest kept, and of the one to come; equal: empty */
};

/* Makes it this large; of what is kept already, the newest that fit stay. 0 or -ENOMEM (all as before). */
MUST_USE int log_ring_resize(struct log_ring *r, size_t max_bytes);
/* Copies in; its number is given here. What does not fit at all, or has no memory, is left out. */
void log_ring_put(struct log_ring *r, const struct log_item *item);
/* The oldest with a number above after; false: there is none. *ret is valid until the next put. */
bool log_ring_after(const struct log_ring *r, uint64_t after, struct log_item *ret);
void log_ring_clear(struct log_ring *r);
void log_ring_done(struct log_ring *r);

#endif
