#include "diagnose/client_words.h"

#include "base/util.h"
#include "diagnose/end_words.h"
#include "diagnose/pattern.h"

#define ECHO_MS 3000 /* agent and user interface say the same within this */

/* A sentence and what was taken from it. */
struct said {
	struct client_words *c;
	const struct event *base;
	struct span message;  /* without what the developers put before it */
	struct span function; /* the developers' part: names of functions and files */
	struct pattern_match m;
	enum tunnel_kind tunnel;
	bool is_guess; /* by single words of a sentence that is not known */
};

static void emit(const struct said *s, struct event e)
{
	const struct client_words *c = s->c;
	e.source = s->base->source;
	e.line = s->base->line;
	e.at_ms = s->base->at_ms;
	e.has_zone = s->base->has_zone;
	e.device = s->base->device;
	e.text = s->base->text;
	if (!addr_is_set(&e.inner))
		e.inner = c->inner;
	if (e.kind != EVENT_CONNECTED) /* there it would be the other inner address */
		e.peer = c->gateway;
	c->sink->on_event(c->sink->ctx, &e);
}

/* Said at each reconnect again; once is enough. */
static void emit_dpd(const struct said *s, enum tunnel_kind tunnel, uint32_t interval_s)
{
	const struct fact f = {.kind = FACT_DPD_CLIENT,
	        .source = s->base->source,
	        .number = interval_s,
	        .line = s->base->line,
	        .text = span_str(tunnel == TUNNEL_DTLS ? "dtls" : "tls"),
	        .raw = s->base->text};
	if (s->c->dpd_s[tunnel] != interval_s)
		s->c->sink->on_fact(s->c->sink->ctx, &f);
	s->c->dpd_s[tunnel] = interval_s;
}

/* ---- what a sentence does ---- */

static void tunnels_down(struct client_words *c)
{
	memset(c->is_up, 0, sizeof(c->is_up));
}

static void session_end(struct said *s, enum end_reason reason, struct span cause)
{
	emit(s, (struct event){.kind = EVENT_SESSION_END, .reason = (uint8_t)reason, .cause = cause});
	s->c->phase = CLIENT_IDLE;
	s->c->inner = (struct ip_addr){0};
	tunnels_down(s->c);
}

static void on_connected(struct said *s)
{
	struct client_words *c = s->c;
	if (c->phase == CLIENT_IDLE)
		emit(s, (struct event){.kind = EVENT_CONNECTED});
	else if (c->phase == CLIENT_RECONNECTING)
		emit(s, (struct event){.kind = EVENT_SESSION_RESUMED});
	c->phase = CLIENT_UP;
}

static void on_requested(struct said *s)
{
	s->c->phase = CLIENT_IDLE;
	s->c->has_failed = false;
	s->c->inner = s->c->gateway = (struct ip_addr){0};
	tunnels_down(s->c);
}

static void on_contacting(struct said *s)
{
	s->c->gateway = s->m.a[0];
}

static void on_resolved(struct said *s)
{
	s->c->gateway = s->m.a[1];
}

/* Where a code is given the words of the reason follow it, in quotes or not. */
static struct span cause_of(struct span rest)
{
	struct pattern_match m;
	struct span s = span_trim(rest);
	return pattern_match("\"%t\"", s, &m) ? m.s[0] : span_trim_end(s, "\" ");
}

static uint16_t code_of(uint32_t n)
{
	return (uint16_t)(n > UINT16_MAX ? UINT16_MAX : n);
}

static void reconnecting(struct said *s, enum event_kind kind, uint32_t code, struct span cause)
{
	emit(s, (struct event){.kind = (uint8_t)kind, .code = code_of(code), .cause = cause});
	s->c->phase = CLIENT_RECONNECTING;
	tunnels_down(s->c);
}

static void on_reconfigure(struct said *s)
{
	reconnecting(s, EVENT_RECONFIGURE, s->m.n[0], cause_of(s->m.rest));
}

static void on_reconnect(struct said *s)
{
	if (span_has(s->m.rest, "no answer to DPD"))
		emit(s, (struct event){.kind = EVENT_DPD_DEAD, .tunnel = TUNNEL_TLS, .reason = REASON_DPD});
	reconnecting(s, EVENT_RECONNECT, s->m.n[0], cause_of(s->m.rest));
}

