/* tls-mtu-too-small-for-ipv6 and mtu-below-1280: MTUs that the IPv6 inside does not fit. */
#include "diagnose/cure.h"

#define PROVED_CASES 4

/* ---- IPv6 inside ---- */

/* The smallest TLS MTU that a case shows; 0: none. */
static uint32_t tls_mtu_of(const struct one_case *k)
{
	uint32_t a = k->n.tls_mtu, b = k->n.large_limit;
	return a == 0 || (b != 0 && b < a && k->n.dtls_ups == 0) ? b : a;
}

static void prove_mtu(struct find *x, const struct one_case *k)
{
	find_prove(x, cases_find(x->c, k->first, EVENT_MTU, TUNNEL_UNKNOWN));
	find_prove(x, cases_find(x->c, k->first, EVENT_LARGE_PACKET, TUNNEL_UNKNOWN));
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i])
		if (store_addr(x->s, store_at(x->s, i)->inner).family == 6) {
			find_prove(x, i);
			return;
		}
}

/* `anyconnect mtu` of 1280 is the least that leaves IPv6 working; the note's 1300 where TLS has the room. */
static const struct cure raise_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_WEBVPN, "Raise the MTU to what IPv6 needs", "anyconnect mtu 1300",
                "IPv6 works again inside, if the path and the suite leave the room.",
                "Takes effect at the next connect."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Raise the MTU to what IPv6 needs", "mtu = 1400",
                "The link's MTU, headers included: leaves over 1300 for the adapter, if the path has as "
                "much.",
                "Takes effect at the next connect."},
};

static const struct cure room_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_GLOBAL, "Compute the TLS MTU from what the path really carries",
                "sysopt connection tcpmss 1460", "80 bytes more for TLS than with the default of 1380.",
                "Leaves no room for IPsec: LAN-to-LAN tunnels fragment."},
        {PRODUCTS_COMMANDS, PASTE_POLICY, "No IPv6 inside for these users", "ipv6-address-pools none",
                "What cannot work is not offered; IPv4 is used at once instead of after a timeout.",
                "Hosts that have only IPv6 are not reachable through the VPN."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "No IPv6 inside", "# ipv6-network = ...\n# ipv6-subnet-prefix = ...",
                "What cannot work is not offered; IPv4 is used at once instead of after a timeout.",
                "Hosts that have only IPv6 are not reachable through the VPN."},
};

static struct hit_group group_of_policy(const struct policy_setup *p)
{
	return (struct hit_group){.device = p->device,
	        .group = p->name,
	        .user = policy_has_own_tunnel(p) ? p->user : 0,
	        .policy = p,
	        .has_ip6 = p->pool6.value != 0};
}

static void add_group(struct hit_groups *g, const struct hit_group *h)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].group == h->group && g->v[i].device == h->device && g->v[i].user == h->user)
			return;
	g->is_cut |= g->n == REMEDY_MAX_GROUPS;
	if (g->n < REMEDY_MAX_GROUPS)
		g->v[g->n++] = *h;
}

/* What a policy with an IPv6 pool computes to. */
static uint32_t computed_tls(const struct find *x, const struct policy_setup *p, struct text *steps)
{
	struct seen_mtu seen = {0};
	struct estimate e;
	if (!estimate_make(x, setup_device(x->u, p->device), p, false, &seen, &e))
		return 0;
	if (e.d.tls < IP6_MIN_MTU && steps->n == 0)
		estimate_say_steps(steps, &e.d.tls_steps);
	return e.d.tls;
}

static bool is_set_low(const struct policy_setup *p)
{
	return policy_is_for_clients(p) && p->mtu.fact != NULL && p->mtu.value > 0 &&
	       p->mtu.value < IP6_MIN_MTU;
}

struct too_small {
	struct hit_groups groups;
	struct text steps;
	uint32_t least;
};

static uint32_t lower_of(uint32_t a, uint32_t b)
{
	return a == 0 || b < a ? b : a;
}

static void take_small_policies(struct find *x, struct too_small *t)
{
	for (size_t i = 0; i < x->u->n_policies; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		bool is_asked = p->pool6.value != 0 && policy_is_for_clients(p) && !is_set_low(p);
		uint32_t tls = is_asked ? computed_tls(x, p, &t->steps) : 0;
		if (tls == 0 || tls >= IP6_MIN_MTU)
			continue;
		struct hit_group h = group_of_policy(p);
		add_group(&t->groups, &h);
		find_prove_fact(x, p->pool6.fact);
		find_prove_device(x, p->device);
		x->n_hits++;
		t->least = lower_of(t->least, tls);
	}
}

/* DTLS has the room, TLS has not. */
static bool is_too_small(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *p = find_policy_of(x, k);
	uint32_t tls = tls_mtu_of(k);
	bool is_all_low = (p != NULL && is_set_low(p)) || (k->n.dtls_mtu != 0 && k->n.dtls_mtu < IP6_MIN_MTU);
	return tls != 0 && tls < IP6_MIN_MTU && !is_all_low && find_has_ip6(x, k) && find_wants(x, k);
}

