/* What the gateway answers over HTTP: a default-deny table of routes, the login dialogue, CONNECT.
 * Source: wire-protocol.md 1, 2.7; cisco-facts.md 3.3, 3.4 for the log texts (which auth writes). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "gateway/conn.h"
#include "gateway/debug.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/session_log.h"
#include "io/log.h"

#define TOKEN_HEX_BYTES (2 * IPC_TOKEN_BYTES)

void http_reply(struct conn *c, unsigned status, const char *reason, const char *headers, struct span body)
{
	struct text t = {.is_secret = true}; /* cookies, tokens */
	text_fmt(&t, "HTTP/1.1 %u %s\r\n%s%sContent-Length: %zu\r\n\r\n", status, reason, headers,
	        c->http->wants_close ? "Connection: close\r\n" : "", body.n);
	text_put(&t, body);
	int r = text_ok(&t) ? conn_write(c, span_of(t.p, t.n)) : -ENOMEM;
	text_done(&t);
	if (r < 0)
		conn_abort(c);
	else if (c->http->wants_close)
		conn_close(c);
}

/* ---- login ---- */

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

static void on_login_post(struct conn *c, struct span body)
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

static void reply_success(struct conn *c, const struct ipc_login_result *r)
{
	struct auth_server_doc *d = calloc(1, sizeof(*d));
	char token[TOKEN_HEX_BYTES + 1];
	struct wr w = wr_open(token, TOKEN_HEX_BYTES);
	struct text cookies = {.is_secret = true};
	if (d == NULL) {
		conn_abort(c);
		return;
	}
	wr_hex(&w, span_of(r->token, sizeof(r->token)));
	token[TOKEN_HEX_BYTES] = '\0';
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

/* ---- CONNECT ---- */

/* CONNECT that came to nothing; whoever reaches the port can cause it. */
static void log_no_connect(struct conn *c, unsigned id, const char *what)
{
	char addr[ADDR_TEXT_MAX];
	if (log_wants_msg(4, id) && worker_may_log(c->w, id, 0))
		log_msg(4, "ASA", id, "IP <%s> Error %s SVC connect request.", addr_format(&c->peer, addr),
		        what);
}

static void log_no_session(struct conn *c, const struct ipc_session_info *info, int err)
{
	char addr[ADDR_TEXT_MAX];
	struct text user = {0};
	if (err == -ENOMEM)
		log_no_connect(c, 722002, "consolidating");
	text_escaped(&user, span_str(info->username), IPC_USER_MAX);
	if (log_wants_msg(4, 722004) && worker_may_log(c->w, 722004, info->index))
		log_msg(4, "ASA", 722004,
		        "Group <%s> User <%s> IP <%s> Error responding to SVC connect request.",
		        info->group_policy, text_cstr(&user), addr_format(&c->peer, addr));
	text_done(&user);
}

void http_ask_session(struct conn *c, struct ipc_msg *m)
{
	c->state = CONN_HTTP;
	if (worker_ask_auth(c->w, m, c) < 0)
		http_reply(c, 503, "Service Unavailable", "X-Reason: Server error\r\n", span_str(""));
}

/* A session stays in the thread that has it: from there its cookie is asked about. */
static void send_question(struct conn *c, struct ipc_msg *m)
{
	struct worker *w = c->w;
	const struct ipc_session_open *o = &m->session_open;
	c->token_hash = htab_hash(w->tables.hash_key, span_of(o->token, sizeof(o->token)));
	uint64_t threads = session_key_find(w, SESSION_BY_TOKEN, c->token_hash)
	                           ? 0
	                           : session_key_elsewhere(w, SESSION_BY_TOKEN, c->token_hash);
	if (threads == 0 || conn_move(c, w->process->threads[__builtin_ctzll(threads)], m) < 0)
		http_ask_session(c, m);
}

static void ask_session(struct conn *c)
{
	struct tunnel_request *q = &c->http->connect;
	struct ipc_msg m = {
	        .type = IPC_SESSION_OPEN, .session_open = {.peer = c->peer, .peer_port = c->peer_port}};
	struct ipc_session_open *o = &m.session_open;
	size_t n = 0;
	c->http->wants_close = true; /* every answer but 200 ends the connection */
	debug_request(c, &c->http->head);
	if (tunnel_request_parse(&c->http->head, q) < 0 || (!q->wants_ip4 && !q->wants_ip6)) {
		log_no_connect(c, 722001, "parsing");
		/* not 401: that would tell a client that its session is gone for good */
		debug_refused(c, 400, "Malformed tunnel parameters");
		http_reply(c, 400, "Bad Request", "X-Reason: Malformed tunnel parameters\r\n", span_str(""));
		return;
	}
	if (q->cookie.n != TOKEN_HEX_BYTES || parse_hex(q->cookie, o->token, sizeof(o->token), &n) < 0) {
		debug_refused(c, 401, "Cookie is not acceptable");
		log_no_connect(c, 722003, "authenticating");
		http_reply(c, 401, "Cookie is not acceptable", "", span_str(""));
		return;
	}
	q->cookie = span_of(NULL, 0); /* the view dies with the input */
	o->wants_ip4 = q->wants_ip4;
	o->wants_ip6 = q->wants_ip6;
	struct span agent = span_str(q->user_agent), host = span_str(q->hostname);
	agent.n = agent.n > IPC_AGENT_MAX ? IPC_AGENT_MAX : agent.n;
	host.n = host.n > IPC_HOST_MAX ? IPC_HOST_MAX : host.n;
	int r = ipc_set_str(o->user_agent, sizeof(o->user_agent), agent);
	if (r == 0)
		r = ipc_set_str(o->hostname, sizeof(o->hostname), host);
	if (r == 0)
		send_question(c, &m);
	else
		http_reply(c, 503, "Service Unavailable", "X-Reason: Server error\r\n", span_str(""));
	ipc_wipe(&m);
}

void http_on_session(struct conn *c, const struct ipc_session_info *info)
{
	struct text reply = {0};
	struct session *s;
	int r;
	switch (info->status) {
	case IPC_OPEN_OK:
		break;
	case IPC_OPEN_UNKNOWN:
		debug_refused(c, 401, "Cookie is not acceptable");
		log_no_connect(c, 722003, "authenticating");
		http_reply(c, 401, "Cookie is not acceptable", "", span_str(""));
		return;
	case IPC_OPEN_NO_ADDRESS:
		debug_refused(c, 503, "No address available");
		http_reply(c, 503, "Service Unavailable", "X-Reason: No address available\r\n", span_str(""));
		return;
	default:
		http_reply(c, 503, "Service Unavailable", "X-Reason: Server error\r\n", span_str(""));
		return;
	}
	r = session_open(c->w, c, info, &c->http->connect, &reply, &s);
	if (r < 0) {
		log_line(LOG_ERR, "session %u: %s", info->index, err_text(r));
		log_no_session(c, info, r);
		http_reply(c, 503, "Service Unavailable", "X-Reason: Server configuration error\r\n",
		        span_str(""));
	} else if (conn_write(c, span_of(reply.p, reply.n)) < 0) {
		log_no_session(c, info, 0);
		conn_abort(c);
	} else {
		session_log_offer(s, info, &c->http->connect);
		conn_enter_tunnel(c, s);
		session_start(s);
		debug_session(s, span_of(reply.p, reply.n));
	}
	text_done(&reply);
}

/* ---- routes ---- */

/* What Cisco's client asks for around a login; the answers keep it going (wire-protocol.md 1.3). */
static const struct {
	const char *prefix;
	unsigned status;
	const char *body;
} probes[] = {
        {"/1/binaries/update.txt", 200, "0,0,0000\n"},
        {"/1/binaries/vpndownloader.sh", 200, "#!/bin/sh\nexit 0\n"},
        {"/1/VPNManifest.xml", 200, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vpn rev=\"1.0\"></vpn>\n"},
        {"/VPNManifest.xml", 200, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vpn rev=\"1.0\"></vpn>\n"},
        {"/1/", 200, ""},
        {"/+CSCOT+/", 200, ""},
        {"/logout", 200, ""},
        {"/favicon.ico", 404, ""},
};

static const char *browser_page =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>SSL VPN Service</title>"
        "<p>This is a VPN gateway. Connect with a VPN client, for example:"
        "<pre>culvert connect USER@THIS-HOST\nopenconnect https://THIS-HOST</pre></html>\n";

bool http_knows_agent(struct span agent)
{
	static const char *const words[] = {
	        "AnyConnect", "OpenConnect", "openconnect", "Culvert", "culvert", "AnyLink"};
	for (size_t i = 0; agent.n > 0 && i < N_ELEM(words); i++) {
		if (memmem(agent.p, agent.n, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

static bool is_vpn_client(const struct http_head *h)
{
	return http_header(h, "X-Aggregate-Auth").p || http_header(h, "X-Transcend-Version").p ||
	       http_knows_agent(http_header(h, "User-Agent"));
}

static bool is_login_path(struct conn *c, struct span path)
{
	struct span host = http_header(&c->http->head, "Host");
	return span_is(path, "/") || span_is(path, "/auth") || span_is(path, "/VPN") ||
	       span_is(path, "/+webvpn+/index.html") ||
	       config_find_tunnel_group_by_url(c->w->config, span_cut(&host, ':'), path) != NULL;
}

static void on_get(struct conn *c, struct span path)
{
	for (size_t i = 0; i < N_ELEM(probes); i++) {
		if (span_starts(path, probes[i].prefix)) {
			http_reply(c, probes[i].status, probes[i].status == 200 ? "OK" : "Not Found",
			        "Content-Type: text/plain\r\n", span_str(probes[i].body));
			return;
		}
	}
	struct auth_client_doc none = {0};
	if (!is_login_path(c, path))
		http_reply(c, 404, "Not Found", "", span_str(""));
	else if (!is_vpn_client(&c->http->head))
		http_reply(c, 200, "OK",
		        "Content-Type: text/html; charset=utf-8\r\nX-Frame-Options: DENY\r\n",
		        span_str(browser_page));
	else if (choose_group(c, &none))
		reply_form(c, "");
}

void http_dispatch(struct conn *c, struct span body)
{
	const struct http_head *h = &c->http->head;
	struct span path = h->target;
	if (!c->w->config->webvpn.is_enabled) {
		c->http->wants_close = true;
		http_reply(c, 503, "Service Unavailable",
		        "X-Reason: WebVPN is not enabled on this gateway\r\n", span_str(""));
		return;
	}
	if (span_is(h->method, "CONNECT")) {
		if (span_is(path, "/CSCOSSLC/tunnel") || span_is(path, "CSCOSSLC/tunnel")) {
			ask_session(c);
			return;
		}
		c->http->wants_close = true;
		http_reply(c, 404, "Not Found", "", span_str(""));
		return;
	}
	path = span_cut(&path, '?');
	if (span_is(h->method, "GET"))
		on_get(c, path);
	else if (!span_is(h->method, "POST"))
		http_reply(c, 405, "Method Not Allowed", "Allow: GET, POST, CONNECT\r\n", span_str(""));
	else if (is_login_path(c, path))
		on_login_post(c, body);
	else
		http_reply(c, 404, "Not Found", "", span_str(""));
}
