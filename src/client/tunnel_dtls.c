#include "client/tunnel_dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/dtls_assoc.h"
#include "wire/pieces.h"

#define DTLS_RX_SLOTS 8

const struct tunnel_dtls_pace tunnel_dtls_pace_classic = {
        .handshake_ms = 12000, .first_timeout_ms = 1000, .gap_ms = 60000};
const struct tunnel_dtls_pace tunnel_dtls_pace_foreign = {.handshake_ms = 12000,
        .first_timeout_ms = 1000,
        .gap_ms = 4000,
        .pause_ms = 1000,
        .pause_max_ms = 30000};
const struct tunnel_dtls_pace tunnel_dtls_pace_own = {.handshake_ms = 4000,
        .first_timeout_ms = 300,
        .gap_ms = 1000,
        .pause_ms = 1000,
        .pause_max_ms = 30000};
/* classic: what was up and is lost is tried again this soon */
#define CLASSIC_SOON_MS 4000

static void assoc_ready(void *ctx, int events);

static void tell_too_big(struct tunnel_dtls *t, const struct dtls_assoc *a)
{
	uint16_t path_bytes;
	if (t->on_too_big != NULL && udp_path_mtu(&a->udp, &path_bytes) == 0)
		t->on_too_big(t->owner.ctx, path_bytes);
}

static void assoc_flush(struct tunnel_dtls *t, struct dtls_assoc *a)
{
	t->count.tx_wire_bytes += a->out.n;
	if (dtls_assoc_flush(a))
		tell_too_big(t, a);
}

/* The PSK is that of the TLS connection as it is now, so it is asked for with each try. */
static int assoc_new(struct tunnel_dtls *t, struct dtls_assoc **ret)
{
	struct dtls_assoc_config c = {
	        .ctx = t->ctx,
	        .terms = &t->terms,
	        .offloads_refused = t->offloads_refused,
	        .loop = t->loop,
	        .on_ready = assoc_ready,
	        .tunnel = t,
	};
	int err = 0;
	if (t->terms.suite == DTLS_PSK_NEGOTIATE)
		err = t->get_psk(t->owner.ctx, c.psk);
	if (err == 0)
		err = dtls_assoc_new(&c, ret);
	explicit_bzero(c.psk, sizeof(c.psk));
	return err;
}

/* ---- the tunnel ---- */

int tunnel_dtls_init(struct tunnel_dtls *t, uv_loop_t *loop)
{
	*t = (struct tunnel_dtls){
	        .loop = loop, .retry_at_ms = MS_NEVER, .terms.pace = &tunnel_dtls_pace_classic};
	t->rx_buf = malloc((size_t)DTLS_RX_SLOTS * UDP_SLOT_BYTES);
	t->record = malloc(DTLS_PLAIN_MAX);
	if (t->rx_buf == NULL || t->record == NULL)
		return -ENOMEM;
	int err = udp_rx_new(t->rx_buf, DTLS_RX_SLOTS, UDP_SLOT_BYTES, &t->rx);
	if (err == 0)
		err = dtls_ctx_new(&t->ctx);
	return err;
}

static void update_stage(struct tunnel_dtls *t)
{
	t->stage = t->used != NULL               ? TUNNEL_DTLS_UP
	           : t->next != NULL             ? TUNNEL_DTLS_HANDSHAKE
	           : t->terms.suite != DTLS_NONE ? TUNNEL_DTLS_WAIT
	                                         : TUNNEL_DTLS_OFF;
}

void tunnel_dtls_close(struct tunnel_dtls *t, bool is_polite)
{
	if (t->used != NULL && is_polite) {
		dtls_close(t->used->dtls);
		assoc_flush(t, t->used);
	}
	dtls_assoc_free(&t->used);
	dtls_assoc_free(&t->next);
	dtls_assoc_free(&t->old);
	t->stage = TUNNEL_DTLS_OFF;
	t->retry_at_ms = MS_NEVER;
	t->must_renew = false;
}

void tunnel_dtls_done(struct tunnel_dtls *t)
{
	tunnel_dtls_close(t, false);
	dtls_ctx_free(t->ctx);
	udp_rx_free(t->rx);
	free(t->rx_buf);
	free(t->record);
	explicit_bzero(&t->terms, sizeof(t->terms));
}

/* ---- tries ---- */

static ms_t next_try_ms(const struct tunnel_dtls *t, ms_t now_ms)
{
	const struct tunnel_dtls_pace *p = t->terms.pace;
	ms_t pause_ms = p->pause_ms;
	for (unsigned i = 1; i < t->tries && pause_ms < p->pause_max_ms; i++)
		pause_ms *= 2;
	if (pause_ms > p->pause_max_ms)
		pause_ms = p->pause_max_ms;
	ms_t soonest_ms = ms_add(t->started_at_ms, p->gap_ms), at_ms = ms_add(now_ms, pause_ms);
	return soonest_ms > at_ms ? soonest_ms : at_ms;
}

