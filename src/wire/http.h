/* HTTP/1.1 heads, both directions: strict, bounded, no allocation. Values are views into the caller's buffer.
 * Reading is liberal only where a real peer demands it (wire-protocol.md 1.15, 1.16, 10): header names compare
 * case-insensitively, a bare LF ends a line in responses, HTTP/1.0 is understood. Obsolete line folding, NUL, control
 * characters in values, blanks before the colon, repeated Content-Length, Content-Length together with
 * Transfer-Encoding are refused. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/err.h"
#include "base/span.h"
#include "base/text.h"
#include "base/util.h"

#define HTTP_HEAD_MAX_BYTES 16384 /* of a request */
#define HTTP_LINE_MAX_BYTES 8192  /* of a request */
/* The answer to CONNECT has one line for each route, and ASA puts a whole XML document on one of them. */
#define HTTP_RESPONSE_HEAD_MAX_BYTES 65536
#define HTTP_RESPONSE_LINE_MAX_BYTES 32768
#define HTTP_MAX_HEADERS             768 /* of a response */
#define HTTP_REQUEST_MAX_HEADERS     96
#define HTTP_BODY_MAX_BYTES          (256u << 10)

struct http_header {
	struct span name, value; /* value without surrounding blanks */
};

enum http_body {
	/* request without a body; response 1xx, 204, 304. A 2xx response to CONNECT has none either, whatever is said
	 * here: only the caller knows what he asked (RFC 9110 9.3.6). */
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,   /* Content-Length */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_TO_CLOSE, /* responses only */
};

struct http_head {
	struct span method, target; /* requests */
	uint16_t status;            /* responses: 100..599 */
	struct span reason;
	uint8_t minor; /* HTTP/1.minor, 0 or 1 */
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t n_headers;
	enum http_body body;
	uint32_t body_bytes; /* with HTTP_BODY_LENGTH: 0..HTTP_BODY_MAX_BYTES */
	bool wants_close;    /* Connection: close, or HTTP/1.0 without keep-alive */
};

/* 0 with *ret_used = bytes of the head including the empty line; ERR_MORE; ERR_MALFORMED; ERR_TOO_LARGE (also an
 * announced body over HTTP_BODY_MAX_BYTES); ERR_UNSUPPORTED (not HTTP/1.0 or 1.1, a transfer coding other than
 * chunked). Never looks behind the empty line. The head is about 24 KiB: a few on a stack are fine, many are not;
 * only headers[0..n_headers) are written. */
MUST_USE int http_request_parse(struct span in, struct http_head *ret, size_t *ret_used);
MUST_USE int http_response_parse(struct span in, struct http_head *ret, size_t *ret_used);

/* First value of the header, case-insensitive name; empty span with p == NULL when absent. */
struct span http_header(const struct http_head *h, const char *name);
/* Value of one cookie over all Cookie headers; empty span with p == NULL when absent. */
struct span http_cookie(const struct http_head *h, const char *name);

/* Set-Cookie value to its name and value only (attributes are dropped). ERR_MALFORMED. */
MUST_USE int http_set_cookie_parse(struct span value, struct span *ret_name, struct span *ret_value);

/* Chunked body decoder, incremental. Feed with what is at hand: consumes from *in, appends data to *out.
 * 1: body complete (trailers included); 0: needs more; ERR_MALFORMED; ERR_TOO_LARGE. Zero-initialise. */
struct http_chunked {
	uint8_t state;
	uint32_t left_bytes;  /* of the current chunk */
	uint32_t total_bytes; /* limited to HTTP_BODY_MAX_BYTES */
	uint16_t line_bytes;
};
MUST_USE int http_chunked_feed(struct http_chunked *c, struct span *in, struct text *out);

/* application/x-www-form-urlencoded: the decoded value of the first field of that name appended to *out.
 * 0; -ENOENT; ERR_MALFORMED (bad escape, NUL). */
MUST_USE int form_get(struct span body, const char *name, struct text *out);
/* Percent-encodes everything but unreserved characters (RFC 3986 2.3): for form fields and the banner header. */
void form_escape(struct text *out, struct span s);
void form_unescape(struct text *out, struct span s); /* percent-decoding, lenient: bad escapes stay as they are */

#endif
