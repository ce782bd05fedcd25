/* An association on our own record layer. What is not data is rare and small: alerts, repeated handshake
 * messages, attempts to negotiate anew. */
#include <errno.h>
#include <stdio.h>

#include <openssl/ssl.h>

#include "io/dtls_internal.h"

#define ALERT_BYTES      2
#define ALERT_WARNING    1 /* RFC 5246 7.2 */
#define ALERT_FATAL      2
#define MSG_HELLO_REQ    0 /* RFC 5246 7.4 */
#define MSG_CLIENT_HELLO 1
#define MSG_FINISHED     20

static int fast_put(struct dtls *d, enum dtls_content type, struct span plain)
{
	struct dtls_out *o = d->out;
	size_t n = plain.n + dtls_record_overhead_bytes(d->record);

	if (o == NULL || o->n_dgram >= o->cap_dgram || n > o->cap - o->n)
		return -ENOBUFS;
	int r = dtls_record_seal(d->record, type, o->p + o->n, plain);
	if (r < 0)
		return r;
	o->dgram[o->n_dgram++] = (struct udp_piece){.offset = (uint32_t)o->n, .len = (uint32_t)r};
	o->n += (size_t)r;
	return 0;
}

static void fast_alert(struct dtls *d, uint8_t level, uint8_t what)
{
	if (fast_put(d, DTLS_ALERT, span_of((uint8_t[]){level, what}, ALERT_BYTES)) < 0 && d->out)
		d->out->n_dropped++;
}

int dtls_fast_write(struct dtls *d, struct span plaintext)
{
	int r = fast_put(d, DTLS_DATA, plaintext);

	if (r < 0 && r != -ENOBUFS)
		d->is_closed = true;
	return r;
}

void dtls_fast_close(struct dtls *d)
{
	fast_alert(d, ALERT_WARNING, SSL_AD_CLOSE_NOTIFY);
}

static int on_alert(struct dtls *d, const uint8_t *p, size_t n)
{
	if (n != ALERT_BYTES)
		return 0;
	if (p[1] != SSL_AD_CLOSE_NOTIFY && p[0] != ALERT_FATAL)
		return 0; /* a refused renegotiation, and others without meaning here */
	if (p[1] != SSL_AD_CLOSE_NOTIFY)
		snprintf(d->error, sizeof(d->error), "DTLS read failed: the peer sent the alert \"%s\"",
		        SSL_alert_desc_string_long(p[1]));
	d->is_closed = true;
	d->in.n = 0;
	return ERR_CLOSED;
}

/* The peer has not got our last flight: the very same bytes again (RFC 6347 4.2.4). Only who has the keys can
 * ask for it, once per record. */
static void flight_repeat(struct dtls *d)
{
	struct dtls_flight *f = &d->flight;
	size_t at = 0;

	for (unsigned i = 0; i < f->n_dgram; at += f->len[i++])
		if (d->out && !dtls_out_put(d->out, f->p + at, f->len[i]))
			d->out->n_dropped++;
}

static void on_handshake(struct dtls *d, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	uint8_t type = p[0];
	if (type == MSG_FINISHED)
		flight_repeat(d);
	else if (type == MSG_HELLO_REQ || type == MSG_CLIENT_HELLO)
		fast_alert(d, ALERT_WARNING, SSL_AD_NO_RENEGOTIATION);
}

/* The next record with its plaintext; its length, 0 with h->type 0 when there is none, negative: drop it. */
static int record_next(
        struct dtls *d, struct dtls_record_head *h, bool is_in_place, uint8_t *buf, size_t cap, uint8_t **ret)
{
	struct span early = dtls_early_next(d);
	bool is_early = early.n > 0;

	h->type = 0;
	if (!dtls_record_cut(is_early ? &early : &d->in, h)) {
		d->in.n = 0;
		return 0;
	}
	int n = dtls_record_plain_bytes(d->record, h);
	if (n < 0)
		return n;
	/* feeding it writable allowed this */
	*ret = is_in_place && !is_early ? (uint8_t *)(uintptr_t)h->body.p + dtls_record_text_offset(d->record)
	                                : buf;
	if (*ret == buf && (size_t)n > cap)
		return ERR_TOO_LARGE;
	return dtls_record_open(d->record, h, *ret);
}

int dtls_fast_read(struct dtls *d, bool is_in_place, uint8_t *buf, size_t cap, uint8_t **ret)
{
	struct dtls_record_head h;

	do {
		int n = record_next(d, &h, is_in_place, buf, cap, ret), r = 0;
		if (n < 0)
			continue;
		switch (h.type) {
		case DTLS_DATA:
			dtls_flight_reset(d); /* who sends data has our Finished */
			if (n > 0)
				return n;
			break;
		case DTLS_ALERT:
			r = on_alert(d, *ret, (size_t)n);
			break;
		case DTLS_HANDSHAKE:
			on_handshake(d, *ret, (size_t)n);
			break;
		}
		if (r < 0)
			return r;
	} while (d->in.n > 0 || d->early.n > 0);
	return 0;
}
