#include "policy/line.h"

#include "base/err.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The end of a quoted word that starts at raw.p[at] == '"': index of its closing quote, which must be
 * followed by a blank or the end; 0 when it is not a quoted word. */
static size_t quote_end(struct span raw, size_t at)
{
	for (size_t i = at + 1; i < raw.n; i++) {
		if (raw.p[i] == '"')
			return i + 1 == raw.n || is_blank(raw.p[i + 1]) ? i : 0;
	}
	return 0;
}

static struct word word_at(struct span raw, size_t *at)
{
	size_t start = *at, end = start;
	struct word w = {.col = (uint32_t)start + 1};
	size_t close = raw.p[start] == '"' ? quote_end(raw, start) : 0;
	if (close > 0) {
		w.is_quoted = true;
		w.text = span_of(raw.p + start + 1, close - start - 1);
		*at = close + 1;
		return w;
	}
	while (end < raw.n && !is_blank(raw.p[end]))
		end++;
	w.text = span_of(raw.p + start, end - start);
	*at = end;
	return w;
}

int line_split(struct span raw, struct line *ret, uint32_t *ret_col)
{
	if (raw.n > 0 && raw.p[raw.n - 1] == '\r')
		raw.n--;
	while (raw.n > 0 && is_blank(raw.p[raw.n - 1]))
		raw.n--;
	if (raw.n > LINE_MAX_BYTES)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < raw.n; i++) {
		if ((raw.p[i] < 0x20 && raw.p[i] != '\t') || raw.p[i] == 0x7f) {
			*ret_col = (uint32_t)i + 1;
			return ERR_MALFORMED;
		}
	}
	ret->raw = raw;
	ret->n = 0;
	ret->has_more = false;
	size_t at = 0;
	for (;;) {
		while (at < raw.n && is_blank(raw.p[at]))
			at++;
		if (ret->n == 0)
			ret->indent = (uint32_t)at;
		if (at >= raw.n)
			return 0;
		if (ret->n == LINE_MAX_WORDS)
			break;
		ret->w[ret->n++] = word_at(raw, &at);
	}
	ret->has_more = true;
	return 0;
}

struct span line_rest(const struct line *l, size_t i)
{
	return span_skip(l->raw, l->w[i].col - 1);
}
