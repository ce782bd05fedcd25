/* A connection on our own record layer. Besides data there are alerts, KeyUpdate and session tickets, which
 * nobody wants here; all else ends the connection with an alert (RFC 8446 4.6, 5.1, 6). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/tls_internal.h"

#define ALERT_BYTES        2
#define ALERT_WARNING      1
#define ALERT_FATAL        2
#define MSG_HEAD_BYTES     4
#define MSG_SESSION_TICKET 4
#define MSG_KEY_UPDATE     24
#define KEY_UPDATE_BYTES   (MSG_HEAD_BYTES + 1)
/* Records without data in a row: a peer that keeps us deriving keys gets no further. */
#define IDLE_RECORDS_MAX 128

void tls_fast_free(struct tls_fast *f)
{
	if (f == NULL)
		return;
	tls_record_done(&f->tx);
	tls_record_done(&f->rx);
	X509_free(f->peer);
	free(f->part);
	explicit_bzero(f, sizeof(*f));
	free(f);
}

/* ---- writing ---- */

static int put(struct tls *t, enum tls_content type, struct span plain)
{
	uint8_t *p = t->out ? tls_out_reserve(t->out, plain.n + TLS_RECORD_ADDED_BYTES) : NULL;

	if (p == NULL)
		return -ENOBUFS;
	int r = tls_record_seal(&t->fast->tx, type, p, plain);
	if (r < 0)
		return r;
	t->out->n += (size_t)r;
	return 0;
}

static void alert(struct tls *t, uint8_t level, uint8_t what)
{
	(void)!put(t, TLS_ALERT, span_of((uint8_t[]){level, what}, ALERT_BYTES));
}

static int fatal(struct tls *t, uint8_t what)
{
	alert(t, ALERT_FATAL, what);
	t->is_closed = true;
	t->in.n = 0;
	snprintf(t->error, sizeof(t->error), "TLS read failed: %s", SSL_alert_desc_string_long(what));
	return ERR_CRYPTO;
}

/* The KeyUpdate is the last record under the old key. */
static int key_update(struct tls *t, bool is_request)
{
	uint8_t msg[KEY_UPDATE_BYTES] = {MSG_KEY_UPDATE, 0, 0, 1, is_request};
	int r = put(t, TLS_HANDSHAKE, span_of(msg, sizeof(msg)));

	if (r == 0)
		r = tls_record_update(&t->fast->tx);
	if (r == 0)
		t->fast->owes_update = false;
	return r;
}

int tls_fast_write(struct tls *t, struct span plaintext)
{
	int r = 0;

	if (t->fast->owes_update || tls_record_wants_update(&t->fast->tx))
		r = key_update(t, false);
	if (r == 0)
		r = put(t, TLS_DATA, plaintext);
	if (r == 0 || r == -ENOBUFS)
		return r;
	t->is_closed = true;
	return ERR_CRYPTO;
}

int tls_fast_key_update(struct tls *t)
{
	int r = key_update(t, true);

	if (r == -ENOBUFS)
		return r;
	t->is_closed |= r < 0;
	return r;
}

void tls_fast_close(struct tls *t)
{
	alert(t, ALERT_WARNING, SSL_AD_CLOSE_NOTIFY);
}

/* ---- messages beside data ---- */

static int on_alert(struct tls *t, const uint8_t *p, size_t n)
{
	if (n != ALERT_BYTES)
		return fatal(t, SSL_AD_DECODE_ERROR);
	if (p[1] == SSL_AD_USER_CANCELLED)
		return 0;
	t->is_closed = true;
	t->in.n = 0;
	if (p[1] == SSL_AD_CLOSE_NOTIFY)
		return ERR_CLOSED;
	snprintf(t->error, sizeof(t->error), "TLS read failed: the peer sent the alert \"%s\"",
	        SSL_alert_desc_string_long(p[1]));
	return ERR_CRYPTO;
}

