/* The channels of the children: what they say, and what is answered. */
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/monitor_int.h"
#include "io/log.h"

/* Who asks and does not listen is broken, or somebody else's: its end is seen at the channel. One line tells.
 */
static void answer(struct monitor_child *c, const struct ipc_msg *m)
{
	int r = chan_send(&c->chan, m, -1);
	if (r == 0 || c->is_deaf)
		return;
	c->is_deaf = true;
	log_line(LOG_WARNING, "%s does not take its answers: %s", child_role_name(c->role), err_text(r));
	chan_break(&c->chan);
}

static void reload_requested(struct monitor_child *c, const struct ipc_msg *in, bool is_too_often)
{
	struct ipc_msg out = {.type = IPC_RELOAD_RESULT, .ref = in->ref};
	struct text messages = {0};
	if (is_too_often)
		text_str(&messages, "too many reload requests within one second\n");
	else
		out.reload_result.is_ok = monitor_reload(c->m, &messages) == 0;
	size_t n = messages.n < IPC_TEXT_MAX ? messages.n : IPC_TEXT_MAX;
	int r = ipc_set_str(out.reload_result.text, sizeof(out.reload_result.text), span_of(messages.p, n));
	if (r == 0)
		answer(c, &out);
	else
		log_line(LOG_WARNING, "cannot answer a reload request: %s", err_text(r));
	text_done(&messages);
}

static void log_asked(struct monitor_child *c, const struct ipc_msg *in)
{
	struct ipc_msg out;
	monitor_log_answer(&c->m->log, in, &out);
	answer(c, &out);
}

static void on_ready(struct monitor_child *c)
{
	struct monitor *m = c->m;
	c->is_up = true;
	if (!m->is_ready && m->children[CHILD_AUTH].is_up && m->children[CHILD_WORKER].is_up)
		monitor_ready(m);
}

static void on_message(struct monitor_child *c, const struct ipc_msg *msg, int fd, bool is_too_often)
{
	if (fd >= 0)
		close(fd);
	switch (msg->type) {
	case IPC_READY:
		on_ready(c);
		break;
	case IPC_RELOAD_REQUEST:
		reload_requested(c, msg, is_too_often);
		break;
	case IPC_LOG:
		monitor_log_take(&c->m->log, &msg->log, is_too_often);
		break;
	default:
		if (!is_too_often) /* the console waits for its answer only so long */
			log_asked(c, msg);
		break;
	}
}

static void on_poll_closed(struct loop_fd *f)
{
	struct monitor_child *c = f->ctx;
	chan_done(&c->chan);
	c->is_polled = false;
}

void monitor_channel_end(struct monitor_child *c)
{
	if (c->is_polled && !uv_is_closing((uv_handle_t *)&c->poll.poll))
		loop_fd_close(&c->poll, on_poll_closed);
}

static void on_poll(struct loop_fd *f, int err, int events)
{
	struct monitor_child *c = f->ctx;
	struct ipc_msg msg;
	int fd;
	/* A dead peer (for libuv: -EBADF) is one to read from until its end: its last words are in the queue.
	 */
	int r = err < 0 ? 0 : chan_flush(&c->chan);
	if (r == ERR_CLOSED)
		r = 0;
	(void)events;
	for (int i = 0; r == 0 && i < LOOP_BATCH; i++) {
		r = chan_recv(
		        &c->chan, c->m->is_stopping ? IPC_STOPPING : IPC_RUNNING, loop_now(), &msg, &fd);
		if (r == 0 || r == ERR_LIMIT) {
			on_message(c, &msg, fd, r == ERR_LIMIT);
			r = 0;
		}
	}
	if (r == 0 || r == -EAGAIN)
		r = loop_fd_watch(&c->poll, UV_READABLE | (chan_wants_write(&c->chan) ? UV_WRITABLE : 0));
	if (r == 0)
		return;
	if (r == ERR_CLOSED) {
		monitor_child_kill(c, MONITOR_STOP_WORKER_MS); /* it should be ending by itself */
	} else {
		log_line(LOG_ERR, "%s: message not allowed or not readable (%s): killed",
		        child_role_name(c->role), err_text(r));
		monitor_child_kill(c, 0);
	}
	monitor_channel_end(c);
}

int monitor_channel_open(struct monitor_child *c)
{
	int r = loop_fd_open(&c->poll, &c->m->loop, c->chan.fd, on_poll, c);
	if (r < 0) {
		chan_done(&c->chan);
		return r;
	}
	c->is_polled = true;
	return loop_fd_watch(&c->poll, UV_READABLE);
}

void monitor_last_words(struct monitor_child *c)
{
	struct ipc_msg msg;
	int fd, r = c->is_polled ? 0 : ERR_CLOSED;
	while (r == 0) {
		r = chan_recv(&c->chan, IPC_STOPPING, loop_now(), &msg, &fd);
		if (r == 0 && fd >= 0)
			close(fd);
		if (r == 0 && msg.type == IPC_LOG)
			monitor_log_take(&c->m->log, &msg.log, false);
	}
}
