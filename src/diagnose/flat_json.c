#include "diagnose/flat_json.h"

#include "base/parse.h"

static void skip(struct span *s, const char *set)
{
	while (s->n > 0 && s->p[0] != '\0' && strchr(set, s->p[0]) != NULL)
		*s = span_skip(*s, 1);
}

/* A string at the beginning of *s, its quotes cut off. */
static bool cut_string(struct span *s, struct span *ret)
{
	size_t i = 1;
	if (s->n < 2 || s->p[0] != '"')
		return false;
	while (i < s->n && s->p[i] != '"')
		i += s->p[i] == '\\' ? 2 : 1;
	if (i >= s->n)
		return false;
	*ret = span_of(s->p + 1, i - 1);
	*s = span_skip(*s, i + 1);
	return true;
}

bool flat_json_next(struct span *s, struct flat_field *ret)
{
	skip(s, ", \t");
	if (!cut_string(s, &ret->key))
		return false;
	skip(s, " \t");
	if (s->n == 0 || s->p[0] != ':')
		return false;
	*s = span_skip(*s, 1);
	skip(s, " \t");
	if (s->n > 0 && s->p[0] == '"')
		return cut_string(s, &ret->value);
	size_t n = 0;
	while (n < s->n && s->p[n] != ',' && s->p[n] != '}')
		n++;
	ret->value = span_trim(span_of(s->p, n));
	*s = span_skip(*s, n);
	return ret->value.n > 0 && ret->value.p[0] != '{' && ret->value.p[0] != '[';
}

/* One escape; *i stands on the byte behind the backslash, and behind the whole at the end. */
static char decode_escape(struct span v, size_t *i)
{
	uint8_t code[2];
	size_t n;
	uint8_t c = v.p[(*i)++];
	if (c == 'u' && v.n - *i >= 4) {
		bool is_ascii = parse_hex(span_of(v.p + *i, 4), code, sizeof(code), &n) == 0 &&
		                code[0] == 0 && code[1] >= ' ' && code[1] < 0x7f;
		*i += 4;
		return is_ascii ? (char)code[1] : '?';
	}
	return c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f' ? ' ' : (char)c;
}

size_t flat_json_decode(struct span v, char *ret, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < v.n && n < cap;) {
		char c = (char)v.p[i++];
		ret[n++] = c == '\\' && i < v.n ? decode_escape(v, &i) : c;
	}
	return n;
}
