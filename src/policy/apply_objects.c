/* The rows that make objects, and the walk over the statements. */
#include <errno.h>

#include "base/err.h"
#include "base/parse.h"
#include "policy/apply.h"
#include "policy/args.h"
#include "policy/store.h"

void *apply_append(struct builder *b, const void *array, size_t n, size_t elem_bytes, void **ret_array)
{
	char *v = arena_grow(b->arena, array, n, elem_bytes);
	if (v == NULL)
		return NULL;
	*ret_array = v;
	memset(v + n * elem_bytes, 0, elem_bytes);
	return v + n * elem_bytes;
}

static struct acl *acl_of(struct builder *b, const char *name)
{
	void *v = b->acls;
	for (size_t i = 0; i < b->config->n_acls; i++) {
		if (strcmp(b->acls[i].name, name) == 0)
			return &b->acls[i];
	}
	struct acl *a = apply_append(b, b->acls, b->config->n_acls, sizeof(*a), &v);
	if (a == NULL)
		return NULL;
	b->config->acls = b->acls = v;
	b->config->n_acls++;
	a->name = name;
	return a;
}

static int acl_add(struct builder *b, const struct stmt *s, struct ip_prefix net)
{
	struct acl *a = acl_of(b, stmt_arg(s, "NAME"));
	if (a == NULL)
		return -ENOMEM;
	if (a->n_nets == POLICY_MAX_ACL_NETS)
		return apply_error(b, s, 1, "more than %d networks in one list", POLICY_MAX_ACL_NETS);
	struct ip_prefix *nets = arena_grow(b->arena, a->nets, a->n_nets, sizeof(*nets));
	if (nets == NULL)
		return -ENOMEM;
	net.addr = prefix_network(&net);
	nets[a->n_nets++] = net;
	a->nets = nets;
	return 0;
}

int apply_acl_net(struct builder *b, const struct stmt *s, void *obj)
{
	struct ip_prefix net = {.addr = addr_from_v4(0)};
	struct ip_addr mask;
	const char *addr = stmt_arg(s, "ADDR4"), *mask_text = stmt_arg(s, "MASK");
	(void)obj;
	if (addr != NULL) {
		net.len = 32;
		if (addr_parse(span_str(addr), &net.addr) < 0)
			return apply_error(b, s, s->n - 1, "not an address");
	}
	if (mask_text != NULL &&
	        (addr_parse(span_str(mask_text), &mask) < 0 || addr_mask_len(&mask, &net.len) < 0))
		return apply_error(b, s, s->n - 1, "not a netmask");
	return acl_add(b, s, net);
}

int apply_acl_prefix6(struct builder *b, const struct stmt *s, void *obj)
{
	struct ip_prefix net;
	(void)obj;
	if (prefix_parse(span_str(stmt_arg(s, "PREFIX6")), &net) < 0)
		return apply_error(b, s, s->n - 1, "not a prefix");
	return acl_add(b, s, net);
}

static uint8_t class_mask_len(const struct ip_addr *a)
{
	return a->b[0] < 128 ? 8 : a->b[0] < 192 ? 16 : 24;
}

int apply_pool4(struct builder *b, const struct stmt *s, void *obj)
{
	struct pool4 pool = {.name = stmt_arg(s, "NAME")};
	const char *mask_text = stmt_arg(s, "MASK");
	struct ip_addr mask;
	void *v = b->pools4;
	int at = stmt_find(s, "RANGE4");
	(void)obj;
	if (arg_parse_range4(span_str(s->w[at].text), &pool.first, &pool.last) < 0)
		return apply_error(b, s, (size_t)at, "not a range of addresses");
	pool.mask_len = class_mask_len(&pool.first);
	if (mask_text != NULL &&
	        (addr_parse(span_str(mask_text), &mask) < 0 || addr_mask_len(&mask, &pool.mask_len) < 0))
		return apply_error(b, s, s->n - 1, "not a netmask");
	struct ip_prefix net = {pool.first, pool.mask_len};
	if (!prefix_has(&net, &pool.last))
		return apply_error(b, s, (size_t)at, "the range does not lie in one network of this mask");
	struct pool4 *p = apply_append(b, b->pools4, b->config->n_pools4, sizeof(*p), &v);
	if (p == NULL)
		return -ENOMEM;
	*p = pool;
	b->config->pools4 = b->pools4 = v;
	b->config->n_pools4++;
	return 0;
}

