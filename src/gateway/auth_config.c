/* From the configuration to what the authority wants to know. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth_int.h"
#include "gateway/config_text.h"
#include "io/log.h"

static int pools_apply(struct auth *auth, const struct config *c)
{
	size_t n = 0;
	struct authority_pool *pools = calloc(c->n_pools4 + c->n_pools6 + 1, sizeof(*pools));
	if (pools == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_pools4; i++) {
		const struct pool4 *p = &c->pools4[i];
		pools[n++] = (struct authority_pool){
		        .name = p->name, .first = p->first, .last = p->last, .mask_len = p->mask_len};
	}
	for (size_t i = 0; i < c->n_pools6; i++) {
		const struct pool6 *p = &c->pools6[i];
		if (p->count == 0)
			continue;
		pools[n++] = (struct authority_pool){.name = p->name,
		        .first = p->prefix.addr,
		        .last = addr_add(&p->prefix.addr, p->count - 1),
		        .mask_len = p->prefix.len};
	}
	int r = authority_set_pools(auth->authority, pools, n);
	free(pools);
	return r;
}

static bool has_hashes(const struct config *c)
{
	for (size_t i = 0; i < c->n_users; i++)
		if (c->users[i].kind == SECRET_PBKDF2 || c->users[i].kind == SECRET_CRYPT)
			return true;
	return false;
}

int auth_config_apply(struct auth *auth, int fd)
{
	struct config *c = NULL;
	int r = config_text_read(fd, &c);
	if (r == 0)
		r = pools_apply(auth, c);
	if (r < 0) {
		log_msg(3, "CULVERT", 101001, "Auth cannot use the configuration: %s", err_text(r));
		config_put(c);
		return r;
	}
	config_put(auth->config);
	auth->config = c;
	auth->has_hashes = has_hashes(c);
	log_relay_apply(&auth->log_relay, c);
	return 0;
}

int auth_config_resolve(const struct config *c, const struct tunnel_group *group,
        const struct local_user *user, struct group_policy_values *ret)
{
	return config_resolve_policy(c, group, user, span_str(NULL), NULL, ret);
}

void auth_config_digest(
        const struct config *c, const struct group_policy_values *v, struct authority_policy *ret)
{
	_Static_assert(AUTHORITY_POOLS_MAX >= POLICY_MAX_POOLS, "every pool of a policy has its place");
	*ret = (struct authority_policy){
	        .group_policy = v->policy_name,
	        .simultaneous_logins = v->simultaneous_logins,
	        .session_timeout_s = v->session_timeout_s,
	        /* the ASA has no disconnected timeout of its own (cisco-facts.md 2.3) */
	        .disconnected_limit_s = v->idle_timeout_s ? v->idle_timeout_s : c->webvpn.idle_timeout_s,
	        .n_pools4 = v->n_pools4,
	        .n_pools6 = v->n_pools6,
	        .framed_ip4 = v->framed_ip4,
	        .framed_ip4_len = v->framed_mask_len,
	        .framed_ip6 = v->framed_ip6,
	        .framed_ip6_len = 128,
	};
	for (size_t i = 0; i < v->n_pools4; i++)
		ret->pools4[i] = v->pools4[i]->name;
	for (size_t i = 0; i < v->n_pools6; i++)
		ret->pools6[i] = v->pools6[i]->name;
}

int auth_config_policy(
        void *ctx, const char *username, const char *tunnel_group, struct authority_policy *ret)
{
	struct auth *auth = ctx;
	struct group_policy_values v;
	const struct tunnel_group *group = config_find_tunnel_group(auth->config, span_str(tunnel_group));
	if (group == NULL)
		return -ENOENT;
	int r = auth_config_resolve(
	        auth->config, group, config_find_user(auth->config, span_str(username)), &v);
	if (r == 0)
		auth_config_digest(auth->config, &v, ret);
	return r;
}
