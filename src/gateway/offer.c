#include "gateway/offer.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/conn.h"

#define LEASE_S         1209600 /* as the ASA announces */
#define SESSION_ALERT_S 60

static bool is_psk(struct span name)
{
	return name.n > 4 && memcmp(name.p, "PSK-", 4) == 0;
}

void offer_psk_list(const struct ssl_settings *ssl, char ret[static OFFER_PSK_LIST_MAX])
{
	size_t n = 0;
	ret[0] = '\0';
	for (struct span rest = span_str(ssl->ciphers[SSL_SCOPE_DTLS12]); rest.n > 0;) {
		struct span name = span_cut(&rest, ':');
		if (is_psk(name) && n + name.n + 2 <= OFFER_PSK_LIST_MAX)
			n += (size_t)snprintf(ret + n, OFFER_PSK_LIST_MAX - n, "%s%.*s", n ? ":" : "",
			        (int)name.n, (const char *)name.p);
	}
}

/* The offered style that can carry this suite in this version; an injected session needs the client's master
 * secret. Cisco's header before openconnect's older names. */
static enum dtls_suite find_style(const struct tunnel_request *req, struct span name, bool is_dtls10)
{
	enum dtls_suite found = DTLS_NONE;
	if (is_psk(name))
		return req->suites & 1u << DTLS_PSK_NEGOTIATE ? DTLS_PSK_NEGOTIATE : DTLS_NONE;
	for (int i = DTLS_NONE + 1; i < DTLS_N_SUITES && req->has_master_secret; i++) {
		const struct dtls_suite_info *info = dtls_suite_info((enum dtls_suite)i);
		if (req->suites & 1u << i && info->openssl_name && span_is(name, info->openssl_name) &&
		        info->is_dtls10 == is_dtls10)
			found = (enum dtls_suite)i;
	}
	return found;
}

/* The first of a list that the client can do. */
static enum dtls_suite choose_from(const struct tunnel_request *req, const char *list, bool is_dtls10)
{
	enum dtls_suite found = DTLS_NONE;
	for (struct span rest = span_str(list); rest.n > 0 && found == DTLS_NONE;)
		found = find_style(req, span_cut(&rest, ':'), is_dtls10);
	return found;
}

enum dtls_suite offer_choose_suite(const struct ssl_settings *ssl, const struct tunnel_request *req)
{
	enum dtls_suite found = choose_from(req, ssl->ciphers[SSL_SCOPE_DTLS12], false);
	if (found == DTLS_NONE && ssl->min_dtls == DTLS_V1_0)
		found = choose_from(req, ssl->ciphers[SSL_SCOPE_DTLS1], true);
	return found;
}

static void choose_dtls(struct session *s, const struct tunnel_request *req)
{
	s->dtls.suite = s->policy.dtls && s->config->webvpn.has_dtls ? offer_choose_suite(&s->config->ssl, req) : DTLS_NONE;
	if (s->dtls.suite == DTLS_NONE)
		return;
	memcpy(s->dtls.master_secret, req->master_secret, sizeof(s->dtls.master_secret));
	dtls_id_new(s);
}

/* With policy classic each packet is judged by itself. */
static void choose_super(struct session *s, const struct tunnel_request *req)
{
	s->super.is_agreed = req->own.is_own && req->own.has_super && !s->w->has_no_super &&
	                     s->policy.mtu_policy != MTU_POLICY_CLASSIC;
	s->super.pace = (struct super_pace){0}; /* of another connection */
}

static void put_dns(struct tunnel_params *p, const struct ip_addr *list, size_t n)
{
	for (size_t i = 0; i < n && p->n_dns < PARAMS_MAX_DNS; i++)
		p->dns[p->n_dns++] = list[i];
}

/* The split list's prefixes of the families whose policy is `which`. Owned array; NULL when empty. */
static int put_routes(const struct session *s, enum split_policy which, struct ip_prefix **ret, size_t *ret_n)
{
	const struct group_policy_values *v = &s->policy;
	bool has4 = v->split4 == which && s->id.ip4.addr.family,
	     has6 = v->split6 == which && s->id.ip6.addr.family;
	if (v->split_acl == NULL || v->split_acl->n_nets == 0 || (!has4 && !has6))
		return 0;
	*ret = calloc(v->split_acl->n_nets, sizeof(**ret));
	if (*ret == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < v->split_acl->n_nets && *ret_n < PARAMS_MAX_ROUTES; i++) {
		const struct ip_prefix *net = &v->split_acl->nets[i];
		if (net->addr.family == 4 ? has4 : has6)
			(*ret)[(*ret_n)++] = *net;
	}
	return 0;
}

