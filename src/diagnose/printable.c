#include "diagnose/printable.h"

/* The character at the start of s when it has that many bytes; 0 when one of them does not continue it. */
static uint32_t utf8_value(struct span s, size_t n)
{
	uint32_t c = s.p[0] & (n == 2 ? 0x1f : n == 3 ? 0x0f : 0x07);
	for (size_t i = 1; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s.p[i] & 0x3f);
	}
	return c;
}

size_t utf8_length(struct span s)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s.n == 0)
		return 0;
	if (s.p[0] < 0x80)
		return 1;
	size_t n = (s.p[0] & 0xe0) == 0xc0   ? 2
	           : (s.p[0] & 0xf0) == 0xe0 ? 3
	           : (s.p[0] & 0xf8) == 0xf0 ? 4
	                                     : 0;
	if (n == 0 || n > s.n)
		return 0;
	uint32_t c = utf8_value(s, n);
	return c >= lowest[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

/* C0 and C1 controls, and the characters of Unicode that change how others are shown: direction marks,
 * line and paragraph separators, byte order mark. */
static bool is_shown(struct span s, size_t n)
{
	if (n == 1)
		return s.p[0] >= 0x20 && s.p[0] != 0x7f;
	uint32_t c = utf8_value(s, n);
	return c >= 0xa0 && c != 0x61c && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff && !(c >= 0xfff0 && c <= 0xfffb);
}

void text_printable(struct text *t, struct span s, size_t max)
{
	size_t left = max;
	while (s.n > 0) {
		size_t n = utf8_length(s), bytes = n > 0 ? n : 1;
		if (bytes > left) {
			text_str(t, "...");
			return;
		}
		if (n > 0 && is_shown(s, n))
			text_put(t, span_of(s.p, n));
		else
			for (size_t i = 0; i < bytes; i++)
				text_fmt(t, "\\x%02x", s.p[i]);
		s = span_skip(s, bytes);
		left -= bytes;
	}
}
