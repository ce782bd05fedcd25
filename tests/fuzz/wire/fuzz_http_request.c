/* HTTP request heads. What was accepted is accepted again without what follows it, and not without its last
 * byte. */
#include "http_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head h;
	struct span in = span_of(data, size);
	size_t used, again;
	if (http_request_parse(in, &h, &used) < 0)
		return 0;
	check_head(&h, in, used);
	if (http_request_parse(span_of(data, used), &h, &again) < 0 || again != used)
		abort();
	if (http_request_parse(span_of(data, used - 1), &h, &again) != ERR_MORE)
		abort();
	return 0;
}
