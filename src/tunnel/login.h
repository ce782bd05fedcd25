/* The client's side of the aggregate-auth login as a state machine: documents in, documents out, questions
 * for the user in between. No sockets, no clock, no terminal. Source: wire-protocol.md 1.2 - 1.10; the
 * gateways it has to cope with are ocserv (old and new forms) and the ASA. */
#ifndef TUNNEL_LOGIN_H
#define TUNNEL_LOGIN_H

#include "base/text.h"
#include "wire/auth_xml.h"
#include "wire/http.h"

#define LOGIN_HOST_BYTES      256
#define LOGIN_PATH_BYTES      AUTH_FIELD_BYTES
#define LOGIN_MAX_COOKIES     32
#define LOGIN_COOKIE_NAME     64
#define LOGIN_COOKIE_BYTES    2048
#define LOGIN_MAX_REQUESTS    32 /* of one login, over all connections */
#define LOGIN_MAX_REDIRECTS   3
#define LOGIN_MAX_GROUP_TRIES 5
#define LOGIN_MAX_WRONG       3 /* the same secret refused so often ends an interactive login */

enum login_state {
	LOGIN_SEND,   /* send what login_request_format() writes, give the answer to login_on_response() */
	LOGIN_ASK,    /* answer login_question() with login_answer() */
	LOGIN_DONE,   /* login_cookie() is the session */
	LOGIN_FAILED, /* failure and error say why */
};

enum login_ask {
	LOGIN_ASK_USERNAME,
	LOGIN_ASK_PASSWORD,
	LOGIN_ASK_SECOND, /* a further secret: one-time code, new PIN, second password */
	LOGIN_ASK_TEXT,   /* some other visible field */
	LOGIN_ASK_GROUP,  /* one of the options of question.doc, by label or value */
};

struct login_question {
	enum login_ask kind;
	const char *label;                 /* from the gateway: escape before showing */
	bool is_retry;                     /* this very field was answered before and not accepted */
	const struct auth_server_doc *doc; /* message, error, options; valid until login_answer() */
};

struct login_config {
	const char *host; /* name or literal, without brackets */
	uint16_t port;
	const char *group; /* wanted group, label or value or group URL path; NULL: none */
	const char *user_agent;
	const char *version;
	const char *device_id; /* "linux-64" */
	bool is_interactive;   /* somebody can be asked again */
	bool has_certificate;  /* the TLS connection offers a client certificate */
};

struct login_cookie {
	char name[LOGIN_COOKIE_NAME];
	char value[LOGIN_COOKIE_BYTES];
};

struct login_jar {
	struct login_cookie c[LOGIN_MAX_COOKIES];
	size_t n;
};

/* Which way the group was asked for: first as a path, then in the list. */
struct login_group {
	char wanted[AUTH_FIELD_BYTES];
	char chosen[AUTH_FIELD_BYTES]; /* value to send; "" none */
	bool is_by_path;               /* the request goes to /GROUP */
	bool is_path_accepted;
	unsigned tries; /* init repeated for a group */
};

struct login {
	enum login_state state;
	int failure; /* err_class, with LOGIN_FAILED */
	char error[AUTH_TEXT_BYTES];
	char host[LOGIN_HOST_BYTES];
	uint16_t port;
	char path[LOGIN_PATH_BYTES]; /* next request goes here */
	const char *user_agent, *version, *device_id;
	bool is_interactive, has_certificate;
	bool wants_new_connection; /* set: close the connection before the next request (certificate, other
	                              host) */
	bool has_moved;            /* set with the former: host and port changed by a redirect */
	bool is_cert_tried, is_cert_failed;
	unsigned requests, redirects, wrong;
	struct login_group group;
	struct login_jar jar;
	struct auth_server_doc doc; /* the form at hand */
	struct auth_client_doc reply;
	size_t at; /* input being asked; n_inputs: the group */
	char opaque[AUTH_OPAQUE_BYTES];
	char answered[AUTH_MAX_FIELDS][AUTH_FIELD_BYTES]; /* names of secrets sent so far */
	size_t n_answered;
	char banner[AUTH_TEXT_BYTES]; /* of the success document */
};

/* -EINVAL when a text is too long for its field. The strings of config must outlive the login. */
MUST_USE int login_init(struct login *l, const struct login_config *config);
/* Wipes everything. */
void login_wipe(struct login *l);

/* LOGIN_SEND: appends the whole HTTP request. */
void login_request_format(struct login *l, struct text *out);
/* The answer to it. body is complete and decoded. */
void login_on_response(struct login *l, const struct http_head *head, struct span body);
/* The connection ended without an answer, once: the same request may be sent again on a new one. False: give
 * up. */
bool login_may_resend(const struct login *l);

/* LOGIN_ASK */
struct login_question login_question(const struct login *l);
/* 0, or -EINVAL: not usable (too long, control characters, no such group): ask again. */
MUST_USE int login_answer(struct login *l, struct span answer);

/* LOGIN_DONE: value of the webvpn cookie. */
const char *login_cookie(const struct login *l);
/* Host: header value: name, port when it is not 443, brackets around IPv6. */
void login_host_format(const char *host, uint16_t port, struct text *out);

#endif