static int on_key_update(struct tls *t, const uint8_t *p, size_t n)
{
	static const uint8_t head[MSG_HEAD_BYTES] = {MSG_KEY_UPDATE, 0, 0, 1};

	/* alone in its record: the key changes behind it (RFC 8446 5.1) */
	if (n != KEY_UPDATE_BYTES || memcmp(p, head, sizeof(head)) != 0)
		return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
	if (p[MSG_HEAD_BYTES] > 1)
		return fatal(t, SSL_AD_ILLEGAL_PARAMETER);
	if (tls_record_update(&t->fast->rx) < 0)
		return fatal(t, SSL_AD_INTERNAL_ERROR);
	t->fast->owes_update |= p[MSG_HEAD_BYTES] == 1; /* any number of requests is one answer */
	return 0;
}

static bool in_message(const struct tls_fast *f)
{
	return f->n_msg_head > 0 || f->msg_left > 0;
}

/* Tickets are skipped; they may be cut over records anywhere. */
static int on_handshake(struct tls *t, struct span in)
{
	struct tls_fast *f = t->fast;

	if (in.n == 0)
		return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
	if (!in_message(f) && in.p[0] == MSG_KEY_UPDATE)
		return on_key_update(t, in.p, in.n);
	while (in.n > 0) {
		if (f->msg_left > 0) {
			size_t n = in.n < f->msg_left ? in.n : f->msg_left;
			f->msg_left -= (uint32_t)n;
			in = span_skip(in, n);
			continue;
		}
		f->msg_head[f->n_msg_head++] = in.p[0];
		in = span_skip(in, 1);
		if (f->msg_head[0] != MSG_SESSION_TICKET || t->server)
			return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
		if (f->n_msg_head == MSG_HEAD_BYTES) {
			f->msg_left = (uint32_t)f->msg_head[1] << 16 | (uint32_t)f->msg_head[2] << 8 |
			              f->msg_head[3];
			f->n_msg_head = 0;
		}
	}
	return 0;
}

/* ---- reading ---- */

/* Bytes of the record that begins with this header; negative: not one that may come now. */
static int record_bytes(struct tls *t, const uint8_t *head)
{
	size_t n = (size_t)head[3] << 8 | head[4];

	if (head[0] != TLS_DATA)
		return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
	if (n > TLS_RECORD_BODY_MAX)
		return fatal(t, SSL_AD_RECORD_OVERFLOW);
	if (n < TLS_RECORD_EXTRA_BYTES)
		return fatal(t, SSL_AD_BAD_RECORD_MAC);
	return (int)(TLS_RECORD_HEAD_BYTES + n);
}

/* Moves up to `want` bytes in all into the memory of an incomplete record. True: they are there. */
static bool part_fill(struct tls *t, size_t want)
{
	struct tls_fast *f = t->fast;
	size_t n = want - f->n_part < t->in.n ? want - f->n_part : t->in.n;

	if (n > 0)
		memcpy(f->part + f->n_part, t->in.p, n);
	f->n_part += n;
	t->in = span_skip(t->in, n);
	return f->n_part == want;
}

/* A record that came in pieces, or that is moved here to have memory of its own. Its length, 0: not all of
 * it. */
static int part_next(struct tls *t)
{
	struct tls_fast *f = t->fast;

	if (f->part == NULL && (f->part = malloc(TLS_RECORD_HEAD_BYTES + TLS_RECORD_BODY_MAX)) == NULL)
		return fatal(t, SSL_AD_INTERNAL_ERROR);
	if (f->n_part < TLS_RECORD_HEAD_BYTES && !part_fill(t, TLS_RECORD_HEAD_BYTES))
		return 0;
	int n = record_bytes(t, f->part);
	if (n < 0)
		return n;
	return part_fill(t, (size_t)n) ? n : 0;
}

static void part_free(struct tls_fast *f)
{
	free(f->part);
	f->part = NULL;
	f->n_part = 0;
}