/* This try, or what was up, is over. */
static void lose(struct tunnel_dtls *t, struct dtls_assoc **at, int err)
{
	char why[256];
	bool was_try = at == &t->next;
	const char *detail = *at != NULL ? dtls_error((*at)->dtls) : "";
	(void)snprintf(why, sizeof(why), "%s", detail[0] != '\0' ? detail : err_text(err));
	dtls_assoc_free(at);
	if (was_try && t->terms.suite != DTLS_PSK_NEGOTIATE && err == ERR_PEER_PROTOCOL)
		t->retry_at_ms = MS_NEVER; /* it will not agree the next time, either */
	else if (t->next == NULL)
		t->retry_at_ms = next_try_ms(t, loop_now());
	update_stage(t);
	t->owner.on_lost(t->owner.ctx, LINK_DTLS, err, why);
}

static void come_up(struct tunnel_dtls *t)
{
	if (t->used != NULL)
		assoc_flush(t, t->used);
	dtls_assoc_free(&t->old);
	t->old = t->used;
	t->old_until_ms = ms_add(loop_now(), TUNNEL_DTLS_LINGER_MS);
	t->used = t->next;
	t->next = NULL;
	t->tries = 0;
	t->retry_at_ms = MS_NEVER;
	t->must_renew = false;
	t->stage = TUNNEL_DTLS_UP;
	t->owner.on_up(t->owner.ctx, LINK_DTLS);
}

static void go_on_handshake(struct tunnel_dtls *t)
{
	int err = dtls_handshake(t->next->dtls);
	assoc_flush(t, t->next);
	if (err == 0)
		come_up(t);
	else if (err != ERR_MORE)
		lose(t, &t->next, err);
}

static void start(struct tunnel_dtls *t, ms_t now_ms)
{
	dtls_assoc_free(&t->next);
	t->started_at_ms = now_ms;
	t->retry_at_ms = MS_NEVER;
	t->tries++;
	int err = assoc_new(t, &t->next);
	if (err) {
		lose(t, &t->next, err);
		return;
	}
	update_stage(t);
	go_on_handshake(t);
}

void tunnel_dtls_begin(
        struct tunnel_dtls *t, const struct tunnel_dtls_terms *terms, bool keeps_used, ms_t now_ms)
{
	if (!keeps_used || terms->suite == DTLS_NONE)
		tunnel_dtls_close(t, false);
	t->terms = *terms;
	t->tries = 0;
	t->must_renew = t->used != NULL;
	if (terms->suite != DTLS_NONE)
		start(t, now_ms);
}

static ms_t soon_ms(const struct tunnel_dtls *t, ms_t now_ms)
{
	ms_t gap_ms = t->terms.pace->gap_ms;
	ms_t at_ms = ms_add(t->started_at_ms, gap_ms < CLASSIC_SOON_MS ? gap_ms : CLASSIC_SOON_MS);
	return at_ms > now_ms ? at_ms : now_ms;
}

void tunnel_dtls_restart(struct tunnel_dtls *t, ms_t now_ms)
{
	tunnel_dtls_close(t, false);
	t->retry_at_ms = soon_ms(t, now_ms);
	update_stage(t);
}

void tunnel_dtls_replace(struct tunnel_dtls *t, ms_t now_ms)
{
	if (t->used == NULL || t->next != NULL || t->retry_at_ms != MS_NEVER)
		return;
	t->retry_at_ms = soon_ms(t, now_ms);
}

/* Keys that have served long enough: a successor is made beside, and data goes on meanwhile. */
static void renew_if_worn(struct tunnel_dtls *t)
{
	if (t->used == NULL || t->next != NULL || t->must_renew || !dtls_wants_rekey(t->used->dtls))
		return;
	t->must_renew = true;
	t->retry_at_ms = soon_ms(t, loop_now());
}

void tunnel_dtls_settle(struct tunnel_dtls *t)
{
	if (t->used != NULL && t->next == NULL && !t->must_renew) {
		t->retry_at_ms = MS_NEVER;
		t->tries = 0;
	}
}

ms_t tunnel_dtls_due_ms(const struct tunnel_dtls *t, ms_t now_ms)
{
	ms_t due_ms = t->old != NULL ? ms_min(t->old_until_ms, t->retry_at_ms) : t->retry_at_ms;
	if (t->next == NULL)
		return due_ms;
	due_ms = ms_min(due_ms, ms_add(t->started_at_ms, t->terms.pace->handshake_ms));
	return ms_min(due_ms, dtls_timeout_due_ms(t->next->dtls, now_ms));
}

