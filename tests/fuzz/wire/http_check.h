/* What holds for every head that was accepted. */
#ifndef FUZZ_HTTP_CHECK_H
#define FUZZ_HTTP_CHECK_H

#include <stdlib.h>

#include "wire/http.h"

static inline void check_inside(struct span part, struct span whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '\r' || part.p[i] == '\n' || part.p[i] == '\0')
			abort();
	}
}

static inline void check_head(const struct http_head *h, struct span in, size_t used)
{
	if (used == 0 || used > in.n || in.p[used - 1] != '\n')
		abort();
	in.n = used;
	check_inside(h->method, in);
	check_inside(h->target, in);
	check_inside(h->reason, in);
	for (size_t i = 0; i < h->n_headers; i++) {
		struct span name, value;
		check_inside(h->headers[i].name, in);
		check_inside(h->headers[i].value, in);
		if (http_set_cookie_parse(h->headers[i].value, &name, &value) == 0) {
			check_inside(name, in);
			check_inside(value, in);
		}
	}
	if (h->body == HTTP_BODY_LENGTH && h->body_bytes > HTTP_BODY_MAX_BYTES)
		abort();
	check_inside(http_cookie(h, "webvpn"), in);
	check_inside(http_header(h, "Host"), in);
}

#endif
