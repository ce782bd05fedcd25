/* Logins, requests and tunnels of one worker process: who gets what answer, and what auth hears. */
#include "worker_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/conn.h"

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
	assert_int_equal(STATUS_OF("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), 413);
	assert_int_equal(STATUS_OF("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n<a><b"), 400);
	assert_int_equal(STATUS_OF(CONNECT_LINES "\r\n"), 401);
	assert_int_equal(STATUS_OF(CONNECT_LINES "Cookie: webvpn=zz\r\n\r\n"), 401);
	assert_int_equal(STATUS_OF(CONNECT_LINES "Cookie: webvpn=\"\r\n\r\n"), 400);
	assert_int_equal(STATUS_OF("CONNECT /elsewhere HTTP/1.1\r\n\r\n"), 404);
	memset(big, 'a', sizeof(big));
	int n = snprintf(big, 100, "POST / HTTP/1.1\r\nContent-Length: %u\r\n\r\n", CONN_BODY_MAX_BYTES);
	big[n] = '&';
	assert_int_equal(status_of(big, (size_t)n + CONN_BODY_MAX_BYTES), 200);
	memset(big, 'a', 100);
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

TEST(reload_and_shutdown)
{
	struct ipc_msg m = {.type = IPC_RELOAD}, q;
	gateway_start();
	struct client *c = client_tunnel(1, PSK_LINE);
	dtls_up(c);
	fd_send(IPC_FD_CONFIG, config_memfd());
	fd_send(IPC_FD_CERT, cert_memfd());
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

/* A provider's customer has 2^64 addresses of IPv6: they share one budget. */
TEST(an_ip6_network_counts_as_one_address)
{
	struct process *p = calloc(1, sizeof(*p));
	struct ip_addr a;
	unsigned n = 0;
	assert_non_null(p);
	process_init(p);
	p->max_conns = UINT32_MAX;
	atomic_store(&p->n_pre_login, WORKER_CROWDED_PRE_LOGIN);
	assert_int_equal(addr_parse(span_str("2001:db8:0:1::"), &a), 0);
	for (a.b[15] = 1; a.b[15] < 200; a.b[15]++)
		n += process_has_room(p, &a, 1000);
	assert_in_range(n, 60, 70);
	assert_int_equal(addr_parse(span_str("2001:db8:0:2::1"), &a), 0);
	assert_true(process_has_room(p, &a, 1000));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(login),
	        cmocka_unit_test(auth_learns_that_nobody_waited),
	        cmocka_unit_test(a_tunnel_that_cannot_be_answered),
	        cmocka_unit_test(requests_of_strangers),
	        cmocka_unit_test(single_bytes_cost_little),
	        cmocka_unit_test(pipelined_requests_wait_for_auth),
	        cmocka_unit_test(reload_and_shutdown),
	        cmocka_unit_test(an_ip6_network_counts_as_one_address),
	        cmocka_unit_test_setup_teardown(reload_and_shutdown, two_threads, one_thread),
	};
	return RUN_WORKER(tests);
}
