#include "worker_unit.h"

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
#include "io/sock.h"
#include "wire/http.h"

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

#define THREADS_MAX 2

struct gateway g;

static struct side {
	struct chan auth;
	int tun;
	uint16_t tcp_port, udp_port;
} sides[THREADS_MAX];
static unsigned side_now;

static struct tls_client_ctx *tls_ctx;
static struct dtls_ctx *dtls_ctx;
static struct text pem;            /* certificate and key */
static char pin[TLS_PIN_TEXT_MAX]; /* of the certificate */
uint8_t token[IPC_TOKEN_BYTES] = {0xab, 1, 2, 3};

static int client_ctx_make(enum tls_version max, struct tls_client_ctx **ret)
{
	static const char *const pins[] = {pin};
	const struct tls_client_opts o = {.pin = pins, .n_pin = 1, .max = max};
	return tls_client_ctx_new(&o, NULL, ret);
}

bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, ms) == 1;
}

/* ---- the other processes ---- */

static void fd_send_at(uint8_t kind, unsigned thread, int fd)
{
	struct ipc_msg m = {.type = IPC_FD, .fd = {.kind = kind, .index = (uint16_t)thread}};
	assert_int_equal(chan_send(&g.monitor, &m, fd), 0);
	close(fd);
}

void fd_send(uint8_t kind, int fd)
{
	fd_send_at(kind, 0, fd);
}

int memfd_of(struct span s)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, s.p, s.n), (ssize_t)s.n);
	return fd;
}

int config_memfd(void)
{
	struct text t = {0};
	text_str(&t, config_text);
	text_str(&t, g.more_config ? g.more_config : "");
	int fd = memfd_of(span_of(t.p, t.n));
	text_done(&t);
	return fd;
}

int cert_memfd(void)
{
	return memfd_of(span_of(pem.p, pem.n));
}

void expect(struct chan *c, uint8_t type, struct ipc_msg *ret)
{
	int fd;
	assert_true(readable(c->fd, WAIT_MS));
	assert_int_equal(chan_recv(c, IPC_RUNNING, 0, ret, &fd), 0);
	assert_string_equal(ipc_type_name(ret->type), ipc_type_name(type));
}

void auth_say(const struct ipc_msg *m)
{
	assert_int_equal(chan_send(&g.auth, m, -1), 0);
}

static int listeners_open(struct side *s, int *ret_tcp)
{
	struct sock_listen l = {.addr = addr_from_v4(0x7f000001)};
	struct udp_config uc = {.local = addr_from_v4(0x7f000001)};
	struct ip_addr any;
	struct udp u;
	assert_int_equal(sock_listen_tcp(&l, ret_tcp), 0);
	assert_int_equal(sock_local(*ret_tcp, &any, &s->tcp_port), 0);
	assert_int_equal(udp_listen(&uc, &u), 0);
	assert_int_equal(udp_local_port(&u, &s->udp_port), 0);
	return u.fd;
}

static void thread_give(unsigned i)
{
	int auth[2], tun[2], tcp;
	struct side *s = &sides[i];
	assert_int_equal(chan_pair(auth), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, tun), 0);
	int udp = listeners_open(s, &tcp);
	chan_init(&s->auth, auth[0], IPC_AUTH, IPC_WORKER);
	s->tun = tun[0];
	fd_send_at(IPC_FD_TUN, i, tun[1]);
	fd_send_at(IPC_FD_TCP, i, tcp);
	fd_send_at(IPC_FD_UDP, i, udp);
	fd_send_at(IPC_FD_AUTH, i, auth[1]);
}

/* The system finds a name that no file has. */
static int control_listen(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr any = {.sa_family = AF_UNIX};
	g.control_bytes = sizeof(g.control);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &any, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&g.control, &g.control_bytes), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

int console_open(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&g.control, g.control_bytes), 0);
	return fd;
}

static void side_keep(void)
{
	sides[side_now] = (struct side){g.auth, g.tun, g.tcp_port, g.udp_port};
}

