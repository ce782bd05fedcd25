#include "policy/model.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/store.h"

struct config *config_get(struct config *c)
{
	atomic_fetch_add_explicit(&c->n_refs, 1, memory_order_relaxed);
	return c;
}

void config_put(struct config *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	config_store_free(c->store);
	free(c);
}

void config_store_free(struct config_store *s)
{
	if (s == NULL)
		return;
	htab_done(&s->users);
	arena_done(&s->arena);
	free(s);
}

/* The struct at which an array of structs that begin with their name has this name; NULL. */
static const void *find_named(const void *array, size_t n, size_t elem_bytes, struct span name)
{
	const char *p = array;
	for (size_t i = 0; i < n; i++, p += elem_bytes) {
		const char *const *elem_name = (const void *)p;
		if (span_is(name, *elem_name))
			return p;
	}
	return NULL;
}

#define FIND(array, n, name) find_named(array, n, sizeof((array)[0]), name)

const struct group_policy *config_find_group_policy(const struct config *c, struct span name)
{
	return FIND(c->policies, c->n_policies, name);
}

const struct tunnel_group *config_find_tunnel_group(const struct config *c, struct span name)
{
	return FIND(c->tunnel_groups, c->n_tunnel_groups, name);
}

const struct local_user *config_find_user(const struct config *c, struct span name)
{
	for (struct htab_node *n = htab_find(&c->store->users, store_user_hash(name)); n; n = htab_next(n)) {
		const struct local_user *u = &c->users[CONTAINER_OF(n, struct user_node, node)->at];
		if (span_is(name, u->name))
			return u;
	}
	return NULL;
}

const struct pool4 *config_find_pool4(const struct config *c, struct span name)
{
	return FIND(c->pools4, c->n_pools4, name);
}

const struct pool6 *config_find_pool6(const struct config *c, struct span name)
{
	return FIND(c->pools6, c->n_pools6, name);
}

const struct acl *config_find_acl(const struct config *c, struct span name)
{
	return FIND(c->acls, c->n_acls, name);
}

const struct trustpoint *config_find_trustpoint(const struct config *c, struct span name)
{
	return FIND(c->trustpoints, c->n_trustpoints, name);
}

const struct tunnel_group *config_find_tunnel_group_by_alias(const struct config *c, struct span alias)
{
	for (size_t g = 0; g < c->n_tunnel_groups; g++) {
		const struct tunnel_group *group = &c->tunnel_groups[g];
		for (size_t i = 0; i < group->n_aliases; i++) {
			if (group->aliases[i].is_enabled && span_is(alias, group->aliases[i].name))
				return group;
		}
	}
	return NULL;
}

/* Host and path of what stands in a URL behind "://"; no port, no query, no trailing "/". */
static void url_split(struct span url, struct span *ret_host, struct span *ret_path)
{
	url = span_cut(&url, '?');
	const uint8_t *slash = url.n ? memchr(url.p, '/', url.n) : NULL;
	size_t host_n = slash ? (size_t)(slash - url.p) : url.n;
	struct span host = span_of(url.p, host_n), path = span_skip(url, host_n);
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	if (host.n > 0 && host.p[0] != '[')
		host = span_cut(&host, ':');
	*ret_host = host;
	*ret_path = path;
}

static bool span_eq_nocase(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0);
}

static bool url_is(const char *url, struct span host, struct span path)
{
	const char *rest = strstr(url, "://");
	struct span h, p;
	if (rest == NULL)
		return false;
	url_split(span_str(rest + 3), &h, &p);
	return (host.n == 0 || span_eq_nocase(h, host)) && span_eq_nocase(p, path);
}

const struct tunnel_group *config_find_tunnel_group_by_url(
        const struct config *c, struct span host, struct span path)
{
	path = span_cut(&path, '?');
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t g = 0; g < c->n_tunnel_groups; g++) {
		const struct tunnel_group *group = &c->tunnel_groups[g];
		for (size_t i = 0; i < group->n_urls; i++) {
			if (group->urls[i].is_enabled && url_is(group->urls[i].name, host, path))
				return group;
		}
	}
	return NULL;
}

/* The fields that belong to each attribute. */
struct attr_field {
	enum policy_attr attr;
	size_t offset, bytes;
};
#define FIELD(a, f)                                                                                          \
	{                                                                                                    \
		a, offsetof(struct group_policy_values, f), sizeof(((struct group_policy_values *)0)->f)     \
	}

