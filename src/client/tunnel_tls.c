#include "client/tunnel_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void tunnel_tls_ready(void *ctx, int events);

int tunnel_tls_init(struct tunnel_tls *t, uv_loop_t *loop, struct gate *gate)
{
	*t = (struct tunnel_tls){.loop = loop, .gate = gate};
	t->record = malloc(TLS_RECORD_MAX);
	t->reply = calloc(1, sizeof(*t->reply));
	int err = conn_init(&t->conn);
	return t->record == NULL || t->reply == NULL ? -ENOMEM : err;
}

void tunnel_tls_done(struct tunnel_tls *t)
{
	tunnel_tls_close(t, false);
	conn_done(&t->conn);
	if (t->reply != NULL)
		https_reply_done(t->reply);
	free(t->reply);
	free(t->record);
	free(t->long_memory);
}

void tunnel_tls_close(struct tunnel_tls *t, bool is_polite)
{
	if (t->stage == TUNNEL_TLS_DIAL)
		sock_dial_done(&t->dial);
	t->stage = TUNNEL_TLS_DOWN;
	t->setup_until_ms = MS_NEVER;
	(void)cstp_long_end(&t->rx_long);
	if (t->watch == NULL) {
		conn_close(&t->conn, is_polite);
		return;
	}
	if (conn_is_open(&t->conn)) {
		if (is_polite) {
			tls_close(t->conn.tls);
			int err = conn_push(&t->conn);
			(void)err; /* goodbye is a courtesy */
		}
		/* the peer must see the end now, not when the loop lets go of the descriptor */
		shutdown(conn_release_fd(&t->conn), SHUT_RDWR);
	}
	watch_drop(t->watch);
	t->watch = NULL;
}

static void tunnel_tls_lose(struct tunnel_tls *t, int err)
{
	char why[TLS_ERROR_TEXT_MAX] = "";
	if (conn_is_open(&t->conn) && tls_error(t->conn.tls)[0] != '\0')
		(void)snprintf(why, sizeof(why), "%s", tls_error(t->conn.tls));
	else
		(void)snprintf(why, sizeof(why), "%s", err_text(err));
	tunnel_tls_close(t, false);
	t->owner.on_lost(t->owner.ctx, LINK_TLS, err, why);
}

static void watch_update(struct tunnel_tls *t)
{
	if (t->watch != NULL)
		watch_set(t->watch, UV_READABLE | (tunnel_tls_is_stuffed(t) ? UV_WRITABLE : 0));
}

/* Sends what waits; a failure ends the tunnel. False then. */
static bool tunnel_tls_push(struct tunnel_tls *t)
{
	bool was_stuffed = tunnel_tls_is_stuffed(t);
	int err = conn_push(&t->conn);
	if (err != 0 && err != -EAGAIN) {
		tunnel_tls_lose(t, err);
		return false;
	}
	watch_update(t);
	if (was_stuffed && err == 0)
		t->owner.on_room(t->owner.ctx);
	return true;
}

void tunnel_tls_flush(struct tunnel_tls *t)
{
	if (t->stage >= TUNNEL_TLS_HANDSHAKE)
		(void)tunnel_tls_push(t);
}

/* ---- setting up ---- */

static void ask_connect(struct tunnel_tls *t)
{
	struct text request = {.is_secret = true};
	struct sock_tcp_facts facts = {0};
	uint16_t base_mtu = 0;
	if (sock_tcp_facts(t->conn.fd, &facts) == 0 && facts.pmtu_bytes <= 16384)
		base_mtu = (uint16_t)facts.pmtu_bytes;
	t->format_request(t->owner.ctx, base_mtu, &request);
	int err = text_ok(&request) ? tls_write(t->conn.tls, span_of(request.p, request.n)) : -ENOMEM;
	text_done(&request);
	https_reply_done(t->reply);
	https_reply_init(t->reply, true);
	t->stage = TUNNEL_TLS_ASK;
	if (err)
		tunnel_tls_lose(t, err);
	else
		(void)tunnel_tls_push(t);
}

static void go_on_handshake(struct tunnel_tls *t)
{
	int err = conn_handshake(&t->conn);
	if (err == 0)
		ask_connect(t);
	else if (err == ERR_MORE)
		watch_update(t);
	else
		tunnel_tls_lose(t, err);
}

static bool watch_begin(struct tunnel_tls *t, int fd, int events)
{
	t->watch = watch_new(t->loop, fd, tunnel_tls_ready, t);
	if (t->watch != NULL)
		watch_set(t->watch, events);
	return t->watch != NULL;
}

