/* CONNECT: what the client asks for, the session that auth opens for its cookie, and the tunnel's begin.
 * Source: wire-protocol.md 2.7; cisco-facts.md 3.3, 3.4 for the log texts. */
#include <errno.h>

#include "base/parse.h"
#include "gateway/debug.h"
#include "gateway/http.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/session_log.h"
#include "io/log.h"

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

void http_connect(struct conn *c)
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
	if (q->cookie.n != HTTP_TOKEN_DIGITS || parse_hex(q->cookie, o->token, sizeof(o->token), &n) < 0) {
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
