/* Records of a session on their way to its client: written into the thread's batch, sent when it is full,
 * when another session writes, or at the end of the turn. */
#include <errno.h>

#include "gateway/dtls_int.h"
#include "wire/pieces.h"

#define IP4_UDP_BYTES 28
#define IP6_UDP_BYTES 48

/* The inner packet that a datagram of this size carries, bytes: the limit of the base MTU less the same
 * difference. */
static size_t inner_bytes(const struct session *s, size_t datagram_bytes)
{
	size_t headers = s->id.peer.family == 6 ? IP6_UDP_BYTES : IP4_UDP_BYTES;
	size_t largest = s->mtu.base - headers, less = largest - datagram_bytes;
	if (datagram_bytes >= largest)
		return s->dtls.limit_bytes;
	return less < s->dtls.limit_bytes ? s->dtls.limit_bytes - less : 0;
}

static void send_out(struct session *s, struct session_assoc *a)
{
	struct worker *w = s->w;
	struct dtls_out *o = &w->scratch.dtls_out;
	unsigned n_lost = 0;
	size_t done = 0;
	if (o->n_dgram > 0) {
		int r = udp_send_batch(&w->udp, &a->path, o->p, o->dgram, o->n_dgram, &n_lost);
		done = r < 0 ? 0 : (size_t)r;
	}
	s->traffic[LINK_DTLS].tx_drops += o->n_dgram - done + n_lost;
	dtls_out_reset(o);
	if (a->path.too_big_bytes != 0 && a == &s->dtls.active) {
		link_on_too_big(&s->link, inner_bytes(s, a->path.too_big_bytes), worker_now(w));
		session_touch(s);
	}
	a->path.too_big_bytes = 0;
}

void dtls_tx_flush(struct worker *w)
{
	struct session *s = w->turn.dtls_pending;
	w->turn.dtls_pending = NULL;
	if (s)
		send_out(s, &s->dtls.active);
}

void dtls_assoc_flush(struct session *s, struct session_assoc *a)
{
	send_out(s, a);
}

int dtls_tx_in_place(struct session *s, uint8_t type, uint8_t *payload, size_t n)
{
	struct worker *w = s->w;
	struct span plain = span_of(payload - DTLS_CHANNEL_BYTES, DTLS_CHANNEL_BYTES + n);
	if (s->dtls.active.dtls == NULL)
		return ERR_CLOSED;
	if (w->turn.dtls_pending != s)
		dtls_tx_flush(w);
	w->turn.dtls_pending = s;
	*(payload - DTLS_CHANNEL_BYTES) = type;
	int r = dtls_write(s->dtls.active.dtls, plain);
	if (r == -ENOBUFS) { /* the batch is full: send it, go on with an empty one */
		send_out(s, &s->dtls.active);
		r = dtls_write(s->dtls.active.dtls, plain);
	}
	if (r == 0 && (type == CSTP_DATA || type == DTLS_PIECE)) /* control packets measure the path */
		dtls_out_may_fragment(&w->scratch.dtls_out);
	return r;
}

int dtls_tx(struct session *s, uint8_t type, struct span payload)
{
	uint8_t *copy = s->w->scratch.record + DTLS_CHANNEL_BYTES;
	if (payload.n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	if (payload.n > 0)
		memcpy(copy, payload.p, payload.n);
	return dtls_tx_in_place(s, type, copy, payload.n);
}
