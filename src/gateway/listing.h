/* Lists of sessions, however many there are: what a thread does for one at a time is so little that packets
 * hardly wait for it, and no more is made than the console has taken.
 *
 * First a walk over all threads collects what the list is sorted by (session_refs.h). Then the sessions are
 * shown in batches: each thread writes those that are its own, the main thread puts them in order and sends
 * them. All by one letter for each thread, which goes there and back (listing_letter.c); control_list.c is
 * what the main thread does. A session that ends meanwhile is left out, one that has gone to another thread
 * is looked for there, one that comes after the walk has passed is not shown. */
#ifndef GATEWAY_LISTING_H
#define GATEWAY_LISTING_H

#include "gateway/mail.h"
#include "gateway/session_list.h"

#define LISTING_WALK_SESSIONS 512  /* looked at in one turn of a thread, about 0.1 ms ... */
#define LISTING_WALK_SLOTS    4096 /* ... in a table that may be emptier than that */
#define LISTING_BATCH         32   /* sessions shown at a time: about 1 ms, and what waits for a console */
#define LISTING_MOVES_MAX     3    /* times that one session is looked for where it has gone to */

/* What is listed, as text and as JSON. */
struct list_form {
	void (*head)(struct text *out); /* before the first one; NULL: nothing */
	void (*put)(const struct render_session *r, const struct render_now *now, struct text *out);
	json_t *(*put_json)(const struct render_session *r, const struct render_now *now);
};

/* One session of a batch. */
struct list_row {
	uint32_t index;
	uint8_t place;    /* in the batch */
	bool is_found;    /* the thread has it; no text: it is not one that the filter takes (any more) */
	struct text text; /* owned by who has the row */
};

struct list_letter {
	struct mail mail;
	uint32_t id; /* of the listing */
	uint8_t thread;
	const struct list_form *form;
	bool is_json;
	struct session_choice choice; /* its text is owned */
	bool is_short;                /* memory was */
	/* the walk */
	uint64_t cursor; /* of htab_scan() */
	struct session_ref *refs;
	size_t n_refs, refs_cap;
	unsigned n_seen;
	/* a batch */
	struct list_row rows[LISTING_BATCH];
	size_t n_rows;
};

/* listing_letter.c. NULL: memory is short. */
struct list_letter *list_letter_new(const struct session_choice *choice, uint8_t thread);
void list_letter_free(struct list_letter *l);
/* In the letter's thread: some steps more of the walk; is over when .cursor is 0. What was found is added to
 * refs. */
void list_letter_walk(struct worker *w, struct list_letter *l);
/* In the letter's thread: fills the rows. */
void list_letter_show(struct worker *w, struct list_letter *l);
/* Text of one session; empty when it is none of the chosen. False: memory was short. */
MUST_USE bool list_row_text(const struct list_form *f, const struct session_choice *c, bool is_json,
        const struct session *s, struct text *ret);
struct render_now listing_now(void);

#endif
