#include "base/parse.h"
#include "wire/params_internal.h"

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != 0x7f;
}

static void put(struct text *out, const char *name, struct span value)
{
	while (value.n > 0 && (value.p[0] == ' ' || !is_plain(value.p[0])))
		value = span_skip(value, 1);
	while (value.n > 0 && (value.p[value.n - 1] == ' ' || !is_plain(value.p[value.n - 1])))
		value.n--; /* openconnect compares values verbatim, trailing blanks included */
	if (value.n == 0)
		return;
	text_str(out, name);
	text_str(out, ": ");
	for (size_t i = 0; i < value.n; i++) {
		if (is_plain(value.p[i]))
			text_put(out, span_of(value.p + i, 1));
	}
	text_str(out, "\r\n");
}

void params_put_str(struct text *out, const char *name, const char *value)
{
	put(out, name, span_str(value));
}

void params_put_u32(struct text *out, const char *name, uint32_t value)
{
	if (value != 0)
		text_fmt(out, "%s: %u\r\n", name, value);
}

void params_put_addr(struct text *out, const char *name, const struct ip_addr *a)
{
	char buf[ADDR_TEXT_MAX];
	params_put_str(out, name, addr_format(a, buf));
}

void params_put_hex(struct text *out, const char *name, struct span bytes, bool is_upper)
{
	const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	text_str(out, name);
	text_str(out, ": ");
	for (size_t i = 0; i < bytes.n; i++) {
		char pair[2] = {digits[bytes.p[i] >> 4], digits[bytes.p[i] & 15]};
		text_put(out, span_of(pair, sizeof(pair)));
	}
	text_str(out, "\r\n");
}

uint32_t params_number(struct span v, uint32_t min, uint32_t max)
{
	uint32_t n;
	return parse_u32(v, min, max, &n) == 0 ? n : 0;
}

void params_name(struct span v, char *ret, size_t cap)
{
	if (parse_name(v, ret, cap) < 0)
		ret[0] = '\0';
}

/* Cuts the next word off; words stand between commas or semicolons. */
static struct span own_word(struct span *rest)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ';')
		n++;
	struct span word = span_of(rest->p, n);
	*rest = span_skip(*rest, n + 1);
	return span_trim(word);
}

struct own_words params_own_parse(struct span v)
{
	struct own_words w = {.is_own = span_is(own_word(&v), "1")};
	while (w.is_own && v.n > 0) {
		struct span word = own_word(&v);
		w.has_steer |= span_is_nocase(word, "steer");
		w.has_pieces |= span_is_nocase(word, "pieces");
		w.has_super |= span_is_nocase(word, "super");
	}
	return w;
}

void params_own_format(const struct own_words *w, struct text *out)
{
	if (w->is_own)
		text_fmt(out, "X-Culvert: 1%s%s%s\r\n", w->has_steer ? "; steer" : "",
		        w->has_pieces ? "; pieces" : "", w->has_super ? "; super" : "");
}
