/* One connection of the console: a request in, its answer out, then the next. While an answer is made or sent
 * nothing is read, so that a client costs at most one answer of memory. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/control_int.h"
#include "io/sock.h"

static void call_done(struct call *c)
{
	json_decref(c->request);
	json_decref(c->json);
	text_done(&c->out);
	text_done(&c->cut);
	control_list_done(c);
	*c = (struct call){0};
}

/* ---- end ---- */

static void handle_closed(struct control_client *k)
{
	if (--k->n_open > 0)
		return;
	close(k->fd);
	call_done(&k->call);
	free(k);
}

static void poll_closed(struct loop_fd *f)
{
	handle_closed(f->ctx);
}

static void timer_closed(struct loop_timer *t)
{
	handle_closed(t->ctx);
}

void control_client_close(struct control_client *k)
{
	if (k->is_closing)
		return;
	k->is_closing = true;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (k->control->clients[i] == k)
			k->control->clients[i] = NULL;
	}
	control_stream_closed(k);
	loop_fd_close(&k->poll, poll_closed);
	loop_timer_close(&k->timer, timer_closed);
}

/* ---- answer ---- */

static int send_packet(int fd, const char *kind, struct span a, struct span b)
{
	struct iovec v[] = {{(void *)kind, 1}, {(void *)a.p, a.n}, {(void *)b.p, b.n}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = N_ELEM(v)};
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int send_end(struct control_client *k)
{
	uint8_t status[4] = {0, 0, 0, (uint8_t)k->call.status};
	const struct text *why = &k->call.cut;
	return send_packet(k->fd, "E", span_of(status, sizeof(status)), span_of(why->p, why->n));
}

static int send_data(struct control_client *k)
{
	const struct text *out = &k->call.out;
	int r = 0;
	while (r == 0 && k->n_sent < out->n) {
		size_t n = out->n - k->n_sent;
		if (n > CONTROL_PACKET_BYTES)
			n = CONTROL_PACKET_BYTES;
		if ((r = send_packet(k->fd, "D", span_of(out->p + k->n_sent, n), span_str(""))) == 0)
			k->n_sent += n;
	}
	return r;
}

static int send_some(struct control_client *k)
{
	int r = send_data(k);
	return r < 0 ? r : send_end(k);
}

static void wait_for(struct control_client *k, int events, ms_t limit_ms)
{
	if (loop_fd_watch(&k->poll, events) < 0)
		control_client_close(k);
	else
		loop_timer_set(&k->timer, loop_now() + limit_ms);
}

static void pump(struct control_client *k)
{
	int r = send_some(k);
	if (r == -EAGAIN) {
		wait_for(k, UV_WRITABLE, CONTROL_IDLE_MS);
	} else if (r < 0) {
		control_client_close(k);
	} else {
		k->is_sending = false;
		call_done(&k->call);
		wait_for(k, UV_READABLE, CONTROL_IDLE_MS);
	}
}

static int json_out(const char *p, size_t n, void *ctx)
{
	text_put(ctx, span_of(p, n));
	return 0;
}

/* The whole of it, if no part is under way yet. */
static void put_answer(struct call *c)
{
	if (c->is_json && c->json) {
		json_dump_callback(c->json, json_out, &c->out, RENDER_JSON_FLAGS);
		text_str(&c->out, "\n");
	}
	if (!text_ok(&c->out) || (c->is_json && !c->json)) {
		text_done(&c->out);
		text_str(&c->out, "ERROR: the answer is too large\n");
		c->status = 1;
	}
}

/* The call has what it needs: sends it. */
static void answer(struct control_client *k)
{
	if (!k->call.is_begun)
		put_answer(&k->call);
	k->n_sent = 0;
	k->is_sending = true;
	pump(k);
}

/* ---- an answer in pieces: the next one is made when this one is sent ---- */

static void list_pump(struct control_client *k)
{
	int r = send_data(k);
	if (r == -EAGAIN) {
		wait_for(k, UV_WRITABLE, CONTROL_IDLE_MS);
		return;
	}
	if (r < 0) {
		control_client_close(k);
		return;
	}
	text_done(&k->call.out);
	k->n_sent = 0;
	control_list_next(&k->call);
	if (k->call.listing)
		wait_for(k, UV_DISCONNECT, CONTROL_ANSWER_MS);
	else
		answer(k);
}

void control_client_go_on(struct control_client *k)
{
	struct call *c = &k->call;
	if (c->listing == NULL && c->ref == 0)
		answer(k);
	else if (c->listing == NULL || control_list_is_waiting(c))
		wait_for(k, UV_DISCONNECT, CONTROL_ANSWER_MS);
	else
		list_pump(k);
}

/* ---- an answer without an end ---- */

static void stream_watch(struct control_client *k)
{
	int events = UV_READABLE | (k->call.out.n > 0 ? UV_WRITABLE : 0);
	if (loop_fd_watch(&k->poll, events) < 0)
		control_client_close(k);
}

void control_stream_wake(struct control_client *k)
{
	stream_watch(k);
}

static void stream_pump(struct control_client *k)
{
	int r = send_data(k);
	if (r < 0 && r != -EAGAIN) {
		control_client_close(k);
		return;
	}
	if (r == 0) {
		text_done(&k->call.out);
		k->n_sent = 0;
	}
	stream_watch(k);
}

static void stream_begin(struct control_client *k)
{
	k->n_sent = 0;
	if (send_packet(k->fd, "S", span_str(""), span_str("")) <
	        0) { /* the first packet of an answer always fits */
		control_client_close(k);
		return;
	}
	control_stream_opened(k);
	loop_timer_set(&k->timer, MS_NEVER); /* however long nothing happens */
	stream_pump(k);
}

void control_stream_end(struct control_client *k)
{
	control_stream_closed(k);
	k->is_sending = true;
	pump(k);
}

/* Whatever the console says, or that it is gone, ends the stream. */
static void stream_on_packet(struct control_client *k)
{
	uint8_t buf[CONTROL_REQUEST_MAX + 1];
	ssize_t n = recv(k->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		control_client_close(k);
	else
		control_stream_end(k);
}

/* ---- events ---- */

static void on_request(struct control_client *k)
{
	uint8_t buf[CONTROL_REQUEST_MAX + 1]; /* a byte more shows what is too long */
	ssize_t n = recv(k->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		control_client_close(k);
		return;
	}
	control_request(k, span_of(buf, (size_t)n));
	if (k->call.stream_level > 0)
		stream_begin(k);
	else
		control_client_go_on(k);
}

static void on_ready(struct loop_fd *f, int err, int events)
{
	struct control_client *k = f->ctx;
	if (err < 0)
		control_client_close(k);
	else if (k->call.stream_level > 0 && (events & UV_READABLE))
		stream_on_packet(k);
	else if (k->call.stream_level > 0)
		stream_pump(k);
	else if (k->is_sending && (events & UV_WRITABLE))
		pump(k);
	else if (k->call.listing && (events & UV_WRITABLE))
		list_pump(k);
	else if (!k->is_sending && !k->call.listing && k->call.ref == 0 && (events & UV_READABLE))
		on_request(k);
	else if (events & UV_DISCONNECT)
		control_client_close(k);
}

static void on_time(struct loop_timer *t, ms_t now_ms)
{
	struct control_client *k = t->ctx;
	(void)now_ms;
	if (k->call.ref == 0 && !control_list_is_waiting(&k->call)) {
		control_client_close(k); /* idle, or does not read its answer */
		return;
	}
	k->call.ref = 0;
	call_fail(&k->call, "ERROR: no answer from the gateway's other processes");
	answer(k);
}

/* Takes fd also when it fails. */
int control_client_open(struct control *ctl, int fd)
{
	struct control_client *k = calloc(1, sizeof(*k));
	gid_t gid;
	pid_t pid;
	uid_t uid;
	size_t i = 0;
	int r = -ENOMEM;
	while (i < CONTROL_MAX_CLIENTS && ctl->clients[i])
		i++;
	if (i == CONTROL_MAX_CLIENTS)
		r = -EMFILE;
	if (!k || i == CONTROL_MAX_CLIENTS || (r = sock_peer_cred(fd, &uid, &gid, &pid)) < 0 ||
	        (r = loop_fd_open(&k->poll, &ctl->w->loop, fd, on_ready, k)) < 0) {
		close(fd);
		free(k);
		return r;
	}
	k->control = ctl;
	k->fd = fd;
	k->uid = uid;
	k->n_open = 2;
	ctl->clients[i] = k;
	/* never fails in libuv; the handle must exist before the first close */
	r = loop_timer_open(&k->timer, &ctl->w->loop, on_time, k);
	wait_for(k, UV_READABLE, CONTROL_IDLE_MS);
	return r;
}
