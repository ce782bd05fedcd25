/* Runs a text through one reader and prints what it says, one line for each event and fact:
 *     7 2013-11-16 01:28:50 reconfigure code=16 "New MTU configuration." */
#ifndef CLIENT_LINES_H
#define CLIENT_LINES_H

#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "diagnose/readers.h"

#define LINES_WRITTEN INT64_C(1418000000000) /* 2014-12-08 */

struct lines_run {
	struct text out;
	unsigned n_claims[3];
	bool has_users; /* print users, addresses and devices too */
};

static inline void lines_time(struct text *out, const struct event *e)
{
	char buf[40];
	time_t s = (time_t)(e->at_ms / 1000);
	struct tm tm;
	if (e->at_ms == TIME_NONE) {
		text_str(out, " -");
		return;
	}
	gmtime_r(&s, &tm);
	strftime(buf, sizeof(buf), " %Y-%m-%d %H:%M:%S", &tm);
	text_str(out, buf);
	if (e->at_ms % 1000)
		text_fmt(out, ".%03d", (int)(e->at_ms % 1000));
	if (e->has_zone)
		text_str(out, "Z");
}

static inline void lines_span(struct text *out, const char *name, struct span s)
{
	if (s.n == 0)
		return;
	text_str(out, name);
	text_put(out, s);
}

static inline void lines_addr(struct text *out, const char *name, const struct ip_addr *a)
{
	char buf[ADDR_TEXT_MAX];
	if (addr_is_set(a))
		text_fmt(out, "%s%s", name, addr_format(a, buf));
}

static inline void lines_number(struct text *out, const char *name, uint32_t n)
{
	if (n)
		text_fmt(out, "%s%u", name, n);
}

static inline void lines_event(void *ctx, const struct event *e)
{
	static const char *const kinds[EVENT_N] = {"connected", "up", "down", "failed", "replaced", "large",
	        "frag-needed", "dpd-dead", "lost", "resumed", "end", "rejected", "pool-exhausted",
	        "cipher-mismatch", "mtu", "reconfigure", "reconnect", "bounce", "suspend", "wake", "network",
	        "stall", "snapshot", "cipher", "connect-failed"};
	static const char *const tunnels[] = {"", " tls", " dtls"};
	static const char *const reasons[REASON_N] = {
	        "", " user", " admin", " idle", " max-time", " dpd", " preempted", " suspend", " error", " forgotten"};
	struct lines_run *r = ctx;
	text_fmt(&r->out, "%u", e->line);
	lines_time(&r->out, e);
	assert_true(e->kind < EVENT_N && e->source > SOURCE_NONE && e->source < SOURCE_N && e->text.n > 0);
	text_fmt(&r->out, " %s%s%s", kinds[e->kind], tunnels[e->tunnel], reasons[e->reason]);
	lines_number(&r->out, " code=", e->code);
	lines_number(&r->out, " size=", e->size);
	lines_number(&r->out, " limit=", e->limit);
	lines_number(&r->out, " adapter=", e->adapter);
	lines_addr(&r->out, " inner=", &e->inner);
	if (r->has_users) {
		lines_span(&r->out, " user=", e->user);
		lines_addr(&r->out, " from=", &e->public_ip);
		lines_addr(&r->out, " peer=", &e->peer);
		lines_span(&r->out, " on=", e->device);
		lines_span(&r->out, " group=", e->group);
	}
	if (e->cause.n > 0) {
		lines_span(&r->out, " \"", e->cause);
		text_str(&r->out, "\"");
	}
	text_str(&r->out, "\n");
}

static inline void lines_fact(void *ctx, const struct fact *f)
{
	struct lines_run *r = ctx;
	static const char *const names[FACT_N] = {[FACT_DPD_CLIENT] = "dpd",
	        [FACT_OCSERV_DPD] = "ocserv-dpd",
	        [FACT_OCSERV_MTU] = "ocserv-mtu",
	        [FACT_TIMEOUT_DTLS_TO_TLS] = "dtls-to-tls",
	        [FACT_OCSERV_MTU_DISCOVERY] = "mtu-discovery",
	        [FACT_DATES_GUESSED] = "dates-guessed",
	        [FACT_DTLS_PORT] = "dtls-port",
	        [FACT_DEVICE] = "device",
	        [FACT_IDLE_TIMEOUT] = "idle-timeout",
	        [FACT_SESSION_TIMEOUT] = "session-timeout"};
	assert_true(f->kind < FACT_N && names[f->kind] != NULL);
	text_fmt(&r->out, "%u %s=%u", f->line, names[f->kind], f->number);
	lines_span(&r->out, " ", f->text);
	text_str(&r->out, "\n");
}

/* The caller frees. */
static inline char *lines_read(const struct reader *reader, const char *text, struct lines_run *r)
{
	const struct sink sink = {.on_event = lines_event, .on_fact = lines_fact, .ctx = r};
	const struct file_hint hint = {.name = "file", .written_at_ms = LINES_WRITTEN};
	void *state = calloc(1, reader->state_bytes);
	struct span rest = span_str(text);
	assert_non_null(state);
	reader->begin(state, &hint, &sink);
	for (uint32_t n = 1; rest.n > 0; n++) {
		struct span line = span_cut(&rest, '\n');
		/* exactly as large as the line, so that sanitizers see a read beyond it */
		char *exact = malloc(line.n ? line.n : 1);
		assert_non_null(exact);
		memcpy(exact, line.p, line.n);
		enum claim c = reader->line(state, span_of(exact, line.n), n);
		assert_true(c <= CLAIM_STRONG);
		r->n_claims[c]++;
		free(exact);
	}
	reader->end(state);
	free(state);
	char *out = strdup(text_cstr(&r->out));
	text_done(&r->out);
	return out;
}

static inline void assert_lines(const struct reader *reader, const char *text, const char *want)
{
	struct lines_run r = {0};
	char *got = lines_read(reader, text, &r);
	assert_string_equal(got, want);
	free(got);
}

/* With who and where. */
static inline void assert_lines_of_users(const struct reader *reader, const char *text, const char *want)
{
	struct lines_run r = {.has_users = true};
	char *got = lines_read(reader, text, &r);
	assert_string_equal(got, want);
	free(got);
}

/* No line of it is claimed. */
static inline void assert_foreign(const struct reader *reader, const char *text)
{
	struct lines_run r = {0};
	char *got = lines_read(reader, text, &r);
	assert_string_equal(got, "");
	assert_int_equal(r.n_claims[CLAIM_STRONG] + r.n_claims[CLAIM_WEAK], 0);
	free(got);
}

#endif
