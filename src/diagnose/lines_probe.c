/* Which text is it, or is it any? By marks, by where NUL bytes stand, and by bytes that no text has. */
#include "diagnose/lines_int.h"

/* Of UTF-16 text without a mark, at least this part of the units is ASCII (blanks, digits and newlines even
 * in Japanese logs), in 1/64. */
#define ASCII_UNITS_MIN 8
/* Of the bytes of the other order, at most one for so many: an ideographic space ends in NUL, too. */
#define OTHER_NULS_MIN 4
/* Of text in bytes, at most this part is control characters: an escape sequence, a pager's marks. */
#define CONTROLS_MAX 2

struct census {
	size_t n, even_nuls, odd_nuls, controls;
};

/* Backspace, tab, newline, form feed, CR and escape are in captures of terminals. NUL is counted apart. */
static bool is_odd_control(uint8_t c)
{
	return c < 0x20 && c != '\b' && c != '\t' && c != '\n' && c != '\v' && c != '\f' && c != '\r' &&
	       c != 0x1b;
}

static struct census census_of(struct span s)
{
	struct census c = {.n = s.n};
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == 0)
			*(i % 2 ? &c.odd_nuls : &c.even_nuls) += 1;
		else if (is_odd_control(s.p[i]))
			c.controls++;
	}
	return c;
}

static bool is_at_most(size_t count, size_t of, size_t part)
{
	return count * 64 <= of * part;
}

/* high: NULs where the upper half of a unit stands. */
static bool has_ascii_units(size_t units, size_t high, size_t low)
{
	return units > 1 && !is_at_most(high, units, ASCII_UNITS_MIN) && low * OTHER_NULS_MIN <= high;
}

enum lines_form probe_form(struct span head, size_t *ret_mark_bytes)
{
	struct census c = census_of(head);
	size_t units = head.n / 2;
	*ret_mark_bytes = 0;
	if (span_starts(head, "\xff\xfe") || span_starts(head, "\xfe\xff")) {
		*ret_mark_bytes = 2;
		return head.p[0] == 0xff ? LINES_UTF16LE : LINES_UTF16BE;
	}
	if (span_starts(head, "\xef\xbb\xbf"))
		*ret_mark_bytes = 3;
	if (has_ascii_units(units, c.odd_nuls, c.even_nuls))
		return LINES_UTF16LE;
	if (has_ascii_units(units, c.even_nuls, c.odd_nuls))
		return LINES_UTF16BE;
	/* A log that was open when the machine went down has a run of NULs: of these a quarter is allowed. */
	size_t nuls = c.even_nuls + c.odd_nuls;
	return is_at_most(c.controls, c.n, CONTROLS_MAX) && is_at_most(nuls, c.n, 16) ? LINES_BYTES
	                                                                              : LINES_BINARY;
}
