/* A gateway's answer in records: cut anyhow (by the first byte; the second says whether it is one to CONNECT)
 * it reads the same as in one piece. What follows the answer is left to whom it belongs to. */
#include <stdlib.h>

#include "client/https.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CUT_MAX 16384 /* a record */

/* Bytes that were fed are in *ret_fed. */
static int feed(struct https_reply *r, bool is_connect, struct span in, size_t cut, size_t *ret_fed)
{
	int done = 0;
	https_reply_init(r, is_connect);
	*ret_fed = 0;
	while (done == 0 && in.n > 0) {
		struct span part = span_of(in.p, in.n < cut ? in.n : cut);
		done = https_reply_feed(r, part);
		in = span_skip(in, part.n);
		*ret_fed += part.n;
	}
	return done == 0 ? https_reply_eof(r) : done;
}

static bool same(const struct text *a, const struct text *b)
{
	return span_eq(span_of(a->p, a->n), span_of(b->p, b->n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct https_reply whole, cut;
	size_t n_whole, n_cut;
	if (size < 2)
		return 0;
	struct span in = span_of(data + 2, size - 2);
	bool is_connect = data[1] & 1;
	int a = feed(&whole, is_connect, in, CUT_MAX, &n_whole);
	int b = feed(&cut, is_connect, in, data[0] ? data[0] : 1, &n_cut);
	if ((a == 1) != (b == 1))
		abort();
	if (a == 1) {
		if (whole.head.status != cut.head.status || whole.head.n_headers != cut.head.n_headers ||
		        !same(&whole.body, &cut.body) || whole.taken != cut.taken)
			abort();
		if (whole.taken + https_reply_rest(&whole).n != n_whole ||
		        cut.taken + https_reply_rest(&cut).n != n_cut)
			abort();
	}
	https_reply_done(&whole);
	https_reply_done(&cut);
	return 0;
}
