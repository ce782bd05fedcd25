/* Our record layer against OpenSSL's, across the switch. */
#include "dtls_pair.h"

#include <errno.h>
#include <malloc.h>

static const char *const suites[] = {"PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305",
        "PSK-AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305"};

enum who { BOTH_OURS, OUR_CLIENT, OUR_SERVER };

static void pair_make(struct pair *p, const char *suite, enum who who)
{
	if (strncmp(suite, "PSK-", 4) == 0)
		pair_psk(p, suite, NULL);
	else
		pair_resume(p, suite);
	if (who == OUR_CLIENT)
		dtls_keep_openssl(p->server);
	if (who == OUR_SERVER)
		dtls_keep_openssl(p->client);
}

static void pair_up(struct pair *p, const char *suite, enum who who)
{
	pair_make(p, suite, who);
	shake(p, 0, 0);
	assert_int_equal(dtls_is_fast(p->client), who != OUR_SERVER);
	assert_int_equal(dtls_is_fast(p->server), who != OUR_CLIENT);
	assert_true((p->client->ssl == NULL) == (who != OUR_SERVER));
}

static void both_directions(struct pair *p)
{
	exchange(p->client, &p->to_server, p->server);
	exchange(p->server, &p->to_client, p->client);
}

static void closes(struct pair *p, bool is_client)
{
	struct dtls *from = is_client ? p->client : p->server, *to = is_client ? p->server : p->client;
	struct dtls_out *wire = is_client ? &p->to_server : &p->to_client;

	dtls_close(from);
	dtls_close(from);
	assert_int_equal(wire->n_dgram, 1);
	assert_int_equal(wire->p[0], DTLS_ALERT);
	assert_int_equal(feed_one(to, dgram(wire, 0)), ERR_CLOSED);
	assert_false(dtls_is_up(to));
	assert_int_equal(dtls_write(to, span_str("x")), ERR_CLOSED);
}

TEST(data_and_close_with_openssl)
{
	for (size_t i = 0; i < N_ELEM(suites); i++) {
		for (enum who who = BOTH_OURS; who <= OUR_SERVER; who++) {
			for (int closer = 0; closer < 2; closer++) {
				struct pair p = {0};
				pair_up(&p, suites[i], who);
				for (int k = 0; k < 5; k++)
					both_directions(&p);
				closes(&p, closer);
				pair_done(&p);
			}
		}
	}
}

/* Each datagram of the handshake lost once, in every pairing: repeated flights are answered, by OpenSSL
 * before the switch and by us after it, and no nonce is used twice. */
struct wire_log {
	uint64_t nonce[256], seq[256];
	size_t n;
};

static void log_wire(struct wire_log *log, const struct dtls_out *o, size_t i)
{
	struct span d = dgram(o, i);
	struct dtls_record_head h;

	while (dtls_record_cut(&d, &h)) {
		if (h.epoch != 1)
			continue;
		assert_true(log->n < N_ELEM(log->nonce));
		memcpy(&log->nonce[log->n], h.body.p, 8);
		log->seq[log->n++] = h.seq;
	}
}

/* What is repeated byte by byte is the same record: same number and nonce. Everything else has its own. */
static void check_unique(const struct wire_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(log->nonce[i] == log->nonce[k], log->seq[i] == log->seq[k]);
}

static void lossy(const char *suite, enum who who, unsigned lost, unsigned n_lost)
{
	struct pair p = {0};
	struct wire_log log[2] = {0};
	unsigned seen = 0;

	pair_make(&p, suite, who);
	struct dtls *side[2] = {p.client, p.server};
	struct dtls_out *in[2] = {&p.to_client, &p.to_server};
	for (int i = 0; i < 30 && !(dtls_is_up(p.client) && dtls_is_up(p.server)); i++) {
		for (int k = 0; k < 2; k++) {
			int r = dtls_handshake(side[k]);
			assert_true(r == 0 || r == ERR_MORE);
			for (size_t j = 0; j < in[k]->n_dgram; j++) {
				log_wire(&log[k], in[k], j);
				if (seen >= lost && seen < lost + n_lost)
					seen++;
				else if (++seen)
					assert_true((r = feed_one(side[k], dgram(in[k], j))) == 0 ||
					            r == ERR_MORE);
			}
			dtls_out_reset(in[k]);
		}
		if (p.to_client.n_dgram > 0 || p.to_server.n_dgram > 0)
			continue;
		clock_ms += 60000;
		for (int k = 0; k < 2; k++)
			assert_int_equal(dtls_on_timeout(side[k]), 0);
	}
	if (!dtls_is_up(p.client) || !dtls_is_up(p.server))
		fail_msg("%s, %d, lost %u+%u: not up", suite, who, lost, n_lost);
	dtls_out_reset(&p.to_client);
	dtls_out_reset(&p.to_server);
	assert_int_equal(dtls_is_fast(p.client), who != OUR_SERVER);
	assert_int_equal(dtls_is_fast(p.server), who != OUR_CLIENT);
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 2; k++) {
			uint8_t got[8];
			assert_int_equal(dtls_write(side[!k], span_str("data")), 0);
			log_wire(&log[k], in[k], 0);
			dtls_feed(side[k], dgram(in[k], 0));
			assert_int_equal(dtls_read(side[k], got, sizeof(got)), 4);
			dtls_out_reset(in[k]);
		}
	}
	if (strstr(suite, "GCM")) {
		check_unique(&log[0]);
		check_unique(&log[1]);
	}
	pair_done(&p);
}

