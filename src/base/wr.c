#include "base/wr.h"

#include <errno.h>

void wr_put(struct wr *w, struct span s)
{
	if (w->is_full || s.n > w->cap - w->n) {
		w->is_full = true;
		return;
	}
	if (s.n > 0)
		memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
}

static void write_be(struct wr *w, uint64_t v, size_t n)
{
	uint8_t b[8];
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	wr_put(w, span_of(b, n));
}

void wr_u8(struct wr *w, uint8_t v)
{
	write_be(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
	write_be(w, v, 2);
}

void wr_u24(struct wr *w, uint32_t v)
{
	write_be(w, v, 3);
}

void wr_u32(struct wr *w, uint32_t v)
{
	write_be(w, v, 4);
}

void wr_u48(struct wr *w, uint64_t v)
{
	write_be(w, v, 6);
}

void wr_u64(struct wr *w, uint64_t v)
{
	write_be(w, v, 8);
}

void wr_str(struct wr *w, const char *s)
{
	wr_put(w, span_str(s));
}

void wr_hex(struct wr *w, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < s.n; i++) {
		wr_u8(w, (uint8_t)digits[s.p[i] >> 4]);
		wr_u8(w, (uint8_t)digits[s.p[i] & 15]);
	}
}

int wr_done(const struct wr *w)
{
	return w->is_full ? -ENOBUFS : (int)w->n;
}
