/* Any bytes as a file: gzip, zip, in each other, damaged. The walk must begin and end what it shows in turn,
 * show names that are safe to print, and unpack no more than its limits. */
#include <stdlib.h>

#include "base/text.h"
#include "diagnose/escape.h"
#include "diagnose/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t bytes;
	uint32_t n;
	bool is_open;
};

static void want(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_name(const char *name)
{
	struct text t = {0};
	escape_put(&t, span_str(name), SIZE_MAX);
	want(strcmp(text_cstr(&t), name) == 0);
	text_done(&t);
}

static void on_begin(void *ctx, const char *name, int64_t written_at_ms)
{
	struct seen *s = ctx;
	(void)written_at_ms;
	check_name(name);
	want(!s->is_open);
	s->is_open = true;
	s->n++;
}

static bool on_block(void *ctx, struct span block)
{
	struct seen *s = ctx;
	want(s->is_open && block.n > 0);
	s->bytes += block.n;
	return block.p[block.n - 1] != 'q'; /* some are not wanted to their end */
}

static void on_end(void *ctx)
{
	struct seen *s = ctx;
	want(s->is_open);
	s->is_open = false;
}

static void on_note(void *ctx, const char *name, bool is_lost, const char *words)
{
	(void)ctx;
	(void)is_lost;
	check_name(name);
	check_name(words);
	want(words[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = {0};
	struct source_visitor v = {
	        .begin = on_begin, .block = on_block, .end = on_end, .note = on_note, .ctx = &s};
	(void)source_walk_bytes("f", span_of(data, size), 0, &v);
	want(!s.is_open && s.n <= SOURCE_MEMBERS_MAX);
	want(s.bytes <= SOURCE_RATIO_FREE_BYTES + (uint64_t)size * SOURCE_RATIO_MAX + SOURCE_BLOCK_BYTES);
	return 0;
}