static void side_take(unsigned thread)
{
	const struct side *s = &sides[side_now = thread];
	g.auth = s->auth;
	g.tun = s->tun;
	g.tcp_port = s->tcp_port;
	g.udp_port = s->udp_port;
}

int two_threads(void **state)
{
	(void)state;
	g.n_threads = 2;
	return 0;
}

int one_thread(void **state)
{
	(void)state;
	g.n_threads = 0;
	return 0;
}

void gateway_turn_to(unsigned thread)
{
	side_keep();
	side_take(thread);
}

void gateway_start(void)
{
	int mon[2];
	unsigned n_threads = g.n_threads ? g.n_threads : 1;
	struct ipc_msg m = {.type = IPC_START,
	        .start = {.n_threads = (uint16_t)n_threads,
	                .log_level = g.log_level ? g.log_level : 4,
	                .offloads_refused = g.offloads_refused}};
	assert_int_equal(chan_pair(mon), 0);
	g.pid = fork();
	assert_true(g.pid >= 0);
	if (g.pid == 0) {
		close(mon[0]);
		_exit(worker_main(mon[1]));
	}
	close(mon[1]);
	chan_init(&g.monitor, mon[0], IPC_MONITOR, IPC_WORKER);
	g.log = memfd_of(span_str("-"));
	fd_send(IPC_FD_LOG, dup(g.log));
	fd_send(IPC_FD_CONFIG, config_memfd());
	fd_send(IPC_FD_CERT, cert_memfd());
	fd_send(IPC_FD_CONTROL, control_listen());
	for (unsigned i = 0; i < n_threads; i++)
		thread_give(i);
	side_take(0);
	assert_int_equal(chan_send(&g.monitor, &m, -1), 0);
	expect(&g.monitor, IPC_READY, &m);
}

unsigned log_count(const char *what)
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

void gateway_stop(bool tells_clients)
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
	side_keep();
	for (unsigned i = 0; i < (g.n_threads ? g.n_threads : 1); i++) {
		chan_done(&sides[i].auth);
		close(sides[i].tun);
	}
}

void client_flush(struct client *c)
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

bool client_receive(struct client *c, int ms)
{
	if (!readable(c->fd, ms))
		fail_msg("the gateway says nothing");
	ssize_t n = recv(c->fd, c->rx, sizeof(c->rx), 0);
	return n > 0 && tls_feed(c->tls, span_of(c->rx, (size_t)n)) == 0;
}

void clients_tls_max(enum tls_version max)
{
	tls_client_ctx_put(tls_ctx);
	assert_int_equal(client_ctx_make(max, &tls_ctx), 0);
}

struct client *client_open_mss(int mss)
{
	struct client *c = calloc(1, sizeof(*c));
	struct sockaddr_in sa = {
	        .sin_family = AF_INET, .sin_port = htons(g.tcp_port), .sin_addr.s_addr = htonl(0x7f000001)};
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

struct client *client_open(void)
{
	return client_open_mss(0);
}

void client_free(struct client *c)
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

void client_say(struct client *c, const void *p, size_t n)
{
	assert_int_equal(tls_write(c->tls, span_of(p, n)), 0);
	client_flush(c);
}

int client_record(struct client *c)
{
	for (;;) {
		int n = tls_read_record(c->tls, c->plain, sizeof(c->plain));
		if (n != 0)
			return n;
		if (!client_receive(c, WAIT_MS))
			return ERR_CLOSED;
	}
}

unsigned client_answer(struct client *c)
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

void client_post(struct client *c, const char *body)
{
	char buf[2048];
	int n = snprintf(buf, sizeof(buf), "POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
	        strlen(body), body);
	client_say(c, buf, (size_t)n);
}

void client_ask_tunnel(struct client *c, const char *more)
{
	char buf[1024], hex[2 * IPC_TOKEN_BYTES + 1] = "";
	struct wr w = wr_open(hex, sizeof(hex) - 1);
	wr_hex(&w, span_of(token, sizeof(token)));
	int n = snprintf(buf, sizeof(buf), CONNECT_LINES "Cookie: webvpn=%s\r\n%s\r\n", hex, more);
	client_say(c, buf, (size_t)n);
}

void auth_answers(uint32_t ref, uint32_t index, uint32_t connection)
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
	auth_say(&m);
}

