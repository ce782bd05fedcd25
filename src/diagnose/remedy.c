#include "diagnose/paste.h"

#define OCSERV_LINK_BYTES 66 /* what ocserv keeps of the link's MTU for headers: 1500 - 1434, as it logs */

/* ---- whom it concerns ---- */

static const struct policy_setup *policy_of(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *p = find_policy_of(x, k);
	return p == NULL && k->partner != CASE_NONE ? find_policy_of(x, &x->c->v[k->partner]) : p;
}

static word_t group_of(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *p = policy_of(x, k);
	const struct one_case *other = k->partner != CASE_NONE ? &x->c->v[k->partner] : NULL;
	if (p != NULL)
		return p->name;
	return k->group == 0 && other != NULL ? other->group : k->group;
}

/* A client's log alone names no policy; a configuration with only one leaves no doubt. */
static const struct policy_setup *only_policy(const struct find *x)
{
	const struct policy_setup *only = NULL;
	for (size_t i = 0; i < x->u->n_policies; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		if (span_is(store_word(x->s, p->name), "DfltGrpPolicy") || !policy_is_for_clients(p))
			continue;
		if (only != NULL)
			return NULL;
		only = p;
	}
	return only;
}

static struct hit_group *group_at(struct hit_groups *g, word_t device, word_t name, word_t user)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].group == name && g->v[i].device == device && g->v[i].user == user)
			return &g->v[i];
	if (g->n == REMEDY_MAX_GROUPS)
		return NULL;
	g->v[g->n] = (struct hit_group){.device = device, .group = name, .user = user};
	return &g->v[g->n++];
}

static uint32_t lower_of(uint32_t a, uint32_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint32_t higher_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void remedy_see(struct seen_mtu *m, const struct one_case *k)
{
	m->tls = lower_of(m->tls, k->n.large_limit);
	m->tls = lower_of(m->tls, k->n.frag_limit);
	m->tls = lower_of(m->tls, k->n.tls_mtu);
	m->dtls = higher_of(m->dtls, k->n.dtls_mtu);
	m->dtls_at_least = higher_of(m->dtls_at_least, higher_of(k->n.large_size, k->n.frag_size));
}

void remedy_collect(const struct find *x, struct hit_groups *g, const struct one_case *k)
{
	const struct one_case *other = k->partner != CASE_NONE ? &x->c->v[k->partner] : NULL;
	const struct policy_setup *p = policy_of(x, k), *only = p == NULL ? only_policy(x) : NULL;
	word_t name = group_of(x, k), device = k->device;
	if (name == 0 && only != NULL)
		name = only->name;
	if (device == 0 && other != NULL)
		device = other->device;
	bool is_own = p != NULL && policy_has_own_tunnel(p);
	struct hit_group *h = group_at(g, device, name, is_own ? p->user : 0);
	if (h == NULL) {
		g->is_cut = true;
		return;
	}
	h->policy = is_own ? p : setup_policy(x->u, device, name);
	h->has_ip6 |= find_has_ip6(x, k);
	remedy_see(&h->seen, k);
	if (other != NULL)
		remedy_see(&h->seen, other);
	if (h->seen.tls == 0)
		h->seen.tls = k->n.adapter_mtu; /* what a client fell back to */
}

bool remedy_estimate(const struct find *x, const struct hit_group *g, struct estimate *ret)
{
	return estimate_make(x, setup_device(x->u, g->device), g->policy, g->has_ip6, &g->seen, ret);
}

/* ---- words ---- */

static void explain_placeholder(const struct hit_groups *g, struct text *t)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].group == 0) {
			text_str(t, " In place of " PASTE_NO_GROUP
			            ": the group-policy of these users, which no file names.");
			return;
		}
}

void remedy_name_product(const struct find *x, struct remedy *r, unsigned products)
{
	bool is_mixed = (find_products(x) & ~products) != 0;
	const char *sep = " (";
	for (unsigned p = 0; p < PRODUCT_N; p++)
		if ((find_products(x) & products & PRODUCT_BIT(p)) != 0 &&
		        (is_mixed || p == PRODUCT_OCSERV) && products != PRODUCTS_ALL) {
			text_fmt(&r->title, "%s%s", sep, product_name((enum product)p));
			sep = ", ";
		}
	text_str(&r->title, sep[0] == ',' ? ")" : "");
}

uint32_t remedy_udp_port(const struct find *x, word_t device)
{
	const struct setting *own = &x->u->ocserv_udp_port;
	if (find_products(x) == PRODUCTS_OCSERV && own->fact != NULL)
		return own->value;
	return setup_device(x->u, device)->dtls_port.value;
}

void remedy_open_udp(struct find *x, word_t device)
{
	uint32_t port = remedy_udp_port(x, device);
	struct remedy *r = find_remedy(x, "");
	text_fmt(&r->title, "Let UDP port %u through", port);
	text_fmt(&r->effect,
	        "The cause itself: a firewall, proxy or provider between client and gateway drops UDP port "
	        "%u in one direction or both. With DTLS up nothing of this happens.",
	        port);
	text_str(&r->side_effects, "None; not always in your hands (hotels, guest networks).");
}

/* ---- the note's remedies ---- */

static const char *const titles[] = {
        [ADVICE_LOWER] = "Give both tunnels the same MTU",
        [ADVICE_FRAGMENT] = "Let the gateway cut large packets",
        [ADVICE_RAISE_MSS] = "Raise the MSS that the TLS MTU is computed from",
        [ADVICE_TLS_ONLY] = "A group without DTLS for users whose networks block UDP",
        [ADVICE_SEAMLESS] = "One MTU for both tunnels, and packets of every size",
};

