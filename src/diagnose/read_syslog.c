/* Syslog of ASA, FTD and culvertd. */
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/reader.h"
#include "diagnose/syslog_head.h"
#include "diagnose/syslog_treat.h"

#define HELD_MAX   2048 /* bytes of a message that is broken over several lines */
#define PIECES_MAX 6    /* lines of it */
#define PLAIN_MAX  2048 /* bytes of a message whose quoting is undone */
#define HEAD_MAX   120  /* bytes of a quoted field in front of the message that are shown as evidence */

struct kept {
	uint32_t number; /* of its last line in the file; 0: none */
	uint32_t pieces;
	size_t n;
	uint8_t bytes[HELD_MAX];
};

struct syslog {
	const struct sink *sink;
	int64_t written_at_ms;
	bool is_listing;  /* the head of "show logging" was seen; its lines follow */
	struct kept held; /* a message whose end may be on the next line */
	struct kept last; /* the last message of interest, for "last message repeated" */
	struct syslog_memory memory;
};

static void syslog_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct syslog *s = state;
	s->sink = sink;
	s->written_at_ms = hint->written_at_ms;
}

/* ---- quoting ---- */

/* Escapes of JSON and HTML, in which a collector may have wrapped the message. */
static struct span plain_text(struct span text, bool is_quoted, uint8_t buf[static PLAIN_MAX])
{
	static const struct {
		const char *from;
		uint8_t to;
		bool is_json;
	} escapes[] = {{"&lt;", '<', false}, {"&gt;", '>', false}, {"&amp;", '&', false},
	        {"\\u003c", '<', true}, {"\\u003e", '>', true}, {"\\\\", '\\', true}, {"\\\"", '"', true},
	        {"\"\"", '"', true}, {"\\=", '=', true}, {"\\|", '|', true}};
	size_t n = 0;
	if (!is_quoted && memmem(text.p, text.n, "&lt;", 4) == NULL)
		return text;
	while (text.n > 0 && n < PLAIN_MAX) {
		size_t i = 0;
		while (i < N_ELEM(escapes) &&
		        ((escapes[i].is_json && !is_quoted) || !span_starts(text, escapes[i].from)))
			i++;
		buf[n++] = i < N_ELEM(escapes) ? escapes[i].to : text.p[0];
		text = span_skip(text, i < N_ELEM(escapes) ? strlen(escapes[i].from) : 1);
	}
	return span_of(buf, n);
}

/* ---- one message ---- */

/* `no logging hide username` is not the default: the user of a failed login is "*****". */
static bool is_masked(struct span user)
{
	for (size_t i = 0; i < user.n; i++)
		if (user.p[i] != '*')
			return false;
	return true;
}

struct message {
	struct syslog_head head;
	struct span line; /* all of it, for the evidence */
	uint32_t number, times;
};

static void emit(struct syslog *s, const struct message *m, const struct event *e)
{
	for (uint32_t i = 0; i < m->times; i++)
		s->sink->on_event(s->sink->ctx, e);
}

/* Of a record of a collector only the field is shown: the message may stand far behind in the line. */
static struct span evidence_of(const struct message *m)
{
	struct span before = m->head.before;
	size_t n = 0;
	if (!m->head.is_quoted)
		return m->line;
	while (n < before.n && before.p[before.n - n - 1] != '"')
		n++;
	if (n > HEAD_MAX)
		n = 0;
	const uint8_t *from = before.p + before.n - n;
	return span_of(from, (size_t)(m->head.text.p + m->head.text.n - from));
}

/* False: no row has such a text. */
static bool decode(struct syslog *s, const struct message *m)
{
	uint8_t buf[PLAIN_MAX];
	size_t n;
	const struct syslog_row *rows = syslog_rows(m->head.id, &n);
	struct span text = plain_text(m->head.text, m->head.is_quoted || m->head.is_cef, buf);
	for (size_t i = 0; i < n; i++) {
		struct event e = {.kind = rows[i].kind,
		        .source = SOURCE_ASA_SYSLOG,
		        .tunnel = rows[i].tunnel,
		        .reason = rows[i].reason,
		        .is_to_client = rows[i].is_to_client,
		        .line = m->number,
		        .text = evidence_of(m)};
		struct syslog_words w = {0};
		if (rows[i].is_culvert != (m->head.family == SYSLOG_CULVERT) ||
		        !syslog_match(rows[i].pattern, text, &e, &w))
			continue;
		struct syslog_origin o = syslog_head_origin(&m->head, s->written_at_ms);
		e.at_ms = o.at_ms;
		e.has_zone = o.has_zone;
		e.device = o.device;
		if (is_masked(e.user))
			e.user = (struct span){0};
		if (syslog_treat(&s->memory, &rows[i], &e, &w))
			emit(s, m, &e);
		return true;
	}
	return false;
}

static void keep(struct kept *k, struct span line, uint32_t number)
{
	k->number = 0;
	if (line.n > sizeof(k->bytes))
		return;
	if (line.n > 0 && line.p != k->bytes)
		memcpy(k->bytes, line.p, line.n);
	k->n = line.n;
	k->number = number;
	k->pieces = 1;
}

static void take_message(struct syslog *s, const struct message *m)
{
	s->held.number = 0;
	s->last.number = 0;
	if (decode(s, m))
		keep(&s->last, m->line, m->number);
	else
		keep(&s->held, m->line, m->number);
}

/* ---- lines without a message of their own ---- */

