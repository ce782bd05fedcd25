#include "diagnose/dispatch.h"

#include <stdlib.h>

#include "diagnose/early.h"

#define NOBODY SIZE_MAX

/* Shorter lines mean something only to who took the line before: nobody is known by "x" or "end". A gigabyte
 * of them is half a milliard of lines. */
#define OPENING_MIN_BYTES 6

struct slot {
	const struct reader *reader;
	void *state;
	struct dispatch *dispatch;
	struct sink sink;   /* this slot's, passed to the reader */
	bool is_known;      /* has claimed a line of this file strongly */
	struct early early; /* what it said before that */
};

struct dispatch {
	struct sink out;
	uint32_t file;
	size_t current; /* index of the slot that took the last line, or NOBODY */
	size_t n;
	struct dispatch_result result;
	struct slot slots[];
};

/* ---- what readers say ---- */

static void on_event(void *ctx, const struct event *e)
{
	struct slot *s = ctx;
	struct event with_file = *e;
	with_file.file = s->dispatch->file;
	if (s->is_known)
		s->dispatch->out.on_event(s->dispatch->out.ctx, &with_file);
	else
		early_keep_event(&s->early, &with_file);
}

static void on_fact(void *ctx, const struct fact *f)
{
	struct slot *s = ctx;
	struct fact with_file = *f;
	with_file.file = s->dispatch->file;
	if (s->is_known)
		s->dispatch->out.on_fact(s->dispatch->out.ctx, &with_file);
	else
		early_keep_fact(&s->early, &with_file);
}

/* ---- life ---- */

struct dispatch *dispatch_new(const struct reader *const *list, const struct sink *sink)
{
	size_t n = 0;
	while (list[n] != NULL)
		n++;
	struct dispatch *d = calloc(1, sizeof(*d) + n * sizeof(d->slots[0]));
	for (size_t i = 0; d != NULL && i < n; i++) {
		struct slot *s = &d->slots[d->n++];
		*s = (struct slot){.reader = list[i], .dispatch = d};
		s->sink = (struct sink){.on_event = on_event, .on_fact = on_fact, .ctx = s};
		s->state = malloc(s->reader->state_bytes ? s->reader->state_bytes : 1);
		if (s->state == NULL) {
			dispatch_free(d);
			return NULL;
		}
	}
	if (d != NULL)
		d->out = *sink;
	return d;
}

void dispatch_free(struct dispatch *d)
{
	for (size_t i = 0; d != NULL && i < d->n; i++) {
		free(d->slots[i].state);
		early_done(&d->slots[i].early);
	}
	free(d);
}

void dispatch_begin(struct dispatch *d, const struct file_hint *hint, uint32_t file)
{
	d->file = file;
	d->current = NOBODY;
	d->result = (struct dispatch_result){0};
	for (size_t i = 0; i < d->n; i++) {
		struct slot *s = &d->slots[i];
		s->is_known = false;
		early_done(&s->early);
		memset(s->state, 0, s->reader->state_bytes);
		s->reader->begin(s->state, hint, &s->sink);
	}
}

/* ---- lines ---- */

static enum claim ask(struct slot *s, struct span line, uint32_t number)
{
	enum claim c = s->reader->line(s->state, line, number);
	if (c == CLAIM_STRONG && !s->is_known) {
		s->is_known = true;
		s->dispatch->result.kinds |= 1u << s->reader->source;
		early_release(&s->early, &s->dispatch->out);
	}
	return c;
}

static void take_over(struct dispatch *d, size_t i)
{
	if (d->current != NOBODY && d->current != i)
		d->slots[d->current].reader->end(d->slots[d->current].state);
	d->current = i;
}

/* All but the current one, until one is sure. Otherwise the first that finds it plausible and has been sure
 * of another line of this file. */
static size_t ask_others(struct dispatch *d, struct span line, uint32_t number)
{
	size_t plausible = NOBODY;
	if (line.n < OPENING_MIN_BYTES)
		return NOBODY;
	for (size_t i = 0; i < d->n; i++) {
		if (i == d->current)
			continue;
		enum claim c = ask(&d->slots[i], line, number);
		if (c == CLAIM_STRONG) {
			take_over(d, i);
			return i;
		}
		if (c == CLAIM_WEAK && plausible == NOBODY && d->slots[i].is_known)
			plausible = i;
	}
	return plausible;
}

void dispatch_line(struct dispatch *d, struct span line, uint32_t number)
{
	enum claim c = d->current != NOBODY ? ask(&d->slots[d->current], line, number) : CLAIM_NO;
	size_t owner = d->current;
	if (c != CLAIM_STRONG) {
		size_t other = ask_others(d, line, number);
		if (c == CLAIM_NO || (other != NOBODY && other == d->current))
			owner = other;
	}
	d->result.n_taken[owner != NOBODY ? d->slots[owner].reader->source : SOURCE_NONE]++;
}

void dispatch_end(struct dispatch *d, struct dispatch_result *ret)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->slots[i].is_known)
			d->slots[i].reader->end(d->slots[i].state);
	*ret = d->result;
}
