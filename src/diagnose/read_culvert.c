/* What our own programs write: JSON lines of `culvert --events` and of culvertd with `logging format json`,
 * what culvert prints, and what `culvert dart` gathers (its event log is DART text: read_dart.c). */
#include <jansson.h>
#include <stdlib.h>

#include "base/parse.h"
#include "base/util.h"
#include "diagnose/client_words.h"
#include "diagnose/flat_json.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define MESSAGE_MAX_BYTES 4096
#define STATUS_MAX_BYTES  8192 /* of a status with all its fields */
#define NEAR_LINES        100 /* lines that others may write too are ours when one of ours is not farther away */
#define SECTION_MAX_LINES 3000 /* of what the bundle has beside the log */

/* ---- JSON lines ---- */

struct culvert_events {
	const struct sink *sink;
	struct file_hint hint;
	struct client_words words;
	void *syslog; /* state of reader_syslog, for what culvertd logs; owned */
	struct sink syslog_sink;
	struct span line; /* the line of the moment, as it stands in the file */
	char message[MESSAGE_MAX_BYTES];
};

/* A line's members. */
struct culvert_line {
	struct span t, program, source, id, text;
};

static void events_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct culvert_events *c = state;
	c->sink = sink;
	c->hint = *hint;
	c->hint.name = NULL; /* not ours to keep */
	client_words_begin(&c->words, sink);
}

static bool line_parse(struct span line, struct culvert_line *ret)
{
	struct span rest = span_skip(line, 1);
	struct flat_field f;
	*ret = (struct culvert_line){0};
	while (flat_json_next(&rest, &f)) {
		if (span_is(f.key, "t"))
			ret->t = f.value;
		else if (span_is(f.key, "program"))
			ret->program = f.value;
		else if (span_is(f.key, "source"))
			ret->source = f.value;
		else if (span_is(f.key, "id"))
			ret->id = f.value;
		else if (span_is(f.key, "text"))
			ret->text = f.value;
	}
	return ret->t.n > 0 && ret->text.n > 0;
}

static void client_event(struct culvert_events *c, const struct culvert_line *l, uint32_t number)
{
	struct event e = {.source = SOURCE_CULVERT_EVENTS, .line = number, .at_ms = TIME_NONE};
	struct span t = l->t;
	struct when when;
	if (when_iso(&t, &when)) {
		e.at_ms = when.at_ms;
		e.has_zone = when.has_zone;
	}
	size_t n = flat_json_decode(l->text, c->message, sizeof(c->message));
	e.text = span_of(c->message, n);
	(void)client_words_say(&c->words, &e, e.text);
}

/* The evidence is the line of the file, not what was made of it. */
static void on_syslog_event(void *ctx, const struct event *e)
{
	struct culvert_events *c = ctx;
	struct event now = *e;
	now.text = c->line;
	c->sink->on_event(c->sink->ctx, &now);
}

static void on_syslog_fact(void *ctx, const struct fact *f)
{
	struct culvert_events *c = ctx;
	c->sink->on_fact(c->sink->ctx, f);
}

static bool syslog_open(struct culvert_events *c)
{
	if (c->syslog != NULL)
		return true;
	c->syslog = calloc(1, reader_syslog.state_bytes);
	if (c->syslog == NULL)
		return false;
	c->hint.name = "";
	c->syslog_sink = (struct sink){.on_event = on_syslog_event, .on_fact = on_syslog_fact, .ctx = c};
	reader_syslog.begin(c->syslog, &c->hint, &c->syslog_sink);
	return true;
}

static size_t put(struct culvert_events *c, size_t n, struct span s)
{
	memcpy(c->message + n, s.p, s.n);
	return n + s.n;
}

/* "%ASA-6-722022" and the text are one message in every other format. */
static void gateway_event(struct culvert_events *c, const struct culvert_line *l, uint32_t number)
{
	size_t n = 0;
	if (l->id.n < 5 || l->id.p[0] != '%' || l->id.n > 32 || l->t.n > 40 || !syslog_open(c))
		return;
	n = put(c, n, l->t);
	n = put(c, n, span_str(" "));
	n = put(c, n, l->id);
	n = put(c, n, span_str(": "));
	n += flat_json_decode(l->text, c->message + n, sizeof(c->message) - n);
	(void)reader_syslog.line(c->syslog, span_of(c->message, n), number);
}

static void syslog_close(struct culvert_events *c)
{
	if (c->syslog != NULL)
		reader_syslog.end(c->syslog);
	free(c->syslog);
	c->syslog = NULL;
}

