/* The log of ocserv, in syslog, journalctl and a container's output, and its configuration file. A line is
 * written by one of three processes; the one of the session ("worker") and the one that starts them ("main")
 * say whose it is:
 *
 *     ocserv[30004]: worker[alice]: 192.0.2.5 suggesting DPD of 90 secs
 *     ocserv[29972]: main[alice]:192.0.2.5:54665 user disconnected (reason: idle timeout, rx: 0, tx: 524)
 *
 * Seen with 1.1.6; older ones differ in blanks. */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/end_words.h"
#include "diagnose/facility.h"
#include "diagnose/pattern.h"
#include "diagnose/readers.h"
#include "diagnose/when.h"

#define SLOTS_N        512 /* sessions whose earlier lines are remembered; more overwrite each other */
#define NAME_MAX_BYTES 96
#define CONF_NEAR      300 /* lines between two settings that only ocserv has */

/* What earlier lines of a session said. */
struct ocserv_slot {
	uint64_t key; /* of user and address outside; 0: free */
	struct ip_addr inner;
	bool is_logged_in, is_lost, is_refused, is_udp_dead;
};

struct ocserv {
	const struct sink *sink;
	int64_t written_at_ms;
	uint32_t dpd_s; /* last said as a fact */
	uint32_t conf_line;
	char auth_user[NAME_MAX_BYTES]; /* whose password is being checked */
	struct ocserv_slot slots[SLOTS_N];
};

struct ocserv_said {
	struct ocserv *o;
	struct ocserv_slot *slot;
	struct span line, message, user, device;
	struct ip_addr from;
	struct when when;
	struct pattern_match m;
	uint32_t number;
};

static void ocserv_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct ocserv *o = state;
	o->sink = sink;
	o->written_at_ms = hint->written_at_ms;
}

static void emit(const struct ocserv_said *s, struct event e)
{
	e.source = SOURCE_OCSERV;
	e.line = s->number;
	e.at_ms = s->when.at_ms;
	e.has_zone = s->when.has_zone;
	e.text = s->line;
	e.device = s->device;
	if (e.user.n == 0)
		e.user = s->user;
	if (!addr_is_set(&e.public_ip))
		e.public_ip = s->from;
	e.inner = s->slot->inner;
	s->o->sink->on_event(s->o->sink->ctx, &e);
}

static void emit_fact(
        struct ocserv *o, enum fact_kind kind, uint32_t value, struct span line, uint32_t number)
{
	const struct fact f = {
	        .kind = (uint8_t)kind, .source = SOURCE_OCSERV, .number = value, .line = number, .raw = line};
	o->sink->on_fact(o->sink->ctx, &f);
}

/* ---- what a sentence does ---- */

static void on_dpd(struct ocserv_said *s)
{
	if (s->o->dpd_s != s->m.n[0])
		emit_fact(s->o, FACT_OCSERV_DPD, s->m.n[0], s->line, s->number);
	s->o->dpd_s = s->m.n[0];
}

static void on_inner(struct ocserv_said *s)
{
	s->slot->inner = s->m.a[0];
}

/* It counts one MTU for both tunnels. */
static void on_data_mtu(struct ocserv_said *s)
{
	emit(s, (struct event){.kind = EVENT_MTU, .size = s->m.n[0], .limit = s->m.n[0]});
}

/* Every connection begins so, also that of a client which comes back. */
static void on_login(struct ocserv_said *s)
{
	emit(s, (struct event){
	                .kind = s->slot->is_lost ? EVENT_SESSION_RESUMED : EVENT_CONNECTED, .has_tls = true});
	s->slot->is_logged_in = true;
	s->slot->is_lost = s->slot->is_refused = s->slot->is_udp_dead = false;
}

static void on_dtls_up(struct ocserv_said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = TUNNEL_DTLS});
	s->slot->is_udp_dead = false;
}

static void on_dtls_failed(struct ocserv_said *s)
{
	uint8_t kind = is_cipher_mismatch(s->message) ? EVENT_CIPHER_MISMATCH : EVENT_TUNNEL_FAILED;
	emit(s, (struct event){.kind = kind, .tunnel = TUNNEL_DTLS, .cause = s->message});
}

/* Silence on UDP for so long that data goes by TLS; said again and again while it lasts. */
static void on_udp_silent(struct ocserv_said *s)
{
	if (!s->slot->is_udp_dead)
		emit(s, (struct event){.kind = EVENT_TUNNEL_STALL,
		                .tunnel = TUNNEL_DTLS,
		                .reason = REASON_DPD,
		                .cause = s->message});
	s->slot->is_udp_dead = true;
}

