#include "client/redial.h"

#include <errno.h>
#include <unistd.h>

static void redial_ready(void *ctx, int events);

int redial_init(struct redial *r, uv_loop_t *loop, struct gate *gate)
{
	r->loop = loop;
	r->gate = gate;
	return conn_init(&r->conn);
}

void redial_close(struct redial *r)
{
	if (!r->is_open)
		return;
	r->is_open = false;
	watch_drop(r->watch);
	r->watch = NULL;
	sock_dial_done(&r->dial);
	conn_close(&r->conn, false);
}

void redial_done(struct redial *r)
{
	redial_close(r);
	if (r->loop != NULL)
		conn_done(&r->conn);
	r->loop = NULL;
}

static bool watch_begin(struct redial *r, int fd, int events)
{
	watch_drop(r->watch);
	r->watch = watch_new_copy(r->loop, fd, redial_ready, r);
	if (r->watch != NULL)
		watch_set(r->watch, events);
	return r->watch != NULL;
}

static void go_on_handshake(struct redial *r)
{
	int err = conn_handshake(&r->conn);
	if (err == ERR_MORE) {
		watch_set(r->watch, UV_READABLE | (r->conn.out.n > 0 ? UV_WRITABLE : 0));
		return;
	}
	if (err == 0) {
		watch_drop(r->watch);
		r->watch = NULL;
		r->on_ready(r->ctx, &r->conn);
		if (!conn_is_open(&r->conn)) { /* taken, with its buffers */
			int no_memory = conn_init(&r->conn);
			(void)no_memory; /* then the next handshake fails to begin */
		}
	}
	redial_close(r);
}

static void go_on_dial(struct redial *r, ms_t now_ms)
{
	int fd;
	size_t which;
	int err = sock_dial_step(&r->dial, now_ms, &fd, &which);
	if (err == ERR_MORE) {
		if (r->watch == NULL && !watch_begin(r, r->dial.fds[0], UV_WRITABLE))
			redial_close(r);
		return;
	}
	if (err == 0 && r->conn.rx == NULL) {
		close(fd);
		err = -ENOMEM;
	}
	if (err) {
		redial_close(r);
		return;
	}
	err = conn_open(&r->conn, r->gate->tls, r->gate->host, fd);
	if (err || !watch_begin(r, fd, UV_READABLE))
		redial_close(r);
	else
		go_on_handshake(r);
}

static void redial_ready(void *ctx, int events)
{
	struct redial *r = ctx;
	if (!conn_is_open(&r->conn)) {
		go_on_dial(r, loop_now());
		return;
	}
	int err = events & UV_READABLE ? conn_pull(&r->conn) : -EAGAIN;
	if (err && err != -EAGAIN)
		redial_close(r);
	else
		go_on_handshake(r);
}

void redial_begin(struct redial *r, ms_t now_ms)
{
	if (r->is_open || now_ms < r->next_at_ms)
		return;
	r->pause_ms = r->pause_ms == 0 ? REDIAL_PAUSE_MS : r->pause_ms * 2;
	if (r->pause_ms > REDIAL_PAUSE_MAX_MS)
		r->pause_ms = REDIAL_PAUSE_MAX_MS;
	r->next_at_ms = ms_add(now_ms, r->pause_ms);
	r->until_ms = ms_add(now_ms, REDIAL_LIMIT_MS);
	r->is_open = true;
	sock_dial_init(&r->dial, &r->gate->peer, 1);
	go_on_dial(r, now_ms);
}

ms_t redial_due_ms(const struct redial *r)
{
	return r->is_open ? r->until_ms : MS_NEVER;
}

void redial_on_time(struct redial *r, ms_t now_ms)
{
	if (r->is_open && now_ms >= r->until_ms)
		redial_close(r);
}
