/* Any bytes as a file to all readers at once, packed or not. What they say must be well-formed: known kinds,
 * a line that exists, texts that can be read. */
#include <stdlib.h>

#include "diagnose/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool is_true)
{
	if (!is_true)
		abort();
}

/* Touches each byte, so that a sanitizer sees spans that point elsewhere. */
static void check_span(struct span s)
{
	volatile uint8_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum = (uint8_t)(sum + s.p[i]);
}

static void check_addr(const struct ip_addr *a)
{
	want(a->family == 0 || a->family == 4 || a->family == 6);
}

static void on_event(void *ctx, const struct event *e)
{
	(void)ctx;
	want(e->kind < EVENT_N && e->source > SOURCE_NONE && e->source < SOURCE_N);
	want(e->tunnel <= TUNNEL_DTLS && e->reason < REASON_N && e->line >= 1);
	want(e->text.n <= LINE_MAX_BYTES);
	check_addr(&e->public_ip);
	check_addr(&e->inner);
	check_addr(&e->peer);
	const struct span spans[] = {e->device, e->user, e->group, e->profile, e->cause, e->text};
	for (size_t i = 0; i < N_ELEM(spans); i++)
		check_span(spans[i]);
}

static void on_fact(void *ctx, const struct fact *f)
{
	(void)ctx;
	want(f->kind < FACT_N && f->source > SOURCE_NONE && f->source < SOURCE_N && f->line >= 1);
	check_span(f->scope);
	check_span(f->text);
	check_span(f->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sink sink = {.on_event = on_event, .on_fact = on_fact};
	struct intake *in = intake_new(readers, &sink, INT64_C(1384948800000)); /* 2013-11-20 */
	size_t n;
	if (in == NULL)
		return 0;
	intake_read_bytes(in, "f", span_of(data, size));
	const struct report_file *files = intake_files(in, &n);
	for (size_t i = 0; i < n; i++)
		want(files[i].name != NULL);
	intake_free(in);
	return 0;
}
