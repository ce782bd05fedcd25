#include "gateway/conn_int.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/tls_log.h"
#include "io/log.h"
#include "io/sock.h"

#define ACCEPT_PAUSE_MS 200
/* TCP finds dead clients as well, for policies with DPD switched off; rare enough to let phones sleep. */
#define TCP_IDLE_S  600
#define TCP_PROBE_S 60

/* ---- log ---- */

static struct tls_log_ends ends_of(const struct conn *c)
{
	return (struct tls_log_ends){
	        .peer = c->peer, .peer_port = c->peer_port, .local = c->local, .local_port = c->local_port};
}

/* More, or less, connections without a session than a moment ago. */
static void pre_login_changed(struct worker *w, int by)
{
	int crossed = process_count_pre_login(w->process, by, worker_now(w));
	if (crossed != 0)
		log_msg(6, "ASA", 725025, "SSL Pre-auth connection rate limit hit %s watermark",
		        crossed > 0 ? "high" : "low");
}

/* ---- life ---- */

void conn_link(struct conn *c)
{
	struct worker *w = c->w;
	c->prev = NULL;
	c->next = w->conns;
	if (w->conns)
		w->conns->prev = c;
	w->conns = c;
}

void conn_unlink(struct conn *c)
{
	struct worker *w = c->w;
	if (c->prev)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	for (struct conn **at = &w->turn.dirty; c->is_dirty && *at; at = &(*at)->next_dirty) {
		if (*at == c) {
			*at = c->next_dirty;
			break;
		}
	}
}

static void http_state_free(struct conn *c)
{
	if (c->http == NULL)
		return;
	text_done(&c->http->in);
	explicit_bzero(c->http, sizeof(*c->http));
	free(c->http);
	c->http = NULL;
	pre_login_changed(c->w, -1);
}

static void conn_handle_closed(struct conn *c)
{
	if (--c->n_closing > 0)
		return;
	close(c->fd);
	free(c);
}

static void on_poll_closed(struct loop_fd *f)
{
	conn_handle_closed(f->ctx);
}

static void on_timer_closed(struct loop_timer *t)
{
	conn_handle_closed(t->ctx);
}

void conn_abort(struct conn *c)
{
	if (c->n_closing > 0)
		return;
	struct worker *w = c->w;
	struct session *s = c->session;
	const struct tls_log_ends ends = ends_of(c);
	c->session = NULL;
	if (s)
		session_on_tls_lost(s, "Transport closing");
	if (c->ref)
		htab_remove(&w->tables.by_ref, &c->by_ref);
	conn_move_cancel(c);
	tls_log_end(w, &ends);
	conn_long_done(c);
	conn_unlink(c);
	process_count_conn(w->process, -1);
	http_state_free(c);
	tls_free(c->tls);
	tls_out_done(&c->out);
	c->n_closing = 2;
	loop_fd_close(&c->poll, on_poll_closed);
	loop_timer_close(&c->timer, on_timer_closed);
}

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSING || c->n_closing > 0)
		return;
	c->state = CONN_CLOSING;
	tls_close(c->tls);
	loop_timer_set(&c->timer, loop_now() + 5000);
	conn_touch(c);
}

static void on_deadline(struct loop_timer *t, ms_t now_ms)
{
	(void)now_ms;
	conn_abort(t->ctx);
}

/* ---- packets over several records ---- */

int conn_long_begin(struct conn *c, struct span rest)
{
	uint8_t *memory = c->w->scratch.spare_long;
	c->w->scratch.spare_long = NULL;
	if (memory == NULL && (memory = malloc(CSTP_LONG_BYTES)) == NULL)
		return -ENOMEM;
	cstp_long_begin(&c->rx_long, memory, rest);
	return 0;
}

void conn_long_done(struct conn *c)
{
	uint8_t *memory = cstp_long_end(&c->rx_long), **spare = &c->w->scratch.spare_long;
	if (memory == NULL)
		return;
	free(*spare);
	*spare = memory;
}

