/* Windows' event log of the client, as people export it: the event viewer's text, its CSV and tab-separated
 * lists, PowerShell's CSV and lists, `wevtutil qe` as text, and XML of all of them (cisco-facts 7.1). Labels
 * and heads of columns may be in any language: the log's name, the programs' names and the look of the values
 * decide.
 */
#include "base/parse.h"
#include "diagnose/backlog.h"
#include "diagnose/client_words.h"
#include "diagnose/held.h"
#include "diagnose/labels.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define RECORD_MAX_BYTES 12288 /* one event: of XML, of a table or of a description; more is cut */
#define RECORD_MAX_LINES 200
#define FIELDS_MAX       40
#define NAME_MAX_BYTES   96
#define HEAD_MIN_LABELS                                                                                      \
	9 /* before the description: log, program, date, id, category, level, keywords, user, computer */

enum windows_stage {
	WINDOWS_OUTSIDE,
	WINDOWS_HEAD,        /* labels of a text event */
	WINDOWS_DESCRIPTION, /* of a text event */
	WINDOWS_LIST,        /* of PowerShell's Format-List */
	WINDOWS_XML,         /* between <Event> and </Event> */
	WINDOWS_TABLE,       /* a row of which a quote is open */
};

struct windows {
	struct held held;
	struct client_words words;
	struct backlog *backlog; /* owned; NULL: empty */
	uint8_t stage;           /* enum windows_stage */
	bool is_quote_open;      /* in the row so far */
	bool is_powershell;      /* the head of its CSV was seen: every line belongs to the table */
	bool is_ours;
	bool is_waiting; /* a whole text event: perhaps its XML follows and says the same */
	char separator;  /* of the table */
	struct backlog_time time;
	uint32_t line, first_line;
	uint32_t n_labels; /* of a text event so far */
	char computer[NAME_MAX_BYTES];
	char record[RECORD_MAX_BYTES];
	size_t n;
};

static void windows_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct windows *w = state;
	held_begin(&w->held, hint, sink);
	client_words_begin(&w->words, &w->held.in);
}

static void record_add(struct windows *w, struct span s, char joint)
{
	if (w->n > 0 && w->n < sizeof(w->record))
		w->record[w->n++] = joint;
	if (s.n > sizeof(w->record) - w->n)
		s.n = sizeof(w->record) - w->n;
	memcpy(w->record + w->n, s.p, s.n);
	w->n += s.n;
}

static bool is_channel(struct span s)
{
	return span_has(s, "Cisco AnyConnect Secure Mobility Client") || span_has(s, "Cisco Secure Client") ||
	       span_has(s, "Cisco AnyConnect VPN Client");
}

/* Line breaks within a message count as blanks. */
static void flatten(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\n' || p[i] == '\r' || p[i] == '\t')
			p[i] = ' ';
}

/* "2015-10-26T18:03:30.123Z", or a local form of date and time. */
static bool time_parse(struct span s, struct backlog_time *ret)
{
	struct when when;
	struct backlog_time t = {.is_known = true};
	struct span rest = span_trim(s);
	if (rest.n > 19 && rest.p[10] == 'T' && when_iso(&rest, &when)) {
		t.at_ms = when.at_ms;
		t.has_zone = when.has_zone;
	} else if (local_date_parse(&rest, &t.date) &&
	           local_time_parse(&rest, &t.of_day_ms, &t.is_twelve_hours) && rest.n == 0) {
		t.is_local = true;
	} else {
		return false;
	}
	*ret = t;
	return true;
}

static void tell(void *ctx, const struct backlog_message *m)
{
	struct windows *w = ctx;
	const struct backlog_time *t = &m->time;
	struct event e = {.source = SOURCE_WINDOWS_EVENTS,
	        .line = m->line,
	        .text = m->text,
	        .device = m->computer,
	        .at_ms = TIME_NONE};
	if (t->is_local) {
		bool is_american = t->hint == DATE_UNKNOWN && t->is_twelve_hours;
		enum date_order hint = is_american ? DATE_MDY : (enum date_order)t->hint;
		e.at_ms = held_set_date(&w->held, &t->date, t->of_day_ms, hint);
	} else {
		held_clear_date(&w->held);
		e.at_ms = t->is_known ? t->at_ms : TIME_NONE;
		e.has_zone = t->has_zone;
	}
	(void)client_words_say(&w->words, &e, e.text);
}

