/* The two forms of date and time that most logs begin their lines with. */
#ifndef DIAGNOSE_WHEN_H
#define DIAGNOSE_WHEN_H

#include "base/span.h"
#include "base/text.h"

struct when {
	int64_t at_ms; /* since 1970, or TIME_NONE of event.h */
	bool has_zone; /* at_ms is UTC; else the wall clock taken as UTC */
};

/* "Nov 16 01:28:50", "Nov  6 2013 01:28:50.123 UTC:", "*Nov 16 01:28:50.123:", "Sat Nov 16 01:28:50 2013". On
 * true *s begins at the next word: a zone, a ':' directly behind, and blanks are cut off with it. Without a
 * year it is the newest one that puts the time at most a day after written_at_ms; at_ms is TIME_NONE when
 * that is TIME_NONE. A zone that is not known by name is cut off when a ':' follows it, and has_zone stays
 * false. On false *s is as it was. */
bool when_bsd(struct span *s, int64_t written_at_ms, struct when *ret);

/* "2013-11-16T01:28:50", with a blank instead of T, with ".123" or ",123456", with Z, " UTC", "+01:00",
 * "+0100". As when_bsd() otherwise. */
bool when_iso(struct span *s, struct when *ret);

/* TIME_NONE when there is no such time. Second 60 counts as the next minute's first. */
int64_t when_utc_ms(int year, int month, int day, int hour, int minute, int second, int ms);

/* English month of three letters at the span's start in any case, 1..12; 0: none. */
int when_month(struct span s);
/* "2013-11-16 01:28:50", or "01:28:50" without the date; with "Z" when it is UTC. Nothing for TIME_NONE. */
void when_say(struct text *t, int64_t at_ms, bool has_zone, bool has_date);
/* "2013-11-16 01:28:50 to 01:29:50", with the second date where it is another, and only one time where both
 * are the same second. Nothing for TIME_NONE. */
void when_say_range(struct text *t, int64_t first_ms, int64_t last_ms);
static inline bool when_is_moment(int64_t first_ms, int64_t last_ms)
{
	return first_ms / 1000 == last_ms / 1000;
}

#endif
