#include "gateway/log_setup.h"

#include <time.h>

uint8_t log_setup_own_level(const struct config *c)
{
	if (c->logging.is_enabled && c->logging.trap_level <= LOG_DEBUG)
		return (uint8_t)c->logging.trap_level;
	return LOG_INFO;
}

/* Least severe level of buffer and log hosts together; -1: neither wants anything. */
static int relay_level(const struct config *c)
{
	const struct logging_settings *l = &c->logging;
	int level = -1;
	if (!l->is_enabled)
		return -1;
	if (l->buffered_level <= LOG_DEBUG)
		level = (int)l->buffered_level;
	if (l->n_hosts > 0 && l->trap_level <= LOG_DEBUG && (int)l->trap_level > level)
		level = (int)l->trap_level;
	return level;
}

void log_setup_apply(const struct config *c, log_relay_fn *fn, void *ctx)
{
	_Static_assert(LOG_RULES_MAX >= POLICY_MAX_LOG_RULES, "every rule has its place");
	_Static_assert(LOG_RULE_KEEP == POLICY_LOG_LEVEL_OFF, "levels mean the same");
	struct log_rule rules[LOG_RULES_MAX];
	size_t n = c->logging.n_rules < LOG_RULES_MAX ? c->logging.n_rules : LOG_RULES_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct log_message_rule *in = &c->logging.rules[i];
		rules[i] =
		        (struct log_rule){.id = in->id, .severity = (uint8_t)in->level, .is_off = in->is_off};
	}
	log_set_rules(rules, n);
	log_set_level(log_setup_own_level(c));
	log_set_json(c->logging.format == 1);
	log_set_relay(relay_level(c), fn, ctx);
}

uint64_t log_setup_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Never waits and never grows without bound: what the monitor does not take in time is lost and counted. */
void log_relay_send(struct log_relay *r, struct ipc_msg *m)
{
	if (r->monitor->n_waiting >= LOG_RELAY_WAITING_MAX) {
		atomic_fetch_add(&r->n_lost, 1);
		return;
	}
	unsigned n_lost = atomic_exchange(&r->n_lost, 0);
	m->log.n_lost = n_lost;
	if (chan_send(r->monitor, m, -1) < 0)
		atomic_fetch_add(&r->n_lost, n_lost + 1);
	else if (chan_wants_write(r->monitor))
		r->wants_write(r->ctx);
}

static void relay(void *ctx, const struct log_record *in)
{
	struct log_relay *r = ctx;
	struct ipc_msg m = {.type = IPC_LOG,
	        .log = {.severity = in->severity,
	                .is_asa = in->is_asa,
	                .id = in->id,
	                .at_us = log_setup_now_us()}};
	ipc_cut_str(m.log.text, sizeof(m.log.text), in->text);
	if (pthread_equal(pthread_self(), r->thread))
		log_relay_send(r, &m);
	else if (r->elsewhere == NULL || !r->elsewhere(r->ctx, &m))
		atomic_fetch_add(&r->n_lost, 1);
}

void log_relay_apply(struct log_relay *r, const struct config *c)
{
	r->thread = pthread_self();
	log_setup_apply(c, relay, r);
}
