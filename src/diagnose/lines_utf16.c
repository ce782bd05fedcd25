/* UTF-16 (RFC 2781) to UTF-8. */
#include "diagnose/lines_int.h"

#define REPLACEMENT 0xfffd /* half of a pair alone */

static uint8_t *put(uint8_t *p, uint32_t c)
{
	if (c < 0x80) {
		*p++ = (uint8_t)c;
	} else if (c < 0x800) {
		*p++ = (uint8_t)(0xc0 | c >> 6);
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*p++ = (uint8_t)(0xe0 | c >> 12);
		*p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		*p++ = (uint8_t)(0xf0 | c >> 18);
		*p++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*p++ = (uint8_t)(0x80 | (c & 0x3f));
	}
	return p;
}

/* One unit: at most two characters of three bytes come of two units, or one of four. */
static uint8_t *unit(struct lines_utf16 *u, uint8_t *p, uint16_t c)
{
	uint16_t high = u->high;
	bool is_low = c >= 0xdc00 && c <= 0xdfff;
	u->high = 0;
	if (high != 0 && is_low)
		return put(p, 0x10000 + ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(c - 0xdc00)));
	if (high != 0)
		p = put(p, REPLACEMENT);
	if (c >= 0xd800 && c <= 0xdbff)
		u->high = c;
	else
		p = put(p, is_low ? REPLACEMENT : c);
	return p;
}

static uint16_t pair(uint8_t first, uint8_t second, bool is_big)
{
	return (uint16_t)(is_big ? first << 8 | second : second << 8 | first);
}

struct span utf16_decode(struct lines_utf16 *u, struct span *in, bool is_big)
{
	/* one unit less than there is room for: the one kept from the last time */
	size_t max = UTF16_IN_BYTES - 4, n = in->n < max ? in->n : max, i = 0;
	uint8_t *p = u->out;
	if (u->has_odd && n > 0) {
		p = unit(u, p, pair(u->odd, in->p[0], is_big));
		u->has_odd = false;
		i = 1;
	}
	for (; i + 1 < n; i += 2)
		p = unit(u, p, pair(in->p[i], in->p[i + 1], is_big));
	if (i < n) {
		u->odd = in->p[i];
		u->has_odd = true;
	}
	*in = span_skip(*in, n);
	return span_of(u->out, (size_t)(p - u->out));
}