TEST(any_lost_datagrams_are_repeated)
{
	for (enum who who = BOTH_OURS; who <= OUR_SERVER; who++) {
		for (unsigned lost = 0; lost < 12; lost++) {
			for (unsigned n = 1; n <= 4; n++) {
				lossy("PSK-AES256-GCM-SHA384", who, lost, n);
				lossy("PSK-CHACHA20-POLY1305", who, lost, n);
				lossy("AES256-GCM-SHA384", who, lost, n);
			}
		}
	}
}

/* The last flight is lost several times over; data of the side that is up already waits. */
TEST(last_flight_is_repeated_until_it_arrives)
{
	struct pair p = {0};

	pair_make(&p, "PSK-AES256-GCM-SHA384", OUR_SERVER);
	assert_int_equal(dtls_handshake(p.client), ERR_MORE);
	assert_int_equal(feed_all(p.server, &p.to_server), ERR_MORE);
	assert_int_equal(feed_all(p.client, &p.to_client), ERR_MORE);
	assert_int_equal(feed_all(p.server, &p.to_server), 0);
	assert_true(dtls_is_fast(p.server));
	struct span flight = span_of(p.to_client.p, p.to_client.n);
	uint8_t first[DTLS_FLIGHT_BYTES_MAX];
	size_t n_first = flight.n;
	assert_true(n_first > 0 && n_first <= sizeof(first));
	memcpy(first, flight.p, n_first);
	for (int i = 0; i < 4; i++) {
		dtls_out_reset(&p.to_client); /* lost */
		clock_ms += 60000;
		assert_int_equal(dtls_on_timeout(p.client), 0);
		assert_true(p.to_server.n_dgram > 0);
		assert_int_equal(feed_all(p.server, &p.to_server), 0);
		assert_int_equal(p.to_client.n, n_first);
		assert_memory_equal(p.to_client.p, first, n_first);
	}
	assert_int_equal(feed_all(p.client, &p.to_client), 0);
	assert_non_null(p.server->flight.p);
	both_directions(&p);
	assert_null(p.server->flight.p); /* forgotten once data came */
	both_directions(&p);
	pair_done(&p);
}

/* The client of an abbreviated handshake sends data with its Finished: in one datagram, or overtaking it. */
static void early(bool is_server_ours, bool is_one_datagram, bool is_overtaking)
{
	struct pair p = {0};
	uint8_t all[4096], got[64];
	size_t n = 0;

	pair_make(&p, "AES256-GCM-SHA384", is_server_ours ? BOTH_OURS : OUR_CLIENT);
	assert_int_equal(dtls_handshake(p.client), ERR_MORE);
	assert_int_equal(feed_all(p.server, &p.to_server), ERR_MORE);
	assert_int_equal(feed_all(p.client, &p.to_client), 0);
	size_t n_flight = p.to_server.n_dgram, at = p.to_server.n;
	assert_int_equal(dtls_write(p.client, span_str("early 1")), 0);
	assert_int_equal(dtls_write(p.client, span_str("early 2")), 0);
	if (is_overtaking)
		for (size_t i = n_flight; i < n_flight + 2; i++)
			assert_int_equal(feed_one(p.server, dgram(&p.to_server, i)), ERR_MORE);
	for (size_t i = 0; i < n_flight + 2 * is_one_datagram; i++) {
		struct span d = dgram(&p.to_server, i);
		memcpy(all + n, d.p, d.n);
		n += d.n;
	}
	assert_true(is_one_datagram || n == at);
	assert_int_equal(feed_one(p.server, span_of(all, n)), 0);
	assert_int_equal(dtls_is_fast(p.server), is_server_ours);
	/* a datagram that comes before anybody has read must not push them out */
	assert_int_equal(dtls_write(p.client, span_str("late 33")), 0);
	dtls_feed(p.server, dgram(&p.to_server, n_flight + 2));
	unsigned seen = 0;
	for (int i = 0; i < 3; i++) {
		int r = dtls_read(p.server, got, sizeof(got));
		assert_int_equal(r, 7);
		seen |= 1u << (got[6] & 3);
	}
	assert_int_equal(seen, 2 + 4 + 8);
	assert_int_equal(dtls_read(p.server, got, sizeof(got)), 0);
	assert_int_equal(p.server->early.n, 0);
	dtls_out_reset(&p.to_server);
	dtls_out_reset(&p.to_client);
	both_directions(&p);
	pair_done(&p);
}

