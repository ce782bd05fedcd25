/* Who said a syslog line, and when: what stands in front of the message, and behind it in the records of
 * collectors. */
#include "base/addr.h"
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/facility.h"
#include "diagnose/local_date.h"
#include "diagnose/syslog_head.h"
#include "diagnose/when.h"

#define DEVICE_MAX  255
#define WHEN_MAX    80   /* bytes of a time, its zone, and blanks */
#define TURNED_MAX  48   /* bytes looked at for "2024 Aug 07 10:29:42.123 CEST: " */
#define AFTER_MAX   2048 /* bytes looked at behind the message */
#define QUARTER_MS  INT64_C(900000)
#define SKEW_MAX_MS INT64_C(120000) /* of the clocks of device and relay */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* ---- times ---- */

/* The text of n bytes has the parts of a time in another order than when_bsd() wants them, and is as long. */
static bool take_turned(struct span *s, struct span turned, struct when *ret)
{
	size_t n = turned.n;
	if (!when_bsd(&turned, TIME_NONE, ret))
		return false;
	*s = span_skip(*s, n - turned.n);
	return true;
}

/* "2024 Aug 07 10:29:42 UTC" */
static bool when_year_first(struct span *s, struct when *ret)
{
	uint8_t buf[TURNED_MAX];
	size_t n = s->n < sizeof(buf) ? s->n : sizeof(buf), day = 9;
	if (n < 18 || !is_digit(s->p[0]) || !is_digit(s->p[3]) || s->p[4] != ' ' ||
	        when_month(span_skip(*s, 5)) == 0)
		return false;
	while (day < n && (s->p[day] == ' ' || is_digit(s->p[day])) && day < 11)
		day++;
	memcpy(buf, s->p + 5, day - 5); /* "Aug 07" */
	buf[day - 5] = ' ';
	memcpy(buf + day - 4, s->p, 4); /* "2024" */
	memcpy(buf + day, s->p + day, n - day);
	return take_turned(s, span_of(buf, n), ret);
}

/* "07 Aug 2024 10:29:42", "7-Aug-2024 10:29:42" */
static bool when_day_first(struct span *s, struct when *ret)
{
	uint8_t buf[TURNED_MAX];
	size_t n = s->n < sizeof(buf) ? s->n : sizeof(buf), day = 1;
	if (n < 17 || !is_digit(s->p[0]))
		return false;
	day += is_digit(s->p[1]);
	if ((s->p[day] != ' ' && s->p[day] != '-') || when_month(span_skip(*s, day + 1)) == 0 ||
	        s->p[day + 4] != s->p[day])
		return false;
	memcpy(buf, s->p + day + 1, 3); /* "Aug" */
	buf[3] = ' ';
	memcpy(buf + 4, s->p, day); /* "07" */
	buf[4 + day] = ' ';
	memcpy(buf + 5 + day, s->p + day + 5, n - day - 5); /* "2024 10:29:42" */
	return take_turned(s, span_of(buf, n), ret);
}

/* "Nov 16 2013|01:28:50" of ASDM */
static bool when_barred(struct span *s, struct when *ret)
{
	uint8_t buf[TURNED_MAX];
	size_t n = s->n < sizeof(buf) ? s->n : sizeof(buf);
	if (when_month(*s) == 0)
		return false;
	memcpy(buf, s->p, n);
	uint8_t *bar = memchr(buf, '|', n);
	if (bar == NULL)
		return false;
	*bar = ' ';
	return take_turned(s, span_of(buf, n), ret);
}

/* "11/16/2013 1:28:50 PM", "16.11.2013 01:28:50", "11-16-2013\t01:28:50": where the date alone does not say
 * which is the month, AM and PM do, and otherwise it is taken to be first, as the programs that write so have
 * it. */
static bool when_local(struct span *s, struct when *ret)
{
	struct span rest = *s;
	struct local_date d;
	uint32_t of_day_ms;
	bool is_twelve_hours;
	size_t n = 0;
	while (n < rest.n &&
	        (is_digit(rest.p[n]) || rest.p[n] == '/' || rest.p[n] == '-' || rest.p[n] == '.'))
		n++;
	/* a year in full, and nothing like "10.1.1.1:53" */
	if (n < 8 || n > 10 || n == rest.n || is_letter(rest.p[n]) || rest.p[n] == ':' ||
	        !local_date_parse(&rest, &d))
		return false;
	while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t' || rest.p[0] == ','))
		rest = span_skip(rest, 1);
	if (!local_time_parse(&rest, &of_day_ms, &is_twelve_hours))
		return false;
	*ret = (struct when){
	        .at_ms = local_date_at(&d, d.order != DATE_UNKNOWN ? d.order : DATE_MDY, of_day_ms)};
	*s = rest;
	return ret->at_ms != TIME_NONE;
}

