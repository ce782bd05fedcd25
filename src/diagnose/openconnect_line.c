#include "diagnose/openconnect_line.h"

#include "base/util.h"
#include "diagnose/event.h"
#include "diagnose/facility.h"
#include "diagnose/pattern.h"

#define HEAD_MAX_BYTES 128 /* the program's name stands within */

/* "... netifd: vpn (123): MESSAGE", "... NetworkManager[123]: MESSAGE": who started it passes on what it
 * says, beside what it says itself. */
static bool cut_starter(struct span line, int64_t written_at_ms, struct openconnect_line *ret)
{
	static const char *const starters[][2] = {
	        {" netifd: ", " netifd: %w (%n): "}, {" NetworkManager[", " NetworkManager[%n]: "}};
	struct span head = span_of(line.p, line.n < HEAD_MAX_BYTES ? line.n : HEAD_MAX_BYTES);
	struct pattern_match m;
	for (size_t i = 0; i < N_ELEM(starters); i++) {
		const uint8_t *at = span_find(head, starters[i][0]);
		if (at == NULL)
			continue;
		struct span before = span_of(line.p, (size_t)(at - line.p));
		if (!pattern_match(starters[i][1], span_skip(line, before.n), &m))
			continue;
		*ret = (struct openconnect_line){.message = m.rest, .when = {.at_ms = TIME_NONE}};
		if (!when_bsd(&before, written_at_ms, &ret->when))
			(void)when_iso(&before, &ret->when);
		return true;
	}
	return false;
}

/* "Nov 16 01:28:50 host openconnect[123]: MESSAGE" */
static bool cut_syslog(struct span line, int64_t written_at_ms, struct openconnect_line *ret)
{
	static const char tag[] = " openconnect[";
	struct span head = span_of(line.p, line.n < HEAD_MAX_BYTES ? line.n : HEAD_MAX_BYTES);
	const uint8_t *at = span_find(head, tag);
	struct pattern_match m;
	if (at == NULL)
		return false;
	struct span before = span_of(line.p, (size_t)(at - line.p));
	if (!pattern_match(" openconnect[%n]: ", span_skip(line, before.n), &m))
		return false;
	if (!when_bsd(&before, written_at_ms, &ret->when))
		(void)when_iso(&before, &ret->when);
	*ret = (struct openconnect_line){
	        .message = m.rest, .device = span_trim(before), .when = ret->when, .is_named = true};
	if (facility_is(ret->device))
		ret->device = (struct span){0};
	return true;
}

/* "2014-09-09 09:17 ", as older versions of the window write it. */
static bool minute_time(struct span *s, struct when *ret)
{
	struct pattern_match m;
	if (s->n < 17 || !pattern_match("%n-%n-%n %n:%n ", *s, &m) || m.s[0].n != 4 || m.s[4].n != 2)
		return false;
	int64_t at =
	        m.n[1] > 12 || m.n[2] > 31 || m.n[3] > 23 || m.n[4] > 59
	                ? TIME_NONE
	                : when_utc_ms((int)m.n[0], (int)m.n[1], (int)m.n[2], (int)m.n[3], (int)m.n[4], 0, 0);
	*ret = (struct when){.at_ms = at};
	*s = m.rest;
	return at != TIME_NONE;
}

/* "2017-11-10 04:01:31 | 2bf4 | MESSAGE", "2017-11-23\t17:44:18\tINFO\t...[PRG_DEBUG] : MESSAGE" */
static struct span cut_window(struct span s)
{
	struct pattern_match m;
	if (pattern_match("| %w | ", s, &m) && m.s[0].n <= 16)
		return m.rest;
	const uint8_t *at = span_find(span_of(s.p, s.n < 120 ? s.n : 120), "[PRG_");
	if (at == NULL)
		return s;
	struct span rest = span_of(at, s.n - (size_t)(at - s.p));
	return pattern_match("[PRG_%w] : ", rest, &m) || pattern_match("[PRG_%w]: ", rest, &m) ? m.rest : s;
}

/* A date and a time with a tab between. */
static bool tabbed_time(struct span *s, struct when *ret)
{
	uint8_t plain[20];
	if (s->n < 20 || s->p[10] != '\t' || s->p[19] != '\t')
		return false;
	memcpy(plain, s->p, sizeof(plain));
	plain[10] = plain[19] = ' ';
	struct span copy = span_of(plain, sizeof(plain));
	if (!when_iso(&copy, ret))
		return false;
	*s = span_skip(*s, 20);
	return true;
}

/* "Nov 16 01:28:50 host vpn-up[123]: MESSAGE": by a service with a name of its own. */
static bool cut_service(struct span line, int64_t written_at_ms, struct openconnect_line *ret)
{
	struct span head = span_of(line.p, line.n < HEAD_MAX_BYTES ? line.n : HEAD_MAX_BYTES);
	const uint8_t *at = span_find(head, "]: ");
	struct when when;
	if (at == NULL || at == line.p || at[-1] < '0' || at[-1] > '9')
		return false;
	struct span before = span_of(line.p, (size_t)(at - line.p));
	if (!when_bsd(&before, written_at_ms, &when) && !when_iso(&before, &when))
		return false;
	struct span device = span_cut(&before, ' ');
	*ret = (struct openconnect_line){.message = span_skip(line, (size_t)(at - line.p) + 3),
	        .device = device,
	        .service = before,
	        .when = when};
	return before.n > 0;
}

/* "vpn-1  | MESSAGE" of docker compose. */
static struct span cut_container(struct span line)
{
	struct pattern_match m;
	if (!pattern_match("%w ", line, &m) || m.s[0].n > HEAD_MAX_BYTES)
		return line;
	struct span rest = span_trim(m.rest);
	return span_starts(rest, "| ") ? span_trim(span_skip(rest, 2)) : line;
}

/* "[2013-11-16 01:28:50] MESSAGE" of --timestamp. The time before it counts when there is one. */
static void cut_stamp(struct openconnect_line *l)
{
	struct span s = span_skip(l->message, 1);
	struct when when;
	if (l->message.n < 2 || l->message.p[0] != '[' || !when_iso(&s, &when) || s.n == 0 || s.p[0] != ']')
		return;
	l->message = span_trim(span_skip(s, 1));
	if (l->when.at_ms == TIME_NONE)
		l->when = when;
}

static bool cut_time(struct span line, struct openconnect_line *ret)
{
	struct span s = line;
	if (!tabbed_time(&s, &ret->when) && !(span_starts(line, "20") && when_iso(&s, &ret->when)) &&
	        !minute_time(&s, &ret->when))
		return false;
	ret->message = cut_window(span_trim(s));
	return true;
}

struct openconnect_line openconnect_line_cut(struct span line, int64_t written_at_ms)
{
	struct openconnect_line l = {.message = cut_container(line), .when = {.at_ms = TIME_NONE}};
	struct span whole = l.message;
	if (whole.n > 0 && whole.p[0] != '[' && !cut_syslog(whole, written_at_ms, &l) &&
	        !cut_starter(whole, written_at_ms, &l) && !cut_service(whole, written_at_ms, &l) &&
	        (whole.p[0] != '2' || !cut_time(whole, &l)))
		l = (struct openconnect_line){.message = whole, .when = {.at_ms = TIME_NONE}};
	cut_stamp(&l);
	return l;
}
