/* A connection goes to another thread. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/conn_int.h"
#include "gateway/http.h"
#include "gateway/process.h"

/* A client comes back: its TCP connection goes to the thread that has its session, whichever thread accepted
 * it. On the way it belongs to nobody: its handles are closed here and opened there. */
struct conn_move {
	struct mail mail;
	struct conn *c;
	struct worker *to;
	struct ipc_msg question; /* what auth is asked there */
};

static void on_moved(struct worker *w, struct mail *m)
{
	struct conn_move *v = CONTAINER_OF(m, struct conn_move, mail);
	struct conn *c = v->c;
	c->w = w;
	c->move = NULL;
	if (conn_handles_open(c) < 0)
		abort(); /* an epoll instance with room for what another one had */
	conn_link(c);
	loop_timer_set(&c->timer, loop_now() + CONN_LOGIN_MS);
	http_ask_session(c, &v->question);
	ipc_wipe(&v->question);
	free(v);
	conn_touch(c);
}

static void move_handle_closed(struct conn *c)
{
	if (--c->n_closing == 0)
		process_mail(c->move->to, &c->move->mail);
}

static void move_poll_closed(struct loop_fd *f)
{
	move_handle_closed(f->ctx);
}

static void move_timer_closed(struct loop_timer *t)
{
	move_handle_closed(t->ctx);
}

/* After the turn in which the request came: nothing of this thread points to the connection any more. */
void conn_move_begin(struct conn *c)
{
	conn_unlink(c);
	c->n_closing = 2;
	loop_fd_close(&c->poll, move_poll_closed);
	loop_timer_close(&c->timer, move_timer_closed);
}

int conn_move(struct conn *c, struct worker *to, const struct ipc_msg *question)
{
	struct conn_move *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	*v = (struct conn_move){.mail.open = on_moved, .c = c, .to = to, .question = *question};
	c->move = v;
	c->state = CONN_WAIT_AUTH;
	conn_touch(c);
	return 0;
}

void conn_move_cancel(struct conn *c)
{
	if (c->move)
		ipc_wipe(&c->move->question);
	free(c->move);
	c->move = NULL;
}
