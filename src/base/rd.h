/* Reader: a bounded cursor over bytes from outside, with a sticky error. Read all fields, then ask once:
 * after the first read beyond the end (or a mismatch) every read gives zeros and rd_ok() is false.
 * Integers are big-endian, as everywhere on this wire. */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/span.h"

struct rd {
	struct span rest; /* not read yet */
	bool is_bad;
};

static inline struct rd rd_open(struct span in)
{
	return (struct rd){.rest = in};
}

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u24(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u48(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* The next n bytes as a view into the input; empty and bad when fewer are left. */
struct span rd_span(struct rd *r, size_t n);
/* Everything that is left. */
struct span rd_rest(struct rd *r);
/* The next n bytes must be these. */
void rd_expect(struct rd *r, const void *bytes, size_t n);
/* Copies exactly n bytes; zeros when bad. */
void rd_copy(struct rd *r, void *ret, size_t n);

static inline bool rd_ok(const struct rd *r)
{
	return !r->is_bad;
}

/* True when nothing failed and nothing is left: the form "no trailing bytes" takes. */
static inline bool rd_end(const struct rd *r)
{
	return !r->is_bad && r->rest.n == 0;
}

#endif