static int put_split_dns(const struct session *s, struct tunnel_params *p)
{
	const struct str_list *l = &s->policy.split_dns;
	if (l->n == 0)
		return 0;
	p->split_dns = calloc(l->n, sizeof(*p->split_dns));
	if (p->split_dns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->n && i < PARAMS_MAX_SPLIT_DNS; i++)
		snprintf(p->split_dns[p->n_split_dns++], PARAMS_NAME_BYTES, "%s", l->v[i]);
	return 0;
}

static void put_timers(const struct session *s, const struct ipc_session_info *info, struct tunnel_params *p)
{
	const struct group_policy_values *v = &s->policy;
	p->cstp = (struct channel_timers){
	        .dpd_s = v->dpd_client_s,
	        .keepalive_s = v->keepalive_s,
	        .rekey_s = v->rekey_s,
	        /* never renegotiation: a new tunnel by cookie is what every client can do
	           (wire-protocol.md 4.7) */
	        .rekey_method = v->rekey_s ? REKEY_NEW_TUNNEL : REKEY_NONE,
	};
	p->dtls = p->cstp;
	p->lease_s = LEASE_S;
	p->idle_timeout_s = v->idle_timeout_s;
	p->disconnected_timeout_s = info->disconnected_limit_s;
	p->session_timeout_s = v->session_timeout_s;
	p->session_remaining_s = info->session_remaining_s;
	p->session_alert_s = v->session_alert_s ? v->session_alert_s : SESSION_ALERT_S;
}

static int fill(struct session *s, const struct ipc_session_info *info, const struct tunnel_request *req,
        struct tunnel_params *p)
{
	const struct group_policy_values *v = &s->policy;
	int r;
	snprintf(p->server_name, sizeof(p->server_name), "Culvert %s", CULVERT_VERSION);
	snprintf(p->hostname, sizeof(p->hostname), "%s", req->hostname);
	snprintf(p->default_domain, sizeof(p->default_domain), "%s", v->default_domain);
	snprintf(p->banner, sizeof(p->banner), "%s", v->banner);
	p->ip4 = s->id.ip4;
	p->ip6 = s->id.ip6;
	put_dns(p, v->dns4, v->n_dns4);
	put_dns(p, v->dns6, v->n_dns6);
	for (size_t i = 0; i < v->n_wins && i < PARAMS_MAX_DNS; i++)
		p->nbns[p->n_nbns++] = v->wins[i];
	if ((r = put_split_dns(s, p)) < 0)
		return r;
	if ((r = put_routes(s, SPLIT_TUNNEL_SPECIFIED, &p->include, &p->n_include)) < 0)
		return r;
	if ((r = put_routes(s, SPLIT_EXCLUDE_SPECIFIED, &p->exclude, &p->n_exclude)) < 0)
		return r;
	p->tunnel_all_dns = v->split_all_dns;
	p->client_bypass_protocol = v->client_bypass;
	p->base_mtu = s->mtu.base;
	p->cstp_mtu = s->mtu.tls;
	p->dtls_mtu = s->mtu.dtls;
	put_timers(s, info, p);
	p->grants_license = true;
	p->suite = s->dtls.suite;
	memcpy(p->dtls_id, s->dtls.id, sizeof(p->dtls_id));
	p->dtls_id_bytes = sizeof(p->dtls_id);
	p->dtls_port = (uint16_t)s->w->config->webvpn.dtls_port;
	/* what we take, to those who can read it */
	p->own = (struct own_words){.is_own = req->own.is_own,
	        .has_steer = req->own.is_own,
	        .has_pieces = req->own.is_own,
	        .has_super = s->super.is_agreed};
	return 0;
}

bool offer_is_cisco(const char *user_agent)
{
	return strncmp(user_agent, "AnyConnect ", 11) == 0 || strncmp(user_agent, "Cisco", 5) == 0;
}

int offer_make(struct session *s, struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req, struct text *ret_reply)
{
	struct tunnel_params *p = calloc(1, sizeof(*p));
	struct tunnel_format_opts o = {
	        .has_full_ip6 = req->has_full_ip6, .is_anyconnect = offer_is_cisco(req->user_agent)};
	if (p == NULL)
		return -ENOMEM;
	choose_dtls(s, req);
	choose_super(s, req);
	offer_choose_mtu(s, c, req);
	int r = fill(s, info, req, p);
	if (r == 0) {
		tunnel_params_format(p, &o, ret_reply);
		r = text_ok(ret_reply) ? 0 : -ENOMEM;
	}
	tunnel_params_done(p);
	free(p);
	return r;
}
