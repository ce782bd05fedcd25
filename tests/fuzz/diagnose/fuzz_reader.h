/* Any bytes, cut into lines, through one reader: what it says must be in range and its texts readable. */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include <stdlib.h>

#include "diagnose/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned fuzz_reader_sum;

static void fuzz_touch(struct span s)
{
	if (s.n > LINE_MAX_BYTES)
		abort();
	for (size_t i = 0; i < s.n; i++)
		fuzz_reader_sum += s.p[i];
}

static void fuzz_event(void *ctx, const struct event *e)
{
	(void)ctx;
	if (e->kind >= EVENT_N || e->source == SOURCE_NONE || e->source >= SOURCE_N ||
	        e->tunnel > TUNNEL_DTLS || e->reason >= REASON_N || e->line == 0 || e->text.n == 0)
		abort();
	const struct span texts[] = {e->device, e->user, e->group, e->profile, e->cause, e->text};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fuzz_touch(texts[i]);
}

static void fuzz_fact(void *ctx, const struct fact *f)
{
	(void)ctx;
	if (f->kind >= FACT_N || f->source == SOURCE_NONE || f->source >= SOURCE_N || f->line == 0)
		abort();
	fuzz_touch(f->scope);
	fuzz_touch(f->text);
	fuzz_touch(f->raw);
}

/* As the dispatcher does it: lines without newline and CR, in memory that ends with them. */
static void fuzz_reader_run(const struct reader *reader, const uint8_t *data, size_t size)
{
	static const struct file_hint hint = {.name = "file", .written_at_ms = INT64_C(1400000000000)};
	const struct sink sink = {.on_event = fuzz_event, .on_fact = fuzz_fact};
	void *state = calloc(1, reader->state_bytes);
	struct span rest = span_of(data, size);
	if (state == NULL)
		return;
	reader->begin(state, &hint, &sink);
	for (uint32_t n = 1; rest.n > 0; n++) {
		struct span line = span_cut(&rest, '\n');
		line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
		if (line.n > LINE_MAX_BYTES)
			line.n = LINE_MAX_BYTES;
		uint8_t *exact = malloc(line.n ? line.n : 1);
		if (exact == NULL)
			break;
		if (line.n > 0)
			memcpy(exact, line.p, line.n);
		if (reader->line(state, span_of(exact, line.n), n) > CLAIM_STRONG)
			abort();
		free(exact);
		if (n % 64 == 0)
			reader->end(state); /* another reader has taken over; this one may be asked again */
	}
	reader->end(state);
	free(state);
}

#endif