/* The dial keeps its descriptor: a duplicate of it is watched. */
static void watch_dial(struct tunnel_tls *t)
{
	if (t->watch != NULL)
		return;
	t->watch = watch_new_copy(t->loop, t->dial.fds[0], tunnel_tls_ready, t);
	if (t->watch != NULL) /* else the setup's time limit ends it */
		watch_set(t->watch, UV_WRITABLE);
}

static void go_on_dial(struct tunnel_tls *t, ms_t now_ms)
{
	int fd;
	size_t which;
	int err = sock_dial_step(&t->dial, now_ms, &fd, &which);
	if (err == ERR_MORE) {
		watch_dial(t);
		return;
	}
	watch_drop(t->watch);
	t->watch = NULL;
	if (err) {
		t->stage = TUNNEL_TLS_DOWN; /* the dial has closed its descriptors */
		tunnel_tls_lose(t, err);
		return;
	}
	t->stage = TUNNEL_TLS_HANDSHAKE;
	err = conn_open(&t->conn, t->gate->tls, t->gate->host, fd);
	if (err || !watch_begin(t, fd, UV_READABLE))
		tunnel_tls_lose(t, err ? err : -ENOMEM);
	else
		go_on_handshake(t);
}

void tunnel_tls_dial(struct tunnel_tls *t, ms_t now_ms)
{
	tunnel_tls_close(t, false);
	t->stage = TUNNEL_TLS_DIAL;
	t->setup_until_ms = ms_add(now_ms, TUNNEL_TLS_SETUP_MS);
	sock_dial_init(&t->dial, &t->gate->peer, 1);
	go_on_dial(t, now_ms);
}

void tunnel_tls_adopt(struct tunnel_tls *t, struct conn *conn, ms_t now_ms)
{
	uint64_t rx_bytes = t->conn.rx_bytes, tx_bytes = t->conn.tx_bytes;
	tunnel_tls_close(t, false);
	conn_done(&t->conn);
	t->conn = *conn;
	*conn = (struct conn){.fd = -1};
	t->conn.rx_bytes = rx_bytes; /* those before CONNECT do not count */
	t->conn.tx_bytes = tx_bytes;
	tls_set_output(t->conn.tls, &t->conn.out);
	t->stage = TUNNEL_TLS_HANDSHAKE;
	t->setup_until_ms = ms_add(now_ms, TUNNEL_TLS_SETUP_MS);
	if (!watch_begin(t, t->conn.fd, UV_READABLE))
		tunnel_tls_lose(t, -ENOMEM);
	else
		ask_connect(t);
}

ms_t tunnel_tls_due_ms(const struct tunnel_tls *t)
{
	if (t->stage == TUNNEL_TLS_DOWN || t->stage == TUNNEL_TLS_UP)
		return MS_NEVER;
	return t->stage == TUNNEL_TLS_DIAL ? ms_min(t->dial.next_at_ms, t->setup_until_ms)
	                                   : t->setup_until_ms;
}

void tunnel_tls_on_time(struct tunnel_tls *t, ms_t now_ms)
{
	if (t->stage == TUNNEL_TLS_DOWN || t->stage == TUNNEL_TLS_UP)
		return;
	if (now_ms >= t->setup_until_ms)
		tunnel_tls_lose(t, ERR_TIMEOUT);
	else if (t->stage == TUNNEL_TLS_DIAL)
		go_on_dial(t, now_ms);
}

/* ---- packets ---- */

static void begin_long(struct tunnel_tls *t, struct span part)
{
	if (t->long_memory == NULL && (t->long_memory = malloc(CSTP_LONG_BYTES)) == NULL) {
		tunnel_tls_lose(t, -ENOMEM);
		return;
	}
	cstp_long_begin(&t->rx_long, t->long_memory, part);
	t->owner.on_part(t->owner.ctx, LINK_TLS, part.n);
}

static void go_on_long(struct tunnel_tls *t, struct span part)
{
	int err = cstp_long_put(&t->rx_long, part);
	if (err == ERR_MORE) {
		t->owner.on_part(t->owner.ctx, LINK_TLS, part.n);
		return;
	}
	struct cstp_packet p = cstp_long_packet(&t->rx_long);
	(void)cstp_long_end(&t->rx_long); /* the memory stays */
	if (err != 0)
		tunnel_tls_lose(t, err);
	else
		t->owner.on_packet(t->owner.ctx, LINK_TLS, &p);
}

