/* What openconnect prints with -v, with or without --timestamp, in syslog, and in the window of
 * openconnect-gui. Seen with version 9.01; the sentences of 3 to 8 differ little. */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/end_words.h"
#include "diagnose/facility.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define NAME_MAX_BYTES 128
#define NEAR_LINES     200 /* its lines are known for its own while one of its sentences is not farther away */

enum oc_phase { OC_IDLE, OC_UP, OC_BROKEN, OC_LOST };

struct openconnect {
	const struct sink *sink;
	int64_t written_at_ms;
	uint32_t last_line; /* of a sentence that only openconnect says; 0: none */
	uint8_t phase;      /* enum oc_phase */
	bool is_unreachable, is_rejected;
	bool is_ocserv;             /* what the gateway says of itself */
	uint32_t handshake_line;    /* "DTLS handshake timed out", which a second line repeats */
	uint32_t dpd_s[3];          /* by enum tunnel_kind, as last said */
	uint32_t tls_mtu, dtls_mtu; /* of the CONNECT answer that is being printed */
	struct ip_addr gateway, inner;
	char user[NAME_MAX_BYTES], device[NAME_MAX_BYTES], cipher[NAME_MAX_BYTES], farewell[NAME_MAX_BYTES];
};

struct oc_said {
	struct openconnect *o;
	struct span line, message;
	struct pattern_match m;
	struct when when;
	uint32_t number;
};

static void openconnect_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct openconnect *o = state;
	o->sink = sink;
	o->written_at_ms = hint->written_at_ms;
}

static void keep(char *name, struct span s)
{
	if (s.n >= NAME_MAX_BYTES)
		s.n = NAME_MAX_BYTES - 1;
	if (s.n == 0 || parse_name(s, name, NAME_MAX_BYTES) != 0)
		name[0] = '\0';
}

static void emit(const struct oc_said *s, struct event e)
{
	const struct openconnect *o = s->o;
	e.source = SOURCE_OPENCONNECT;
	e.line = s->number;
	e.at_ms = s->when.at_ms;
	e.has_zone = s->when.has_zone;
	e.text = s->line;
	e.user = span_str(o->user);
	e.device = span_str(o->device);
	e.inner = o->inner;
	e.peer = o->gateway;
	o->sink->on_event(o->sink->ctx, &e);
}

/* Said at each reconnect again; once is enough. */
static void emit_dpd(const struct oc_said *s, enum tunnel_kind tunnel, uint32_t interval_s)
{
	struct openconnect *o = s->o;
	const struct fact f = {.kind = o->is_ocserv ? FACT_OCSERV_DPD : FACT_DPD_CLIENT,
	        .source = SOURCE_OPENCONNECT,
	        .number = interval_s,
	        .line = s->number,
	        .text = span_str(tunnel == TUNNEL_DTLS ? "dtls" : "tls"),
	        .raw = s->line};
	if (o->dpd_s[tunnel] != interval_s)
		o->sink->on_fact(o->sink->ctx, &f);
	o->dpd_s[tunnel] = interval_s;
}

/* ---- what a sentence does ---- */

static void on_nothing(struct oc_said *s)
{
	(void)s;
}

static void on_dial(struct oc_said *s)
{
	s->o->gateway = s->m.a[0];
	s->o->is_unreachable = s->o->is_rejected = false;
}

static void on_user(struct oc_said *s)
{
	keep(s->o->user, s->m.s[0]);
}

static void on_https(struct oc_said *s)
{
	keep(s->o->cipher, s->m.s[1]);
}

static void on_answer(struct oc_said *s)
{
	s->o->tls_mtu = s->o->dtls_mtu = 0;
	s->o->is_ocserv = false;
}

static void on_server_name(struct oc_said *s)
{
	s->o->is_ocserv = span_starts(s->m.rest, "ocserv");
}

static void on_tls_mtu(struct oc_said *s)
{
	s->o->tls_mtu = s->m.n[0];
}

static void on_dtls_mtu(struct oc_said *s)
{
	s->o->dtls_mtu = s->m.n[0];
}

static void on_address(struct oc_said *s)
{
	s->o->inner = s->m.a[0];
}

/* Why the gateway does not give a tunnel. */
static void on_refusal(struct oc_said *s)
{
	uint8_t kind = is_pool_exhausted(s->m.rest) ? EVENT_POOL_EXHAUSTED : EVENT_TUNNEL_FAILED;
	emit(s, (struct event){.kind = kind, .tunnel = TUNNEL_TLS, .cause = span_trim(s->m.rest)});
}

