/* Events for tests of store, cases and findings, told briefly: a story is a store that is filled by hand. */
#ifndef STORY_H
#define STORY_H

#include <stdio.h>

#include "../unit.h"

#include "diagnose/cases.h"
#include "diagnose/finding.h"

#define T0 INT64_C(1384565270000) /* 2013-11-16 01:27:50 */

struct story {
	struct store *store;
	struct sink sink;
	uint32_t file, line;
	const char *user; /* of the events that follow; NULL: a client's own log */
	const char *group, *device;
	const char *public_ip, *inner, *peer;
	uint8_t source;
	struct findings *found;
};

static inline struct story story_new(const char *user)
{
	static const struct store_focus anybody = {.since_ms = TIME_NONE};
	struct story t = {.store = store_new(&anybody), .user = user, .source = SOURCE_ASA_SYSLOG};
	assert_non_null(t.store);
	t.sink = store_sink(t.store);
	if (user != NULL) {
		t.group = "ac_users_group";
		t.public_ip = "198.51.100.7";
		t.inner = "10.10.10.5";
	}
	return t;
}

static inline void story_end(struct story *t)
{
	findings_free(t->found);
	store_free(t->store);
}

static inline struct ip_addr story_addr(const char *s)
{
	struct ip_addr a = {.family = 0};
	if (s != NULL)
		assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

/* e with what the story knows filled in, at T0 + at_s. */
static inline void tell(struct story *t, int at_s, struct event e)
{
	char line[100];
	e.source = t->source;
	e.file = t->file;
	e.line = ++t->line;
	e.at_ms = T0 + INT64_C(1000) * at_s;
	e.user = span_str(t->user);
	e.group = span_str(t->group);
	e.device = span_str(t->device);
	e.public_ip = story_addr(t->public_ip);
	if (!addr_is_set(&e.inner))
		e.inner = story_addr(t->inner);
	e.peer = story_addr(t->peer);
	snprintf(line, sizeof(line), "line %u of kind %u", e.line, e.kind);
	e.text = span_str(line);
	t->sink.on_event(t->sink.ctx, &e);
}

static inline void tell_tunnel(struct story *t, int at_s, enum event_kind kind, enum tunnel_kind tunnel)
{
	tell(t, at_s, (struct event){.kind = (uint8_t)kind, .tunnel = (uint8_t)tunnel});
}

static inline void tell_large(struct story *t, int at_s, uint32_t size, uint32_t limit)
{
	tell(t, at_s,
	        (struct event){
	                .kind = EVENT_LARGE_PACKET, .size = size, .limit = limit, .is_to_client = true});
}

static inline void tell_end(struct story *t, int at_s, enum end_reason reason)
{
	tell(t, at_s, (struct event){.kind = EVENT_SESSION_END, .reason = (uint8_t)reason});
}

static inline void tell_fact(
        struct story *t, enum fact_kind kind, const char *scope, uint32_t number, const char *text)
{
	char raw[120];
	struct fact f = {.kind = (uint8_t)kind, .source = SOURCE_ASA_CONFIG, .number = number, .file = 100};
	f.line = ++t->line;
	f.scope = span_str(scope);
	f.text = span_str(text);
	snprintf(raw, sizeof(raw), " fact %u %s %u %s", f.kind, scope ? scope : "", number, text ? text : "");
	f.raw = span_str(raw);
	t->sink.on_fact(t->sink.ctx, &f);
}

/* Ends the story; its findings' ids, one behind the other with blanks between. */
static inline const char *story_findings(struct story *t)
{
	static char ids[600];
	ids[0] = '\0';
	store_finish(t->store);
	assert_int_equal(findings_find(t->store, &t->found), 0);
	for (size_t i = 0; i < findings_n(t->found); i++) {
		size_t n = strlen(ids);
		snprintf(ids + n, sizeof(ids) - n, "%s%s", n ? " " : "", findings_at(t->found, i)->id);
	}
	return ids;
}

static inline const struct finding *story_finding(const struct story *t, const char *id)
{
	for (size_t i = 0; i < findings_n(t->found); i++)
		if (strcmp(findings_at(t->found, i)->id, id) == 0)
			return findings_at(t->found, i);
	fail_msg("no finding %s", id);
	return NULL;
}

#endif
