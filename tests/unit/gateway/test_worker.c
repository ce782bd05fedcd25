/* The worker process as a child, driven from all its sides by one script: the monitor and auth over their
 * sockets, the inside over a socket pair in place of a TUN queue, clients over TLS and DTLS on the loopback.
 * No root. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "gateway/process.h"
#include "io/offload.h"
#include "io/sock.h"
#include "wire/cstp.h"
#include "wire/pieces.h"
#include "wire/http.h"
#include "wire/ip.h"

#define WAIT_MS       20000 /* for what must come */
#define PROVEN_BYTES  1200  /* a request of this size is one of full size */
#define SILENCE_MS    100   /* for what must not */
#define INNER_CLIENT  0x0a010002u
#define INNER_SERVER  0x0a0100feu
#define INNER_GATEWAY 0x0a010001u
#define PACKET_MAX    16376
#define CONNECT_LINES "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nUser-Agent: Open AnyConnect test\r\n"

static char *config_text; /* with so many aliases and routes that forms and CONNECT answers are large */

static const char config_begin[] = "webvpn\n enable outside\n tunnel-group-list enable\n"
                                   "group-policy GP internal\n"
                                   "group-policy GP attributes\n"
                                   " vpn-tunnel-protocol ssl-client\n"
                                   " split-tunnel-policy tunnelspecified\n"
                                   " split-tunnel-network-list value SPLIT\n"
                                   "tunnel-group STAFF type remote-access\n"
                                   "tunnel-group STAFF general-attributes\n"
                                   " default-group-policy GP\n"
                                   "tunnel-group STAFF webvpn-attributes\n"
                                   " group-alias staff enable\n";

static struct gateway {
	pid_t pid;
	struct chan monitor, auth;
	int tun;
	int log; /* what the worker writes to its log, and sanitizers to standard error */
	bool gives_ip6;
	uint8_t log_level; /* 0: warnings */
	uint8_t offloads_refused;
	const char *more_config;
	uint16_t tcp_port, udp_port;
	bool has_second;
	struct second { /* of the second thread; each has listeners of its own here, to be told apart */
		struct chan auth;
		int tun;
		uint16_t tcp_port, udp_port;
	} second;
} g;

static struct tls_client_ctx *tls_ctx;
static struct dtls_ctx *dtls_ctx;
static struct text pem; /* certificate and key */
static const uint8_t token[IPC_TOKEN_BYTES] = {0xab, 1, 2, 3};

static char pin[TLS_PIN_TEXT_MAX]; /* of the certificate */

static int client_ctx_make(enum tls_version max, struct tls_client_ctx **ret)
{
	static const char *const pins[] = {pin};
	const struct tls_client_opts o = {.pin = pins, .n_pin = 1, .max = max};
	return tls_client_ctx_new(&o, NULL, ret);
}

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, ms) == 1;
}

/* ---- the other processes ---- */

static void fd_send_to(uint16_t thread, uint8_t kind, int fd)
{
	struct ipc_msg m = {.type = IPC_FD, .fd = {.kind = kind, .index = thread}};
	assert_int_equal(chan_send(&g.monitor, &m, fd), 0);
	close(fd);
}

static void fd_send(uint8_t kind, int fd)
{
	fd_send_to(0, kind, fd);
}

static int memfd_of(struct span s)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, s.p, s.n), (ssize_t)s.n);
	return fd;
}

static int config_memfd(void)
{
	struct text t = {0};
	text_str(&t, config_text);
	text_str(&t, g.more_config ? g.more_config : "");
	int fd = memfd_of(span_of(t.p, t.n));
	text_done(&t);
	return fd;
}

static void expect(struct chan *c, uint8_t type, struct ipc_msg *ret)
{
	int fd;
	assert_true(readable(c->fd, WAIT_MS));
	assert_int_equal(chan_recv(c, IPC_RUNNING, 0, ret, &fd), 0);
	assert_string_equal(ipc_type_name(ret->type), ipc_type_name(type));
}

static void auth_say(const struct ipc_msg *m)
{
	assert_int_equal(chan_send(&g.auth, m, -1), 0);
}

static int listeners_open(int *ret_tcp, uint16_t *ret_tcp_port, uint16_t *ret_udp_port)
{
	struct sock_listen l = {.addr = addr_from_v4(0x7f000001)};
	struct udp_config uc = {.local = addr_from_v4(0x7f000001)};
	struct ip_addr any;
	struct udp u;
	assert_int_equal(sock_listen_tcp(&l, ret_tcp), 0);
	assert_int_equal(sock_local(*ret_tcp, &any, ret_tcp_port), 0);
	assert_int_equal(udp_listen(&uc, &u), 0);
	assert_int_equal(udp_local_port(&u, ret_udp_port), 0);
	return u.fd;
}

static void second_open(void)
{
	struct second *t = &g.second;
	int auth[2], tun[2], tcp;
	assert_int_equal(chan_pair(auth), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, tun), 0);
	chan_init(&t->auth, auth[0], IPC_AUTH, IPC_WORKER);
	t->tun = tun[0];
	fd_send_to(1, IPC_FD_UDP, listeners_open(&tcp, &t->tcp_port, &t->udp_port));
	fd_send_to(1, IPC_FD_TCP, tcp);
	fd_send_to(1, IPC_FD_TUN, tun[1]);
	fd_send_to(1, IPC_FD_AUTH, auth[1]);
}

static void gateway_start(void)
{
	int mon[2], auth[2], tun[2], tcp, udp;
	struct ipc_msg m = {.type = IPC_START,
	        .start = {.n_threads = g.has_second ? 2 : 1,
	                .log_level = g.log_level ? g.log_level : 4,
	                .offloads_refused = g.offloads_refused}};
	assert_int_equal(chan_pair(mon), 0);
	assert_int_equal(chan_pair(auth), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, tun), 0);
	udp = listeners_open(&tcp, &g.tcp_port, &g.udp_port);
	g.pid = fork();
	assert_true(g.pid >= 0);
	if (g.pid == 0) {
		close(mon[0]);
		_exit(worker_main(mon[1]));
	}
	close(mon[1]);
	chan_init(&g.monitor, mon[0], IPC_MONITOR, IPC_WORKER);
	chan_init(&g.auth, auth[0], IPC_AUTH, IPC_WORKER);
	g.tun = tun[0];
	g.log = memfd_of(span_str("-"));
	fd_send(IPC_FD_LOG, dup(g.log));
	fd_send(IPC_FD_CONFIG, config_memfd());
	fd_send(IPC_FD_CERT, memfd_of(span_of(pem.p, pem.n)));
	fd_send(IPC_FD_TUN, tun[1]);
	fd_send(IPC_FD_TCP, tcp);
	fd_send(IPC_FD_UDP, udp);
	fd_send(IPC_FD_AUTH, auth[1]);
	if (g.has_second)
		second_open();
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	expect(&g.monitor, IPC_READY, &m);
}

static unsigned log_count(const char *what)
{
	static char buf[1 << 20];
	unsigned n = 0;
	ssize_t got = pread(g.log, buf, sizeof(buf) - 1, 0);
	assert_true(got > 0);
	buf[got] = '\0';
	for (const char *at = buf; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* The child must end well: a sanitizer's report would make another status. */
static void gateway_stop(bool tells_clients)
{
	int status;
	struct ipc_msg m = {.type = IPC_SHUTDOWN, .shutdown.tells_clients = tells_clients};
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	assert_int_equal(waitpid(g.pid, &status, 0), g.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(log_count("runtime error") + log_count("Sanitizer"), 0);
	close(g.log);
	chan_done(&g.monitor);
	chan_done(&g.auth);
	close(g.tun);
	if (g.has_second) {
		chan_done(&g.second.auth);
		close(g.second.tun);
	}
}

/* ---- a client ---- */

struct client {
	int fd;
	struct tls *tls;
	struct tls_out out;
	uint8_t rx[32768];
	uint8_t plain[TLS_RECORD_MAX];
	struct text in; /* HTTP received */
	uint8_t id[32]; /* for DTLS */
	struct dtls *dtls;
	struct dtls_out dout;
	uint32_t udp_from; /* 0: 127.0.0.1 */
	struct udp udp;
	struct udp_rx *urx;
	uint8_t uslot[UDP_SLOT_BYTES];
};

static void client_flush(struct client *c)
{
	size_t done = 0;
	while (done < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + done, c->out.n - done, MSG_NOSIGNAL);
		if (n < 0) /* the gateway has closed: what it said shows when reading */
			break;
		done += (size_t)n;
	}
	tls_out_consume(&c->out, c->out.n);
}

/* More ciphertext; false at the end of the connection. */
static bool client_receive(struct client *c, int ms)
{
	if (!readable(c->fd, ms))
		fail_msg("the gateway says nothing");
	ssize_t n = recv(c->fd, c->rx, sizeof(c->rx), 0);
	return n > 0 && tls_feed(c->tls, span_of(c->rx, (size_t)n)) == 0;
}

static struct client *client_open_at(uint16_t port, int mss)
{
	struct client *c = calloc(1, sizeof(*c));
	struct sockaddr_in sa = {
	        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
	int r;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (mss) {
		int rcvbuf = 2048;
		assert_int_equal(setsockopt(c->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)), 0);
		assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)), 0);
	}
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	tls_out_init(&c->out, 1 << 20);
	assert_int_equal(tls_client_new(tls_ctx, "localhost", &c->tls), 0);
	tls_set_output(c->tls, &c->out);
	while ((r = tls_handshake(c->tls)) == ERR_MORE) {
		client_flush(c);
		assert_true(client_receive(c, WAIT_MS));
	}
	assert_int_equal(r, 0);
	client_flush(c);
	return c;
}

static struct client *client_open_mss(int mss)
{
	return client_open_at(g.tcp_port, mss);
}

