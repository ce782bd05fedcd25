/* Our TLS 1.3 record layer against OpenSSL's, across the switch. */
#include "tls_pair.h"

#include <errno.h>
#include <malloc.h>
#include <time.h>

/* to make a peer misbehave, and to choose a suite */
#include "io/tls_internal.h"

enum who { BOTH_OURS, OUR_CLIENT, OUR_SERVER };
enum { CLIENT = 0, SERVER = 1 };

static void pair_up(struct tls_pair *p, const char *suite)
{
	char pin[TLS_PIN_TEXT_MAX];
	int s;

	pair_cert(p, time(NULL));
	pair_server(p, TLS_1_3);
	assert_int_equal(tls_cert_pin(pair_pem(&p->cert), pin), 0);
	const char *pins[] = {pin};
	pair_client(p, &(struct tls_client_opts){.pin = pins, .n_pin = 1}, "192.0.2.99");
	if (suite)
		assert_int_equal(SSL_set_ciphersuites(p->client->ssl, suite), 1);
	assert_int_equal(pair_shake(p, SIZE_MAX, &s), 0);
	assert_int_equal(s, 0);
}

static struct tls *end_of(struct tls_pair *p, int end)
{
	return end == SERVER ? p->server : p->client;
}

static struct tls_out *from_end(struct tls_pair *p, int end)
{
	return end == SERVER ? &p->to_client : &p->to_server;
}

static void go_fast(struct tls_pair *p, enum who who)
{
	if (who != OUR_SERVER)
		tls_go_fast(p->client);
	if (who != OUR_CLIENT)
		tls_go_fast(p->server);
	assert_int_equal(tls_is_fast(p->client), who != OUR_SERVER);
	assert_int_equal(tls_is_fast(p->server), who != OUR_CLIENT);
}

/* Reads what waits, cut anywhere; the first byte of each record tells its number. */
static size_t receive(struct tls_pair *p, int end, size_t cut, bool is_view)
{
	static uint8_t wire[300 << 10], got[TLS_RECORD_MAX];
	struct tls *t = end_of(p, end);
	struct tls_out *in = from_end(p, !end);
	size_t at = 0, n_all = in->n, seen = 0;
	int r = 0;

	assert_true(n_all <= sizeof(wire));
	memcpy(wire, in->p, n_all);
	tls_out_consume(in, n_all);
	while (at < n_all) {
		size_t n = n_all - at < cut ? n_all - at : cut;
		uint8_t *view = got;
		if (is_view)
			assert_int_equal(tls_feed_writable(t, wire + at, n), 0);
		else
			assert_int_equal(tls_feed(t, span_of(wire + at, n)), 0);
		while ((r = is_view ? tls_read_view(t, got, sizeof(got), &view)
		                    : tls_read_record(t, got, sizeof(got))) > 0) {
			for (int i = 0; i < r; i += 97)
				assert_int_equal(view[i], (uint8_t)(i + r));
			assert_int_equal(view[r - 1], (uint8_t)(2 * r - 1));
			seen++;
		}
		assert_int_equal(r, 0);
		assert_int_equal(tls_unread(t), 0);
		at += n;
	}
	return seen;
}

static void send_one(struct tls_pair *p, int end, size_t n)
{
	static uint8_t plain[TLS_RECORD_MAX];

	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)(i + n);
	assert_int_equal(tls_write(end_of(p, end), span_of(plain, n)), 0);
}

static void exchange(struct tls_pair *p, int from, size_t cut, bool is_view)
{
	static const size_t sizes[] = {1, 1400, 17, TLS_RECORD_MAX, 8, TLS_RECORD_MAX - 1, 700};

	for (size_t i = 0; i < N_ELEM(sizes); i++)
		send_one(p, from, sizes[i]);
	assert_int_equal(receive(p, !from, cut, is_view), N_ELEM(sizes));
}

static void both_directions(struct tls_pair *p)
{
	exchange(p, CLIENT, SIZE_MAX, false);
	exchange(p, SERVER, SIZE_MAX, false);
}

