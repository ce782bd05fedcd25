#include "client/tunnel_dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DTLS_OUT_BYTES    (256u << 10)
#define DTLS_RX_SLOTS     8
#define DTLS_UDP_BUFFER   (4 << 20)
#define DTLS_FLIGHT_BYTES 1200

static void tunnel_dtls_ready(void *ctx, int events);

int tunnel_dtls_init(struct tunnel_dtls *t, uv_loop_t *loop)
{
	*t = (struct tunnel_dtls){.loop = loop, .udp.fd = -1, .retry_at_ms = MS_NEVER};
	t->rx_buf = malloc((size_t)DTLS_RX_SLOTS * UDP_SLOT_BYTES);
	t->record = malloc(DTLS_PLAIN_MAX);
	if (t->rx_buf == NULL || t->record == NULL)
		return -ENOMEM;
	int err = udp_rx_new(t->rx_buf, DTLS_RX_SLOTS, UDP_SLOT_BYTES, &t->rx);
	if (err == 0)
		err = dtls_out_init(&t->out, DTLS_OUT_BYTES, TUNNEL_DTLS_BATCH);
	if (err == 0)
		err = dtls_ctx_new(&t->ctx);
	return err;
}

void tunnel_dtls_close(struct tunnel_dtls *t, bool is_polite)
{
	if (t->stage == TUNNEL_DTLS_UP && is_polite) {
		dtls_close(t->dtls);
		tunnel_dtls_flush(t);
	}
	watch_drop(t->watch); /* closes the descriptor */
	t->watch = NULL;
	t->udp.fd = -1;
	dtls_free(t->dtls);
	t->dtls = NULL;
	dtls_out_reset(&t->out);
	t->stage = TUNNEL_DTLS_OFF;
	t->retry_at_ms = MS_NEVER;
}

void tunnel_dtls_done(struct tunnel_dtls *t)
{
	tunnel_dtls_close(t, false);
	dtls_out_done(&t->out);
	dtls_ctx_put(t->ctx);
	udp_rx_free(t->rx);
	free(t->rx_buf);
	free(t->record);
	explicit_bzero(&t->terms, sizeof(t->terms));
}

/* ---- tries ---- */

static void wait_until(struct tunnel_dtls *t, ms_t at_ms)
{
	tunnel_dtls_close(t, false);
	t->stage = TUNNEL_DTLS_WAIT;
	t->retry_at_ms = at_ms;
}

/* This try, or what was up, is over: the next one a minute after this one began. */
static void lose(struct tunnel_dtls *t, int err)
{
	char why[256];
	const char *detail = t->dtls != NULL ? dtls_error(t->dtls) : "";
	(void)snprintf(why, sizeof(why), "%s", detail[0] != '\0' ? detail : err_text(err));
	bool is_final = t->terms.suite != DTLS_PSK_NEGOTIATE && err == ERR_PEER_PROTOCOL &&
	                t->stage == TUNNEL_DTLS_HANDSHAKE;
	wait_until(t, is_final ? MS_NEVER : ms_add(t->started_at_ms, TUNNEL_DTLS_RETRY_MS));
	t->owner.on_lost(t->owner.ctx, LINK_DTLS, err, why);
}

static int make_association(struct tunnel_dtls *t)
{
	struct tunnel_dtls_terms *k = &t->terms;
	struct span id = span_of(k->id, k->id_bytes);
	if (k->suite != DTLS_PSK_NEGOTIATE)
		return dtls_client_new_resume(
		        t->ctx, id, k->master, dtls_suite_info(k->suite)->openssl_name, &t->dtls);
	uint8_t psk[DTLS_PSK_BYTES];
	int err = t->get_psk(t->owner.ctx, psk);
	if (err == 0)
		err = dtls_client_new_psk(t->ctx, id, psk, NULL, &t->dtls);
	explicit_bzero(psk, sizeof(psk));
	return err;
}

static int make_socket(struct tunnel_dtls *t)
{
	struct udp_config config = {
	        .wants_gro = true, .pmtu = UDP_PMTU_DONT, .buffer_bytes = DTLS_UDP_BUFFER};
	int err = udp_connect(&config, &t->terms.peer, t->terms.port, &t->udp);
	if (err) {
		t->udp.fd = -1;
		return err;
	}
	t->path = (struct udp_path){0};
	t->watch = watch_new(t->loop, t->udp.fd, tunnel_dtls_ready, t);
	if (t->watch == NULL) {
		udp_close(&t->udp);
		t->udp.fd = -1;
		return -ENOMEM;
	}
	watch_set(t->watch, UV_READABLE);
	return 0;
}

static void come_up(struct tunnel_dtls *t)
{
	t->stage = TUNNEL_DTLS_UP;
	t->owner.on_up(t->owner.ctx, LINK_DTLS);
}

static void go_on_handshake(struct tunnel_dtls *t)
{
	int err = dtls_handshake(t->dtls);
	tunnel_dtls_flush(t);
	if (err == 0)
		come_up(t);
	else if (err != ERR_MORE)
		lose(t, err);
}