static struct client *client_open(void)
{
	return client_open_mss(0);
}

static void client_free(struct client *c)
{
	tls_free(c->tls);
	tls_out_done(&c->out);
	text_done(&c->in);
	dtls_free(c->dtls);
	dtls_out_done(&c->dout);
	udp_rx_free(c->urx);
	if (c->udp.fd > 0)
		udp_close(&c->udp);
	close(c->fd);
	free(c);
}

static void client_say(struct client *c, const void *p, size_t n)
{
	assert_int_equal(tls_write(c->tls, span_of(p, n)), 0);
	client_flush(c);
}

/* One record; a negative class at the end of the connection. */
static int client_record(struct client *c)
{
	for (;;) {
		int n = tls_read_record(c->tls, c->plain, sizeof(c->plain));
		if (n != 0)
			return n;
		if (!client_receive(c, WAIT_MS))
			return ERR_CLOSED;
	}
}

/* One whole answer; its status. */
static unsigned client_answer(struct client *c)
{
	static struct http_head h;
	size_t used;
	int r;
	text_done(&c->in);
	do {
		int n = client_record(c);
		if (n < 0)
			return 0;
		text_put(&c->in, span_of(c->plain, (size_t)n));
		r = http_response_parse(span_of(c->in.p, c->in.n), &h, &used);
		assert_true(r == 0 || r == ERR_MORE);
	} while (r == ERR_MORE || (h.body == HTTP_BODY_LENGTH && c->in.n < used + h.body_bytes));
	return h.status;
}

static void client_post(struct client *c, const char *body)
{
	char buf[2048];
	int n = snprintf(buf, sizeof(buf), "POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
	        strlen(body), body);
	client_say(c, buf, (size_t)n);
}

static void client_ask_tunnel(struct client *c, const char *more)
{
	char buf[1024], hex[2 * IPC_TOKEN_BYTES + 1] = "";
	struct wr w = wr_open(hex, sizeof(hex) - 1);
	wr_hex(&w, span_of(token, sizeof(token)));
	int n = snprintf(buf, sizeof(buf), CONNECT_LINES "Cookie: webvpn=%s\r\n%s\r\n", hex, more);
	client_say(c, buf, (size_t)n);
}

/* The answer to a question asked before. */
static void auth_answers(struct chan *auth, uint32_t ref, uint32_t index, uint32_t connection)
{
	struct ipc_msg m = {.type = IPC_SESSION_INFO, .ref = ref};
	struct ipc_session_info *i = &m.session_info;
	i->index = index;
	i->connection = connection;
	strcpy(i->username, "alice");
	strcpy(i->tunnel_group, "STAFF");
	strcpy(i->group_policy, "GP");
	i->ip4 = addr_from_v4(INNER_CLIENT);
	i->ip4_len = 24;
	if (g.gives_ip6) {
		assert_int_equal(addr_parse(span_str("fd00::7"), &i->ip6), 0);
		i->ip6_len = 64;
	}
	assert_int_equal(chan_send(auth, &m, -1), 0);
}

static uint32_t auth_is_asked(struct chan *auth)
{
	struct ipc_msg q;
	expect(auth, IPC_SESSION_OPEN, &q);
	assert_memory_equal(q.session_open.token, token, sizeof(token));
	return q.ref;
}

static void auth_opens(uint32_t index, uint32_t connection)
{
	auth_answers(&g.auth, auth_is_asked(&g.auth), index, connection);
}

static void take_id(struct client *c)
{
	char *at = c->in.p ? strstr(c->in.p, "X-DTLS-App-ID: ") : NULL;
	size_t n;
	if (at)
		assert_int_equal(parse_hex(span_of(at + 15, 64), c->id, sizeof(c->id), &n), 0);
}

static struct client *client_tunnel(uint32_t connection, const char *more)
{
	struct client *c = client_open();
	client_ask_tunnel(c, more);
	auth_opens(7, connection);
	assert_int_equal(client_answer(c), 200);
	take_id(c);
	return c;
}

static const char *const psk_line = "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n";

static void cstp_say(struct client *c, uint8_t type, const void *p, size_t n)
{
	uint8_t buf[TLS_RECORD_MAX];
	cstp_put_header(buf, type, (uint16_t)n);
	if (n > 0)
		memcpy(buf + CSTP_HEADER_BYTES, p, n);
	client_say(c, buf, CSTP_HEADER_BYTES + n);
}

/* The next record; requests of the gateway are answered on the way, as a client does it. */
static int cstp_record(struct client *c, uint8_t type)
{
	static uint8_t copy[TLS_RECORD_MAX];
	for (;;) {
		int n = client_record(c);
		if (n < (int)CSTP_HEADER_BYTES || c->plain[6] != CSTP_DPD_REQUEST || type == CSTP_DPD_REQUEST)
			return n;
		memcpy(copy, c->plain + CSTP_HEADER_BYTES, (size_t)n - CSTP_HEADER_BYTES);
		cstp_say(c, CSTP_DPD_RESPONSE, copy, (size_t)n - CSTP_HEADER_BYTES);
	}
}

static void cstp_expect(struct client *c, uint8_t type, const void *p, size_t n)
{
	assert_int_equal(cstp_record(c, type), CSTP_HEADER_BYTES + n);
	assert_int_equal(c->plain[6], type);
	assert_int_equal(c->plain[4] << 8 | c->plain[5], n);
	if (n > 0)
		assert_memory_equal(c->plain + CSTP_HEADER_BYTES, p, n);
}

static void expect_end(struct client *c)
{
	int n;
	while ((n = client_record(c)) > 0) /* what was sent before may still come */
		assert_int_equal(c->plain[6], CSTP_DPD_REQUEST);
	assert_true(n < 0);
}

/* ---- DTLS ---- */

static void dtls_flush(struct client *c)
{
	struct udp_path path = {0};
	if (c->dout.n_dgram > 0)
		assert_int_equal(
		        udp_send_batch(&c->udp, &path, c->dout.p, c->dout.dgram, c->dout.n_dgram, NULL),
		        (int)c->dout.n_dgram);
	dtls_out_reset(&c->dout);
}

static bool dtls_receive(struct client *c, int ms)
{
	const struct udp_datagram *d;
	if (!readable(c->udp.fd, ms))
		return false;
	assert_int_equal(udp_recv_batch(&c->udp, c->urx, &d), 1);
	dtls_feed(c->dtls, span_of(d->p, d->n));
	return true;
}

static void dtls_socket(struct client *c)
{
	struct udp_config uc = {.local = addr_from_v4(c->udp_from ? c->udp_from : 0x7f000001)};
	struct ip_addr gw = addr_from_v4(0x7f000001);
	if (c->udp.fd > 0)
		udp_close(&c->udp);
	assert_int_equal(udp_connect(&uc, &gw, g.udp_port, &c->udp), 0);
}

/* The ClientHello is in the output afterwards. */
static void dtls_begin(struct client *c, const uint8_t *id)
{
	uint8_t psk[DTLS_PSK_BYTES];
	dtls_socket(c);
	if (c->urx == NULL) {
		assert_int_equal(udp_rx_new(c->uslot, 1, sizeof(c->uslot), &c->urx), 0);
		assert_int_equal(dtls_out_init(&c->dout, 64 << 10, 64), 0);
	}
	assert_int_equal(tls_export_psk(c->tls, psk), 0);
	dtls_free(c->dtls);
	assert_int_equal(dtls_client_new_psk(dtls_ctx, span_of(id, 32), psk, NULL, &c->dtls), 0);
	dtls_set_output(c->dtls, &c->dout);
	assert_int_equal(dtls_handshake(c->dtls), ERR_MORE);
}

static void dtls_say(struct client *c, uint8_t type, const void *p, size_t n)
{
	uint8_t buf[DTLS_PLAIN_MAX];
	buf[0] = type;
	if (n > 0)
		memcpy(buf + 1, p, n);
	assert_int_equal(dtls_write(c->dtls, span_of(buf, n + 1)), 0);
	dtls_flush(c);
}

/* A request of the gateway is answered as a client does it; false: it was something else. */
static bool dtls_answer(struct client *c, size_t n)
{
	static uint8_t copy[DTLS_PLAIN_MAX];
	if (n == 0 || c->plain[0] != CSTP_DPD_REQUEST)
		return false;
	memcpy(copy, c->plain + 1, n - 1);
	dtls_say(c, CSTP_DPD_RESPONSE, copy, n - 1);
	return true;
}

/* Until the gateway has seen that packets of full size arrive: before, its data comes by TLS. */
static void dtls_prove(struct client *c)
{
	int got = 0;
	while (got < PROVEN_BYTES) {
		assert_true(dtls_receive(c, WAIT_MS));
		while ((got = dtls_read(c->dtls, c->plain, sizeof(c->plain))) > 0)
			if (dtls_answer(c, (size_t)got) && got >= PROVEN_BYTES)
				break;
	}
}

static void dtls_shake_hands(struct client *c)
{
	int r;
	dtls_begin(c, c->id);
	do {
		dtls_flush(c);
		assert_true(dtls_receive(c, WAIT_MS));
		r = dtls_handshake(c->dtls);
	} while (r == ERR_MORE);
	assert_int_equal(r, 0);
	dtls_flush(c);
}

static void dtls_up(struct client *c)
{
	dtls_shake_hands(c);
	dtls_prove(c);
}

static void dtls_expect(struct client *c, uint8_t type, const void *p, size_t n)
{
	int got = 0;
	while (got == 0) {
		assert_true(dtls_receive(c, WAIT_MS));
		got = dtls_read(c->dtls, c->plain, sizeof(c->plain));
		if (got > 0 && type != CSTP_DPD_REQUEST && dtls_answer(c, (size_t)got))
			got = 0;
	}
	assert_int_equal(got, 1 + n);
	assert_int_equal(c->plain[0], type);
	if (n > 0)
		assert_memory_equal(c->plain + 1, p, n);
}

