/* tcpmss-mismatch: `sysopt connection tcpmss` makes the MTUs of TLS and DTLS differ, or costs IPsec its room.
 */
#include "diagnose/paste.h"

#define SAFE_MSS 1380 /* leaves 120 bytes of 1500 for IPsec: cisco-facts.md 1.4 */

/* With default MTU settings of a policy, corrected by what the log says. */
static bool derive_default(const struct find *x, const struct device_setup *d, struct estimate *e)
{
	struct seen_mtu seen = {0};
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (k->n.tls_mtu != 0 && k->n.dtls_mtu != 0)
			seen = (struct seen_mtu){.tls = k->n.tls_mtu, .dtls = k->n.dtls_mtu};
	}
	return estimate_make(x, d, NULL, false, &seen, e);
}

static bool has_lower_mtu(const struct find *x, const struct device_setup *d, uint32_t tls)
{
	bool has_any = false;
	for (size_t i = 0; i < x->u->n_policies; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		if (p->device != d->name || span_is(store_word(x->s, p->name), "DfltGrpPolicy") ||
		        !policy_is_for_clients(p))
			continue;
		has_any = true;
		if (p->mtu.value > tls)
			return false;
	}
	return has_any;
}

static void say_l2l(struct find *x, const struct device_setup *d)
{
	if (d->l2l.fact == NULL || d->tcpmss.value <= SAFE_MSS)
		return;
	find_prove_fact(x, d->l2l.fact);
	text_fmt(&x->f->cause,
	        " The device has IPsec LAN-to-LAN tunnels: TCP through them may now use segments of %u "
	        "bytes, which do not fit into a path of %u with the IPsec headers; they are cut or dropped.",
	        d->tcpmss.value, d->base_mtu.value);
	x->f->severity = SEVERITY_WARNING;
}

/* What a changed tcpmss leads to. */
struct mismatch {
	uint32_t tcpmss, tls, dtls;
	bool is_over, is_under, is_l2l;
};

static bool find_mismatch(const struct find *x, const struct device_setup *d, struct mismatch *ret)
{
	struct estimate e;
	uint32_t tcpmss = d->tcpmss.value;
	if (d->tcpmss.fact == NULL || tcpmss == SETUP_DEFAULT_TCPMSS || !derive_default(x, d, &e))
		return false;
	bool is_raised = tcpmss > SETUP_DEFAULT_TCPMSS;
	*ret = (struct mismatch){.tcpmss = tcpmss,
	        .tls = e.d.tls_limit,
	        .dtls = e.d.dtls_limit,
	        .is_over = e.d.tls_limit > e.d.dtls_limit,
	        .is_under = !is_raised && tcpmss != 0 && e.d.tls_limit < e.d.dtls_limit &&
	                    !has_lower_mtu(x, d, e.d.tls_limit),
	        .is_l2l = d->l2l.fact != NULL && is_raised};
	return ret->is_over || ret->is_under || ret->is_l2l;
}

static void say_mismatch(struct find *x, const struct mismatch *m)
{
	struct text *c = &x->f->cause;
	text_fmt(c, "With `sysopt connection tcpmss %u` the TLS MTU is %u and the DTLS MTU %u.", m->tcpmss,
	        m->tls, m->dtls);
	if (m->is_over)
		text_fmt(c,
		        " That cures the reconnect after a minute, but the gateway may now send packets of "
		        "up to %u over TLS, more than the %u of the client's adapter; the client may drop "
		        "them (UDP, mostly).",
		        m->tls, m->dtls);
	if (m->is_under)
		text_fmt(c,
		        " That is %u bytes less for TLS: every client without UDP loses larger packets and "
		        "reconnects after a minute.",
		        m->dtls - m->tls);
	text_fmt(&x->f->verdict, "tcpmss %u: TLS MTU %u against %u of DTLS%s.", m->tcpmss, m->tls, m->dtls,
	        m->is_l2l ? ", and IPsec tunnels fragment" : "");
}

static void add_group(struct hit_groups *g, const struct policy_setup *p)
{
	g->is_cut = g->n == REMEDY_MAX_GROUPS;
	if (!g->is_cut)
		g->v[g->n++] = (struct hit_group){.device = p->device, .group = p->name, .policy = p};
}

static void remedy_default(struct find *x, const struct device_setup *d)
{
	struct hit_groups g = {.n = 0};
	for (size_t i = 0; i < x->u->n_policies && !g.is_cut; i++) {
		const struct policy_setup *p = &x->u->policies[i];
		if (p->device == d->name && policy_is_for_clients(p) &&
		        !span_is(store_word(x->s, p->name), "DfltGrpPolicy"))
			add_group(&g, p);
	}
	struct remedy *r = find_remedy(x, "Back to the default, and equal MTUs instead");
	text_str(&r->config, "sysopt connection tcpmss 1380\n");
	paste_lines(x, &r->config, &g, PASTE_WEBVPN, "anyconnect mtu 1300");
	text_str(&r->effect,
	        "Both tunnels carry 1300, so nothing has to change when UDP is blocked; IPsec has its room.");
	text_str(&r->side_effects, "Packets are smaller all the time, with DTLS as well.");
}

/* The first device that has it; on the others it looks the same. */
void find_tcpmss(struct find *x)
{
	struct mismatch m;
	for (size_t i = 0; i < x->u->n_devices && x->n_hits == 0; i++) {
		const struct device_setup *d = &x->u->devices[i];
		if (!find_mismatch(x, d, &m))
			continue;
		x->n_hits++;
		x->f->confidence = CONFIDENCE_PROBABLE;
		x->f->severity = m.is_under ? SEVERITY_WARNING : x->f->severity;
		find_prove_fact(x, d->tcpmss.fact);
		say_mismatch(x, &m);
		say_l2l(x, d);
		remedy_default(x, d);
	}
}
