/* show mtu: what each session's packets may measure, and why. */
#include <stdio.h>

#include "gateway/render.h"

static const char *policy_name(const struct session *s)
{
	return s->policy.mtu_policy == MTU_POLICY_CLASSIC ? "classic" : "seamless";
}

static const char *number(uint32_t v, char buf[static 12])
{
	snprintf(buf, 12, "%u", v);
	return v ? buf : "-";
}

void render_mtu(const struct render_list *l, struct text *out)
{
	text_fmt(out, "%-6s %-20s %9s %10s %8s %8s %10s  %s\n", "Index", "Username", "Announced",
	        "DTLS limit", "Base MTU", "TCP path", "Configured", "Policy");
	for (size_t i = 0; i < l->n; i++) {
		const struct session *s = l->v[i].s;
		struct text user = {0};
		char a[12], b[12], c[12], d[12], e[12];
		text_escaped(&user, span_str(s->id.username), 60);
		text_fmt(out, "%-6u %-20s %9s %10s %8s %8s %10s  %s\n", s->id.index, text_cstr(&user),
		        number(s->mtu.tls, a), number(s->dtls.limit_bytes, b), number(s->mtu.base, c),
		        number(l->v[i].path_mtu_bytes, d), number(s->policy.mtu, e), policy_name(s));
		text_done(&user);
	}
	if (l->n == 0)
		text_str(out, "INFO: There are presently no active sessions\n");
}

static json_t *known(uint32_t v)
{
	return v ? json_integer(v) : json_null();
}

json_t *render_mtu_json(const struct render_list *l)
{
	json_t *a = json_array();
	for (size_t i = 0; a && i < l->n; i++) {
		const struct session *s = l->v[i].s;
		json_t *j = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "index",
		        (json_int_t)s->id.index, "username", render_json_text(s->id.username), "announced",
		        known(s->mtu.tls), "dtls_limit", known(s->dtls.limit_bytes), "base_mtu",
		        known(s->mtu.base), "tcp_path_mtu", known(l->v[i].path_mtu_bytes), "configured",
		        known(s->policy.mtu), "policy", policy_name(s));
		if (json_array_append_new(a, j) < 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}
