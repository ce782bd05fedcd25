/* Data that overtakes the handshake. A peer that has sent or seen the last Finished may send data at once,
 * and UDP may deliver it first, or in one datagram with the Finished. OpenSSL would take it in, and it would
 * be lost with its object; so it is kept apart until the keys are ours (datapath.md section 6, pitfall 4). */
#include <stdlib.h>

#include "io/dtls_internal.h"

static bool is_early(const struct dtls_record_head *h)
{
	return h->epoch > 0 && (h->type == DTLS_DATA || h->type == DTLS_ALERT);
}

void dtls_early_reset(struct dtls *d)
{
	free(d->early.p);
	free(d->filtered);
	d->early = (struct dtls_early){0};
	d->filtered = NULL;
}

/* Anybody who can forge the peer's address can fill this: what does not fit is lost, as datagrams are. */
static void early_keep(struct dtls_early *e, const struct dtls_record_head *h)
{
	size_t n = h->head.n + h->body.n;

	if (e->n_record >= DTLS_EARLY_RECORDS_MAX || e->n + n > DTLS_EARLY_BYTES_MAX)
		return;
	uint8_t *bigger = realloc(e->p, e->n + n);
	if (bigger == NULL)
		return;
	memcpy(bigger + e->n, h->head.p, n); /* the body follows its header */
	e->p = bigger;
	e->n += n;
	e->n_record++;
}

struct span dtls_early_take(struct dtls *d, struct span datagram)
{
	struct span rest = datagram;
	struct dtls_record_head h;
	size_t n_kept = 0, n_early = 0;

	while (dtls_record_cut(&rest, &h))
		n_early += is_early(&h);
	if (n_early == 0)
		return datagram;
	free(d->filtered);
	d->filtered = malloc(datagram.n);
	if (d->filtered == NULL)
		return span_of(NULL, 0);
	for (rest = datagram; dtls_record_cut(&rest, &h);) {
		if (is_early(&h)) {
			early_keep(&d->early, &h);
			continue;
		}
		memcpy(d->filtered + n_kept, h.head.p, h.head.n + h.body.n);
		n_kept += h.head.n + h.body.n;
	}
	return span_of(d->filtered, n_kept);
}

struct span dtls_early_next(struct dtls *d)
{
	struct dtls_early *e = &d->early;
	struct dtls_record_head h;

	if (e->p == NULL)
		return span_of(NULL, 0);
	struct span rest = span_of(e->p + e->at, e->n - e->at);
	if (!dtls_record_cut(&rest, &h)) {
		dtls_early_reset(d);
		return span_of(NULL, 0);
	}
	e->at += h.head.n + h.body.n;
	return span_of(h.head.p, h.head.n + h.body.n);
}