/* Sentences without a code: the one with it has been said just before, or this client says none. */
static void on_reconfigure_all(struct said *s)
{
	if (s->c->phase != CLIENT_RECONNECTING)
		reconnecting(s, EVENT_RECONFIGURE, 0, (struct span){0});
}

static void on_reconnect_all(struct said *s)
{
	if (s->c->phase != CLIENT_RECONNECTING)
		reconnecting(s, EVENT_RECONNECT, 0, (struct span){0});
}

/* Agent and user interface say it in different words. */
static void connect_failed(struct said *s, struct span cause)
{
	if (s->c->phase == CLIENT_IDLE && !s->c->has_failed)
		emit(s, (struct event){.kind = EVENT_CONNECT_FAILED, .cause = span_trim_end(cause, ". ")});
	s->c->has_failed = true;
}

static void on_termination(struct said *s)
{
	struct span cause = cause_of(s->m.rest);
	if (s->c->phase == CLIENT_IDLE && span_has(cause, "onnection attempt"))
		connect_failed(s, cause);
	else
		session_end(s, end_reason_of(cause), cause);
}

/* "The VPN connection is terminated": the reason, when there is one, has been said before. */
static void on_terminated(struct said *s)
{
	if (s->c->phase != CLIENT_IDLE)
		session_end(
		        s, s->c->phase == CLIENT_LEAVING ? REASON_USER : REASON_UNKNOWN, (struct span){0});
}

static void on_leaving(struct said *s)
{
	if (s->c->phase != CLIENT_IDLE)
		s->c->phase = CLIENT_LEAVING;
}

static void on_cipher(struct said *s)
{
	struct client_words *c = s->c;
	s->tunnel = s->m.s[0].n > 0 && s->m.s[0].p[0] == 'D' ? TUNNEL_DTLS : TUNNEL_TLS;
	emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = (uint8_t)s->tunnel, .cause = s->m.s[1]});
	c->is_up[s->tunnel] = true;
}

/* Its cipher has mostly been named in a sentence of its own just before. */
static void on_up(struct said *s)
{
	if (!s->c->is_up[s->tunnel])
		emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = (uint8_t)s->tunnel});
	s->c->is_up[s->tunnel] = true;
}

/* What follows a sentence after a colon or a point. */
static struct span words_behind(struct span s)
{
	while (s.n > 0 && (s.p[0] == ':' || s.p[0] == ' ' || s.p[0] == '.'))
		s = span_skip(s, 1);
	return span_trim_end(s, ". ");
}

static void on_down(struct said *s)
{
	struct client_words *c = s->c;
	struct span why = words_behind(s->m.rest);
	bool was_up = c->is_up[s->tunnel];
	uint8_t kind = was_up ? EVENT_TUNNEL_DOWN : EVENT_TUNNEL_FAILED;
	if (span_has(why, "DPD"))
		kind = EVENT_DPD_DEAD;
	emit(s, (struct event){.kind = kind,
	                .tunnel = (uint8_t)s->tunnel,
	                .cause = why,
	                .reason = (uint8_t)(kind == EVENT_DPD_DEAD ? REASON_DPD : REASON_UNKNOWN)});
	c->is_up[s->tunnel] = false;
}

static void on_tls_lost(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_DOWN, .tunnel = TUNNEL_TLS});
	s->c->is_up[TUNNEL_TLS] = false;
}

static void on_bounce(struct said *s)
{
	int64_t at = s->base->at_ms;
	bool is_echo = at != TIME_NONE && s->c->bounce_at_ms != TIME_NONE && at >= s->c->bounce_at_ms &&
	               at - s->c->bounce_at_ms <= ECHO_MS;
	if (!is_echo)
		emit(s, (struct event){.kind = EVENT_ADAPTER_BOUNCE});
	s->c->bounce_at_ms = at;
}

static void on_adapter_mtu(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_MTU, .adapter = s->m.n[1]});
}

static void on_path_limit(struct said *s)
{
	emit(s, (struct event){
	                .kind = EVENT_MTU, .limit = s->m.n[0], .cause = span_trim_end(s->m.s[2], ".")});
}

static uint32_t number_behind(struct span s, const char *word)
{
	struct pattern_match m;
	return pattern_match("%n", span_trim(span_behind(s, word)), &m) ? m.n[0] : 0;
}