static void closes(struct tls_pair *p, int end)
{
	char buf[8];

	tls_close(end_of(p, end));
	tls_close(end_of(p, end));
	assert_int_equal(tls_write(end_of(p, end), span_str("x")), ERR_CLOSED);
	assert_int_equal(tls_feed(end_of(p, !end), tls_out_span(from_end(p, end))), 0);
	assert_int_equal(tls_read_record(end_of(p, !end), buf, sizeof(buf)), ERR_CLOSED);
	assert_int_equal(tls_read_record(end_of(p, !end), buf, sizeof(buf)), ERR_CLOSED);
}

TEST(whole_life_with_openssl)
{
	static const char *const suites[] = {
	        "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"};
	static const size_t cuts[] = {1, 4, 1000, 16000, SIZE_MAX};

	for (size_t i = 0; i < N_ELEM(suites); i++) {
		for (enum who who = BOTH_OURS; who <= OUR_SERVER; who++) {
			struct tls_pair p = {0};
			struct tls_info info;
			pair_up(&p, suites[i]);
			for (unsigned k = 0; k < i; k++) /* some records before, or none */
				both_directions(&p);
			go_fast(&p, who);
			for (size_t k = 0; k < N_ELEM(cuts); k++) {
				for (int view = 0; view < 2; view++) {
					exchange(&p, CLIENT, cuts[k], view);
					exchange(&p, SERVER, cuts[k], view);
				}
			}
			tls_info(p.client, &info);
			assert_string_equal(info.protocol, "TLSv1.3");
			assert_string_equal(info.cipher, suites[i]);
			closes(&p, who == BOTH_OURS ? (int)i & 1 : who == OUR_SERVER);
			pair_done(&p);
			pair_up(&p, suites[i]);
			go_fast(&p, who);
			closes(&p, who != OUR_SERVER);
			pair_done(&p);
		}
	}
}

TEST(exporter_and_identity_outlive_the_switch)
{
	uint8_t before[TLS_PSK_BYTES], after[TLS_PSK_BYTES];
	struct tls_pair p = {0};
	struct tls_info one, two;

	pair_up(&p, NULL);
	assert_int_equal(tls_export_psk(p.client, before), 0);
	tls_info(p.client, &one);
	go_fast(&p, BOTH_OURS);
	assert_int_equal(tls_export_psk(p.client, after), 0);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(tls_export_psk(p.server, after), 0);
	assert_memory_equal(before, after, sizeof(before));
	tls_info(p.client, &two);
	assert_true(two.has_peer_cert && two.is_peer_verified);
	assert_string_equal(one.peer_pin, two.peer_pin);
	tls_info(p.server, &two);
	assert_false(two.has_peer_cert);
	assert_null(p.client->secrets);
	pair_done(&p);
}

TEST(tls12_stays_with_openssl)
{
	struct tls_pair p = {0};
	int s;

	pair_cert(&p, time(NULL));
	pair_server(&p, TLS_1_2);
	pair_client(&p, &(struct tls_client_opts){.ca_pem = pair_pem(&p.cert)}, "vpn.example.com");
	tls_go_fast(p.client); /* not up: nothing */
	assert_int_equal(pair_shake(&p, SIZE_MAX, &s), 0);
	tls_go_fast(p.client);
	tls_go_fast(p.server);
	assert_false(tls_is_fast(p.client) || tls_is_fast(p.server));
	both_directions(&p);
	pair_done(&p);
}

TEST(key_updates_before_and_after)
{
	for (enum who who = BOTH_OURS; who <= OUR_SERVER; who++) {
		struct tls_pair p = {0};
		pair_up(&p, NULL);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(tls_key_update(end_of(&p, i & 1)), 0);
			both_directions(&p);
		}
		/* a request that OpenSSL has read and not yet answered when the switch comes */
		assert_int_equal(tls_key_update(p.client), 0);
		send_one(&p, CLIENT, 5);
		assert_int_equal(receive(&p, SERVER, SIZE_MAX, false), 1);
		go_fast(&p, who);
		assert_true(p.server->fast == NULL || p.server->fast->owes_update);
		exchange(&p, SERVER, 3, false);
		for (int i = 0; i < 60; i++) {
			assert_int_equal(tls_key_update(end_of(&p, i % 3 == 0)), 0);
			if (i % 4 == 0)
				assert_int_equal(tls_key_update(end_of(&p, i % 3 == 0)), 0);
			exchange(&p, i & 1, i % 5 ? SIZE_MAX : 7, i & 2);
			exchange(&p, !(i & 1), SIZE_MAX, i & 4);
		}
		pair_done(&p);
	}
}

