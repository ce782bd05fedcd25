/* application/x-www-form-urlencoded and percent-encoding, RFC 3986 2.1. */
#include <errno.h>

#include "base/parse.h"
#include "wire/http.h"

/* One character of a field, decoded, off *s. False for a bad escape. */
static bool form_char(struct span *s, uint8_t *ret)
{
	size_t n;
	uint8_t c = s->p[0];
	if (c != '%') {
		*ret = c == '+' ? ' ' : c;
		*s = span_skip(*s, 1);
		return true;
	}
	if (s->n < 3 || parse_hex(span_of(s->p + 1, 2), ret, 1, &n) < 0)
		return false;
	*s = span_skip(*s, 3);
	return true;
}

static bool form_key_is(struct span key, const char *name)
{
	uint8_t c;
	for (; key.n > 0; name++) {
		if (!form_char(&key, &c) || c == '\0' || c != (uint8_t)*name)
			return false;
	}
	return *name == '\0';
}

static bool form_value_ok(struct span value)
{
	uint8_t c;
	while (value.n > 0) {
		if (!form_char(&value, &c) || c == '\0')
			return false;
	}
	return true;
}

int form_get(struct span body, const char *name, struct text *out)
{
	while (body.n > 0) {
		struct span value = span_cut(&body, '&');
		if (!form_key_is(span_cut(&value, '='), name))
			continue;
		if (!form_value_ok(value))
			return ERR_MALFORMED;
		for (uint8_t c; value.n > 0 && form_char(&value, &c);)
			text_put(out, span_of(&c, 1));
		return text_ok(out) ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static bool is_unreserved(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c == '-' || c == '.' || c == '_' || c == '~';
}

void form_escape(struct text *out, struct span s)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
		text_put(out, is_unreserved(c) ? span_of(&c, 1) : span_of(escaped, sizeof(escaped)));
	}
}

void form_unescape(struct text *out, struct span s)
{
	while (s.n > 0) {
		uint8_t c = s.p[0];
		size_t n, used = 1;
		if (c == '%' && s.n >= 3 && parse_hex(span_of(s.p + 1, 2), &c, 1, &n) == 0)
			used = 3;
		text_put(out, span_of(&c, 1));
		s = span_skip(s, used);
	}
}
