#include "client/login_io.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/https.h"
#include "io/loop.h"
#include "tunnel/login.h"

#define LOGIN_DIAL_MS   20000
#define LOGIN_ANSWER_MS 60000 /* RADIUS with a push to a telephone takes its time */
#define LOGIN_SHOW_MAX  1024  /* bytes of the gateway's words; of a question's label: */
#define LOGIN_LABEL_MAX 128

struct login_run {
	struct gate *gate;
	struct conn *conn;
	struct credentials *cr;
	struct events *ev;
	struct login *login;
	bool is_user_used; /* USER of the command line was given as an answer */
};

/* ---- connection ---- */

static int wait_io(struct conn *c, ms_t deadline_ms)
{
	ms_t now_ms = loop_now();
	if (now_ms >= deadline_ms)
		return ERR_TIMEOUT;
	struct pollfd p = {.fd = c->fd, .events = (short)(POLLIN | (c->out.n ? POLLOUT : 0))};
	int n = poll(&p, 1, (int)(deadline_ms - now_ms));
	if (n < 0 && errno != EINTR)
		return -errno;
	return n == 0 ? ERR_TIMEOUT : 0;
}

static int connect_tls(struct login_run *r)
{
	int fd;
	size_t which;
	struct gate *g = r->gate;
	int err = sock_dial_wait(g->targets, g->n_targets, LOGIN_DIAL_MS, &fd, &which);
	if (err)
		return err;
	g->peer = g->targets[which];
	err = conn_open(r->conn, g->tls, g->host, fd);
	ms_t deadline_ms = loop_now() + LOGIN_DIAL_MS;
	while (err == 0 && (err = conn_handshake(r->conn)) == ERR_MORE) {
		err = wait_io(r->conn, deadline_ms);
		if (err == 0)
			err = conn_pull(r->conn);
		if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

static int resolve(struct login_run *r)
{
	struct gate *g = r->gate;
	int err = sock_resolve(g->host, g->port, g->targets, &g->n_targets);
	for (size_t i = 0; err == 0 && i < g->n_targets; i++)
		g->targets[i].mss_bytes = g->mss_bytes;
	if (err == -ENOENT)
		events_fail(r->ev, "The name %s is not known. Check the spelling and your network.", g->host);
	else if (err)
		events_fail(r->ev, "The name %s cannot be looked up: %s.", g->host, err_text(err));
	return err ? EXIT_UNREACHABLE : 0;
}

static int explain_connect(struct login_run *r, int err)
{
	struct gate *g = r->gate;
	if (err == ERR_IDENTITY) {
		/* the text names the pin to use */
		events_fail(r->ev, "The gateway %s cannot be trusted: %s", g->host, tls_error(r->conn->tls));
		return EXIT_IDENTITY;
	}
	const char *detail = r->conn->tls != NULL ? tls_error(r->conn->tls) : "";
	events_fail(
	        r->ev, "Cannot reach %s port %u: %s.", g->host, g->port, detail[0] ? detail : err_text(err));
	return EXIT_UNREACHABLE;
}

static void say_contact(struct login_run *r)
{
	events_say(r->ev, "Contacting %s.", r->gate->host);
	events_note(r->ev, EVENT_INFO, 0, "Initiating VPN connection to the secure gateway https://%s",
	        r->gate->host);
}

static int ensure_connection(struct login_run *r)
{
	if (conn_is_open(r->conn))
		return 0;
	int err = connect_tls(r);
	if (err == 0)
		return 0;
	int code = explain_connect(r, err);
	conn_close(r->conn, false);
	return code;
}

/* ---- one request and its answer ---- */

static int read_records(struct conn *c, struct https_reply *reply)
{
	static uint8_t record[TLS_RECORD_MAX];
	int n, done = 0;
	while (done == 0 && (n = tls_read_record(c->tls, record, sizeof(record))) > 0)
		done = https_reply_feed(reply, span_of(record, (size_t)n));
	explicit_bzero(record, sizeof(record));
	return done == 0 && n < 0 ? n : done;
}

static int read_reply(struct conn *c, struct https_reply *reply)
{
	ms_t deadline_ms = loop_now() + LOGIN_ANSWER_MS;
	int done = 0;
	while (done == 0) {
		int err = conn_push(c);
		if (err == 0 || err == -EAGAIN)
			err = wait_io(c, deadline_ms);
		if (err == 0)
			err = conn_pull(c);
		if (err == 0)
			done = read_records(c, reply);
		else if (err != -EAGAIN)
			done = err;
	}
	bool is_end = done == ERR_CLOSED || done == -ECONNRESET || done == -EPIPE;
	return is_end ? https_reply_eof(reply) : done;
}

static int send_request(struct conn *c, struct span request)
{
	while (request.n > 0) {
		struct span part = request;
		if (part.n > TLS_RECORD_MAX)
			part.n = TLS_RECORD_MAX;
		int err = tls_write(c->tls, part);
		if (err)
			return err;
		request = span_skip(request, part.n);
	}
	return 0;
}

/* 1: answered. 0: the connection had ended before an answer, worth one more try on a new one. Negative: err.
 */
static int exchange(struct login_run *r, struct https_reply *reply)
{
	struct text request = {.is_secret = true};
	login_request_format(r->login, &request);
	int err = text_ok(&request) ? send_request(r->conn, span_of(request.p, request.n)) : -ENOMEM;
	text_done(&request);
	https_reply_init(reply, false);
	int done = err ? err : read_reply(r->conn, reply);
	if (done == 1) {
		if (reply->head.wants_close)
			conn_close(r->conn, true);
		return 1;
	}
	conn_close(r->conn, false);
	return done == ERR_CLOSED && reply->raw.n == 0 ? 0 : (done == 0 ? ERR_PEER_PROTOCOL : done);
}

static int step_send(struct login_run *r, struct https_reply *reply)
{
	int done = 0;
	for (int tries = 0; done == 0 && tries < 2; tries++) {
		if (tries > 0 && !login_may_resend(r->login))
			break;
		int code = ensure_connection(r);
		if (code)
			return code;
		https_reply_done(reply);
		done = exchange(r, reply);
	}
	if (done != 1) {
		events_fail(r->ev, "The gateway %s broke the login off: %s.", r->gate->host,
		        err_text(done ? done : ERR_CLOSED));
		return EXIT_UNREACHABLE;
	}
	login_on_response(r->login, &reply->head, span_of(reply->body.p, reply->body.n));
	return 0;
}

static int follow(struct login_run *r)
{
	struct login *l = r->login;
	struct gate *g = r->gate;
	if (!l->wants_new_connection)
		return 0;
	conn_close(r->conn, true);
	if (!l->has_moved)
		return 0;
	(void)snprintf(g->host, sizeof(g->host), "%s", l->host);
	g->port = l->port;
	say_contact(r);
	return resolve(r);
}

/* ---- questions ---- */

static void show(struct login_run *r, const char *peer_text)
{
	struct text clean = {0};
	events_clean(&clean, span_str(peer_text), LOGIN_SHOW_MAX);
	if (clean.n > 0 && !r->ev->is_silent)
		fprintf(stderr, "%s\n", text_cstr(&clean));
	text_done(&clean);
}

static void show_question(struct login_run *r, const struct login_question *q)
{
	show(r, q->doc->banner);
	show(r, q->doc->message);
	show(r, q->doc->error);
	for (size_t i = 0; q->kind == LOGIN_ASK_GROUP && i < q->doc->n_options; i++) {
		fputs("  ", stderr);
		show(r, q->doc->options[i].label);
	}
}

static int ask(struct login_run *r, const struct login_question *q, char answer[static CREDENTIAL_BYTES])
{
	bool is_secret = q->kind == LOGIN_ASK_PASSWORD || q->kind == LOGIN_ASK_SECOND;
	if (q->kind == LOGIN_ASK_USERNAME && r->gate->user[0] != '\0' && !r->is_user_used) {
		(void)snprintf(answer, CREDENTIAL_BYTES, "%s", r->gate->user);
		r->is_user_used = true;
		return 0;
	}
	struct text label = {0};
	events_clean(&label, span_str(q->label), LOGIN_LABEL_MAX);
	if (r->cr->lines == NULL)
		show_question(r, q);
	int err = is_secret ? credentials_secret(r->cr, text_cstr(&label), answer)
	                    : credentials_text(r->cr, text_cstr(&label), answer);
	if (err == -ENODATA)
		events_fail(r->ev, "The gateway asks for \"%s\", and nobody is there to answer. %s",
		        text_cstr(&label),
		        q->kind == LOGIN_ASK_USERNAME
		                ? "Give the user as USER@HOST."
		                : "Give it as a further line of --password-stdin or --password-file.");
	else if (err)
		events_fail(r->ev, "No answer to \"%s\": %s.", text_cstr(&label), err_text(err));
	text_done(&label);
	return err ? EXIT_REFUSED : 0;
}

static int step_ask(struct login_run *r)
{
	char answer[CREDENTIAL_BYTES];
	struct login_question q = login_question(r->login);
	enum login_ask kind = q.kind;
	int code = ask(r, &q, answer);
	if (code == 0 && kind == LOGIN_ASK_PASSWORD)
		events_say(r->ev, "User credentials entered.");
	if (code == 0 && login_answer(r->login, span_str(answer)) != 0) {
		events_fail(r->ev, "That is not a possible answer.");
		code = r->cr->is_interactive ? 0 : EXIT_REFUSED;
	} else if (code == 0 && kind == LOGIN_ASK_USERNAME) {
		(void)snprintf(r->gate->user, sizeof(r->gate->user), "%s", answer);
	}
	explicit_bzero(answer, sizeof(answer));
	return code;
}

/* ---- the whole ---- */

static int exit_of_failure(int failure)
{
	return failure == ERR_REFUSED || failure == ERR_UNSUPPORTED ? EXIT_REFUSED : EXIT_UNREACHABLE;
}

static int login_loop(struct login_run *r, struct https_reply *reply)
{
	struct login *l = r->login;
	int code = 0;
	while (code == 0 && (l->state == LOGIN_SEND || l->state == LOGIN_ASK)) {
		code = follow(r);
		if (code == 0)
			code = l->state == LOGIN_ASK ? step_ask(r) : step_send(r, reply);
	}
	if (code == 0 && l->state == LOGIN_FAILED) {
		struct text why = {0};
		events_clean(&why, span_str(l->error), LOGIN_SHOW_MAX);
		events_fail(r->ev, "%s", text_cstr(&why));
		text_done(&why);
		code = exit_of_failure(l->failure);
	}
	return code;
}

/* group: as the user wrote it; a gateway that takes it from the URL names none in its form. */
static int keep_result(struct login_run *r, const char *group)
{
	struct gate *g = r->gate;
	const char *cookie = login_cookie(r->login);
	if (strlen(cookie) >= sizeof(g->cookie)) {
		events_fail(r->ev, "The gateway's session cookie is too long.");
		return EXIT_UNREACHABLE;
	}
	(void)snprintf(g->cookie, sizeof(g->cookie), "%s", cookie);
	(void)snprintf(g->group, sizeof(g->group), "%s",
	        r->login->group.chosen[0] != '\0' ? r->login->group.chosen : group);
	show(r, r->login->banner);
	g->has_shown_banner = r->login->banner[0] != '\0';
	return 0;
}

int login_run(struct gate *g, struct conn *conn, struct credentials *cr, struct events *ev,
        const struct target *target, bool has_certificate)
{
	struct login *l = calloc(1, sizeof(*l));
	struct https_reply *reply = calloc(1, sizeof(*reply));
	struct login_run r = {.gate = g, .conn = conn, .cr = cr, .ev = ev, .login = l};
	struct login_config config = {
	        .host = g->host,
	        .port = g->port,
	        .group = target->group,
	        .user_agent = GATE_USER_AGENT,
	        .version = CULVERT_VERSION,
	        .device_id = "linux-64",
	        .is_interactive = cr->is_interactive,
	        .has_certificate = has_certificate,
	};
	int code = EXIT_USAGE;
	if (l == NULL || reply == NULL || login_init(l, &config) != 0) {
		events_fail(ev, "The gateway's name or group is too long.");
		goto exit;
	}
	say_contact(&r);
	code = resolve(&r);
	if (code == 0)
		code = login_loop(&r, reply);
	if (code == 0)
		code = keep_result(&r, target->group);
exit:
	if (l != NULL)
		login_wipe(l);
	if (reply != NULL)
		https_reply_done(reply);
	free(l);
	free(reply);
	return code;
}
