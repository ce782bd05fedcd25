/* What the gateway answers over HTTP before the tunnel: http.c (routes), http_login.c (the dialogue of a
 * login), http_connect.c (CONNECT). A request is in c->http->head; each gets exactly one answer, now or when
 * auth has spoken. Any of these may abort the connection: look at c->n_closing afterwards. */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway/conn.h"

#define HTTP_TOKEN_DIGITS (2 * IPC_TOKEN_BYTES) /* hex: a session token as a cookie */

/* One complete request with this body, a view that lives as long as the call. */
void http_dispatch(struct conn *c, struct span body);
/* A whole answer. headers: further lines ending in CRLF, or "". */
void http_reply(struct conn *c, unsigned status, const char *reason, const char *headers, struct span body);
/* Does the name belong to a VPN client that we know? */
bool http_knows_agent(struct span agent);

/* http_login.c: a POST with a login document; the answer of auth to it; a form without a request of its own.
 */
void http_login_post(struct conn *c, struct span body);
void http_on_login(struct conn *c, const struct ipc_login_result *r);
/* The form that a login begins with, for the tunnel group that the URL of a GET names. */
void http_login_form(struct conn *c);

/* http_connect.c */
/* A CONNECT whose path is right: asks auth, or answers why not. */
void http_connect(struct conn *c);
/* The question of a CONNECT; the answer comes to http_on_session(). */
void http_ask_session(struct conn *c, struct ipc_msg *m);
void http_on_session(struct conn *c, const struct ipc_session_info *info);

#endif
