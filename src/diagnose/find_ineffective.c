/* remedy-ineffective: somebody has tried to cure the note's event, and it cannot work. */
#include <stdlib.h>

#include "diagnose/paste.h"

static bool is_vpn_policy(const struct policy_setup *p)
{
	return p->dtls.value != 0 && policy_is_for_clients(p);
}

#define TOLD_MAX 3 /* attempts that are told one by one; a device may have hundreds of policies alike */

struct attempt {
	struct hit_groups groups; /* whose remedies are to be told */
	struct text verdict;      /* of the first */
	struct seen_mtu *seen;    /* of each policy */
	size_t n;
};

/* What is judged; a user's own settings for other things do not matter here. */
static const struct policy_setup *judged_policy(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *own = find_policy_of(x, k);
	return own != NULL && own->base != NULL && !policy_has_own_tunnel(own) ? own->base : own;
}

/* The lowest TLS thresholds that sessions of each policy showed: as many as setup_n_all(). */
static struct seen_mtu *collect_seen(const struct find *x)
{
	struct seen_mtu *seen = calloc(setup_n_all(x->u) + 1, sizeof(*seen));
	for (uint32_t i = 0; seen != NULL && i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		bool shows = (k->n.large_limit != 0 || k->n.tls_mtu != 0) && k->n.dtls_ups == 0;
		const struct policy_setup *p = shows ? judged_policy(x, k) : NULL;
		if (p == NULL)
			continue;
		struct seen_mtu *to = &seen[setup_index(x->u, p)];
		remedy_see(to, k);
		if (k->partner != CASE_NONE)
			remedy_see(to, &x->c->v[k->partner]);
	}
	return seen;
}

static void add_group(
        struct find *x, struct attempt *a, const struct policy_setup *p, const struct seen_mtu *seen)
{
	x->n_hits++;
	a->groups.is_cut |= a->groups.n == REMEDY_MAX_GROUPS;
	if (a->groups.n < REMEDY_MAX_GROUPS)
		a->groups.v[a->groups.n++] = (struct hit_group){.device = p->device,
		        .group = p->name,
		        .user = policy_has_own_tunnel(p) ? p->user : 0,
		        .policy = p,
		        .has_ip6 = p->pool6.value != 0,
		        .seen = *seen};
}

/* One more that has to be told. False: enough is told. */
static bool begin_to_tell(struct find *x, struct attempt *a)
{
	if (++a->n > TOLD_MAX)
		return false;
	if (x->f->cause.n > 0)
		text_str(&x->f->cause, " ");
	return true;
}

/* tcpmss is raised, and the TLS MTU is still below that of DTLS. */
static void judge_tcpmss(struct find *x, struct attempt *a, const struct policy_setup *p)
{
	const struct device_setup *d = setup_device(x->u, p->device);
	struct estimate e;
	if (d->tcpmss.fact == NULL || d->tcpmss.value <= SETUP_DEFAULT_TCPMSS)
		return;
	struct seen_mtu seen = a->seen[setup_index(x->u, p)];
	if (!estimate_make(x, d, p, p->pool6.value != 0, &seen, &e))
		return;
	/* a threshold that cannot come from this tcpmss is older than it: it proves nothing against it */
	if (e.is_tls_seen && !e.is_exact) {
		seen = (struct seen_mtu){0};
		if (!estimate_make(x, d, p, p->pool6.value != 0, &seen, &e))
			return;
	}
	if (!e.d.is_reconnect_expected)
		return;
	bool is_first = true;
	for (size_t i = 0; i < a->groups.n; i++)
		is_first &= a->groups.v[i].device != p->device;
	add_group(x, a, p, &seen);
	if (!is_first || !begin_to_tell(x, a))
		return;
	find_prove_fact(x, d->tcpmss.fact);
	find_prove_fact(x, d->tls_ciphers);
	text_fmt(&x->f->cause,
	        "`sysopt connection tcpmss %u` was meant to bring the TLS MTU to that of DTLS. With %s it "
	        "comes to %u, less than the adapter's %u: ",
	        d->tcpmss.value, e.in.tls_suite->name, e.d.tls, e.d.adapter);
	estimate_say_steps(&x->f->cause, &e.d.tls_steps);
	text_str(&x->f->cause, ". Only suites without padding gain enough (RC4, which is gone).");
	if (a->n == 1)
		text_fmt(&a->verdict, "tcpmss %u does not help with %s.", d->tcpmss.value,
		        e.in.tls_suite->name);
}