/* Since 1970, in seconds, perhaps with a fraction, or by its digits in ms, us or ns. */
static bool when_epoch(struct span word, struct when *ret)
{
	static const struct {
		size_t digits;
		uint64_t per_ms;
	} units[] = {{13, 1}, {16, 1000}, {19, 1000000}};
	uint64_t v;
	size_t n = 0;
	while (n < word.n && is_digit(word.p[n]))
		n++;
	if (parse_u64(span_of(word.p, n), 0, UINT64_MAX, &v) < 0)
		return false;
	if (n == 10) {
		*ret = (struct when){.at_ms = (int64_t)v * 1000, .has_zone = true};
		return true;
	}
	for (size_t i = 0; i < N_ELEM(units); i++)
		if (units[i].digits == n) {
			*ret = (struct when){.at_ms = (int64_t)(v / units[i].per_ms), .has_zone = true};
			return true;
		}
	return false;
}

/* Up to the quote, bar or comma that ends the field; "10:00:00,123" is one. */
static struct span field_of(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '"' || s.p[i] == ']' || s.p[i] == ';' || (s.p[i] == '|' && i > 12) ||
		        (s.p[i] == ',' && i > 0 && is_letter(s.p[i - 1])))
			s.n = i;
	return s;
}

static bool take_when(struct span *s, int64_t written_at_ms, struct when *ret)
{
	if (s->n == 0 || (!is_digit(s->p[0]) && !is_letter(s->p[0]) && s->p[0] != '*' && s->p[0] != '.'))
		return false;
	struct span field = field_of(span_of(s->p, s->n < WHEN_MAX ? s->n : WHEN_MAX));
	size_t n = field.n;
	if (!when_iso(&field, ret) && !when_bsd(&field, written_at_ms, ret) &&
	        !when_year_first(&field, ret) && !when_day_first(&field, ret) && !when_barred(&field, ret) &&
	        !when_local(&field, ret))
		return false;
	*s = span_skip(*s, n - field.n);
	return true;
}

/* ---- hosts ---- */

/* A name or an address of a host; not a number, a facility, a process, a path, a day. */
static bool is_host(struct span word)
{
	static const char *const others[] = {"ASA", "FTD", "PIX", "UTC", "GMT", "last", "syslog", "syslogd"};
	struct ip_addr a;
	bool has_letter = false;
	int n_parts = 0; /* "fw1/admin": a context of the device */
	if (word.n == 0 || word.n > DEVICE_MAX)
		return false;
	if (addr_parse(word, &a) == 0)
		return true;
	for (size_t i = 0; i < word.n; i++) {
		bool is_part = word.p[i] == '/' && is_letter(word.p[0]) && i + 1 < word.n && n_parts++ < 3;
		if (!is_letter(word.p[i]) && !is_digit(word.p[i]) && word.p[i] != '-' && word.p[i] != '_' &&
		        (word.p[i] != '.' || n_parts > 0) && !is_part)
			return false;
		has_letter |= is_letter(word.p[i]);
	}
	for (size_t i = 0; i < N_ELEM(others); i++)
		if (span_is(word, others[i]))
			return false;
	return has_letter && !facility_is(word);
}

/* "fw1/pri/act": which of the two units it is now, is no part of its name. */
static struct span cut_state(struct span word)
{
	static const char *const states[] = {"/act", "/stby", "/pri", "/sec"};
	for (size_t i = 0; i < N_ELEM(states);) {
		size_t n = strlen(states[i]);
		if (word.n > n && memcmp(word.p + word.n - n, states[i], n) == 0) {
			word.n -= n;
			i = 0;
		} else {
			i++;
		}
	}
	return word;
}

static bool is_separator(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '"' || c == ',' || c == ';' || c == '|' || c == '=' ||
	       c == '{' || c == '\'' || c == '\\';
}

static bool skip_priority(struct span *s)
{
	size_t n = 1;
	if (s->n < 3 || s->p[0] != '<')
		return false;
	while (n < s->n && n < 4 && is_digit(s->p[n]))
		n++;
	if (n < 2 || n >= s->n || s->p[n] != '>')
		return false;
	*s = span_skip(*s, n + 1);
	return true;
}

/* ---- words ---- */

static bool is_one_of(struct span word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is_nocase(word, list[i]))
			return true;
	return false;
}

/* The names of fields in JSON, CSV heads and "key=value" are not hosts; some say that one follows. */
static bool is_host_key(struct span word)
{
	static const char *const keys[] = {"host", "hostname", "device", "dvc", "dvchost", "syslog_host",
	        "_hostname", "sysloghost", "fromhost", "fromhost-ip", "syslog_hostname"};
	return is_one_of(word, keys, N_ELEM(keys));
}

/* A number behind these counts from 1970. */
static bool is_time_key(struct span word)
{
	static const char *const keys[] = {"timestamp", "@timestamp", "time", "_time", "date", "ts", "rt",
	        "epoch", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "timeMillis"};
	return is_one_of(word, keys, N_ELEM(keys));
}