/* An MTU is configured that is below what sessions showed: they began before it was. */
static bool is_mtu_newer(const struct hit_group *g)
{
	const struct setting *mtu = g->policy != NULL ? &g->policy->mtu : NULL;
	return mtu != NULL && mtu->fact != NULL && mtu->value > 0 && mtu->value <= g->seen.tls;
}

static bool is_there_already(const struct hit_groups *g, enum mtu_remedy what)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct policy_setup *p = g->v[i].policy;
		bool is_there = (what == ADVICE_FRAGMENT && p != NULL && p->df_ignore.value != 0) ||
		                (what == ADVICE_LOWER && is_mtu_newer(&g->v[i]));
		if (!is_there)
			return false;
	}
	return g->n > 0;
}

void remedy_say_newer(struct find *x, const struct hit_groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (!is_mtu_newer(&g->v[i]))
			continue;
		text_fmt(&x->f->cause, "`anyconnect mtu %u` is configured in ", g->v[i].policy->mtu.value);
		paste_say_owner(x, &x->f->cause, g->v[i].policy, &g->v[i].policy->mtu);
		text_str(&x->f->cause, ", which cures this: these sessions began before it was, or got "
		                       "another group-policy. ");
		find_prove_fact(x, g->v[i].policy->mtu.fact);
		return;
	}
}

static void put_separate_group(struct text *t)
{
	text_str(t, "group-policy TLS_ONLY internal\ngroup-policy TLS_ONLY attributes\n");
	text_str(t, " vpn-tunnel-protocol ssl-client\n webvpn\n  anyconnect ssl dtls none\n");
	text_str(t, "tunnel-group TLS_ONLY type remote-access\ntunnel-group TLS_ONLY general-attributes\n");
	text_str(t, " default-group-policy TLS_ONLY\ntunnel-group TLS_ONLY webvpn-attributes\n");
	text_str(t, " group-alias TLS_ONLY enable\n");
}

static void add(struct find *x, const struct hit_groups *g, const struct mtu_advice *a)
{
	struct remedy *r = find_remedy(x, titles[a->remedy]);
	if (a->remedy == ADVICE_RAISE_MSS)
		text_fmt(&r->config, "%s\n", a->line);
	else if (a->remedy == ADVICE_TLS_ONLY)
		put_separate_group(&r->config);
	else
		paste_lines(x, &r->config, g, PASTE_WEBVPN, a->line);
	text_str(&r->effect, a->effect);
	text_str(&r->side_effects, a->side_effects);
	if (a->remedy == ADVICE_TLS_ONLY)
		text_str(
		        &r->side_effects, " Address pool and authentication must be those of the old group.");
	else if (a->remedy != ADVICE_RAISE_MSS)
		explain_placeholder(g, &r->effect);
}

/* The group with the smallest TLS MTU decides: what cures it, cures the others. */
static bool hardest(const struct find *x, const struct hit_groups *g, struct estimate *ret)
{
	struct estimate e;
	bool is_found = false;
	for (size_t i = 0; i < g->n; i++)
		if (remedy_estimate(x, &g->v[i], &e) && (!is_found || e.d.tls < ret->d.tls)) {
			*ret = e;
			is_found = true;
		}
	return is_found;
}

/* ocserv has one MTU for both tunnels, and none of the ASA's commands. */
static void add_ocserv(struct find *x, const struct estimate *e)
{
	struct remedy *r = find_remedy(x, "Announce a smaller MTU");
	remedy_name_product(x, r, PRODUCTS_OCSERV);
	text_fmt(&r->config, "mtu = %u\n", e->d.tls + OCSERV_LINK_BYTES);
	text_fmt(&r->effect, "The link's MTU, from which ocserv computes at most %u for the adapter.",
	        e->d.tls);
	text_str(&r->side_effects, "Packets are smaller all the time, with DTLS as well.");
}

/* IPv6 inside keeps an MTU at 1280, which TLS was seen not to carry. */
static bool is_above_tls(const struct hit_groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].has_ip6 && g->v[i].seen.tls != 0 && g->v[i].seen.tls < IP6_MIN_MTU)
			return true;
	return false;
}

static bool is_possible(const struct hit_groups *g, const struct estimate *e, enum mtu_remedy what)
{
	bool is_computed = what != ADVICE_RAISE_MSS || e->is_exact || !e->is_tls_seen;
	return what != ADVICE_SEAMLESS && is_computed && !is_there_already(g, what) &&
	       !(what == ADVICE_LOWER && is_above_tls(g));
}

void remedy_mtu(struct find *x, const struct hit_groups *g)
{
	struct mtu_advice a[MTU_MAX_ADVICE];
	struct estimate e;
	unsigned products = find_products(x);
	if (!hardest(x, g, &e))
		return;
	size_t n = (products & PRODUCTS_COMMANDS) != 0 ? mtu_advise(&e.in, &e.d, a) : 0;
	for (size_t i = 0; i < n; i++) /* the last one goes first where it can be had */
		if (a[i].remedy == ADVICE_SEAMLESS && products == PRODUCTS_CULVERT)
			add(x, g, &a[i]);
	for (size_t i = 0; i < n; i++)
		if (is_possible(g, &e, a[i].remedy))
			add(x, g, &a[i]);
	if ((products & PRODUCTS_OCSERV) != 0 && e.d.is_reconnect_expected)
		add_ocserv(x, &e);
}
