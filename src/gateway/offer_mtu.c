/* The MTUs that a session is told. Sources: behaviour.md 2.1 and 3.1, cisco-facts.md 1, wire-protocol.md 9.2.
 */
#include "gateway/conn.h"
#include "gateway/offer.h"
#include "gateway/session_mtu.h"
#include "io/log.h"

/* The outer path as far as anybody knows it now: our link, the client's word, and what TCP has learned.
 * Values that cannot be true are ignored (wire-protocol.md 9.2, #717). */
static uint16_t base_mtu(const struct session *s, const struct conn *c, const struct tunnel_request *req)
{
	uint32_t base = s->w->config->outside_mtu;
	uint16_t tcp = conn_path_mtu(c);
	uint16_t least = c->peer.family == 6 ? MTU_MIN_IP6 : MTU_BASE_MIN; /* of the outer path */
	if (req->base_mtu >= least && req->base_mtu < base)
		base = req->base_mtu;
	if (tcp >= least && tcp < base)
		base = tcp;
	return (uint16_t)(base > MTU_MAX ? MTU_MAX : base);
}

static const struct mtu_suite *suite_named(const char *name)
{
	return mtu_suite_find(span_str(name));
}

/* Inner bytes that fit a datagram. PSK-NEGOTIATE may end in another suite, whose overhead is not larger.
 * Injected sessions never encrypt before the MAC (io/dtls_new.c). */
static uint16_t dtls_limit(const struct session *s, uint8_t outer_family)
{
	const struct mtu_suite *suite = session_mtu_dtls_offered(s);
	const struct mtu_input in = {
	        .formula = MTU_EXACT,
	        .base_mtu = s->mtu.base,
	        .outer_family = outer_family,
	        .tls_version = MTU_TLS_1_3, /* plays no part */
	        .tls_suite = suite_named("TLS_AES_256_GCM_SHA384"),
	        .dtls_version = session_mtu_dtls_version(s),
	        .dtls_suite = suite ? suite : suite_named("PSK-AES256-GCM-SHA384"),
	        .mac_order = MTU_MAC_FIRST,
	};
	struct mtu_derivation d;
	return mtu_derive(&in, &d) == 0 ? d.dtls_limit : MTU_MIN;
}

static void put_negotiated(const struct session *s, const struct conn *c, struct mtu_input *in)
{
	struct tls_info info;
	tls_info(c->tls, &info);
	in->tls_version = session_mtu_tls_version(info.protocol);
	in->tls_suite = suite_named(info.cipher);
	in->dtls_version = session_mtu_dtls_version(s);
	in->dtls_suite = session_mtu_dtls_offered(s);
	in->mac_order = MTU_MAC_ANY;
}

/* The suites of tech note 116881, whatever was negotiated: its numbers, 1347 and 1418, come from no others.
 */
static void put_tech_note(const struct session *s, struct mtu_input *in)
{
	in->tls_version = MTU_TLS_1_0;
	in->tls_suite = suite_named("RC4-SHA");
	in->dtls_version = MTU_DTLS_1_0;
	in->dtls_suite = s->dtls.suite ? suite_named("AES256-SHA") : NULL;
}

static int derive(struct session *s, const struct conn *c)
{
	const struct config *cfg = s->config;
	struct session_mtu *m = &s->mtu;
	m->in = (struct mtu_input){
	        .formula = cfg->mtu_formula == MTU_FORMULA_CISCO ? MTU_CISCO : MTU_EXACT,
	        .base_mtu = m->base,
	        .tcpmss = cfg->tcpmss,
	        .configured = s->policy.mtu,
	        .outer_family = c->peer.family,
	        .has_ip6 = s->id.ip6.addr.family != 0,
	};
	if (m->in.formula == MTU_CISCO && !cfg->mtu_formula_negotiated)
		put_tech_note(s, &m->in);
	else
		put_negotiated(s, c, &m->in);
	return mtu_derive(&m->in, &m->derived);
}

/* Two values. X-DTLS-MTU is never more than a datagram carries, whatever the ASA's arithmetic says; only the
 * floor for IPv6 may be, and then session_transmit() takes TLS. */
static int announce_classic(struct session *s, const struct conn *c)
{
	struct session_mtu *m = &s->mtu;
	int r = derive(s, c);
	if (r < 0)
		return r;
	uint16_t most = mtu_announce(s->dtls.limit_bytes, 0, m->in.has_ip6);
	m->tls = m->derived.tls;
	m->dtls = m->derived.dtls < most ? m->derived.dtls : most;
	return 0;
}

/* One value, so that a change of tunnel changes no MTU. */
static void announce_seamless(struct session *s)
{
	struct session_mtu *m = &s->mtu;
	m->tls = mtu_announce(s->dtls.limit_bytes, s->policy.mtu, s->id.ip6.addr.family != 0);
	m->dtls = s->dtls.suite ? m->tls : 0;
}

void offer_choose_mtu(struct session *s, const struct conn *c, const struct tunnel_request *req)
{
	struct session_mtu *m = &s->mtu;
	uint16_t fragment_id = m->next_fragment_id; /* goes on: the client may still have pieces */
	*m = (struct session_mtu){.base = base_mtu(s, c, req), .next_fragment_id = fragment_id};
	s->dtls.limit_bytes = dtls_limit(s, c->peer.family);
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC && announce_classic(s, c) == 0)
		return;
	if (s->policy.mtu_policy == MTU_POLICY_CLASSIC) { /* a suite of OpenSSL that src/mtu does not know */
		log_line(LOG_WARNING, "session %u: no MTU formula for its cipher, announcing one value",
		        s->id.index);
		m->derived = (struct mtu_derivation){0};
	}
	announce_seamless(s);
}
