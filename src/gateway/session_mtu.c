#include "gateway/session_mtu.h"

#include <stdio.h>

enum mtu_version session_mtu_tls_version(const char *protocol)
{
	static const struct {
		const char *name;
		enum mtu_version version;
	} names[] = {{"TLSv1.3", MTU_TLS_1_3}, {"TLSv1.1", MTU_TLS_1_1}, {"TLSv1", MTU_TLS_1_0}};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		if (strcmp(protocol, names[i].name) == 0)
			return names[i].version;
	}
	return MTU_TLS_1_2;
}

enum mtu_version session_mtu_dtls_version(const struct session *s)
{
	const struct dtls_suite_info *info = dtls_suite_info(s->dtls.suite);
	return info && info->is_dtls10 ? MTU_DTLS_1_0 : MTU_DTLS_1_2;
}

const struct mtu_suite *session_mtu_dtls_offered(const struct session *s)
{
	const struct dtls_suite_info *i = dtls_suite_info(s->dtls.suite);
	if (i == NULL)
		return NULL;
	return mtu_suite_find(span_str(i->openssl_name ? i->openssl_name : "PSK-AES256-GCM-SHA384"));
}

/* What is in use, else what was offered: without a tunnel the cipher is that of an earlier one. */
static const struct mtu_suite *dtls_suite(const struct session *s)
{
	const struct mtu_suite *offered = session_mtu_dtls_offered(s), *used = NULL;
	if (offered != NULL && s->tunnels.v[TUNNEL_DTLS].is_up)
		used = mtu_suite_find(span_str(s->dtls.cipher));
	return used ? used : offered;
}

void session_mtu_reason(const struct session *s, struct session_mtu_reason *ret)
{
	*ret = (struct session_mtu_reason){.in = s->mtu.in, .derived = s->mtu.derived};
	ret->is_known = ret->is_classic = s->mtu.derived.tls_steps.n > 0;
	if (ret->is_classic)
		return;
	ret->in = (struct mtu_input){
	        .formula = MTU_EXACT,
	        .base_mtu = s->mtu.base,
	        .configured = s->policy.mtu,
	        .outer_family = s->id.peer.family == 6 ? 6 : 4,
	        .mac_order = MTU_MAC_ANY,
	        .has_ip6 = s->id.ip6.addr.family != 0,
	        .tls_version = session_mtu_tls_version(s->tls_protocol),
	        .tls_suite = mtu_suite_find(span_str(s->tls_cipher)),
	        .dtls_version = session_mtu_dtls_version(s),
	        .dtls_suite = dtls_suite(s),
	};
	ret->is_known = ret->in.tls_suite != NULL && mtu_derive(&ret->in, &ret->derived) == 0;
}

void session_mtu_explain(const struct session *s, mtu_line_f *f, void *ctx)
{
	struct session_mtu_reason r;
	char line[128];
	session_mtu_reason(s, &r);
	if (r.is_known)
		mtu_explain(&r.in, &r.derived, f, ctx);
	if (r.is_classic && s->mtu.dtls == r.derived.dtls)
		return;
	snprintf(line, sizeof(line), "announced tls-mtu=%u dtls-mtu=%u: %s", s->mtu.tls, s->mtu.dtls,
	        r.is_classic ? "a datagram carries no more" : "one value for both tunnels");
	f(ctx, line);
}

uint16_t session_mtu_adapter(const struct session *s)
{
	return s->mtu.dtls ? s->mtu.dtls : s->mtu.tls;
}

bool session_mtu_wants_reconnect(const struct session *s)
{
	return session_mtu_adapter(s) != s->mtu.tls;
}

uint16_t session_mtu_on(const struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS)
		return s->mtu.dtls;
	return ch == LINK_TLS ? s->mtu.tls : 0;
}