static void on_settings(struct said *s)
{
	uint32_t tls = number_behind(s->message, "SSL MTU:"), dtls = number_behind(s->message, "DTLS MTU:");
	if (tls > 0 || dtls > 0)
		emit(s, (struct event){.kind = EVENT_MTU, .size = tls, .limit = dtls});
	if (span_has(s->message, " SSL DPD:"))
		emit_dpd(s, TUNNEL_TLS, number_behind(s->message, " SSL DPD:"));
	if (span_has(s->message, "DTLS DPD:"))
		emit_dpd(s, TUNNEL_DTLS, number_behind(s->message, "DTLS DPD:"));
}

static void on_host_configuration(struct said *s)
{
	struct pattern_match m;
	if (pattern_match("%a", span_trim(span_behind(s->message, "Private Address:")), &m))
		s->c->inner = m.a[0];
	if (pattern_match("%a", span_trim(span_behind(s->message, "Remote Peers:")), &m))
		s->c->gateway = m.a[0];
}

static void on_network(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_NETWORK_CHANGE});
}

/* Said at each start too: only another address than before is news. */
static void on_own_address(struct said *s)
{
	if (addr_is_set(&s->c->own) && !addr_eq(&s->c->own, &s->m.a[0]))
		emit(s, (struct event){.kind = EVENT_NETWORK_CHANGE});
	s->c->own = s->m.a[0];
}

static void on_rejected(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_AUTH_REJECTED, .cause = span_trim_end(s->message, ". ")});
}

/* What the gateway said stands behind the second colon or sentence, if it said something. */
static struct span gateways_words(struct span message)
{
	struct span said = span_behind(message, "message was received");
	return span_trim(span_behind(said, ":"));
}

static void on_refused(struct said *s)
{
	struct span said = gateways_words(s->message);
	if (is_pool_exhausted(s->message))
		emit(s, (struct event){.kind = EVENT_POOL_EXHAUSTED, .cause = said});
	else
		emit(s, (struct event){.kind = EVENT_AUTH_REJECTED, .cause = said.n > 0 ? said : s->message});
}

static void on_ended_by_gateway(struct said *s)
{
	struct span said = gateways_words(s->message);
	if (said.n == 0)
		said = words_behind(s->m.rest);
	enum end_reason reason = end_reason_of(said);
	session_end(s, reason == REASON_UNKNOWN ? end_reason_of(s->message) : reason, said);
}

static void on_shutdown(struct said *s)
{
	session_end(s, REASON_ADMIN, s->message);
}

static void on_unreachable(struct said *s)
{
	session_end(s, REASON_DPD, span_trim(s->m.rest));
}

static void on_no_tunnel(struct said *s)
{
	if (is_pool_exhausted(s->message))
		emit(s, (struct event){.kind = EVENT_POOL_EXHAUSTED, .cause = s->m.rest});
	else if (is_cipher_mismatch(s->message))
		emit(s, (struct event){
		                .kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_TLS, .cause = s->m.rest});
	else
		connect_failed(s, s->m.rest);
}

/* The session that is not accepted again has to be logged in anew. */
static void on_cookie_refused(struct said *s)
{
	session_end(s, REASON_FORGOTTEN, s->message);
}

static void on_not_connected(struct said *s)
{
	connect_failed(s, s->message);
}

static void on_udp_lost(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_TUNNEL_DOWN, .tunnel = TUNNEL_DTLS, .cause = s->message});
	s->c->is_up[TUNNEL_DTLS] = false;
}

/* By a new association, which has been told of, or by the old one. */
static void on_udp_back(struct said *s)
{
	if (!s->c->is_up[TUNNEL_DTLS])
		emit(s, (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = TUNNEL_DTLS, .cause = s->message});
	s->c->is_up[TUNNEL_DTLS] = true;
}

static void on_suspend(struct said *s)
{
	emit(s, (struct event){
	                .kind = EVENT_SUSPEND, .reason = s->is_guess ? REASON_UNKNOWN : REASON_SUSPEND});
}

static void on_wake(struct said *s)
{
	emit(s, (struct event){.kind = EVENT_WAKE});
}

static void on_close_message(struct said *s)
{
	if (span_has_nocase(s->m.s[0], "suspend"))
		on_suspend(s);
}

static void on_program_end(struct said *s)
{
	on_terminated(s);
}

/* ---- the sentences ---- */

