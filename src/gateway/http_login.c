/* The dialogue of a login: documents in, forms and the cookie out. Source: wire-protocol.md 1. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "gateway/http.h"

/* ---- documents ---- */

static const char *xml_headers = "Content-Type: text/xml; charset=utf-8\r\n"
                                 "Cache-Control: no-store\r\n"
                                 "X-Transcend-Version: 1\r\n"
                                 "X-Aggregate-Auth: 1\r\n"
                                 "X-Content-Type-Options: nosniff\r\n";

static void reply_doc(struct conn *c, const struct auth_server_doc *d, const char *cookies)
{
	struct text xml = {.is_secret = true}, headers = {.is_secret = true};
	auth_server_doc_format(d, &xml);
	text_fmt(&headers, "%s%s", xml_headers, cookies);
	if (text_ok(&xml) && text_ok(&headers))
		http_reply(c, 200, "OK", headers.p, span_of(xml.p, xml.n));
	else
		conn_abort(c);
	text_done(&xml);
	text_done(&headers);
}

static void doc_input(
        struct auth_server_doc *d, enum auth_input_type type, const char *name, const char *label)
{
	struct auth_input *in = &d->inputs[d->n_inputs++];
	in->type = type;
	snprintf(in->name, sizeof(in->name), "%s", name);
	snprintf(in->label, sizeof(in->label), "%s", label);
}

/* The selector of connection profiles: every enabled alias, the chosen one marked. */
static void doc_groups(struct auth_server_doc *d, const struct config *cfg, const char *chosen)
{
	for (size_t i = 0; i < cfg->n_tunnel_groups; i++) {
		const struct tunnel_group *g = &cfg->tunnel_groups[i];
		for (size_t k = 0; k < g->n_aliases && d->n_options < AUTH_MAX_OPTIONS; k++) {
			if (!g->aliases[k].is_enabled)
				continue;
			struct auth_option *o = &d->options[d->n_options++];
			snprintf(o->value, sizeof(o->value), "%s", g->aliases[k].name);
			snprintf(o->label, sizeof(o->label), "%s", g->aliases[k].name);
			o->is_selected = strcmp(g->name, chosen) == 0;
		}
	}
	if (d->n_options > 0) {
		snprintf(d->select_name, sizeof(d->select_name), "group_list");
		snprintf(d->select_label, sizeof(d->select_label), "GROUP:");
	}
}

static void reply_form(struct conn *c, const char *error)
{
	struct auth_server_doc *d = calloc(1, sizeof(*d));
	const struct config *cfg = c->w->config;
	if (d == NULL) {
		conn_abort(c);
		return;
	}
	d->type = AUTH_DOC_REQUEST;
	snprintf(d->auth_id, sizeof(d->auth_id), "main");
	snprintf(d->title, sizeof(d->title), "Login");
	snprintf(d->message, sizeof(d->message), "Please enter your username and password.");
	snprintf(d->error, sizeof(d->error), "%s", error);
	bool is_by_url = c->http->action[0] != '\0';
	snprintf(d->action, sizeof(d->action), "%s", is_by_url ? c->http->action : "/auth");
	doc_input(d, AUTH_INPUT_TEXT, "username", "Username:");
	doc_input(d, AUTH_INPUT_PASSWORD, "password", "Password:");
	if (cfg->webvpn.has_group_list && !is_by_url)
		doc_groups(d, cfg, c->http->tunnel_group);
	reply_doc(c, d, "");
	free(d);
}

/* ---- questions ---- */

/* A group's URL answers for itself: no selector, and the form comes back to it, on whatever connection. */
static void keep_group_url(struct conn *c, struct span path)
{
	if (parse_name(span_cut(&path, '?'), c->http->action, sizeof(c->http->action)) < 0)
		c->http->action[0] = '\0';
}

/* Which connection profile: the one the client chose, else the URL's, else what this connection chose before.
 */
static bool choose_group(struct conn *c, const struct auth_client_doc *d)
{
	const struct config *cfg = c->w->config;
	const struct http_head *h = &c->http->head;
	struct span host = http_header(h, "Host");
	const struct tunnel_group *g = NULL;
	if (d->group_select[0] != '\0') {
		g = config_find_tunnel_group_by_alias(cfg, span_str(d->group_select));
		if (g == NULL)
			return false;
	} else {
		g = config_find_tunnel_group_by_url(cfg, span_cut(&host, ':'), h->target);
		if (g)
			keep_group_url(c, h->target);
	}
	if (g)
		snprintf(c->http->tunnel_group, sizeof(c->http->tunnel_group), "%s", g->name);
	return true;
}

