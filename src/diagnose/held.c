#include "diagnose/held.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"

#define DAY_MS INT64_C(86400000)

static const enum date_order orders[] = {DATE_MDY, DATE_DMY};

/* Into the texts that are kept; a part of one already kept stays a part of it. */
static bool keep(struct held *h, struct span *s, struct span whole, struct span kept)
{
	if (s->n == 0)
		return true;
	if (whole.p != NULL && s->p >= whole.p && s->p + s->n <= whole.p + whole.n) {
		s->p = kept.p + (s->p - whole.p);
		return true;
	}
	if (s->n > HELD_BYTES - h->n_bytes)
		return false;
	memcpy(h->bytes + h->n_bytes, s->p, s->n);
	s->p = h->bytes + h->n_bytes;
	h->n_bytes += s->n;
	return true;
}

static bool hold(struct held *h, const struct event *e)
{
	if (h->n == HELD_MAX_EVENTS)
		return false;
	struct held_event *w = &h->events[h->n];
	struct span none = {0};
	*w = (struct held_event){.e = *e, .date = h->date, .of_day_ms = h->of_day_ms};
	if (!keep(h, &w->e.text, none, none) || !keep(h, &w->e.cause, e->text, w->e.text) ||
	        !keep(h, &w->e.user, e->text, w->e.text) || !keep(h, &w->e.device, e->text, w->e.text) ||
	        !keep(h, &w->e.group, e->text, w->e.text) || !keep(h, &w->e.profile, e->text, w->e.text))
		return false;
	h->n++;
	return true;
}

static void release(struct held *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct held_event *w = &h->events[i];
		w->e.at_ms = local_date_at(&w->date, h->order, w->of_day_ms);
		h->out->on_event(h->out->ctx, &w->e);
	}
	h->n = h->n_bytes = 0;
}

/* By the dates alone; DATE_UNKNOWN when they allow both. */
static enum date_order order_by_dates(const struct held *h)
{
	if (h->is_in_future[0] != h->is_in_future[1])
		return h->is_in_future[0] ? DATE_DMY : DATE_MDY;
	if (h->apart_ms[0] != h->apart_ms[1])
		return h->apart_ms[0] < h->apart_ms[1] ? DATE_MDY : DATE_DMY;
	return DATE_UNKNOWN;
}

static void state_guess(const struct held *h)
{
	char date[32];
	(void)snprintf(date, sizeof(date), "%u/%u/%u", h->first.first, h->first.second, h->first.year);
	const struct fact f = {.kind = FACT_DATES_GUESSED,
	        .number = h->order,
	        .line = h->events[0].e.line,
	        .source = h->events[0].e.source,
	        .text = span_str(date),
	        .raw = span_str(date)};
	h->out->on_fact(h->out->ctx, &f);
}

static void decide(struct held *h)
{
	h->order = (uint8_t)order_by_dates(h);
	if (h->order != DATE_UNKNOWN)
		return;
	h->order = h->hint != DATE_UNKNOWN ? h->hint : DATE_MDY;
	if (h->n > 0 && h->first.first != h->first.second)
		state_guess(h);
}

/* Of the date of the moment: what it says itself, else what the file has shown so far, else a guess. */
static enum date_order order_now(const struct held *h)
{
	if (h->date.order != DATE_UNKNOWN)
		return h->date.order;
	if (h->order != DATE_UNKNOWN)
		return h->order;
	return h->hint != DATE_UNKNOWN ? h->hint : DATE_MDY;
}

static void on_event(void *ctx, const struct event *e)
{
	struct held *h = ctx;
	bool is_open = h->order == DATE_UNKNOWN && h->date.order == DATE_UNKNOWN && h->date.year != 0;
	if (is_open && hold(h, e))
		return;
	if (is_open) { /* no room: what has been seen must do */
		decide(h);
		release(h);
	}
	struct event now = *e;
	if (h->date.year != 0)
		now.at_ms = local_date_at(&h->date, order_now(h), h->of_day_ms);
	h->out->on_event(h->out->ctx, &now);
}

static void on_fact(void *ctx, const struct fact *f)
{
	struct held *h = ctx;
	h->out->on_fact(h->out->ctx, f);
}

void held_begin(struct held *h, const struct file_hint *hint, const struct sink *out)
{
	h->in = (struct sink){.on_event = on_event, .on_fact = on_fact, .ctx = h};
	h->out = out;
	h->written_at_ms = hint->written_at_ms;
	h->order = h->hint = DATE_UNKNOWN;
	h->date = (struct local_date){0};
	h->last_ms[0] = h->last_ms[1] = TIME_NONE;
	h->apart_ms[0] = h->apart_ms[1] = 0;
	h->is_in_future[0] = h->is_in_future[1] = false;
	h->n = h->n_bytes = 0;
	h->first = (struct local_date){0};
}

/* Exports go forward or backward in time; in the wrong order of day and month they jump. */
static void weigh(struct held *h, const struct local_date *d, uint32_t of_day_ms)
{
	for (size_t i = 0; i < N_ELEM(orders); i++) {
		int64_t at = local_date_at(d, orders[i], of_day_ms);
		if (at == TIME_NONE)
			continue;
		if (h->last_ms[i] != TIME_NONE)
			h->apart_ms[i] += at > h->last_ms[i] ? at - h->last_ms[i] : h->last_ms[i] - at;
		h->last_ms[i] = at;
		if (h->written_at_ms != TIME_NONE && at > h->written_at_ms + DAY_MS)
			h->is_in_future[i] = true;
	}
}

int64_t held_set_date(struct held *h, const struct local_date *d, uint32_t of_day_ms, enum date_order hint)
{
	h->date = *d;
	h->of_day_ms = of_day_ms;
	if (hint != DATE_UNKNOWN)
		h->hint = (uint8_t)hint;
	if (d->order == DATE_FIXED)
		return local_date_at(d, DATE_FIXED, of_day_ms);
	if (h->order == DATE_UNKNOWN && d->order != DATE_UNKNOWN) {
		h->order = d->order;
		release(h);
	} else if (h->order == DATE_UNKNOWN) {
		weigh(h, d, of_day_ms);
		if (h->first.year == 0)
			h->first = *d;
	}
	return local_date_at(d, order_now(h), of_day_ms);
}

void held_clear_date(struct held *h)
{
	h->date = (struct local_date){0};
}

void held_end(struct held *h)
{
	if (h->order == DATE_UNKNOWN && h->n > 0)
		decide(h);
	release(h);
	h->order = DATE_UNKNOWN;
	h->first = (struct local_date){0};
	h->last_ms[0] = h->last_ms[1] = TIME_NONE;
	h->apart_ms[0] = h->apart_ms[1] = 0;
	h->is_in_future[0] = h->is_in_future[1] = false;
}