static void take_packets(struct tunnel_tls *t, struct span record)
{
	enum cstp_fault fault;
	struct cstp_packet p;
	if (cstp_long_waits(&t->rx_long)) {
		go_on_long(t, record);
		return;
	}
	while (record.n > 0 && t->stage == TUNNEL_TLS_UP) {
		if (t->takes_super && cstp_long_begins(record, CSTP_SUPER)) {
			begin_long(t, record);
			return;
		}
		if (cstp_take(&record, &p, &fault) != 0) {
			/* behind a frame that cannot be read there is no next one: begin anew with the cookie
			 */
			tunnel_tls_lose(t, ERR_MALFORMED);
			return;
		}
		if (p.type != CSTP_SUPER || !t->takes_super) /* who takes it apart counts what is in it */
			channel_count_rx(&t->count, &p);
		t->owner.on_packet(t->owner.ctx, LINK_TLS, &p);
	}
}

static void take_answer(struct tunnel_tls *t, struct span plaintext)
{
	int done = https_reply_feed(t->reply, plaintext);
	if (done == 0)
		return;
	if (done < 0) {
		tunnel_tls_lose(t, done);
		return;
	}
	if (t->on_answer(t->owner.ctx, &t->reply->head) != 0) {
		tunnel_tls_close(t, true);
		return;
	}
	t->stage = TUNNEL_TLS_UP;
	tls_go_fast(t->conn.tls);
	int err = sock_limit_unsent(t->conn.fd, TUNNEL_TLS_UNSENT_BYTES);
	(void)err; /* slower to answer, but it works */
	t->setup_until_ms = MS_NEVER;
	t->owner.on_up(t->owner.ctx, LINK_TLS);
	if (t->stage == TUNNEL_TLS_UP)
		take_packets(t, https_reply_rest(t->reply));
}

/* What is missing of a long packet is decrypted to its place. */
static int read_record(struct tunnel_tls *t, uint8_t **ret)
{
	size_t n;
	if (!cstp_long_waits(&t->rx_long))
		return tls_read_view(t->conn.tls, t->record, TLS_RECORD_MAX, ret);
	*ret = cstp_long_room(&t->rx_long, &n);
	return tls_read_record(t->conn.tls, *ret, n);
}

static void read_records(struct tunnel_tls *t)
{
	while (t->stage >= TUNNEL_TLS_ASK) {
		uint8_t *record;
		int n = read_record(t, &record);
		if (n == 0)
			return;
		if (n < 0)
			tunnel_tls_lose(t, n);
		else if (t->stage == TUNNEL_TLS_ASK)
			take_answer(t, span_of(record, (size_t)n));
		else
			take_packets(t, span_of(record, (size_t)n));
	}
}

static void take_ready(struct tunnel_tls *t, int events)
{
	if (t->stage == TUNNEL_TLS_DIAL) {
		go_on_dial(t, loop_now());
		return;
	}
	if ((events & UV_WRITABLE) && !tunnel_tls_push(t))
		return;
	if (!(events & UV_READABLE) || t->stage == TUNNEL_TLS_DOWN)
		return;
	int err = conn_pull(&t->conn);
	if (err == -EAGAIN)
		return;
	if (err)
		tunnel_tls_lose(t, err);
	else if (t->stage == TUNNEL_TLS_HANDSHAKE)
		go_on_handshake(t);
	if (err == 0)
		read_records(t);
	/* answers to DPD, KeyUpdate and the like that reading produced */
	if (t->stage >= TUNNEL_TLS_ASK)
		(void)tunnel_tls_push(t);
}

static void tunnel_tls_ready(void *ctx, int events)
{
	struct tunnel_tls *t = ctx;
	take_ready(t, events);
	t->owner.on_batch(t->owner.ctx);
}

int tunnel_tls_put(struct tunnel_tls *t, struct span packet)
{
	return tls_write(t->conn.tls, packet);
}

int tunnel_tls_put_long(struct tunnel_tls *t, struct span packet)
{
	int err = 0;
	if (!tls_has_room(t->conn.tls, packet.n))
		return -ENOBUFS;
	while (packet.n > 0 && err == 0) {
		size_t n = packet.n < TLS_RECORD_MAX ? packet.n : TLS_RECORD_MAX;
		err = tls_write(t->conn.tls, span_of(packet.p, n));
		packet = span_skip(packet, n);
	}
	return err;
}

int tunnel_tls_put_control(struct tunnel_tls *t, uint8_t type, struct span payload)
{
	uint8_t *packet = malloc(CSTP_RECORD_MAX);
	if (packet == NULL)
		return -ENOMEM;
	if (payload.n > CSTP_PAYLOAD_MAX)
		payload.n = CSTP_PAYLOAD_MAX;
	cstp_put_header(packet, type, (uint16_t)payload.n);
	if (payload.n > 0)
		memcpy(packet + CSTP_HEADER_BYTES, payload.p, payload.n);
	int err = tls_write(t->conn.tls, span_of(packet, CSTP_HEADER_BYTES + payload.n));
	free(packet);
	if (err == 0)
		channel_count_control(&t->count, payload.n);
	return err;
}
