#include "diagnose/syslog_head.h"

#include "base/addr.h"
#include "base/parse.h"
#include "diagnose/cli.h"
#include "diagnose/when.h"

#define TAG_MAX     32 /* bytes from '%' to the number: "%CULVERT-6-", "%ASA-session-6-" */
#define ID_DIGITS   6
#define DEVICE_MAX  255
#define WHEN_MAX    80 /* bytes of a time, its zone, and blanks */
#define YEAR_FIRST  48 /* bytes looked at for "2024 Aug 07 10:29:42.123 CEST: " */
#define QUARTER_MS  INT64_C(900000)
#define SKEW_MAX_MS INT64_C(120000) /* of the clocks of device and relay */

/* ---- which message ---- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* "ASA-6-722036", "ASA-svc-4-722051", "FTD--6-852002", "FTD<Up>-4-313005"; 0: none. *ret_n: bytes of it. */
static uint32_t take_id(struct span s, size_t *ret_n)
{
	for (size_t i = 3; i + ID_DIGITS < s.n && i < TAG_MAX; i++) {
		if (s.p[i] == '-' && is_digit(s.p[i + 1]) && is_digit(s.p[i + 2])) {
			uint32_t id;
			if (parse_u32(span_of(s.p + i + 1, ID_DIGITS), 100000, 999999, &id) < 0)
				return 0;
			*ret_n = i + 1 + ID_DIGITS;
			return *ret_n < s.n && is_digit(s.p[*ret_n]) ? 0 : id;
		}
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '<' &&
		        s.p[i] != '>')
			return 0;
	}
	return 0;
}

static bool find_family(struct span s, uint8_t *ret)
{
	static const char *const names[] = {"ASA", "FTD", "PIX", "FWSM"};
	*ret = SYSLOG_ASA;
	for (size_t i = 0; i < N_ELEM(names); i++)
		if (span_starts(s, names[i]))
			return true;
	*ret = SYSLOG_CULVERT;
	return span_starts(s, "CULVERT-");
}

bool syslog_head_find(struct span line, struct syslog_head *ret)
{
	struct span rest = line;
	const uint8_t *at;
	while (rest.n > 0 && (at = memchr(rest.p, '%', rest.n)) != NULL) {
		size_t n;
		rest = span_skip(rest, (size_t)(at - rest.p) + 1);
		if (!find_family(rest, &ret->family) || (ret->id = take_id(rest, &n)) == 0)
			continue;
		ret->before = span_of(line.p, (size_t)(at - line.p));
		ret->text = span_skip(rest, n);
		if (ret->text.n > 0 && ret->text.p[0] == ':')
			ret->text = span_skip(ret->text, 1);
		ret->text = span_trim(ret->text);
		ret->is_quoted = false;
		return true;
	}
	return false;
}

/* ---- what stands around it ---- */

static size_t find(struct span in, const char *what)
{
	const uint8_t *at = in.n ? memmem(in.p, in.n, what, strlen(what)) : NULL;
	return at ? (size_t)(at - in.p) : in.n;
}

/* N of "N times", 1 when it is none. */
static uint32_t take_times(struct span s, struct span *ret_rest)
{
	uint32_t n;
	struct span number = cli_next(&s), times = cli_next(&s);
	*ret_rest = s;
	if (!span_starts(times, "time") || parse_u32(number, 1, UINT32_MAX, &n) < 0)
		return 0;
	return n < SYSLOG_REPEATS_MAX ? n : SYSLOG_REPEATS_MAX;
}

static bool is_odd(struct span s, char c)
{
	bool is = false;
	for (size_t i = 0; i < s.n; i++)
		is ^= s.p[i] == (uint8_t)c;
	return is;
}

/* The message ends at the quote that closes its field; one behind '\' and a doubled one are part of it. */
static struct span cut_quote(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || (s.p[i] == '"' && i + 1 < s.n && s.p[i + 1] == '"'))
			i++;
		else if (s.p[i] == '"')
			s.n = i;
	}
	return s;
}

uint32_t syslog_head_trim(struct syslog_head *h)
{
	static const char repeated[] = "message repeated ";
	struct span rest;
	size_t at = find(h->before, repeated);
	h->is_quoted = is_odd(h->before, '"');
	if (h->is_quoted)
		h->text = span_trim(cut_quote(h->text));
	if (at == h->before.n)
		return 1;
	uint32_t n = take_times(span_skip(h->before, at + sizeof(repeated) - 1), &rest);
	if (n == 0)
		return 1;
	h->before.n = at;
	if (h->text.n > 0 && h->text.p[h->text.n - 1] == ']')
		h->text.n--;
	h->text = span_trim(h->text);
	return n;
}

