#include <errno.h>

#include "load/member.h"

#define FLIGHT_BYTES 1200

static void on_ready(void *ctx, int events);

/* The output is shared: what one member wrote goes out before another one writes. */
static void flush(struct member *m)
{
	struct dtls_out *o = &m->load->dtls_out;
	if (o->n_dgram > 0 && m->dtls.udp.fd >= 0) {
		int sent = udp_send_batch(&m->dtls.udp, &m->dtls.path, o->p, o->dgram, o->n_dgram, NULL);
		(void)sent; /* what a full socket does not take is lost, as UDP may */
	}
	dtls_out_reset(o);
}

void member_dtls_close(struct member *m)
{
	struct member_dtls *d = &m->dtls;
	if (d->is_up) {
		dtls_close(d->dtls);
		flush(m);
	}
	watch_drop(d->watch); /* closes the descriptor */
	dtls_free(d->dtls);
	*d = (struct member_dtls){.udp.fd = -1};
}

static void give_up(struct member *m, int err)
{
	const char *detail = m->dtls.dtls != NULL ? dtls_error(m->dtls.dtls) : "";
	load_note_error(m->load, "DTLS", detail[0] != '\0' ? detail : err_text(err));
	m->load->count.n_dtls_failed += !m->dtls.is_up;
	member_dtls_close(m);
	member_settle(m);
}

static int make_association(struct member *m, const struct tunnel_params *p, const uint8_t *master)
{
	struct span id = span_of(p->dtls_id, p->dtls_id_bytes);
	if (p->suite == DTLS_NONE)
		return ERR_REFUSED;
	if (p->suite != DTLS_PSK_NEGOTIATE)
		return dtls_client_new_resume(m->load->dtls_ctx, id, master,
		        dtls_suite_info(p->suite)->openssl_name, &m->dtls.dtls);
	uint8_t psk[DTLS_PSK_BYTES];
	int err = tls_export_psk(m->conn.tls, psk);
	if (err == 0)
		err = dtls_client_new_psk(m->load->dtls_ctx, id, psk, NULL, &m->dtls.dtls);
	explicit_bzero(psk, sizeof(psk));
	return err;
}

static int make_socket(struct member *m, const struct tunnel_params *p)
{
	const struct load_options *o = &m->load->options;
	struct udp_config config = {.pmtu = UDP_PMTU_DONT};
	if (o->n_sources > 0)
		config.local = o->sources[m->number % o->n_sources];
	int err = udp_connect(
	        &config, &o->gateway, p->dtls_port ? p->dtls_port : (uint16_t)o->port, &m->dtls.udp);
	if (err) {
		m->dtls.udp.fd = -1;
		return err;
	}
	m->dtls.watch = watch_new(&m->load->loop, m->dtls.udp.fd, on_ready, m);
	if (m->dtls.watch == NULL) {
		udp_close(&m->dtls.udp);
		m->dtls.udp.fd = -1;
		return -ENOMEM;
	}
	watch_set(m->dtls.watch, UV_READABLE);
	return 0;
}

static void go_on_handshake(struct member *m)
{
	int err = dtls_handshake(m->dtls.dtls);
	flush(m);
	if (err == ERR_MORE)
		return;
	if (err) {
		give_up(m, err);
		return;
	}
	m->dtls.is_up = true;
	m->load->count.n_dtls_up++;
	load_sample(m->load, STEP_DTLS, m->dtls.begun_ns, load_now_ns());
	member_settle(m);
}

void member_dtls_begin(
        struct member *m, const struct tunnel_params *p, const uint8_t master[static DTLS_SECRET_BYTES])
{
	m->dtls.begun_ns = load_now_ns();
	int err = make_association(m, p, master);
	if (err)
		m->dtls.dtls = NULL;
	else
		err = make_socket(m, p);
	if (err) {
		give_up(m, err);
		return;
	}
	dtls_set_output(m->dtls.dtls, &m->load->dtls_out);
	dtls_set_mtu(m->dtls.dtls, FLIGHT_BYTES);
	go_on_handshake(m);
}

void member_dtls_on_time(struct member *m, ms_t now_ms)
{
	if (now_ms < dtls_timeout_due_ms(m->dtls.dtls, now_ms))
		return;
	int err = dtls_on_timeout(m->dtls.dtls);
	if (err)
		give_up(m, err);
	else
		flush(m);
}

/* ---- packets ---- */

static int reply_dtls(struct member *m, uint8_t type, struct span payload)
{
	uint8_t packet[DTLS_CHANNEL_BYTES + 2048];
	if (payload.n > sizeof(packet) - DTLS_CHANNEL_BYTES)
		return ERR_TOO_LARGE;
	packet[0] = type;
	if (payload.n > 0)
		memcpy(packet + DTLS_CHANNEL_BYTES, payload.p, payload.n);
	return dtls_write(m->dtls.dtls, span_of(packet, DTLS_CHANNEL_BYTES + payload.n));
}

static void take_records(struct member *m)
{
	while (m->dtls.is_up) {
		struct cstp_packet p;
		int n = dtls_read(m->dtls.dtls, m->load->record, TLS_RECORD_MAX);
		if (n == 0)
			return;
		if (n < 0)
			give_up(m, n);
		else if (dtls_channel_parse(span_of(m->load->record, (size_t)n), &p) == 0)
			member_on_packet(m, &p, reply_dtls);
	}
}

static void on_ready(void *ctx, int events)
{
	struct member *m = ctx;
	const struct udp_datagram *d;
	(void)events;
	int n = udp_recv_batch(&m->dtls.udp, m->load->udp_rx, &d);
	for (int i = 0; i < n && m->dtls.dtls != NULL; i++) {
		dtls_feed(m->dtls.dtls, span_of(d[i].p, d[i].n));
		if (!m->dtls.is_up)
			go_on_handshake(m);
		take_records(m);
	}
	if (m->dtls.dtls != NULL)
		flush(m);
}
