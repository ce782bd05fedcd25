#include "gateway/switches.h"

void switches_count(struct switches *s, const struct choice_switch *c)
{
	unsigned bucket = 0;
	s->n_by_cause[c->cause]++;
	/* a return to DTLS loses nothing, nor does a packet that is too large for it */
	if (c->to != CHOICE_TLS || c->cause == CAUSE_SIZE)
		return;
	while (c->gap_ms > choice_gap_limit_ms(bucket) && bucket < CHOICE_GAP_BUCKETS - 1)
		bucket++;
	s->n_by_gap[bucket]++;
}

void switches_add(struct switches *to, const struct switches *from)
{
	for (size_t i = 0; i < CAUSE_N; i++)
		to->n_by_cause[i] += from->n_by_cause[i];
	for (size_t i = 0; i < CHOICE_GAP_BUCKETS; i++)
		to->n_by_gap[i] += from->n_by_gap[i];
	for (size_t i = 0; i < SWITCHES_N_LIMIT_CAUSES; i++)
		to->n_limits[i] += from->n_limits[i];
	to->n_nudges += from->n_nudges;
}

uint64_t switches_of(const struct link *l)
{
	uint64_t n = 0;
	for (size_t i = 0; i < CAUSE_N; i++)
		n += l->choice.counts.switches[i];
	return n;
}