/* What is missing of a long packet is decrypted to its place. */
static int read_record(struct conn *c, uint8_t **ret)
{
	size_t n;
	if (!cstp_long_waits(&c->rx_long))
		return tls_read_view(c->tls, c->w->scratch.plain, TLS_RECORD_MAX, ret);
	*ret = cstp_long_room(&c->rx_long, &n);
	return tls_read_record(c->tls, *ret, n);
}

uint16_t conn_path_mtu(const struct conn *c)
{
	struct sock_tcp_facts facts;
	if (sock_tcp_facts(c->fd, &facts) < 0 || facts.pmtu_bytes > UINT16_MAX)
		return 0;
	return (uint16_t)facts.pmtu_bytes;
}

/* ---- input ---- */

static void log_handshake(struct conn *c, bool is_ok)
{
	const struct tls_log_ends ends = ends_of(c);
	struct tls_info info;
	if (!is_ok) {
		tls_log_failed(c->w, &ends, tls_error(c->tls));
		return;
	}
	tls_info(c->tls, &info);
	tls_log_done(c->w, &ends, c->tls, info.protocol, info.cipher);
}

static bool conn_step_handshake(struct conn *c)
{
	int r = tls_handshake(c->tls);
	conn_touch(c);
	if (r == ERR_MORE)
		return false;
	log_handshake(c, r == 0);
	if (r < 0) {
		worker_drop(c->w, DROP_TLS_HANDSHAKE);
		c->state = CONN_CLOSING;
		return false;
	}
	c->state = CONN_HTTP;
	loop_timer_set(&c->timer, loop_now() + CONN_LOGIN_MS);
	return true;
}

/* The peer has closed, or broken the rules: it is told by the alert that waits, if it still listens. */
static void conn_lose(struct conn *c, int err)
{
	worker_drop(c->w, err == ERR_CLOSED ? DROP_TLS_CLOSED : DROP_TLS_DECRYPT);
	(void)!conn_send(c);
	conn_abort(c);
}

static void conn_step_tls(struct conn *c)
{
	uint8_t *plain;
	if (c->state == CONN_HANDSHAKE && !conn_step_handshake(c))
		return;
	while (c->n_closing == 0) {
		int n = read_record(c, &plain);
		if (n == 0)
			return;
		if (n < 0) {
			if (c->state != CONN_CLOSING)
				conn_lose(c, n);
			return;
		}
		if (c->session)
			session_on_tls_record(c->session, span_of(plain, (size_t)n));
		else if (c->http)
			conn_on_request_bytes(c, plain, (size_t)n);
		else
			worker_drop(c->w, DROP_DELETING);
	}
}

/* What is put off wakes the loop again at once, behind what else has come meanwhile. */
static bool may_step_handshake(struct worker_turn *t)
{
	if (t->n_handshakes == WORKER_HANDSHAKES && ++t->n_put_off < WORKER_PUT_OFF_MAX)
		return false;
	if (t->n_handshakes == WORKER_HANDSHAKES)
		t->n_handshakes = t->n_put_off = 0;
	t->n_handshakes++;
	return true;
}

static void on_ready(struct loop_fd *f, int err, int events)
{
	struct conn *c = f->ctx;
	struct worker *w = c->w;
	if (c->n_closing > 0)
		return;
	if (err < 0) {
		conn_abort(c);
		return;
	}
	if (c->state == CONN_HANDSHAKE && !may_step_handshake(&w->turn))
		return;
	if (events & UV_WRITABLE)
		conn_touch(c);
	if (events & (UV_READABLE | UV_DISCONNECT)) {
		ssize_t n = recv(c->fd, w->scratch.tls_rx, WORKER_TLS_RX_BYTES, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			conn_abort(c);
			return;
		}
		if (c->state == CONN_CLOSING)
			n = -1; /* read, so that close() does not reset what we said last; not heard */
		if (n > 0 && tls_feed_writable(c->tls, w->scratch.tls_rx, (size_t)n) < 0) {
			conn_abort(c);
			return;
		}
		if (n > 0)
			conn_step_tls(c);
	}
	worker_flush(w);
}

