#include "base/rd.h"

struct span rd_span(struct rd *r, size_t n)
{
	if (r->is_bad || n > r->rest.n) {
		r->is_bad = true;
		return span_of(r->rest.p, 0);
	}
	struct span s = span_of(r->rest.p, n);
	r->rest = span_skip(r->rest, n);
	return s;
}

static uint64_t read_be(struct rd *r, size_t n)
{
	struct span s = rd_span(r, n);
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t rd_u24(struct rd *r)
{
	return (uint32_t)read_be(r, 3);
}

uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t rd_u48(struct rd *r)
{
	return read_be(r, 6);
}

uint64_t rd_u64(struct rd *r)
{
	return read_be(r, 8);
}

struct span rd_rest(struct rd *r)
{
	return rd_span(r, r->rest.n);
}

void rd_expect(struct rd *r, const void *bytes, size_t n)
{
	if (!span_eq(rd_span(r, n), span_of(bytes, n)))
		r->is_bad = true;
}

void rd_copy(struct rd *r, void *ret, size_t n)
{
	struct span s = rd_span(r, n);
	memset(ret, 0, n);
	if (s.n == n && n > 0)
		memcpy(ret, s.p, n);
}