static void session_end(struct oc_said *s, enum end_reason reason, struct span cause)
{
	if (s->o->phase != OC_IDLE)
		emit(s, (struct event){.kind = EVENT_SESSION_END, .reason = (uint8_t)reason, .cause = cause});
	s->o->phase = OC_IDLE;
	s->o->inner = (struct ip_addr){0};
	s->o->farewell[0] = '\0';
}

/* 401: the cookie is not accepted (any more). */
static void on_bad_answer(struct oc_said *s)
{
	if (s->m.n[0] == 401 && s->o->phase != OC_IDLE)
		session_end(s, REASON_ERROR, s->message);
	else
		on_refusal(s);
}

static void on_cstp(struct oc_said *s)
{
	struct openconnect *o = s->o;
	emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = TUNNEL_TLS, .cause = span_str(o->cipher)});
	if (o->tls_mtu || o->dtls_mtu)
		emit(s, (struct event){.kind = EVENT_MTU, .size = o->tls_mtu, .limit = o->dtls_mtu});
	emit_dpd(s, TUNNEL_TLS, s->m.n[0]);
	if (o->phase == OC_BROKEN || o->phase == OC_LOST)
		emit(s, (struct event){.kind = EVENT_SESSION_RESUMED});
	if (o->phase != OC_IDLE)
		o->phase = OC_UP;
}

static void on_dtls_times(struct oc_said *s)
{
	emit_dpd(s, TUNNEL_DTLS, s->m.n[0]);
}

static void on_configured(struct oc_said *s)
{
	s->o->inner = s->m.a[0];
	if (s->o->phase == OC_IDLE)
		emit(s, (struct event){.kind = EVENT_CONNECTED});
	s->o->phase = OC_UP;
}

static void on_connected_old(struct oc_said *s)
{
	s->o->inner = s->m.a[s->m.count - 1];
	if (s->o->phase == OC_IDLE)
		emit(s, (struct event){.kind = EVENT_CONNECTED});
	s->o->phase = OC_UP;
}

static void on_dtls_up(struct oc_said *s)
{
	struct span cipher = span_trim_end(span_behind(s->message, "Ciphersuite "), ". ");
	emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = TUNNEL_DTLS, .cause = cipher});
}

static void on_dtls_timeout(struct oc_said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_FAILED, .tunnel = TUNNEL_DTLS, .cause = s->message});
	s->o->handshake_line = s->number;
}

static void on_dtls_failed(struct oc_said *s)
{
	bool is_echo = s->o->handshake_line != 0 && s->number - s->o->handshake_line <= 2;
	uint8_t kind = is_cipher_mismatch(s->message) ? EVENT_CIPHER_MISMATCH : EVENT_TUNNEL_FAILED;
	if (!is_echo)
		emit(s, (struct event){.kind = kind, .tunnel = TUNNEL_DTLS, .cause = s->message});
}

/* Twice the DPD interval without an answer; TLS goes on. */
static void on_dtls_dead(struct oc_said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_STALL, .tunnel = TUNNEL_DTLS, .reason = REASON_DPD});
}

static void on_cstp_dead(struct oc_said *s)
{
	emit(s, (struct event){.kind = EVENT_DPD_DEAD, .tunnel = TUNNEL_TLS, .reason = REASON_DPD});
	s->o->phase = OC_BROKEN;
}

static void on_tls_broken(struct oc_said *s)
{
	if (s->o->phase == OC_UP)
		emit(s, (struct event){.kind = EVENT_TUNNEL_DOWN,
		                .tunnel = TUNNEL_TLS,
		                .cause = span_trim(s->m.rest)});
	if (s->o->phase != OC_IDLE)
		s->o->phase = OC_BROKEN;
}

static void on_reconnect_failed(struct oc_said *s)
{
	if (s->o->phase == OC_BROKEN || s->o->phase == OC_UP) {
		emit(s, (struct event){.kind = EVENT_SESSION_LOST, .cause = s->m.rest});
		s->o->phase = OC_LOST;
	}
}

static void on_given_up(struct oc_said *s)
{
	session_end(s, REASON_DPD, s->message);
}

static void on_farewell(struct oc_said *s)
{
	keep(s->o->farewell, s->m.s[1]);
}

static void on_ended_by_server(struct oc_said *s)
{
	char farewell[NAME_MAX_BYTES];
	memcpy(farewell, s->o->farewell, sizeof(farewell));
	session_end(s, end_reason_of(span_str(farewell)), span_str(farewell));
}

static void on_ended_by_user(struct oc_said *s)
{
	session_end(s, REASON_USER, (struct span){0});
}

static void on_cookie_refused(struct oc_said *s)
{
	session_end(s, REASON_ERROR, s->message);
}

static void on_path_mtu(struct oc_said *s)
{
	emit(s, (struct event){.kind = EVENT_MTU, .limit = s->m.n[0], .adapter = s->m.n[0]});
}