static void say(struct windows *w, struct span message, uint32_t line)
{
	const struct backlog_message m = {
	        .time = w->time, .line = line, .text = span_trim(message), .computer = span_str(w->computer)};
	if (m.text.n == 0)
		return;
	if (w->backlog == NULL)
		w->backlog = backlog_new();
	if (w->backlog == NULL) {
		tell(w, &m); /* without memory in the order of the file */
	} else if (!backlog_add(w->backlog, &m)) {
		backlog_tell(w->backlog, tell, w);
		(void)backlog_add(w->backlog, &m);
	}
}

static void event_begin(struct windows *w, uint32_t number)
{
	w->n = 0;
	w->time = (struct backlog_time){0};
	w->is_ours = w->is_waiting = false;
	w->computer[0] = '\0';
	w->first_line = w->line = number;
	w->n_labels = 0;
}

static void keep_name(char *name, struct span s)
{
	if (s.n == 0 || parse_name(s, name, NAME_MAX_BYTES) != 0)
		name[0] = '\0';
}

/* ---- text ---- */

static void text_finish(struct windows *w)
{
	if (w->is_waiting) {
		flatten((uint8_t *)w->record, w->n);
		say(w, span_of(w->record, w->n), w->line);
	}
	w->is_waiting = false;
	w->stage = WINDOWS_OUTSIDE;
	w->n = 0;
}

/* The first label of an event: its value is the name of the log. */
static bool text_head(struct windows *w, struct span line, uint32_t number)
{
	struct span label, value;
	if (line.n > 120 || !label_cut(line, &label, &value) || !is_channel(value) || span_has(line, "<"))
		return false;
	text_finish(w);
	event_begin(w, number);
	w->stage = WINDOWS_HEAD;
	w->n_labels = 1;
	return true;
}

static void text_value(struct windows *w, struct span label, struct span value)
{
	struct backlog_time t;
	if (is_client_program(value)) {
		w->is_ours = true;
	} else if (!w->time.is_known && time_parse(value, &t)) {
		w->time = t;
		w->time.hint = (uint8_t)label_date_order(label);
	} else if (label_is_computer(label)) {
		keep_name(w->computer, value);
	}
}

/* The description begins behind a label without a value, and values of the head may be empty too: it is the
 * last. */
static enum claim text_line(struct windows *w, struct span line, uint32_t number)
{
	struct span label, value;
	bool is_head = w->stage == WINDOWS_HEAD;
	if (is_head && line.n <= 400 && label_cut(line, &label, &value)) {
		w->n_labels++;
		text_value(w, label, value);
		if (value.n == 0 && w->n_labels > HEAD_MIN_LABELS)
			w->stage = WINDOWS_DESCRIPTION;
		return CLAIM_STRONG;
	}
	if (is_head)
		return span_trim(line).n == 0 ? CLAIM_WEAK : CLAIM_NO;
	w->is_waiting = w->is_ours;
	if (w->n == 0)
		w->line = number;
	if (span_trim(line).n > 0)
		record_add(w, span_trim(line), ' ');
	return CLAIM_WEAK;
}

/* ---- PowerShell's Format-List: its labels are English everywhere ---- */

static bool list_head(struct windows *w, struct span line, uint32_t number)
{
	struct span label, value;
	struct backlog_time t;
	if (!span_starts(line, "TimeCreated") || !label_cut(line, &label, &value) ||
	        !span_is(label, "TimeCreated") || !time_parse(value, &t))
		return false;
	text_finish(w);
	event_begin(w, number);
	w->time = t;
	w->stage = WINDOWS_LIST;
	return true;
}

