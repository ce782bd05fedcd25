/* A thread's channel to auth: questions of its connections, and whose the answers are. */
#include "gateway/conn.h"
#include "gateway/control.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/worker_int.h"
#include "io/log.h"

int worker_ask_auth(struct worker *w, struct ipc_msg *m, struct conn *c)
{
	/* the upper half of the numbers belongs to the console */
	w->auth.last_ref = (w->auth.last_ref + 1) & 0x7fffffff;
	if (w->auth.last_ref == 0)
		w->auth.last_ref = 1;
	m->ref = w->auth.last_ref;
	if (!w->auth.is_up)
		return ERR_CLOSED;
	int r = htab_insert(&w->tables.by_ref, &c->by_ref, m->ref);
	if (r < 0)
		return r;
	if ((r = chan_send(&w->auth.chan, m, -1)) < 0) {
		htab_remove(&w->tables.by_ref, &c->by_ref);
		return r;
	}
	c->ref = m->ref;
	c->state = CONN_WAIT_AUTH;
	conn_touch(c);
	worker_watch_chan(&w->auth.poll, &w->auth.chan);
	return 0;
}

int worker_tell_auth(struct worker *w, const struct ipc_msg *m)
{
	if (!w->auth.is_up)
		return ERR_CLOSED;
	int r = chan_send(&w->auth.chan, m, -1);
	worker_watch_chan(
	        &w->auth.poll, &w->auth.chan); /* what had to be queued goes out when auth reads again */
	return r;
}

/* ---- answers ---- */

/* An answer for a connection that did not wait for it. */
static void on_auth_late(struct worker *w, const struct ipc_msg *m)
{
	if (m->type == IPC_SESSION_INFO && m->session_info.status == IPC_OPEN_OK)
		session_not_opened(w, &m->session_info);
}

static void on_auth_msg(struct worker *w, const struct ipc_msg *m)
{
	if (m->type == IPC_SESSION_KICK) {
		struct session *s = session_by_index(w, m->session_kick.index);
		if (s && s->id.connection == m->session_kick.connection)
			session_on_kick(s, m->session_kick.reason);
		return;
	}
	if (m->ref & 0x80000000u) {
		control_on_answer(w, m);
		return;
	}
	struct htab_node *n = htab_find(&w->tables.by_ref, m->ref);
	if (n == NULL) { /* who asked is gone */
		on_auth_late(w, m);
		return;
	}
	struct conn *c = CONTAINER_OF(n, struct conn, by_ref);
	htab_remove(&w->tables.by_ref, n);
	c->ref = 0;
	if (c->n_closing > 0 || c->state != CONN_WAIT_AUTH)
		on_auth_late(w, m);
	else
		conn_on_auth(c, m);
}

void worker_on_auth_ready(struct loop_fd *f, int err, int events)
{
	struct worker *w = f->ctx;
	struct ipc_msg m;
	int fd, r = err;
	if (err == 0 && events & UV_WRITABLE)
		r = chan_flush(&w->auth.chan);
	for (int i = 0; r == 0 && i < LOOP_BATCH; i++) {
		r = chan_recv(&w->auth.chan, w->ipc_state, loop_now(), &m, &fd);
		if (r == 0)
			on_auth_msg(w, &m);
		ipc_wipe(&m);
	}
	if (r < 0 && r != -EAGAIN) {
		log_line(LOG_ERR, "auth process is gone: %s", err_text(r));
		w->auth.is_up = false;
		loop_fd_close(&w->auth.poll, NULL);
		process_fail(w); /* the monitor starts both anew; clients resume with their cookies */
		return;
	}
	worker_watch_chan(&w->auth.poll, &w->auth.chan);
	worker_flush(w);
}