TEST(much_data_brings_new_keys_by_itself)
{
	struct tls_pair p = {0};

	pair_up(&p, NULL);
	go_fast(&p, OUR_SERVER);
	p.server->fast->tx.n_blocks = (uint64_t)1 << 34;
	uint64_t before = p.client->count[TLS_RX].n_updates;
	both_directions(&p);
	assert_int_equal(p.client->count[TLS_RX].n_updates, before + 1);
	assert_true(p.server->fast->tx.n_blocks < 10000);
	both_directions(&p);
	pair_done(&p);
}

TEST(storm_of_key_updates_ends)
{
	struct tls_pair p = {0};
	char got[8];
	int r = 0, i;

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	for (i = 0; i < 1000 && r == 0; i++) {
		assert_int_equal(tls_key_update(p.client), 0);
		assert_int_equal(tls_feed(p.server, tls_out_span(&p.to_server)), 0);
		r = tls_read_record(p.server, got, sizeof(got));
		tls_out_consume(&p.to_server, p.to_server.n);
	}
	assert_int_equal(r, ERR_CRYPTO);
	assert_int_equal(i, 129);
	assert_int_equal(tls_feed(p.client, tls_out_span(&p.to_client)), 0);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), ERR_CRYPTO);
	assert_non_null(strstr(tls_error(p.client), "unexpected"));
	pair_done(&p);
}

/* The switch waits for the end of a record that OpenSSL has begun to read, or that was read in part. */
TEST(switch_between_records_only)
{
	struct tls_pair p = {0};
	uint8_t got[2000];

	pair_up(&p, NULL);
	send_one(&p, CLIENT, 1000);
	send_one(&p, CLIENT, 1000);
	struct span wire = tls_out_span(&p.to_server);
	for (size_t at = 0; at < 1001; at += 1 + (at > 10) * 90) {
		struct tls_pair q = {0};
		pair_up(&q, NULL);
		send_one(&q, CLIENT, 1000);
		send_one(&q, CLIENT, 1000);
		wire = tls_out_span(&q.to_server);
		assert_int_equal(tls_feed(q.server, span_of(wire.p, at)), 0);
		assert_int_equal(tls_read_record(q.server, got, sizeof(got)), 0);
		tls_go_fast(q.server);
		assert_int_equal(tls_is_fast(q.server), at == 0);
		assert_int_equal(tls_feed(q.server, span_skip(wire, at)), 0);
		assert_int_equal(tls_read_record(q.server, got, 400), 400); /* in two parts */
		assert_int_equal(tls_is_fast(q.server), at == 0);
		assert_int_equal(tls_read_record(q.server, got, sizeof(got)), 600);
		assert_int_equal(got[599], (uint8_t)(2 * 1000 - 1));
		assert_int_equal(tls_read_record(q.server, got, sizeof(got)), 1000);
		assert_true(tls_is_fast(q.server));
		assert_int_equal(tls_read_record(q.server, got, sizeof(got)), 0);
		tls_out_consume(&q.to_server, q.to_server.n);
		both_directions(&q);
		pair_done(&q);
	}
	pair_done(&p);
}

TEST(late_session_tickets_are_skipped)
{
	struct tls_pair p = {0};

	pair_up(&p, NULL);
	go_fast(&p, OUR_CLIENT);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(SSL_new_session_ticket(p.server->ssl), 1);
		assert_int_equal(SSL_do_handshake(p.server->ssl), 1);
		assert_true(p.to_client.n > 0);
		exchange(&p, SERVER, i ? SIZE_MAX : 3, i & 1);
		exchange(&p, CLIENT, SIZE_MAX, false);
	}
	pair_done(&p);
}

/* Hands the server's next records to the client as they are. */
static void send_raw(struct tls_pair *p, enum tls_content type, struct span content)
{
	uint8_t *to = tls_out_reserve(&p->to_client, content.n + TLS_RECORD_ADDED_BYTES);
	int n = tls_record_seal(&p->server->fast->tx, type, to, content);

	assert_true(n > 0);
	p->to_client.n += (size_t)n;
}

