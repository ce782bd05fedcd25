#include "diagnose/early.h"

#include <stdlib.h>

struct early_item {
	bool is_fact;
	union {
		struct event event;
		struct fact fact;
	};
};

static struct early_item *item_new(struct early *k)
{
	if (k->items == NULL)
		k->items = malloc(EARLY_MAX_ITEMS * sizeof(*k->items));
	if (k->bytes == NULL)
		k->bytes = malloc(EARLY_MAX_BYTES);
	return k->items != NULL && k->bytes != NULL && k->n < EARLY_MAX_ITEMS ? &k->items[k->n] : NULL;
}

/* The spans then point to bytes of our own. False: no room. */
static bool copy_spans(struct early *k, struct span *const spans[], size_t n)
{
	size_t used = k->n_bytes;
	for (size_t i = 0; i < n; i++) {
		if (spans[i]->n > EARLY_MAX_BYTES - used)
			return false;
		if (spans[i]->n > 0)
			memcpy(k->bytes + used, spans[i]->p, spans[i]->n);
		spans[i]->p = k->bytes + used;
		used += spans[i]->n;
	}
	k->n_bytes = used;
	k->n++;
	return true;
}

void early_keep_event(struct early *k, const struct event *e)
{
	struct early_item *item = item_new(k);
	if (item == NULL)
		return;
	*item = (struct early_item){.event = *e};
	struct event *c = &item->event;
	(void)copy_spans(k,
	        (struct span *const[]){&c->device, &c->user, &c->group, &c->profile, &c->cause, &c->text}, 6);
}

void early_keep_fact(struct early *k, const struct fact *f)
{
	struct early_item *item = item_new(k);
	if (item == NULL)
		return;
	*item = (struct early_item){.is_fact = true, .fact = *f};
	struct fact *c = &item->fact;
	(void)copy_spans(k, (struct span *const[]){&c->scope, &c->text, &c->raw}, 3);
}

void early_release(struct early *k, const struct sink *out)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->items[i].is_fact)
			out->on_fact(out->ctx, &k->items[i].fact);
		else
			out->on_event(out->ctx, &k->items[i].event);
	}
	early_done(k);
}

void early_done(struct early *k)
{
	free(k->items);
	free(k->bytes);
	*k = (struct early){0};
}