int apply_pool6(struct builder *b, const struct stmt *s, void *obj)
{
	struct pool6 pool = {.name = stmt_arg(s, "NAME")};
	void *v = b->pools6;
	size_t at = 4; /* the word after "ipv6 local pool NAME" */
	(void)obj;
	if (prefix_parse(span_str(stmt_arg(s, "PREFIX6")), &pool.prefix) < 0)
		return apply_error(b, s, at, "not a prefix");
	if (parse_u32(span_str(stmt_arg(s, "N")), s->row->min, s->row->max, &pool.count) < 0)
		return apply_error(b, s, s->n - 1, "not a number of addresses");
	struct ip_addr last = addr_add(&pool.prefix.addr, pool.count - 1);
	if (!prefix_has(&pool.prefix, &last) || memcmp(last.b, pool.prefix.addr.b, 16) < 0)
		return apply_error(b, s, s->n - 1, "the prefix has no room for so many addresses");
	struct pool6 *p = apply_append(b, b->pools6, b->config->n_pools6, sizeof(*p), &v);
	if (p == NULL)
		return -ENOMEM;
	*p = pool;
	b->config->pools6 = b->pools6 = v;
	b->config->n_pools6++;
	return 0;
}

int apply_aaa_server(struct builder *b, const struct stmt *s, void *obj)
{
	void *v;
	(void)obj;
	const char **name = apply_append(b, b->aaa_servers.v, b->aaa_servers.n, sizeof(*name), &v);
	if (name == NULL)
		return -ENOMEM;
	*name = stmt_arg(s, "NAME");
	b->aaa_servers.v = v;
	b->aaa_servers.n++;
	return 0;
}

int apply_trustpoint(struct builder *b, const struct stmt *s, void *obj)
{
	void *v = b->trustpoints;
	(void)obj;
	struct trustpoint *t = apply_append(b, b->trustpoints, b->config->n_trustpoints, sizeof(*t), &v);
	if (t == NULL)
		return -ENOMEM;
	t->name = stmt_arg(s, "NAME");
	b->config->trustpoints = b->trustpoints = v;
	b->config->n_trustpoints++;
	return 0;
}

int apply_policy_new(struct builder *b, const struct stmt *s, void *obj)
{
	void *v = b->policies;
	(void)obj;
	struct group_policy *p = apply_append(b, b->policies, b->config->n_policies, sizeof(*p), &v);
	if (p == NULL)
		return -ENOMEM;
	b->config->policies = b->policies = v;
	p->name = stmt_arg(s, "NAME");
	if (s->n > 3)
		report(b->reporter, DIAG_WARNING, s->line, s->w[2].col,
		        "\"from\" and external group policies are accepted, but have no effect yet");
	if (b->config->n_policies++ == 0)
		return apply_defaults(b, MODE_POLICY | MODE_POLICY_WEBVPN, &p->attrs);
	return 0;
}

int apply_group_new(struct builder *b, const struct stmt *s, void *obj)
{
	void *v = b->groups;
	(void)obj;
	struct tunnel_group *g = apply_append(b, b->groups, b->config->n_tunnel_groups, sizeof(*g), &v);
	if (g == NULL)
		return -ENOMEM;
	b->config->tunnel_groups = b->groups = v;
	b->config->n_tunnel_groups++;
	g->name = stmt_arg(s, "NAME");
	g->accounting_server = "";
	g->default_policy = POLICY_DEFAULT_GROUP_POLICY;
	g->type = syntax_choice(s->row->syntax, s->w[3].elem) == 1 ? TUNNEL_GROUP_L2L
	                                                           : TUNNEL_GROUP_REMOTE_ACCESS;
	return apply_defaults(b, MODE_GROUP | MODE_GROUP_WEBVPN, g);
}