static enum claim list_line(struct windows *w, struct span line, uint32_t number)
{
	struct span label, value;
	bool is_label = line.n > 0 && line.p[0] != ' ' && label_cut(line, &label, &value);
	if (list_head(w, line, number))
		return CLAIM_STRONG;
	if (is_label && span_is(label, "ProviderName"))
		w->is_ours = is_client_program(value);
	if (is_label && span_is(label, "Message")) {
		w->line = number;
		w->n = 0;
		record_add(w, value, ' ');
		w->is_waiting = w->is_ours;
	} else if (!is_label && w->is_waiting && span_trim(line).n > 0) {
		record_add(w, span_trim(line), ' ');
	}
	return is_label && w->is_ours ? CLAIM_STRONG : CLAIM_WEAK;
}

/* ---- XML ---- */

static const struct entity {
	const char *name;
	char c;
} entities[] = {{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};

/* The character that a reference behind '&' stands for; 0: none that is known. */
static uint8_t entity_cut(struct span *s)
{
	struct pattern_match m;
	for (size_t i = 0; i < N_ELEM(entities); i++)
		if (span_starts(*s, entities[i].name)) {
			*s = span_skip(*s, strlen(entities[i].name));
			return (uint8_t)entities[i].c;
		}
	if (pattern_match("#x%w;", *s, &m)) {
		uint8_t byte;
		size_t n;
		bool is_byte = parse_hex(m.s[0], &byte, 1, &n) == 0 && n == 1;
		*s = m.rest;
		return is_byte && byte >= ' ' && byte < 0x7f ? byte : ' ';
	}
	if (!pattern_match("#%n;", *s, &m))
		return 0;
	*s = m.rest;
	return m.n[0] >= ' ' && m.n[0] < 0x7f ? (uint8_t)m.n[0] : ' ';
}

/* In place: references become characters, white space blanks. Returns the new length. */
static size_t xml_decode(uint8_t *p, size_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < n;) {
		struct span rest = span_of(p + i + 1, n - i - 1);
		size_t before = rest.n;
		uint8_t c = p[i] == '&' ? entity_cut(&rest) : 0;
		i += 1 + (c ? before - rest.n : 0);
		p[out++] = c ? c : p[i - 1];
	}
	flatten(p, out);
	return out;
}

/* The value of the attribute that follows that word, in quotes of either kind. */
static struct span xml_attribute(struct span xml, const char *word)
{
	struct span v = span_behind(xml, word);
	if (v.n == 0 || (v.p[0] != '"' && v.p[0] != '\''))
		return (struct span){0};
	char quote = (char)v.p[0];
	v = span_skip(v, 1);
	return span_cut(&v, quote);
}

/* What stands between <name> (with or without attributes) and </name>; empty when there is no such element.
 */
static struct span xml_element(struct span xml, const char *open, const char *close)
{
	struct span v = span_behind(xml, open);
	const uint8_t *end;
	(void)span_cut(&v, '>');
	end = span_find(v, close);
	return end != NULL ? span_of(v.p, (size_t)(end - v.p)) : (struct span){0};
}

/* SystemTime is UTC, with Z or without. */
static struct backlog_time xml_time(struct span xml)
{
	struct span s = xml_attribute(xml, "SystemTime=");
	struct when when;
	if (!when_iso(&s, &when))
		return (struct backlog_time){0};
	return (struct backlog_time){.is_known = true, .has_zone = true, .at_ms = when.at_ms};
}

static void xml_finish(struct windows *w)
{
	struct span xml = span_of(w->record, w->n);
	struct span message = xml_element(xml, "<Data", "</Data>");
	w->stage = WINDOWS_OUTSIDE;
	if (message.n == 0)
		message = xml_element(xml, "<Message", "</Message>");
	if (is_client_program(xml_attribute(xml, "<Provider Name=")) && message.n > 0) {
		keep_name(w->computer, xml_element(xml, "<Computer", "</Computer>"));
		w->time = xml_time(xml);
		uint8_t *p = (uint8_t *)w->record + ((const char *)message.p - w->record);
		message.n = xml_decode(p, message.n);
		say(w, message, w->first_line);
	}
	w->n = 0;
}