uint32_t auth_is_asked(void)
{
	struct ipc_msg q;
	expect(&g.auth, IPC_SESSION_OPEN, &q);
	assert_memory_equal(q.session_open.token, token, sizeof(token));
	return q.ref;
}

void auth_opens(uint32_t index, uint32_t connection)
{
	auth_answers(auth_is_asked(), index, connection);
}

static void take_id(struct client *c)
{
	char *at = c->in.p ? strstr(c->in.p, "X-DTLS-App-ID: ") : NULL;
	size_t n;
	if (at)
		assert_int_equal(parse_hex(span_of(at + 15, 64), c->id, sizeof(c->id), &n), 0);
}

struct client *client_tunnel(uint32_t connection, const char *more)
{
	struct client *c = client_open();
	client_ask_tunnel(c, more);
	auth_opens(7, connection);
	assert_int_equal(client_answer(c), 200);
	take_id(c);
	return c;
}

void cstp_say(struct client *c, uint8_t type, const void *p, size_t n)
{
	uint8_t buf[TLS_RECORD_MAX];
	cstp_put_header(buf, type, (uint16_t)n);
	if (n > 0)
		memcpy(buf + CSTP_HEADER_BYTES, p, n);
	client_say(c, buf, CSTP_HEADER_BYTES + n);
}

int cstp_record(struct client *c, uint8_t type)
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

void cstp_expect(struct client *c, uint8_t type, const void *p, size_t n)
{
	assert_int_equal(cstp_record(c, type), CSTP_HEADER_BYTES + n);
	assert_int_equal(c->plain[6], type);
	assert_int_equal(c->plain[4] << 8 | c->plain[5], n);
	if (n > 0)
		assert_memory_equal(c->plain + CSTP_HEADER_BYTES, p, n);
}

void expect_end(struct client *c)
{
	int n;
	while ((n = client_record(c)) > 0) /* what was sent before may still come */
		assert_int_equal(c->plain[6], CSTP_DPD_REQUEST);
	assert_true(n < 0);
}

/* ---- DTLS ---- */

void dtls_flush(struct client *c)
{
	struct udp_path path = {0};
	if (c->dout.n_dgram > 0)
		assert_int_equal(
		        udp_send_batch(&c->udp, &path, c->dout.p, c->dout.dgram, c->dout.n_dgram, NULL),
		        (int)c->dout.n_dgram);
	dtls_out_reset(&c->dout);
}

bool dtls_receive(struct client *c, int ms)
{
	const struct udp_datagram *d;
	if (!readable(c->udp.fd, ms))
		return false;
	assert_int_equal(udp_recv_batch(&c->udp, c->urx, &d), 1);
	dtls_feed(c->dtls, span_of(d->p, d->n));
	return true;
}

void dtls_socket(struct client *c)
{
	struct udp_config uc = {.local = addr_from_v4(c->udp_from ? c->udp_from : 0x7f000001)};
	struct ip_addr gw = addr_from_v4(0x7f000001);
	if (c->udp.fd > 0)
		udp_close(&c->udp);
	assert_int_equal(udp_connect(&uc, &gw, g.udp_port, &c->udp), 0);
}

static void dtls_anew(struct client *c)
{
	dtls_socket(c);
	if (c->urx == NULL) {
		assert_int_equal(udp_rx_new(c->uslot, 1, sizeof(c->uslot), &c->urx), 0);
		assert_int_equal(dtls_out_init(&c->dout, 64 << 10, 64), 0);
	}
	dtls_free(c->dtls);
}

static void dtls_hello(struct client *c)
{
	dtls_set_output(c->dtls, &c->dout);
	assert_int_equal(dtls_handshake(c->dtls), ERR_MORE);
}

void dtls_begin(struct client *c, const uint8_t *id)
{
	uint8_t psk[DTLS_PSK_BYTES];
	dtls_anew(c);
	assert_int_equal(tls_export_psk(c->tls, psk), 0);
	assert_int_equal(dtls_client_new_psk(dtls_ctx, span_of(id, 32), psk, NULL, &c->dtls), 0);
	dtls_hello(c);
}

