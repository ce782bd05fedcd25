#include "tunnel/link.h"

void link_init(struct link *l, ms_t idle_ms, ms_t now_ms)
{
	*l = (struct link){.idle_ms = idle_ms, .last_data_ms = now_ms};
}

void link_up(struct link *l, enum link_channel ch, const struct link_timers *t, ms_t now_ms)
{
	l->channels[ch] = (struct link_state){
	        .timers = *t,
	        .is_up = true,
	        .up_at_ms = now_ms,
	        .last_rx_ms = now_ms,
	        .last_tx_ms = now_ms,
	};
}

void link_down(struct link *l, enum link_channel ch)
{
	l->channels[ch].is_up = false;
}

void link_on_rx(struct link *l, enum link_channel ch, bool is_data, ms_t now_ms)
{
	struct link_state *c = &l->channels[ch];
	c->last_rx_ms = now_ms;
	c->n_probes = 0;
	if (ch == LINK_DTLS)
		c->is_paused = false;
	if (!is_data)
		return;
	l->last_data_ms = now_ms;
	/* A peer that sends data by TLS while DTLS is up has lost its DTLS: stock clients cannot say so in
	 * any other way (wire-protocol.md 3.5). Its next DTLS packet takes this back. */
	if (ch == LINK_TLS)
		l->channels[LINK_DTLS].is_paused = true;
}

void link_on_tx(struct link *l, enum link_channel ch, bool is_data, ms_t now_ms)
{
	l->channels[ch].last_tx_ms = now_ms;
	if (is_data)
		l->last_data_ms = now_ms;
}

enum link_channel link_active(const struct link *l)
{
	const struct link_state *dtls = &l->channels[LINK_DTLS], *tls = &l->channels[LINK_TLS];
	if (dtls->is_up && !(dtls->is_paused && tls->is_up))
		return LINK_DTLS;
	return tls->is_up ? LINK_TLS : LINK_N_CHANNELS;
}

/* A third of the DPD interval, so that a dead peer is known after 2 1/3 intervals. */
static ms_t retry_ms(const struct link_timers *t)
{
	ms_t third = t->dpd_ms / 3;
	return third < LINK_RETRY_MIN_MS ? LINK_RETRY_MIN_MS : third;
}

static ms_t probe_due_ms(const struct link_state *c)
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

static ms_t idle_due_ms(const struct link *l)
{
	return l->idle_ms ? ms_add(l->last_data_ms, l->idle_ms) : MS_NEVER;
}

static size_t step_channel(struct link_state *c, enum link_channel ch, ms_t now_ms, struct link_action *ret)
{
	size_t n = 0;
	if (now_ms >= probe_due_ms(c)) {
		if (c->n_probes > LINK_DPD_RETRIES) {
			c->is_up = false;
			ret[0] = (struct link_action){LINK_DEAD, ch};
			return 1;
		}
		c->n_probes++;
		c->last_probe_ms = now_ms;
		c->last_tx_ms = now_ms;
		ret[n++] = (struct link_action){LINK_SEND_DPD, ch};
	}
	if (now_ms >= rekey_due_ms(c)) {
		c->is_rekey_done = true;
		ret[n++] = (struct link_action){LINK_REKEY, ch};
	} else if (now_ms >= keepalive_due_ms(c)) {
		c->last_tx_ms = now_ms;
		ret[n++] = (struct link_action){LINK_SEND_KEEPALIVE, ch};
	}
	return n;
}

size_t link_step(struct link *l, ms_t now_ms, struct link_action ret[static LINK_MAX_ACTIONS])
{
	size_t n = 0;
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		if (l->channels[ch].is_up)
			n += step_channel(&l->channels[ch], ch, now_ms, ret + n);
	}
	if (now_ms >= idle_due_ms(l)) {
		l->last_data_ms = now_ms;
		ret[n++] = (struct link_action){.act = LINK_IDLE_TIMEOUT};
	}
	return n;
}

ms_t link_due_ms(const struct link *l)
{
	ms_t due = idle_due_ms(l);
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++) {
		const struct link_state *c = &l->channels[ch];
		if (!c->is_up)
			continue;
		due = ms_min(due, ms_min(probe_due_ms(c), ms_min(keepalive_due_ms(c), rekey_due_ms(c))));
	}
	return due;
}

const char *link_channel_name(enum link_channel ch)
{
	return ch == LINK_TLS ? "tls" : ch == LINK_DTLS ? "dtls" : "none";
}
