/* What happened to one user, in order, from both ends on one clock: the part of a report that is the same in
 * all its forms. */
#ifndef DIAGNOSE_TIMELINE_H
#define DIAGNOSE_TIMELINE_H

#include "diagnose/cases.h"
#include "diagnose/report.h"
#include "diagnose/when.h"

#define TIMELINE_MAX_ROWS 60 /* shown; the middle is left out */
#define TIMELINE_MAX_READ 20000

struct timeline_row {
	const struct record *record;
	int64_t at_ms;  /* on the clock of the timeline; TIME_NONE */
	uint32_t count; /* repeats that follow each other are one row */
	uint8_t side;   /* enum case_side */
};

struct timeline {
	const struct store *store;
	struct timeline_row *rows; /* owned */
	size_t n;
	size_t n_left_out; /* after rows[n_head - 1] */
	size_t n_head;
	word_t user;
	word_t addr;             /* public */
	bool has_zone, has_both; /* both: gateway and client */
	int64_t shift_ms;        /* that the client's clock was moved by */
	int64_t begin_at_ms, end_at_ms;
};

/* Of the user that was asked for, else of the session that shows the worst finding best, or the only one
 * there is. -ENOMEM; 0 rows when there is nothing to show. */
MUST_USE int timeline_make(struct timeline *t, const struct report *r);
void timeline_done(struct timeline *t);
/* "TLS tunnel up", "12 packets of up to 1418 bytes for the client dropped, threshold 1347" */
void timeline_say(struct text *out, const struct store *s, const struct timeline_row *row);
/* "+60 s", "+35 min", "+2 h 5 min" since the beginning; nothing in the first second. */
void timeline_say_offset(struct text *out, const struct timeline *t, const struct timeline_row *row);

/* At most this many lines, each without newline: what is wrong, whom it concerns, what cures it. */
#define VERDICT_MAX 5
size_t verdict_make(struct text ret[static VERDICT_MAX], const struct report *r);
/* What the run could not do, limits that were reached, clocks that were corrected. One line each;
 * 0..NOTICES_MAX. */
#define NOTICES_MAX 6
size_t notices_make(struct text ret[static NOTICES_MAX], const struct report *r);
/* "the client's clock is 8 h 59 min 57 s ahead of the gateway's; ..."; nothing when they agree */
void timeline_say_shift(struct text *out, const struct timeline *t);

#endif