void dtls_begin_resume(struct client *c, const uint8_t *master, const char *suite)
{
	dtls_anew(c);
	assert_int_equal(dtls_client_new_resume(dtls_ctx, span_of(c->id, 32), master, suite, &c->dtls), 0);
	dtls_hello(c);
}

void dtls_say(struct client *c, uint8_t type, const void *p, size_t n)
{
	uint8_t buf[DTLS_PLAIN_MAX];
	buf[0] = type;
	if (n > 0)
		memcpy(buf + 1, p, n);
	assert_int_equal(dtls_write(c->dtls, span_of(buf, n + 1)), 0);
	dtls_flush(c);
}

bool dtls_answer(struct client *c, size_t n)
{
	static uint8_t copy[DTLS_PLAIN_MAX];
	if (n == 0 || c->plain[0] != CSTP_DPD_REQUEST)
		return false;
	memcpy(copy, c->plain + 1, n - 1);
	dtls_say(c, CSTP_DPD_RESPONSE, copy, n - 1);
	return true;
}

void dtls_prove(struct client *c)
{
	int got = 0;
	while (got < PROVEN_BYTES) {
		assert_true(dtls_receive(c, WAIT_MS));
		while ((got = dtls_read(c->dtls, c->plain, sizeof(c->plain))) > 0)
			if (dtls_answer(c, (size_t)got) && got >= PROVEN_BYTES)
				break;
	}
}

void dtls_shake_hands(struct client *c)
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

void dtls_up(struct client *c)
{
	dtls_shake_hands(c);
	dtls_prove(c);
}

void dtls_expect(struct client *c, uint8_t type, const void *p, size_t n)
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

size_t packet(uint8_t *p, uint32_t src, uint32_t dst, size_t n, uint8_t fill)
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

void tun_expect(const uint8_t *p, size_t n)
{
	uint8_t buf[20000];
	assert_true(readable(g.tun, WAIT_MS));
	assert_int_equal(read(g.tun, buf, sizeof(buf)), (ssize_t)n);
	assert_memory_equal(buf, p, n);
}

void tls_carries_data(struct client *c)
{
	uint8_t p[1300];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 1);
	cstp_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 900, 2);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
}

void dtls_carries_data(struct client *c)
{
	uint8_t p[1200];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 700, 4);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	dtls_expect(c, CSTP_DATA, p, n);
}

void both_carry_data(struct client *c)
{
	uint8_t p[1200];
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	dtls_say(c, CSTP_DATA, p, n);
	tun_expect(p, n);
	n = packet(p, INNER_SERVER, INNER_CLIENT, 700, 4);
	assert_int_equal(write(g.tun, p, n), (ssize_t)n);
	cstp_expect(c, CSTP_DATA, p, n);
}

void tun_stays_silent(struct client *c)
{
	for (int i = 0; i < SILENCE_MS / 10; i++) {
		assert_false(readable(g.tun, 10));
		while (readable(c->udp.fd, 0) && dtls_receive(c, 0)) {
			int got = dtls_read(c->dtls, c->plain, sizeof(c->plain));
			assert_true(got == 0 || dtls_answer(c, (size_t)got));
		}
	}
}

void expect_lost(uint32_t connection)
{
	struct ipc_msg m;
	expect(&g.auth, IPC_SESSION_LOST, &m);
	assert_int_equal(m.session_lost.index, 7);
	assert_int_equal(m.session_lost.connection, connection);
}

void turn(void)
{
	struct client *c = client_open();
	client_post(c, "<x/>");
	assert_true(client_answer(c) != 0);
	client_free(c);
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

void worker_unit_setup(void)
{
	setup_config();
	setup_tls();
}

int worker_unit_done(int status)
{
	tls_client_ctx_put(tls_ctx);
	dtls_ctx_free(dtls_ctx);
	tls_pem_wipe(&pem);
	free(config_text);
	return status;
}
