/* Cisco's client in the logs of Linux, macOS and Android: syslog and journalctl, Console and `log show`,
 * logcat. What stands before the program's name is the time and perhaps the machine, what follows is the
 * message.
 *
 *     Jan 12 17:05:35 x5 acvpnui[16263]: An SSL VPN connection to vpn.example.com has been requested by the
 * user. 2018-11-17 23:31:37.021496+0100 0x562 Default 0x0 49 0 vpnagentd: (lib)
 * [com.cisco.anyconnect.vpn:acvpnagent] A ... 5/20/14 11:33:56.909 PM acvpnagent[69]: ... 11-16 01:28:50.123
 * 1234  1250 I acvpnagent: ... */
#include <stdio.h>

#include "diagnose/client_words.h"
#include "diagnose/held.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define HEAD_MAX_BYTES 200 /* the program's name stands within */

struct client_syslog {
	struct held held;
	struct client_words words;
	int64_t written_at_ms;
};

/* A line's parts. */
struct client_line {
	struct span before, program, message;
};

static void client_syslog_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct client_syslog *s = state;
	s->written_at_ms = hint->written_at_ms;
	held_begin(&s->held, hint, sink);
	client_words_begin(&s->words, &s->held.in);
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "acvpnagent[842]: ", "vpnagentd: ", "acvpnagent( 842): ": what follows the name, or false. */
static bool cut_pid(struct span *s)
{
	struct span rest = span_has(*s, "(") ? span_trim(*s) : *s; /* logcat pads the name */
	if (rest.n > 0 && (rest.p[0] == '[' || rest.p[0] == '(')) {
		char close = rest.p[0] == '[' ? ']' : ')';
		struct span pid = span_cut(&rest, close);
		if (rest.n == 0 || pid.n > 24)
			return false;
	}
	if (rest.n == 0 || rest.p[0] != ':')
		return false;
	*s = span_trim(span_skip(rest, 1));
	return true;
}

/* "Df vpnagentd[49:562] [com.cisco...] MESSAGE": the short form of macOS has no colon. */
static bool cut_pid_mac(struct span *s)
{
	struct pattern_match m;
	if (!pattern_match("[%t] [com.cisco.", *s, &m) || m.s[0].n > 24)
		return false;
	*s = m.rest;
	(void)span_cut(s, ']');
	*s = span_trim(*s);
	return true;
}

/* "(libvpncommon.dylib) [com.cisco.anyconnect.vpn:acvpnagent] MESSAGE" */
static struct span cut_subsystem(struct span s)
{
	struct pattern_match m;
	if (s.n > 0 && s.p[0] == '(' && pattern_match("(%w) ", s, &m))
		s = m.rest;
	if (pattern_match("[com.cisco.%t] ", s, &m) && m.s[0].n < 80)
		s = m.rest;
	return span_trim(s);
}

/* The program's name at p, somewhere in it "vpn" or "acwebhelper". */
static bool line_at(struct span line, const uint8_t *at, struct client_line *ret)
{
	const uint8_t *from = at, *to = at, *end = line.p + line.n;
	while (from > line.p && is_name_byte(from[-1]))
		from--;
	while (to < end && is_name_byte(*to))
		to++;
	struct span rest = span_of(to, (size_t)(end - to));
	if (!is_client_program(span_of(from, (size_t)(to - from))) ||
	        (!cut_pid(&rest) && !cut_pid_mac(&rest)))
		return false;
	ret->before = span_of(line.p, (size_t)(from - line.p));
	ret->program = span_of(from, (size_t)(to - from));
	ret->message = cut_subsystem(rest);
	return true;
}

/* "default 10:24:15.630332-0700 Cisco AnyConnect Secure Mobility Client MESSAGE": copied from Console. */
static bool line_of_console(struct span line, struct client_line *ret)
{
	static const char *const names[] = {
	        "Cisco AnyConnect Secure Mobility Client ", "Cisco Secure Client "};
	struct pattern_match m;
	if (!pattern_match("%w %n:%n:%n.%n", line, &m) || m.s[0].n > 12)
		return false;
	(void)span_cut(&m.rest, ' '); /* the zone */
	for (size_t i = 0; i < N_ELEM(names); i++)
		if (span_starts(span_trim(m.rest), names[i])) {
			struct span rest = span_trim(m.rest);
			size_t n = strlen(names[i]);
			*ret = (struct client_line){
			        .program = span_of(rest.p, n), .message = span_skip(rest, n)};
			return true;
		}
	return false;
}

/* By a part of the program's name, which occurs but seldom in other lines. */
static bool line_by(struct span line, const char *part, struct client_line *ret)
{
	struct span head = span_of(line.p, line.n < HEAD_MAX_BYTES ? line.n : HEAD_MAX_BYTES);
	const uint8_t *at;
	while ((at = span_find(head, part)) != NULL) {
		if (line_at(line, at, ret))
			return true;
		size_t n = (size_t)(at - head.p) + strlen(part);
		head = span_skip(head, n);
	}
	return false;
}

