/* The chunked transfer coding, RFC 9112 7.1. */
#include <errno.h>

#include "wire/http.h"

#define CHUNK_LINE_MAX_BYTES 256 /* size and extensions, which are skipped */

enum chunked_state {
	CHUNK_SIZE, /* no digit yet */
	CHUNK_DIGITS,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER_START, /* at the start of a line */
	CHUNK_TRAILER_LINE,
	CHUNK_TRAILER_LF, /* the end of a trailer */
	CHUNK_END_LF,     /* the end of the empty line */
	CHUNK_DONE,
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int size_char(struct http_chunked *c, uint8_t ch)
{
	int v = c->state == CHUNK_EXTENSION ? -1 : hex_value(ch);
	if (v >= 0) {
		c->left_bytes = c->left_bytes << 4 | (uint32_t)v;
		c->state = CHUNK_DIGITS;
		return c->left_bytes > HTTP_BODY_MAX_BYTES - c->total_bytes ? ERR_TOO_LARGE : 0;
	}
	if (c->state == CHUNK_SIZE)
		return ERR_MALFORMED;
	if (ch == '\r') {
		c->state = CHUNK_SIZE_LF;
		return 0;
	}
	if (c->state == CHUNK_DIGITS && ch != ';' && ch != ' ' && ch != '\t')
		return ERR_MALFORMED;
	c->state = CHUNK_EXTENSION;
	return ch < 0x20 && ch != '\t' ? ERR_MALFORMED : 0;
}

static int trailer_char(struct http_chunked *c, uint8_t ch)
{
	if (ch == '\r')
		c->state = c->state == CHUNK_TRAILER_START ? CHUNK_END_LF : CHUNK_TRAILER_LF;
	else if (ch < 0x20 && ch != '\t')
		return ERR_MALFORMED;
	else
		c->state = CHUNK_TRAILER_LINE;
	return 0;
}

static int expect_char(struct http_chunked *c, uint8_t ch, uint8_t want, enum chunked_state next)
{
	c->state = next;
	return ch == want ? 0 : ERR_MALFORMED;
}

static int size_end(struct http_chunked *c, uint8_t ch)
{
	c->line_bytes = 0;
	return expect_char(c, ch, '\n', c->left_bytes ? CHUNK_DATA : CHUNK_TRAILER_START);
}

/* One byte of framing. */
static int chunked_char(struct http_chunked *c, uint8_t ch)
{
	uint16_t limit = c->state < CHUNK_DATA ? CHUNK_LINE_MAX_BYTES : HTTP_LINE_MAX_BYTES;
	if (++c->line_bytes > limit)
		return ERR_TOO_LARGE;
	switch ((enum chunked_state)c->state) {
	case CHUNK_SIZE:
	case CHUNK_DIGITS:
	case CHUNK_EXTENSION:
		return size_char(c, ch);
	case CHUNK_SIZE_LF:
		return size_end(c, ch);
	case CHUNK_DATA_CR:
		return expect_char(c, ch, '\r', CHUNK_DATA_LF);
	case CHUNK_DATA_LF:
		c->line_bytes = 0;
		return expect_char(c, ch, '\n', CHUNK_SIZE);
	case CHUNK_TRAILER_START:
	case CHUNK_TRAILER_LINE:
		return trailer_char(c, ch);
	case CHUNK_TRAILER_LF:
		return expect_char(c, ch, '\n', CHUNK_TRAILER_START);
	case CHUNK_END_LF:
		return expect_char(c, ch, '\n', CHUNK_DONE);
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return ERR_MALFORMED;
}

static void chunked_data(struct http_chunked *c, struct span *in, struct text *out)
{
	size_t n = in->n < c->left_bytes ? in->n : c->left_bytes;
	text_put(out, span_of(in->p, n));
	*in = span_skip(*in, n);
	c->left_bytes -= (uint32_t)n;
	c->total_bytes += (uint32_t)n;
	if (c->left_bytes == 0)
		c->state = CHUNK_DATA_CR;
}

int http_chunked_feed(struct http_chunked *c, struct span *in, struct text *out)
{
	while (c->state != CHUNK_DONE && in->n > 0) {
		if (c->state == CHUNK_DATA) {
			chunked_data(c, in, out);
			continue;
		}
		int r = chunked_char(c, in->p[0]);
		if (r < 0)
			return r;
		*in = span_skip(*in, 1);
	}
	if (!text_ok(out))
		return -ENOMEM;
	return c->state == CHUNK_DONE;
}