/* `anyconnect mtu` was lowered, but not below what TLS carries. */
static void judge_mtu(struct find *x, struct attempt *a, const struct policy_setup *p)
{
	const struct device_setup *d = setup_device(x->u, p->device);
	struct estimate e;
	uint32_t mtu = p->mtu.value;
	if (p->mtu.fact == NULL || mtu == SETUP_DEFAULT_MTU || mtu < MTU_MIN)
		return;
	struct seen_mtu seen = a->seen[setup_index(x->u, p)];
	if (!estimate_make(x, d, p, p->pool6.value != 0, &seen, &e) || e.d.tls_limit >= mtu ||
	        e.d.dtls_limit <= e.d.tls_limit)
		return;
	add_group(x, a, p, &seen);
	if (!begin_to_tell(x, a))
		return;
	find_prove_fact(x, p->mtu.fact);
	text_fmt(&x->f->cause, "`anyconnect mtu %u` in ", mtu);
	paste_say_owner(x, &x->f->cause, p, &p->mtu);
	text_fmt(&x->f->cause,
	        " lowers the MTU of DTLS, but TLS carries only %u%s: the two still differ, and clients "
	        "without UDP reconnect as before.",
	        e.d.tls_limit, seen.tls ? " (seen in the log)" : "");
	if (a->n == 1)
		text_fmt(&a->verdict, "anyconnect mtu %u is still above the TLS MTU of %u.", mtu,
		        e.d.tls_limit);
}

/* The policy that has what this one lacks. */
static const struct policy_setup *has_remedy(
        const struct find *x, const struct policy_setup *own, uint32_t tls)
{
	for (size_t i = 0; i < x->u->n_policies; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		bool has_mtu = p->mtu.fact != NULL && p->mtu.value <= tls && p->mtu.value >= MTU_MIN;
		if (p != own && p->device == own->device && (has_mtu || p->df_ignore.value != 0))
			return p;
	}
	return NULL;
}

/* Somebody is hit whose policy lacks what another one has. */
static void judge_elsewhere(struct find *x, struct attempt *a, uint32_t at)
{
	const struct one_case *k = &x->c->v[at];
	const struct policy_setup *own = find_policy_of(x, k);
	if ((x->marks[at] & MARK_MTU_RECONNECT) == 0 || own == NULL || own->df_ignore.value != 0 ||
	        !find_wants(x, k))
		return;
	uint32_t tls = k->n.large_limit ? k->n.large_limit : k->n.tls_mtu;
	const struct policy_setup *other = tls && own->mtu.value > tls ? has_remedy(x, own, tls) : NULL;
	for (size_t i = 0; i < a->groups.n; i++)
		if (a->groups.v[i].policy == own)
			return;
	if (other == NULL)
		return;
	struct seen_mtu seen = a->seen[setup_index(x->u, judged_policy(x, k))];
	bool is_df = other->df_ignore.value != 0;
	find_hit(x, k, k->begin_at_ms, k->last_at_ms);
	add_group(x, a, own, &seen);
	if (!begin_to_tell(x, a))
		return;
	find_prove_fact(x, is_df ? other->df_ignore.fact : other->mtu.fact);
	find_prove(x, cases_find(x->c, k->first, EVENT_LARGE_PACKET, TUNNEL_UNKNOWN));
	if (is_df)
		text_str(&x->f->cause, "`anyconnect ssl df-bit-ignore enable`");
	else
		text_fmt(&x->f->cause, "`anyconnect mtu %u`", other->mtu.value);
	text_str(&x->f->cause, " is in group-policy ");
	find_say_word(x, &x->f->cause, other->name);
	text_str(&x->f->cause, ", but ");
	find_say_word(x, &x->f->cause, k->user);
	bool is_hidden = own->base == other && policy_has_own_tunnel(own);
	if (is_hidden) {
		find_prove_fact(x, own->mtu.fact);
		text_str(&x->f->cause, " has own settings (`username ... attributes`), which come first.");
	} else {
		text_str(&x->f->cause, " has ");
		find_say_word(x, &x->f->cause, own->name);
		text_str(&x->f->cause, ", which does not inherit it.");
	}
	if (a->n == 1)
		text_str(&a->verdict, is_hidden
		                              ? "The user's own settings hide the remedy in his group-policy."
		                              : "The remedy is in another group-policy than the users'.");
}

void find_ineffective(struct find *x)
{
	struct attempt a = {.seen = collect_seen(x)};
	if (a.seen == NULL) {
		x->is_bad = true;
		return;
	}
	for (size_t i = 0; i < setup_n_all(x->u); i++) {
		const struct policy_setup *p = setup_at(x->u, i);
		if (p == NULL)
			continue;
		bool is_default = span_is(store_word(x->s, p->name), "DfltGrpPolicy") && x->u->n_policies > 1;
		if (!is_vpn_policy(p) || setup_device(x->u, p->device)->tls_only.value || is_default)
			continue;
		judge_tcpmss(x, &a, p);
		judge_mtu(x, &a, p);
	}
	for (uint32_t i = 0; i < x->c->n; i++)
		judge_elsewhere(x, &a, i);
	if (x->n_hits > 0) {
		text_str(&x->f->verdict, text_cstr(&a.verdict));
		if (a.n > TOLD_MAX)
			text_fmt(&x->f->cause, " And so in %zu more cases.", a.n - TOLD_MAX);
		remedy_mtu(x, &a.groups);
	}
	text_done(&a.verdict);
	free(a.seen);
}
