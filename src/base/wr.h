/* Writer: a bounded cursor over a caller's buffer, with a sticky error. Write all fields, then ask once.
 * Nothing is ever written beyond the capacity; a field that does not fit is not written at all. */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "base/span.h"
#include "base/util.h"

struct wr {
	uint8_t *p;
	size_t n;   /* bytes written */
	size_t cap; /* bytes available in all */
	bool is_full;
};

static inline struct wr wr_open(void *buf, size_t cap)
{
	return (struct wr){.p = buf, .cap = cap};
}

void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u24(struct wr *w, uint32_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u48(struct wr *w, uint64_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_put(struct wr *w, struct span s);
void wr_str(struct wr *w, const char *s);
/* Lower-case hexadecimal digits of s. */
void wr_hex(struct wr *w, struct span s);

static inline bool wr_ok(const struct wr *w)
{
	return !w->is_full;
}

static inline struct span wr_span(const struct wr *w)
{
	return span_of(w->p, w->n);
}

/* Bytes written, or -ENOBUFS when something did not fit. */
MUST_USE int wr_done(const struct wr *w);

#endif
