#include "load/member.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_BYTES (256u << 10)

static void on_ready(void *ctx, int events);

void member_push(struct member *m)
{
	int err = conn_push(&m->conn);
	if (err == 0 || err == -EAGAIN)
		watch_set(m->watch, err ? UV_READABLE | UV_WRITABLE : UV_READABLE);
	else
		member_fail(m, "send", err);
}

/* ---- beginning and end ---- */

static int dial_socket(const struct member *m)
{
	const struct load_options *o = &m->load->options;
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(&o->gateway, (uint16_t)o->port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = 0;
	if (o->n_sources > 0) {
		struct sockaddr_storage from;
		socklen_t n_from = addr_to_sockaddr(&o->sources[m->number % o->n_sources], 0, &from);
		r = bind(fd, (struct sockaddr *)&from, n_from);
	}
	if (r == 0)
		r = connect(fd, (struct sockaddr *)&sa, n);
	if (r < 0 && errno != EINPROGRESS) {
		int err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void dial(struct member *m)
{
	m->stage = MEMBER_DIAL;
	m->stage_ns = load_now_ns();
	int fd = dial_socket(m);
	if (fd < 0) {
		member_fail(m, "connect", fd);
		return;
	}
	m->watch = watch_new(&m->load->loop, fd, on_ready, m);
	if (m->watch == NULL) {
		close(fd);
		member_fail(m, "connect", -ENOMEM);
		return;
	}
	m->conn.fd = fd;
	watch_set(m->watch, UV_WRITABLE);
}

static void hang_up(struct member *m)
{
	if (m->conn.fd >= 0)
		(void)conn_release_fd(&m->conn); /* the watch closes it */
	watch_drop(m->watch);
	m->watch = NULL;
}

void member_begin(struct member *m)
{
	m->begun_ns = load_now_ns();
	m->until_ms = loop_now() + (ms_t)m->load->options.timeout_s * 1000;
	tls_out_init(&m->conn.out, OUT_BYTES);
	m->conn.rx = m->load->rx;
	int err = member_login_init(m);
	if (err)
		member_fail(m, "login", err);
	else
		dial(m);
}

void member_redial(struct member *m)
{
	hang_up(m);
	dial(m);
}

static void settle_once(struct member *m)
{
	if (m->is_settled)
		return;
	m->is_settled = true;
	load_settled(m->load);
}

void member_fail(struct member *m, const char *what, int err)
{
	struct load_counts *c = &m->load->count;
	const char *detail = m->conn.tls != NULL ? tls_error(m->conn.tls) : "";
	if (m->stage == MEMBER_ENDED)
		return;
	load_note_error(m->load, what, detail[0] != '\0' ? detail : err_text(err));
	c->n_lost += m->stage == MEMBER_UP;
	c->n_failed += m->stage != MEMBER_UP;
	m->stage = MEMBER_ENDED;
	member_dtls_close(m);
	member_login_done(m);
	hang_up(m);
	settle_once(m);
}

static int reply_tls(struct member *m, uint8_t type, struct span payload)
{
	uint8_t packet[CSTP_HEADER_BYTES + 2048];
	if (payload.n > sizeof(packet) - CSTP_HEADER_BYTES)
		return ERR_TOO_LARGE;
	cstp_put_header(packet, type, (uint16_t)payload.n);
	if (payload.n > 0)
		memcpy(packet + CSTP_HEADER_BYTES, payload.p, payload.n);
	return tls_write(m->conn.tls, span_of(packet, CSTP_HEADER_BYTES + payload.n));
}

void member_end(struct member *m)
{
	static const uint8_t code = DISCONNECT_USER;
	if (m->stage == MEMBER_UP && reply_tls(m, CSTP_DISCONNECT, span_of(&code, 1)) == 0) {
		tls_close(m->conn.tls);
		int err = conn_push(&m->conn);
		(void)err; /* goodbye is a courtesy */
	}
	if (m->stage == MEMBER_IDLE)
		return;
	m->stage = MEMBER_ENDED;
	member_dtls_close(m);
	member_login_done(m);
	hang_up(m);
}

void member_free(struct member *m)
{
	member_login_done(m);
	tls_out_done(&m->conn.out);
}

/* ---- stages ---- */

void member_go(struct member *m, enum member_stage stage, enum load_step step)
{
	uint64_t at_ns = load_now_ns();
	load_sample(m->load, step, m->stage_ns, at_ns);
	m->stage = stage;
	m->stage_ns = at_ns;
}

void member_settle(struct member *m)
{
	if (m->load->options.is_once)
		member_end(m);
	settle_once(m);
}

static int tls_begin(struct member *m)
{
	char host[ADDR_TEXT_MAX];
	int err = tls_client_new(m->load->tls, addr_format(&m->load->options.gateway, host), &m->conn.tls);
	if (err)
		m->conn.tls = NULL;
	else
		tls_set_output(m->conn.tls, &m->conn.out);
	return err;
}

static void go_on_handshake(struct member *m)
{
	int err = conn_handshake(&m->conn);
	if (err == ERR_MORE)
		return;
	if (err) {
		member_fail(m, "TLS", err);
		return;
	}
	member_go(m, MEMBER_LOGIN, STEP_TLS);
	member_login_send(m);
}

static void on_dialled(struct member *m)
{
	int err = 0;
	socklen_t n = sizeof(err);
	if (getsockopt(m->conn.fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	err = err ? -err : sock_tune(m->conn.fd, 0, 0);
	if (err == 0)
		err = tls_begin(m);
	if (err) {
		member_fail(m, "connect", err);
		return;
	}
	member_go(m, MEMBER_HANDSHAKE, STEP_TCP);
	watch_set(m->watch, UV_READABLE);
	go_on_handshake(m);
}

/* ---- bytes ---- */

void member_on_packet(struct member *m, const struct cstp_packet *p, member_reply_fn *reply)
{
	struct load_counts *c = &m->load->count;
	switch (p->type) {
	case CSTP_DATA:
		c->n_rx_packets++;
		break;
	case CSTP_DPD_REQUEST:
		c->n_dpd_answers += reply(m, CSTP_DPD_RESPONSE, p->payload) == 0;
		break;
	case CSTP_DISCONNECT:
	case CSTP_TERMINATE:
		member_fail(m, "disconnected by the gateway", ERR_CLOSED);
		break;
	default:
		break;
	}
}

static void take_packets(struct member *m, struct span record)
{
	struct cstp_packet p;
	enum cstp_fault fault;
	while (record.n > 0 && m->stage == MEMBER_UP) {
		if (cstp_take(&record, &p, &fault) != 0)
			member_fail(m, "packet", ERR_MALFORMED);
		else
			member_on_packet(m, &p, reply_tls);
	}
}

static void read_records(struct member *m)
{
	while (m->stage >= MEMBER_LOGIN && m->stage <= MEMBER_UP && m->conn.tls != NULL) {
		int n = tls_read_record(m->conn.tls, m->load->record, TLS_RECORD_MAX);
		if (n == 0)
			return;
		if (n < 0)
			member_fail(m, "TLS", n);
		else if (m->stage == MEMBER_UP)
			take_packets(m, span_of(m->load->record, (size_t)n));
		else
			member_login_take(m, span_of(m->load->record, (size_t)n));
	}
}

static void on_ready(void *ctx, int events)
{
	struct member *m = ctx;
	if (m->stage == MEMBER_DIAL) {
		on_dialled(m);
		return;
	}
	if (events & UV_READABLE) {
		int err = conn_pull(&m->conn);
		if (err == -EAGAIN)
			return;
		if (err)
			member_fail(m, "connection", err);
		else if (m->stage == MEMBER_HANDSHAKE)
			go_on_handshake(m);
		read_records(m);
	}
	if (m->conn.tls != NULL)
		member_push(m);
}

void member_on_time(struct member *m, ms_t now_ms)
{
	if (now_ms >= m->until_ms)
		member_fail(m, "login", ERR_TIMEOUT);
	else if (m->dtls.dtls != NULL && !m->dtls.is_up)
		member_dtls_on_time(m, now_ms);
}