/* ---- packets ---- */

static size_t packet(uint8_t *p, uint32_t src, uint32_t dst, size_t n, uint8_t fill)
{
	struct wr w = wr_open(p, 20);
	wr_u8(&w, 0x45);
	wr_u8(&w, 0);
	wr_u16(&w, (uint16_t)n);
	wr_u32(&w, 0);
	wr_u32(&w, 64u << 24 | 17u << 16);
	wr_u32(&w, src);
	wr_u32(&w, dst);
	memset(p + 20, fill, n - 20);
	return n;
}

static void tun_expect(const uint8_t *p, size_t n)
{
	uint8_t buf[20000];
	assert_true(readable(g.tun, WAIT_MS));
	assert_int_equal(read(g.tun, buf, sizeof(buf)), (ssize_t)n);
	assert_memory_equal(buf, p, n);
}

static void tls_carries_data(struct client *c)
{
	uint8_t p[1300];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 1);
	cstp_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 900, 2);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
}

static void dtls_carries_data(struct client *c)
{
	uint8_t p[1200];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 700, 4);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	dtls_expect(c, CSTP_DATA, p, n);
}

/* A client that has come back: during the hold-down the gateway's data comes by TLS. */
static void both_carry_data(struct client *c)
{
	uint8_t p[1200];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 700, 4);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
}

/* Nothing comes out of the device, while the client goes on answering the gateway's questions. */
static void tun_stays_silent(struct client *c)
{
	for (int i = 0; i < SILENCE_MS / 10; i++) {
		assert_false(readable(g.tun, 10));
		while (readable(c->udp.fd, 0) && dtls_receive(c, 0)) {
			int got = dtls_read(c->dtls, c->plain, sizeof(c->plain));
			assert_true(got == 0 || dtls_answer(c, (size_t)got));
		}
	}
}

static void expect_lost(uint32_t connection)
{
	struct ipc_msg m;
	expect(&g.auth, IPC_SESSION_LOST, &m);
	assert_int_equal(m.session_lost.index, 7);
	assert_int_equal(m.session_lost.connection, connection);
}

/* ---- tests ---- */

TEST(login)
{
	struct ipc_msg m, a = {.type = IPC_LOGIN_RESULT};
	gateway_start();
	struct client *c = client_open();
	client_post(c, "<config-auth client=\"vpn\" type=\"init\"/>");
	assert_int_equal(client_answer(c), 200);
	assert_non_null(strstr(c->in.p, "type=\"password\""));
	for (int i = 0; i < 3; i++) {
		client_post(c, "group_list=staff&username=alice&password=wrong");
		expect(&g.auth, IPC_LOGIN, &m);
		assert_string_equal(m.login.tunnel_group, "STAFF");
		assert_string_equal(m.login.password, "wrong");
		a.ref = m.ref;
		a.login_result.status = IPC_LOGIN_REFUSED;
		auth_say(&a);
		assert_int_equal(client_answer(c), i < 2 ? 200 : 401);
	}
	expect_end(c);
	client_free(c);
	c = client_open();
	client_post(c, "username=alice&password=right");
	expect(&g.auth, IPC_LOGIN, &m);
	a.ref = m.ref;
	a.login_result.status = IPC_LOGIN_OK;
	a.login_result.index = 7;
	memcpy(a.login_result.token, token, sizeof(token));
	auth_say(&a);
	assert_int_equal(client_answer(c), 200);
	assert_non_null(strstr(c->in.p, "Set-Cookie: webvpn=ab010203"));
	/* and the tunnel on the same connection */
	client_ask_tunnel(c, "");
	auth_opens(7, 1);
	assert_int_equal(client_answer(c), 200);
	tls_carries_data(c);
	cstp_say(c, CSTP_DISCONNECT,
	        "\xb0"
	        "bye",
	        4);
	expect(&g.auth, IPC_SESSION_END, &m);
	assert_int_equal(m.session_end.reason, IPC_END_USER);
	expect_end(c);
	client_free(c);
	gateway_stop(false);
}

TEST(both_channels_carry_data)
{
	static uint8_t p[PACKET_MAX];
	gateway_start();
	struct client *c = client_tunnel(1, psk_line);
	tls_carries_data(c);
	dtls_up(c);
	dtls_carries_data(c);
	/* what does not fit a datagram goes by TLS */
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, 9000, 5);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
	/* another's source address, and no packet at all, go nowhere */
	n = packet(p, INNER_SERVER, INNER_SERVER, 100, 6);
	dtls_say(c, CSTP_DATA, p, n);
	cstp_say(c, CSTP_DATA, p, n);
	cstp_say(c, CSTP_DATA, p, 3);
	cstp_say(c, CSTP_DATA, NULL, 0);
	tun_stays_silent(c);
	dtls_carries_data(c);
	client_free(c);
	gateway_stop(false);
}

TEST(dpd_is_echoed_in_every_size)
{
	static uint8_t p[PACKET_MAX];
	static const size_t sizes[] = {0, 1, 576, 1400, 1500, 4000, 9000, 16000, PACKET_MAX};
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * 7);
	gateway_start();
	struct client *c = client_tunnel(1, psk_line);
	dtls_up(c);
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		cstp_say(c, CSTP_DPD_REQUEST, p, sizes[i]);
		cstp_expect(c, CSTP_DPD_RESPONSE, p, sizes[i]);
		dtls_say(c, CSTP_DPD_REQUEST, p, sizes[i]);
		dtls_expect(c, CSTP_DPD_RESPONSE, p, sizes[i]);
	}
	/* answers and keepalives are never answered */
	cstp_say(c, CSTP_KEEPALIVE, NULL, 0);
	cstp_say(c, CSTP_DPD_RESPONSE, p, 10);
	dtls_say(c, CSTP_KEEPALIVE, NULL, 0);
	assert_false(readable(c->fd, SILENCE_MS));
	assert_false(readable(c->udp.fd, 0));
	client_free(c);
	gateway_stop(false);
}

/* Whoever has seen the id on the wire sends a ClientHello from elsewhere. */
TEST(a_copied_hello_moves_nothing)
{
	gateway_start();
	struct client *c = client_tunnel(1, psk_line), *thief = client_open();
	thief->udp_from = 0x7f000002;
	dtls_up(c);
	dtls_carries_data(c);
	for (int i = 0; i < 6; i++) {
		dtls_begin(thief, c->id);
		dtls_flush(thief);
		dtls_carries_data(c);
	}
	/* garbage from the client's own address neither */
	uint8_t junk[64] = {22, 0xfe, 0xfd, 0, 1};
	for (uint8_t type = 19; type < 26; type++) {
		junk[0] = type;
		assert_int_equal(send(c->udp.fd, junk, sizeof(junk), 0), sizeof(junk));
		assert_int_equal(send(c->udp.fd, junk, 14, 0), 14);
		assert_int_equal(send(thief->udp.fd, junk, sizeof(junk), 0), sizeof(junk));
	}
	assert_int_equal(send(c->udp.fd, junk, 0, 0), 0);
	dtls_carries_data(c);
	/* the client's port changes: an authentic record proves it */
	dtls_socket(c);
	dtls_carries_data(c);
	/* and its own second handshake replaces the first */
	dtls_up(c);
	dtls_carries_data(c);
	client_free(c);
	client_free(thief);
	gateway_stop(false);
}

static void bad_frame(const char *bytes, size_t n, uint32_t connection)
{
	struct client *c = client_tunnel(connection, "");
	client_say(c, bytes, n);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(connection);
}

TEST(bad_frames_close_the_tunnel_and_keep_the_session)
{
	uint8_t two[2 * CSTP_HEADER_BYTES];
	gateway_start();
	bad_frame("STF", 3, 1);
	bad_frame("XYZ\1\0\0\7\0", 8, 2);
	bad_frame("STF\2\0\0\7\0", 8, 3);
	bad_frame("STF\1\0\0\7\1", 8, 4);
	bad_frame("STF\1\0\5\0\0ab", 10, 5);
	bad_frame("STF\1\377\377\0\0ab", 10, 6);
	struct client *c = client_tunnel(7, "");
	cstp_put_header(two, CSTP_DPD_REQUEST, 0); /* two packets in one record are both served */
	cstp_put_header(two + CSTP_HEADER_BYTES, CSTP_DPD_REQUEST, 0);
	client_say(c, two, sizeof(two));
	cstp_expect(c, CSTP_DPD_RESPONSE, NULL, 0);
	cstp_expect(c, CSTP_DPD_RESPONSE, NULL, 0);
	for (int i = 0; i < 1000; i++) /* unknown types are dropped, and do not fill the log */
		cstp_say(c, (uint8_t)(10 + i % 200), "x", 1);
	tls_carries_data(c);
	assert_in_range(log_count("722015"), 1, 60);
	client_free(c);
	gateway_stop(false);
}

/* Two packets in one record, the first of which ends the session. */
TEST(nothing_is_read_after_the_end)
{
	struct ipc_msg m;
	uint8_t two[2 * CSTP_HEADER_BYTES + 1];
	gateway_start();
	struct client *c = client_tunnel(1, psk_line);
	dtls_up(c);
	cstp_put_header(two, CSTP_DISCONNECT, 1);
	two[CSTP_HEADER_BYTES] = 0xb0;
	cstp_put_header(two + CSTP_HEADER_BYTES + 1, CSTP_DPD_REQUEST, 0);
	client_say(c, two, sizeof(two));
	expect(&g.auth, IPC_SESSION_END, &m);
	expect_end(c);
	client_free(c);
	c = client_tunnel(2, psk_line); /* the end comes by DTLS */
	dtls_up(c);
	dtls_say(c, CSTP_DISCONNECT, "\xb0", 1);
	expect(&g.auth, IPC_SESSION_END, &m);
	expect_end(c);
	client_free(c);
	gateway_stop(false);
}