static const struct sentence {
	const char *pattern; /* from the start of the message */
	void (*act)(struct said *s);
	uint8_t tunnel;
} sentences[] = {
        {"A complete VPN connection has been established", on_connected, 0},
        {"A new MTU needs to be applied to the VPN network interface", on_bounce, 0},
        {"A new network interface has been detected", on_network, 0},
        {"A network interface has gone down", on_network, 0},
        {"A VPN reconnect resulted in different configuration settings", on_bounce, 0},
        {"A %w connection has been established using cipher %w", on_cipher, 0},
        {"An SSL VPN connection to %t has been requested by the user", on_requested, 0},
        {"AnyConnect was not able to establish a connection to the specified secure gateway",
                on_not_connected, 0},
        {"Authentication failed", on_rejected, 0},
        {"Cannot reach %w port %n: ", on_not_connected, 0},
        {"Cannot get a tunnel from %w: ", on_no_tunnel, 0},
        {"Connected to %w", on_connected, 0},
        {"Contacting %a", on_contacting, 0},
        {"Disconnect in progress", on_leaving, 0},
        {"Host Configuration:", on_host_configuration, 0},
        {"Initiating VPN connection to the secure gateway https://%a", on_contacting, 0},
        {"Low level reconnect reason code %n:", on_reconnect, 0},
        {"Login denied", on_rejected, 0},
        {"Login failed", on_rejected, 0},
        {"Ready to connect", on_terminated, 0},
        {"Received VPN Session Configuration Settings", on_settings, 0},
        {"Reconfigure reason code %n:", on_reconfigure, 0},
        {"Reconnect reason code %n:", on_reconnect, 0},
        {"Reconnecting to %t", on_reconnect_all, 0},
        {"Resolved %w to %a", on_resolved, 0},
        {"Session level reconnect reason code %n:", on_reconnect, 0},
        {"Termination reason code %n:", on_termination, 0},
        {"The certificate on the secure gateway is invalid", on_not_connected, 0},
        {"The name %w is not known", on_not_connected, 0},
        {"The name %w cannot be looked up", on_not_connected, 0},
        {"The service provider in your current location is restricting access to the Internet",
                on_not_connected, 0},
        {"The VPN connection has been established and can now pass data", on_connected, 0},
        {"The VPN connection has been re-established and can now pass data", on_connected, 0},
        {"The VPN connection is terminated", on_terminated, 0},
        {"The VPN client has sent a close message to the gateway: \"%t\"", on_close_message, 0},
        {"The Primary SSL connection has been established", on_up, TUNNEL_TLS},
        {"The Primary SSL connection to the secure gateway has been established", on_up, TUNNEL_TLS},
        {"The Primary SSL connection is being re-established", on_tls_lost, 0},
        {"The Primary SSL connection is down", on_down, TUNNEL_TLS},
        {"The Primary DTLS connection has been established", on_up, TUNNEL_DTLS},
        {"The Primary DTLS connection to the secure gateway has been established", on_up, TUNNEL_DTLS},
        {"The Primary DTLS connection is down", on_down, TUNNEL_DTLS},
        {"The adapter's MTU changed in place from %n to %n", on_adapter_mtu, 0},
        {"The client's public address is now set to %a", on_own_address, 0},
        {"The computer has resumed after a suspend", on_wake, 0},
        {"The entire VPN connection is being reconfigured", on_reconfigure_all, 0},
        {"The entire VPN connection is being re-established", on_reconnect_all, 0},
        {"The gateway %w broke the login off", on_not_connected, 0},
        {"The gateway %w could not be reached again: ", on_unreachable, 0},

        {"The gateway %w cannot be trusted", on_not_connected, 0},
        {"The gateway cannot give a tunnel now: ", on_no_tunnel, 0},
        {"The gateway does not accept the session any more", on_cookie_refused, 0},
        {"The gateway ended the session", on_ended_by_gateway, 0},
        {"The gateway is shutting down", on_shutdown, 0},
        {"The largest packet of the DTLS tunnel is %n bytes now, before %n: %t", on_path_limit, 0},
        {"The secure gateway has rejected the ", on_refused, 0},
        {"The secure gateway has terminated the VPN connection", on_ended_by_gateway, 0},
        {"UDP back.", on_udp_back, 0},
        {"UDP lost", on_udp_lost, 0},
        {"VPN SESSION END", on_terminated, 0},
        {"culvert ends with status", on_program_end, 0},
};

