#include "gateway/debug.h"

#include <stdarg.h>
#include <stdio.h>

#include "gateway/conn.h"
#include "gateway/process.h"
#include "gateway/session_mtu.h"

#define VALUE_SHOWN_MAX 1024 /* bytes of one header's value */
#define LINE_BYTES      512  /* of lines without a peer's text of any length */

struct sink {
	debug_line_f *f;
	void *ctx;
};

static void say(const struct sink *k, unsigned level, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void say(const struct sink *k, unsigned level, const char *fmt, ...)
{
	char text[4 * VALUE_SHOWN_MAX + LINE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->f(k->ctx, level, text);
}

/* ---- headers ---- */

/* Headers whose value opens a session or a tunnel, by a part of the name: also those that we do not know. */
static bool is_secret(struct span name)
{
	static const char *const words[] = {
	        "cookie", "secret", "authorization", "token", "password", "strap", "auth-", "-key"};
	for (; name.n > 0; name = span_skip(name, 1)) {
		for (size_t i = 0; i < N_ELEM(words); i++) {
			size_t n = strlen(words[i]);
			if (name.n >= n && span_is_nocase(span_of(name.p, n), words[i]))
				return true;
		}
	}
	return false;
}

static void put_value(struct text *t, struct span name, struct span value)
{
	if (is_secret(name))
		text_str(t, "*****");
	else
		text_escaped(t, value, VALUE_SHOWN_MAX);
}

/* What a header sets, in the words of the transcript. */
static void say_setting(const struct sink *k, struct span name, const char *value)
{
	static const struct {
		const char *header, *words;
	} rows[] = {
	        {"User-Agent", "user-agent to:"},
	        {"X-CSTP-Version", "version to"},
	        {"X-CSTP-Hostname", "hostname to:"},
	        {"X-CSTP-MTU", "mtu to"},
	        {"X-CSTP-Base-MTU", "base-mtu to"},
	        {"X-CSTP-Address-Type", "address-type to"},
	        {"X-DTLS-CipherSuite", "DTLS cipher suites to"},
	        {"X-DTLS12-CipherSuite", "DTLSv1.2 cipher suites to"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		if (span_is_nocase(name, rows[i].header))
			say(k, DEBUG_DIALOGUE, "Setting %s '%s'", rows[i].words, value);
	}
}

static void say_header(const struct sink *k, const struct http_header *h)
{
	struct text line = {0}, value = {0};
	text_escaped(&line, h->name, 128);
	text_str(&line, ": ");
	put_value(&value, h->name, h->value);
	text_str(&line, text_cstr(&value));
	say(k, DEBUG_STEPS, "webvpn_cstp_parse_request_field()");
	say(k, DEBUG_DIALOGUE, "...input: '%s'", text_cstr(&line));
	say(k, DEBUG_STEPS, "Processing CSTP header line: '%s'", text_cstr(&line));
	say_setting(k, h->name, text_cstr(&value));
	text_done(&line);
	text_done(&value);
}

void debug_format_request(const struct http_head *h, debug_line_f *f, void *ctx)
{
	struct sink k = {f, ctx};
	struct text target = {0};
	text_escaped(&target, h->target, VALUE_SHOWN_MAX);
	say(&k, DEBUG_STEPS, "http_parse_cstp_method()");
	say(&k, DEBUG_DIALOGUE, "...input: '%.*s %s HTTP/1.%u'", (int)h->method.n, (const char *)h->method.p,
	        text_cstr(&target), h->minor);
	text_done(&target);
	for (size_t i = 0; i < h->n_headers; i++)
		say_header(&k, &h->headers[i]);
	if (http_cookie(h, "webvpn").p)
		say(&k, DEBUG_DIALOGUE, "Found WebVPN cookie: 'webvpn=*****'");
}

void debug_format_reply(struct span head, debug_line_f *f, void *ctx)
{
	struct sink k = {f, ctx};
	say(&k, DEBUG_DIALOGUE, "SVC: Sending response");
	while (head.n > 0) {
		struct span rest = span_cut(&head, '\n');
		struct text line = {0};
		if (rest.n > 0 && rest.p[rest.n - 1] == '\r')
			rest.n--;
		if (rest.n == 0)
			continue;
		struct span name = span_cut(&rest, ':');
		text_escaped(&line, name, VALUE_SHOWN_MAX);
		if (rest.n > 0) {
			text_str(&line, ":");
			put_value(&line, name, rest);
		}
		say(&k, DEBUG_DIALOGUE, "Sending %s", text_cstr(&line));
		text_done(&line);
	}
}

/* ---- to the consoles ---- */

static void to_consoles(void *ctx, unsigned level, const char *text)
{
	process_debug_line(ctx, level, text);
}

void debug_request(struct conn *c, const struct http_head *h)
{
	struct sink k = {to_consoles, c->w};
	char addr[ADDR_TEXT_MAX];
	if (process_debug_level(c->w) == 0)
		return;
	debug_format_request(h, to_consoles, c->w);
	say(&k, DEBUG_DIALOGUE, "Validating cookie of client %s/%u", addr_format(&c->peer, addr),
	        c->peer_port);
}

void debug_refused(struct conn *c, unsigned status, const char *why)
{
	struct sink k = {to_consoles, c->w};
	char addr[ADDR_TEXT_MAX];
	if (process_debug_level(c->w) == 0)
		return;
	say(&k, DEBUG_DIALOGUE, "CONNECT of client %s/%u refused: %u %s", addr_format(&c->peer, addr),
	        c->peer_port, status, why);
}

static void say_mtu(void *ctx, const char *line)
{
	say(ctx, DEBUG_DIALOGUE, "%s", line);
}

static void say_addresses(const struct sink *k, const struct session_identity *id)
{
	char addr[ADDR_TEXT_MAX], mask[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX];
	say(k, DEBUG_DIALOGUE, "CSTP state = WAIT_FOR_ADDRESS");
	if (id->ip4.addr.family) {
		struct ip_addr m = addr_mask_v4(id->ip4.len);
		say(k, DEBUG_DIALOGUE, "webvpn_cstp_accept_address: %s/%s", addr_format(&id->ip4.addr, addr),
		        addr_format(&m, mask));
	}
	if (id->ip6.addr.family)
		say(k, DEBUG_DIALOGUE, "webvpn_cstp_accept_ipv6_address: %s",
		        prefix_format(&id->ip6, prefix));
	say(k, DEBUG_DIALOGUE, "CSTP state = HAVE_ADDRESS");
}

void debug_session(struct session *s, struct span reply)
{
	struct sink k = {to_consoles, s->w};
	char addr[ADDR_TEXT_MAX];
	struct text user = {0};
	if (process_debug_level(s->w) == 0)
		return;
	text_escaped(&user, span_str(s->id.username), IPC_USER_MAX);
	say(&k, DEBUG_DIALOGUE, "WebVPN Cookie: 'webvpn=*****'");
	say(&k, DEBUG_DIALOGUE, "IPADDR: '%s', INDEX: '%u', LOGIN: '%s'", addr_format(&s->id.peer, addr),
	        s->id.index, text_cstr(&user));
	text_done(&user);
	say_addresses(&k, &s->id);
	say(&k, DEBUG_DIALOGUE, "SVC: NP setup");
	say(&k, DEBUG_DIALOGUE, "SVC ACL Name: NULL");
	session_mtu_explain(s, say_mtu, &k);
	debug_format_reply(reply, to_consoles, s->w);
	say(&k, DEBUG_DIALOGUE, "CSTP state = CONNECTED");
}