/* The held message and the line, with or without a blank between them. */
static bool decode_joined(struct syslog *s, struct span line, uint32_t number, bool has_blank)
{
	uint8_t buf[HELD_MAX + 1];
	struct message m = {.number = number - s->held.pieces};
	size_t n = s->held.n;
	if (n + line.n + 1 > sizeof(buf))
		return false;
	memcpy(buf, s->held.bytes, n);
	if (has_blank)
		buf[n++] = ' ';
	memcpy(buf + n, line.p, line.n);
	m.line = span_of(buf, n + line.n);
	if (!syslog_head_find(m.line, &m.head))
		return false;
	m.times = syslog_head_trim(&m.head);
	if (!decode(s, &m))
		return false;
	keep(&s->last, m.line, number);
	return true;
}

static bool is_word_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static void hold_more(struct kept *k, struct span line, uint32_t number)
{
	bool has_blank = k->n > 0 && !is_word_char(k->bytes[k->n - 1]);
	uint32_t pieces = k->pieces + 1;
	if (k->n + line.n + 1 > sizeof(k->bytes)) {
		k->number = 0;
		return;
	}
	if (has_blank)
		k->bytes[k->n++] = ' ';
	memcpy(k->bytes + k->n, line.p, line.n);
	k->n += line.n;
	k->number = number;
	k->pieces = pieces;
}

static enum claim continue_held(struct syslog *s, struct span line, uint32_t number)
{
	line = span_trim(line);
	if (s->held.number == 0 || number != s->held.number + 1 || line.n == 0 ||
	        s->held.pieces >= PIECES_MAX)
		return CLAIM_NO;
	if (decode_joined(s, line, number, false) || decode_joined(s, line, number, true)) {
		s->held.number = 0;
		return CLAIM_STRONG;
	}
	hold_more(&s->held, line, number);
	return CLAIM_WEAK;
}

/* The message again, at the time of the line that says so when it has one. */
static enum claim repeat_last(struct syslog *s, struct span line, uint32_t number)
{
	struct message m = {.line = line, .number = number};
	struct span before;
	if (s->last.number == 0 || number != s->last.number + 1)
		return CLAIM_NO;
	m.times = syslog_head_repeats(line, &before);
	if (m.times == 0 || !syslog_head_find(span_of(s->last.bytes, s->last.n), &m.head))
		return CLAIM_NO;
	(void)syslog_head_trim(&m.head);
	const struct syslog_head own = {.before = before};
	if (syslog_head_origin(&own, s->written_at_ms).at_ms != TIME_NONE)
		m.head.before = before;
	(void)decode(s, &m);
	s->last.number = number;
	return CLAIM_STRONG;
}

/* The head of `show logging`, and a prompt that asks for it. */
static enum claim take_listing(struct syslog *s, struct span line)
{
	struct span device, command;
	if (span_starts(line, "Syslog logging: ")) {
		s->is_listing = true;
		return CLAIM_STRONG;
	}
	if (s->is_listing && span_starts(line, "    ") && memmem(line.p, line.n, ": ", 2) != NULL)
		return CLAIM_WEAK;
	if (cli_prompt(line, &device, &command) && cli_word(&command, "show", 2) &&
	        cli_word(&command, "logging", 3))
		return CLAIM_STRONG;
	return CLAIM_NO;
}

static enum claim take_line(struct syslog *s, struct span line, uint32_t number)
{
	struct message m = {.line = line, .number = number};
	size_t n;
	if (!syslog_head_find(line, &m.head)) {
		line = cli_clean(line);
		enum claim c = continue_held(s, line, number);
		if (c == CLAIM_NO)
			c = repeat_last(s, line, number);
		return c != CLAIM_NO ? c : take_listing(s, line);
	}
	if (syslog_rows(m.head.id, &n) == NULL) {
		s->held.number = s->last.number = 0;
		return CLAIM_STRONG;
	}
	m.times = syslog_head_trim(&m.head);
	take_message(s, &m);
	return CLAIM_STRONG;
}

/* Bytes up to the comma between two records of a list: "},{" or "}, {"; all when there is none. */
static size_t record_end(struct span line)
{
	struct span rest = line;
	const uint8_t *at;
	while (rest.n > 2 && (at = memchr(rest.p, '}', rest.n)) != NULL) {
		rest = span_skip(rest, (size_t)(at - rest.p) + 1);
		if (span_starts(rest, ",{") || span_starts(rest, ", {"))
			return (size_t)(rest.p - line.p);
	}
	return line.n;
}

/* A line that is a list of records (JSON of a search) has many messages, each with its own time. */
static enum claim syslog_line(void *state, struct span line, uint32_t number)
{
	struct syslog *s = state;
	enum claim best = CLAIM_NO;
	bool is_list = line.n > 0 && (line.p[0] == '{' || line.p[0] == '[' || line.p[0] == ',');
	if (!is_list)
		return take_line(s, line, number);
	while (line.n > 0) {
		size_t n = record_end(line);
		enum claim c = take_line(s, span_of(line.p, n), number);
		best = c > best ? c : best;
		line = span_skip(line, n);
	}
	return best;
}

static void syslog_end(void *state)
{
	struct syslog *s = state;
	s->held.number = s->last.number = 0;
	s->is_listing = false;
}

const struct reader reader_syslog = {
        .source = SOURCE_ASA_SYSLOG,
        .state_bytes = sizeof(struct syslog),
        .begin = syslog_begin,
        .line = syslog_line,
        .end = syslog_end,
};
