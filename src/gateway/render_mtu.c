/* show mtu: what each session's packets may measure, and why. */
#include <stdio.h>

#include "gateway/render.h"
#include "gateway/session_mtu.h"

static const char *policy_name(const struct session *s)
{
	return s->policy.mtu_policy == MTU_POLICY_CLASSIC ? "classic" : "seamless";
}

static const char *formula_name(const struct session_mtu_reason *r)
{
	return r->in.formula == MTU_CISCO ? "cisco" : "exact";
}

static const char *number(uint32_t v, char buf[static 12])
{
	snprintf(buf, 12, "%u", v);
	return v ? buf : "none";
}

static const char *rtt(const struct link *l, enum link_channel ch, char buf[static 12])
{
	int64_t ms = link_rtt_ms(l, ch);
	snprintf(buf, 12, "%u ms", (unsigned)ms);
	return ms >= 0 ? buf : "none";
}

static void put_derivation(void *ctx, const char *line)
{
	text_fmt(ctx, "  %s\n", line);
}

void render_mtu(const struct render_session *r, const struct render_now *now, struct text *out)
{
	const struct session *s = r->s;
	struct session_mtu_reason why;
	struct text user = {0};
	char a[12], b[12];
	(void)now;
	session_mtu_reason(s, &why);
	text_escaped(&user, span_str(s->id.username), IPC_USER_MAX);
	text_str(out, "\n");
	render_line(out, "Username", text_cstr(&user), "Index", number(s->id.index, a));
	text_done(&user);
	render_line(out, "TLS MTU", number(s->mtu.tls, a), "DTLS MTU", number(s->mtu.dtls, b));
	render_line(out, "Adapter MTU", number(session_mtu_adapter(s), a), "Configured",
	        number(s->policy.mtu, b));
	render_line(out, "Base MTU", number(s->mtu.base, a), "TCP Path MTU", number(r->path_mtu_bytes, b));
	render_line(out, "Policy", policy_name(s), "Formula", formula_name(&why));
	render_line(out, "DTLS Limit", number(s->dtls.limit_bytes, a), "Path Limit",
	        number(link_path_limit_bytes(&s->link), b));
	render_line(out, "Active", choice_mode_name(s->link.choice.mode), "Reason", link_why(&s->link));
	render_line(out, "TLS RTT", rtt(&s->link, LINK_TLS, a), "DTLS RTT", rtt(&s->link, LINK_DTLS, b));
	render_line(out, "Reconnect",
	        session_mtu_wants_reconnect(s) ? "expected when UDP is blocked" : "not expected", NULL, NULL);
	session_mtu_explain(s, put_derivation, out);
}

/* ---- JSON ---- */

static json_t *known(uint32_t v)
{
	return v ? json_integer(v) : json_null();
}

static json_t *steps_json(const struct mtu_steps *steps)
{
	json_t *a = json_array();
	for (size_t i = 0; a && i < steps->n; i++)
		json_array_append_new(
		        a, json_pack("{s:s, s:i}", "label", steps->v[i].label, "value", steps->v[i].value));
	return a;
}

static void line_json(void *ctx, const char *line)
{
	json_array_append_new(ctx, json_string(line));
}

json_t *render_mtu_json(const struct render_session *r, const struct render_now *now)
{
	const struct session *s = r->s;
	struct session_mtu_reason why;
	json_t *lines = json_array();
	(void)now;
	session_mtu_reason(s, &why);
	session_mtu_explain(s, line_json, lines);
	json_t *j = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "index", (json_int_t)s->id.index,
	        "username", render_json_text(s->id.username), "announced", known(s->mtu.tls), "dtls_limit",
	        known(s->dtls.limit_bytes), "base_mtu", known(s->mtu.base), "tcp_path_mtu",
	        known(r->path_mtu_bytes), "configured", known(s->policy.mtu), "policy", policy_name(s));
	json_t *more = json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:{s:o, s:o}, s:o}", "tls",
	        known(s->mtu.tls), "dtls", known(s->mtu.dtls), "adapter", known(session_mtu_adapter(s)),
	        "formula", formula_name(&why), "path_limit", known(link_path_limit_bytes(&s->link)),
	        "reconnect_expected", session_mtu_wants_reconnect(s), "steps", "tls",
	        steps_json(&why.derived.tls_steps), "dtls", steps_json(&why.derived.dtls_steps), "derivation",
	        lines);
	json_t *links = json_pack("{s:s, s:s, s:o, s:o}", "active", choice_mode_name(s->link.choice.mode),
	        "why", link_why(&s->link), "tls_rtt_ms", render_rtt_json(&s->link, LINK_TLS), "dtls_rtt_ms",
	        render_rtt_json(&s->link, LINK_DTLS));
	int bad =
	        !j || !more || !links || json_object_update(j, more) < 0 || json_object_update(j, links) < 0;
	json_decref(more);
	json_decref(links);
	if (!bad)
		return j;
	json_decref(j);
	return NULL;
}
