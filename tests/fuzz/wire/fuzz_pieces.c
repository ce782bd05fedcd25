/* Records of pieces, each with a length byte and a byte of time in front; and the same bytes as a packet that
 * is cut and must come back. */
#include <stdlib.h>

#include "wire/pieces.h"

#define MAX_PACKET 1500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join_garbage(const uint8_t *data, size_t size)
{
	struct joiner *j = joiner_new(MAX_PACKET);
	ms_t now_ms = 0;
	struct span got;
	while (j && size >= 2) {
		size_t n = data[0] < size - 2 ? data[0] : size - 2;
		now_ms += data[1];
		if (joiner_put(j, span_of(data + 2, n), now_ms, &got) == JOINER_PACKET &&
		        (got.n == 0 || got.n > MAX_PACKET))
			abort();
		data += 2 + n;
		size -= 2 + n;
	}
	joiner_free(j);
}

static void cut_and_join(const uint8_t *data, size_t size)
{
	uint8_t buf[256 + PIECE_HEADER_BYTES + PIECE_UNIT_BYTES];
	size_t max_payload = PIECE_HEADER_BYTES + PIECE_UNIT_BYTES + data[0], n;
	struct cutter c = cutter_open(span_of(data, size), data[0], max_payload);
	struct joiner *j = joiner_new(size);
	enum joiner_result r = JOINER_MORE;
	struct span got = {0};
	while (j && (n = cutter_next(&c, buf)) > 0) {
		if (n > max_payload || r != JOINER_MORE)
			abort();
		r = joiner_put(j, span_of(buf, n), 0, &got);
	}
	if (j && (r != JOINER_PACKET || !span_eq(got, span_of(data, size))))
		abort();
	joiner_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	join_garbage(data, size);
	if (size > 0 && size <= PIECE_PACKET_MAX)
		cut_and_join(data, size);
	return 0;
}