static void ask_login(struct conn *c, const struct auth_client_doc *d)
{
	struct ipc_msg m = {.type = IPC_LOGIN, .login = {.peer = c->peer, .peer_port = c->peer_port}};
	struct ipc_login *q = &m.login;
	struct span agent = http_header(&c->http->head, "User-Agent");
	agent.n = agent.n > IPC_AGENT_MAX ? IPC_AGENT_MAX : agent.n;
	int r = ipc_set_str(q->tunnel_group, sizeof(q->tunnel_group), span_str(c->http->tunnel_group));
	if (r == 0)
		r = ipc_set_str(q->username, sizeof(q->username), span_str(d->username));
	if (r == 0)
		r = ipc_set_str(q->password, sizeof(q->password), span_str(d->password));
	if (r == 0)
		r = ipc_set_str(q->user_agent, sizeof(q->user_agent), agent);
	snprintf(c->http->username, sizeof(c->http->username), "%s", d->username);
	if (r == 0)
		r = worker_ask_auth(c->w, &m, c);
	ipc_wipe(&m);
	if (r < 0)
		http_reply(c, 503, "Service Unavailable", "X-Reason: Authentication is not available\r\n",
		        span_str(""));
}

void http_login_post(struct conn *c, struct span body)
{
	struct auth_client_doc *d = calloc(1, sizeof(*d));
	if (d == NULL) {
		conn_abort(c);
		return;
	}
	/* the body decides, never Content-Type (wire-protocol.md 1.3) */
	struct span start = body;
	while (start.n > 0 && (start.p[0] <= ' ' || start.p[0] >= 0xef))
		start = span_skip(start, 1);
	bool is_xml = start.n > 0 && start.p[0] == '<';
	int r = is_xml ? auth_client_doc_parse(body, d) : auth_client_form_parse(body, d);
	if (r < 0) {
		http_reply(c, 400, "Bad Request", "", span_str(""));
	} else if (d->type == AUTH_DOC_LOGOUT) {
		http_reply(c, 200, "OK", "Content-Type: text/xml\r\n", span_str(""));
	} else if (!choose_group(c, d)) {
		reply_form(c, "No such group.");
	} else if (d->type == AUTH_DOC_REPLY && d->has_password &&
	           (d->has_username || c->http->username[0] != '\0')) {
		if (!d->has_username)
			snprintf(d->username, sizeof(d->username), "%.*s", AUTH_FIELD_BYTES - 1,
			        c->http->username);
		ask_login(c, d);
	} else {
		reply_form(c, "");
	}
	auth_client_doc_wipe(d);
	free(d);
}

void http_login_form(struct conn *c)
{
	struct auth_client_doc none = {0};
	if (choose_group(c, &none))
		reply_form(c, "");
}

/* ---- answers of auth ---- */

static void reply_success(struct conn *c, const struct ipc_login_result *r)
{
	struct auth_server_doc *d = calloc(1, sizeof(*d));
	char token[HTTP_TOKEN_DIGITS + 1];
	struct wr w = wr_open(token, HTTP_TOKEN_DIGITS);
	struct text cookies = {.is_secret = true};
	if (d == NULL) {
		conn_abort(c);
		return;
	}
	wr_hex(&w, span_of(r->token, sizeof(r->token)));
	token[HTTP_TOKEN_DIGITS] = '\0';
	d->type = AUTH_DOC_COMPLETE;
	snprintf(d->auth_id, sizeof(d->auth_id), "success");
	snprintf(d->session_token, sizeof(d->session_token), "%s", token);
	snprintf(d->session_id, sizeof(d->session_id), "%u", r->index);
	snprintf(d->server_cert_hash, sizeof(d->server_cert_hash), "%s", c->w->cert_sha1);
	text_fmt(&cookies, "Set-Cookie: webvpn=%s; path=/; Secure; HttpOnly\r\n", token);
	text_fmt(&cookies, "Set-Cookie: webvpnc=bu:/&p:t&iu:1/&sh:%s; path=/; Secure; HttpOnly\r\n",
	        c->w->cert_sha1);
	reply_doc(c, d, text_cstr(&cookies));
	explicit_bzero(token, sizeof(token));
	explicit_bzero(d, sizeof(*d));
	text_done(&cookies);
	free(d);
}

static void reply_failed(struct conn *c, const char *why)
{
	if (++c->http->n_attempts < CONN_MAX_ATTEMPTS) {
		reply_form(c, why);
		return;
	}
	c->http->wants_close = true;
	http_reply(c, 401, "Authentication failed", "", span_str(""));
}

void http_on_login(struct conn *c, const struct ipc_login_result *r)
{
	char why[128];
	switch (r->status) {
	case IPC_LOGIN_OK:
		reply_success(c, r);
		break;
	case IPC_LOGIN_REFUSED:
		reply_failed(c, "Login failed.");
		break;
	case IPC_LOGIN_LOCKED:
		snprintf(why, sizeof(why), "Login failed. Too many failures: try again in %u seconds.",
		        (r->delay_ms + 999) / 1000);
		reply_failed(c, why);
		break;
	case IPC_LOGIN_LIMIT:
	case IPC_LOGIN_DISABLED:
		reply_failed(c, "Login denied: you are not allowed to connect this way.");
		break;
	default:
		http_reply(c, 503, "Service Unavailable", "X-Reason: Server error\r\n", span_str(""));
		break;
	}
}
