/* Any bytes in any blocks: lines keep their limit, have no newline in them, and are the same however the file
 * is cut into blocks. Input: one byte for the size of the blocks, then the file. */
#include <stdlib.h>

#include "diagnose/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t sum; /* of all that came */
	uint64_t n;
	uint32_t last;
};

static void want(bool is_true)
{
	if (!is_true)
		abort();
}

static void add(struct seen *s, uint64_t v)
{
	s->sum = (s->sum ^ v) * UINT64_C(0x100000001b3); /* FNV-1a */
}

static void on_line(void *ctx, struct span line, uint32_t number)
{
	struct seen *s = ctx;
	want(line.n <= LINE_MAX_BYTES && number >= 1 && number >= s->last && number <= s->last + 1);
	want(line.n == 0 || memchr(line.p, '\n', line.n) == NULL);
	s->last = number;
	s->n++;
	add(s, number);
	add(s, line.n);
	for (size_t i = 0; i < line.n; i++)
		add(s, line.p[i]);
}

static struct seen run(struct span in, size_t step)
{
	struct seen s = {0};
	struct lines l;
	if (lines_init(&l, on_line, &s) < 0)
		return s;
	while (in.n > 0) {
		struct span block = span_of(in.p, in.n < step ? in.n : step);
		if (!lines_feed(&l, block))
			break;
		in = span_skip(in, block.n);
	}
	lines_end(&l);
	want(l.n == s.last && (l.form != LINES_BINARY || s.n == 0));
	lines_done(&l);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct span in = span_of(data + 1, size - 1);
	struct seen whole = run(in, SIZE_MAX), parts = run(in, (size_t)data[0] * 17 + 1);
	want(whole.sum == parts.sum && whole.n == parts.n);
	return 0;
}
