#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "load/member.h"

#define BASE_MTU_BYTES 1500
#define MTU_BYTES      1406

int member_login_init(struct member *m)
{
	const struct load_options *o = &m->load->options;
	static char host[ADDR_TEXT_MAX]; /* the same for all, and outlives them */
	m->talk = calloc(1, sizeof(*m->talk));
	if (m->talk == NULL)
		return -ENOMEM;
	if (o->n_users)
		(void)snprintf(m->talk->user, sizeof(m->talk->user), "%s%u", o->user, m->number % o->n_users);
	else
		(void)snprintf(m->talk->user, sizeof(m->talk->user), "%s", o->user);
	struct login_config config = {.host = addr_format(&o->gateway, host),
	        .port = (uint16_t)o->port,
	        .user_agent = LOAD_USER_AGENT,
	        .version = "v9.12",
	        .device_id = "linux-64"};
	https_reply_init(&m->talk->reply, false);
	return login_init(&m->talk->login, &config);
}

void member_login_done(struct member *m)
{
	if (m->talk == NULL)
		return;
	https_reply_done(&m->talk->reply);
	tunnel_params_done(&m->talk->params);
	login_wipe(&m->talk->login);
	free(m->talk);
	m->talk = NULL;
}

static int write_all(struct member *m, struct text *request)
{
	struct span rest = span_of(request->p, request->n);
	int err = text_ok(request) ? 0 : -ENOMEM;
	while (err == 0 && rest.n > 0) {
		struct span part = span_of(rest.p, rest.n < TLS_RECORD_MAX ? rest.n : TLS_RECORD_MAX);
		err = tls_write(m->conn.tls, part);
		rest = span_skip(rest, part.n);
	}
	text_done(request);
	return err;
}

void member_login_send(struct member *m)
{
	struct text request = {.is_secret = true};
	login_request_format(&m->talk->login, &request);
	int err = write_all(m, &request);
	if (err)
		member_fail(m, "login", err);
	else
		member_push(m);
}

/* ---- the tunnel ---- */

static bool wants_dtls(const struct member *m)
{
	return m->number < m->load->options.n_dtls;
}

static void ask_connect(struct member *m)
{
	struct member_talk *t = m->talk;
	struct text host = {0}, request = {.is_secret = true};
	login_host_format(t->login.host, t->login.port, &host);
	if (getrandom(t->master_secret, sizeof(t->master_secret), 0) != (ssize_t)sizeof(t->master_secret)) {
		member_fail(m, "random", -EIO);
		return;
	}
	struct tunnel_request_out q = {.host = text_cstr(&host),
	        .user_agent = LOAD_USER_AGENT,
	        .cookie = login_cookie(&t->login),
	        .hostname = "loadgen",
	        .base_mtu = BASE_MTU_BYTES,
	        .mtu = MTU_BYTES,
	        .master_secret = wants_dtls(m) ? t->master_secret : NULL,
	        .suites = ~0u};
	tunnel_request_format(&q, &request);
	text_done(&host);
	https_reply_done(&t->reply);
	https_reply_init(&t->reply, true);
	int err = write_all(m, &request);
	if (err)
		member_fail(m, "CONNECT", err);
	else
		member_push(m);
}

static void take_tunnel(struct member *m)
{
	struct member_talk *t = m->talk;
	struct load *l = m->load;
	if (t->reply.head.status != 200) {
		char text[16];
		(void)snprintf(text, sizeof(text), "%u", t->reply.head.status);
		load_note_error(l, "CONNECT answered", text);
		member_fail(m, "CONNECT", ERR_REFUSED);
		return;
	}
	int err = tunnel_params_parse(&t->reply.head, &t->params);
	if (err) {
		member_fail(m, "CONNECT", err);
		return;
	}
	member_go(m, MEMBER_UP, STEP_CONNECT);
	load_sample(l, STEP_TOTAL, m->begun_ns, m->stage_ns);
	l->count.n_up++;
	if (wants_dtls(m))
		member_dtls_begin(m, &t->params, t->master_secret);
	else
		member_settle(m);
	member_login_done(m);
}

/* ---- the login's answers ---- */

static int answer_question(struct member *m)
{
	struct login *login = &m->talk->login;
	struct login_question q = login_question(login);
	if (q.kind == LOGIN_ASK_USERNAME)
		return login_answer(login, span_str(m->talk->user));
	if (q.kind == LOGIN_ASK_PASSWORD && !q.is_retry)
		return login_answer(login, span_str(m->load->options.password));
	return ERR_REFUSED;
}

static void go_on_login(struct member *m, bool is_closed)
{
	struct login *login = &m->talk->login;
	int err = 0;
	while (err == 0 && login->state == LOGIN_ASK)
		err = answer_question(m);
	if (err) {
		member_fail(m, "login", err);
	} else if (login->state == LOGIN_FAILED) {
		load_note_error(m->load, "gateway", login->error);
		member_fail(m, "login", login->failure);
	} else if (login->has_moved) {
		member_fail(m, "redirect", ERR_UNSUPPORTED);
	} else if (login->state == LOGIN_DONE) {
		member_go(m, MEMBER_CONNECT, STEP_LOGIN);
		ask_connect(m);
	} else if (is_closed || login->wants_new_connection) {
		member_redial(m);
	} else {
		member_login_send(m);
	}
}

void member_login_take(struct member *m, struct span plaintext)
{
	struct https_reply *r = &m->talk->reply;
	int done = https_reply_feed(r, plaintext);
	if (done == 0)
		return;
	if (done < 0) {
		member_fail(m, "answer", done);
	} else if (m->stage == MEMBER_CONNECT) {
		take_tunnel(m);
	} else {
		bool is_closed = r->head.wants_close;
		login_on_response(&m->talk->login, &r->head, span_of(r->body.p, r->body.n));
		https_reply_done(r);
		https_reply_init(r, false);
		go_on_login(m, is_closed);
	}
}
