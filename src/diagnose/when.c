#include "diagnose/when.h"

#include <time.h>

#include "base/util.h"
#include "diagnose/event.h"

#define YEAR_MIN       1970
#define YEAR_MAX       2199
#define DAY_MS         INT64_C(86400000)
#define YEARS_BACK_MAX 8 /* from one 29 February to the one before it, over a year like 2100 */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* ---- calendar ---- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01, counting years from March so that the leap day is the last of its year. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

int64_t when_utc_ms(int year, int month, int day, int hour, int minute, int second, int ms)
{
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
	        day > month_days(year, month))
		return TIME_NONE;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || ms < 0 ||
	        ms > 999)
		return TIME_NONE;
	return days_since_1970(year, month, day) * DAY_MS +
	       ((hour * INT64_C(60) + minute) * 60 + second) * 1000 + ms;
}

/* The year of a time, by trying: an estimate is wrong by one at most. */
static int year_of(int64_t at_ms)
{
	int64_t days = at_ms / DAY_MS;
	int year = YEAR_MIN + (int)(days / 366);
	while (year < YEAR_MAX && days_since_1970(year + 1, 1, 1) <= days)
		year++;
	return year;
}

/* ---- pieces ---- */

/* One to max digits; -1: none. */
static int take_number(struct span *s, size_t max)
{
	int n = 0;
	size_t i = 0;
	for (; i < max && i < s->n && is_digit(s->p[i]); i++)
		n = n * 10 + (s->p[i] - '0');
	*s = span_skip(*s, i);
	return i > 0 ? n : -1;
}

