/* What was told of a session a moment ago: the ASA tells one thing in two or three messages, under different
 * numbers, and only some of them may have been logged. A fixed table without chains: with very many sessions
 * at once some doubles stay, which is harmless. */
#ifndef DIAGNOSE_SYSLOG_RECENT_H
#define DIAGNOSE_SYSLOG_RECENT_H

#include "diagnose/event.h"

#define SYSLOG_RECENT_SLOTS 1024 /* a power of two */

enum syslog_topic { TOPIC_UP, TOPIC_CLOSING, TOPIC_END, TOPIC_REJECTED, TOPIC_N };

struct syslog_recent {
	struct {
		uint64_t key; /* 0: free */
		int64_t at_ms;
		uint32_t line;
		uint8_t reason;
	} slots[SYSLOG_RECENT_SLOTS];
};

/* Remembers the event under its device, user, address, topic and, for TOPIC_UP, its tunnel. */
void syslog_recent_put(struct syslog_recent *r, enum syslog_topic topic, const struct event *e);

/* Was the same told within within_ms (without times: within a few lines)? *ret_reason: what was put. */
bool syslog_recent_has(const struct syslog_recent *r, enum syslog_topic topic, const struct event *e,
        int64_t within_ms, uint8_t *ret_reason);

uint64_t syslog_recent_hash(struct span s);

#endif
