/* Who was refused, how often, and whether he got in in the end. These events belong to no session: they are
 * counted over all records, by user, else by address.
 *
 * Every gateway on the Internet meets strangers who guess passwords and try old protocols. Known is who, or
 * whose address, has a session somewhere in the files; a stranger is counted by his address, whatever names
 * he tries. */
#ifndef DIAGNOSE_PEOPLE_H
#define DIAGNOSE_PEOPLE_H

#include "diagnose/find.h"

struct person {
	word_t name;              /* user, or address */
	uint32_t tries;           /* of his longest run: one after the other, none of which got in */
	uint32_t first, last;     /* places of that run */
	uint32_t total;           /* of all runs */
	bool is_known, is_client; /* of the gateway; his own machine's log tells it */
	bool is_asked;            /* the report is to be about him */
	bool is_named;            /* by a user's name, which gateways may mask */
	bool is_telling;  /* a reason says that he is no guesser: locked out, password expired, session limit
	                   */
	bool is_in_later; /* has logged in soon after that run */
	uint32_t run, run_first, run_last; /* the run that goes on */
};

struct people {
	struct person *v;
	size_t n;
	uint32_t *of_word; /* index + 1 */
	uint8_t *known;    /* set of words: users and addresses that have sessions */
	int64_t try_ms;    /* several lines of one try come within this */
	bool has_sessions; /* of anybody */
	size_t n_outside;  /* persons who did not get in soon after they were refused */
};

/* Who was refused in this way. False: no memory. */
bool people_collect(struct find *x, struct people *p, enum event_kind kind, int64_t try_ms);
void people_done(struct people *p);
/* Of a record that was counted; NULL: there were too many to tell them apart. */
const struct person *people_who(const struct find *x, const struct people *p, const struct record *r);

/* So few were left outside that somebody has chosen these lines for us: each of them counts. */
bool people_are_few(const struct people *p);

/* Enough to be told: so many tries of somebody who is known, or of a stranger. */
bool person_is_told(
        const struct find *x, const struct person *who, uint32_t known_min, uint32_t stranger_min);

/* auth-rejected, when nobody is told by himself: many strangers with few tries each. In find_guessing.c. */
void find_guessing(struct find *x, const struct people *p, uint32_t known_min, uint32_t stranger_min);

#endif
