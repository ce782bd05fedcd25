/* A worker of two threads: what comes to the one and is the other's. */
#include "worker_unit.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#define FIRST  0
#define SECOND 1

/* Data for the client by the TUN queues of both threads in turn; the script stays with the first. */
static void both_queues_reach(struct client *c)
{
	uint8_t p[900];
	for (uint8_t i = 0; i < 20; i++) {
		size_t n = packet(p, INNER_SERVER, INNER_CLIENT, sizeof(p), i);
		gateway_turn_to(i % 2 ? FIRST : SECOND);
		assert_int_equal(write(g.tun, p, n), (ssize_t)n);
		cstp_expect(c, CSTP_DATA, p, n);
	}
	gateway_turn_to(FIRST);
}

static uint16_t udp_port_of(unsigned thread)
{
	gateway_turn_to(thread);
	uint16_t port = g.udp_port;
	gateway_turn_to(FIRST);
	return port;
}

static struct client *client_open_at(unsigned thread)
{
	gateway_turn_to(thread);
	struct client *c = client_open();
	gateway_turn_to(FIRST);
	return c;
}

static uint32_t question_of(unsigned thread)
{
	gateway_turn_to(thread);
	uint32_t ref = auth_is_asked();
	gateway_turn_to(FIRST);
	return ref;
}

/* The second thread's question is answered, and its client is connected. */
static void second_has_it(struct client *c, uint32_t ref)
{
	gateway_turn_to(SECOND);
	auth_answers(ref, 7, 2);
	assert_int_equal(client_answer(c), 200);
	gateway_turn_to(FIRST);
}

/* What comes by the other thread's TUN queue or UDP socket is handed over; a client that comes back by its
 * listener is moved to where its session is. */
TEST(strays_find_the_thread_of_their_session)
{
	uint8_t p[700];
	gateway_start();
	struct client *c = client_tunnel(1, OWN_LINES);
	both_queues_reach(c);
	dtls_up(c);
	dtls_carries_data(c);
	struct sockaddr_in other = {.sin_family = AF_INET,
	        .sin_port = htons(udp_port_of(SECOND)),
	        .sin_addr.s_addr = htonl(0x7f000001)};
	p[0] = CSTP_DATA;
	size_t n = packet(p + 1, INNER_CLIENT, INNER_SERVER, sizeof(p) - 1, 9);
	assert_int_equal(dtls_write(c->dtls, span_of(p, n + 1)), 0);
	assert_int_equal(sendto(c->udp.fd, c->dout.p, c->dout.n, 0, (struct sockaddr *)&other, sizeof(other)),
	        (ssize_t)c->dout.n);
	dtls_out_reset(&c->dout);
	tun_expect(p + 1, n);
	struct client *again = client_open_at(SECOND);
	client_ask_tunnel(again, OWN_LINES);
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
	struct client *a = client_open(), *b = client_open_at(SECOND);
	client_ask_tunnel(a, PSK_LINE);
	uint32_t first = question_of(FIRST);
	client_ask_tunnel(b, PSK_LINE);
	uint32_t second = question_of(SECOND);
	if (newer_first)
		second_has_it(b, second);
	auth_answers(first, 7, 1);
	auth_say(&kick);
	if (!newer_first)
		second_has_it(b, second);
	assert_int_equal(client_answer(a), 200);
	expect_end(a);
	turn(); /* the first thread has forgotten */
	both_queues_reach(b);
	size_t n = packet(p, INNER_CLIENT, INNER_SERVER, sizeof(p), 3);
	cstp_say(b, CSTP_DATA, p, n);
	gateway_turn_to(SECOND);
	tun_expect(p, n);
	gateway_turn_to(FIRST);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                strays_find_the_thread_of_their_session, two_threads, one_thread),
	        cmocka_unit_test_setup_teardown(
	                a_session_is_taken_over_by_the_other_thread, two_threads, one_thread),
	};
	return RUN_WORKER(tests);
}