static enum claim events_line(void *state, struct span line, uint32_t number)
{
	struct culvert_events *c = state;
	struct culvert_line l;
	if (line.n < 20 || line.p[0] != '{' || !span_starts(line, "{\"t\":") || !line_parse(line, &l))
		return CLAIM_NO;
	c->line = line;
	if (span_is(l.source, "culvert"))
		client_event(c, &l, number);
	else if (span_is(l.program, "culvertd"))
		gateway_event(c, &l, number);
	else
		return CLAIM_NO;
	return CLAIM_STRONG;
}

static void events_end(void *state)
{
	syslog_close(state);
}

const struct reader reader_culvert_events = {
        .source = SOURCE_CULVERT_EVENTS,
        .state_bytes = sizeof(struct culvert_events),
        .begin = events_begin,
        .line = events_line,
        .end = events_end,
};

/* ---- what culvert prints, and its bundle ---- */

struct culvert_client {
	const struct sink *sink;
	struct client_words words;
	uint32_t last_line;    /* of something only culvert writes; 0: none */
	uint32_t shown_line;   /* of a sentence for the user, whoever's; 0: none */
	uint32_t section_line; /* of a part of the bundle */
	uint32_t status_line;  /* of the first line of a status; 0: none is open */
	char status[STATUS_MAX_BYTES];
	size_t n;
};

static void client_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct culvert_client *c = state;
	(void)hint;
	c->sink = sink;
	client_words_begin(&c->words, sink);
}

static struct ip_addr address_of(const json_t *o, const char *key)
{
	struct ip_addr a;
	const char *text = json_string_value(json_object_get(o, key));
	return text != NULL && addr_parse(span_str(text), &a) == 0 ? a : (struct ip_addr){0};
}

static uint32_t number_of(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));
	return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static bool is_up(const json_t *tunnel)
{
	const char *state = json_string_value(json_object_get(tunnel, "state"));
	return state != NULL && strcmp(state, "up") == 0;
}

static void status_say(struct culvert_client *c, const json_t *o)
{
	const json_t *tls = json_object_get(o, "tls"), *dtls = json_object_get(o, "dtls");
	struct event e = {.kind = EVENT_SNAPSHOT,
	        .source = SOURCE_CULVERT_CLIENT,
	        .line = c->status_line,
	        .at_ms = TIME_NONE};
	e.has_tls = is_up(tls);
	e.has_dtls = is_up(dtls);
	e.size = number_of(o, "connected_s");
	e.user = span_str(json_string_value(json_object_get(o, "user")));
	e.inner = address_of(o, "inner4");
	if (!addr_is_set(&e.inner))
		e.inner = address_of(o, "inner6");
	e.peer = address_of(o, "gateway");
	e.text = span_of(c->status, c->n);
	c->sink->on_event(c->sink->ctx, &e);
	e.kind = EVENT_MTU;
	e.has_tls = e.has_dtls = false;
	e.size = number_of(tls, "mtu");
	e.limit = number_of(dtls, "mtu");
	e.adapter = number_of(o, "adapter_mtu");
	if (e.size || e.limit || e.adapter)
		c->sink->on_event(c->sink->ctx, &e);
}

static void status_finish(struct culvert_client *c)
{
	json_t *o = json_loadb(c->status, c->n, 0, NULL);
	if (json_is_object(o) && json_is_object(json_object_get(o, "tls")) &&
	        json_is_object(json_object_get(o, "dtls")))
		status_say(c, o);
	json_decref(o);
	c->status_line = 0;
	c->n = 0;
}

static bool status_add(struct culvert_client *c, struct span s)
{
	if (s.n >= sizeof(c->status) - c->n)
		return false;
	memcpy(c->status + c->n, s.p, s.n);
	c->n += s.n;
	c->status[c->n++] = ' ';
	return true;
}

/* `culvert status --json` on one line, or on many as in the bundle: there "state" is the first member. */
static enum claim status_line(struct culvert_client *c, struct span line, uint32_t number)
{
	if (c->status_line == 0 && span_starts(line, "{\"state\":")) {
		c->status_line = number;
		if (status_add(c, line))
			status_finish(c);
		c->status_line = 0;
		c->n = 0;
		return CLAIM_STRONG;
	}
	if (c->status_line == 0 && span_starts(line, "  \"state\": \"")) {
		c->status_line = number;
		c->n = 0;
		(void)status_add(c, span_str("{"));
		(void)status_add(c, line);
		return CLAIM_STRONG;
	}
	if (c->status_line == 0)
		return CLAIM_NO;
	bool is_end = line.p[0] == '}', is_member = line.p[0] == ' ' || is_end;
	if (!is_member || !status_add(c, line)) {
		c->status_line = 0;
		return CLAIM_NO;
	}
	if (is_end)
		status_finish(c);
	return CLAIM_STRONG;
}