TEST(early_data_is_kept)
{
	for (int ours = 0; ours < 2; ours++) {
		early(ours, true, false);
		early(ours, false, true);
	}
}

TEST(early_data_of_strangers_has_a_limit)
{
	struct pair p = {0};
	uint8_t junk[1400] = "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x05\x6b";

	pair_make(&p, "PSK-AES256-GCM-SHA384", BOTH_OURS);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(feed_one(p.server, span_of(junk, sizeof(junk))), ERR_MORE);
	assert_int_equal(p.server->early.n_record, DTLS_EARLY_RECORDS_MAX);
	assert_true(p.server->early.n <= DTLS_EARLY_BYTES_MAX);
	shake(&p, 0, 0);
	both_directions(&p); /* none of the junk was taken for data */
	pair_done(&p);
}

/* OpenSSL before 3.0.22 ends at a record that its suite could not have made. */
TEST(early_records_that_are_too_short_do_no_harm)
{
	static const char *const slow[] = {"AES256-SHA", "AES256-GCM-SHA384"};
	uint8_t junk[13 + 20] = "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x00\x14";

	for (size_t i = 0; i < N_ELEM(slow); i++) {
		for (uint8_t n = 0; n <= 20; n++) {
			struct pair p = {0};
			char got[8];
			pair_resume(&p, slow[i]);
			dtls_keep_openssl(p.server);
			junk[12] = n;
			assert_int_equal(feed_one(p.server, span_of(junk, 13u + n)), ERR_MORE);
			shake(&p, 0, 0);
			assert_int_equal(dtls_read(p.server, got, sizeof(got)), 0);
			both_directions(&p);
			pair_done(&p);
		}
	}
}

TEST(client_renegotiation_is_refused)
{
	struct pair p = {0};

	pair_up(&p, "PSK-AES256-GCM-SHA384", OUR_SERVER);
	SSL_clear_options(p.client->ssl, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(p.client->ssl), 1);
	(void)SSL_do_handshake(p.client->ssl);
	assert_true(p.to_server.n_dgram > 0);
	assert_int_equal(feed_all(p.server, &p.to_server), 0);
	assert_int_equal(p.to_client.n_dgram, 1);
	assert_int_equal(p.to_client.p[0], DTLS_ALERT);
	assert_true(dtls_is_up(p.server));
	assert_int_equal(feed_all(p.client, &p.to_client), ERR_CLOSED);
	assert_non_null(strstr(dtls_error(p.client), "no renegotiation"));
	pair_done(&p);
}

TEST(hello_request_is_refused)
{
	struct pair p = {0};

	pair_up(&p, "PSK-AES256-GCM-SHA384", OUR_CLIENT);
	SSL_clear_options(p.server->ssl, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(p.server->ssl), 1);
	(void)SSL_do_handshake(p.server->ssl);
	assert_int_equal(p.to_client.n_dgram, 1);
	assert_int_equal(p.to_client.p[0], DTLS_HANDSHAKE);
	assert_int_equal(feed_all(p.client, &p.to_client), 0);
	assert_int_equal(p.to_server.n_dgram, 1);
	assert_int_equal(p.to_server.p[0], DTLS_ALERT);
	assert_true(dtls_is_up(p.client));
	pair_done(&p);
}

/* An alert that OpenSSL's side has no function for. */
static void send_alert(struct pair *p, uint8_t level, uint8_t what)
{
	uint8_t alert[] = {level, what};
	struct dtls_out *o = &p->to_client;
	int n = dtls_record_seal(p->server->record, DTLS_ALERT, o->p, span_of(alert, 2));

	assert_true(n > 0);
	o->dgram[0] = (struct udp_piece){.len = (uint32_t)n};
	o->n_dgram = 1;
	o->n = (size_t)n;
}

TEST(alerts)
{
	struct pair p = {0};
	char got[8];

	for (enum who who = BOTH_OURS; who <= OUR_SERVER; who += OUR_SERVER) {
		pair_up(&p, "PSK-AES256-GCM-SHA384", who);
		for (int i = 0; who == BOTH_OURS && i < 100; i++) {
			send_alert(&p, 1, SSL_AD_NO_RENEGOTIATION);
			assert_int_equal(feed_all(p.client, &p.to_client), 0);
		}
		both_directions(&p);
		send_alert(&p, 2, SSL_AD_INTERNAL_ERROR);
		dtls_feed(p.client, dgram(&p.to_client, 0));
		assert_int_equal(dtls_read(p.client, got, sizeof(got)), ERR_CLOSED);
		assert_non_null(strstr(dtls_error(p.client), "internal error"));
		pair_done(&p);
	}
}

