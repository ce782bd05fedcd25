/* Chunked bodies: the first byte says in which pieces; the result must not depend on that. */
#include <stdlib.h>

#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(struct span in, size_t step, struct text *out, size_t *ret_used)
{
	struct http_chunked c = {0};
	int r = 0;
	size_t used = 0;
	while (used < in.n && r == 0) {
		struct span piece = span_of(in.p + used, in.n - used < step ? in.n - used : step);
		size_t n = piece.n;
		r = http_chunked_feed(&c, &piece, out);
		if (r == 0 && piece.n != 0)
			abort();
		used += n - piece.n;
	}
	if (c.total_bytes != out->n || out->n > HTTP_BODY_MAX_BYTES)
		abort();
	*ret_used = used;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct span in = span_of(data + 1, size - 1);
	struct text pieces = {0}, whole = {0};
	size_t used_pieces, used_whole;
	int r_pieces = feed(in, 1 + data[0] % 64, &pieces, &used_pieces);
	int r_whole = feed(in, in.n, &whole, &used_whole);
	if (r_pieces != r_whole || used_pieces != used_whole ||
	        !span_eq(span_of(pieces.p, pieces.n), span_of(whole.p, whole.n)))
		abort();
	text_done(&pieces);
	text_done(&whole);
	return 0;
}