static void start(struct tunnel_dtls *t, ms_t now_ms)
{
	tunnel_dtls_close(t, false);
	t->started_at_ms = now_ms;
	t->tries++;
	t->stage = TUNNEL_DTLS_HANDSHAKE;
	int err = make_association(t);
	if (err)
		t->dtls = NULL;
	else
		err = make_socket(t);
	if (err) {
		lose(t, err);
		return;
	}
	dtls_set_output(t->dtls, &t->out);
	dtls_set_mtu(t->dtls, DTLS_FLIGHT_BYTES);
	go_on_handshake(t);
}

void tunnel_dtls_begin(struct tunnel_dtls *t, const struct tunnel_dtls_terms *terms, ms_t now_ms)
{
	tunnel_dtls_close(t, false);
	t->terms = *terms;
	if (terms->suite != DTLS_NONE)
		start(t, now_ms);
}

void tunnel_dtls_restart(struct tunnel_dtls *t, ms_t now_ms)
{
	ms_t soon_ms = ms_add(t->started_at_ms, TUNNEL_DTLS_SOON_MS);
	wait_until(t, soon_ms > now_ms ? soon_ms : now_ms);
}

ms_t tunnel_dtls_due_ms(const struct tunnel_dtls *t, ms_t now_ms)
{
	if (t->stage == TUNNEL_DTLS_WAIT)
		return t->retry_at_ms;
	if (t->stage != TUNNEL_DTLS_HANDSHAKE)
		return MS_NEVER;
	return ms_min(
	        ms_add(t->started_at_ms, TUNNEL_DTLS_HANDSHAKE_MS), dtls_timeout_due_ms(t->dtls, now_ms));
}

void tunnel_dtls_on_time(struct tunnel_dtls *t, ms_t now_ms)
{
	if (now_ms < tunnel_dtls_due_ms(t, now_ms))
		return;
	if (t->stage == TUNNEL_DTLS_WAIT) {
		start(t, now_ms);
	} else if (t->stage == TUNNEL_DTLS_HANDSHAKE) {
		if (now_ms >= ms_add(t->started_at_ms, TUNNEL_DTLS_HANDSHAKE_MS)) {
			lose(t, ERR_TIMEOUT);
			return;
		}
		int err = dtls_on_timeout(t->dtls);
		if (err)
			lose(t, err);
		else
			tunnel_dtls_flush(t);
	}
}

/* ---- packets ---- */

static void take_records(struct tunnel_dtls *t)
{
	while (t->stage == TUNNEL_DTLS_UP) {
		struct cstp_packet p;
		int n = dtls_read(t->dtls, t->record, DTLS_PLAIN_MAX);
		if (n == 0)
			return;
		if (n < 0) {
			lose(t, n);
			return;
		}
		if (dtls_channel_parse(span_of(t->record, (size_t)n), &p) != 0)
			continue; /* an empty record says nothing */
		channel_count_rx(&t->count, &p);
		t->owner.on_packet(t->owner.ctx, LINK_DTLS, &p);
	}
}

static void take_datagram(struct tunnel_dtls *t, const struct udp_datagram *d)
{
	t->count.rx_wire_bytes += d->n;
	dtls_feed(t->dtls, span_of(d->p, d->n));
	if (t->stage == TUNNEL_DTLS_HANDSHAKE)
		go_on_handshake(t);
	take_records(t);
}

static void tunnel_dtls_ready(void *ctx, int events)
{
	struct tunnel_dtls *t = ctx;
	const struct udp_datagram *d;
	(void)events;
	int n = udp_recv_batch(&t->udp, t->rx, &d);
	/* ICMP unreachable while shaking hands: nobody there, do not wait for the timeout. Later it may be
	 * forged or short-lived; DPD decides then. */
	if (n == -ECONNREFUSED && t->stage == TUNNEL_DTLS_HANDSHAKE)
		lose(t, n);
	for (int i = 0; i < n && t->stage >= TUNNEL_DTLS_HANDSHAKE; i++)
		take_datagram(t, &d[i]);
	if (t->stage >= TUNNEL_DTLS_HANDSHAKE)
		tunnel_dtls_flush(t);
}

int tunnel_dtls_put(struct tunnel_dtls *t, struct span packet)
{
	return dtls_write(t->dtls, packet);
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
	int err = dtls_write(t->dtls, span_of(packet, DTLS_CHANNEL_BYTES + payload.n));
	free(packet);
	if (err == 0)
		channel_count_control(&t->count, payload.n);
	return err;
}

void tunnel_dtls_flush(struct tunnel_dtls *t)
{
	struct udp_piece pieces[TUNNEL_DTLS_BATCH];
	size_t n = t->out.n_dgram;
	if (n == 0 || t->udp.fd < 0)
		return;
	if (n > TUNNEL_DTLS_BATCH)
		n = TUNNEL_DTLS_BATCH;
	for (size_t i = 0; i < n; i++) {
		pieces[i] = (struct udp_piece){t->out.dgram[i].offset, t->out.dgram[i].len};
		t->count.tx_wire_bytes += t->out.dgram[i].len;
	}
	/* what a full socket does not take is lost, as UDP may */
	int sent = udp_send_batch(&t->udp, &t->path, t->out.p, pieces, n, NULL);
	(void)sent;
	dtls_out_reset(&t->out);
}
