#include "policy/apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/parse.h"

int apply_error(struct builder *b, const struct stmt *s, size_t i, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(b->reporter, DIAG_ERROR, s->line, s->w[i].col, "%s", text);
	return ERR_CONFIG;
}

static uint32_t number_of(const struct stmt *s)
{
	const char *word = stmt_arg(s, "N");
	uint32_t v = 0, scale = s->row->scale ? s->row->scale : 1;
	if (word == NULL || parse_u32(span_str(word), s->row->min, s->row->max, &v) < 0)
		return 0;
	return v > UINT32_MAX / scale ? UINT32_MAX : v * scale;
}

static int bind_list(struct builder *b, const struct stmt *s, struct str_list *ret)
{
	const char **v = arena_alloc(b->arena, s->n * sizeof(*v));
	size_t n = 0;
	if (v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		if (stmt_is_arg(s, i) && !span_is(stmt_elem(s, i), "(IF)"))
			v[n++] = s->w[i].text;
	}
	*ret = (struct str_list){.v = v, .n = n};
	return 0;
}

static int bind_field(struct builder *b, const struct stmt *s, void *base)
{
	void *field = (char *)base + s->row->offset;
	const char *last = s->w[s->n - 1].text;
	uint32_t v = 0;
	switch (s->row->bind) {
	case BIND_NONE:
		return 0;
	case BIND_TEXT:
		last = stmt_is_arg(s, s->n - 1) ? last : "";
		memcpy(field, &last, sizeof(last));
		return 0;
	case BIND_WORD:
		memcpy(field, &last, sizeof(last));
		return 0;
	case BIND_LIST:
		return bind_list(b, s, field);
	case BIND_NUMBER:
		v = number_of(s);
		break;
	case BIND_CHOICE:
		v = syntax_choice(s->row->syntax, s->w[s->n - 1].elem);
		break;
	case BIND_FLAG:
		v = 1;
		break;
	}
	memcpy(field, &v, sizeof(v));
	return 0;
}

int apply_stmt(struct builder *b, const struct stmt *s, void *obj)
{
	void *base = obj;
	int r;
	if (s->row->attr != 0) {
		bool is_user = s->parent != NULL && stmt_mode(s->parent) == MODE_USER;
		struct policy_overlay *overlay = is_user ? &((struct local_user *)obj)->attrs : obj;
		overlay->is_set |= UINT64_C(1) << (s->row->attr - 1);
		obj = overlay;
		base = &overlay->v;
	}
	if (base != NULL && (r = bind_field(b, s, base)) < 0)
		return r;
	return s->row->apply ? s->row->apply(b, s, obj) : 0;
}

static int apply_default(struct builder *b, const struct command *row, void *obj)
{
	struct line l;
	struct match m;
	uint32_t col;
	enum mode mode = row->modes & -row->modes; /* any mode of the row will do */
	if (line_split(span_str(row->def), &l, &col) < 0)
		return ERR_CONFIG;
	syntax_match(mode, &l, 0, false, &m);
	if (m.result != MATCH_OK || m.row != row)
		return ERR_CONFIG;
	struct stmt *s = stmt_new(b->arena, &l, &m, 0);
	return s ? apply_stmt(b, s, obj) : -ENOMEM;
}

int apply_defaults(struct builder *b, uint32_t modes, void *obj)
{
	size_t n;
	const struct command *rows = command_table(&n);
	int r = 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (rows[i].modes & modes && rows[i].def &&
		        (rows[i].bind != BIND_NONE || rows[i].apply != NULL))
			r = apply_default(b, &rows[i], obj);
	}
	return r;
}

static int unknown_name(struct builder *b, const struct stmt *s, size_t i, const char *what)
{
	struct text t = {0};
	text_escaped(&t, span_str(s->w[i].text), POLICY_NAME_MAX);
	int r = apply_error(b, s, i, "there is no %s \"%s\"", what, text_cstr(&t));
	text_done(&t);
	return r;
}

typedef bool has_f(const struct builder *b, const char *name);

static bool has_pool4(const struct builder *b, const char *name)
{
	return config_find_pool4(b->config, span_str(name)) != NULL;
}

static bool has_pool6(const struct builder *b, const char *name)
{
	return config_find_pool6(b->config, span_str(name)) != NULL;
}