/* ---- what the developers put before a message ---- */

/* "Function: f File: x.cpp Line: 12 Invoked Function: g Return Code: 1 (0x1) Description: WORDS": the words.
 */
static struct span cut_function(struct span in, struct span *ret_function)
{
	struct pattern_match m;
	if (!pattern_match("Function: %t Line: %n", in, &m))
		return in;
	struct span rest = span_trim(m.rest);
	*ret_function = span_of(in.p, in.n - m.rest.n);
	if (span_starts(rest, "Invoked Function:")) {
		*ret_function = in;
		rest = span_trim(span_behind(rest, "Description:"));
	}
	return rest;
}

/* "[p:4325  pp:1]: error - CstpProtocol.cpp:1507 (fe1e000b) WORDS", of version 2. */
static struct span cut_source_file(struct span in, struct span *ret_function)
{
	struct pattern_match m;
	if (!pattern_match("[p:%t]: %t.cpp:%n (%w) ", in, &m))
		return in;
	*ret_function = in;
	return m.rest;
}

/* The user interface repeats to the log what it shows. */
static struct span cut_echo(struct span in)
{
	struct pattern_match m;
	return pattern_match("Message type %w sent to the user:", in, &m) ? span_trim(m.rest) : in;
}

static enum tunnel_kind tunnel_of(struct span function)
{
	if (span_has(function, "Cstp"))
		return TUNNEL_TLS;
	if (span_has(function, "Cdtp") || span_has(function, "Dtls") || span_has(function, "DTLS"))
		return TUNNEL_DTLS;
	return TUNNEL_UNKNOWN;
}

/* Errors that the developers log by the names of functions and the texts of OpenSSL. */
static bool say_error(struct said *s)
{
	struct event e = {.tunnel = (uint8_t)tunnel_of(s->function)};
	if (s->function.n == 0)
		return false;
	if (span_has(s->function, "handleExpiredDPD"))
		e.kind = EVENT_DPD_DEAD;
	else if (is_cipher_mismatch(s->message))
		e.kind = EVENT_CIPHER_MISMATCH;
	else
		return false;
	e.reason = e.kind == EVENT_DPD_DEAD ? REASON_DPD : REASON_UNKNOWN;
	emit(s, e);
	return true;
}

/* Sentences about sleep differ with systems and versions, and no collection of them was found: these words
 * are a guess, and the findings say no more than that. */
static bool say_sleep(struct said *s)
{
	s->is_guess = true;
	if (s->message.n > 200 || !(span_has(s->message, "uspend") || span_has(s->message, "sleep")))
		return false;
	if (span_has_nocase(s->message, "resum") || span_has_nocase(s->message, "wake"))
		on_wake(s);
	else if (span_has_nocase(s->message, "system") || span_has_nocase(s->message, "computer") ||
	         span_has_nocase(s->message, "into suspend mode"))
		on_suspend(s);
	else
		return false;
	return true;
}

void client_words_begin(struct client_words *c, const struct sink *sink)
{
	*c = (struct client_words){.sink = sink, .bounce_at_ms = TIME_NONE};
}

bool is_client_program(struct span name)
{
	static const char *const names[] = {"acvpnagent", "acvpnui", "acvpndownloader", "acvpncli",
	        "vpnagentd", "vpnagent", "vpnui", "vpndownloader", "vpnapi", "vpncli", "csc_vpnagent",
	        "csc_vpnagentd", "csc_ui", "csc_vpnapi", "csc_vpnui", "csc_vpndownloader", "csc_vpncli",
	        "acwebhelper", "culvert"};
	for (size_t i = 0; i < N_ELEM(names); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

bool client_words_say(struct client_words *c, const struct event *base, struct span message)
{
	struct said s = {.c = c, .base = base};
	s.message = cut_source_file(cut_function(span_trim(message), &s.function), &s.function);
	s.message = cut_echo(s.message);
	for (size_t i = 0; i < N_ELEM(sentences); i++) {
		const struct sentence *k = &sentences[i];
		if (pattern_match(k->pattern, s.message, &s.m)) {
			s.tunnel = k->tunnel;
			k->act(&s);
			return true;
		}
	}
	return say_error(&s) || say_sleep(&s);
}
