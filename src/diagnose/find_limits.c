/* MTUs that IPv6 does not fit, and senders that never hear that their packets are too large. */
#include <stdlib.h>

#include "diagnose/remedy.h"

#define PROVED_CASES 4
#define HOLE_COUNT   4     /* the same size again, so often */
#define HOLE_MS      12000 /* and over so long: a sender that heard it once keeps to it for minutes */
#define MAX_HOLES    4096  /* pairs of sender and client that are looked at */

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
static void remedy_ip6(struct find *x, const struct hit_groups *g, bool is_mtu_set)
{
	struct remedy *r;
	if (is_mtu_set) {
		r = find_remedy(x, "Raise the MTU to what IPv6 needs");
		remedy_put_webvpn(x, &r->config, g, "anyconnect mtu 1300");
		text_str(&r->effect, "IPv6 works again inside, if the path and the suite leave the room.");
		text_str(&r->side_effects, "Takes effect at the next connect.");
	}
	r = find_remedy(x, "Compute the TLS MTU from what the path really carries");
	text_str(&r->config, "sysopt connection tcpmss 1460\n");
	text_str(&r->effect, "80 bytes more for TLS than with the default of 1380.");
	text_str(&r->side_effects, "Leaves no room for IPsec: LAN-to-LAN tunnels fragment.");
	r = find_remedy(x, "No IPv6 inside for these users");
	remedy_put_policy(x, &r->config, g, "ipv6-address-pools none");
	text_str(&r->effect,
	        "What cannot work is not offered; IPv4 is used at once instead of after a timeout.");
	text_str(&r->side_effects, "Hosts that have only IPv6 are not reachable through the VPN.");
}

static struct hit_group group_of_policy(const struct policy_setup *p)
{
	return (struct hit_group){
	        .device = p->device, .group = p->name, .policy = p, .has_ip6 = p->pool6.value != 0};
}

static void add_group(struct hit_groups *g, const struct hit_group *h)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].group == h->group && g->v[i].device == h->device)
			return;
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
	return p->mtu.fact != NULL && p->mtu.value > 0 && p->mtu.value < IP6_MIN_MTU;
}

void find_tls_too_small(struct find *x)
{
	struct hit_groups g = {.n = 0};
	struct text steps = {0};
	uint32_t least = 0;
	size_t n_proved = 0;
	for (size_t i = 0; i < x->u->n_policies; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		uint32_t tls = p->pool6.value && !is_set_low(p) ? computed_tls(x, p, &steps) : 0;
		if (tls == 0 || tls >= IP6_MIN_MTU)
			continue;
		struct hit_group h = group_of_policy(p);
		add_group(&g, &h);
		find_prove_fact(x, p->pool6.fact);
		find_prove_device(x, p->device);
		x->n_hits++;
		least = least == 0 || tls < least ? tls : least;
	}
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		const struct policy_setup *p = find_policy_of(x, k);
		uint32_t tls = tls_mtu_of(k);
		if (tls == 0 || tls >= IP6_MIN_MTU || !find_has_ip6(x, k) || !find_wants(x, k) ||
		        (p != NULL && is_set_low(p)) || (k->n.dtls_mtu != 0 && k->n.dtls_mtu < IP6_MIN_MTU))
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		remedy_collect(x, &g, k);
		if (n_proved++ < PROVED_CASES)
			prove_mtu(x, k);
		least = least == 0 || tls < least ? tls : least;
	}
	if (x->n_hits > 0) {
		text_fmt(&x->f->cause,
		        "The sessions have IPv6 inside, but over TLS only packets of %u bytes pass; IPv6 "
		        "needs 1280 "
		        "(RFC 8200 5) and routers do not cut it. As long as DTLS is up nobody notices; "
		        "without it IPv6 hangs, "
		        "and the client's system may take IPv6 off the adapter.%s%s%s",
		        least, steps.n > 0 ? " Computed: " : "", text_cstr(&steps), steps.n > 0 ? "." : "");
		text_fmt(&x->f->verdict, "IPv6 inside needs 1280 bytes; TLS carries only %u.", least);
		remedy_ip6(x, &g, false);
	}
	text_done(&steps);
}