static void refused(enum tls_content type, struct span content, int want, const char *want_error)
{
	struct tls_pair p = {0};
	uint8_t got[100];

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	send_raw(&p, type, content);
	assert_int_equal(tls_feed(p.client, tls_out_span(&p.to_client)), 0);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), want);
	assert_non_null(strstr(tls_error(p.client), want_error));
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), ERR_CLOSED);
	pair_done(&p);
}

#define BYTES(s) span_of(s, sizeof(s) - 1)

TEST(messages_that_may_not_come)
{
	refused(TLS_ALERT, BYTES("\2\x28"), ERR_CRYPTO, "handshake failure");
	refused(TLS_ALERT, BYTES("\1\x50"), ERR_CRYPTO, "internal error"); /* the level does not count */
	refused(TLS_ALERT, BYTES("\1"), ERR_CRYPTO, "decode error");
	refused(TLS_ALERT, BYTES("\1\0\0"), ERR_CRYPTO, "decode error");
	refused(TLS_HANDSHAKE, BYTES(""), ERR_CRYPTO, "unexpected");
	refused(TLS_HANDSHAKE, BYTES("\1\0\0\1x"), ERR_CRYPTO, "unexpected");   /* ClientHello */
	refused(TLS_HANDSHAKE, BYTES("\x0d\0\0\1x"), ERR_CRYPTO, "unexpected"); /* CertificateRequest */
	refused(TLS_HANDSHAKE, BYTES("\x18\0\0\1\2"), ERR_CRYPTO, "illegal parameter"); /* KeyUpdate */
	refused(TLS_HANDSHAKE, BYTES("\x18\0\0\1\1x"), ERR_CRYPTO, "unexpected");
	refused(TLS_HANDSHAKE, BYTES("\x18\0\0\2\1"), ERR_CRYPTO, "unexpected");
	refused(TLS_CCS, BYTES("\1"), ERR_CRYPTO, "unexpected");
	refused(0, BYTES(""), ERR_CRYPTO, "unexpected"); /* nothing but padding */
	refused(99, BYTES("?"), ERR_CRYPTO, "unexpected");
}

TEST(padding_and_empty_records)
{
	struct tls_pair p = {0};
	uint8_t got[100];

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	send_raw(&p, 0, BYTES("hello\x17\0\0\0\0\0"));
	for (int i = 0; i < 20; i++)
		send_raw(&p, TLS_DATA, BYTES(""));
	send_raw(&p, TLS_ALERT, BYTES("\1\x5a")); /* user_canceled */
	send_raw(&p, 0, BYTES("world\x17\0\0\0\0\0"));
	assert_int_equal(tls_feed(p.client, tls_out_span(&p.to_client)), 0);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), 5);
	assert_memory_equal(got, "world", 5);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), 0);
	pair_done(&p);
}

/* Data in the middle of a ticket. */
TEST(cut_messages_may_not_be_interrupted)
{
	struct tls_pair p = {0};
	uint8_t got[100];

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	send_raw(&p, TLS_HANDSHAKE, BYTES("\4\0"));
	send_raw(&p, TLS_HANDSHAKE, BYTES("\0\5abc"));
	send_raw(&p, TLS_HANDSHAKE, BYTES("de\4\0\0\0"));
	send_raw(&p, TLS_DATA, BYTES("fine"));
	send_raw(&p, TLS_HANDSHAKE, BYTES("\4\0\0\5abc"));
	send_raw(&p, TLS_DATA, BYTES("bad"));
	assert_int_equal(tls_feed(p.client, tls_out_span(&p.to_client)), 0);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), 4);
	assert_int_equal(tls_read_record(p.client, got, sizeof(got)), ERR_CRYPTO);
	pair_done(&p);

	/* a client has no tickets to give */
	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	uint8_t record[64];
	int n = tls_record_seal(&p.client->fast->tx, TLS_HANDSHAKE, record, BYTES("\4\0\0\1x"));
	assert_int_equal(n, 27);
	assert_int_equal(tls_feed(p.server, span_of(record, (size_t)n)), 0);
	assert_int_equal(tls_read_record(p.server, got, sizeof(got)), ERR_CRYPTO);
	pair_done(&p);
}

