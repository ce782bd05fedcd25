#include "diagnose/syslog_recent.h"

#define LINES_NEAR 12 /* of a log without times */

/* FNV-1a, 64 bits */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

uint64_t syslog_recent_hash(struct span s)
{
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), s.p, s.n);
	h ^= h >> 32; /* short names differ in the lower bits only */
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t key_of(enum syslog_topic topic, const struct event *e)
{
	const uint8_t what[] = {(uint8_t)topic, topic == TOPIC_UP ? e->tunnel : 0};
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), what, sizeof(what));
	h = mix(h, e->device.p, e->device.n);
	h = mix(h, e->user.p, e->user.n);
	h = mix(h, &e->public_ip, sizeof(e->public_ip));
	return h != 0 ? h : 1;
}

void syslog_recent_put(struct syslog_recent *r, enum syslog_topic topic, const struct event *e)
{
	uint64_t key = key_of(topic, e);
	size_t i = (key >> 20) & (SYSLOG_RECENT_SLOTS - 1);
	r->slots[i].key = key;
	r->slots[i].at_ms = e->at_ms;
	r->slots[i].line = e->line;
	r->slots[i].reason = e->reason;
}

bool syslog_recent_has(const struct syslog_recent *r, enum syslog_topic topic, const struct event *e,
        int64_t within_ms, uint8_t *ret_reason)
{
	uint64_t key = key_of(topic, e);
	size_t i = (key >> 20) & (SYSLOG_RECENT_SLOTS - 1);
	if (r->slots[i].key != key)
		return false;
	*ret_reason = r->slots[i].reason;
	if (r->slots[i].at_ms == TIME_NONE || e->at_ms == TIME_NONE)
		return r->slots[i].at_ms == e->at_ms && e->line - r->slots[i].line <= LINES_NEAR;
	int64_t gap_ms = e->at_ms - r->slots[i].at_ms;
	return gap_ms <= within_ms && gap_ms >= -within_ms;
}