static void on_tcp_silent(struct ocserv_said *s)
{
	emit(s, (struct event){.kind = EVENT_DPD_DEAD,
	                .tunnel = TUNNEL_TLS,
	                .reason = REASON_DPD,
	                .cause = s->message});
}

static void on_silent(struct ocserv_said *s)
{
	if (span_has(s->message, "UDP"))
		on_udp_silent(s);
	else
		on_tcp_silent(s);
}

static void on_tls_error(struct ocserv_said *s)
{
	if (is_cipher_mismatch(s->message))
		emit(s, (struct event){
		                .kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_TLS, .cause = s->message});
}

static void on_tls_broken(struct ocserv_said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_DOWN, .tunnel = TUNNEL_TLS, .cause = s->message});
}

/* After an error the session waits for its client, which may come back with its cookie. */
static void on_end(struct ocserv_said *s)
{
	struct span cause = s->m.s[0];
	enum end_reason reason = end_reason_of(cause);
	bool is_over = reason != REASON_ERROR && !span_starts(cause, "unspecified");
	if (s->slot->is_logged_in)
		emit(s, (struct event){.kind = is_over ? EVENT_SESSION_END : EVENT_SESSION_LOST,
		                .reason = (uint8_t)reason,
		                .cause = cause});
	bool is_lost = !is_over && (s->slot->is_logged_in || s->slot->is_lost);
	*s->slot = (struct ocserv_slot){.key = s->slot->key, .is_lost = is_lost};
}

static void on_no_address(struct ocserv_said *s)
{
	emit(s, (struct event){.kind = EVENT_POOL_EXHAUSTED, .cause = s->message});
	s->slot->is_refused = true;
}

static void reject(struct ocserv_said *s, struct span user, struct ip_addr from)
{
	if (!s->slot->is_refused)
		emit(s, (struct event){.kind = EVENT_AUTH_REJECTED,
		                .user = user,
		                .public_ip = from,
		                .cause = s->message});
	s->slot->is_refused = true;
}

static void on_rejected(struct ocserv_said *s)
{
	reject(s, s->m.s[0], s->from);
}

static void on_cookie_rejected(struct ocserv_said *s)
{
	reject(s, s->user, s->from);
}

/* A client that comes back with a session which is not there any more; the lines that follow repeat it. */
static void on_unknown_session(struct ocserv_said *s)
{
	if (!s->slot->is_refused)
		emit(s, (struct event){.kind = EVENT_AUTH_REJECTED,
		                .reason = REASON_FORGOTTEN,
		                .cause = s->message});
	s->slot->is_refused = true;
}

/* More sessions of one user than max-same-clients. */
static void on_limit(struct ocserv_said *s)
{
	reject(s, s->user, s->from);
}

static void on_checking(struct ocserv_said *s)
{
	if (parse_name(s->m.s[0], s->o->auth_user, NAME_MAX_BYTES) != 0)
		s->o->auth_user[0] = '\0';
}

/* A wrong password is told by the points that it costs only (10 unless configured); a connection costs 1. */
static void on_points(struct ocserv_said *s)
{
	if (s->m.n[0] < 2 || s->o->auth_user[0] == '\0')
		return;
	emit(s, (struct event){.kind = EVENT_AUTH_REJECTED,
	                .user = span_str(s->o->auth_user),
	                .public_ip = s->m.a[2],
	                .cause = s->message});
	s->o->auth_user[0] = '\0';
}

static void on_pam(struct ocserv_said *s)
{
	struct pattern_match m;
	struct span user = span_behind(s->message, " user=");
	struct ip_addr from = {0};
	user = span_cut(&user, ' ');
	if (pattern_match("%a", span_behind(s->message, "rhost="), &m))
		from = m.a[0];
	emit(s, (struct event){
	                .kind = EVENT_AUTH_REJECTED, .user = user, .public_ip = from, .cause = s->message});
	s->o->auth_user[0] = '\0';
}

static const struct ocserv_sentence {
	const char *pattern;
	void (*act)(struct ocserv_said *s);
} sentences[] = {
        {"DTLS handshake completed", on_dtls_up},
        {"DTLS handshake failed", on_dtls_failed},
        {"GnuTLS error (at %t): ", on_tls_error},
        {"No UDP data received for %n seconds, using TCP instead", on_udp_silent},
        {"MTU %n is too large, switching to %n", NULL}, /* the data MTU follows */
        {"added %n points (total %n) for IP '%a' to ban list", on_points},
        {"assigned IPv4: %a", on_inner},
        {"auth cont for user '%t'", on_checking},
        {"auth complete for user '%t'", NULL},
        {"client disconnected prematurely", on_tls_broken},
        {"could not open session", on_unknown_session},
        {"could not figure out a valid IPv4", on_no_address},
        {"could not figure out a valid IPv6", on_no_address},
        {"error in DTLS handshake", on_dtls_failed},
        {"failed authentication attempt for user '%t'", on_rejected},
        {"failed authentication for '%t'", on_rejected},
        {"failed cookie authentication attempt", on_cookie_rejected},
        {"have not received", on_silent},
        {"selected IP: %a", NULL},
        {"sending IPv4 %a", on_inner},
        {"setting data MTU to %n", on_data_mtu},
        {"suggesting DPD of %n secs", on_dpd},
        {"user disconnected (reason: %t, rx: ", on_end},
        {"user disconnected (reason: %t)", on_end},
        {"user logged in", on_login},
        {"user tried to connect more than %n times", on_limit},
};