/* "<Event xmlns=...>" or "<Event>", and not "<EventData>". */
static const uint8_t *event_in(struct span s)
{
	static const char open[] = "<Event";
	const uint8_t *at;
	for (; (at = span_find(s, open)) != NULL; s = span_skip(s, (size_t)(at - s.p) + strlen(open))) {
		size_t rest = s.n - (size_t)(at - s.p);
		if (rest > strlen(open) && (at[strlen(open)] == ' ' || at[strlen(open)] == '>'))
			break;
	}
	return at;
}

/* A line may hold any part of an event, or many of them. */
static enum claim xml_line(struct windows *w, struct span line, uint32_t number)
{
	while (line.n > 0) {
		if (w->stage != WINDOWS_XML) {
			const uint8_t *at = event_in(line);
			if (at == NULL)
				break;
			event_begin(w, number);
			w->stage = WINDOWS_XML;
			line = span_skip(line, (size_t)(at - line.p));
		}
		const uint8_t *end = span_find(line, "</Event>");
		size_t n = end != NULL ? (size_t)(end - line.p) : line.n;
		record_add(w, span_of(line.p, n), ' ');
		line = span_skip(line, n);
		if (end != NULL) {
			xml_finish(w);
			line = span_skip(line, strlen("</Event>"));
		}
	}
	return CLAIM_STRONG;
}

static bool is_xml_begin(struct span line)
{
	return span_starts(line, "<Event xmlns") || span_starts(line, "<Event>") ||
	       span_starts(line, "<Events>") || (span_starts(line, "<?xml") && span_has(line, "<Event")) ||
	       (line.n > 20 && line.p[0] == ' ' && span_starts(span_trim(line), "<Event xmlns"));
}

/* ---- tables ---- */

/* In place: the next field of a row, its quotes removed. */
static struct span field_cut(uint8_t **p, uint8_t *end, char separator)
{
	uint8_t *from = *p, *out = from, *in = from;
	bool is_quoted = false;
	for (; in < end && (is_quoted || *in != (uint8_t)separator); in++) {
		if (*in == '"' && is_quoted && in + 1 < end && in[1] == '"')
			*out++ = *in++;
		else if (*in == '"')
			is_quoted = !is_quoted;
		else
			*out++ = *in;
	}
	*p = in < end ? in + 1 : end;
	return span_of(from, (size_t)(out - from));
}

static bool has_odd_quotes(struct span s)
{
	bool is_odd = false;
	for (size_t i = 0; i < s.n; i++)
		is_odd ^= s.p[i] == '"';
	return is_odd;
}

/* The program's name and the date are known by their look; the longest of the rest is the message. */
static void table_finish(struct windows *w)
{
	uint8_t *p = (uint8_t *)w->record, *end = p + w->n;
	struct span message = {0};
	for (size_t i = 0; i < FIELDS_MAX && p < end; i++) {
		struct span f = field_cut(&p, end, w->separator);
		struct backlog_time t;
		if (is_client_program(f))
			w->is_ours = true;
		else if (!w->time.is_known && f.n < 40 && time_parse(f, &t))
			w->time = t;
		else if (f.n > message.n && !is_channel(f))
			message = f;
	}
	w->stage = WINDOWS_OUTSIDE;
	if (w->is_ours && w->time.is_known) {
		flatten((uint8_t *)w->record + ((const char *)message.p - w->record), message.n);
		say(w, message, w->first_line);
	}
	w->n = 0;
}

/* "Information,10/26/2015 6:03:30 PM,acvpnagent,2048,None,": the second field is a date, the third our
 * program. */