/* ---- mtu-below-1280 ---- */

static void take_low_policy(struct find *x, struct hit_groups *g, const struct policy_setup *p, bool *has_ip6)
{
	struct hit_group h = group_of_policy(p);
	add_group(g, &h);
	x->n_hits++;
	find_prove_fact(x, p->mtu.fact);
	find_prove_fact(x, p->pool6.fact);
	*has_ip6 |= p->pool6.value != 0;
}

/* All that is announced is below: not only TLS. */
static uint32_t low_mtu_of(const struct one_case *k)
{
	uint32_t adapter = k->n.adapter_mtu, tls = k->n.tls_mtu, dtls = k->n.dtls_mtu;
	if (adapter != 0 && adapter < IP6_MIN_MTU)
		return adapter;
	return tls != 0 && tls < IP6_MIN_MTU && (dtls == 0 || dtls < IP6_MIN_MTU) ? tls : 0;
}

void find_below_1280(struct find *x)
{
	struct hit_groups g = {.n = 0};
	bool has_ip6 = false;
	uint32_t least = 0;
	size_t n_proved = 0;
	for (size_t i = 0; i < x->u->n_policies; i++)
		if (is_set_low(&x->u->policies[i])) {
			take_low_policy(x, &g, &x->u->policies[i], &has_ip6);
			least = least == 0 || x->u->policies[i].mtu.value < least
			                ? x->u->policies[i].mtu.value
			                : least;
		}
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t low = low_mtu_of(k);
		if (low == 0 || !find_wants(x, k))
			continue;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		remedy_collect(x, &g, k);
		has_ip6 |= find_has_ip6(x, k);
		if (n_proved++ < PROVED_CASES)
			prove_mtu(x, k);
		find_prove(x, cases_find(x->c, k->first, EVENT_ADAPTER_BOUNCE, TUNNEL_UNKNOWN));
		least = least == 0 || low < least ? low : least;
	}
	if (x->n_hits == 0)
		return;
	x->f->severity = has_ip6 ? SEVERITY_ERROR : SEVERITY_INFO;
	text_fmt(&x->f->cause,
	        "The MTU is %u. IPv6 needs 1280 (RFC 8200 5): systems take it off an adapter with less, and "
	        "its packets are "
	        "not cut on the way. %s",
	        least,
	        has_ip6 ? "These sessions have IPv6 inside: it cannot work."
	                : "No IPv6 inside is known in these files; without it this is only slower than "
	                  "needed.");
	text_fmt(&x->f->verdict, "An MTU of %u: IPv6 needs 1280%s", least,
	        has_ip6 ? ", and these sessions have IPv6 inside." : ".");
	remedy_ip6(x, &g, true);
}

/* ---- icmp-filtered-black-hole ---- */

/* One sender, one client, one size. */
struct hole {
	word_t inner, peer;
	uint32_t size, count, first, last; /* places */
};

static struct hole *hole_at(struct hole *v, size_t *n, const struct record *r)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i].inner == r->inner && v[i].peer == r->peer && v[i].size == r->size)
			return &v[i];
	if (*n == MAX_HOLES)
		return NULL;
	v[*n] = (struct hole){.inner = r->inner, .peer = r->peer, .size = r->size, .first = CASE_NONE};
	return &v[(*n)++];
}

static size_t collect_holes(const struct find *x, struct hole *v)
{
	size_t n = 0;
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_FRAG_NEEDED || r->inner == 0 || r->peer == 0 || r->at_ms == TIME_NONE)
			continue;
		struct hole *h = hole_at(v, &n, r);
		if (h == NULL)
			continue;
		h->first = h->first == CASE_NONE ? i : h->first;
		h->last = i;
		h->count += r->count;
	}
	return n;
}

