/* Who was refused, how often, and whether he got in in the end. These events belong to no session: they are
 * counted over all records, by user, else by address. */
#ifndef DIAGNOSE_PEOPLE_H
#define DIAGNOSE_PEOPLE_H

#include "diagnose/find.h"

struct person {
	word_t name; /* user, or address when there is none */
	uint32_t tries;
	uint32_t first, last; /* places */
	bool is_in_later;     /* has logged in soon after the last refusal */
};

struct people {
	struct person *v;
	size_t n;
	uint32_t *of_word; /* index + 1 */
};

/* Who was refused in this way. False: no memory. */
bool people_collect(struct find *x, struct people *p, enum event_kind kind);
void people_done(struct people *p);

#endif
