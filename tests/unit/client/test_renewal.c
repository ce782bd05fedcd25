/* The keys of a DTLS association are worn (RFC 8446 5.5): a successor is made beside it, and not a packet is
 * lost meanwhile. This program has a record layer of its own with a limit of REKEY_BLOCKS (meson.build),
 * which a few packets reach. The gateway is an echo in the same loop. */
#include "../unit.h"

#include <stdio.h>

#include "client/tunnel_dtls.h"
#include "wire/dtls_hello.h"

#define PACKET_BYTES 1000 /* 65 blocks with its header */
#define LIMIT_MS     20000
#define ASSOCS_MAX   8

static const uint8_t psk[DTLS_PSK_BYTES] = {5};

static struct gateway {
	struct udp udp;
	struct watch *watch;
	struct udp_rx *rx;
	struct dtls_ctx *ctx;
	struct dtls_out out;
	struct echo {
		struct udp_path path;
		struct dtls *dtls;
		unsigned n_data;
	} assocs[ASSOCS_MAX];
	unsigned n_assocs;
} g;

static struct client {
	uv_loop_t loop;
	uv_timer_t timer, limit;
	struct tunnel_dtls tunnel;
	unsigned n_up, n_lost, n_sent, n_echoed;
} c;

/* ---- the gateway ---- */

static struct echo *assoc_of(const struct udp_datagram *d)
{
	for (unsigned i = 0; i < g.n_assocs; i++)
		if (udp_addr_eq(&g.assocs[i].path.peer, d->peer))
			return &g.assocs[i];
	assert_true(g.n_assocs < ASSOCS_MAX);
	struct echo *e = &g.assocs[g.n_assocs++];
	*e = (struct echo){.path = {.peer = *d->peer, .local = *d->local}};
	assert_int_equal(dtls_server_new_psk(g.ctx, psk, NULL, &e->dtls), 0);
	dtls_set_output(e->dtls, &g.out);
	return e;
}

static void echo(struct echo *e, const struct udp_datagram *d)
{
	static uint8_t plain[DTLS_PLAIN_MAX];
	int n;
	dtls_feed(e->dtls, span_of(d->p, d->n));
	if (!dtls_is_up(e->dtls))
		n = dtls_handshake(e->dtls);
	while (dtls_is_up(e->dtls) && (n = dtls_read(e->dtls, plain, sizeof(plain))) > 0) {
		assert_int_equal(dtls_write(e->dtls, span_of(plain, (size_t)n)), 0);
		e->n_data++;
	}
	if (g.out.n_dgram > 0)
		assert_int_equal(udp_send_batch(&g.udp, &e->path, g.out.p, g.out.dgram, g.out.n_dgram, NULL),
		        (int)g.out.n_dgram);
	dtls_out_reset(&g.out);
}

static void gateway_ready(void *ctx, int events)
{
	const struct udp_datagram *d;
	(void)ctx, (void)events;
	int n = udp_recv_batch(&g.udp, g.rx, &d);
	for (int i = 0; i < n; i++)
		echo(assoc_of(&d[i]), &d[i]);
}

static uint16_t gateway_open(void)
{
	static uint8_t slots[4 * UDP_SLOT_BYTES];
	struct udp_config u = {.local = addr_from_v4(0x7f000001)};
	uint16_t port;
	assert_int_equal(udp_listen(&u, &g.udp), 0);
	assert_int_equal(udp_local_port(&g.udp, &port), 0);
	assert_int_equal(udp_rx_new(slots, 4, UDP_SLOT_BYTES, &g.rx), 0);
	assert_int_equal(dtls_ctx_new(&g.ctx), 0);
	assert_int_equal(dtls_out_init(&g.out, 64 << 10, 64), 0);
	g.watch = watch_new(&c.loop, g.udp.fd, gateway_ready, NULL);
	assert_non_null(g.watch);
	watch_set(g.watch, UV_READABLE);
	return port;
}

/* ---- the client ---- */