TEST(the_newer_connection_wins)
{
	struct ipc_msg m;
	gateway_start();
	struct client *a = client_tunnel(1, psk_line);
	dtls_up(a);
	struct client *b = client_tunnel(2, psk_line);
	expect_end(a); /* without a DISCONNECT */
	tls_carries_data(b);
	dtls_up(b);
	both_carry_data(b);
	struct ipc_msg kick = {.type = IPC_SESSION_KICK, .session_kick = {7, 1, IPC_KICK_ADMIN}};
	auth_say(&kick); /* of the first connection: crossed the take-over, ignored */
	both_carry_data(b);
	kick.session_kick.connection = 2;
	auth_say(&kick);
	cstp_expect(b, CSTP_DISCONNECT,
	        "\xb0"
	        "Administrator Reset",
	        20);
	expect_end(b);
	client_free(a);
	client_free(b);
	assert_false(readable(g.auth.fd, SILENCE_MS)); /* auth knows already */
	a = client_tunnel(3, "");
	close(a->fd); /* a cut */
	a->fd = -1;
	expect_lost(3);
	client_free(a);
	m = (struct ipc_msg){.type = IPC_SESSION_KICK, .session_kick = {7, 3, IPC_KICK_EXPIRED}};
	auth_say(&m);
	gateway_stop(false);
}

static const char *const own_lines = "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\nX-Culvert: 1, steer, pieces\r\n";

/* A client of ours comes back by a new connection: its DTLS goes on until the next one is up, and what it has
 * sent with the old keys still counts then. */
TEST(own_client_keeps_its_dtls)
{
	uint8_t p[400];
	gateway_start();
	struct client *a = client_tunnel(1, own_lines);
	assert_non_null(strstr(a->in.p, "\r\nX-Culvert: 1; steer; pieces\r\n"));
	dtls_up(a);
	dtls_carries_data(a);
	close(a->fd); /* a cut */
	a->fd = -1;
	struct client *b = client_tunnel(2, own_lines);
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 7);
	dtls_say(a, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 8);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	dtls_expect(a, CSTP_DATA, p, n);
	dtls_up(b);
	dtls_carries_data(b);
	n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 9);
	dtls_say(a, CSTP_DATA, p, n); /* was on the way */
	tun_expect(p, n);
	dtls_carries_data(b);
	client_free(a);
	client_free(b);
	gateway_stop(false);
}

/* The client of an abbreviated handshake may send data at once; its Finished comes behind that. */
TEST(data_that_overtakes_the_handshake)
{
	static const uint8_t master[DTLS_MASTER_BYTES] = {7};
	char lines[256] = "X-DTLS12-CipherSuite: AES256-GCM-SHA384\r\nX-DTLS-Master-Secret: ";
	uint8_t p[300];
	size_t at = strlen(lines), n;
	struct wr w = wr_open(lines + at, sizeof(lines) - at - 3);
	wr_hex(&w, span_of(master, sizeof(master)));
	strcat(lines, "\r\n");
	gateway_start();
	struct client *c = client_tunnel(1, lines);
	const char *id = strstr(c->in.p, "X-DTLS-Session-ID: ");
	assert_non_null(id);
	assert_int_equal(parse_hex(span_of(id + 19, 64), c->id, sizeof(c->id), &at), 0);
	dtls_socket(c);
	assert_int_equal(udp_rx_new(c->uslot, 1, sizeof(c->uslot), &c->urx), 0);
	assert_int_equal(dtls_out_init(&c->dout, 64 << 10, 64), 0);
	assert_int_equal(
	        dtls_client_new_resume(dtls_ctx, span_of(c->id, 32), master, "AES256-GCM-SHA384", &c->dtls),
	        0);
	dtls_set_output(c->dtls, &c->dout);
	while (dtls_handshake(c->dtls) == ERR_MORE) {
		dtls_flush(c);
		assert_true(dtls_receive(c, WAIT_MS));
	}
	assert_true(dtls_is_up(c->dtls));
	p[0] = CSTP_DATA;
	n = packet(p + 1, INNER_CLIENT, INNER_SERVER, sizeof(p) - 1, 3);
	assert_int_equal(dtls_write(c->dtls, span_of(p, n + 1)), 0);
	for (size_t i = c->dout.n_dgram; i-- > 0;)
		assert_int_equal(
		        send(c->udp.fd, c->dout.p + c->dout.dgram[i].offset, c->dout.dgram[i].len, 0),
		        c->dout.dgram[i].len);
	dtls_out_reset(&c->dout);
	tun_expect(p + 1, n);
	dtls_prove(c);
	dtls_carries_data(c);
	client_free(c);
	gateway_stop(false);
}

/* Puts together what the gateway sends in pieces. */
static void pieces_expect(struct client *c, const uint8_t *p, size_t n)
{
	struct joiner *j = joiner_new(PIECE_PACKET_MAX);
	enum joiner_result r = JOINER_MORE;
	struct span whole = {0};
	assert_non_null(j);
	while (r == JOINER_MORE) {
		assert_true(dtls_receive(c, WAIT_MS));
		int got = dtls_read(c->dtls, c->plain, sizeof(c->plain));
		if (got <= 0 || dtls_answer(c, (size_t)got))
			continue;
		assert_int_equal(c->plain[0], DTLS_PIECE);
		r = joiner_put(j, span_of(c->plain + 1, (size_t)got - 1), 0, &whole);
	}
	assert_int_equal(r, JOINER_PACKET);
	assert_int_equal(whole.n, n);
	assert_memory_equal(whole.p, p, n);
	joiner_free(j);
}

static void tun_expect_too_big(uint32_t to, uint16_t mtu)
{
	uint8_t icmp[ICMP_TOO_BIG_MAX];
	struct ip_packet p;
	assert_true(readable(g.tun, WAIT_MS));
	ssize_t n = read(g.tun, icmp, sizeof(icmp));
	assert_true(n > 0);
	assert_int_equal(ip_parse(span_of(icmp, (size_t)n), &p), 0);
	struct ip_addr want = addr_from_v4(to);
	assert_true(addr_eq(&p.dst, &want));
	assert_int_equal(p.payload.p[0], 3);
	assert_int_equal(p.payload.p[1], 4);
	assert_int_equal(p.payload.p[6] << 8 | p.payload.p[7], mtu);
}

TEST(large_packets_go_in_pieces)
{
	static uint8_t p[5000], piece[1000];
	size_t m;
	gateway_start();
	struct client *c = client_tunnel(1, own_lines);
	dtls_up(c);
	dtls_carries_data(c);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 5);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	pieces_expect(c, p, n);
	p[6] = 0x40; /* with DF the sender is told, and the packet goes all the same */
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	pieces_expect(c, p, n);
	tun_expect_too_big(INNER_SERVER, 1434);
	n = packet(p, INNER_CLIENT, INNER_SERVER, 1400, 6);
	struct cutter cut = cutter_open(span_of(p, n), 1, 600);
	while ((m = cutter_next(&cut, piece)) > 0)
		dtls_say(c, DTLS_PIECE, piece, m);
	tun_expect(p, n);
	dtls_say(c, DTLS_PIECE, "\0", 1); /* malformed: nothing happens */
	dtls_carries_data(c);
	client_free(c);
	c = client_tunnel(2, psk_line); /* a stock client: its pieces are no packets */
	dtls_up(c);
	cut = cutter_open(span_of(p, n), 1, 600);
	while ((m = cutter_next(&cut, piece)) > 0)
		dtls_say(c, DTLS_PIECE, piece, m);
	tun_stays_silent(c);
	both_carry_data(c);
	client_free(c);
	gateway_stop(false);
}

/* ---- super-packets, whole ---- */

#define SUPER_SEGMENT 1300
#define SUPER_PAYLOAD 40000
#define SUPER_TUN_MTU 1434

static const char *const super_lines = "X-Culvert: 1; steer; pieces; super\r\n";
static uint8_t super[CSTP_HEADER_BYTES + 2 + 40 + SUPER_PAYLOAD + 100];

/* A CSTP packet with TCP from there; its bytes. */
static size_t super_make(uint32_t src, uint16_t segment, size_t n_payload)
{
	struct wr w = wr_open(super + CSTP_HEADER_BYTES, 2 + 40);
	uint8_t *ip = super + CSTP_HEADER_BYTES + 2;
	cstp_put_header(super, CSTP_SUPER, (uint16_t)(2 + 40 + n_payload));
	wr_u16(&w, segment);
	wr_u32(&w, 0x45000000u | (uint32_t)(40 + n_payload));
	wr_u32(&w, 0x00074000);
	wr_u32(&w, 64u << 24 | 6u << 16);
	wr_u32(&w, src);
	wr_u32(&w, INNER_SERVER);
	wr_u32(&w, 4000u << 16 | 80);
	wr_u32(&w, 1000); /* sequence number */
	wr_u32(&w, 2000);
	wr_u32(&w, 0x50100100);
	wr_u32(&w, 0xdead0000); /* a sum that nobody believes */
	assert_true(wr_ok(&w));
	ip_put16(ip + 10, ip_fold(ip_sum(0, span_of(ip, 20))));
	for (size_t i = 0; i < n_payload; i++)
		ip[40 + i] = (uint8_t)(i * 7 + i / 251);
	return CSTP_HEADER_BYTES + 2 + 40 + n_payload;
}

static void super_say(struct client *c, size_t n, size_t part_bytes)
{
	for (size_t at = 0; at < n; at += part_bytes)
		client_say(c, super + at, n - at < part_bytes ? n - at : part_bytes);
}

