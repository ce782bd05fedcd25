#include "diagnose/escape.h"

/* Bytes of the character at the start of s, 1 to 4, with its number; 0: not valid UTF-8 (RFC 3629). */
static size_t read_char(struct span s, uint32_t *ret)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t n = 0; n < N_ELEM(forms); n++) {
		if ((s.p[0] & forms[n].mask) != forms[n].lead)
			continue;
		uint32_t c = s.p[0] & (uint8_t)~forms[n].mask;
		if (s.n < n + 1)
			return 0;
		for (size_t i = 1; i <= n; i++) {
			if ((s.p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s.p[i] & 0x3f);
		}
		*ret = c;
		return c >= forms[n].least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n + 1 : 0;
	}
	return 0;
}

/* Controls, marks of direction, separators of lines, and what never is text. */
static bool is_shown(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x200b && c <= 0x200f) &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff &&
	       !(c >= 0xfff0 && c <= 0xffff) && !(c >= 0xe0000 && c <= 0xe0fff);
}

void escape_put(struct text *t, struct span s, size_t max)
{
	bool is_cut = s.n > max;
	if (is_cut)
		s.n = max;
	while (s.n > 0) {
		uint32_t c = 0;
		size_t n = read_char(s, &c);
		if (n == 0 && is_cut && s.n < 4 && s.p[0] >= 0xc0)
			break; /* a character that the cut went through */
		if (s.p[0] == '\t')
			text_str(t, " ");
		else if (n > 0 && is_shown(c))
			text_put(t, span_of(s.p, n));
		else
			for (size_t i = 0; i < (n ? n : 1); i++)
				text_fmt(t, "\\x%02x", s.p[i]);
		s = span_skip(s, n ? n : 1);
	}
	if (is_cut)
		text_str(t, "...");
}

void escape_html(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&':
			text_str(t, "&amp;");
			break;
		case '<':
			text_str(t, "&lt;");
			break;
		case '>':
			text_str(t, "&gt;");
			break;
		case '"':
			text_str(t, "&quot;");
			break;
		case '\'':
			text_str(t, "&#39;");
			break;
		default:
			text_put(t, span_of(s.p + i, 1));
		}
}
