/* What `debug webvpn anyconnect` shows of any request and of any answer: one line each, safe for a terminal,
 * and never the cookie. */
#include <stdlib.h>

#include "gateway/debug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, unsigned level, const char *line)
{
	const char *cookie = ctx;
	if (level < DEBUG_DIALOGUE || level > DEBUG_LEVEL_MAX)
		abort();
	for (const char *p = line; *p; p++) {
		if (*p < ' ' || *p > '~')
			abort();
	}
	if (cookie && strstr(line, cookie))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head h;
	size_t used;
	char cookie[65] = "";
	debug_format_reply(span_of(data, size), check, NULL);
	if (http_request_parse(span_of(data, size), &h, &used) < 0)
		return 0;
	/* a token as we give it out; a shorter one may stand in the line by chance */
	struct span value = http_cookie(&h, "webvpn");
	bool is_token = value.n == sizeof(cookie) - 1;
	if (is_token)
		memcpy(cookie, value.p, value.n);
	debug_format_request(&h, check, is_token && h.n_headers == 1 && h.target.n < value.n ? cookie : NULL);
	return 0;
}