/* The other tunnel group that already has this enabled alias or URL; NULL. */
static const struct tunnel_group *alias_owner(const struct builder *b, const char *name, bool is_url)
{
	for (size_t g = 0; g < b->config->n_tunnel_groups; g++) {
		const struct tunnel_group *group = &b->groups[g];
		const struct group_alias *v = is_url ? group->urls : group->aliases;
		for (size_t i = 0; i < (is_url ? group->n_urls : group->n_aliases); i++) {
			if (v[i].is_enabled && strcmp(v[i].name, name) == 0)
				return group;
		}
	}
	return NULL;
}

static int alias_add(
        struct builder *b, const struct stmt *s, const struct group_alias **v, size_t *n, bool is_url)
{
	void *grown;
	bool is_enabled = syntax_choice(s->row->syntax, s->w[s->n - 1].elem) == 0;
	if (is_enabled && alias_owner(b, s->w[1].text, is_url) != NULL)
		return apply_error(b, s, 1, "another tunnel-group has this already");
	struct group_alias *a = apply_append(b, *v, *n, sizeof(*a), &grown);
	if (a == NULL)
		return -ENOMEM;
	*a = (struct group_alias){.name = s->w[1].text, .is_enabled = is_enabled};
	*v = grown;
	(*n)++;
	return 0;
}

int apply_alias(struct builder *b, const struct stmt *s, void *obj)
{
	struct tunnel_group *g = obj;
	return alias_add(b, s, &g->aliases, &g->n_aliases, false);
}

int apply_url(struct builder *b, const struct stmt *s, void *obj)
{
	struct tunnel_group *g = obj;
	return alias_add(b, s, &g->urls, &g->n_urls, true);
}

static bool is_masked(const char *secret)
{
	return secret[strspn(secret, "*")] == '\0';
}

/* What kind of secret this is, by its form and the word behind it; SECRET_NONE with *ret_why when no one can
 * log in with it. */
static enum secret_kind secret_kind_of(const char *secret, const char *form, const char **ret_why)
{
	bool is_asa_hash = strncmp(secret, "$sha512$", 8) == 0;
	if (is_masked(secret))
		*ret_why = "the password is masked, so this user cannot log in: set it again";
	else if (form != NULL && strcmp(form, "pbkdf2") != 0)
		*ret_why = "this kind of hash is not supported, so this user cannot log in: set the password "
		           "again";
	else if (form != NULL && !is_asa_hash)
		*ret_why =
		        "not a pbkdf2 hash ($sha512$...), so this user cannot log in: set the password again";
	else if (is_asa_hash)
		return SECRET_PBKDF2;
	else
		return secret[0] == '$' ? SECRET_CRYPT : SECRET_PLAIN;
	return SECRET_NONE;
}

int apply_user_new(struct builder *b, const struct stmt *s, void *obj)
{
	void *v = b->users;
	const char *secret = stmt_arg(s, "SECRET"), *privilege = stmt_arg(s, "PRIVILEGE"), *why = NULL;
	(void)obj;
	if (secret == NULL)
		return apply_error(
		        b, s, 2, "a user without a password is not accepted: expected \"password\"");
	struct local_user *u = apply_append(b, b->users, b->config->n_users, sizeof(*u), &v);
	if (u == NULL)
		return -ENOMEM;
	b->config->users = b->users = v;
	u->name = stmt_arg(s, "NAME");
	struct user_node *node = arena_alloc(b->arena, sizeof(*node));
	if (node == NULL ||
	        htab_insert(&b->config->store->users, &node->node, store_user_hash(span_str(u->name))) < 0)
		return -ENOMEM;
	node->at = b->config->n_users++;
	size_t at = (size_t)stmt_find(s, "SECRET");
	const char *form =
	        at + 1 < s->n && strcmp(s->w[at + 1].text, "privilege") != 0 ? s->w[at + 1].text : NULL;
	u->secret = secret;
	u->kind = secret_kind_of(secret, form, &why);
	u->policy = "";
	u->privilege = 2;
	if (privilege != NULL && parse_u32(span_str(privilege), 0, 15, &u->privilege) < 0)
		return apply_error(b, s, s->n - 1, "not a level");
	if (why != NULL)
		report(b->reporter, DIAG_WARNING, s->line, s->w[at].col, "%s", why);
	return 0;
}

