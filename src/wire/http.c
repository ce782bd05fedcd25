#include "wire/http.h"

#include <errno.h>

#include "base/parse.h"

struct head_limits {
	size_t head_bytes, line_bytes, headers;
	bool has_bare_lf; /* a line may end without CR */
};

static const struct head_limits REQUEST_LIMITS = {
        HTTP_HEAD_MAX_BYTES, HTTP_LINE_MAX_BYTES, HTTP_REQUEST_MAX_HEADERS, false};
static const struct head_limits RESPONSE_LIMITS = {
        HTTP_RESPONSE_HEAD_MAX_BYTES, HTTP_RESPONSE_LINE_MAX_BYTES, HTTP_MAX_HEADERS, true};

static bool is_token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_value_char(uint8_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool is_target_char(uint8_t c)
{
	return c > 0x20 && c < 0x7f;
}

static bool span_all(struct span s, bool (*is_char)(uint8_t))
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_char(s.p[i]))
			return false;
	}
	return true;
}

static bool is_token(struct span s)
{
	return s.n > 0 && span_all(s, is_token_char);
}

/* What to say about a line whose end is not here yet. Garbage (TLS bytes on a plain port, ...) is told at
 * once. */
static int line_pending(struct span part, const struct head_limits *lim)
{
	if (part.n > 0 && part.p[part.n - 1] == '\r')
		part.n--;
	if (!span_all(part, is_value_char))
		return ERR_MALFORMED;
	return part.n > lim->line_bytes ? ERR_TOO_LARGE : ERR_MORE;
}

/* Takes one line off *rest, without its end. */
static int line_take(struct span *rest, const struct head_limits *lim, struct span *ret)
{
	const uint8_t *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (lf == NULL)
		return line_pending(*rest, lim);
	struct span line = span_of(rest->p, (size_t)(lf - rest->p));
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	else if (!lim->has_bare_lf)
		return ERR_MALFORMED;
	if (line.n > lim->line_bytes)
		return ERR_TOO_LARGE;
	if (!span_all(line, is_value_char))
		return ERR_MALFORMED;
	*rest = span_skip(*rest, (size_t)(lf - rest->p) + 1);
	*ret = line;
	return 0;
}

static int version_parse(struct span v, uint8_t *ret_minor)
{
	if (!span_starts(v, "HTTP/"))
		return ERR_MALFORMED;
	if (!span_is(v, "HTTP/1.0") && !span_is(v, "HTTP/1.1"))
		return ERR_UNSUPPORTED;
	*ret_minor = (uint8_t)(v.p[v.n - 1] - '0');
	return 0;
}

static int request_line_parse(struct span line, struct http_head *h)
{
	h->method = span_cut(&line, ' ');
	h->target = span_cut(&line, ' ');
	if (!is_token(h->method) || h->target.n == 0 || !span_all(h->target, is_target_char))
		return ERR_MALFORMED;
	return version_parse(line, &h->minor);
}

static int status_line_parse(struct span line, struct http_head *h)
{
	uint32_t status;
	int r = version_parse(span_cut(&line, ' '), &h->minor);
	if (r < 0)
		return r;
	struct span digits = span_cut(&line, ' ');
	if (digits.n != 3 || parse_u32(digits, 100, 599, &status) < 0)
		return ERR_MALFORMED;
	h->status = (uint16_t)status;
	h->reason = line;
	return 0;
}

static int header_parse(struct span line, struct http_header *ret)
{
	if (memchr(line.p, ':', line.n) == NULL)
		return ERR_MALFORMED;
	struct span name = span_cut(&line, ':');
	if (!is_token(name))
		return ERR_MALFORMED; /* also a folded line, and a blank before the colon */
	*ret = (struct http_header){.name = name, .value = span_trim(line)};
	return 0;
}

static int head_lines_parse(struct span *rest, const struct head_limits *lim,
        int (*first_line)(struct span, struct http_head *), struct http_head *h)
{
	struct span line;
	int r = line_take(rest, lim, &line);
	if (r == 0)
		r = first_line(line, h);
	if (r < 0)
		return r;
	for (;;) {
		r = line_take(rest, lim, &line);
		if (r < 0 || line.n == 0)
			return r;
		if (h->n_headers == lim->headers)
			return ERR_TOO_LARGE;
		r = header_parse(line, &h->headers[h->n_headers]);
		if (r < 0)
			return r;
		h->n_headers++;
	}
}

static int length_parse(struct span v, uint32_t *ret)
{
	switch (parse_u32(v, 0, HTTP_BODY_MAX_BYTES, ret)) {
	case 0:
		return 0;
	case -ERANGE:
		return ERR_TOO_LARGE;
	default:
		return ERR_MALFORMED;
	}
}

