/* Syslog of ASA, FTD and culvertd. */
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/debug_line.h"
#include "diagnose/reader.h"
#include "diagnose/syslog_head.h"
#include "diagnose/syslog_recent.h"
#include "diagnose/syslog_table.h"

#define HELD_MAX      2048 /* bytes of a message that is broken over several lines */
#define PIECES_MAX    6    /* lines of it */
#define PLAIN_MAX     2048 /* bytes of a message whose quoting is undone */
#define SAME_UP_MS    2000
#define SAME_END_MS   5000
#define SAME_AUTH_MS  3000
#define FAILED_MAX_MS 2000 /* from 725006 to its 725014 */

struct kept {
	uint32_t number; /* of its last line in the file; 0: none */
	uint32_t pieces;
	size_t n;
	uint8_t bytes[HELD_MAX];
};

struct syslog {
	const struct sink *sink;
	int64_t written_at_ms;
	bool is_listing;       /* the head of "show logging" was seen; its lines follow */
	struct kept held;      /* a message whose end may be on the next line */
	struct kept last;      /* the last message of interest, for "last message repeated" */
	struct ip_addr failed; /* client of the last 725006 */
	int64_t failed_at_ms;  /* of that */
	uint32_t failed_line;  /* of that, 0: none */
	struct syslog_recent recent;
};

static void syslog_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct syslog *s = state;
	s->sink = sink;
	s->written_at_ms = hint->written_at_ms;
}

/* ---- what a message means, beyond its row ---- */

static bool is_known_reason(const struct event *e)
{
	return e->reason != REASON_UNKNOWN;
}

/* False: told before. */
static bool is_new_end(struct syslog *s, struct event *e)
{
	uint8_t before;
	bool is_told = syslog_recent_has(&s->recent, TOPIC_END, e, SAME_END_MS, &before);
	if (is_told && (before == e->reason || !is_known_reason(e)))
		return false;
	syslog_recent_put(&s->recent, TOPIC_END, e);
	return true;
}

/* 113019 tells the end of every kind of VPN. */
static bool is_of_client(struct span session_type)
{
	static const char *const others[] = {"LAN-to-LAN", "IPsecLAN2LAN", "IPSecLAN2LAN"};
	for (size_t i = 0; i < N_ELEM(others); i++)
		if (span_starts(session_type, others[i]))
			return false;
	return true;
}

static bool treat_end(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	if (!is_of_client(w->x))
		return false;
	if (!is_known_reason(e))
		e->reason = syslog_reason(e->cause);
	return is_new_end(s, e);
}

static bool treat_up(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)w;
	if (e->kind == EVENT_TUNNEL_REPLACED && e->tunnel == TUNNEL_UNKNOWN)
		e->tunnel = TUNNEL_TLS; /* releases that do not say had this message for TLS only */
	syslog_recent_put(&s->recent, TOPIC_UP, e);
	return true;
}

static bool treat_up_again(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	return !syslog_recent_has(&s->recent, TOPIC_UP, e, SAME_UP_MS, &reason);
}

static bool treat_closing(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)w;
	e->reason = syslog_reason(e->cause);
	if (e->reason == REASON_DPD)
		e->kind = EVENT_DPD_DEAD;
	syslog_recent_put(&s->recent, TOPIC_CLOSING, e);
	return true;
}

static bool treat_closed(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	if (syslog_recent_has(&s->recent, TOPIC_CLOSING, e, SAME_UP_MS, &reason))
		e->reason = reason;
	return true;
}

static bool treat_reason(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)s;
	(void)w;
	e->reason = syslog_reason(e->cause);
	return true;
}

static bool treat_rejected(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	/* "Authentication: rejected" has no reason of its own */
	if (span_starts(e->cause, "rejected") || span_starts(e->cause, "Session Type")) {
		if (syslog_recent_has(&s->recent, TOPIC_REJECTED, e, SAME_AUTH_MS, &reason))
			return false;
	}
	syslog_recent_put(&s->recent, TOPIC_REJECTED, e);
	return true;
}

