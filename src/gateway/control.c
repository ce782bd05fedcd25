/* The console's socket, and the questions that its commands ask the other processes. */
#include "gateway/control.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/control_int.h"
#include "io/log.h"

static void on_listener(struct loop_fd *f, int err, int events)
{
	struct control *ctl = f->ctx;
	(void)events;
	int fd = err < 0 ? -1 : accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return; /* who knocked is gone already */
	int r = control_client_open(ctl, fd);
	if (r < 0)
		log_line(LOG_WARNING, "control socket: client refused: %s", err_text(r));
}

int control_open(struct worker *w, int listen_fd)
{
	if (listen_fd < 0)
		return 0; /* a gateway without a console */
	struct control *ctl = calloc(1, sizeof(*ctl));
	if (!ctl)
		return -ENOMEM;
	ctl->w = w;
	ctl->fd = listen_fd;
	int r = loop_fd_open(&ctl->poll, &w->loop, listen_fd, on_listener, ctl);
	if (r < 0) {
		free(ctl);
		return r;
	}
	w->process->control = ctl;
	return loop_fd_watch(&ctl->poll, UV_READABLE);
}

static void control_freed(struct loop_fd *f)
{
	struct control *ctl = f->ctx;
	close(ctl->fd);
	free(ctl);
}

void control_close(struct worker *w)
{
	struct control *ctl = w->process->control;
	if (!ctl)
		return;
	w->process->control = NULL;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (ctl->clients[i])
			control_client_close(ctl->clients[i]);
	}
	loop_fd_close(&ctl->poll, control_freed);
}

/* ---- questions ---- */

static int ask(struct worker *w, struct chan *to, struct loop_fd *poll, const struct ipc_msg *m)
{
	if (to == &w->auth.chan && !w->auth.is_up)
		return ERR_CLOSED;
	int r = chan_send(to, m, -1);
	if (r < 0)
		return r;
	return chan_wants_write(to) ? loop_fd_watch(poll, UV_READABLE | UV_WRITABLE) : 0;
}

static bool call_send(struct call *c, const struct ipc_msg *m)
{
	struct worker *w = c->w;
	bool is_monitor = ipc_is_for(m->type, IPC_MONITOR);
	int r = ask(w, is_monitor ? &w->process->monitor : &w->auth.chan,
	        is_monitor ? &w->process->monitor_poll : &w->auth.poll, m);
	if (r < 0)
		call_fail(
		        c, "ERROR: the %s process is away: %s", is_monitor ? "monitor" : "auth", err_text(r));
	return r == 0;
}

void call_expect(struct call *c, uint32_t ref, void (*on_answer)(struct call *c, const struct ipc_msg *m))
{
	c->ref = ref;
	c->on_answer = on_answer;
}

void call_ask(struct call *c, struct ipc_msg *m, void (*on_answer)(struct call *c, const struct ipc_msg *m))
{
	m->ref = CONTROL_REF | (c->w->process->control->next_ref++ & ~CONTROL_REF);
	if (call_send(c, m))
		call_expect(c, m->ref, on_answer);
}

void call_ask_more(struct call *c, struct ipc_msg *m)
{
	m->ref = c->ref;
	if (!call_send(c, m))
		c->ref = 0;
}

struct control_client *control_client_waiting(const struct worker *w, uint32_t ref)
{
	for (size_t i = 0; w->process->control && i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *k = w->process->control->clients[i];
		if (k && k->call.ref != 0 && k->call.ref == ref)
			return k;
	}
	return NULL; /* an answer of whom the console gave up waiting for finds nobody */
}

void control_on_answer(struct worker *w, const struct ipc_msg *m)
{
	struct control_client *k = control_client_waiting(w, m->ref);
	if (k == NULL)
		return;
	k->call.ref = 0;
	k->call.on_answer(&k->call, m);
	control_client_go_on(k);
}
