#include "diagnose/backlog.h"

#include <stdlib.h>
#include <string.h>

struct backlog {
	struct backlog_message messages[BACKLOG_MAX_MESSAGES];
	size_t n, n_bytes;
	uint8_t bytes[BACKLOG_BYTES];
};

struct backlog *backlog_new(void)
{
	struct backlog *b = malloc(sizeof(*b)); /* what is never touched costs no memory */
	if (b != NULL)
		b->n = b->n_bytes = 0;
	return b;
}

void backlog_free(struct backlog *b)
{
	free(b);
}

static struct span keep(struct backlog *b, struct span s)
{
	uint8_t *at = b->bytes + b->n_bytes;
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	b->n_bytes += s.n;
	return span_of(at, s.n);
}

bool backlog_add(struct backlog *b, const struct backlog_message *m)
{
	struct backlog_message kept = *m;
	if (kept.text.n > BACKLOG_TEXT_BYTES)
		kept.text.n = BACKLOG_TEXT_BYTES;
	if (b->n == BACKLOG_MAX_MESSAGES || kept.text.n + kept.computer.n > BACKLOG_BYTES - b->n_bytes)
		return false;
	kept.text = keep(b, kept.text);
	kept.computer = keep(b, kept.computer);
	b->messages[b->n++] = kept;
	return true;
}

static int sign_of(int64_t n)
{
	return n > 0 ? 1 : n < 0 ? -1 : 0;
}

static bool is_same_date(const struct local_date *a, const struct local_date *b)
{
	return a->year == b->year && a->first == b->first && a->second == b->second;
}

/* -1: b was before a, 1: after it, 0: cannot be told, such as while day and month may be either. */
static int step(const struct backlog_time *a, const struct backlog_time *b)
{
	if (!a->is_known || !b->is_known || a->is_local != b->is_local)
		return 0;
	if (!a->is_local)
		return sign_of(b->at_ms - a->at_ms);
	if (is_same_date(&a->date, &b->date))
		return sign_of((int64_t)b->of_day_ms - a->of_day_ms);
	return sign_of((int64_t)b->date.year - a->date.year);
}

static bool is_falling(const struct backlog *b)
{
	int sum = 0;
	for (size_t i = 1; i < b->n; i++)
		sum += step(&b->messages[i - 1].time, &b->messages[i].time);
	return sum < 0;
}

void backlog_tell(struct backlog *b, void (*tell)(void *ctx, const struct backlog_message *m), void *ctx)
{
	bool is_back = is_falling(b);
	for (size_t i = 0; i < b->n; i++)
		tell(ctx, &b->messages[is_back ? b->n - 1 - i : i]);
	b->n = b->n_bytes = 0;
}
