/* Changes of the tunnel that carries data to a client, of the whole process: how many, by cause, and how long
 * data may have been lost each time (`show switches`). */
#ifndef GATEWAY_SWITCHES_H
#define GATEWAY_SWITCHES_H

#include "tunnel/link.h"

#define SWITCHES_N_LIMIT_CAUSES (PMTU_BY_RESTART + 1)

struct switches {
	uint64_t n_by_cause[CAUSE_N];
	uint64_t n_by_gap[CHOICE_GAP_BUCKETS]; /* of those caused by a loss: up to choice_gap_limit_ms() */
	uint64_t n_nudges;                     /* TCP closed so that the client comes back */
	uint64_t n_limits[SWITCHES_N_LIMIT_CAUSES]; /* path limits that changed, by cause */
};

void switches_count(struct switches *s, const struct choice_switch *c);
void switches_add(struct switches *to, const struct switches *from);
/* Of one session. */
uint64_t switches_of(const struct link *l);

#endif