static bool take_char(struct span *s, uint8_t c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

static bool take_blanks(struct span *s)
{
	size_t i = 0;
	while (i < s->n && is_blank(s->p[i]))
		i++;
	*s = span_skip(*s, i);
	return i > 0;
}

struct clock {
	int hour, minute, second, ms;
};

/* Up to nine digits behind '.' or ','; what is finer than a millisecond is dropped. */
static void take_fraction(struct span *s, struct clock *c)
{
	if (s->n < 2 || (s->p[0] != '.' && s->p[0] != ',') || !is_digit(s->p[1]))
		return;
	*s = span_skip(*s, 1);
	for (int i = 0, weight = 100; i < 9 && s->n > 0 && is_digit(s->p[0]); i++, weight /= 10) {
		c->ms += (s->p[0] - '0') * weight;
		*s = span_skip(*s, 1);
	}
}

static bool take_clock(struct span *s, struct clock *ret)
{
	*ret = (struct clock){0};
	ret->hour = take_number(s, 2);
	bool is_good = ret->hour >= 0 && take_char(s, ':') && (ret->minute = take_number(s, 2)) >= 0 &&
	               take_char(s, ':') && (ret->second = take_number(s, 2)) >= 0;
	if (is_good)
		take_fraction(s, ret);
	return is_good && (s->n == 0 || !is_digit(s->p[0]));
}

int when_month(struct span s)
{
	static const char names[12][4] = {
	        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
	if (s.n < 3)
		return 0;
	for (int i = 0; i < 12; i++)
		if ((s.p[0] | 32) == names[i][0] && (s.p[1] | 32) == names[i][1] &&
		        (s.p[2] | 32) == names[i][2])
			return i + 1;
	return 0;
}

/* ---- zones ---- */

/* Abbreviations that mean one offset only, in minutes east. CST, IST, BST and their likes mean several. */
static const struct zone {
	char name[5];
	int16_t minutes;
} zones[] = {
        {"UTC", 0},
        {"GMT", 0},
        {"Z", 0},
        {"WET", 0},
        {"WEST", 60},
        {"CET", 60},
        {"CEST", 120},
        {"EET", 120},
        {"EEST", 180},
        {"MSK", 180},
        {"JST", 540},
        {"EST", -300},
        {"EDT", -240},
        {"MST", -420},
        {"MDT", -360},
        {"PST", -480},
        {"PDT", -420},
};

static const struct zone *zone_find(struct span name)
{
	for (size_t i = 0; i < N_ELEM(zones); i++)
		if (span_is(name, zones[i].name))
			return &zones[i];
	return NULL;
}

static bool is_end_of_time(struct span s)
{
	return s.n == 0 || s.p[0] == ':' || is_blank(s.p[0]);
}

/* "+01:00", "-0530", "+02". */
static bool take_offset(struct span *s, struct when *w)
{
	struct span rest = *s;
	int sign = take_char(&rest, '+') ? 1 : take_char(&rest, '-') ? -1 : 0;
	int hours = sign != 0 ? take_number(&rest, 2) : -1, minutes = 0;
	if (hours < 0 || hours > 14)
		return false;
	if (rest.n > 0 && (is_digit(rest.p[0]) || (rest.n > 2 && rest.p[0] == ':' && is_digit(rest.p[1])))) {
		(void)take_char(&rest, ':');
		minutes = take_number(&rest, 2);
	}
	if (minutes > 59 || !is_end_of_time(rest))
		return false;
	w->at_ms -= w->at_ms == TIME_NONE ? 0 : sign * (hours * 60 + minutes) * INT64_C(60000);
	w->has_zone = true;
	*s = rest;
	return true;
}

/* "UTC", "CEST:", "XYZ:"; a word that is not known and has no ':' is the host, say, and stays. */
static void take_zone_name(struct span *s, struct when *w)
{
	struct span rest = *s, name = *s;
	size_t n = 0;
	while (n < rest.n && n < 6 && ((rest.p[n] | 32) >= 'a' && (rest.p[n] | 32) <= 'z'))
		n++;
	name.n = n;
	rest = span_skip(rest, n);
	const struct zone *z = zone_find(name);
	bool is_named = n >= 2 && n <= 5 && rest.n > 0 && rest.p[0] == ':';
	if (n == 0 || !is_end_of_time(rest) || (z == NULL && !is_named))
		return;
	if (z != NULL) {
		w->at_ms -= w->at_ms == TIME_NONE ? 0 : z->minutes * INT64_C(60000);
		w->has_zone = true;
	}
	*s = rest;
}

/* What may stand between the time and the next word. */
static void take_tail(struct span *s, struct when *w)
{
	struct span rest = *s;
	(void)take_blanks(&rest);
	size_t before = rest.n;
	if (!take_offset(&rest, w))
		take_zone_name(&rest, w);
	if (rest.n != before)
		*s = rest;
	(void)take_char(s, ':');
	(void)take_blanks(s);
}

/* ---- the two forms ---- */

struct date {
	int year, month, day; /* year 0: not written */
};

static int64_t time_of(const struct date *d, const struct clock *c, int64_t written_at_ms)
{
	if (d->year != 0)
		return when_utc_ms(d->year, d->month, d->day, c->hour, c->minute, c->second, c->ms);
	if (written_at_ms < 0) /* TIME_NONE, too */
		return TIME_NONE;
	int newest = year_of(written_at_ms + DAY_MS);
	for (int year = newest; year > newest - YEARS_BACK_MAX; year--) {
		int64_t t = when_utc_ms(year, d->month, d->day, c->hour, c->minute, c->second, c->ms);
		if (t != TIME_NONE && t <= written_at_ms + DAY_MS)
			return t;
	}
	return TIME_NONE;
}

/* Numbers that no calendar has make the text no time at all, whatever year it may be of. */
static bool is_possible(const struct date *d, const struct clock *c)
{
	int year = d->year != 0 ? d->year : 2000;
	return when_utc_ms(year, d->month, d->day, c->hour, c->minute, c->second, c->ms) != TIME_NONE;
}

/* "Sat Nov 16 ..." of asctime() and logread. */
static bool take_weekday(struct span *s)
{
	static const char names[7][5] = {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};
	for (size_t i = 0; i < N_ELEM(names); i++)
		if (span_starts(*s, names[i])) {
			*s = span_skip(*s, 4);
			return true;
		}
	return false;
}

/* Which have the year last. */
static void take_last_year(struct span *s, struct date *d)
{
	struct span rest = *s;
	if (!take_blanks(&rest) || rest.n < 4)
		return;
	size_t n = rest.n;
	int year = take_number(&rest, 4);
	if (n - rest.n != 4 || (rest.n > 0 && !is_blank(rest.p[0]) && rest.p[0] != ':'))
		return;
	d->year = year;
	*s = rest;
}

bool when_bsd(struct span *s, int64_t written_at_ms, struct when *ret)
{
	struct span rest = *s;
	struct date d = {0};
	struct clock c;
	bool has_weekday = take_weekday(&rest);
	if (rest.n > 0 &&
	        (rest.p[0] == '*' || rest.p[0] == '.')) /* the clock is not set or not synchronised */
		rest = span_skip(rest, 1);
	d.month = when_month(rest);
	if (d.month == 0)
		return false;
	rest = span_skip(rest, 3);
	if (!take_blanks(&rest) || (d.day = take_number(&rest, 2)) < 0 || !take_blanks(&rest))
		return false;
	if (rest.n > 5 && rest.p[1] != ':' && is_digit(rest.p[2]) && is_digit(rest.p[3])) {
		d.year = take_number(&rest, 4);
		if (!take_blanks(&rest))
			return false;
	}
	if (!take_clock(&rest, &c))
		return false;
	if (has_weekday && d.year == 0)
		take_last_year(&rest, &d);
	if (!is_possible(&d, &c))
		return false;
	*ret = (struct when){.at_ms = time_of(&d, &c, written_at_ms)};
	take_tail(&rest, ret);
	*s = rest;
	return true;
}

bool when_iso(struct span *s, struct when *ret)
{
	struct span rest = *s;
	struct date d = {0};
	struct clock c;
	if (rest.n < 19 || rest.p[4] != '-' || rest.p[7] != '-')
		return false;
	d.year = take_number(&rest, 4);
	(void)take_char(&rest, '-');
	d.month = take_number(&rest, 2);
	(void)take_char(&rest, '-');
	d.day = take_number(&rest, 2);
	if (!take_char(&rest, 'T') && !take_char(&rest, 't') && !take_char(&rest, ' '))
		return false;
	if (d.year == 0 || !take_clock(&rest, &c) || !is_possible(&d, &c))
		return false;
	*ret = (struct when){.at_ms = time_of(&d, &c, TIME_NONE)};
	take_tail(&rest, ret);
	*s = rest;
	return true;
}

void when_say(struct text *t, int64_t at_ms, bool has_zone, bool has_date)
{
	struct tm tm;
	char buf[32];
	time_t at_s = (time_t)(at_ms / 1000);
	if (at_ms == TIME_NONE || gmtime_r(&at_s, &tm) == NULL)
		return;
	if (strftime(buf, sizeof(buf), has_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm) > 0)
		text_fmt(t, "%s%s", buf, has_zone ? "Z" : "");
}

void when_say_range(struct text *t, int64_t first_ms, int64_t last_ms)
{
	when_say(t, first_ms, false, true);
	if (first_ms == TIME_NONE || last_ms == TIME_NONE || when_is_moment(first_ms, last_ms))
		return;
	text_str(t, " to ");
	when_say(t, last_ms, false, first_ms / DAY_MS != last_ms / DAY_MS);
}
