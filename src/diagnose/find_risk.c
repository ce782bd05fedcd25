/* Where nothing tells of sessions: what a configuration or the debug output of one login will lead to where
 * UDP is blocked; and a counter or lines of large packets that tell of it without a session. */
#include "diagnose/remedy.h"

#define DROPS_MIN 1000 /* of mp-svc-no-fragment, to be worth a word when nothing else is known */

struct risk {
	struct hit_groups groups;
	word_t device;
	size_t n_debug;
};

/* ---- nothing happened yet, as far as the files tell ---- */

/* A computed risk: only where no file tells of sessions that would show whether UDP passes. */
static void add_policy_risk(struct find *x, struct risk *t, const struct policy_setup *p)
{
	const struct device_setup *d = setup_device(x->u, p->device);
	struct seen_mtu seen = {0};
	struct estimate e;
	if (t->groups.is_cut || p->dtls.value == 0 || d->tls_only.value ||
	        !estimate_make(x, d, p, p->pool6.value != 0, &seen, &e) || !e.d.is_reconnect_expected)
		return;
	t->groups.is_cut = t->groups.n == REMEDY_MAX_GROUPS;
	if (t->groups.is_cut)
		return;
	t->groups.v[t->groups.n++] = (struct hit_group){
	        .device = p->device, .group = p->name, .policy = p, .has_ip6 = p->pool6.value != 0};
	t->device = p->device;
	x->n_hits++;
	find_prove_fact(x, p->mtu.fact ? p->mtu.fact : p->exists);
}

static bool is_vpn_policy(const struct find *x, const struct policy_setup *p)
{
	bool is_default = span_is(store_word(x->s, p->name), "DfltGrpPolicy");
	return (!is_default || x->u->n_policies == 1) && policy_is_for_clients(p) &&
	       setup_device(x->u, p->device)->has_config;
}

static void say_steps(const struct find *x, struct text *c, const struct hit_group *g)
{
	struct estimate e;
	if (!remedy_estimate(x, g, &e))
		return;
	text_fmt(c, " TLS carries %u bytes: ", e.d.tls);
	estimate_say_steps(c, &e.d.tls_steps);
	text_fmt(c, ". The adapter begins with the %u of DTLS: ", e.d.adapter);
	estimate_say_steps(c, &e.d.dtls_steps);
	text_str(c, ".");
}

static void say_risk(struct find *x, const struct risk *t)
{
	struct finding *f = x->f;
	f->severity = SEVERITY_INFO;
	f->confidence = CONFIDENCE_POSSIBLE;
	f->title = "Where UDP is blocked, clients will reconnect after a minute to lower their MTU";
	text_str(&f->cause, "Nothing in the files says that it has happened: this is computed. For a client "
	                    "whose network blocks UDP, large packets would be dropped until it reconnects "
	                    "after about a minute.");
	say_steps(x, &f->cause, &t->groups.v[0]);
	text_str(&f->verdict,
	        "As configured, clients without UDP will lose large packets and reconnect after a minute.");
	find_prove_device(x, t->device);
	remedy_mtu(x, &t->groups);
	remedy_open_udp(x, t->device);
}

static void add_debug_risk(struct find *x, struct risk *t)
{
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (k->source != SOURCE_ASA_DEBUG || k->n.tls_mtu == 0 || k->n.tls_mtu >= k->n.dtls_mtu)
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		find_prove(x, cases_find(x->c, k->first, EVENT_MTU, TUNNEL_UNKNOWN));
		remedy_collect(x, &t->groups, k);
		t->device = k->device;
		t->n_debug++;
	}
}

static void find_risk(struct find *x, struct risk *t)
{
	add_debug_risk(x, t);
	for (size_t i = 0; t->n_debug == 0 && i < x->u->n_policies; i++)
		if (is_vpn_policy(x, &x->u->policies[i]))
			add_policy_risk(x, t, &x->u->policies[i]);
	if (x->n_hits > 0)
		say_risk(x, t);
}

/* ---- `show asp drop` alone ---- */

static void find_drops(struct find *x)
{
	for (size_t i = 0; i < store_n_facts(x->s); i++) {
		const struct fact_record *f = store_fact(x->s, i);
		if (f->kind != FACT_DROP_COUNT || f->number < DROPS_MIN ||
		        !span_is(store_word(x->s, f->value), "mp-svc-no-fragment"))
			continue;
		x->n_hits++;
		find_prove_fact(x, f);
		x->f->severity = SEVERITY_INFO;
		x->f->confidence = CONFIDENCE_POSSIBLE;
		x->f->title = "Packets to clients are dropped for their size";
		text_fmt(&x->f->cause,
		        "The gateway dropped %u packets that were too large for a client's tunnel and must "
		        "not be cut (mp-svc-no-fragment) since its counters were cleared. Clients without "
		        "UDP are the usual reason: their adapters begin with the MTU of DTLS, which is "
		        "larger than that of TLS, until they reconnect after about a minute. The log "
		        "(722036, 722032) and `show vpn-sessiondb detail anyconnect` tell whom it concerns.",
		        f->number);
		text_fmt(&x->f->verdict,
		        "%u packets to clients were dropped for their size; give the log as well.",
		        f->number);
		return;
	}
}

/* ---- 722036 alone, as when somebody has searched a log for it ---- */

static bool tells_of_tunnels(const struct find *x)
{
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (k->has_begin || k->n.tls_ups > 0 || k->n.dtls_ups > 0)
			return true;
	}
	return false;
}

static void say_large_alone(struct find *x, const struct hit_groups *g, uint32_t size, uint32_t limit)
{
	struct finding *f = x->f;
	f->severity = SEVERITY_WARNING;
	f->confidence = CONFIDENCE_POSSIBLE;
	f->title = "Packets are too large for TLS, as while UDP is blocked";
	text_fmt(&f->cause,
	        "Packets of up to %u bytes to clients were dropped, because their TLS tunnel carries %u "
	        "(722036). That happens in the seconds before DTLS is up, and all the time where UDP is "
	        "blocked, until the client reconnects after about a minute. The lines that would tell which "
	        "(722022, 722032, 722051) are not in the files.",
	        size, limit);
	find_say_users(x, &f->verdict);
	text_str(&f->verdict, ": packets are too large for TLS; if UDP is blocked, the client reconnects "
	                      "after a minute. Give the whole log.");
	remedy_mtu(x, g);
	remedy_open_udp(x, g->n > 0 ? g->v[0].device : 0);
}

void find_large_alone(struct find *x)
{
	struct hit_groups groups = {0};
	uint32_t size = 0, limit = 0;
	if (tells_of_tunnels(x))
		return;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (k->n.large_to_client == 0 || !find_is_session(x, k))
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		find_prove(x, cases_find(x->c, k->first, EVENT_LARGE_PACKET, TUNNEL_UNKNOWN));
		remedy_collect(x, &groups, k);
		if (k->n.large_size > size) {
			size = k->n.large_size;
			limit = k->n.large_limit;
		}
	}
	if (x->n_hits > 0)
		say_large_alone(x, &groups, size, limit);
}

void find_mtu_risk(struct find *x)
{
	struct risk t = {.device = 0};
	find_risk(x, &t);
	if (x->n_hits == 0)
		find_drops(x);
}