/* Its packets, one by one: this device takes no large ones. */
static void super_arrives(size_t segment, size_t n_payload)
{
	static uint8_t buf[2000];
	for (size_t at = 0; at < n_payload; at += segment) {
		size_t n = n_payload - at < segment ? n_payload - at : segment;
		struct ip_packet p;
		assert_true(readable(g.tun, WAIT_MS));
		assert_int_equal(read(g.tun, buf, sizeof(buf)), (ssize_t)(40 + n));
		assert_int_equal(ip_parse(span_of(buf, 40 + n), &p), 0);
		assert_int_equal(ip_fold(ip_sum(0, span_of(buf, 20))), 0);
		assert_int_equal(
		        ip_fold(ip_sum(ip_pseudo_sum(&p.src, &p.dst, 6, (uint32_t)(20 + n)), p.payload)), 0);
		assert_int_equal(p.payload.p[6] << 8 | p.payload.p[7], 1000 + at);
		assert_memory_equal(p.payload.p + 20, super + CSTP_HEADER_BYTES + 2 + 40 + at, n);
	}
}

static void super_packets_arrive(struct client *c)
{
	static const size_t parts[] = {TLS_RECORD_MAX, 1400, 15, CSTP_HEADER_BYTES};
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, 5000); /* in one record */
	super_say(c, n, TLS_RECORD_MAX);
	super_arrives(SUPER_SEGMENT, 5000);
	for (size_t i = 0; i < N_ELEM(parts); i++) {
		n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
		super_say(c, n, parts[i]);
		super_arrives(SUPER_SEGMENT, SUPER_PAYLOAD);
		tls_carries_data(c);
	}
}

TEST(super_packets_of_an_own_client)
{
	gateway_start();
	struct client *c = client_tunnel(1, super_lines);
	assert_non_null(strstr(c->in.p, "\r\nX-Culvert: 1; steer; pieces; super\r\n"));
	super_packets_arrive(c);
	/* not the client's address, larger than what was announced, cut short inside: dropped, no more */
	super_say(c, super_make(INNER_CLIENT + 1, SUPER_SEGMENT, SUPER_PAYLOAD), TLS_RECORD_MAX);
	super_say(c, super_make(INNER_CLIENT, SUPER_TUN_MTU - 39, SUPER_PAYLOAD), TLS_RECORD_MAX);
	super_say(c, super_make(INNER_CLIENT, 1, 2000), TLS_RECORD_MAX);
	cstp_say(c, CSTP_SUPER, super, 40);
	cstp_say(c, CSTP_SUPER, "", 0);
	tls_carries_data(c);
	/* a cut in the middle of one: the next connection begins anew */
	super_say(c, TLS_RECORD_MAX, TLS_RECORD_MAX);
	client_free(c);
	expect_lost(1);
	c = client_tunnel(2, super_lines);
	super_packets_arrive(c);
	/* the record goes on behind the packet's end: the stream is lost */
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
	super_say(c, n + 1, TLS_RECORD_MAX);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(2);
	gateway_stop(false);
}

/* TLS 1.2 stays with OpenSSL's record layer. */
TEST(super_packets_through_the_library)
{
	struct tls_client_ctx *usual = tls_ctx;
	gateway_start();
	assert_int_equal(client_ctx_make(TLS_1_2, &tls_ctx), 0);
	struct client *c = client_tunnel(1, super_lines);
	super_packets_arrive(c);
	client_free(c);
	tls_client_ctx_put(tls_ctx);
	tls_ctx = usual;
	gateway_stop(false);
}

/* Without the word, and with policy classic, such a packet is of an unknown type, and one that crosses a
 * record a broken stream. */
static void super_is_unknown(struct client *c, uint32_t connection)
{
	assert_null(strstr(c->in.p, "super"));
	size_t n = super_make(INNER_CLIENT, SUPER_SEGMENT, 5000);
	super_say(c, n, TLS_RECORD_MAX);
	tls_carries_data(c); /* and nothing came before it */
	n = super_make(INNER_CLIENT, SUPER_SEGMENT, SUPER_PAYLOAD);
	super_say(c, n, TLS_RECORD_MAX);
	cstp_expect(c, CSTP_DISCONNECT, NULL, 0);
	expect_end(c);
	client_free(c);
	expect_lost(connection);
}

TEST(super_packets_of_others)
{
	gateway_start();
	super_is_unknown(client_tunnel(1, ""), 1);
	super_is_unknown(client_tunnel(2, "X-Culvert: 1; steer; pieces\r\n"), 2);
	gateway_stop(false);
	g.more_config = "group-policy GP attributes\n webvpn\n  anyconnect mtu-policy classic\n";
	gateway_start();
	super_is_unknown(client_tunnel(1, super_lines), 1);
	gateway_stop(false);
	g.more_config = NULL;
	g.offloads_refused = OFFLOAD_SUPER;
	gateway_start();
	super_is_unknown(client_tunnel(1, super_lines), 1);
	gateway_stop(false);
	g.offloads_refused = 0;
}

/* The client hangs up while auth opens its session: auth must not take it for connected. */
TEST(auth_learns_that_nobody_waited)
{
	gateway_start();
	struct client *c = client_open();
	client_ask_tunnel(c, "");
	assert_true(readable(g.auth.fd, WAIT_MS));
	client_free(c);
	/* a whole exchange later the worker has seen the end of that connection */
	c = client_open();
	client_post(c, "<x/>");
	assert_true(client_answer(c) != 0);
	client_free(c);
	auth_opens(7, 1);
	expect_lost(1);
	/* the same beside a living connection, which then stands for the session */
	struct client *old = client_tunnel(2, "");
	c = client_open();
	client_ask_tunnel(c, "");
	assert_true(readable(g.auth.fd, WAIT_MS));
	client_free(c);
	c = client_open();
	client_post(c, "<x/>");
	assert_true(client_answer(c) != 0);
	client_free(c);
	auth_opens(7, 3);
	tls_carries_data(old);
	client_free(old);
	expect_lost(3);
	gateway_stop(false);
}

/* The first CONNECT asked for IPv4, the next for both, the last for IPv4 again. */
TEST(a_resume_may_change_the_families)
{
	uint8_t p[60] = {0x60, 0, 0, 0, 0, 20, 59, 64, 0xfd};
	p[24] = 0xfd;
	p[39] = 7;
	gateway_start();
	struct client *a = client_tunnel(1, "");
	g.gives_ip6 = true;
	struct client *b = client_tunnel(2, "X-CSTP-Base-MTU: 1000\r\n");
	assert_non_null(strstr(b->in.p, "X-CSTP-Base-MTU: 1000\r\n"));
	assert_non_null(strstr(b->in.p, "X-CSTP-MTU: 1280\r\n"));
	tls_carries_data(b);
	assert_int_equal(write(g.tun, p, sizeof(p)), sizeof(p));
	cstp_expect(b, CSTP_DATA, p, sizeof(p));
	g.gives_ip6 = false;
	struct client *c = client_tunnel(3, "");
	assert_int_equal(write(g.tun, p, sizeof(p)), sizeof(p));
	tls_carries_data(c);
	client_free(a);
	client_free(b);
	client_free(c);
	gateway_stop(false);
}

/* The worker has had a turn for everything that was sent before. */
static void turn(void)
{
	struct client *c = client_open();
	client_post(c, "<x/>");
	assert_true(client_answer(c) != 0);
	client_free(c);
}

static void gets(struct client *c, unsigned n)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: AnyConnect\r\n\r\n";
	while (n-- > 0)
		assert_int_equal(tls_write(c->tls, span_of(get, sizeof(get) - 1)), 0);
}

/* A client asks much, reads nothing, and then wants a tunnel whose answer has no room left. */
TEST(a_tunnel_that_cannot_be_answered)
{
	struct ipc_msg m;
	unsigned n_refused = 0;
	uint32_t connection = 0;
	gateway_start();
	for (unsigned n = 4; n < 20; n++) {
		struct client *c = client_open_mss(500);
		gets(c, 12);
		client_flush(c);
		turn();
		gets(c, n);
		client_ask_tunnel(c, "");
		turn();
		if (readable(g.auth.fd, 0)) {
			auth_opens(7, ++connection);
			turn();
			if (readable(g.auth.fd, 0)) { /* could not be: told at once */
				expect_lost(connection);
				n_refused++;
			}
		}
		client_free(c);
		turn();
		if (readable(g.auth.fd, 0))
			expect(&g.auth, IPC_SESSION_LOST, &m);
	}
	print_message("%u tunnels asked for, %u without room for the answer\n", connection, n_refused);
	struct client *c = client_tunnel(++connection, "");
	tls_carries_data(c);
	client_free(c);
	gateway_stop(false);
}

/* Much for a client that does not read: what does not fit is dropped, others are served, and what it gets
 * when it reads again is whole packets. */
TEST(a_slow_reader_costs_a_bounded_buffer)
{
	uint8_t p[1400];
	gateway_start();
	struct client *c = client_open_mss(500);
	client_ask_tunnel(c, "");
	auth_opens(7, 1);
	assert_int_equal(client_answer(c), 200);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 9);
	for (int i = 0; i < 3000; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	}
	turn();
	cstp_say(c, CSTP_DPD_REQUEST, "12345", 5);
	unsigned n_got = 0;
	while (readable(c->fd, SILENCE_MS) || tls_unread(c->tls) > 0) {
		if (client_record(c) != (int)(CSTP_HEADER_BYTES + n))
			break;
		assert_memory_equal(c->plain + CSTP_HEADER_BYTES, p, n);
		n_got++;
	}
	assert_in_range(n_got, 100, 2000);
	client_free(c);
	gateway_stop(false);
}