TEST(garbled_records_end_the_connection)
{
	for (size_t at = 0; at < 27; at++) {
		struct tls_pair p = {0};
		char got[64];
		pair_up(&p, NULL);
		go_fast(&p, at & 1 ? BOTH_OURS : OUR_SERVER);
		assert_int_equal(tls_write(p.client, span_str("hello")), 0);
		assert_int_equal(p.to_server.n, 27);
		p.to_server.p[at] ^= 0x41;
		/* a length that grew makes a record that is not there yet: more bytes are needed to see it */
		static uint8_t more[40000];
		memcpy(more, p.to_server.p, 27);
		assert_int_equal(tls_feed(p.server, span_of(more, sizeof(more))), 0);
		assert_int_equal(tls_read_record(p.server, got, sizeof(got)), ERR_CRYPTO);
		assert_true(tls_error(p.server)[0] != '\0');
		assert_true(p.to_client.n > 0);
		assert_int_equal(tls_feed(p.client, tls_out_span(&p.to_client)), 0);
		assert_int_equal(tls_read_record(p.client, got, sizeof(got)), ERR_CRYPTO);
		assert_int_equal(tls_read_record(p.server, got, sizeof(got)), ERR_CLOSED);
		pair_done(&p);
	}
}

TEST(small_buffers_get_records_in_parts)
{
	struct tls_pair p = {0};
	uint8_t got[100];
	size_t seen = 0;
	int r;

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	send_one(&p, CLIENT, 1000);
	send_one(&p, CLIENT, 80);
	assert_int_equal(tls_feed(p.server, tls_out_span(&p.to_server)), 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(tls_read_record(p.server, got, sizeof(got)), 100);
		for (size_t k = 0; k < 100; k++)
			assert_int_equal(got[k], (uint8_t)(seen++ + 1000));
	}
	assert_int_equal(tls_read_record(p.server, got, sizeof(got)), 80);
	while ((r = tls_read_record(p.server, got, sizeof(got))) > 0)
		;
	assert_int_equal(r, 0);
	pair_done(&p);
}

TEST(output_limit_loses_nothing)
{
	struct tls_pair p = {0};
	int sent = 0, r;
	uint8_t plain[1400] = {0};

	pair_up(&p, NULL);
	go_fast(&p, BOTH_OURS);
	p.to_server.max = 10000;
	while ((r = tls_write(p.client, span_of(plain, sizeof(plain)))) == 0)
		sent++;
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(sent, 6);
	tls_out_consume(&p.to_server, p.to_server.n);
	assert_int_equal(tls_write(p.client, span_of(plain, 0)), -EINVAL);
	tls_set_output(p.client, NULL);
	assert_int_equal(tls_write(p.client, span_of(plain, 1)), -EINVAL);
	assert_int_equal(tls_key_update(p.client), -ENOBUFS);
	pair_done(&p);
}

/* Sanitizers report 0, which passes. */
TEST(idle_connection_is_small)
{
	struct tls_pair p = {0};

	pair_up(&p, NULL);
	both_directions(&p);
	go_fast(&p, BOTH_OURS);
	both_directions(&p);
	assert_int_equal(receive(&p, SERVER, SIZE_MAX, false), 0);
	size_t before = mallinfo2().uordblks;
	tls_free(p.server);
	p.server = NULL;
	size_t n = before - mallinfo2().uordblks;
	print_message("%zu bytes\n", n);
	assert_true(n < 6000);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whole_life_with_openssl),
	        cmocka_unit_test(exporter_and_identity_outlive_the_switch),
	        cmocka_unit_test(tls12_stays_with_openssl),
	        cmocka_unit_test(key_updates_before_and_after),
	        cmocka_unit_test(much_data_brings_new_keys_by_itself),
	        cmocka_unit_test(storm_of_key_updates_ends),
	        cmocka_unit_test(switch_between_records_only),
	        cmocka_unit_test(late_session_tickets_are_skipped),
	        cmocka_unit_test(messages_that_may_not_come),
	        cmocka_unit_test(padding_and_empty_records),
	        cmocka_unit_test(cut_messages_may_not_be_interrupted),
	        cmocka_unit_test(garbled_records_end_the_connection),
	        cmocka_unit_test(small_buffers_get_records_in_parts),
	        cmocka_unit_test(output_limit_loses_nothing),
	        cmocka_unit_test(idle_connection_is_small),
	};
	return RUN(tests);
}
