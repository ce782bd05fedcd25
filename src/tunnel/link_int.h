/* Between the files of link: link.c (facts, routes), link_step.c (time), link_timers.c (configured timers).
 */
#ifndef TUNNEL_LINK_INT_H
#define TUNNEL_LINK_INT_H

#include "tunnel/link.h"

enum link_timer_act {
	LINK_TIMER_NONE,
	LINK_TIMER_DPD,
	LINK_TIMER_DEAD,
	LINK_TIMER_REKEY,
	LINK_TIMER_KEEPALIVE
};
enum link_timer_act link_timers_dpd(struct link_state *c, ms_t now_ms);
enum link_timer_act link_timers_other(struct link_state *c, ms_t now_ms);
ms_t link_timers_due_ms(const struct link_state *c);

/* Decides anew where data goes, after anything that may matter. */
void link_decide(struct link *l, ms_t now_ms);
/* DTLS has just become suspect. */
void link_on_suspect(struct link *l, enum choice_cause cause, ms_t now_ms);

static inline bool link_is_seamless(const struct link *l)
{
	return l->config.policy == LINK_SEAMLESS;
}

/* Data either way lately. */
static inline bool link_is_in_use(const struct link *l, ms_t now_ms)
{
	return ms_since(l->last_data_ms, now_ms) <= LIVENESS_IN_USE_MS;
}

static inline struct liveness *link_life(struct link *l, enum link_channel ch)
{
	return &l->channels[ch].life;
}

#endif