int apply_framed4(struct builder *b, const struct stmt *s, void *obj)
{
	struct local_user *u = obj;
	struct ip_addr mask;
	const char *mask_text = stmt_arg(s, "MASK");
	if (addr_parse(span_str(stmt_arg(s, "ADDR4")), &u->framed_ip4) < 0)
		return apply_error(b, s, 1, "not an address");
	u->framed_mask_len = 32;
	if (mask_text != NULL &&
	        (addr_parse(span_str(mask_text), &mask) < 0 || addr_mask_len(&mask, &u->framed_mask_len) < 0))
		return apply_error(b, s, s->n - 1, "not a netmask");
	return 0;
}

int apply_framed6(struct builder *b, const struct stmt *s, void *obj)
{
	struct local_user *u = obj;
	struct ip_prefix p;
	if (prefix_parse(span_str(s->w[1].text), &p) < 0)
		return apply_error(b, s, 1, "not an address");
	u->framed_ip6 = p.addr;
	return 0;
}

static struct group_policy *policy_of(struct builder *b, const char *name)
{
	for (size_t i = 0; i < b->config->n_policies; i++) {
		if (strcmp(b->policies[i].name, name) == 0)
			return &b->policies[i];
	}
	return NULL;
}

static void *object_of(struct builder *b, const struct stmt *s, void *outer)
{
	const char *name = stmt_arg(s, "NAME");
	struct config *c = b->config;
	switch (s->row->enters) {
	case MODE_POLICY: {
		struct group_policy *p = policy_of(b, name);
		return p ? &p->attrs : NULL;
	}
	case MODE_POLICY_WEBVPN:
		return stmt_mode(s->parent) == MODE_USER ? &((struct local_user *)outer)->attrs : outer;
	case MODE_GROUP:
	case MODE_GROUP_WEBVPN: {
		const struct tunnel_group *g = config_find_tunnel_group(c, span_str(name));
		return g ? &b->groups[g - c->tunnel_groups] : NULL;
	}
	case MODE_USER: {
		const struct local_user *u = config_find_user(c, span_str(name));
		return u ? &b->users[u - c->users] : NULL;
	}
	case MODE_TRUSTPOINT: {
		const struct trustpoint *t = config_find_trustpoint(c, span_str(name));
		return t ? &b->trustpoints[t - c->trustpoints] : NULL;
	}
	default:
		return c;
	}
}

static int apply_section(struct builder *b, const struct stmt *section, void *obj, bool is_creating);

/* What follows the name in the line that defines such an object. */
static const char *define_word(const struct stmt *s)
{
	if (stmt_mode(s) == MODE_USER)
		return "password ...";
	return stmt_mode(s) == MODE_POLICY ? "internal" : "type remote-access";
}

static int apply_inside(struct builder *b, const struct stmt *s, void *outer)
{
	void *obj = object_of(b, s, outer);
	if (obj == NULL)
		return apply_error(b, s, 1, "this %s is not defined: there is no line \"%s %s %s\"",
		        s->w[0].text, s->w[0].text, s->w[1].text, define_word(s));
	return apply_section(b, s, obj, false);
}

/* Errors of the configuration are reported and counted; only want of memory stops the walk. */
static int apply_section(struct builder *b, const struct stmt *section, void *obj, bool is_creating)
{
	int r = 0;
	for (const struct stmt *s = section->first; s != NULL && r != -ENOMEM; s = s->next) {
		if (!(s->row->flags & CMD_CREATES) == !is_creating)
			r = apply_stmt(b, s, obj);
		if (r != -ENOMEM && !is_creating && s->row->enters != 0)
			r = apply_inside(b, s, obj);
	}
	return r == -ENOMEM ? r : 0;
}

int apply_tree(struct builder *b, const struct stmt *root)
{
	struct config *c = b->config;
	int r = apply_defaults(b, MODE_GLOBAL | MODE_WEBVPN, c);
	if (r == 0)
		r = apply_section(b, root, c, true);
	if (r == 0)
		r = apply_section(b, root, c, false);
	if (r == 0 && (b->arena->is_bad || b->reporter->n_errors > 0))
		r = b->arena->is_bad ? -ENOMEM : ERR_CONFIG;
	return r;
}