TEST(records_of_strangers_and_old_epochs_change_nothing)
{
	/* alert, change cipher spec, ClientHello, data in clear; a record of the next epoch */
	static const struct {
		const char *p;
		size_t n;
	} junk[] = {{"\x15\xfe\xfd\0\0\0\0\0\0\0\x09\0\2\2\x28", 15},
	        {"\x14\xfe\xfd\0\0\0\0\0\0\0\x0a\0\1\1", 14},
	        {"\x16\xfe\xfd\0\0\0\0\0\0\0\x0b\0\x0c\1\0\0\0\0\0\0\0\0\0\0\0", 25},
	        {"\x17\xfe\xfd\0\0\0\0\0\0\0\x0c\0\2hi", 15},
	        {"\x17\xfe\xfd\0\2\0\0\0\0\0\x0d\0\x20hihihihihihihihihihihihihihihihi", 45},
	        {"\x17\xfe\xfd\0\1\0\0\0\0\0\x0d\0\0", 13},
	        {"\x17\xfe\xfd\0\1\0\0\0\0\0\x0e\0\x17hihihihihihihihihihihih", 36}};
	struct pair p = {0};

	pair_up(&p, "PSK-AES256-GCM-SHA384", BOTH_OURS);
	for (size_t i = 0; i < N_ELEM(junk); i++)
		assert_int_equal(feed_one(p.server, span_of(junk[i].p, junk[i].n)), 0);
	assert_int_equal(p.to_client.n_dgram, 0);
	both_directions(&p);
	pair_done(&p);
}

TEST(reading_in_place)
{
	struct pair p = {0};
	uint8_t scratch[DTLS_PLAIN_MAX], datagram[4096], *at = NULL;

	for (enum who who = BOTH_OURS; who <= OUR_CLIENT; who++) {
		pair_up(&p, "PSK-AES256-GCM-SHA384", who);
		size_t n = 0;
		for (int i = 0; i < 3; i++) {
			assert_int_equal(dtls_write(p.client, span_str("some data")), 0);
			struct span d = dgram(&p.to_server, (size_t)i);
			memcpy(datagram + n, d.p, d.n);
			n += d.n;
		}
		dtls_feed_writable(p.server, datagram, n);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(dtls_read_view(p.server, scratch, sizeof(scratch), &at), 9);
			assert_memory_equal(at, "some data", 9);
			assert_int_equal(at >= datagram && at < datagram + n, who == BOTH_OURS);
		}
		assert_int_equal(dtls_read_view(p.server, scratch, sizeof(scratch), &at), 0);
		pair_done(&p);
	}
	/* too large for the buffer: dropped whole, the next one is read */
	pair_up(&p, "PSK-AES256-GCM-SHA384", BOTH_OURS);
	assert_int_equal(dtls_write(p.client, span_str("larger than six")), 0);
	assert_int_equal(dtls_write(p.client, span_str("small")), 0);
	dtls_feed(p.server, span_of(p.to_server.p, p.to_server.n));
	assert_int_equal(dtls_read(p.server, scratch, 6), 5);
	pair_done(&p);
}

/* Sanitizers report 0, which passes. OpenSSL's object alone takes 70 KB. */
TEST(an_association_is_small)
{
	struct pair p = {0};

	pair_up(&p, "PSK-AES256-GCM-SHA384", BOTH_OURS);
	both_directions(&p);
	size_t before = mallinfo2().uordblks;
	dtls_free(p.server);
	p.server = NULL;
	size_t n = before - mallinfo2().uordblks;
	print_message("%zu bytes\n", n);
	assert_true(n < 6000);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(data_and_close_with_openssl),
	        cmocka_unit_test(any_lost_datagrams_are_repeated),
	        cmocka_unit_test(last_flight_is_repeated_until_it_arrives),
	        cmocka_unit_test(early_data_is_kept),
	        cmocka_unit_test(early_data_of_strangers_has_a_limit),
	        cmocka_unit_test(early_records_that_are_too_short_do_no_harm),
	        cmocka_unit_test(client_renegotiation_is_refused),
	        cmocka_unit_test(hello_request_is_refused),
	        cmocka_unit_test(alerts),
	        cmocka_unit_test(records_of_strangers_and_old_epochs_change_nothing),
	        cmocka_unit_test(reading_in_place),
	        cmocka_unit_test(an_association_is_small),
	};
	return RUN(tests);
}