uint32_t syslog_head_repeats(struct span line, struct span *ret_before)
{
	static const char repeated[] = "last message repeated ";
	struct span rest;
	size_t at = find(line, repeated);
	*ret_before = span_of(line.p, at);
	return at == line.n ? 0 : take_times(span_skip(line, at + sizeof(repeated) - 1), &rest);
}

/* ---- who and when ---- */

/* "2024 Aug 07 10:29:42 UTC": the year goes where when_bsd() wants it; the length stays. */
static bool when_year_first(struct span *s, struct when *ret)
{
	uint8_t buf[YEAR_FIRST];
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
	struct span moved = span_of(buf, n);
	if (!when_bsd(&moved, TIME_NONE, ret))
		return false;
	*s = span_skip(*s, n - moved.n);
	return true;
}

static bool is_facility(struct span word)
{
	static const char *const levels[] = {"emerg", "alert", "crit", "critical", "err", "error", "warning",
	        "warn", "notice", "info", "debug"};
	const uint8_t *dot = memchr(word.p, '.', word.n);
	if (dot == NULL)
		return false;
	struct span level = span_skip(word, (size_t)(dot - word.p) + 1);
	for (size_t i = 0; i < N_ELEM(levels); i++)
		if (span_is_nocase(level, levels[i]))
			return true;
	return false;
}

/* A name or an address of a host; not a number, a facility, a process, a path, a day. */
static bool is_host(struct span word)
{
	static const char *const others[] = {"ASA", "FTD", "PIX", "UTC", "GMT", "last", "syslog", "syslogd"};
	struct ip_addr a;
	bool has_letter = false;
	if (word.n == 0 || word.n > DEVICE_MAX)
		return false;
	if (addr_parse(word, &a) == 0)
		return true;
	for (size_t i = 0; i < word.n; i++) {
		if (!is_letter(word.p[i]) && !is_digit(word.p[i]) && word.p[i] != '-' && word.p[i] != '_' &&
		        word.p[i] != '.')
			return false;
		has_letter |= is_letter(word.p[i]);
	}
	for (size_t i = 0; i < N_ELEM(others); i++)
		if (span_is(word, others[i]))
			return false;
	return has_letter && !is_facility(word);
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

/* Up to the quote, bar or comma that ends the field; "10:00:00,123" is one. */
static struct span field_of(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '"' || s.p[i] == '|' || s.p[i] == ';' ||
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
	if (!when_iso(&field, ret) && !when_bsd(&field, written_at_ms, ret) && !when_year_first(&field, ret))
		return false;
	*s = span_skip(*s, n - field.n);
	return true;
}

/* The names of fields in JSON, CSV heads and "key=value" are not hosts; some say that one follows. */
static bool is_host_key(struct span word)
{
	static const char *const keys[] = {"host", "hostname", "device", "dvc", "dvchost", "syslog_host"};
	for (size_t i = 0; i < N_ELEM(keys); i++)
		if (span_is_nocase(word, keys[i]))
			return true;
	return false;
}

struct scan {
	struct span rest, device;
	bool is_named;     /* device stood behind a key that says so */
	bool is_host_next; /* the last word was such a key */
	size_t n_times;
	struct when relay, own; /* the last time but one, and the last */
};

static void take_word(struct scan *s)
{
	size_t n = 0;
	while (n < s->rest.n && !is_separator(s->rest.p[n]))
		n++;
	struct span word = span_of(s->rest.p, n);
	s->rest = span_skip(s->rest, n);
	bool is_key = (s->rest.n > 0 && s->rest.p[0] == '=') ||
	              (s->rest.n > 1 && s->rest.p[0] == '"' && s->rest.p[1] == ':');
	if (is_key) {
		s->is_host_next = is_host_key(word);
		return;
	}
	while (word.n > 0 && word.p[word.n - 1] == ':')
		word.n--;
	if (!is_host(word) || (s->is_named && !s->is_host_next))
		return;
	s->is_named |= s->is_host_next;
	s->is_host_next = false;
	s->device = word;
}

static void scan_step(struct scan *s, int64_t written_at_ms)
{
	struct when w;
	if (is_separator(s->rest.p[0]) || s->rest.p[0] == ':') {
		s->rest = span_skip(s->rest, 1);
	} else if (take_when(&s->rest, written_at_ms, &w)) {
		s->relay = s->own;
		s->own = w;
		s->n_times++;
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

struct syslog_origin syslog_head_origin(struct span before, int64_t written_at_ms)
{
	struct scan s = {.rest = before};
	while (s.rest.n > 0)
		scan_step(&s, written_at_ms);
	if (s.n_times == 0)
		return (struct syslog_origin){.device = s.device, .at_ms = TIME_NONE};
	if (s.n_times > 1)
		borrow_zone(&s.own, &s.relay);
	return (struct syslog_origin){.device = s.device, .at_ms = s.own.at_ms, .has_zone = s.own.has_zone};
}
