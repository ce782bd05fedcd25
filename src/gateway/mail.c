#include "gateway/mail.h"

void mailbox_init(struct mailbox *b)
{
	*b = (struct mailbox){0};
	pthread_mutex_init(&b->lock, NULL);
}

bool mailbox_put(struct mailbox *b, struct mail *m)
{
	m->next = NULL;
	pthread_mutex_lock(&b->lock);
	bool was_empty = b->first == NULL;
	if (was_empty)
		b->first = m;
	else
		b->last->next = m;
	b->last = m;
	pthread_mutex_unlock(&b->lock);
	return was_empty;
}

static struct mail *take_all(struct mailbox *b)
{
	pthread_mutex_lock(&b->lock);
	struct mail *m = b->first;
	b->first = NULL;
	pthread_mutex_unlock(&b->lock);
	return m;
}

void mailbox_open_all(struct mailbox *b, struct worker *w)
{
	for (struct mail *m = take_all(b), *next; m; m = next) {
		next = m->next;
		m->open(w, m);
	}
}
