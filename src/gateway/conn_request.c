/* Plaintext before the tunnel, cut into requests. */
#include "gateway/conn_int.h"
#include "gateway/http.h"

/* The last answer on this connection. */
static int refuse(struct conn *c, unsigned status, const char *reason, int err)
{
	c->http->wants_close = true;
	http_reply_status(c, status, reason);
	return err;
}

static int refuse_head(struct conn *c, int err)
{
	if (err == ERR_UNSUPPORTED)
		return refuse(c, 505, "HTTP Version Not Supported", err);
	if (err == ERR_MALFORMED)
		return refuse(c, 400, "Bad Request", err);
	return refuse(c, 431, "Request Header Fields Too Large", err);
}

/* One complete request from the front of the input: 1 when one was dispatched, 0 when more bytes are needed,
 * below 0 when it was refused. */
static int take_request(struct conn *c)
{
	struct conn_http *h = c->http;
	struct span in = span_of(h->in.p, h->in.n);
	size_t head_bytes;
	int r = http_request_parse(in, &h->head, &head_bytes);
	if (r == ERR_MORE && h->in.n < HTTP_HEAD_MAX_BYTES)
		return 0; /* on_plain() waits for the end of a line */
	if (r < 0)
		return refuse_head(c, r);
	if (h->head.body == HTTP_BODY_CHUNKED)
		return refuse(c, 411, "Length Required", ERR_UNSUPPORTED);
	size_t body_bytes = h->head.body == HTTP_BODY_LENGTH ? h->head.body_bytes : 0;
	if (body_bytes > CONN_BODY_MAX_BYTES)
		return refuse(c, 413, "Content Too Large", ERR_TOO_LARGE);
	if (in.n - head_bytes < body_bytes) {
		h->wants_bytes = head_bytes + body_bytes;
		return 0;
	}
	h->wants_bytes = 0;
	h->wants_close = h->head.wants_close || ++h->n_requests >= CONN_MAX_REQUESTS;
	http_dispatch(c, span_of(in.p + head_bytes, body_bytes));
	if (c->n_closing > 0 || c->http == NULL)
		return 1;
	/* views into the input die here; passwords must not stay in it */
	size_t used = head_bytes + body_bytes;
	memmove(h->in.p, h->in.p + used, h->in.n - used);
	explicit_bzero(h->in.p + h->in.n - used, used);
	h->in.n -= used;
	return 1;
}

/* Requests are answered one at a time: while auth thinks, what follows stays queued (pipelining mixed up
 * answers in other implementations, wire-protocol.md 9.2). */
void conn_step_requests(struct conn *c)
{
	while (c->state == CONN_HTTP && c->n_closing == 0 && c->http && c->http->in.n > 0) {
		if (take_request(c) <= 0)
			return;
	}
}

static void on_plain(struct conn *c, struct span record)
{
	struct conn_http *h = c->http;
	if (c->state == CONN_CLOSING)
		return;
	/* a peer that sends single bytes must not make us read a head anew for each of them */
	bool is_complete = h->wants_bytes ? h->in.n + record.n >= h->wants_bytes
	                                  : h->in.n + record.n >= HTTP_HEAD_MAX_BYTES ||
	                                            memchr(record.p, '\n', record.n) != NULL;
	if (h->in.n + record.n > CONN_IN_MAX_BYTES) {
		(void)refuse(c, 413, "Content Too Large", ERR_TOO_LARGE);
		return;
	}
	text_put(&h->in, record);
	if (!text_ok(&h->in))
		conn_abort(c);
	else if (is_complete)
		conn_step_requests(c);
}

/* The bytes are ours to wipe. */
void conn_on_request_bytes(struct conn *c, uint8_t *plain, size_t n)
{
	on_plain(c, span_of(plain, n));
	explicit_bzero(plain, n); /* passwords */
}
