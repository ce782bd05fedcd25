/* What a connection sends: records collected during a turn of the loop, and the send() of them. */
#include <errno.h>
#include <sys/socket.h>

#include "gateway/conn_int.h"
#include "wire/cstp.h"

void conn_touch(struct conn *c)
{
	if (c->is_dirty || c->n_closing > 0)
		return;
	c->is_dirty = true;
	c->next_dirty = c->w->turn.dirty;
	c->w->turn.dirty = c;
}

/* What is polled for: reading unless auth is asked, writing while something waits. */
void conn_watch(struct conn *c)
{
	int events = c->state == CONN_WAIT_AUTH ? UV_DISCONNECT : UV_READABLE;
	if (c->out.n > 0)
		events |= UV_WRITABLE;
	if (loop_fd_watch(&c->poll, events) < 0)
		conn_abort(c);
}

/* An idle connection keeps no buffer; the next one that writes gets this one. */
static void out_give_back(struct conn *c)
{
	struct tls_out *spare = &c->w->scratch.tls_out;
	c->out.n = 0;
	if (c->out.cap <= spare->cap) {
		tls_out_done(&c->out);
		return;
	}
	tls_out_done(spare);
	*spare = c->out;
	tls_out_init(&c->out, CONN_OUT_MAX_BYTES);
}

static void out_take(struct conn *c)
{
	struct tls_out *spare = &c->w->scratch.tls_out;
	if (c->out.cap > 0 || spare->cap == 0)
		return;
	c->out = *spare;
	tls_out_init(spare, CONN_OUT_MAX_BYTES);
}

/* As much as the socket takes. */
int conn_send(struct conn *c)
{
	size_t sent = 0;
	int r = 0;
	while (r == 0 && sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + sent, c->out.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	tls_out_consume(&c->out, sent);
	return r == -EAGAIN ? 0 : r;
}

static void conn_flush(struct conn *c)
{
	if (conn_send(c) < 0) {
		conn_abort(c);
		return;
	}
	if (c->out.n == 0) {
		out_give_back(c);
		if (c->state == CONN_CLOSING) {
			conn_abort(c);
			return;
		}
	}
	conn_watch(c);
}

void conn_flush_dirty(struct worker *w)
{
	while (w->turn.dirty) {
		struct conn *c = w->turn.dirty;
		w->turn.dirty = c->next_dirty;
		c->is_dirty = false;
		conn_flush(c);
		if (c->move && c->n_closing == 0)
			conn_move_begin(c);
	}
}

/* ---- plaintext ---- */

int conn_write(struct conn *c, struct span plain)
{
	out_take(c);
	while (plain.n > 0) {
		size_t n = plain.n < TLS_RECORD_MAX ? plain.n : TLS_RECORD_MAX;
		int r = tls_write(c->tls, span_of(plain.p, n));
		if (r < 0)
			return r;
		plain = span_skip(plain, n);
	}
	conn_touch(c);
	return 0;
}

static void send_early(struct conn *c)
{
	if (c->out.n >= CONN_SEND_BYTES && !(c->poll.events & UV_WRITABLE))
		(void)!conn_send(c); /* an error shows itself at the end of the turn */
}

int conn_write_cstp_in_place(struct conn *c, uint8_t type, uint8_t *payload, size_t n)
{
	uint8_t *record = payload - CSTP_HEADER_BYTES;
	if (n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	cstp_put_header(record, type, (uint16_t)n);
	out_take(c);
	int r = tls_write(c->tls, span_of(record, CSTP_HEADER_BYTES + n));
	if (r == 0) {
		conn_touch(c);
		send_early(c);
	}
	return r;
}

int conn_write_cstp_long(struct conn *c, uint8_t type, uint8_t *payload, size_t n)
{
	uint8_t *packet = payload - CSTP_HEADER_BYTES;
	if (n > CSTP_LONG_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	out_take(c);
	if (!tls_has_room(c->tls, CSTP_HEADER_BYTES + n))
		return -ENOBUFS;
	cstp_put_header(packet, type, (uint16_t)n);
	int r = conn_write(c, span_of(packet, CSTP_HEADER_BYTES + n));
	if (r == 0)
		send_early(c);
	return r;
}

int conn_write_cstp(struct conn *c, uint8_t type, struct span payload)
{
	uint8_t *copy = c->w->scratch.record + CSTP_HEADER_BYTES;
	if (payload.n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	if (payload.n > 0)
		memcpy(copy, payload.p, payload.n);
	return conn_write_cstp_in_place(c, type, copy, payload.n);
}
