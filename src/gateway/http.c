/* Requests before the tunnel: a default-deny table of routes. Source: wire-protocol.md 1.3. */
#include "gateway/http.h"

#include <errno.h>

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
	if (!is_login_path(c, path))
		http_reply(c, 404, "Not Found", "", span_str(""));
	else if (!is_vpn_client(&c->http->head))
		http_reply(c, 200, "OK",
		        "Content-Type: text/html; charset=utf-8\r\nX-Frame-Options: DENY\r\n",
		        span_str(browser_page));
	else
		http_login_form(c);
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
			http_connect(c);
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
		http_login_post(c, body);
	else
		http_reply(c, 404, "Not Found", "", span_str(""));
}
