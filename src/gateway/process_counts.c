/* What is counted for all threads together, and what depends on it: who is let in, what strangers may cause
 * in the log. */
#include "gateway/process_int.h"

#define STRANGER_LINES     100 /* of one kind at once, then one per period */
#define STRANGER_PERIOD_MS 100
#define ADDRESS_CONNS      64 /* new connections of one address at once while many wait, then one per period */
#define ADDRESS_PERIOD_MS  200
#define PRE_LOGIN_HIGH     (WORKER_MAX_PRE_LOGIN / 10 * 9) /* watermarks of the ASA: 90 and 70 % */
#define PRE_LOGIN_LOW      (WORKER_MAX_PRE_LOGIN / 10 * 7)
#define PRE_LOGIN_QUIET_MS 10000 /* one line about them in this time */

void process_counts_init(struct process_counts *c)
{
	pthread_mutex_init(&c->lock, NULL);
	ratelimit_init(&c->log_strangers, STRANGER_LINES, STRANGER_PERIOD_MS);
	ratelimit_init(&c->accepts, ADDRESS_CONNS, ADDRESS_PERIOD_MS);
}

bool process_may_log(struct process *p, uint64_t key, ms_t now_ms, uint32_t *ret_suppressed)
{
	pthread_mutex_lock(&p->counts.lock);
	bool may = ratelimit_allows(&p->counts.log_strangers, key, now_ms, ret_suppressed);
	pthread_mutex_unlock(&p->counts.lock);
	return may;
}

void process_tunnels(struct process *p, struct tunnel_count ret[static N_TUNNEL_KINDS])
{
	pthread_mutex_lock(&p->counts.lock);
	memcpy(ret, p->counts.tunnels, sizeof(p->counts.tunnels));
	pthread_mutex_unlock(&p->counts.lock);
}

void process_count_conn(struct process *p, int by)
{
	atomic_fetch_add(&p->n_conns, (unsigned)by);
}

int process_count_pre_login(struct process *p, int by, ms_t now_ms)
{
	struct process_counts *c = &p->counts;
	unsigned n = atomic_fetch_add(&p->n_pre_login, (unsigned)by) + (unsigned)by;
	int crossed = 0;
	if (n != PRE_LOGIN_HIGH && n > PRE_LOGIN_LOW && n < PRE_LOGIN_HIGH)
		return 0;
	pthread_mutex_lock(&c->lock);
	if ((c->is_pre_login_high ? n <= PRE_LOGIN_LOW : n >= PRE_LOGIN_HIGH) &&
	        (c->pre_login_told_at_ms == 0 || now_ms - c->pre_login_told_at_ms >= PRE_LOGIN_QUIET_MS)) {
		c->is_pre_login_high = !c->is_pre_login_high;
		c->pre_login_told_at_ms = now_ms;
		crossed = c->is_pre_login_high ? 1 : -1;
	}
	pthread_mutex_unlock(&c->lock);
	return crossed;
}

bool process_has_room(struct process *p, const struct ip_addr *peer, ms_t now_ms)
{
	unsigned n = atomic_load(&p->n_pre_login);
	if (n >= WORKER_MAX_PRE_LOGIN || atomic_load(&p->n_conns) >= p->max_conns)
		return false;
	if (n < WORKER_CROWDED_PRE_LOGIN)
		return true;
	struct ip_addr who = addr_customer(peer);
	pthread_mutex_lock(&p->counts.lock);
	bool is_fair = ratelimit_allows(
	        &p->counts.accepts, ratelimit_key(span_of(&who, sizeof(who)), 0), now_ms, NULL);
	pthread_mutex_unlock(&p->counts.lock);
	return is_fair;
}