/* The next whole record: where it is in the fed bytes, or *ret_own in memory of ours. Its length, 0: none. */
static int record_next(struct tls *t, size_t cap, bool is_in_place, struct span *ret, bool *ret_own)
{
	struct tls_fast *f = t->fast;
	int n = 0;

	*ret_own = true;
	if (t->in.n == 0)
		return 0;
	if (f->n_part == 0 && t->in.n >= TLS_RECORD_HEAD_BYTES) {
		if ((n = record_bytes(t, t->in.p)) < 0)
			return n;
		*ret_own = (size_t)n > t->in.n ||
		           (!is_in_place && (size_t)n > cap + TLS_RECORD_HEAD_BYTES + AEAD_TAG_BYTES);
	}
	if (!*ret_own) {
		*ret = span_of(t->in.p, (size_t)n);
		t->in = span_skip(t->in, (size_t)n);
		return n;
	}
	if ((n = part_next(t)) > 0)
		*ret = span_of(f->part, (size_t)n);
	return n;
}

/* One record opened: the content's length, its type and place. 0 with type 0: there is none. */
static int content_next(
        struct tls *t, bool is_in_place, uint8_t *buf, size_t cap, uint8_t **ret, uint8_t *ret_type)
{
	struct span record;
	bool is_own;
	int n = record_next(t, cap, is_in_place, &record, &is_own);

	*ret_type = 0;
	if (n <= 0)
		return n;
	/* feeding it writable allowed writing there */
	*ret = is_own || is_in_place ? (uint8_t *)(uintptr_t)record.p + TLS_RECORD_HEAD_BYTES : buf;
	n = tls_record_open(&t->fast->rx, record, *ret, ret_type);
	if (n < 0)
		return fatal(t, n == ERR_CRYPTO      ? SSL_AD_BAD_RECORD_MAC
		                : n == ERR_TOO_LARGE ? SSL_AD_RECORD_OVERFLOW
		                                     : SSL_AD_UNEXPECTED_MESSAGE);
	if (is_own) { /* read, but its bytes stay until the next call */
		t->fast->n_part = 0;
		t->fast->rest = span_of(*ret, *ret_type == TLS_DATA ? (size_t)n : 0);
	}
	return n;
}

/* Data that lies in memory of ours, in as many pieces as the caller's buffer makes of it. */
static int rest_give(struct tls_fast *f, bool is_view, uint8_t *buf, size_t cap, uint8_t **ret)
{
	size_t n = f->rest.n < cap ? f->rest.n : cap;

	*ret = is_view ? (uint8_t *)(uintptr_t)f->rest.p : buf;
	if (!is_view)
		memcpy(buf, f->rest.p, n);
	f->rest = span_skip(f->rest, n);
	return (int)n;
}

/* Records in one go: data, or what ends it. 0 with type 0: no more. */
static int on_record(struct tls *t, uint8_t type, const uint8_t *p, size_t n)
{
	if (type == TLS_DATA && !in_message(t->fast)) {
		if (n > 0)
			t->fast->n_idle = 0;
		return 0;
	}
	switch (type) {
	case TLS_ALERT:
		return on_alert(t, p, n);
	case TLS_HANDSHAKE:
		return on_handshake(t, span_of(p, n));
	default:
		return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
	}
}

int tls_fast_read(struct tls *t, bool is_view, uint8_t *buf, size_t cap, uint8_t **ret)
{
	struct tls_fast *f = t->fast;
	bool is_in_place = is_view && t->is_in_writable;
	uint8_t type;

	while (f->rest.n == 0) {
		if (f->part && f->n_part == 0)
			part_free(f);
		int n = content_next(t, is_in_place, buf, cap, ret, &type);
		if (n < 0 || type == 0)
			return n;
		int r = on_record(t, type, *ret, (size_t)n);
		if (r < 0)
			return r;
		if (type == TLS_DATA && n > 0 && f->rest.n == 0)
			return n;
		if (f->rest.n == 0 && ++f->n_idle > IDLE_RECORDS_MAX)
			return fatal(t, SSL_AD_UNEXPECTED_MESSAGE);
	}
	return rest_give(f, is_view, buf, cap, ret);
}