/* The output is full, so the gateway cannot even say goodbye; the record came in two parts, and so lies in
 * memory of the connection that is gone then. */
TEST(a_bad_frame_of_a_slow_reader)
{
	uint8_t p[1400];
	gateway_start();
	struct client *c = client_open_mss(500);
	client_ask_tunnel(c, "");
	auth_opens(7, 1);
	assert_int_equal(client_answer(c), 200);
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), 9);
	for (int i = 0; i < 3000; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	}
	for (int i = 0; i < 2000; i++) /* to the last byte */
		cstp_say(c, CSTP_DPD_REQUEST, NULL, 0);
	turn();
	assert_int_equal(tls_write(c->tls, span_of((const uint8_t *)"XYZ\1\0\0\7\0", 8)), 0);
	assert_int_equal(send(c->fd, c->out.p, 20, 0), 20);
	turn();
	turn();
	tls_out_consume(&c->out, 20);
	client_flush(c);
	expect_lost(1);
	client_free(c);
	gateway_stop(false);
}

/* Whoever sends what is no record of the connection's hears why it ends. */
TEST(a_forged_record_is_answered_by_an_alert)
{
	static const uint8_t forged[5 + 40] = {23, 3, 3, 0, 40};
	gateway_start();
	struct client *c = client_tunnel(1, "");
	assert_int_equal(send(c->fd, forged, sizeof(forged), 0), sizeof(forged));
	expect_end(c);
	assert_non_null(strstr(tls_error(c->tls), "bad record mac"));
	expect_lost(1);
	client_free(c);
	gateway_stop(false);
}

static unsigned status_of(const char *request, size_t n)
{
	struct client *c = client_open();
	for (size_t i = 0; i < n; i += TLS_RECORD_MAX)
		client_say(c, request + i, n - i < TLS_RECORD_MAX ? n - i : TLS_RECORD_MAX);
	unsigned status = client_answer(c);
	client_free(c);
	return status;
}

#define STATUS_OF(text) status_of((text), sizeof(text) - 1)

TEST(requests_of_strangers)
{
	static char big[300000];
	gateway_start();
	assert_int_equal(STATUS_OF("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
	assert_int_equal(STATUS_OF("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
	assert_int_equal(STATUS_OF("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
	assert_int_equal(STATUS_OF("GET / HTTP/3.0\r\n\r\n"), 505);
	assert_int_equal(STATUS_OF("\0\1\2 / HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(STATUS_OF("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411);
	assert_int_equal(STATUS_OF("POST / HTTP/1.1\r\nContent-Length: 4294967296\r\n\r\n"), 431);
	assert_int_equal(STATUS_OF("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n<a><b"), 400);
	assert_int_equal(STATUS_OF(CONNECT_LINES "\r\n"), 401);
	assert_int_equal(STATUS_OF(CONNECT_LINES "Cookie: webvpn=zz\r\n\r\n"), 401);
	assert_int_equal(STATUS_OF(CONNECT_LINES "Cookie: webvpn=\"\r\n\r\n"), 400);
	assert_int_equal(STATUS_OF("CONNECT /elsewhere HTTP/1.1\r\n\r\n"), 404);
	memset(big, 'a', sizeof(big));
	memcpy(big, "GET /", 5);
	assert_int_equal(status_of(big, 20000), 431);
	gateway_stop(false);
}

/* Nine thousand bytes of a body one by one, with a head of twelve thousand before them. */
TEST(single_bytes_cost_little)
{
	static char head[13000], body[9000];
	struct timespec a, b;
	gateway_start();
	struct client *c = client_open();
	size_t n = (size_t)snprintf(
	        head, sizeof(head), "POST / HTTP/1.1\r\nContent-Length: %zu\r\n", sizeof(body));
	while (n < 12000)
		n += (size_t)snprintf(head + n, sizeof(head) - n, "X-%zu: %0200d\r\n", n, 1);
	n += (size_t)snprintf(head + n, sizeof(head) - n, "\r\n");
	memset(body, 'x', sizeof(body));
	client_say(c, head, n);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < sizeof(body); i++)
		client_say(c, body + i, 1);
	assert_true(client_answer(c) != 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("%zu single bytes: %ld ms\n", sizeof(body),
	        (long)((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000));
	client_free(c);
	gateway_stop(false);
}

TEST(pipelined_requests_wait_for_auth)
{
	static const char more[] =
	        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
	struct ipc_msg m, a = {.type = IPC_LOGIN_RESULT, .login_result.status = IPC_LOGIN_REFUSED};
	char buf[1024];
	const char *body = "username=alice&password=x";
	gateway_start();
	struct client *c = client_open();
	int n = snprintf(buf, sizeof(buf), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s%s",
	        strlen(body), body, more);
	client_say(c, buf, (size_t)n);
	expect(&g.auth, IPC_LOGIN, &m);
	assert_false(readable(c->fd, 0) && tls_unread(c->tls) > 0);
	a.ref = m.ref + 1; /* not its answer */
	auth_say(&a);
	a.ref = m.ref;
	auth_say(&a);
	assert_int_equal(client_answer(c), 200);
	assert_non_null(strstr(c->in.p, "Login failed"));
	assert_int_equal(client_answer(c), 200);
	assert_int_equal(client_answer(c), 404);
	for (int i = 0; i < 40; i++)
		if (tls_write(c->tls, span_of(more, sizeof(more) - 1)) < 0)
			break;
	client_flush(c);
	unsigned answers = 0;
	while (client_answer(c) != 0)
		answers++;
	assert_int_equal(answers, 32 - 3); /* so many requests on one connection */
	client_free(c);
	gateway_stop(false);
}

static void announces(const char *lines, const char *want, uint32_t connection)
{
	struct client *c = client_tunnel(connection, lines);
	if (strstr(c->in.p, want) == NULL)
		fail_msg("%s\nnot in\n%s", want, c->in.p);
	client_free(c);
	expect_lost(connection);
}

TEST(mtu_numbers_of_the_client)
{
	gateway_start();
	announces("X-CSTP-Base-MTU: 1400\r\n", "X-CSTP-MTU: 1334\r\n", 1);
	static const char *const nonsense[] = {"0", "1", "-1", "4294967296", "4294966752", "65536", "x", ""};
	for (uint32_t i = 0; i < N_ELEM(nonsense); i++) {
		char line[64];
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s\r\n", nonsense[i],
		        nonsense[i]);
		announces(line, "X-CSTP-MTU: 1434\r\n", 2 + i);
	}
	gateway_stop(false);
}

/* ---- mtu-policy classic ---- */

#define CLASSIC "group-policy GP attributes\n webvpn\n  anyconnect mtu-policy classic\n"
#define CISCO   "mtu-formula cisco\n"

static void classic_start(const char *more)
{
	g.more_config = more;
	g.log_level = 6;
	gateway_start();
}

static void classic_stop(void)
{
	gateway_stop(false);
	g.more_config = NULL;
	g.log_level = 0;
}

static void classic_announces(const char *conf, const char *lines, const char *tls, const char *dtls)
{
	char want[64];
	classic_start(conf);
	struct client *c = client_tunnel(1, lines);
	snprintf(want, sizeof(want), "X-CSTP-MTU: %s\r\n", tls);
	if (strstr(c->in.p, want) == NULL)
		fail_msg("%s: %s not in\n%s", conf, want, c->in.p);
	snprintf(want, sizeof(want), "X-DTLS-MTU: %s\r\n", dtls);
	if (dtls[0] ? strstr(c->in.p, want) == NULL : strstr(c->in.p, "X-DTLS-") != NULL)
		fail_msg("%s: %s wanted in\n%s", conf, want, c->in.p);
	client_free(c);
	classic_stop();
}

TEST(classic_announces_two_values)
{
	/* the tech note's numbers, and its remedies */
	classic_announces(CLASSIC CISCO, psk_line, "1347", "1418");
	classic_announces(CLASSIC CISCO "sysopt connection tcpmss 1460\n", psk_line, "1427", "1418");
	classic_announces(CLASSIC "  anyconnect mtu 1300\n" CISCO, psk_line, "1300", "1300");
	classic_announces(CLASSIC "  anyconnect mtu 1400\n" CISCO, psk_line, "1347", "1400");
	classic_announces(CLASSIC "  anyconnect ssl dtls none\n" CISCO, psk_line, "1347", "");
	classic_announces(CLASSIC CISCO, "", "1347", ""); /* a client without DTLS */
	/* MSS of the path: 1500 - 40; the digest of TLS_AES_256_GCM_SHA384 is 48 bytes: cisco-facts.md 1.3 */
	classic_announces(CLASSIC "mtu-formula cisco negotiated\nsysopt connection tcpmss 0\n", psk_line,
	        "1367", "1390");
	/* TLS 1.3 adds 22 to 8 of CSTP; DTLS 1.2 AES-GCM 38 to 28 */
	classic_announces(CLASSIC, psk_line, "1350", "1434");
	classic_announces(CLASSIC "mtu outside 1400\n", psk_line, "1330", "1334");
	classic_announces(CLASSIC CISCO, "X-CSTP-Base-MTU: 1400\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\n",
	        "1347", "1306");
}

TEST(classic_mtu_numbers_of_the_client)
{
	static const char *const nonsense[] = {"0", "1", "-1", "-1500", "575", "4294967296", "4294966752",
	        "65536", "18446744073709551616", "1e3", "0x5dc", "1500x", "x", ""};
	classic_start(CLASSIC CISCO);
	for (uint32_t i = 0; i < N_ELEM(nonsense); i++) {
		char line[256];
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s\r\n%s", nonsense[i],
		        nonsense[i], psk_line);
		announces(line, "X-CSTP-MTU: 1347\r\n", 1 + i);
	}
	/* whatever numbers: both values stay in their range, and small numbers are believed */
	uint32_t x = 20261126;
	for (uint32_t i = 0; i < 60; i++) {
		char line[128];
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		uint32_t base = i % 2 ? x : x % 3000;
		(void)snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %u\r\n%s", base, psk_line);
		struct client *c = client_tunnel(100 + i, line);
		const char *at = strstr(c->in.p, "X-DTLS-MTU: ");
		assert_non_null(at);
		unsigned dtls = (unsigned)strtoul(at + strlen("X-DTLS-MTU: "), NULL, 10);
		assert_in_range(dtls, 576, 1418);
		if (base >= 700 && base < 1500)
			assert_in_range(dtls, base - 28 - 70, base - 28 - 38);
		client_free(c);
		expect_lost(100 + i);
	}
	classic_stop();
}

static size_t df_packet(uint8_t *p, uint32_t src, uint32_t dst, size_t n)
{
	packet(p, src, dst, n, 7);
	p[6] = 0x40;
	return n;
}

static void tun_say(const uint8_t *p, size_t n)
{
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
}

static size_t tun_take(uint8_t *buf, size_t cap)
{
	assert_true(readable(g.tun, WAIT_MS));
	ssize_t n = read(g.tun, buf, cap);
	assert_true(n > 0);
	return (size_t)n;
}

/* The gateway's word about packet p of n bytes. */
static void is_too_big(const uint8_t *answer, size_t n_answer, uint16_t mtu, const uint8_t *p)
{
	struct ip_packet a;
	assert_int_equal(ip_parse(span_of(answer, n_answer), &a), 0);
	assert_int_equal(a.family, p[0] >> 4);
	if (a.family == 4) {
		assert_int_equal(addr_to_v4(&a.src), INNER_GATEWAY);
		assert_memory_equal(a.payload.p, "\x03\x04", 2);
		assert_memory_equal(a.dst.b, p + 12, 4);
	} else {
		assert_memory_equal(a.payload.p, "\x02\x00", 2);
		assert_memory_equal(a.dst.b, p + 8, 16);
	}
	assert_int_equal(a.payload.p[6] << 8 | a.payload.p[7], mtu);
	assert_memory_equal(a.payload.p + 8, p, 28);
}

TEST(classic_large_packets_to_the_client)
{
	uint8_t p[2000], q[2000];
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, psk_line);
	size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1347);
	tun_say(p, n);
	cstp_expect(c, CSTP_DATA, p, n);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1348);
	tun_say(p, n);
	is_too_big(q, tun_take(q, sizeof(q)), 1347, p);
	assert_int_equal(
	        log_count("722036: Group <GP> User <alice> IP <127.0.0.1> Transmitting large packet 1348 "
	                  "(threshold 1347)."),
	        1);
	assert_int_equal(log_count("602101: PMTU-D packet 1348 bytes greater than effective mtu 1347, "
	                           "dest_addr=10.1.0.2, src_addr=10.1.0.254, prot=UDP"),
	        1);
	/* without DF: two pieces */
	n = packet(p, INNER_SERVER, INNER_CLIENT, 1418, 3);
	tun_say(p, n);
	assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 1340);
	assert_memory_equal(c->plain + CSTP_HEADER_BYTES + 20, p + 20, 1320);
	assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 98);
	assert_memory_equal(c->plain + CSTP_HEADER_BYTES + 20, p + 1340, 78);
	/* lengths that are not true reach nobody */
	n = packet(p, INNER_SERVER, INNER_CLIENT, 1418, 3);
	p[0] = 0x44;
	tun_say(p, n);
	/* DTLS: its own MTU */
	dtls_shake_hands(c);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1418);
	tun_say(p, n);
	dtls_expect(c, CSTP_DATA, p, n);
	n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1419);
	tun_say(p, n);
	is_too_big(q, tun_take(q, sizeof(q)), 1418, p);
	dtls_carries_data(c);
	client_free(c);
	classic_stop();
}

