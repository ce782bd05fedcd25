#include "reader_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../unit.h"

/* ---- what is told, as text ---- */

static const char *const event_names[EVENT_N] = {
        [EVENT_CONNECTED] = "connected",
        [EVENT_TUNNEL_UP] = "up",
        [EVENT_TUNNEL_DOWN] = "down",
        [EVENT_TUNNEL_FAILED] = "failed",
        [EVENT_TUNNEL_REPLACED] = "replaced",
        [EVENT_LARGE_PACKET] = "large",
        [EVENT_FRAG_NEEDED] = "frag-needed",
        [EVENT_DPD_DEAD] = "dpd-dead",
        [EVENT_SESSION_LOST] = "lost",
        [EVENT_SESSION_RESUMED] = "resumed",
        [EVENT_SESSION_END] = "end",
        [EVENT_AUTH_REJECTED] = "rejected",
        [EVENT_POOL_EXHAUSTED] = "pool-exhausted",
        [EVENT_CIPHER_MISMATCH] = "cipher-mismatch",
        [EVENT_MTU] = "mtu",
        [EVENT_RECONFIGURE] = "reconfigure",
        [EVENT_RECONNECT] = "reconnect",
        [EVENT_ADAPTER_BOUNCE] = "bounce",
        [EVENT_SUSPEND] = "suspend",
        [EVENT_WAKE] = "wake",
        [EVENT_NETWORK_CHANGE] = "network-change",
        [EVENT_TUNNEL_STALL] = "stall",
        [EVENT_SNAPSHOT] = "snapshot",
        [EVENT_CIPHER] = "cipher",
        [EVENT_CONNECT_FAILED] = "connect-failed",
};

static const char *const fact_names[FACT_N] = {
        [FACT_DEVICE] = "device",
        [FACT_TCPMSS] = "tcpmss",
        [FACT_BASE_MTU] = "base-mtu",
        [FACT_GROUP_POLICY] = "group-policy",
        [FACT_GROUP_MTU] = "group-mtu",
        [FACT_DF_IGNORE] = "df-ignore",
        [FACT_DTLS_ENABLE] = "dtls",
        [FACT_DTLS_PORT] = "dtls-port",
        [FACT_TLS_PORT] = "tls-port",
        [FACT_IDLE_TIMEOUT] = "idle-timeout",
        [FACT_SESSION_TIMEOUT] = "session-timeout",
        [FACT_LOGINS] = "logins",
        [FACT_SSL_CLIENT] = "ssl-client",
        [FACT_DPD_CLIENT] = "dpd-client",
        [FACT_DPD_GATEWAY] = "dpd-gateway",
        [FACT_POLICY_OF_PROFILE] = "policy-of-profile",
        [FACT_POLICY_OF_USER] = "policy-of-user",
        [FACT_POOL4_OF_POLICY] = "pool4",
        [FACT_POOL6_OF_POLICY] = "pool6",
        [FACT_POOL_SIZE] = "pool-size",
        [FACT_TLS_VERSION] = "tls-version",
        [FACT_TLS_CIPHERS] = "tls-ciphers",
        [FACT_DTLS_CIPHERS] = "dtls-ciphers",
        [FACT_L2L] = "l2l",
        [FACT_WEBVPN] = "webvpn",
        [FACT_DROP_COUNT] = "drop",
        [FACT_TIMEOUT_DTLS_TO_TLS] = "switch-timeout",
        [FACT_OCSERV_MTU] = "ocserv-mtu",
        [FACT_OCSERV_DPD] = "ocserv-dpd",
        [FACT_OCSERV_MTU_DISCOVERY] = "ocserv-mtu-discovery",
        [FACT_DATES_GUESSED] = "dates-guessed",
};

static const char *const reason_names[REASON_N] = {
        "unknown", "user", "admin", "idle", "max-time", "dpd", "preempted", "suspend", "error", "forgotten"};

static void put_time(struct text *out, const struct event *e)
{
	struct tm tm;
	char buf[40];
	time_t t = (time_t)(e->at_ms / 1000);
	if (e->at_ms == TIME_NONE)
		return;
	gmtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	text_fmt(out, " %s", buf);
	if (e->at_ms % 1000 != 0)
		text_fmt(out, ".%03d", (int)(e->at_ms % 1000));
	text_str(out, e->has_zone ? "Z" : "");
}

