/* What a reader says of a file before it is sure that the file is its own: kept, passed on when it is, and
 * dropped when it never is. A configuration names its device in a line that many texts could have. */
#ifndef DIAGNOSE_EARLY_H
#define DIAGNOSE_EARLY_H

#include "diagnose/reader.h"

#define EARLY_MAX_ITEMS 64
#define EARLY_MAX_BYTES 32768 /* of their texts */

struct early_item;

struct early {
	struct early_item *items; /* EARLY_MAX_ITEMS, from the first one on; owned */
	uint8_t *bytes;           /* EARLY_MAX_BYTES, owned */
	size_t n, n_bytes;
};

/* What does not fit is not kept. */
void early_keep_event(struct early *k, const struct event *e);
void early_keep_fact(struct early *k, const struct fact *f);
/* Passes all of it on, in its order, and forgets it. */
void early_release(struct early *k, const struct sink *out);
void early_done(struct early *k);

#endif