static void on_rejected(struct oc_said *s)
{
	if (!s->o->is_rejected)
		emit(s, (struct event){
		                .kind = EVENT_AUTH_REJECTED, .cause = span_trim_end(s->message, ". ")});
	s->o->is_rejected = true;
}

static void on_no_cookie(struct oc_said *s)
{
	if (!s->o->is_unreachable)
		on_rejected(s);
}

static void on_tls_failure(struct oc_said *s)
{
	s->o->is_unreachable = true;
	if (is_cipher_mismatch(s->m.rest))
		emit(s, (struct event){.kind = EVENT_CIPHER_MISMATCH,
		                .tunnel = TUNNEL_TLS,
		                .cause = span_trim(s->m.rest)});
}

static void on_unreachable(struct oc_said *s)
{
	s->o->is_unreachable = true;
}

/* ---- the sentences ---- */

static const struct oc_sentence {
	const char *pattern;
	void (*act)(struct oc_said *s);
	bool is_own; /* nobody else says it */
} sentences[] = {
        {"Attempting to connect to server %a", on_dial, true},
        {"Access denied", on_rejected, false},
        {"Authentication failed", on_rejected, false},
        {"Configured as %a", on_configured, true},
        {"Connect UDP socket: ", on_dtls_failed, true},
        {"Connected as %a, using ", on_connected_old, true},
        {"Connected %w as %a, using ", on_connected_old, true},
        {"Connected to HTTPS on %w with ciphersuite %w", on_https, true},
        {"Connected to HTTPS on ", on_nothing, true},
        {"Cookie is no longer valid", on_cookie_refused, true},
        {"Cookie was rejected", on_cookie_refused, true},
        {"CSTP connected. DPD %n", on_cstp, true},
        {"CSTP Dead Peer Detection detected dead peer", on_cstp_dead, true},
        {"DTLS connection timed out", on_dtls_timeout, true},
        {"DTLS Dead Peer Detection detected dead peer", on_dtls_dead, true},
        {"DTLS handshake failed", on_dtls_failed, true},
        {"DTLS handshake timed out", on_dtls_timeout, true},
        {"DTLS initialised. DPD %n", on_dtls_times, true},
        {"Detected MTU of %n bytes", on_path_mtu, true},
        {"Established DTLS connection", on_dtls_up, true},
        {"Failed to complete authentication", on_no_cookie, true},
        {"Failed to connect to host", on_unreachable, false},
        {"Failed to obtain WebVPN cookie", on_no_cookie, true},
        {"Failed to open HTTPS connection", on_unreachable, true},
        {"Failed to reconnect to host %w ", on_reconnect_failed, true},
        {"Got CONNECT response: HTTP/%w 200", on_answer, true},
        {"Got CONNECT response: ", on_nothing, true},
        {"Got HTTP response: ", on_nothing, false},
        {"Got inappropriate HTTP CONNECT response: HTTP/1.1 %n", on_bad_answer, true},
        {"Login failed", on_rejected, false},
        {"Login incorrect", on_rejected, false},
        {"Read error on SSL session:", on_tls_broken, true},
        {"Received server disconnect: %w '%t'", on_farewell, true},
        {"Received server disconnect", on_nothing, true},
        {"Reconnect failed", on_given_up, false},
        {"Send BYE packet", on_nothing, true},
        {"Session terminated by server", on_ended_by_server, true},
        {"Set up DTLS failed; using SSL instead", on_dtls_failed, true},
        {"Set up UDP failed; using SSL instead", on_dtls_failed, true},
        {"SSL connection failure:", on_tls_failure, false},
        {"SSL negotiation with ", on_nothing, true},
        {"SSL read error", on_tls_broken, false},
        {"User cancelled", on_ended_by_user, false},
        {"User canceled", on_ended_by_user, false},
        {"User detached from session", on_ended_by_user, false},
        {"Username:%w", on_user, false},
        {"VPN service unavailable; reason:", on_refusal, true},
        {"Write error on SSL session:", on_tls_broken, true},
        {"X-CSTP-Address: %a", on_address, false},
        {"X-CSTP-MTU: %n", on_tls_mtu, false},
        {"X-CSTP-Server-Name: ", on_server_name, false},
        {"X-DTLS-MTU: %n", on_dtls_mtu, false},
        {"X-Reason: ", on_refusal, false},
};

/* ---- the form of a line ---- */

struct oc_line {
	struct span message, device;
	struct when when;
	bool is_named; /* the program's name stood there */
};

/* "... netifd: vpn (123): MESSAGE", "... NetworkManager[123]: MESSAGE": who started it passes on what it
 * says, beside what it says itself. */
