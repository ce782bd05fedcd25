/* The configured timers of one tunnel: DPD, keepalive, rekey. The same in both policies. */
#include "tunnel/link_int.h"

/* A third of the DPD interval, so that a dead peer is known after 2 1/3 intervals. */
static ms_t retry_ms(const struct link_timers *t)
{
	ms_t third = t->dpd_ms / 3;
	return third < LINK_RETRY_MIN_MS ? LINK_RETRY_MIN_MS : third;
}

static ms_t dpd_due_ms(const struct link_state *c)
{
	if (c->timers.dpd_ms == 0)
		return MS_NEVER;
	if (c->n_probes == 0)
		return ms_add(c->last_rx_ms, c->timers.dpd_ms);
	return ms_add(c->last_probe_ms, retry_ms(&c->timers));
}

static ms_t keepalive_due_ms(const struct link_state *c)
{
	return c->timers.keepalive_ms ? ms_add(c->last_tx_ms, c->timers.keepalive_ms) : MS_NEVER;
}

static ms_t rekey_due_ms(const struct link_state *c)
{
	return c->timers.rekey_ms && !c->is_rekey_done ? ms_add(c->up_at_ms, c->timers.rekey_ms) : MS_NEVER;
}

ms_t link_timers_due_ms(const struct link_state *c)
{
	return ms_min(dpd_due_ms(c), ms_min(keepalive_due_ms(c), rekey_due_ms(c)));
}

enum link_timer_act link_timers_dpd(struct link_state *c, ms_t now_ms)
{
	if (now_ms < dpd_due_ms(c))
		return LINK_TIMER_NONE;
	if (c->n_probes > LINK_DPD_RETRIES)
		return LINK_TIMER_DEAD;
	c->n_probes++;
	c->last_probe_ms = now_ms;
	c->last_tx_ms = now_ms;
	return LINK_TIMER_DPD;
}

enum link_timer_act link_timers_other(struct link_state *c, ms_t now_ms)
{
	if (now_ms >= rekey_due_ms(c)) {
		c->is_rekey_done = true;
		return LINK_TIMER_REKEY;
	}
	if (now_ms < keepalive_due_ms(c))
		return LINK_TIMER_NONE;
	c->last_tx_ms = now_ms;
	return LINK_TIMER_KEEPALIVE;
}