static bool has_acl(const struct builder *b, const char *name)
{
	return config_find_acl(b->config, span_str(name)) != NULL;
}

static bool has_policy(const struct builder *b, const char *name)
{
	return config_find_group_policy(b->config, span_str(name)) != NULL;
}

static bool has_group(const struct builder *b, const char *name)
{
	return config_find_tunnel_group(b->config, span_str(name)) != NULL;
}

static bool has_trustpoint(const struct builder *b, const char *name)
{
	return config_find_trustpoint(b->config, span_str(name)) != NULL;
}

static bool has_aaa_server(const struct builder *b, const char *name)
{
	for (size_t i = 0; i < b->aaa_servers.n; i++) {
		if (strcmp(b->aaa_servers.v[i], name) == 0)
			return true;
	}
	return strcmp(name, "LOCAL") == 0;
}

/* Every argument of element NAME must be the name of something. */
static int check_names(struct builder *b, const struct stmt *s, has_f *has, const char *what)
{
	int r = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (span_is(stmt_elem(s, i), "NAME") && !has(b, s->w[i].text))
			r = unknown_name(b, s, i, what);
	}
	return r;
}

static size_t count_args(const struct stmt *s, const char *elem)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += span_is(stmt_elem(s, i), elem);
	return n;
}

static int check_pools(struct builder *b, const struct stmt *s, has_f *has, const char *what)
{
	if (count_args(s, "NAME") > POLICY_MAX_POOLS)
		return apply_error(b, s, s->n - 1, "at most %d pools", POLICY_MAX_POOLS);
	return check_names(b, s, has, what);
}

int apply_pool4_refs(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_pools(b, s, has_pool4, "ip local pool");
}

int apply_pool6_refs(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_pools(b, s, has_pool6, "ipv6 local pool");
}

int apply_acl_ref(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_names(b, s, has_acl, "access-list with a line \"standard permit\" named");
}

int apply_policy_ref(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_names(b, s, has_policy, "group-policy");
}

int apply_group_lock(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_names(b, s, has_group, "tunnel-group");
}

int apply_auth_servers(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	return check_names(b, s, has_aaa_server, "aaa-server");
}

int apply_accounting(struct builder *b, const struct stmt *s, void *obj)
{
	return apply_auth_servers(b, s, obj);
}

int apply_mtu(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	if (strcmp(stmt_arg(s, "IF"), "outside") == 0)
		c->outside_mtu = number_of(s);
	return 0;
}

int apply_mtu_formula(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	c->mtu_formula = syntax_choice(s->row->syntax, s->w[1].elem);
	c->mtu_formula_negotiated = s->n > 2;
	return 0;
}

int apply_mss(struct builder *b, const struct stmt *s, void *obj)
{
	(void)obj;
	uint32_t v = number_of(s);
	return v > 0 && v < 48
	               ? apply_error(b, s, s->n - 1, "%u is not 0 (off) and not in 48-65535 (bytes)", v)
	               : 0;
}

static bool is_served(const struct stmt *root, const char *interface)
{
	for (const struct stmt *section = root->first; section != NULL; section = section->next) {
		for (const struct stmt *s = section->first; s != NULL; s = s->next) {
			const char *name = s->row->apply == apply_enable ? stmt_arg(s, "IF") : NULL;
			if (name != NULL && strcmp(name, interface) == 0)
				return true;
		}
	}
	return false;
}

enum trustpoint_rank { RANK_NOT_ASKED = 1, RANK_DEFAULT, RANK_SERVED };

/* An ASA has one certificate for each interface; here the one of an interface that is served counts. */
static enum trustpoint_rank trustpoint_rank(const struct stmt *s)
{
	const char *interface = stmt_arg(s, "IF");
	if (s->n <= 3)
		return RANK_DEFAULT;
	return s->n == 4 && interface != NULL && is_served(s->parent, interface) ? RANK_SERVED
	                                                                         : RANK_NOT_ASKED;
}

int apply_ssl_trustpoint(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	int rank = trustpoint_rank(s);
	if (rank >= b->trustpoint_rank) {
		b->trustpoint_rank = rank;
		c->ssl.trustpoint = stmt_arg(s, "NAME");
	}
	return check_names(b, s, has_trustpoint, "crypto ca trustpoint");
}