static bool is_hole(const struct find *x, const struct hole *h)
{
	return h->count >= HOLE_COUNT &&
	       store_at(x->s, h->last)->last_at_ms - store_at(x->s, h->first)->at_ms >= HOLE_MS;
}

static void take_hole(struct find *x, const struct hole *h, size_t n_before)
{
	uint32_t at = x->c->case_of[h->first];
	const struct record *first = store_at(x->s, h->first), *last = store_at(x->s, h->last);
	if (at != CASE_NONE && find_wants(x, &x->c->v[at]))
		find_hit(x, &x->c->v[at], first->at_ms, last->last_at_ms);
	else if (at == CASE_NONE && find_wants_record(x, first))
		find_hit_record(x, first);
	else
		return;
	find_prove(x, h->first);
	find_prove(x, h->last);
	if (at != CASE_NONE)
		find_prove(x, cases_find(x->c, x->c->v[at].first, EVENT_LARGE_PACKET, TUNNEL_UNKNOWN));
	if (n_before > 0)
		return;
	struct text *c = &x->f->cause;
	text_str(c, "The server ");
	find_say_addr(x, c, h->peer);
	text_fmt(c, " sent packets of %u bytes to ", h->size);
	find_say_addr(x, c, h->inner);
	text_fmt(c,
	        ", which the tunnel cannot carry (limit %u). The gateway said so with ICMP \"fragmentation "
	        "needed\" each time "
	        "(602101), and the server went on with the same size, %u times in %lld s: the ICMP does not "
	        "reach it. Its "
	        "packets go into a black hole; connections open and then hang.",
	        last->limit, h->count, (long long)(last->last_at_ms - first->at_ms) / 1000);
}

void find_black_hole(struct find *x)
{
	struct hole *v = calloc(MAX_HOLES, sizeof(*v));
	if (v == NULL) {
		x->is_bad = true;
		return;
	}
	size_t n = collect_holes(x, v), n_hosts = 0;
	word_t peer = 0;
	for (size_t i = 0; i < n; i++) {
		size_t before = x->n_hits;
		if (!is_hole(x, &v[i]))
			continue;
		take_hole(x, &v[i], before);
		n_hosts += x->n_hits > before;
		peer = peer ? peer : v[i].peer;
	}
	free(v);
	if (x->n_hits == 0)
		return;
	if (n_hosts > 1)
		text_fmt(&x->f->cause, " The same with %zu pairs of server and client in all.", n_hosts);
	text_str(&x->f->verdict, "ICMP \"fragmentation needed\" does not reach ");
	find_say_addr(x, &x->f->verdict, peer);
	text_str(&x->f->verdict, ": it keeps sending what is too large.");
	x->f->confidence = CONFIDENCE_CERTAIN;
	struct remedy *r = find_remedy(x, "Let ICMP type 3 code 4 pass from the gateway to the servers");
	text_str(&r->config, "icmp permit any unreachable inside\n");
	text_str(&r->effect, "Senders learn the size and keep to it. Look for a firewall between gateway and "
	                     "server that drops "
	                     "ICMP, and for a server that ignores it. (The line permits it to the gateway "
	                     "itself; a firewall between "
	                     "needs its own rule.)");
	text_str(&r->side_effects, "None.");
	struct hit_groups g = {.n = 0};
	for (uint32_t i = 0; i < x->c->n && g.n < REMEDY_MAX_GROUPS; i++)
		if (x->c->v[i].n.frag_needed > 0 && find_wants(x, &x->c->v[i]))
			remedy_collect(x, &g, &x->c->v[i]);
	r = find_remedy(x, "Let the gateway cut packets although they say \"don't fragment\"");
	remedy_put_webvpn(x, &r->config, &g, "anyconnect ssl df-bit-ignore enable");
	text_str(&r->effect, "IPv4 packets arrive in fragments; no ICMP is needed.");
	text_str(&r->side_effects, "Work for gateway and client; not for IPv6.");
}
