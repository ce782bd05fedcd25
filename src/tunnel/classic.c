#include "tunnel/classic.h"

void classic_init(struct classic *c, ms_t give_up_ms)
{
	*c = (struct classic){.give_up_ms = give_up_ms, .give_up_at_ms = MS_NEVER};
}

/* With the DTLS MTU although DTLS is not up: that is the note's point. Once it had to give way it is not
 * tried again, or each reconnect would disable the adapter anew where UDP never works. */
static uint16_t wanted_mtu(const struct classic *c, const struct classic_offer *o)
{
	if (!o->has_dtls)
		return o->tls_mtu;
	if (c->has_fallen_back && o->tls_mtu < o->dtls_mtu)
		return o->tls_mtu;
	return o->dtls_mtu;
}

enum classic_act classic_on_connected(struct classic *c, const struct classic_offer *o, ms_t now_ms)
{
	bool is_disabled = c->is_reconfiguring;
	uint16_t before = c->adapter_mtu;
	bool wants_dtls = o->has_dtls && !c->is_reconfiguring;
	if (c->is_reconfiguring)
		c->has_fallen_back = true;
	c->is_reconfiguring = false;
	c->tls_mtu = o->tls_mtu;
	c->adapter_mtu = wanted_mtu(c, o);
	c->stage = wants_dtls ? CLASSIC_TRYING : CLASSIC_ON_TLS;
	c->give_up_at_ms = wants_dtls ? ms_add(now_ms, c->give_up_ms) : MS_NEVER;
	if (before == 0 || is_disabled)
		return CLASSIC_SET_MTU;
	return before != c->adapter_mtu ? CLASSIC_RENEW : CLASSIC_NOTHING;
}

/* Data goes by TLS from now on. A TLS MTU above the adapter's is no trouble (remedy 3 of the note). */
static enum classic_act fall_back(struct classic *c)
{
	c->give_up_at_ms = MS_NEVER;
	if (c->tls_mtu >= c->adapter_mtu) {
		c->stage = CLASSIC_TRYING; /* DTLS may come back: no size has to change for it */
		return CLASSIC_NOTHING;
	}
	c->stage = CLASSIC_DOWN;
	c->is_reconfiguring = true;
	return CLASSIC_RECONFIGURE;
}

void classic_on_dtls_up(struct classic *c)
{
	if (c->stage != CLASSIC_TRYING)
		return;
	c->stage = CLASSIC_ON_DTLS;
	c->give_up_at_ms = MS_NEVER;
}

enum classic_act classic_on_dtls_lost(struct classic *c)
{
	return c->stage == CLASSIC_ON_DTLS ? fall_back(c) : CLASSIC_NOTHING;
}

void classic_on_tls_lost(struct classic *c)
{
	c->stage = CLASSIC_DOWN;
	c->give_up_at_ms = MS_NEVER;
}

enum classic_act classic_step(struct classic *c, ms_t now_ms)
{
	return now_ms >= c->give_up_at_ms ? fall_back(c) : CLASSIC_NOTHING;
}

ms_t classic_due_ms(const struct classic *c)
{
	return c->give_up_at_ms;
}