static bool treat_said(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)w;
	if (!syslog_said(e->cause, &e->kind, &e->reason))
		return false;
	return e->kind != EVENT_SESSION_END || is_new_end(s, e);
}

/* Strangers try old protocols on every public address; only what a client of ours may meet is told. */
static bool treat_ssl_error(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	static const char *const words[] = {
	        "no shared cipher", "unsupported protocol", "no ciphers", "version too low"};
	(void)w;
	for (size_t i = 0; i < N_ELEM(words); i++) {
		if (memmem(e->cause.p, e->cause.n, words[i], strlen(words[i])) == NULL)
			continue;
		bool is_near = s->failed_line != 0 && e->line - s->failed_line <= 2 &&
		               (e->at_ms == TIME_NONE || e->at_ms - s->failed_at_ms <= FAILED_MAX_MS);
		if (is_near)
			e->public_ip = s->failed;
		return true;
	}
	return false;
}

static bool treat_ssl_failed(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)w;
	s->failed = e->public_ip;
	s->failed_at_ms = e->at_ms;
	s->failed_line = e->line;
	return e->tunnel == TUNNEL_DTLS;
}

static bool treat_debug(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	bool is_final;
	(void)s;
	(void)w;
	return debug_line_mtu(e->cause, e, &is_final) && is_final;
}

static bool treat_switch(struct syslog *s, struct event *e, const struct syslog_words *w)
{
	(void)s;
	e->tunnel = TUNNEL_DTLS;
	if (span_is(w->y, "dtls")) {
		e->kind = EVENT_TUNNEL_UP;
		return !span_is(w->x, "none");
	}
	return span_is(w->y, "tls") && (span_is(w->x, "dtls") || span_is(w->x, "both"));
}

/* False: the message is understood and of no use. */
static bool treat(
        struct syslog *s, const struct syslog_row *row, struct event *e, const struct syslog_words *w)
{
	static bool (*const ways[])(struct syslog *, struct event *, const struct syslog_words *) = {
	        [HOW_REASON] = treat_reason,
	        [HOW_UP] = treat_up,
	        [HOW_UP_AGAIN] = treat_up_again,
	        [HOW_CLOSING] = treat_closing,
	        [HOW_CLOSED] = treat_closed,
	        [HOW_END] = treat_end,
	        [HOW_REJECTED] = treat_rejected,
	        [HOW_SAID] = treat_said,
	        [HOW_SSL_ERROR] = treat_ssl_error,
	        [HOW_SSL_FAILED] = treat_ssl_failed,
	        [HOW_DEBUG] = treat_debug,
	        [HOW_SWITCH] = treat_switch,
	};
	if (ways[row->how] == NULL)
		return true;
	return ways[row->how](s, e, w);
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
	        {"\"\"", '"', true}};
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

/* False: no row has such a text. */
static bool decode(struct syslog *s, const struct message *m)
{
	uint8_t buf[PLAIN_MAX];
	size_t n;
	const struct syslog_row *rows = syslog_rows(m->head.id, &n);
	struct span text = plain_text(m->head.text, m->head.is_quoted, buf);
	for (size_t i = 0; i < n; i++) {
		struct event e = {.kind = rows[i].kind,
		        .source = SOURCE_ASA_SYSLOG,
		        .tunnel = rows[i].tunnel,
		        .reason = rows[i].reason,
		        .is_to_client = rows[i].is_to_client,
		        .line = m->number,
		        .text = m->line};
		struct syslog_words w = {0};
		if (rows[i].is_culvert != (m->head.family == SYSLOG_CULVERT) ||
		        !syslog_match(rows[i].pattern, text, &e, &w))
			continue;
		struct syslog_origin o = syslog_head_origin(m->head.before, s->written_at_ms);
		e.at_ms = o.at_ms;
		e.has_zone = o.has_zone;
		e.device = o.device;
		if (is_masked(e.user))
			e.user = (struct span){0};
		if (treat(s, &rows[i], &e, &w))
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
	if (syslog_head_origin(before, s->written_at_ms).at_ms != TIME_NONE)
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

static enum claim syslog_line(void *state, struct span line, uint32_t number)
{
	struct syslog *s = state;
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