struct scan {
	struct span rest, device;
	bool is_named;     /* device stood behind a key that says so */
	bool is_host_next; /* the last word was such a key, or the time that RFC 5424 puts before the host */
	bool is_time_next;
	bool is_version; /* the last word was "1", the version of RFC 5424 */
	size_t n_times;
	struct when relay, own; /* the last time but one, and the last */
};

static void put_time(struct scan *s, const struct when *w)
{
	s->relay = s->own;
	s->own = *w;
	s->n_times++;
}

static void take_key(struct scan *s, struct span word, bool is_json)
{
	/* "host":{"name":"fw1"}; "source" is the host's name or its port's */
	s->is_host_next = is_host_key(word) || (s->is_host_next && span_is(word, "name")) ||
	                  (!s->is_named && span_is(word, "source"));
	s->is_time_next = is_time_key(word);
	/* words of another field, a message perhaps, are no host */
	if (is_json && !s->is_named)
		s->device = (struct span){0};
}

static void take_word(struct scan *s)
{
	size_t n = 0;
	struct when w;
	while (n < s->rest.n && !is_separator(s->rest.p[n]))
		n++;
	struct span word = span_of(s->rest.p, n);
	s->rest = span_skip(s->rest, n);
	bool is_json = s->rest.n > 1 && s->rest.p[0] == '"' && s->rest.p[1] == ':';
	s->is_version = span_is(word, "1");
	if (is_json || (s->rest.n > 0 && s->rest.p[0] == '=')) {
		take_key(s, word, is_json);
		return;
	}
	if (s->is_time_next && word.n > 0 && is_digit(word.p[0]) && when_epoch(word, &w))
		put_time(s, &w);
	if (word.n > 0)
		s->is_time_next = false;
	while (word.n > 0 && (word.p[word.n - 1] == ':' || word.p[word.n - 1] == ']'))
		word.n--;
	if (!is_host(word) || (s->is_named && !s->is_host_next))
		return;
	s->is_named |= s->is_host_next;
	s->is_host_next = false;
	s->device = cut_state(word);
}

static bool is_skipped(uint8_t c)
{
	return is_separator(c) || c == ':' || c == '[' || c == '(' || c == ']' || c == ')';
}

static void scan_step(struct scan *s, int64_t written_at_ms)
{
	struct when w;
	if (span_starts(s->rest, "\\u003c") || span_starts(s->rest, "\\u003e")) { /* "<", ">" in JSON */
		s->rest = span_skip(s->rest, 6);
	} else if (is_skipped(s->rest.p[0])) {
		s->rest = span_skip(s->rest, 1);
	} else if (take_when(&s->rest, written_at_ms, &w)) {
		put_time(s, &w);
		s->is_host_next |= s->is_version;
		s->is_version = false;
	} else if (!skip_priority(&s->rest)) {
		take_word(s);
	}
}

/* Both clocks show the same moment: what they differ by, in quarters of an hour, is the device's zone. */
static void borrow_zone(struct when *own, const struct when *relay)
{
	if (own->has_zone || !relay->has_zone || own->at_ms == TIME_NONE || relay->at_ms == TIME_NONE)
		return;
	int64_t gap = own->at_ms - relay->at_ms;
	int64_t quarters = (gap + (gap < 0 ? -QUARTER_MS / 2 : QUARTER_MS / 2)) / QUARTER_MS;
	int64_t skew = gap - quarters * QUARTER_MS;
	if (quarters < -14 * 4 || quarters > 14 * 4 || skew > SKEW_MAX_MS || skew < -SKEW_MAX_MS)
		return;
	own->at_ms -= quarters * QUARTER_MS;
	own->has_zone = true;
}

/* Records of collectors may have the time behind the message: the first one there. Of hosts only what is
 * called one; in a record of CEF (is_record) that is the device, and what stood in front a relay. */
static void scan_after(struct scan *s, struct span after, bool is_record, int64_t written_at_ms)
{
	struct scan more = {.rest = span_of(after.p, after.n < AFTER_MAX ? after.n : AFTER_MAX)};
	while (more.rest.n > 0 && (more.n_times == 0 || !more.is_named))
		scan_step(&more, written_at_ms);
	if (more.n_times > 0)
		put_time(s, &more.own);
	if (more.is_named && (s->device.n == 0 || is_record))
		s->device = more.device;
}

struct syslog_origin syslog_head_origin(const struct syslog_head *h, int64_t written_at_ms)
{
	struct scan s = {.rest = h->before};
	while (s.rest.n > 0)
		scan_step(&s, written_at_ms);
	if ((s.n_times == 0 || h->is_cef) && h->after.n > 0)
		scan_after(&s, h->after, h->is_cef, written_at_ms);
	if (s.n_times == 0)
		return (struct syslog_origin){.device = s.device, .at_ms = TIME_NONE};
	if (s.n_times > 1)
		borrow_zone(&s.own, &s.relay);
	return (struct syslog_origin){.device = s.device, .at_ms = s.own.at_ms, .has_zone = s.own.has_zone};
}