/* ---- the form of a line ---- */

static uint64_t slot_key(struct span user, const struct ip_addr *from)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t i = 0; i < user.n; i++)
		h = (h ^ user.p[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < sizeof(from->b); i++)
		h = (h ^ from->b[i]) * UINT64_C(0x100000001b3);
	return h | 1;
}

static struct ocserv_slot *slot_of(struct ocserv *o, struct span user, const struct ip_addr *from)
{
	uint64_t key = slot_key(user, from);
	struct ocserv_slot *slot = &o->slots[(key >> 16) % SLOTS_N];
	if (slot->key != key)
		*slot = (struct ocserv_slot){.key = key};
	return slot;
}

/* "192.0.2.5:54665", "192.0.2.5", "[fd10::1]:54665" */
static bool cut_address(struct span *s, struct ip_addr *ret)
{
	struct span rest = span_trim(*s), word = span_cut(&rest, ' ');
	struct pattern_match m;
	if (pattern_match("[%a]", word, &m)) {
		*ret = m.a[0];
	} else if (addr_parse(word, ret) != 0) {
		size_t n = word.n;
		while (n > 0 && word.p[n - 1] != ':')
			n--;
		if (n < 2 || addr_parse(span_of(word.p, n - 1), ret) != 0)
			return false;
	}
	*s = span_trim(rest);
	return true;
}

/* "worker[alice]: ", "main[alice]:", "main: ", "sec-mod: " */
static bool cut_process(struct span *s, struct span *ret_user)
{
	static const char *const names[] = {"worker", "main", "sec-mod", "ocserv-worker", "ocserv-main"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		struct pattern_match m;
		struct span rest = span_skip(*s, strlen(names[i]));
		if (!span_starts(*s, names[i]) || rest.n == 0)
			continue;
		if (pattern_match("[%t]:", rest, &m) && m.s[0].n < NAME_MAX_BYTES)
			*ret_user = m.s[0];
		else if (rest.p[0] == ':')
			m.rest = span_skip(rest, 1);
		else
			continue;
		*s = span_trim(m.rest);
		return true;
	}
	return false;
}

/* "worker-vpn.c:1253: ": where in its source a message comes from. */
static struct span cut_source(struct span s)
{
	struct pattern_match m;
	return pattern_match("%w.c:%n: ", s, &m) ? m.rest : s;
}

/* Time and machine, from what stands before the program's name. */
static void take_head(struct ocserv_said *s, struct span head)
{
	struct span rest = span_trim(head), version;
	s->when = (struct when){.at_ms = TIME_NONE};
	struct span behind = span_behind(rest, " | "); /* "ocserv-1  | ...": docker compose */
	if (behind.n > 0)
		rest = span_trim(behind);
	if (rest.n > 0 && rest.p[0] == '<') { /* "<30>1 2013-11-16T01:28:50Z host" */
		version = rest;
		(void)span_cut(&version, '>');
		rest = span_starts(version, "1 ") ? span_skip(version, 2) : version;
	}
	if (rest.n == 0 || (!when_bsd(&rest, s->o->written_at_ms, &s->when) && !when_iso(&rest, &s->when)))
		return;
	struct span word = span_cut(&rest, ' ');
	if (span_trim(rest).n == 0 && word.n < NAME_MAX_BYTES && !facility_is(word))
		s->device = word;
}

/* "HEAD ocserv[123]: MESSAGE", or RFC 5424's "HEAD ocserv 123 - - MESSAGE". */
static bool cut_tag(struct span line, struct span *ret_head, struct span *ret_message)
{
	static const char *const forms[] = {"ocserv[%n]:", "ocserv %n - - "};
	struct span head = span_of(line.p, line.n < NAME_MAX_BYTES ? line.n : NAME_MAX_BYTES);
	struct pattern_match m;
	for (struct span s = head; s.n > 0; s = span_skip(s, 1)) {
		const uint8_t *at = span_find(s, "ocserv");
		if (at == NULL)
			return false;
		s = span_of(at, s.n - (size_t)(at - s.p));
		head.n = (size_t)(at - line.p);
		for (size_t i = 0; i < N_ELEM(forms); i++)
			if (pattern_match(forms[i], span_skip(line, head.n), &m)) {
				*ret_head = head;
				*ret_message = span_trim(m.rest);
				return true;
			}
	}
	return false;
}