/* A flood of packets that are too big is answered now and then, and logged now and then. */
TEST(classic_answers_are_limited)
{
	uint8_t p[2000], q[2000];
	unsigned n_answers = 0;
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, "");
	size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1500);
	for (int i = 0; i < 500; i++) {
		struct pollfd w = {.fd = g.tun, .events = POLLOUT};
		assert_int_equal(poll(&w, 1, WAIT_MS), 1);
		tun_say(p, n);
	}
	n = packet(p, INNER_SERVER, INNER_CLIENT, 100, 1); /* behind them all */
	tun_say(p, n);
	cstp_expect(c, CSTP_DATA, p, n);
	while (readable(g.tun, SILENCE_MS)) {
		tun_take(q, sizeof(q));
		n_answers++;
	}
	assert_in_range(n_answers, 10, 40);
	assert_in_range(log_count("722036"), 20, 40);
	assert_in_range(log_count("602101"), 10, 40);
	client_free(c);
	classic_stop();
}

TEST(classic_ip6_is_never_cut)
{
	uint8_t p[1420] = {0x60, 0, 0, 0, 0, 0, 59, 64, 0xfd}, q[2000];
	p[23] = 9;
	p[24] = 0xfd;
	p[39] = 7;
	p[4] = (1348 - 40) >> 8;
	p[5] = (1348 - 40) & 255;
	g.gives_ip6 = true;
	classic_start(CLASSIC "  anyconnect ssl df-bit-ignore enable\n" CISCO);
	struct client *c = client_tunnel(1, psk_line);
	tun_say(p, 1348);
	is_too_big(q, tun_take(q, sizeof(q)), 1347, p);
	assert_int_equal(log_count("dest_addr=fd00::7, src_addr=fd00::9, prot=59"), 1);
	p[5]--;
	tun_say(p, 1347);
	cstp_expect(c, CSTP_DATA, p, 1347);
	/* extension headers that do not end, in one that is too big: no answer, no crash */
	p[5]++;
	p[6] = 0;
	memset(p + 40, 0, 1348 - 40);
	tun_say(p, 1348);
	tls_carries_data(c);
	client_free(c);
	g.gives_ip6 = false;
	classic_stop();
}

TEST(classic_large_packets_from_the_client)
{
	uint8_t p[2000], q[2000];
	classic_start(CLASSIC CISCO);
	struct client *c = client_tunnel(1, psk_line);
	size_t n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1348);
	cstp_say(c, CSTP_DATA, p, n);
	assert_true(client_record(c) > CSTP_HEADER_BYTES);
	assert_int_equal(c->plain[6], CSTP_DATA);
	is_too_big(c->plain + CSTP_HEADER_BYTES, (size_t)(c->plain[4] << 8 | c->plain[5]), 1347, p);
	assert_int_equal(
	        log_count("722035: Group <GP> User <alice> IP <127.0.0.1> Received large packet 1348 "
	                  "(threshold 1347)."),
	        1);
	assert_int_equal(log_count("722036"), 0);
	n = packet(p, INNER_CLIENT, INNER_SERVER, 1418, 5);
	cstp_say(c, CSTP_DATA, p, n);
	assert_int_equal(tun_take(q, sizeof(q)), 1340);
	assert_memory_equal(q + 20, p + 20, 1320);
	assert_int_equal(tun_take(q, sizeof(q)), 98);
	assert_memory_equal(q + 20, p + 1340, 78);
	n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1347);
	cstp_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	dtls_shake_hands(c);
	n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1418);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	client_free(c);
	classic_stop();
}

TEST(classic_df_may_be_ignored)
{
	uint8_t p[2000], q[2000];
	uint16_t id[2];
	classic_start(CLASSIC "  anyconnect ssl df-bit-ignore enable\n" CISCO);
	struct client *c = client_tunnel(1, "");
	for (int i = 0; i < 2; i++) {
		size_t n = df_packet(p, INNER_SERVER, INNER_CLIENT, 1418);
		tun_say(p, n);
		assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 1340);
		assert_int_equal(c->plain[CSTP_HEADER_BYTES + 6], 0x20);
		id[i] = (uint16_t)(c->plain[CSTP_HEADER_BYTES + 4] << 8 | c->plain[CSTP_HEADER_BYTES + 5]);
		assert_int_equal(client_record(c), CSTP_HEADER_BYTES + 98);
	}
	assert_true(id[0] != id[1]); /* the packets had the same */
	size_t n = df_packet(p, INNER_CLIENT, INNER_SERVER, 1418);
	cstp_say(c, CSTP_DATA, p, n);
	assert_int_equal(tun_take(q, sizeof(q)), 1340);
	assert_int_equal(tun_take(q, sizeof(q)), 98);
	assert_int_equal(log_count("722036"), 0);
	assert_int_equal(log_count("722035"), 1);
	client_free(c);
	classic_stop();
}

/* ---- tcpmss ---- */

static size_t syn(uint8_t *p, uint32_t src, uint32_t dst, uint16_t mss)
{
	const uint8_t tcp[] = {0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2,
	        4, (uint8_t)(mss >> 8), (uint8_t)mss};
	size_t n = packet(p, src, dst, 20 + sizeof(tcp), 0);
	p[9] = IP_PROTO_TCP;
	memcpy(p + 20, tcp, sizeof(tcp));
	struct ip_addr s = addr_from_v4(src), d = addr_from_v4(dst);
	uint16_t sum = ip_fold(
	        ip_sum(ip_pseudo_sum(&s, &d, IP_PROTO_TCP, sizeof(tcp)), span_of(p + 20, sizeof(tcp))));
	p[36] = (uint8_t)(sum >> 8);
	p[37] = (uint8_t)sum;
	return n;
}