static bool list_has(struct span list, const char *word)
{
	while (list.n > 0) {
		if (span_is_nocase(span_trim(span_cut(&list, ',')), word))
			return true;
	}
	return false;
}

/* How the body is framed. Anything that two readers could understand differently is refused. */
static int framing_parse(struct http_head *h)
{
	bool has_length = false, is_chunked = false, is_close = false, is_keep = false;
	for (size_t i = 0; i < h->n_headers; i++) {
		const struct http_header *x = &h->headers[i];
		int r = 0;
		if (span_is_nocase(x->name, "Content-Length")) {
			r = has_length ? ERR_MALFORMED : length_parse(x->value, &h->body_bytes);
			has_length = true;
		} else if (span_is_nocase(x->name, "Transfer-Encoding")) {
			r = is_chunked || h->minor == 0            ? ERR_MALFORMED
			    : !span_is_nocase(x->value, "chunked") ? ERR_UNSUPPORTED
			                                           : 0;
			is_chunked = true;
		} else if (span_is_nocase(x->name, "Connection")) {
			is_close |= list_has(x->value, "close");
			is_keep |= list_has(x->value, "keep-alive");
		}
		if (r < 0)
			return r;
	}
	if (has_length && is_chunked)
		return ERR_MALFORMED;
	h->body = is_chunked ? HTTP_BODY_CHUNKED : has_length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
	h->wants_close = is_close || (h->minor == 0 && !is_keep);
	return 0;
}

static int request_body(struct http_head *h)
{
	/* what follows the head of a CONNECT is the tunnel */
	bool has_body = h->body == HTTP_BODY_CHUNKED || h->body_bytes > 0;
	return span_is(h->method, "CONNECT") && has_body ? ERR_MALFORMED : 0;
}

static int response_body(struct http_head *h)
{
	if (h->status < 200 || h->status == 204 || h->status == 304) {
		h->body = HTTP_BODY_NONE;
		h->body_bytes = 0;
	} else if (h->body == HTTP_BODY_NONE) {
		h->body = HTTP_BODY_TO_CLOSE;
		h->wants_close = true;
	}
	return 0;
}

static int head_parse(struct span in, const struct head_limits *lim,
        int (*first_line)(struct span, struct http_head *), int (*body)(struct http_head *),
        struct http_head *ret, size_t *ret_used)
{
	struct http_head h;
	struct span rest = in.n > lim->head_bytes ? span_of(in.p, lim->head_bytes) : in;
	size_t seen = rest.n;

	memset(&h, 0, offsetof(struct http_head, headers));
	memset(&h.n_headers, 0, sizeof(h) - offsetof(struct http_head, n_headers));
	int r = head_lines_parse(&rest, lim, first_line, &h);
	if (r == ERR_MORE && seen == lim->head_bytes)
		return ERR_TOO_LARGE;
	if (r == 0)
		r = framing_parse(&h);
	if (r == 0)
		r = body(&h);
	if (r < 0)
		return r;
	/* the unused end of the array is neither set nor copied */
	memcpy(ret, &h, offsetof(struct http_head, headers) + h.n_headers * sizeof(h.headers[0]));
	memcpy(&ret->n_headers, &h.n_headers, sizeof(h) - offsetof(struct http_head, n_headers));
	*ret_used = seen - rest.n;
	return 0;
}

int http_request_parse(struct span in, struct http_head *ret, size_t *ret_used)
{
	return head_parse(in, &REQUEST_LIMITS, request_line_parse, request_body, ret, ret_used);
}

int http_response_parse(struct span in, struct http_head *ret, size_t *ret_used)
{
	return head_parse(in, &RESPONSE_LIMITS, status_line_parse, response_body, ret, ret_used);
}

struct span http_header(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_headers; i++) {
		if (span_is_nocase(h->headers[i].name, name))
			return h->headers[i].value;
	}
	return (struct span){0};
}

struct span http_cookie(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_headers; i++) {
		if (!span_is_nocase(h->headers[i].name, "Cookie"))
			continue;
		for (struct span rest = h->headers[i].value; rest.n > 0;) {
			struct span value = span_trim(span_cut(&rest, ';'));
			bool has_value = value.n > 0 && memchr(value.p, '=', value.n) != NULL;
			if (has_value && span_is(span_cut(&value, '='), name))
				return value;
		}
	}
	return (struct span){0};
}

int http_set_cookie_parse(struct span value, struct span *ret_name, struct span *ret_value)
{
	struct span pair = span_trim(span_cut(&value, ';'));
	if (pair.n == 0 || memchr(pair.p, '=', pair.n) == NULL)
		return ERR_MALFORMED;
	struct span name = span_trim(span_cut(&pair, '='));
	pair = span_trim(pair);
	if (!is_token(name) || !span_all(pair, is_value_char))
		return ERR_MALFORMED;
	*ret_name = name;
	*ret_value = pair;
	return 0;
}