static void send_one(void)
{
	static uint8_t packet[1 + PACKET_BYTES] = {CSTP_DATA};
	c.n_sent++;
	memcpy(packet + 1, &c.n_sent, sizeof(c.n_sent));
	assert_int_equal(tunnel_dtls_put(&c.tunnel, span_of(packet, sizeof(packet))), 0);
	tunnel_dtls_flush(&c.tunnel);
}

static void on_timer(uv_timer_t *t)
{
	(void)t;
	tunnel_dtls_on_time(&c.tunnel, loop_now());
}

static void timer_set(void)
{
	ms_t now_ms = loop_now(), due_ms = tunnel_dtls_due_ms(&c.tunnel, now_ms);
	uv_timer_stop(&c.timer);
	if (due_ms != MS_NEVER)
		uv_timer_start(&c.timer, on_timer, due_ms > now_ms ? due_ms - now_ms + 1 : 0, 0);
}

static void on_up(void *ctx, enum link_channel ch)
{
	(void)ctx, (void)ch;
	if (++c.n_up == 1)
		send_one();
}

/* As long as keys are worn, and some packets more with the new ones. */
static void on_packet(void *ctx, enum link_channel ch, const struct cstp_packet *p)
{
	(void)ctx, (void)ch;
	assert_int_equal(p->payload.n, PACKET_BYTES);
	c.n_echoed++;
	assert_memory_equal(p->payload.p, &c.n_echoed, sizeof(c.n_echoed)); /* in order, none lost */
	if (c.n_up < 2 || g.assocs[1].n_data < 3)
		send_one();
	else
		uv_stop(&c.loop);
}

static void on_batch(void *ctx)
{
	(void)ctx;
	timer_set();
}

static void on_lost(void *ctx, enum link_channel ch, int err, const char *why)
{
	(void)ctx, (void)ch, (void)err;
	fprintf(stderr, "%s\n", why);
	c.n_lost++;
}

static int get_psk(void *ctx, uint8_t ret[static DTLS_PSK_BYTES])
{
	(void)ctx;
	memcpy(ret, psk, sizeof(psk));
	return 0;
}

static void on_limit(uv_timer_t *t)
{
	(void)t;
	fail_msg("no second association: %u sent, %u echoed", c.n_sent, c.n_echoed);
}

TEST(worn_keys_are_replaced_without_loss)
{
	const struct tunnel_dtls_terms terms = {.suite = DTLS_PSK_NEGOTIATE,
	        .id = {1},
	        .id_bytes = DTLS_ID_BYTES,
	        .peer = addr_from_v4(0x7f000001),
	        .pmtu = UDP_PMTU_PROBE,
	        .pace = &tunnel_dtls_pace_own};
	struct tunnel_dtls_terms k = terms;
	assert_int_equal(uv_loop_init(&c.loop), 0);
	uv_timer_init(&c.loop, &c.timer);
	uv_timer_init(&c.loop, &c.limit);
	uv_timer_start(&c.limit, on_limit, LIMIT_MS, 0);
	k.port = gateway_open();
	assert_int_equal(tunnel_dtls_init(&c.tunnel, &c.loop), 0);
	c.tunnel.owner = (struct channel_owner){
	        .on_up = on_up, .on_packet = on_packet, .on_batch = on_batch, .on_lost = on_lost};
	c.tunnel.get_psk = get_psk;
	tunnel_dtls_begin(&c.tunnel, &k, false, loop_now());
	timer_set();
	uv_run(&c.loop, UV_RUN_DEFAULT);
	assert_int_equal(c.n_up, 2);
	assert_int_equal(c.n_lost, 0);
	assert_int_equal(g.n_assocs, 2); /* no more tries than that */
	assert_true(g.assocs[0].n_data > 15);
	tunnel_dtls_done(&c.tunnel);
	uv_close((uv_handle_t *)&c.timer, NULL);
	uv_close((uv_handle_t *)&c.limit, NULL);
	watch_drop(g.watch);
	uv_run(&c.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&c.loop), 0);
	for (unsigned i = 0; i < g.n_assocs; i++)
		dtls_free(g.assocs[i].dtls);
	dtls_ctx_free(g.ctx);
	udp_rx_free(g.rx);
	dtls_out_done(&g.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(worn_keys_are_replaced_without_loss),
	};
	return RUN(tests);
}
