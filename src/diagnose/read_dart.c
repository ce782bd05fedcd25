/* The event log that the client's diagnostic tool writes as text (cisco-facts 7.1), in any language:
 *
 *     ******************************************
 *
 *     Date        : 11/16/2013
 *     Time        : 01:28:50
 *     Type        : Warning
 *     Source      : acvpnagent
 *
 *     Description : Reconfigure reason code 16:
 *     New MTU configuration.
 *
 * The order of the labels is always the same, so the labels need not be understood. */
#include "diagnose/client_words.h"
#include "diagnose/held.h"
#include "diagnose/labels.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"

#define DESCRIPTION_MAX_BYTES 4096
#define DESCRIPTION_MAX_LINES 80
#define LABEL_GAP_LINES       3 /* between the lines of one head: a blank one may be there */
#define RULE_MIN_BYTES        10

enum dart_stage { DART_OUTSIDE, DART_RULE, DART_DATE, DART_TIME, DART_TYPE, DART_SOURCE, DART_DESCRIPTION };

struct dart {
	struct held held;
	struct client_words words;
	uint8_t stage;  /* enum dart_stage: what was read last */
	bool is_ours;   /* the source is a part of the client's VPN */
	uint8_t source; /* enum source_kind of the event */
	struct local_date date;
	uint32_t of_day_ms;
	uint8_t hint;       /* enum date_order, by the label */
	uint32_t last_line; /* the rule or label read last */
	uint32_t line;      /* of the description */
	char text[DESCRIPTION_MAX_BYTES];
	size_t n;
};

static void dart_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct dart *d = state;
	held_begin(&d->held, hint, sink);
	client_words_begin(&d->words, &d->held.in);
}

/* Several lines become one. */
static void description_add(struct dart *d, struct span s)
{
	s = span_trim(s);
	if (s.n == 0 || d->n == sizeof(d->text))
		return;
	if (d->n > 0)
		d->text[d->n++] = ' ';
	if (s.n > sizeof(d->text) - d->n)
		s.n = sizeof(d->text) - d->n;
	memcpy(d->text + d->n, s.p, s.n);
	d->n += s.n;
}

static void finish(struct dart *d)
{
	struct span text = span_of(d->text, d->n);
	if (d->stage == DART_DESCRIPTION && d->is_ours && d->n > 0) {
		struct event e = {.source = d->source, .line = d->line, .text = text};
		e.at_ms = held_set_date(&d->held, &d->date, d->of_day_ms, d->hint);
		(void)client_words_say(&d->words, &e, text);
	}
	d->stage = DART_OUTSIDE;
	d->n = 0;
}

static bool is_rule(struct span line)
{
	size_t n = 0;
	while (n < line.n && line.p[n] == '*')
		n++;
	return n >= RULE_MIN_BYTES && n == line.n;
}

/* ---- labels, in their order ---- */

static bool take_date(struct dart *d, struct span label, struct span value, bool is_inside)
{
	struct local_date date;
	bool is_behind_rule = is_inside && d->stage == DART_RULE;
	if ((!is_behind_rule && !label_is_date(label)) || !local_date_parse(&value, &date) || value.n > 0)
		return false;
	finish(d);
	d->date = date;
	d->hint = label_date_order(label);
	d->stage = DART_DATE;
	return true;
}

static bool take_time(struct dart *d, struct span value)
{
	bool is_twelve;
	if (!local_time_parse(&value, &d->of_day_ms, &is_twelve) || value.n > 0)
		return false;
	if (is_twelve && d->hint == DATE_UNKNOWN)
		d->hint = DATE_MDY;
	d->stage = DART_TIME;
	return true;
}

static bool take_source(struct dart *d, struct span value)
{
	d->is_ours = is_client_program(value);
	d->source = span_is(value, "culvert") ? SOURCE_CULVERT_EVENTS : SOURCE_DART;
	d->stage = DART_SOURCE;
	return true;
}

static bool take_description(struct dart *d, struct span value, uint32_t number)
{
	d->line = number;
	description_add(d, value);
	d->stage = DART_DESCRIPTION;
	return true;
}

static bool take_label(struct dart *d, struct span line, uint32_t number, bool is_inside)
{
	struct span label, value;
	if (!label_cut(line, &label, &value))
		return false;
	switch (is_inside ? d->stage : DART_OUTSIDE) {
	case DART_DATE:
		return take_time(d, value);
	case DART_TIME:
		d->stage = DART_TYPE;
		return true;
	case DART_TYPE:
		return take_source(d, value);
	case DART_SOURCE:
		return take_description(d, value, number);
	default:
		return take_date(d, label, value, is_inside);
	}
}

static bool is_near(const struct dart *d, uint32_t number)
{
	uint32_t n_lines = d->stage == DART_DESCRIPTION ? DESCRIPTION_MAX_LINES : LABEL_GAP_LINES;
	return d->stage != DART_OUTSIDE && number - d->last_line <= n_lines;
}

static enum claim dart_line(void *state, struct span line, uint32_t number)
{
	struct dart *d = state;
	bool is_inside = is_near(d, number);
	if (line.n == 0 || (!is_inside && line.p[0] != '*' && line.n > LABEL_MAX_BYTES + 40))
		return is_inside ? CLAIM_WEAK : CLAIM_NO;
	if (is_rule(span_trim(line))) {
		finish(d);
		d->stage = DART_RULE;
		d->last_line = number;
		return is_inside ? CLAIM_STRONG : CLAIM_WEAK;
	}
	if (take_label(d, line, number, is_inside)) {
		d->last_line = number;
		return CLAIM_STRONG;
	}
	if (!is_inside || (d->stage != DART_DESCRIPTION && span_trim(line).n > 0))
		return CLAIM_NO;
	if (d->stage == DART_DESCRIPTION)
		description_add(d, line);
	return CLAIM_WEAK;
}

static void dart_end(void *state)
{
	struct dart *d = state;
	finish(d);
	held_end(&d->held);
}

const struct reader reader_dart = {
        .source = SOURCE_DART,
        .state_bytes = sizeof(struct dart),
        .begin = dart_begin,
        .line = dart_line,
        .end = dart_end,
};