int conn_handles_open(struct conn *c)
{
	int r = loop_fd_open(&c->poll, &c->w->loop, c->fd, on_ready, c);
	if (r == 0 && loop_timer_open(&c->timer, &c->w->loop, on_deadline, c) < 0)
		abort(); /* uv_timer_init cannot fail */
	return r;
}

static int conn_new(struct worker *w, int fd, const struct ip_addr *peer, uint16_t port)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;
	if (c == NULL || (c->http = calloc(1, sizeof(*c->http))) == NULL)
		goto fail;
	c->w = w;
	c->fd = fd;
	c->peer = *peer;
	c->peer_port = port;
	if (sock_local(fd, &c->local, &c->local_port) < 0)
		c->local_port = (uint16_t)w->config->webvpn.tls_port;
	c->http->in.is_secret = true;
	tls_out_init(&c->out, CONN_OUT_MAX_BYTES);
	if ((r = tls_server_new(w->tls_ctx, &c->tls)) < 0)
		goto fail;
	tls_set_output(c->tls, &c->out);
	if ((r = conn_handles_open(c)) < 0)
		goto fail;
	loop_timer_set(&c->timer, loop_now() + CONN_HANDSHAKE_MS);
	conn_link(c);
	process_count_conn(w->process, 1);
	pre_login_changed(w, 1);
	const struct tls_log_ends ends = ends_of(c);
	tls_log_start(w, &ends, false);
	conn_watch(c);
	return 0;
fail:
	if (c) {
		tls_free(c->tls);
		free(c->http);
	}
	free(c);
	return r;
}

/* The waiting connection would be reported again and again: look the other way for a moment. */
static void accept_pause(struct worker *w, int err)
{
	if (worker_may_log(w, WORKER_LOG_ACCEPT, 0))
		log_line(LOG_ERR, "cannot accept connections: %s", err_text(err));
	if (loop_fd_watch(&w->listener.poll, 0) == 0)
		loop_timer_set(&w->listener.pause, loop_now() + ACCEPT_PAUSE_MS);
}

void conn_accept(struct worker *w)
{
	for (int i = 0; i < LOOP_BATCH; i++) {
		struct ip_addr peer;
		uint16_t port;
		int fd = sock_accept(w->listener.fd, &peer, &port);
		if (fd < 0) {
			if (fd != -EAGAIN)
				accept_pause(w, fd);
			return;
		}
		if (!process_has_room(w->process, &peer, worker_now(w)) ||
		        sock_tune(fd, TCP_IDLE_S, TCP_PROBE_S) < 0 || conn_new(w, fd, &peer, port) < 0)
			close(fd);
	}
}

void conn_enter_tunnel(struct conn *c, struct session *s)
{
	c->session = s;
	c->state = CONN_TUNNEL;
	tls_go_fast(c->tls);
	if (sock_limit_unsent(c->fd, CONN_UNSENT_BYTES) < 0)
		log_line(LOG_WARNING, "session %u: the kernel's send queue stays as long as it likes",
		        s->id.index);
	loop_timer_set(&c->timer, MS_NEVER);
	http_state_free(c);
	conn_touch(c);
}

void conn_on_auth(struct conn *c, const struct ipc_msg *m)
{
	c->state = CONN_HTTP;
	if (m->type == IPC_LOGIN_RESULT)
		http_on_login(c, &m->login_result);
	else if (m->type == IPC_SESSION_INFO)
		http_on_session(c, &m->session_info);
	if (c->n_closing > 0)
		return;
	conn_step_requests(c);
	if (c->n_closing == 0 && c->state != CONN_WAIT_AUTH)
		conn_touch(c); /* reads again */
}