static enum claim log_line(struct ocserv *o, struct span line, uint32_t number)
{
	struct span head;
	struct ocserv_said s = {.o = o, .line = line, .number = number};
	if (!cut_tag(line, &head, &s.message))
		return CLAIM_NO;
	take_head(&s, head);
	if (span_starts(s.message, "pam_") && span_has(s.message, "authentication failure")) {
		s.slot = slot_of(o, s.user, &s.from);
		on_pam(&s);
		return CLAIM_STRONG;
	}
	if (!cut_process(&s.message, &s.user)) { /* "note: ..." and the like */
		s.slot = slot_of(o, s.user, &s.from);
		if (pattern_match("GnuTLS error (at %t): ", s.message, &s.m)) /* of a handshake */
			on_tls_error(&s);
		return CLAIM_STRONG;
	}
	(void)cut_address(&s.message, &s.from);
	s.message = cut_source(s.message);
	for (size_t i = 0; i < N_ELEM(sentences); i++)
		if (pattern_match(sentences[i].pattern, s.message, &s.m)) {
			s.slot = slot_of(o, s.user, &s.from);
			if (sentences[i].act != NULL)
				sentences[i].act(&s);
			break;
		}
	return CLAIM_STRONG;
}

/* ---- its configuration ---- */

static const struct ocserv_key {
	const char *name;
	bool is_own;  /* nobody else has a setting of this name */
	uint8_t fact; /* FACT_N: none */
} keys[] = {
        {"cisco-client-compat", true, FACT_N},
        {"cookie-timeout", true, FACT_N},
        {"dpd", false, FACT_OCSERV_DPD},
        {"dtls-legacy", true, FACT_N},
        {"idle-timeout", false, FACT_N},
        {"isolate-workers", true, FACT_N},
        {"max-same-clients", true, FACT_N},
        {"mobile-dpd", true, FACT_N},
        {"mtu", false, FACT_OCSERV_MTU},
        {"occtl-socket-file", true, FACT_N},
        {"rate-limit-ms", true, FACT_N},
        {"run-as-user", false, FACT_N},
        {"switch-to-tcp-timeout", true, FACT_TIMEOUT_DTLS_TO_TLS},
        {"tls-priorities", true, FACT_N},
        {"try-mtu-discovery", true, FACT_OCSERV_MTU_DISCOVERY},
        {"udp-port", false, FACT_DTLS_PORT},
};

/* A number, or true and false. */
static bool value_parse(struct span s, uint32_t *ret)
{
	*ret = span_is(s, "true") || span_is(s, "yes");
	return *ret == 1 || span_is(s, "false") || span_is(s, "no") || parse_u32(s, 0, UINT32_MAX, ret) == 0;
}

/* "dpd = 90": settings with names of their own make those near them ocserv's too. */
static enum claim conf_line(struct ocserv *o, struct span line, uint32_t number)
{
	struct span value = line, name = span_trim(span_cut(&value, '='));
	bool is_near = o->conf_line != 0 && number - o->conf_line <= CONF_NEAR;
	uint32_t n;
	if (line.p[0] == '#')
		return is_near ? CLAIM_WEAK : CLAIM_NO;
	if (name.n == 0 || name.n > 40 || name.n == line.n)
		return CLAIM_NO;
	for (size_t i = 0; i < N_ELEM(keys); i++) {
		if (!span_is(name, keys[i].name) || (!keys[i].is_own && !is_near))
			continue;
		if (keys[i].is_own)
			o->conf_line = number;
		if (keys[i].fact != FACT_N && value_parse(span_trim(value), &n))
			emit_fact(o, keys[i].fact, n, line, number);
		return keys[i].is_own ? CLAIM_STRONG : CLAIM_WEAK;
	}
	return is_near ? CLAIM_WEAK : CLAIM_NO;
}

static enum claim ocserv_line(void *state, struct span line, uint32_t number)
{
	struct ocserv *o = state;
	if (line.n == 0)
		return CLAIM_NO;
	enum claim c = log_line(o, line, number);
	return c != CLAIM_NO || line.n > 200 ? c : conf_line(o, line, number);
}

static void ocserv_end(void *state)
{
	(void)state;
}

const struct reader reader_ocserv = {
        .source = SOURCE_OCSERV,
        .state_bytes = sizeof(struct ocserv),
        .begin = ocserv_begin,
        .line = ocserv_line,
        .end = ocserv_end,
};