static bool is_row(struct span line, char *ret_separator)
{
	static const char separators[] = ",;\t";
	struct backlog_time t;
	for (const char *c = separators; *c != '\0'; c++) {
		struct span rest = line;
		struct span level = span_cut(&rest, *c), date = span_cut(&rest, *c),
		            program = span_cut(&rest, *c);
		bool is_short = level.n > 0 && level.n < 40 && date.n < 40;
		*ret_separator = *c;
		if (is_short && is_client_program(program) && time_parse(date, &t))
			return true;
	}
	return false;
}

static bool is_powershell_head(struct span line)
{
	return line.n > 40 && line.p[0] == '"' && span_has(line, "\"TimeCreated\"") &&
	       span_has(line, "\"ProviderName\"") && span_has(line, "\"Message\"");
}

static enum claim table_line(struct windows *w, struct span line, uint32_t number)
{
	if (w->stage != WINDOWS_TABLE) {
		event_begin(w, number);
		w->stage = WINDOWS_TABLE;
		w->is_quote_open = false;
	}
	record_add(w, line, '\n');
	w->is_quote_open ^= has_odd_quotes(line);
	if (!w->is_quote_open || number - w->first_line > RECORD_MAX_LINES)
		table_finish(w);
	return CLAIM_STRONG;
}

/* ---- all ---- */

static bool is_powershell_row(const struct windows *w, struct span line)
{
	return w->is_powershell && line.p[0] == '"';
}

static bool is_near(const struct windows *w, uint32_t number)
{
	return w->stage != WINDOWS_OUTSIDE && number - w->first_line <= RECORD_MAX_LINES;
}

/* A byte that none of the beginnings contains says no at once. */
static bool may_begin(struct span line)
{
	return span_starts(line, "TimeCreated") || span_find(line, "Cisco") != NULL ||
	       span_find(line, "vpn") != NULL || line.p[0] == '<' || line.p[0] == ' ' || line.p[0] == '"';
}

static enum claim begin_line(struct windows *w, struct span line, uint32_t number)
{
	if (line.n == 0 || !may_begin(line))
		return CLAIM_NO;
	if (is_xml_begin(line))
		return xml_line(w, line, number);
	if (is_powershell_head(line)) {
		w->is_powershell = true;
		return CLAIM_STRONG;
	}
	char separator = ',';
	if (is_powershell_row(w, line) || is_row(line, &separator)) {
		w->separator = separator;
		return table_line(w, line, number);
	}
	if (list_head(w, line, number)) /* of whom, the next lines tell */
		return CLAIM_WEAK;
	return text_head(w, line, number) ? CLAIM_STRONG : CLAIM_NO;
}

static enum claim windows_line(void *state, struct span line, uint32_t number)
{
	struct windows *w = state;
	if (!is_near(w, number)) {
		text_finish(w);
		return begin_line(w, line, number);
	}
	if (w->stage == WINDOWS_XML)
		return xml_line(w, line, number);
	if (w->stage == WINDOWS_LIST)
		return list_line(w, line, number);
	if (w->stage == WINDOWS_TABLE)
		return table_line(w, line, number);
	if (is_xml_begin(line)) /* the same event once more, with a better time */
		return xml_line(w, line, number);
	if (text_head(w, line, number))
		return CLAIM_STRONG;
	if (span_starts(line, "Event[")) { /* wevtutil's next */
		text_finish(w);
		return CLAIM_STRONG;
	}
	return text_line(w, line, number);
}

static void windows_end(void *state)
{
	struct windows *w = state;
	if (w->stage == WINDOWS_XML)
		xml_finish(w);
	else if (w->stage == WINDOWS_TABLE)
		table_finish(w);
	text_finish(w);
	if (w->backlog != NULL)
		backlog_tell(w->backlog, tell, w);
	backlog_free(w->backlog);
	w->backlog = NULL;
	held_end(&w->held);
}

const struct reader reader_windows = {
        .source = SOURCE_WINDOWS_EVENTS,
        .state_bytes = sizeof(struct windows),
        .begin = windows_begin,
        .line = windows_line,
        .end = windows_end,
};