static bool line_cut(struct span line, struct client_line *ret)
{
	return line_by(line, "vpn", ret) || line_by(line, "csc_ui", ret) || line_by(line, "culvert", ret) ||
	       line_of_console(line, ret);
}

/* ---- time ---- */

/* "1700172563.713300": seconds since 1970 (journalctl -o short-unix). */
static bool unix_time(struct span *s, struct when *ret)
{
	struct pattern_match m;
	if (!pattern_match("%n.%n ", *s, &m) || m.s[0].n != 10)
		return false;
	*ret = (struct when){.at_ms = (int64_t)m.n[0] * 1000, .has_zone = true};
	*s = span_trim(m.rest);
	return true;
}

/* "11-16 01:28:50.123" of logcat: without a year, as when_bsd() takes it. */
static bool android_time(struct span *s, int64_t written_at_ms, struct when *ret)
{
	static const char *const months[] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct pattern_match m;
	char text[48];
	if (s->n < 14 || !pattern_match("%n-%n %w ", *s, &m) || m.s[0].n != 2 || m.n[0] < 1 || m.n[0] > 12 ||
	        m.n[1] > 31 || m.s[2].n > 20)
		return false;
	(void)snprintf(
	        text, sizeof(text), "%s %2u %.*s ", months[m.n[0] - 1], m.n[1], (int)m.s[2].n, m.s[2].p);
	struct span bsd = span_str(text);
	*s = m.rest;
	return when_bsd(&bsd, written_at_ms, ret);
}

/* "Thu 2023-11-16 17:09:23 CET" */
static struct span cut_weekday(struct span s)
{
	bool is_weekday = s.n > 14 && s.p[3] == ' ' && s.p[4] == '2' && s.p[8] == '-';
	return is_weekday ? span_skip(s, 4) : s;
}

/* A word of letters only, such as a zone's name. */
static bool is_zone_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return s.n >= 2 && s.n <= 5;
}

/* The machine's name in syslog: one word between time and program. */
static struct span host_of(struct span rest)
{
	struct span s = span_trim(rest), word = span_cut(&s, ' ');
	if (is_zone_name(word) && s.n > 0) {
		s = span_trim(s);
		word = span_cut(&s, ' ');
	}
	return s.n == 0 && word.n < 128 && !span_has(word, ":") ? word : (struct span){0};
}

static bool local_time(struct client_syslog *s, struct span *rest, struct event *e)
{
	struct local_date date;
	uint32_t of_day_ms;
	bool is_twelve;
	if (!local_date_parse(rest, &date) || !local_time_parse(rest, &of_day_ms, &is_twelve))
		return false;
	e->at_ms = held_set_date(&s->held, &date, of_day_ms, is_twelve ? DATE_MDY : DATE_UNKNOWN);
	return true;
}

static void take_time(struct client_syslog *s, struct span before, struct event *e)
{
	struct span rest = cut_weekday(span_trim(before));
	struct when when = {.at_ms = TIME_NONE};
	bool is_known = rest.n > 0 &&
	                (when_bsd(&rest, s->written_at_ms, &when) || when_iso(&rest, &when) ||
	                        unix_time(&rest, &when) || android_time(&rest, s->written_at_ms, &when));
	if (!is_known && rest.n > 0 && local_time(s, &rest, e))
		return;
	held_clear_date(&s->held);
	e->at_ms = when.at_ms;
	e->has_zone = when.has_zone;
	if (is_known)
		e->device = host_of(rest);
}

/* rsyslog: "message repeated 2 times: [ MESSAGE]" */
static struct span cut_repeated(struct span s)
{
	struct pattern_match m;
	return pattern_match("message repeated %n times: [", s, &m) ? span_trim(span_trim_end(m.rest, "]"))
	                                                            : s;
}

static enum claim client_syslog_line(void *state, struct span line, uint32_t number)
{
	struct client_syslog *s = state;
	struct client_line l;
	if (line.n < 12 || !line_cut(line, &l))
		return CLAIM_NO;
	bool is_ours = span_is(l.program, "culvert");
	if (is_ours && l.before.n == 0)
		return CLAIM_NO; /* what it prints itself: read_culvert.c */
	struct event e = {.source = (uint8_t)(is_ours ? SOURCE_CULVERT_CLIENT : SOURCE_CLIENT_SYSLOG),
	        .line = number,
	        .text = line};
	take_time(s, l.before, &e);
	(void)client_words_say(&s->words, &e, cut_repeated(l.message));
	return CLAIM_STRONG;
}

static void client_syslog_end(void *state)
{
	struct client_syslog *s = state;
	held_end(&s->held);
}

const struct reader reader_client_syslog = {
        .source = SOURCE_CLIENT_SYSLOG,
        .state_bytes = sizeof(struct client_syslog),
        .begin = client_syslog_begin,
        .line = client_syslog_line,
        .end = client_syslog_end,
};