static const struct attr_field attr_fields[] = {
        FIELD(ATTR_BANNER, banner),
        FIELD(ATTR_DNS4, dns4),
        FIELD(ATTR_DNS4, n_dns4),
        FIELD(ATTR_DNS6, dns6),
        FIELD(ATTR_DNS6, n_dns6),
        FIELD(ATTR_WINS, wins),
        FIELD(ATTR_WINS, n_wins),
        FIELD(ATTR_SIMULTANEOUS_LOGINS, simultaneous_logins),
        FIELD(ATTR_IDLE_TIMEOUT, idle_timeout_s),
        FIELD(ATTR_IDLE_ALERT, idle_alert_s),
        FIELD(ATTR_SESSION_TIMEOUT, session_timeout_s),
        FIELD(ATTR_SESSION_ALERT, session_alert_s),
        FIELD(ATTR_TUNNEL_PROTOCOLS, tunnel_protocols),
        FIELD(ATTR_GROUP_LOCK, group_lock),
        FIELD(ATTR_SPLIT4, split4),
        FIELD(ATTR_SPLIT6, split6),
        FIELD(ATTR_SPLIT_LIST, split_list_name),
        FIELD(ATTR_DEFAULT_DOMAIN, default_domain),
        FIELD(ATTR_SPLIT_DNS, split_dns),
        FIELD(ATTR_SPLIT_ALL_DNS, split_all_dns),
        FIELD(ATTR_CLIENT_BYPASS, client_bypass),
        FIELD(ATTR_GATEWAY_FQDN, gateway_fqdn),
        FIELD(ATTR_POOLS4, pool4_names),
        FIELD(ATTR_POOLS6, pool6_names),
        FIELD(ATTR_DTLS, dtls),
        FIELD(ATTR_MTU, mtu),
        FIELD(ATTR_DF_BIT_IGNORE, df_bit_ignore),
        FIELD(ATTR_KEEPALIVE, keepalive_s),
        FIELD(ATTR_REKEY_TIME, rekey_s),
        FIELD(ATTR_REKEY_METHOD, rekey_method),
        FIELD(ATTR_DPD_CLIENT, dpd_client_s),
        FIELD(ATTR_DPD_GATEWAY, dpd_gateway_s),
        FIELD(ATTR_SSL_COMPRESSION, ssl_compression),
        FIELD(ATTR_DTLS_COMPRESSION, dtls_compression),
        FIELD(ATTR_MTU_POLICY, mtu_policy),
        FIELD(ATTR_KEEP_INSTALLER, keep_installer),
};

static void overlay_put(struct group_policy_values *v, const struct policy_overlay *o)
{
	for (size_t i = 0; o != NULL && i < N_ELEM(attr_fields); i++) {
		const struct attr_field *f = &attr_fields[i];
		if (o->is_set & UINT64_C(1) << f->attr)
			memcpy((char *)v + f->offset, (const char *)&o->v + f->offset, f->bytes);
	}
}

static void resolve_pools(
        const struct config *c, const struct tunnel_group *group, struct group_policy_values *v)
{
	const struct str_list *names4 = v->pool4_names.n || !group ? &v->pool4_names : &group->pool4_names;
	const struct str_list *names6 = v->pool6_names.n || !group ? &v->pool6_names : &group->pool6_names;
	v->n_pools4 = v->n_pools6 = 0;
	for (size_t i = 0; i < names4->n && i < POLICY_MAX_POOLS; i++)
		v->pools4[v->n_pools4++] = config_find_pool4(c, span_str(names4->v[i]));
	for (size_t i = 0; i < names6->n && i < POLICY_MAX_POOLS; i++)
		v->pools6[v->n_pools6++] = config_find_pool6(c, span_str(names6->v[i]));
}

int config_resolve_policy(const struct config *c, const struct tunnel_group *group,
        const struct local_user *user, struct span policy_name, const struct policy_overlay *overlay,
        struct group_policy_values *ret)
{
	const char *group_policy = group ? group->default_policy : POLICY_DEFAULT_GROUP_POLICY;
	const struct group_policy *of_group = config_find_group_policy(c, span_str(group_policy));
	const struct group_policy *chosen = of_group;
	if (policy_name.n > 0)
		chosen = config_find_group_policy(c, policy_name);
	else if (user != NULL && user->policy[0] != '\0')
		chosen = config_find_group_policy(c, span_str(user->policy));
	if (chosen == NULL || of_group == NULL)
		return -ENOENT;
	struct group_policy_values v = {0};
	overlay_put(&v, &c->policies[0].attrs);
	overlay_put(&v, &of_group->attrs);
	overlay_put(&v, &chosen->attrs);
	overlay_put(&v, user ? &user->attrs : NULL);
	overlay_put(&v, overlay);
	v.policy_name = chosen->name;
	v.split_acl = config_find_acl(c, span_str(v.split_list_name));
	resolve_pools(c, group, &v);
	if (user != NULL) {
		v.framed_ip4 = user->framed_ip4;
		v.framed_mask_len = user->framed_mask_len;
		v.framed_ip6 = user->framed_ip6;
	}
	*ret = v;
	return 0;
}
