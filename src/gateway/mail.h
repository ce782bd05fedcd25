/* Letters between the threads of the worker: what one of them wants done by another, in the other's loop. The
 * sender never waits. Who opens a letter frees it. */
#ifndef GATEWAY_MAIL_H
#define GATEWAY_MAIL_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

#include "base/util.h"

struct worker;

struct mail {
	struct mail *next;
	void (*open)(struct worker *w, struct mail *m);
};

struct mailbox {
	pthread_mutex_t lock;
	struct mail *first, *last;
};

void mailbox_init(struct mailbox *b);
/* Any thread. true: it was empty, so its owner must be woken. */
bool mailbox_put(struct mailbox *b, struct mail *m);
/* Opens what is there, oldest first. What that brings waits for the owner's next turn, so that work in many
 * steps leaves room for packets between them. The owner only. */
void mailbox_open_all(struct mailbox *b, struct worker *w);

#endif
