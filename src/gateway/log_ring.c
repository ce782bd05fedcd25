#include "gateway/log_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct log_slot {
	struct log_item item;
	size_t cost;
	char text[];
};

static struct log_slot **slot_at(const struct log_ring *r, uint64_t number)
{
	return &r->slots[number % r->n_slots];
}

static void drop_oldest(struct log_ring *r)
{
	struct log_slot **at = slot_at(r, r->first++);
	r->n_bytes -= (*at)->cost;
	free(*at);
	*at = NULL;
}

int log_ring_resize(struct log_ring *r, size_t max_bytes)
{
	if (r->slots != NULL && max_bytes == r->max_bytes)
		return 0;
	struct log_ring bigger = {.max_bytes = max_bytes, .n_slots = max_bytes / LOG_RING_ITEM_BYTES + 1};
	bigger.slots = calloc(bigger.n_slots, sizeof(struct log_slot *));
	if (bigger.slots == NULL)
		return -ENOMEM;
	while (r->first < r->next && r->n_bytes > max_bytes)
		drop_oldest(r);
	bigger.first = r->next == 0 ? 1 : r->first;
	bigger.next = r->next == 0 ? 1 : r->next;
	bigger.n_bytes = r->n_bytes;
	for (uint64_t n = r->first; n < r->next; n++)
		*slot_at(&bigger, n) = *slot_at(r, n);
	free(r->slots);
	*r = bigger;
	return 0;
}

void log_ring_put(struct log_ring *r, const struct log_item *item)
{
	size_t n = strlen(item->text), cost = n + LOG_RING_ITEM_BYTES;
	if (r->slots == NULL || cost > r->max_bytes)
		return;
	struct log_slot *slot = malloc(sizeof(*slot) + n + 1);
	if (slot == NULL)
		return;
	while (r->first < r->next && r->n_bytes + cost > r->max_bytes)
		drop_oldest(r);
	slot->item = *item;
	slot->item.number = r->next;
	slot->item.text = slot->text;
	slot->cost = cost;
	memcpy(slot->text, item->text, n + 1);
	*slot_at(r, r->next++) = slot;
	r->n_bytes += cost;
}

bool log_ring_after(const struct log_ring *r, uint64_t after, struct log_item *ret)
{
	uint64_t number = after < r->first ? r->first : after + 1;
	if (after >= r->next || number >= r->next)
		return false;
	*ret = (*slot_at(r, number))->item;
	return true;
}

void log_ring_clear(struct log_ring *r)
{
	while (r->first < r->next)
		drop_oldest(r);
}

void log_ring_done(struct log_ring *r)
{
	log_ring_clear(r);
	free(r->slots);
	*r = (struct log_ring){0};
}
