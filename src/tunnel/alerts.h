/* When to tell the user that the session is about to end: the gateway's session timeout and its idle timeout
 * (cisco-facts.md 2.3). Only words: the gateway ends the session. Pure. */
#ifndef TUNNEL_ALERTS_H
#define TUNNEL_ALERTS_H

#include <stdbool.h>

#include "base/util.h"

#define ALERTS_IDLE_S 60 /* no header tells it; the ASA's default idle-timeout alert-interval, 1 min */

/* From the answer of CONNECT, in seconds; 0: none. */
struct alerts_terms {
	uint32_t session_timeout_s; /* of a new session */
	uint32_t remaining_s;       /* of this session */
	uint32_t alert_s;           /* before the end */
	uint32_t idle_timeout_s;
};

struct alerts {
	ms_t end_at_ms; /* of the session; MS_NEVER */
	ms_t alert_ms;  /* before it; 0: no alert */
	ms_t idle_ms;   /* 0: none */
	bool is_end_told;
	ms_t idle_told_ms; /* last_data_ms for which it was told; MS_NEVER: for none */
};

void alerts_init(struct alerts *a);
/* CONNECT was answered, for the first time or again: what a later answer does not say stays as it was. */
void alerts_on_connected(struct alerts *a, const struct alerts_terms *t, ms_t now_ms);

/* What is to be told now: seconds until the end, 0 for nothing; each once. last_data_ms: last packet either
 * way. */
unsigned alerts_session_s(struct alerts *a, ms_t now_ms);
unsigned alerts_idle_s(struct alerts *a, ms_t last_data_ms, ms_t now_ms);
ms_t alerts_due_ms(const struct alerts *a, ms_t last_data_ms);

#endif