static void repeat_flight(struct tunnel_dtls *t, ms_t now_ms)
{
	if (now_ms >= ms_add(t->started_at_ms, t->terms.pace->handshake_ms)) {
		lose(t, &t->next, ERR_TIMEOUT);
		return;
	}
	int err = dtls_on_timeout(t->next->dtls);
	if (err)
		lose(t, &t->next, err);
	else
		assoc_flush(t, t->next);
}

void tunnel_dtls_on_time(struct tunnel_dtls *t, ms_t now_ms)
{
	if (now_ms < tunnel_dtls_due_ms(t, now_ms))
		return;
	if (t->old != NULL && now_ms >= t->old_until_ms)
		dtls_assoc_free(&t->old);
	if (t->next != NULL)
		repeat_flight(t, now_ms);
	else if (now_ms >= t->retry_at_ms)
		start(t, now_ms);
}

void tunnel_dtls_info(const struct tunnel_dtls *t, struct dtls_info *ret)
{
	dtls_info(t->used->dtls, ret);
}

/* ---- packets ---- */

/* Any call to the owner may have ended it. */
static bool is_there(const struct tunnel_dtls *t, const struct dtls_assoc *a)
{
	return t->used == a || t->next == a || t->old == a;
}

static void take_records(struct tunnel_dtls *t, struct dtls_assoc *a)
{
	while (is_there(t, a) && t->next != a) {
		struct cstp_packet p;
		uint8_t *record;
		int n = dtls_read_view(a->dtls, t->record, DTLS_PLAIN_MAX, &record);
		if (n == 0)
			return;
		if (n < 0 && a == t->old) {
			dtls_assoc_free(&t->old);
			return;
		}
		if (n < 0) {
			lose(t, &t->used, n);
			return;
		}
		if (dtls_channel_parse(span_of(record, (size_t)n), &p) != 0)
			continue; /* an empty record says nothing */
		if (a == t->old && p.type != CSTP_DATA && p.type != DTLS_PIECE)
			continue; /* says nothing about the one in use */
		channel_count_rx(&t->count, &p);
		t->owner.on_packet(t->owner.ctx, LINK_DTLS, &p);
	}
}

static void take_datagram(struct tunnel_dtls *t, struct dtls_assoc *a, const struct udp_datagram *d)
{
	t->count.rx_wire_bytes += d->n;
	dtls_feed_writable(a->dtls, d->p, d->n); /* the socket is its own */
	if (t->next == a)
		go_on_handshake(t);
	take_records(t, a);
}

static void assoc_ready(void *ctx, int events)
{
	struct dtls_assoc *a = ctx;
	struct tunnel_dtls *t = a->tunnel;
	const struct udp_datagram *d;
	(void)events;
	int n = udp_recv_batch(&a->udp, t->rx, &d);
	/* ICMP unreachable while shaking hands: nobody there, do not wait for the timeout. Later it may be
	 * forged or short-lived; DPD decides then. */
	if (n == -ECONNREFUSED && t->next == a) {
		lose(t, &t->next, n);
		n = 0;
	}
	if (n == -EMSGSIZE && t->used == a)
		tell_too_big(t, a);
	for (int i = 0; i < n && is_there(t, a); i++)
		take_datagram(t, a, &d[i]);
	if (is_there(t, a))
		assoc_flush(t, a);
	renew_if_worn(t);
	t->owner.on_batch(t->owner.ctx);
}

int tunnel_dtls_put(struct tunnel_dtls *t, struct span packet)
{
	int err = dtls_write(t->used->dtls, packet);
	if (err == 0)
		dtls_out_may_fragment(&t->used->out);
	return err;
}

int tunnel_dtls_put_control(struct tunnel_dtls *t, uint8_t type, struct span payload)
{
	uint8_t *packet = malloc(DTLS_PLAIN_MAX);
	if (packet == NULL)
		return -ENOMEM;
	if (payload.n > DTLS_PLAIN_MAX - DTLS_CHANNEL_BYTES)
		payload.n = DTLS_PLAIN_MAX - DTLS_CHANNEL_BYTES;
	packet[0] = type;
	if (payload.n > 0)
		memcpy(packet + DTLS_CHANNEL_BYTES, payload.p, payload.n);
	int err = dtls_write(t->used->dtls, span_of(packet, DTLS_CHANNEL_BYTES + payload.n));
	free(packet);
	if (err == 0)
		channel_count_control(&t->count, payload.n);
	return err;
}

void tunnel_dtls_flush(struct tunnel_dtls *t)
{
	if (t->used != NULL)
		assoc_flush(t, t->used);
	renew_if_worn(t);
}

bool tunnel_dtls_keeps(const struct tunnel_dtls *t, const uint8_t *p)
{
	return p >= t->rx_buf && p < t->rx_buf + (size_t)DTLS_RX_SLOTS * UDP_SLOT_BYTES;
}
