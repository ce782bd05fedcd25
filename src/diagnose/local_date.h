/* Dates and times as people's machines write them: 11/16/2013, 16.11.2013, 2013/11/16, 2013年11月16日,
 * 2013. 11. 16., with 1:28:50 PM, 午後 1:28:50 or 13.28.50. Whether 11/12/2013 is in November or December
 * only the whole file can tell (held.h). */
#ifndef DIAGNOSE_LOCAL_DATE_H
#define DIAGNOSE_LOCAL_DATE_H

#include "base/span.h"

enum date_order {
	DATE_UNKNOWN, /* day and month may be either */
	DATE_MDY,
	DATE_DMY,
	DATE_FIXED, /* the year is first, or a point between: no other reading; y, m, d are final */
};

struct local_date {
	uint16_t year;
	uint8_t first, second; /* as written; month and day with DATE_FIXED */
	uint8_t order;         /* enum date_order: what this date alone says */
	bool is_twelve_hours;  /* the time beside it had AM or PM in some language */
};

/* Cuts a date off *s, with blanks and a comma behind it. *s stays as it was on false. */
bool local_date_parse(struct span *s, struct local_date *ret);
/* Cuts a time of day off *s: ms since midnight. A word for the half of the day may stand before or behind it.
 */
bool local_time_parse(struct span *s, uint32_t *ret_ms, bool *ret_is_twelve_hours);
/* Milliseconds since 1970 of the wall clock taken as UTC; TIME_NONE (event.h): no such day in that order. */
int64_t local_date_at(const struct local_date *d, enum date_order order, uint32_t of_day_ms);

#endif
