#include "gateway/handover.h"

#include <errno.h>
#include <stdlib.h>

#define ALIGN      16u
#define ROUND(n)   (((n) + ALIGN - 1) / ALIGN * ALIGN)
#define HEAD_BYTES ROUND(sizeof(struct handover_head))

int handover_init(struct handover *h, size_t buf_bytes)
{
	*h = (struct handover){.buf_bytes = buf_bytes};
	pthread_mutex_init(&h->lock, NULL);
	for (size_t i = 0; i < N_ELEM(h->bufs); i++) {
		if ((h->bufs[i] = malloc(buf_bytes)) == NULL)
			return -ENOMEM;
	}
	return 0;
}

void handover_done(struct handover *h)
{
	for (size_t i = 0; i < N_ELEM(h->bufs); i++)
		free(h->bufs[i]);
	pthread_mutex_destroy(&h->lock);
	*h = (struct handover){0};
}

int handover_put(struct handover *h, const struct handover_head *head, struct span bytes)
{
	size_t n = HEAD_BYTES + HANDOVER_HEADROOM + ROUND(bytes.n);
	int r = -ENOBUFS;
	if (bytes.n > UINT16_MAX + (size_t)HANDOVER_HEADROOM)
		return r;
	pthread_mutex_lock(&h->lock);
	if (n <= h->buf_bytes - h->n_filled) {
		uint8_t *p = h->bufs[h->i_filling] + h->n_filled;
		struct handover_head *to = (struct handover_head *)(void *)p;
		*to = *head;
		to->n = (uint32_t)bytes.n;
		memcpy(p + HEAD_BYTES + HANDOVER_HEADROOM, bytes.p, bytes.n);
		r = h->n_filled == 0;
		h->n_filled += n;
	}
	pthread_mutex_unlock(&h->lock);
	return r;
}

struct handover_batch handover_take(struct handover *h)
{
	pthread_mutex_lock(&h->lock);
	struct handover_batch b = {.p = h->bufs[h->i_filling], .n = h->n_filled};
	h->i_filling = !h->i_filling;
	h->n_filled = 0;
	pthread_mutex_unlock(&h->lock);
	return b;
}

const struct handover_head *handover_next(struct handover_batch *b, uint8_t **ret_p)
{
	if (b->at >= b->n)
		return NULL;
	uint8_t *p = b->p + b->at;
	const struct handover_head *head = (const struct handover_head *)(const void *)p;
	*ret_p = p + HEAD_BYTES + HANDOVER_HEADROOM;
	b->at += HEAD_BYTES + HANDOVER_HEADROOM + ROUND(head->n);
	return head;
}