int apply_enable(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	c->webvpn.has_dtls |= s->n < 3;
	return 0;
}

int apply_listen(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	return addr_parse(span_str(stmt_arg(s, "ADDR")), &c->webvpn.listen);
}

/* The text with \n turned into line ends, behind the lines that are there. */
int apply_banner(struct builder *b, const struct stmt *s, void *obj)
{
	struct policy_overlay *o = obj;
	const char *text = stmt_arg(s, "TEXT"), *before = o->v.banner ? o->v.banner : "";
	size_t n_before = strlen(before);
	if (text == NULL) {
		o->v.banner = "";
		return 0;
	}
	size_t len = strlen(text), n = n_before;
	if (len + n_before > POLICY_BANNER_MAX)
		return apply_error(
		        b, s, s->n - 1, "the banner is longer than %d characters", POLICY_BANNER_MAX);
	char *out = arena_alloc(b->arena, n_before + len + 2);
	if (out == NULL)
		return -ENOMEM;
	memcpy(out, before, n_before);
	if (n_before > 0)
		out[n++] = '\n';
	for (size_t i = 0; i < len; i++) {
		bool is_break = text[i] == '\\' && text[i + 1] == 'n';
		out[n++] = is_break ? '\n' : text[i];
		i += is_break;
	}
	o->v.banner = out;
	return 0;
}

static int add_addr(
        struct builder *b, const struct stmt *s, size_t i, struct ip_addr *v, uint32_t *n, uint32_t max)
{
	struct ip_addr a;
	if (addr_parse(span_str(s->w[i].text), &a) < 0)
		return apply_error(b, s, i, "not an address");
	if (*n == max)
		return apply_error(b, s, i, "at most %u servers", max);
	v[(*n)++] = a;
	return 0;
}

int apply_dns(struct builder *b, const struct stmt *s, void *obj)
{
	struct policy_overlay *o = obj;
	int r = 0;
	o->is_set |= UINT64_C(1) << ATTR_DNS4 | UINT64_C(1) << ATTR_DNS6;
	o->v.n_dns4 = o->v.n_dns6 = 0;
	for (size_t i = 0; i < s->n && r == 0; i++) {
		if (!stmt_is_arg(s, i))
			continue;
		bool is_ip6 = strchr(s->w[i].text, ':') != NULL;
		r = add_addr(b, s, i, is_ip6 ? o->v.dns6 : o->v.dns4, is_ip6 ? &o->v.n_dns6 : &o->v.n_dns4,
		        POLICY_MAX_DNS);
	}
	return r;
}

int apply_wins(struct builder *b, const struct stmt *s, void *obj)
{
	struct policy_overlay *o = obj;
	int r = 0;
	o->v.n_wins = 0;
	for (size_t i = 0; i < s->n && r == 0; i++) {
		if (stmt_is_arg(s, i))
			r = add_addr(b, s, i, o->v.wins, &o->v.n_wins, POLICY_MAX_WINS);
	}
	return r;
}

int apply_protocols(struct builder *b, const struct stmt *s, void *obj)
{
	/* in the order of the syntax; the last three are old names */
	static const uint32_t bits[] = {TUNNEL_IKEV1, TUNNEL_IKEV2, TUNNEL_L2TP_IPSEC, TUNNEL_SSL_CLIENT,
	        TUNNEL_SSL_CLIENTLESS, TUNNEL_SSL_CLIENT, TUNNEL_SSL_CLIENTLESS, TUNNEL_IKEV1};
	struct policy_overlay *o = obj;
	(void)b;
	o->v.tunnel_protocols = 0;
	for (size_t i = 1; i < s->n; i++)
		o->v.tunnel_protocols |= bits[syntax_choice(s->row->syntax, s->w[i].elem) % N_ELEM(bits)];
	return 0;
}

int apply_authentication(struct builder *b, const struct stmt *s, void *obj)
{
	struct tunnel_group *g = obj;
	(void)b;
	g->authentication = 0;
	for (size_t i = 1; i < s->n; i++)
		g->authentication |=
		        syntax_choice(s->row->syntax, s->w[i].elem) == 0 ? AUTH_AAA : AUTH_CERTIFICATE;
	return 0;
}