static void mss_becomes(struct client *c, uint16_t mss, uint16_t want)
{
	uint8_t p[64], q[64];
	size_t n = syn(p, INNER_CLIENT, INNER_SERVER, mss);
	cstp_say(c, CSTP_DATA, p, n);
	n = syn(q, INNER_CLIENT, INNER_SERVER, want);
	tun_expect(q, n);
	n = syn(p, INNER_SERVER, INNER_CLIENT, mss);
	tun_say(p, n);
	n = syn(q, INNER_SERVER, INNER_CLIENT, want);
	cstp_expect(c, CSTP_DATA, q, n);
}

TEST(the_mss_of_syns_is_limited)
{
	static const struct {
		const char *conf;
		uint16_t mss, want;
	} rows[] = {
	        {"", 1460, 1380},
	        {"", 1379, 1379},
	        {CLASSIC, 1460, 1380},
	        {"sysopt connection tcpmss 1200\n", 65495, 1200},
	        {"sysopt connection tcpmss 0\n", 1460, 1460},
	        {"sysopt connection tcpmss minimum 600\n", 536, 600},
	        {"sysopt connection tcpmss minimum 600\n", 1460, 1380},
	        {"sysopt connection tcpmss 0\nsysopt connection tcpmss minimum 600\n", 9000, 9000},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		g.more_config = rows[i].conf;
		gateway_start();
		struct client *c = client_tunnel(1, "");
		mss_becomes(c, rows[i].mss, rows[i].want);
		tls_carries_data(c);
		client_free(c);
		gateway_stop(false);
	}
	g.more_config = NULL;
}

TEST(reload_and_shutdown)
{
	struct ipc_msg m = {.type = IPC_RELOAD}, q;
	gateway_start();
	struct client *c = client_tunnel(1, psk_line);
	dtls_up(c);
	fd_send(IPC_FD_CONFIG, memfd_of(span_str(config_text)));
	fd_send(IPC_FD_CERT, memfd_of(span_of(pem.p, pem.n)));
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	expect(&g.monitor, IPC_READY, &q);
	dtls_carries_data(c); /* what was there stays */
	struct client *d = client_tunnel(2, "");
	tls_carries_data(d);
	gateway_stop(true);
	cstp_expect(d, CSTP_DISCONNECT,
	        "\x50"
	        "Administrator Shutdown",
	        23);
	expect_end(d);
	client_free(c);
	client_free(d);
}

/* ---- two threads ---- */

static void tls_expect_from(int tun, struct client *c, uint8_t fill)
{
	uint8_t p[900];
	size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), fill);
	assert_int_equal(write(tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
}

/* What comes by the other thread's TUN queue or UDP socket is handed over; a client that comes back by its
 * listener is moved to where its session is. */
TEST(strays_find_the_thread_of_their_session)
{
	uint8_t p[700];
	gateway_start();
	struct client *c = client_tunnel(1, own_lines);
	for (uint8_t i = 0; i < 20; i++)
		tls_expect_from(i % 2 ? g.tun : g.second.tun, c, i);
	dtls_up(c);
	dtls_carries_data(c);
	struct sockaddr_in other = {.sin_family = AF_INET,
	        .sin_port = htons(g.second.udp_port),
	        .sin_addr.s_addr = htonl(0x7f000001)};
	p[0] = CSTP_DATA;
	size_t n = packet(p + 1, INNER_CLIENT, INNER_SERVER, sizeof(p) - 1, 9);
	assert_int_equal(dtls_write(c->dtls, span_of(p, n + 1)), 0);
	assert_int_equal(sendto(c->udp.fd, c->dout.p, c->dout.n, 0, (struct sockaddr *)&other, sizeof(other)),
	        (ssize_t)c->dout.n);
	dtls_out_reset(&c->dout);
	tun_expect(p + 1, n);
	struct client *again = client_open_at(g.second.tcp_port, 0);
	client_ask_tunnel(again, own_lines);
	auth_opens(7, 2); /* asked by the first thread */
	assert_int_equal(client_answer(again), 200);
	n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 11);
	cstp_say(again, CSTP_DATA, p, n);
	tun_expect(p, n);
	client_free(c);
	client_free(again);
	gateway_stop(true);
}

/* Auth has not answered the first CONNECT when the same cookie comes by the other thread, which so cannot
 * know of the session: auth tells the first one to forget it. Whichever answer is used first, the newer
 * connection has the session, and the older ends without a word to auth. */
static void take_over(bool newer_first)
{
	struct ipc_msg kick = {.type = IPC_SESSION_KICK, .session_kick = {7, 1, IPC_KICK_TAKEN_OVER}};
	uint8_t p[800];
	gateway_start();
	struct client *a = client_open(), *b = client_open_at(g.second.tcp_port, 0);
	client_ask_tunnel(a, psk_line);
	uint32_t first = auth_is_asked(&g.auth);
	client_ask_tunnel(b, psk_line);
	uint32_t second = auth_is_asked(&g.second.auth);
	if (newer_first) {
		auth_answers(&g.second.auth, second, 7, 2);
		assert_int_equal(client_answer(b), 200);
	}
	auth_answers(&g.auth, first, 7, 1);
	auth_say(&kick);
	if (!newer_first) {
		auth_answers(&g.second.auth, second, 7, 2);
		assert_int_equal(client_answer(b), 200);
	}
	assert_int_equal(client_answer(a), 200);
	expect_end(a);
	turn(); /* the first thread has forgotten */
	for (uint8_t i = 0; i < 20; i++)
		tls_expect_from(i % 2 ? g.tun : g.second.tun, b, i);
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	cstp_say(b, CSTP_DATA, p, n);
	uint8_t got[sizeof(p)];
	assert_true(readable(g.second.tun, WAIT_MS));
	assert_int_equal(read(g.second.tun, got, sizeof(got)), (ssize_t)n);
	assert_memory_equal(got, p, n);
	assert_false(readable(g.auth.fd, SILENCE_MS));
	client_free(a);
	client_free(b);
	gateway_stop(false);
}

TEST(a_session_is_taken_over_by_the_other_thread)
{
	take_over(false);
	take_over(true);
}

static int two_threads(void **state)
{
	(void)state;
	g.has_second = true;
	return 0;
}

static int one_thread(void **state)
{
	(void)state;
	g.has_second = false;
	return 0;
}

static void setup_config(void)
{
	struct text t = {0};
	for (int i = 0; i < 240; i++)
		text_fmt(&t, "access-list SPLIT standard permit 10.200.%d.0 255.255.255.0\n", i);
	text_str(&t, config_begin);
	for (int i = 0; i < 50; i++)
		text_fmt(&t, " group-alias %02d%s enable\n", i, "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&");
	config_text = t.p;
}

static void setup_tls(void)
{
	const char *name = "localhost";
	struct text key = {0};
	const struct tls_selfsigned want = {.common_name = name,
	        .dns_name = &name,
	        .n_dns_name = 1,
	        .now_s = time(NULL),
	        .valid_days = 3};
	if (tls_selfsigned_make(&want, &pem, &key) < 0 || tls_cert_pin(span_of(pem.p, pem.n), pin) < 0)
		abort();
	text_put(&pem, span_of(key.p, key.n));
	tls_pem_wipe(&key);
	if (client_ctx_make(TLS_ANY, &tls_ctx) < 0 || dtls_ctx_new(&dtls_ctx) < 0)
		abort();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(login),
	        cmocka_unit_test(both_channels_carry_data),
	        cmocka_unit_test(dpd_is_echoed_in_every_size),
	        cmocka_unit_test(a_copied_hello_moves_nothing),
	        cmocka_unit_test(bad_frames_close_the_tunnel_and_keep_the_session),
	        cmocka_unit_test(nothing_is_read_after_the_end),
	        cmocka_unit_test(own_client_keeps_its_dtls),
	        cmocka_unit_test(data_that_overtakes_the_handshake),
	        cmocka_unit_test(large_packets_go_in_pieces),
	        cmocka_unit_test(super_packets_of_an_own_client),
	        cmocka_unit_test(super_packets_through_the_library),
	        cmocka_unit_test(super_packets_of_others),
	        cmocka_unit_test(the_newer_connection_wins),
	        cmocka_unit_test(auth_learns_that_nobody_waited),
	        cmocka_unit_test(a_resume_may_change_the_families),
	        cmocka_unit_test(a_tunnel_that_cannot_be_answered),
	        cmocka_unit_test(a_slow_reader_costs_a_bounded_buffer),
	        cmocka_unit_test(a_bad_frame_of_a_slow_reader),
	        cmocka_unit_test(a_forged_record_is_answered_by_an_alert),
	        cmocka_unit_test(requests_of_strangers),
	        cmocka_unit_test(single_bytes_cost_little),
	        cmocka_unit_test(pipelined_requests_wait_for_auth),
	        cmocka_unit_test(mtu_numbers_of_the_client),
	        cmocka_unit_test(classic_announces_two_values),
	        cmocka_unit_test(classic_mtu_numbers_of_the_client),
	        cmocka_unit_test(classic_large_packets_to_the_client),
	        cmocka_unit_test(classic_answers_are_limited),
	        cmocka_unit_test(classic_ip6_is_never_cut),
	        cmocka_unit_test(classic_large_packets_from_the_client),
	        cmocka_unit_test(classic_df_may_be_ignored),
	        cmocka_unit_test(the_mss_of_syns_is_limited),
	        cmocka_unit_test(reload_and_shutdown),
	        cmocka_unit_test_setup_teardown(reload_and_shutdown, two_threads, one_thread),
	        cmocka_unit_test_setup_teardown(
	                strays_find_the_thread_of_their_session, two_threads, one_thread),
	        cmocka_unit_test_setup_teardown(
	                a_session_is_taken_over_by_the_other_thread, two_threads, one_thread),
	};
	setup_config();
	setup_tls();
	int r = RUN(tests);
	tls_client_ctx_put(tls_ctx);
	dtls_ctx_put(dtls_ctx);
	tls_pem_wipe(&pem);
	free(config_text);
	return r;
}