static void put_span(struct text *out, const char *label, struct span s)
{
	if (s.n > 0)
		text_fmt(out, " %s=<%.*s>", label, (int)s.n, (const char *)s.p);
}

static void put_addr(struct text *out, const char *label, const struct ip_addr *a)
{
	char buf[ADDR_TEXT_MAX];
	if (addr_is_set(a))
		text_fmt(out, " %s=%s", label, addr_format(a, buf));
}

static void on_event(void *ctx, const struct event *e)
{
	struct text *out = ctx;
	static const char *const tunnels[] = {"", " tls", " dtls"};
	text_fmt(out, "%u: %s%s", e->line, event_names[e->kind], tunnels[e->tunnel]);
	put_time(out, e);
	put_span(out, "device", e->device);
	put_span(out, "user", e->user);
	put_span(out, "group", e->group);
	put_span(out, "profile", e->profile);
	put_addr(out, "public", &e->public_ip);
	put_addr(out, "inner", &e->inner);
	put_addr(out, "peer", &e->peer);
	if (e->size || e->limit || e->adapter)
		text_fmt(out, " %u/%u/%u", e->size, e->limit, e->adapter);
	text_str(out, e->is_to_client ? " to-client" : "");
	text_str(out, e->has_tls ? " has-tls" : "");
	text_str(out, e->has_dtls ? " has-dtls" : "");
	if (e->code)
		text_fmt(out, " code=%u", e->code);
	if (e->reason)
		text_fmt(out, " reason=%s", reason_names[e->reason]);
	put_span(out, "cause", e->cause);
	assert_true(e->text.n > 0);
	text_str(out, "\n");
}

static void on_fact(void *ctx, const struct fact *f)
{
	struct text *out = ctx;
	text_fmt(out, "%u: %s%s %u", f->line, f->is_user ? "user's " : "", fact_names[f->kind], f->number);
	put_span(out, "scope", f->scope);
	put_span(out, "text", f->text);
	assert_true(f->raw.n > 0);
	text_str(out, "\n");
}

/* ---- running ---- */

static char claim_letter(enum claim c)
{
	return c == CLAIM_STRONG ? 'S' : c == CLAIM_WEAK ? 'W' : '-';
}

void reader_lines_run(
        const struct reader *r, const char *input, int64_t written_at_ms, struct reader_lines *ret)
{
	const struct sink sink = {.on_event = on_event, .on_fact = on_fact, .ctx = &ret->told};
	const struct file_hint hint = {.name = "test.log", .written_at_ms = written_at_ms};
	struct span rest = span_str(input);
	void *state = calloc(1, r->state_bytes);
	assert_non_null(state);
	*ret = (struct reader_lines){0};
	r->begin(state, &hint, &sink);
	for (uint32_t number = 1; rest.n > 0; number++) {
		struct span line = span_cut(&rest, '\n');
		char *copy = malloc(line.n ? line.n : 1), letter;
		assert_non_null(copy);
		memcpy(copy, line.p, line.n);
		letter = claim_letter(r->line(state, span_of(copy, line.n), number));
		text_put(&ret->claims, span_of(&letter, 1));
		free(copy);
	}
	r->end(state);
	free(state);
}

void reader_lines_done(struct reader_lines *l)
{
	text_done(&l->claims);
	text_done(&l->told);
}

void reader_lines_check(const struct reader *r, const char *input, const char *want)
{
	struct reader_lines l;
	reader_lines_run(r, input, READER_LINES_WRITTEN_MS, &l);
	assert_string_equal(text_cstr(&l.told), want);
	reader_lines_done(&l);
}

void reader_lines_check_claims(const struct reader *r, const char *input, const char *want)
{
	struct reader_lines l;
	reader_lines_run(r, input, READER_LINES_WRITTEN_MS, &l);
	assert_string_equal(text_cstr(&l.claims), want);
	reader_lines_done(&l);
}