/* Heads of what the bundle has beside the log; nothing in them is of use here, but they are known. */
static bool is_section_head(struct span line)
{
	static const char *const heads[] = {"Culvert diagnostic bundle, made ", "Culvert Version ",
	        "$ ip address show", "$ ip -s link show", "$ ip -4 route show", "$ ip -6 route show",
	        "$ ip rule show", "# /etc/resolv.conf", "# /etc/hosts", "culvert 0.", "culvert 1."};
	for (size_t i = 0; i < N_ELEM(heads); i++)
		if (span_starts(line, heads[i]))
			return true;
	return false;
}

/* "culvert: Warning: MESSAGE", or "culvert: MESSAGE" of an error. */
static bool cut_program(struct span *s)
{
	static const char *const heads[] = {
	        "culvert: Information: ", "culvert: Warning: ", "culvert: Error: ", "culvert: "};
	for (size_t i = 0; i < N_ELEM(heads); i++)
		if (span_starts(*s, heads[i])) {
			*s = span_skip(*s, strlen(heads[i]));
			return true;
		}
	return false;
}

/* What culvert shows to its user. Cisco's client logs the same sentences, each in a block of its own; bare
 * and one below the other only culvert prints them. */
enum shown {
	SHOWN_NOT,
	SHOWN_SHARED, /* openconnect has sentences that begin like it */
	SHOWN_CISCO,
	SHOWN_OWN,
};

static enum shown shown_of(struct span line)
{
	static const struct {
		const char *head;
		enum shown how;
	} sentences[] = {
	        {"UDP lost, continuing over TLS.", SHOWN_OWN},
	        {"UDP back.", SHOWN_OWN},
	        {"Detached; the session stays", SHOWN_OWN},
	        {"Establishing VPN session...", SHOWN_CISCO},
	        {"Establishing VPN - ", SHOWN_CISCO},
	        {"User credentials entered.", SHOWN_CISCO},
	        {"Disconnect in progress, please wait...", SHOWN_CISCO},
	        {"Contacting ", SHOWN_SHARED},
	        {"Connected to ", SHOWN_SHARED},
	        {"Reconnecting to ", SHOWN_SHARED},
	};
	for (size_t i = 0; i < N_ELEM(sentences); i++)
		if (span_starts(line, sentences[i].head))
			return sentences[i].how;
	return SHOWN_NOT;
}

static enum claim printed_line(struct culvert_client *c, struct span line, uint32_t number)
{
	struct span message = line;
	enum shown how = cut_program(&message) ? SHOWN_OWN : shown_of(line);
	if (how == SHOWN_NOT)
		return CLAIM_NO;
	bool is_below = c->shown_line != 0 && number == c->shown_line + 1;
	bool is_near = c->last_line != 0 && number - c->last_line <= NEAR_LINES;
	bool is_own = how == SHOWN_OWN || (how == SHOWN_CISCO && (is_below || is_near));
	c->shown_line = number;
	if (is_own)
		c->last_line = number;
	const struct event e = {
	        .source = SOURCE_CULVERT_CLIENT, .line = number, .at_ms = TIME_NONE, .text = line};
	(void)client_words_say(&c->words, &e, message);
	return is_own ? CLAIM_STRONG : CLAIM_WEAK;
}

static enum claim client_line(void *state, struct span line, uint32_t number)
{
	struct culvert_client *c = state;
	bool is_section = c->section_line != 0 && number - c->section_line <= SECTION_MAX_LINES;
	if (line.n == 0)
		return is_section ? CLAIM_WEAK : CLAIM_NO;
	enum claim claim = status_line(c, line, number);
	if (claim == CLAIM_NO)
		claim = printed_line(c, line, number);
	if (claim == CLAIM_NO && is_section_head(line)) {
		c->section_line = number;
		claim = CLAIM_STRONG;
	}
	return claim == CLAIM_NO && is_section ? CLAIM_WEAK : claim;
}

static void client_end(void *state)
{
	struct culvert_client *c = state;
	c->status_line = 0;
	c->n = 0;
}

const struct reader reader_culvert_client = {
        .source = SOURCE_CULVERT_CLIENT,
        .state_bytes = sizeof(struct culvert_client),
        .begin = client_begin,
        .line = client_line,
        .end = client_end,
};
