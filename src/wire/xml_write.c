#include "wire/xml.h"

/* Bytes of the well-formed UTF-8 character at the start of s (RFC 3629, shortest form, no surrogates), or 0.
 */
static size_t utf8_len(struct span s)
{
	uint8_t lead = s.p[0];
	if (lead < 0x80)
		return 1;
	size_t n = lead >= 0xc2 && lead < 0xe0   ? 2
	           : lead >= 0xe0 && lead < 0xf0 ? 3
	           : lead >= 0xf0 && lead < 0xf5 ? 4
	                                         : 0;
	if (n == 0 || s.n < n)
		return 0;
	uint8_t min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8_t max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (s.p[1] < min || s.p[1] > max)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/* U+FFFE and U+FFFF are the only others that XML 1.0 (2.2) leaves out. */
static bool is_xml_char(struct span c)
{
	if (c.n == 1)
		return c.p[0] >= 0x20 || c.p[0] == '\t' || c.p[0] == '\n' || c.p[0] == '\r';
	return !(c.n == 3 && c.p[0] == 0xef && c.p[1] == 0xbf && c.p[2] >= 0xbe);
}

/* Line ends and tabs as numbers where a reader would change them: XML 1.0, 2.11 and 3.3.3. */
static const char *escape_of(uint8_t c, bool is_attr)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#13;";
	case '"':
		return is_attr ? "&quot;" : NULL;
	case '\n':
		return is_attr ? "&#10;" : NULL;
	case '\t':
		return is_attr ? "&#9;" : NULL;
	default:
		return NULL;
	}
}

static void put_escaped(struct text *out, struct span s, bool is_attr)
{
	while (s.n > 0) {
		size_t n = utf8_len(s);
		struct span c = span_of(s.p, n > 0 ? n : 1);
		const char *escape = c.n == 1 ? escape_of(c.p[0], is_attr) : NULL;
		if (n == 0 || !is_xml_char(c))
			text_str(out, "?");
		else if (escape != NULL)
			text_str(out, escape);
		else
			text_put(out, c);
		s = span_skip(s, c.n);
	}
}

void xml_put_text(struct text *out, const char *s)
{
	put_escaped(out, span_str(s), false);
}

void xml_put_attr(struct text *out, const char *name, const char *value)
{
	text_str(out, " ");
	text_str(out, name);
	text_str(out, "=\"");
	put_escaped(out, span_str(value), true);
	text_str(out, "\"");
}

void xml_put_element(struct text *out, const char *name, const char *s)
{
	text_str(out, "<");
	text_str(out, name);
	text_str(out, ">");
	xml_put_text(out, s);
	text_str(out, "</");
	text_str(out, name);
	text_str(out, ">\n");
}

bool xml_is_name(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char other[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";
	return s[0] != '\0' && strchr(first, s[0]) != NULL && s[strspn(s, other)] == '\0';
}
