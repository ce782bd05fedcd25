/* A line of an event log as DART text, and any text through the scrubber: what it has cleaned stays as it is.
 */
#include <stdlib.h>

#include "client/dart_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text event = {0}, once = {0}, twice = {0};
	if (!dart_event_put(span_of(data, size), &event) && event.n != 0)
		abort();
	dart_scrub(span_of(data, size), &once);
	dart_scrub(span_of(once.p, once.n), &twice);
	if (memmem(data, size, "webvpn=SECRET;", 14) != NULL && once.n > 0 &&
	        memmem(once.p, once.n, "webvpn=SECRET;", 14) != NULL)
		abort();
	text_done(&event);
	text_done(&once);
	text_done(&twice);
	return 0;
}
