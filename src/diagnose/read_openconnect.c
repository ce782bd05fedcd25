/* What openconnect prints with -v, with or without --timestamp, in syslog, and in the window of
 * openconnect-gui. Seen with version 9.01; the sentences of 3 to 8 differ little. */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/end_words.h"
#include "diagnose/openconnect_line.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define NAME_MAX_BYTES 128
#define NEAR_LINES     200 /* its lines are known for its own while one of its sentences is not farther away */

enum oc_phase { OC_IDLE, OC_UP, OC_BROKEN, OC_LOST };

struct openconnect {
	const struct sink *sink;
	int64_t written_at_ms;
	uint32_t last_line;             /* of a sentence that only openconnect says; 0: none */
	uint8_t phase;                  /* enum oc_phase */
	bool is_rejected, is_explained; /* why there is no session has been told */
	bool has_answer, has_dtls;      /* the headers of CONNECT's answer are printed; they offer DTLS */
	bool is_ocserv;                 /* what the gateway says of itself */
	uint32_t handshake_line;        /* "DTLS handshake timed out", which a second line repeats */
	uint32_t dpd_s[3];              /* by enum tunnel_kind, as last said */
	uint32_t tls_mtu, dtls_mtu;     /* of the CONNECT answer that is being printed */
	int64_t expires_at_ms;          /* the session's end as announced; 0: not known */
	struct ip_addr gateway, inner, inner6;
	char service[NAME_MAX_BYTES]; /* under which its sentences are logged, where not under its own name */
	char untrusted[NAME_MAX_BYTES]; /* why the certificate is not accepted, unless it is pinned */
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
	e.inner = addr_is_set(&o->inner) ? o->inner : o->inner6;
	if (e.kind != EVENT_CONNECTED)
		e.peer = o->gateway;
	else if (addr_is_set(&o->inner))
		e.peer = o->inner6;
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

static void forget_session(struct openconnect *o)
{
	o->phase = OC_IDLE;
	o->inner = o->inner6 = (struct ip_addr){0};
	o->expires_at_ms = 0;
	o->farewell[0] = '\0';
}

/* Only a new run logs in; what became of the one before is not known. */
static void on_login(struct oc_said *s)
{
	forget_session(s->o);
	s->o->is_explained = s->o->is_rejected = false;
}

static void on_dial(struct oc_said *s)
{
	s->o->gateway = s->m.a[0];
	s->o->untrusted[0] = '\0';
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
	s->o->is_ocserv = s->o->has_answer = s->o->has_dtls = false;
}

static void on_server_name(struct oc_said *s)
{
	s->o->is_ocserv = span_starts(s->m.rest, "ocserv");
}

static void on_tls_mtu(struct oc_said *s)
{
	s->o->has_answer = true;
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

static void on_address6(struct oc_said *s)
{
	s->o->inner6 = s->m.a[0];
}

static void on_dtls_offer(struct oc_said *s)
{
	s->o->has_dtls = true;
}

/* "Thu Nov 26 15:23:02 2026", on the clock of the lines. */
static void on_expiry(struct oc_said *s)
{
	struct when when;
	struct span rest = s->m.rest;
	if (when_bsd(&rest, s->o->written_at_ms, &when) && when.at_ms != TIME_NONE)
		s->o->expires_at_ms = when.at_ms;
}

/* Once for each run. A session that is there waits, and tries again. */
static void connect_failed(struct oc_said *s, struct span cause)
{
	if (!s->o->is_explained && s->o->phase == OC_IDLE)
		emit(s, (struct event){.kind = EVENT_CONNECT_FAILED, .cause = span_trim_end(cause, ". ")});
	s->o->is_explained = true;
}

/* Why the gateway does not give a tunnel. */
static void on_refusal(struct oc_said *s)
{
	if (is_pool_exhausted(s->m.rest))
		emit(s, (struct event){.kind = EVENT_POOL_EXHAUSTED, .cause = span_trim(s->m.rest)});
	else
		connect_failed(s, span_trim(s->m.rest));
}

static void session_end(struct oc_said *s, enum end_reason reason, struct span cause)
{
	if (s->o->phase != OC_IDLE)
		emit(s, (struct event){.kind = EVENT_SESSION_END, .reason = (uint8_t)reason, .cause = cause});
	forget_session(s->o);
}

/* 401: the cookie is not accepted (any more). */
static void on_bad_answer(struct oc_said *s)
{
	if (s->m.n[0] == 401 && s->o->phase != OC_IDLE)
		session_end(s, REASON_FORGOTTEN, s->message);
	else
		on_refusal(s);
}

/* The adapter comes later: openconnect waits for DTLS before it, for up to 14 s. */
static void session_begin(struct oc_said *s)
{
	if (s->o->phase == OC_IDLE)
		emit(s, (struct event){.kind = EVENT_CONNECTED});
	s->o->phase = OC_UP;
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
	session_begin(s);
}

static void on_dtls_times(struct oc_said *s)
{
	emit_dpd(s, TUNNEL_DTLS, s->m.n[0]);
}

static void on_configured(struct oc_said *s)
{
	struct pattern_match m;
	s->o->inner = s->m.a[0];
	if (pattern_match(" + %a", s->m.rest, &m))
		s->o->inner6 = m.a[0];
	session_begin(s);
}

static void on_connected_old(struct oc_said *s)
{
	s->o->inner = s->m.a[s->m.count - 1];
	session_begin(s);
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

/* Not even tried, where the gateway's answer has nothing of DTLS. */
static void on_dtls_unusable(struct oc_said *s)
{
	if (s->o->has_dtls || !s->o->has_answer)
		on_dtls_failed(s);
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
	enum end_reason reason = end_reason_of(span_str(farewell));
	bool is_over = s->o->expires_at_ms != 0 && s->when.at_ms != TIME_NONE &&
	               s->when.at_ms >= s->o->expires_at_ms;
	if (farewell[0] == '\0' && is_over)
		reason = REASON_MAX_TIME;
	session_end(s, reason, span_str(farewell));
}

static void on_ended_by_user(struct oc_said *s)
{
	session_end(s, REASON_USER, (struct span){0});
}

static void on_cookie_refused(struct oc_said *s)
{
	session_end(s, REASON_FORGOTTEN, s->message);
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
	s->o->is_rejected = s->o->is_explained = true;
}

static void on_not_connected(struct oc_said *s)
{
	connect_failed(s, s->message);
}

/* Goes on when the certificate is one that was given with --servercert. */
static void on_untrusted(struct oc_said *s)
{
	keep(s->o->untrusted, s->m.rest);
}

static void on_tls_failure(struct oc_said *s)
{
	struct span why = span_trim(s->m.rest);
	if (is_cipher_mismatch(why)) {
		emit(s, (struct event){.kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_TLS, .cause = why});
		s->o->is_explained = true;
	} else if (s->o->untrusted[0] != '\0' && span_has(why, "certificate")) {
		struct text t = {0};
		text_fmt(&t, "certificate not accepted: %s", s->o->untrusted);
		connect_failed(s, span_str(text_cstr(&t)));
		text_done(&t);
	} else {
		connect_failed(s, s->message);
	}
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
        {"Failed to complete authentication", on_not_connected, true},
        {"Failed to connect to host", on_not_connected, false},
        {"Failed to obtain WebVPN cookie", on_not_connected, true},
        {"Failed to connect to %t: ", on_not_connected, false},
        {"Failed to open HTTPS connection", on_not_connected, true},
        {"Failed to reconnect to host %w ", on_reconnect_failed, true},
        {"Got CONNECT response: HTTP/%w 200", on_answer, true},
        {"Got CONNECT response: ", on_nothing, true},
        {"Got HTTP response: ", on_nothing, false},
        {"Got inappropriate HTTP CONNECT response: HTTP/1.1 %n", on_bad_answer, true},
        {"Login failed", on_rejected, false},
        {"Login incorrect", on_rejected, false},
        {"Read error on SSL session:", on_tls_broken, true},
        {"POST https://", on_login, false},
        {"GET https://", on_login, false},
        {"getaddrinfo failed for host ", on_not_connected, true},
        {"Received server disconnect: %w '%t'", on_farewell, true},
        {"Received server disconnect", on_nothing, true},
        {"Reconnect failed", on_given_up, false},
        {"Send BYE packet", on_nothing, true},
        {"Session terminated by server", on_ended_by_server, true},
        {"Server certificate verify failed: ", on_untrusted, true},
        {"Session authentication will expire at ", on_expiry, true},
        {"Set up DTLS failed; using SSL instead", on_dtls_unusable, true},
        {"Set up UDP failed; using SSL instead", on_dtls_unusable, true},
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
        {"X-CSTP-Address-IP6: %a", on_address6, false},
        {"X-CSTP-MTU: %n", on_tls_mtu, false},
        {"X-CSTP-Server-Name: ", on_server_name, false},
        {"X-DTLS-App-ID: ", on_dtls_offer, false},
        {"X-DTLS-MTU: %n", on_dtls_mtu, false},
        {"X-DTLS-Session-ID: ", on_dtls_offer, false},
        {"X-Reason: ", on_refusal, false},
};

/* ---- the reader ---- */

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
	struct openconnect_line l = openconnect_line_cut(line, o->written_at_ms);
	struct oc_said s = {
	        .o = o, .line = line, .message = cut_sign(l.message), .when = l.when, .number = number};
	const struct oc_sentence *k = sentence_of(s.message, &s.m);
	bool is_sure = l.is_named || (k != NULL && k->is_own);
	bool is_others = !is_sure && l.service.n > 0 && !span_eq(l.service, span_str(o->service));
	if (is_others || (!is_sure && !is_near))
		return CLAIM_NO;
	if (is_sure) {
		o->last_line = number;
		keep(o->service, l.service);
	}
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
