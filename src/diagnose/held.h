/* Events whose date may be read in two ways wait here until another line of the file shows which number is
 * the month, or its end is reached: then the order in which the dates of the file lie closest together is
 * taken, and where that says nothing the custom of the language, which is reported as a guess
 * (FACT_DATES_GUESSED). */
#ifndef DIAGNOSE_HELD_H
#define DIAGNOSE_HELD_H

#include "diagnose/local_date.h"
#include "diagnose/reader.h"

#define HELD_MAX_EVENTS 200
#define HELD_BYTES      (48u * 1024) /* their texts */

struct held_event {
	struct event e; /* its spans lie in bytes */
	struct local_date date;
	uint32_t of_day_ms;
};

struct held {
	struct sink in; /* give this to whoever makes events */
	const struct sink *out;
	int64_t written_at_ms;
	uint8_t order; /* enum date_order of the file; DATE_UNKNOWN: not decided */
	uint8_t hint;  /* by language */
	/* the line of the moment */
	struct local_date date;
	uint32_t of_day_ms;
	/* how far apart the dates lie in either order */
	int64_t last_ms[2], apart_ms[2];
	bool is_in_future[2];
	struct local_date first; /* that was not clear */
	struct held_event events[HELD_MAX_EVENTS];
	size_t n, n_bytes;
	uint8_t bytes[HELD_BYTES];
};

void held_begin(struct held *h, const struct file_hint *hint, const struct sink *out);
/* The date of the events that come next. hint: what order is usual where the file was written, DATE_UNKNOWN
 * when that is not known. Returns their time, which may still be the wrong one of two. */
int64_t held_set_date(struct held *h, const struct local_date *d, uint32_t of_day_ms, enum date_order hint);
/* The date is known without doubt: nothing waits. */
void held_clear_date(struct held *h);
/* Decides and lets go of all. */
void held_end(struct held *h);

#endif