static bool cut_starter(struct span line, int64_t written_at_ms, struct oc_line *ret)
{
	static const char *const starters[][2] = {
	        {" netifd: ", " netifd: %w (%n): "}, {" NetworkManager[", " NetworkManager[%n]: "}};
	struct span head = span_of(line.p, line.n < NAME_MAX_BYTES ? line.n : NAME_MAX_BYTES);
	struct pattern_match m;
	for (size_t i = 0; i < N_ELEM(starters); i++) {
		const uint8_t *at = span_find(head, starters[i][0]);
		if (at == NULL)
			continue;
		struct span before = span_of(line.p, (size_t)(at - line.p));
		if (!pattern_match(starters[i][1], span_skip(line, before.n), &m))
			continue;
		*ret = (struct oc_line){.message = m.rest, .when = {.at_ms = TIME_NONE}};
		if (!when_bsd(&before, written_at_ms, &ret->when))
			(void)when_iso(&before, &ret->when);
		return true;
	}
	return false;
}

/* "Nov 16 01:28:50 host openconnect[123]: MESSAGE" */
static bool cut_syslog(struct span line, int64_t written_at_ms, struct oc_line *ret)
{
	static const char tag[] = " openconnect[";
	struct span head = span_of(line.p, line.n < NAME_MAX_BYTES ? line.n : NAME_MAX_BYTES);
	const uint8_t *at = span_find(head, tag);
	struct pattern_match m;
	if (at == NULL)
		return false;
	struct span before = span_of(line.p, (size_t)(at - line.p));
	if (!pattern_match(" openconnect[%n]: ", span_skip(line, before.n), &m))
		return false;
	if (!when_bsd(&before, written_at_ms, &ret->when))
		(void)when_iso(&before, &ret->when);
	*ret = (struct oc_line){
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

static struct oc_line cut_line(const struct openconnect *o, struct span line)
{
	struct oc_line l = {.message = line, .when = {.at_ms = TIME_NONE}};
	uint8_t c = line.p[0];
	if (c == '[') {
		struct span s = span_skip(line, 1);
		if (when_iso(&s, &l.when) && s.n > 1 && s.p[0] == ']')
			l.message = span_trim(span_skip(s, 1));
		else
			l.when = (struct when){.at_ms = TIME_NONE};
		return l;
	}
	if (c == '2') {
		struct span s = line;
		if (tabbed_time(&s, &l.when) || (span_starts(line, "20") && when_iso(&s, &l.when)) ||
		        minute_time(&s, &l.when))
			l.message = cut_window(span_trim(s));
		else
			l.when = (struct when){.at_ms = TIME_NONE};
	}
	if (!cut_syslog(line, o->written_at_ms, &l))
		(void)cut_starter(line, o->written_at_ms, &l);
	return l;
}

/* Lines of --dump-http-traffic have a sign in front. */
static struct span cut_sign(struct span s)
{
	bool has_sign = s.n > 2 && (s.p[0] == '<' || s.p[0] == '>') && s.p[1] == ' ';
	return has_sign ? span_skip(s, 2) : s;
}

static const struct oc_sentence *sentence_of(struct span message, struct pattern_match *ret)
{
	for (size_t i = 0; message.n > 0 && i < N_ELEM(sentences); i++)
		if (sentences[i].pattern[0] == (char)message.p[0] &&
		        pattern_match(sentences[i].pattern, message, ret))
			return &sentences[i];
	return NULL;
}

static enum claim openconnect_line(void *state, struct span line, uint32_t number)
{
	struct openconnect *o = state;
	bool is_near = o->last_line != 0 && number - o->last_line <= NEAR_LINES;
	if (line.n == 0)
		return is_near ? CLAIM_WEAK : CLAIM_NO;
	struct oc_line l = cut_line(o, line);
	struct oc_said s = {
	        .o = o, .line = line, .message = cut_sign(l.message), .when = l.when, .number = number};
	const struct oc_sentence *k = sentence_of(s.message, &s.m);
	bool is_sure = l.is_named || (k != NULL && k->is_own);
	if (!is_sure && !is_near)
		return CLAIM_NO;
	if (is_sure)
		o->last_line = number;
	if (l.device.n > 0)
		keep(o->device, l.device);
	if (k != NULL)
		k->act(&s);
	return is_sure ? CLAIM_STRONG : CLAIM_WEAK;
}

static void openconnect_end(void *state)
{
	(void)state;
}

const struct reader reader_openconnect = {
        .source = SOURCE_OPENCONNECT,
        .state_bytes = sizeof(struct openconnect),
        .begin = openconnect_begin,
        .line = openconnect_line,
        .end = openconnect_end,
};
