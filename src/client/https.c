#include "client/https.h"

#include <errno.h>

#define HTTPS_RAW_MAX_BYTES (HTTP_HEAD_MAX_BYTES + 2 * HTTP_BODY_MAX_BYTES)

void https_reply_init(struct https_reply *r, bool is_connect)
{
	/* both may hold a cookie */
	*r = (struct https_reply){.raw.is_secret = true, .body.is_secret = true, .is_connect = is_connect};
}

void https_reply_done(struct https_reply *r)
{
	text_done(&r->raw);
	text_done(&r->body);
	explicit_bzero(r, sizeof(*r));
}

static struct span raw_from(const struct https_reply *r, size_t offset)
{
	return span_skip(span_of(r->raw.p, r->raw.n), offset);
}

static int head_take(struct https_reply *r)
{
	int err = http_response_parse(raw_from(r, r->taken), &r->head, &r->head_bytes);
	if (err == ERR_MORE) {
		r->head_bytes = 0;
		return 0;
	}
	if (err)
		return err;
	r->taken += r->head_bytes;
	if (r->head.status >= 100 && r->head.status < 200) {
		r->head_bytes = 0; /* 100 Continue: the real answer follows */
		return head_take(r);
	}
	return 1;
}

static int body_take_length(struct https_reply *r)
{
	struct span rest = raw_from(r, r->taken);
	if (rest.n < r->head.body_bytes)
		return 0;
	text_put(&r->body, span_of(rest.p, r->head.body_bytes));
	r->taken += r->head.body_bytes;
	return 1;
}

static int body_take_chunks(struct https_reply *r)
{
	struct span rest = raw_from(r, r->taken);
	int done = http_chunked_feed(&r->chunked, &rest, &r->body);
	r->taken = r->raw.n - rest.n;
	return done;
}

static int body_take(struct https_reply *r)
{
	if (r->is_connect) /* a refusal's body tells nothing, and some peers do not say where it ends */
		return 1;
	switch (r->head.body) {
	case HTTP_BODY_NONE:
		return 1;
	case HTTP_BODY_LENGTH:
		return body_take_length(r);
	case HTTP_BODY_CHUNKED:
		return body_take_chunks(r);
	case HTTP_BODY_TO_CLOSE:
		return 0;
	}
	return ERR_UNSUPPORTED;
}

/* The head's views point into raw, which may have moved while the body came in. */
static int reply_settle(struct https_reply *r)
{
	size_t used, start = 0;
	do {
		int err = http_response_parse(raw_from(r, start), &r->head, &used);
		if (err)
			return err;
		start += used;
	} while (r->head.status < 200);
	return text_ok(&r->body) ? 1 : -ENOMEM;
}

/* A peer that sends single bytes must not make us read a head anew for each of them. */
static bool may_end_head(const struct https_reply *r, struct span plaintext)
{
	return r->raw.n == plaintext.n || r->raw.n - r->taken >= HTTP_RESPONSE_HEAD_MAX_BYTES ||
	       (plaintext.n > 0 && memchr(plaintext.p, '\n', plaintext.n) != NULL);
}

int https_reply_feed(struct https_reply *r, struct span plaintext)
{
	if (r->raw.n + plaintext.n > HTTPS_RAW_MAX_BYTES)
		return ERR_TOO_LARGE;
	text_put(&r->raw, plaintext);
	if (!text_ok(&r->raw))
		return -ENOMEM;
	if (r->head_bytes == 0) {
		int got = may_end_head(r, plaintext) ? head_take(r) : 0;
		if (got <= 0)
			return got;
	}
	int done = body_take(r);
	return done == 1 ? reply_settle(r) : done;
}

int https_reply_eof(struct https_reply *r)
{
	if (r->head_bytes == 0 || r->head.body != HTTP_BODY_TO_CLOSE)
		return ERR_CLOSED;
	text_put(&r->body, raw_from(r, r->taken));
	r->taken = r->raw.n;
	return reply_settle(r);
}

struct span https_reply_rest(const struct https_reply *r)
{
	return raw_from(r, r->taken);
}