static void take_small_cases(struct find *x, struct too_small *t)
{
	size_t n_proved = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (!is_too_small(x, k))
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		remedy_collect(x, &t->groups, k);
		if (n_proved++ < PROVED_CASES)
			prove_mtu(x, k);
		t->least = lower_of(t->least, tls_mtu_of(k));
	}
}

void find_tls_too_small(struct find *x)
{
	struct too_small t = {.least = 0};
	take_small_policies(x, &t);
	take_small_cases(x, &t);
	if (x->n_hits > 0) {
		text_fmt(&x->f->cause,
		        "The sessions have IPv6 inside, but over TLS only packets of %u bytes pass; IPv6 "
		        "needs 1280 (RFC 8200 5) and routers do not cut it. As long as DTLS is up nobody "
		        "notices; without it IPv6 hangs, and the client's system may take IPv6 off the "
		        "adapter.%s%s%s",
		        t.least, t.steps.n > 0 ? " Computed: " : "", text_cstr(&t.steps),
		        t.steps.n > 0 ? "." : "");
		text_fmt(&x->f->verdict, "IPv6 inside needs 1280 bytes; TLS carries only %u.", t.least);
		cure_add(x, &t.groups, room_cures, N_ELEM(room_cures));
	}
	text_done(&t.steps);
}

/* ---- mtu-below-1280 ---- */

struct low {
	struct hit_groups groups;
	bool has_ip6;
	bool is_probed; /* a client found out that the path carries no more: no configuration raises it */
	uint32_t least;
};

/* All that is announced is below: not only TLS. */
static uint32_t low_mtu_of(const struct one_case *k)
{
	uint32_t adapter = k->n.adapter_mtu, tls = k->n.tls_mtu, dtls = k->n.dtls_mtu;
	if (adapter != 0 && adapter < IP6_MIN_MTU)
		return adapter;
	return tls != 0 && tls < IP6_MIN_MTU && (dtls == 0 || dtls < IP6_MIN_MTU) ? tls : 0;
}

static void take_low_policies(struct find *x, struct low *t)
{
	for (size_t i = 0; i < setup_n_all(x->u); i++) {
		const struct policy_setup *p = setup_at(x->u, i);
		if (p == NULL || !is_set_low(p))
			continue;
		struct hit_group h = group_of_policy(p);
		add_group(&t->groups, &h);
		x->n_hits++;
		find_prove_fact(x, p->mtu.fact);
		find_prove_fact(x, p->pool6.fact);
		t->has_ip6 |= h.has_ip6;
		t->least = lower_of(t->least, p->mtu.value);
	}
}

/* The line that says it. */
static void prove_low(struct find *x, const struct one_case *k, uint32_t low, bool *ret_is_probed)
{
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_MTU || (r->size != low && r->limit != low && r->adapter != low))
			continue;
		*ret_is_probed |= r->source == SOURCE_OPENCONNECT && r->adapter == low;
		find_prove(x, i);
		return;
	}
}

static void take_low_cases(struct find *x, struct low *t)
{
	size_t n_proved = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t low = low_mtu_of(k);
		if (low == 0 || !find_wants(x, k))
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		remedy_collect(x, &t->groups, k);
		t->has_ip6 |= find_has_ip6(x, k);
		if (n_proved++ < PROVED_CASES) {
			prove_low(x, k, low, &t->is_probed);
			prove_mtu(x, k);
		}
		find_prove(x, cases_find(x->c, k->first, EVENT_ADAPTER_BOUNCE, TUNNEL_UNKNOWN));
		t->least = lower_of(t->least, low);
	}
}

void find_below_1280(struct find *x)
{
	struct low t = {.least = 0};
	take_low_policies(x, &t);
	take_low_cases(x, &t);
	if (x->n_hits == 0)
		return;
	x->f->severity = t.has_ip6 ? SEVERITY_ERROR : SEVERITY_INFO;
	text_fmt(&x->f->cause,
	        "The MTU is %u. IPv6 needs 1280 (RFC 8200 5): systems take it off an adapter with less, and "
	        "its packets are not cut on the way. %s",
	        t.least,
	        t.has_ip6 ? "These sessions have IPv6 inside: it cannot work."
	                  : "No IPv6 inside is known in these files; without it this is only slower than "
	                    "needed.");
	if (t.is_probed)
		text_str(&x->f->cause,
		        " The client found it by probes: the path carries no more, so no setting "
		        "of the gateway raises it.");
	text_fmt(&x->f->verdict, "An MTU of %u: IPv6 needs 1280%s", t.least,
	        t.has_ip6 ? ", and these sessions have IPv6 inside." : ".");
	if (!t.is_probed) {
		cure_add(x, &t.groups, raise_cures, N_ELEM(raise_cures));
		cure_add(x, &t.groups, room_cures, 1);
	}
	cure_add(x, &t.groups, room_cures + 1, N_ELEM(room_cures) - 1);
}
