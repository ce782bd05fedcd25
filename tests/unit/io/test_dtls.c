#include "dtls_pair.h"

#include <errno.h>
#include <stdlib.h>

static void whole_life_of(struct pair *p, const char *protocol, const char *cipher, bool is_resumed)
{
	struct dtls_info info;
	char buf[16];

	shake(p, 0, 0);
	dtls_info(p->server, &info);
	assert_string_equal(info.protocol, protocol);
	assert_string_equal(info.cipher, cipher);
	assert_int_equal(info.is_resumed, is_resumed);
	/* AEAD suites are ours */
	assert_int_equal(dtls_is_fast(p->client), strstr(cipher, "GCM") || strstr(cipher, "CHACHA"));
	assert_int_equal(dtls_is_fast(p->server), dtls_is_fast(p->client));
	for (int i = 0; i < 3; i++) {
		exchange(p->client, &p->to_server, p->server);
		exchange(p->server, &p->to_client, p->client);
	}
	assert_true(dtls_timeout_due_ms(p->client, 5) == MS_NEVER &&
	            dtls_timeout_due_ms(p->server, 5) == MS_NEVER);
	dtls_close(p->client);
	assert_int_equal(dtls_write(p->client, span_str("x")), ERR_CLOSED);
	dtls_feed(p->server, dgram(&p->to_server, 0));
	assert_int_equal(dtls_read(p->server, buf, sizeof(buf)), ERR_CLOSED);
	pair_done(p);
}

static void whole_life(struct pair *p, const char *cipher, bool is_resumed)
{
	whole_life_of(p, "DTLSv1.2", cipher, is_resumed);
}

TEST(psk_whole_life)
{
	static const char *const suites[] = {
	        "PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305", "PSK-AES128-GCM-SHA256"};
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	whole_life(&p, suites[0], false);
	for (size_t i = 0; i < N_ELEM(suites); i++) {
		pair_psk(&p, suites[i], NULL);
		whole_life(&p, suites[i], false);
		pair_psk(&p, NULL, suites[i]);
		whole_life(&p, suites[i], false);
	}
	/* the server's order */
	pair_psk(&p, NULL, "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384");
	whole_life(&p, suites[2], false);
	pair_psk(&p, suites[1], "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384");
	shake(&p, ERR_REFUSED, ERR_REFUSED);
	pair_done(&p);
}

TEST(resume_whole_life)
{
	static const char *const suites[] = {AES256, "AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
	        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
	        "ECDHE-ECDSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256",
	        "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES256-SHA384", "DHE-RSA-AES256-SHA256",
	        "AES256-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA256",
	        "DHE-RSA-AES128-SHA256", "AES128-SHA256", "DHE-RSA-AES256-SHA", "AES256-SHA",
	        "DHE-RSA-AES128-SHA", "AES128-SHA"};

	for (size_t i = 0; i < N_ELEM(suites); i++) {
		struct pair p = {0};
		pair_resume(&p, suites[i]);
		whole_life(&p, suites[i], true);
	}
}

TEST(dtls10_whole_life)
{
	static const char *const suites[] = {
	        "AES256-SHA", "AES128-SHA", "DHE-RSA-AES256-SHA", "DHE-RSA-AES128-SHA"};
	struct pair p = {0};

	for (size_t i = 0; i < N_ELEM(suites); i++) {
		pair_resume(&p, suites[i]);
		assert_int_equal(dtls_use_v1_0(p.server), 0);
		assert_int_equal(dtls_use_v1_0(p.client), 0);
		whole_life_of(&p, "DTLSv1", suites[i], true);
	}
	pair_resume(&p, "AES256-SHA256"); /* not of that version */
	assert_int_equal(dtls_use_v1_0(p.server), ERR_UNSUPPORTED);
	pair_done(&p);
	pair_psk(&p, NULL, NULL);
	assert_int_equal(dtls_use_v1_0(p.server), ERR_UNSUPPORTED);
	pair_done(&p);
	pair_resume(&p, "AES256-SHA"); /* nobody falls back */
	assert_int_equal(dtls_use_v1_0(p.client), 0);
	int c = dtls_handshake(p.client);
	assert_int_equal(c, ERR_MORE);
	assert_int_equal(feed_one(p.server, dgram(&p.to_server, 0)), ERR_UNSUPPORTED);
	pair_done(&p);
}

/* The numbers by which the gateway announces an MTU: a payload of 1472 bytes is an IPv4 packet of 1500. */
TEST(cbc_records_have_the_computed_size)
{
	static const struct {
		const char *cipher;
		bool is_v1_0;
		size_t fits; /* plaintext bytes: type byte and inner packet */
	} rows[] = {
	        {"AES256-SHA", false, 1419},
	        {"AES128-SHA", true, 1419},
	        {"DHE-RSA-AES256-SHA256", false, 1407},
	        {"ECDHE-RSA-AES256-SHA384", false, 1391},
	        {AES256, false, 1435},
	};
	static const uint8_t plain[1500];

	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct pair p = {0};
		pair_resume(&p, rows[i].cipher);
		if (rows[i].is_v1_0)
			assert_int_equal(dtls_use_v1_0(p.server) | dtls_use_v1_0(p.client), 0);
		shake(&p, 0, 0);
		assert_int_equal(dtls_write(p.server, span_of(plain, rows[i].fits)), 0);
		assert_int_equal(dtls_write(p.server, span_of(plain, rows[i].fits + 1)), 0);
		assert_in_range(dgram(&p.to_client, 0).n, 1472 - 15, 1472);
		assert_true(dgram(&p.to_client, 1).n > 1472);
		pair_done(&p);
	}
}

/* Forged records of any length, shorter than MAC and padding too, end nothing. */
TEST(forged_cbc_records_are_dropped)
{
	static const char *const suites[] = {"AES256-SHA", "AES128-SHA256", "ECDHE-RSA-AES256-SHA384"};
	enum { BODY_MAX = 130 };

	for (size_t i = 0; i < N_ELEM(suites); i++) {
		struct pair p = {0};
		pair_resume(&p, suites[i]);
		shake(&p, 0, 0);
		for (size_t n = 0; n <= BODY_MAX; n++) {
			uint8_t forged[13 + BODY_MAX] = {23, 0xfe, 0xfd, 0, 1, [9] = 1, [12] = (uint8_t)n};
			assert_int_equal(feed_one(p.server, span_of(forged, 13 + n)), 0);
			assert_true(dtls_is_up(p.server));
		}
		exchange(p.client, &p.to_server, p.server);
		exchange(p.server, &p.to_client, p.client);
		pair_done(&p);
	}
}

TEST(hello_carries_the_label)
{
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	assert_int_equal(dtls_handshake(p.client), ERR_MORE);
	struct span hello = dgram(&p.to_server, 0);
	/* record header 13, handshake header 12, version 2, random 32, then the session id (RFC 6347 4.3.2)
	 */
	assert_true(hello.n >= 93);
	assert_int_equal(hello.p[59], sizeof(id));
	assert_memory_equal(hello.p + 60, id, sizeof(id));
	pair_done(&p);
}

TEST(bad_arguments)
{
	struct pair p = {0};
	struct dtls *d = NULL;
	uint8_t long_id[33] = {0};

	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_psk(p.ctx, span_of(long_id, 33), psk, NULL, &d), -EINVAL);
	assert_int_equal(dtls_client_new_psk(p.ctx, span_of(long_id, 0), psk, NULL, &d), -EINVAL);
	assert_int_equal(dtls_server_new_psk(p.ctx, psk, "AES256-SHA", &d), ERR_UNSUPPORTED);
	assert_int_equal(dtls_server_new_resume(p.ctx, id_span(), master, "ALL", &d), ERR_UNSUPPORTED);
	assert_int_equal(
	        dtls_server_new_resume(p.ctx, id_span(), master, "AES256-SHA:NULL", &d), ERR_UNSUPPORTED);
	assert_int_equal(dtls_server_new_resume(p.ctx, id_span(), master, "", &d), ERR_UNSUPPORTED);
	assert_int_equal(dtls_client_new_resume(p.ctx, id_span(), master, "OC-DTLS1_2-AES256-GCM", &d),
	        ERR_UNSUPPORTED);
	assert_null(d);
	pair_done(&p);
}

TEST(wrong_psk_gets_nowhere)
{
	static const uint8_t other_psk[DTLS_PSK_BYTES] = {9};
	struct pair p = {0};
	int r = 0, n = 0;

	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_psk(p.ctx, id_span(), other_psk, NULL, &p.client), 0);
	assert_int_equal(dtls_server_new_psk(p.ctx, psk, NULL, &p.server), 0);
	pair_join(&p);
	shake(&p, ERR_MORE,
	        ERR_MORE); /* a Finished under another key is a forgery, and forgeries are dropped */
	/* the client repeats, and gives up in the end */
	for (; n < 50; n++) {
		ms_t due = dtls_timeout_due_ms(p.client, 0);
		assert_true(due >= 250 && due <= 60000);
		clock_ms += (int64_t)due - 20;
		assert_int_equal(dtls_on_timeout(p.client), 0);
		assert_int_equal(p.to_server.n_dgram, 0);
		clock_ms += 20;
		if ((r = dtls_on_timeout(p.client)) < 0)
			break;
		assert_true(p.to_server.n_dgram > 0);
		dtls_out_reset(&p.to_server);
	}
	assert_int_equal(r, ERR_TIMEOUT);
	assert_true(n > 2 && n < 20);
	pair_done(&p);
}

TEST(wrong_master_secret_gets_nowhere)
{
	struct pair p = {0};
	uint8_t wrong[DTLS_MASTER_BYTES] = {7};

	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_resume(p.ctx, id_span(), wrong, AES256, &p.client), 0);
	assert_int_equal(dtls_server_new_resume(p.ctx, id_span(), master, AES256, &p.server), 0);
	pair_join(&p);
	shake(&p, ERR_MORE, ERR_MORE);
	assert_false(dtls_is_up(p.client) || dtls_is_up(p.server));
	pair_done(&p);
}

TEST(styles_do_not_mix)
{
	struct pair p = {0};
	uint8_t strange[DTLS_ID_MAX] = {1};

	/* a server that does not know the session would do a full handshake, and can not */
	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_resume(p.ctx, id_span(), master, AES256, &p.client), 0);
	assert_int_equal(dtls_server_new_resume(p.ctx, span_of(strange, 32), master, AES256, &p.server), 0);
	pair_join(&p);
	shake(&p, ERR_PEER_PROTOCOL, ERR_REFUSED);
	assert_non_null(strstr(dtls_error(p.client), "does not resume"));
	pair_done(&p);

	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_resume(p.ctx, id_span(), master, AES256, &p.client), 0);
	assert_int_equal(dtls_server_new_psk(p.ctx, psk, NULL, &p.server), 0);
	pair_join(&p);
	shake(&p, ERR_PEER_PROTOCOL, ERR_REFUSED);
	pair_done(&p);

	assert_int_equal(dtls_ctx_new(&p.ctx), 0);
	assert_int_equal(dtls_client_new_psk(p.ctx, id_span(), psk, "PSK-AES256-GCM-SHA384", &p.client), 0);
	assert_int_equal(dtls_server_new_psk(p.ctx, psk, "PSK-AES128-GCM-SHA256", &p.server), 0);
	pair_join(&p);
	shake(&p, ERR_REFUSED, ERR_REFUSED);
	pair_done(&p);
}

/* Each datagram of the handshake lost once, by position; timeouts fire at once. */
static void lossy(bool is_psk, unsigned lost)
{
	struct pair p = {0};
	unsigned seen = 0;

	if (is_psk)
		pair_psk(&p, NULL, NULL);
	else
		pair_resume(&p, AES256);
	for (int i = 0; i < 20 && !(dtls_is_up(p.client) && dtls_is_up(p.server)); i++) {
		struct dtls *side[2] = {p.client, p.server};
		struct dtls_out *in[2] = {&p.to_client, &p.to_server};
		for (int k = 0; k < 2; k++) {
			int r = dtls_handshake(side[k]);
			assert_true(r == 0 || r == ERR_MORE);
			for (size_t j = 0; j < in[k]->n_dgram; j++) {
				if (seen++ == lost)
					continue;
				r = feed_one(side[k], dgram(in[k], j));
				assert_true(r == 0 || r == ERR_MORE);
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
		fail_msg("psk %d, lost %u: not up", is_psk, lost);
	dtls_out_reset(&p.to_client);
	dtls_out_reset(&p.to_server);
	exchange(p.client, &p.to_server, p.server);
	exchange(p.server, &p.to_client, p.client);
	pair_done(&p);
}

TEST(any_lost_datagram_is_repeated)
{
	for (unsigned lost = 0; lost < 8; lost++) {
		lossy(true, lost);
		lossy(false, lost);
	}
}

TEST(data_reordered_repeated_forged_and_foreign)
{
	static const uint8_t junk[] = "\x17\xfe\xfd\x00\x01\xff\xff\xff\xff\xff\xff\x00\x05junk!";
	struct pair p = {0};
	uint8_t copy[256], got[64];

	pair_psk(&p, NULL, NULL);
	shake(&p, 0, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(dtls_write(p.client, span_of(&"abcd"[i], 1)), 0);
	/* 3, 0, 3 again, 1 forged in each byte and cut at each length, 1, 2 */
	dtls_feed(p.server, dgram(&p.to_server, 3));
	assert_int_equal(dtls_read(p.server, got, sizeof(got)), 1);
	assert_int_equal(got[0], 'd');
	assert_int_equal(feed_one(p.server, dgram(&p.to_server, 0)), 1);
	assert_int_equal(feed_one(p.server, dgram(&p.to_server, 3)), 0);
	struct span one = dgram(&p.to_server, 1);
	assert_true(one.n <= sizeof(copy));
	for (size_t i = 0; i < one.n; i++) {
		memcpy(copy, one.p, one.n);
		copy[i] ^= 0x40;
		assert_int_equal(feed_one(p.server, span_of(copy, one.n)), 0);
		assert_int_equal(feed_one(p.server, span_of(one.p, i)), 0);
	}
	assert_int_equal(feed_one(p.server, span_of(junk, sizeof(junk) - 1)), 0);
	assert_int_equal(feed_one(p.server, span_str("GET / HTTP/1.0")), 0);
	assert_int_equal(p.to_client.n_dgram, 0); /* nothing of this was answered */
	assert_int_equal(feed_one(p.server, one), 1);
	assert_int_equal(feed_one(p.server, dgram(&p.to_server, 2)), 1);
	dtls_out_reset(&p.to_server);
	exchange(p.client, &p.to_server, p.server);
	exchange(p.server, &p.to_client, p.client);
	pair_done(&p);
}

TEST(garbage_during_the_handshake_is_ignored)
{
	static const char *const junk[] = {"", "x", "GET / HTTP/1.0\r\n\r\n",
	        "\x17\xfe\xfd\xff\xff\xff\xff\xff\xff\xff\xff\x7f\xff\x31\x32", "\x14\xfe\xfd"};
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	for (size_t i = 0; i < N_ELEM(junk); i++)
		assert_int_equal(feed_one(p.server, span_str(junk[i])), ERR_MORE);
	assert_int_equal(p.to_client.n_dgram, 0);
	assert_int_equal(dtls_handshake(p.client), ERR_MORE);
	for (size_t i = 0; i < N_ELEM(junk); i++)
		assert_int_equal(feed_one(p.client, span_str(junk[i])), ERR_MORE);
	shake(&p, 0, 0);
	pair_done(&p);
}

TEST(peer_that_missed_the_last_flight_is_answered)
{
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	assert_int_equal(dtls_handshake(p.client), ERR_MORE);
	assert_int_equal(feed_all(p.server, &p.to_server), ERR_MORE);
	assert_int_equal(feed_all(p.client, &p.to_client), ERR_MORE);
	assert_int_equal(feed_all(p.server, &p.to_server), 0);
	assert_true(p.to_client.n_dgram > 0);
	dtls_out_reset(&p.to_client); /* lost */
	assert_true(dtls_timeout_due_ms(p.client, 7) == 7 + 250);
	clock_ms += 250;
	assert_int_equal(dtls_on_timeout(p.client), 0);
	assert_true(p.to_server.n_dgram > 0);
	assert_int_equal(feed_all(p.server, &p.to_server), 0);
	assert_true(p.to_client.n_dgram > 0);
	assert_int_equal(feed_all(p.client, &p.to_client), 0);
	assert_true(dtls_is_up(p.client));
	pair_done(&p);
}

TEST(renegotiation_is_refused_without_harm)
{
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	dtls_keep_openssl(p.client);
	shake(&p, 0, 0);
	SSL_clear_options(p.client->ssl, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(p.client->ssl), 1);
	(void)SSL_do_handshake(p.client->ssl);
	assert_true(p.to_server.n_dgram > 0);
	assert_int_equal(feed_all(p.server, &p.to_server), 0);
	assert_true(dtls_is_up(p.server));
	assert_int_equal(p.to_client.n_dgram, 1); /* alert no_renegotiation */
	assert_int_equal(p.to_client.p[0], 21);
	dtls_out_reset(&p.to_client);
	/* the server's direction goes on; the client's OpenSSL ends at the refusal, as its user wanted new
	 * keys */
	assert_int_equal(dtls_write(p.server, span_str("still here")), 0);
	assert_int_equal(p.to_client.n_dgram, 1);
	assert_int_equal(p.to_client.p[0], 23);
	pair_done(&p);
}

TEST(full_batches)
{
	struct pair p = {0};
	uint8_t plain[1000] = {0};
	int n = 0, r;

	pair_psk(&p, NULL, NULL);
	shake(&p, 0, 0);
	while ((r = dtls_write(p.client, span_of(plain, sizeof(plain)))) == 0)
		n++;
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(
	        n, 63); /* 64 KiB of 1037 each, as long as DTLS_OVERHEAD_MAX is still free behind one */
	dtls_out_reset(&p.to_server);
	for (n = 0; (r = dtls_write(p.client, span_of(plain, 1))) == 0;)
		n++;
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(n, 64);
	for (size_t i = 0; i < p.to_server.n_dgram; i++)
		assert_int_equal(feed_one(p.server, dgram(&p.to_server, i)), 1);
	assert_int_equal(dtls_write(p.client, span_of(plain, 0)), -EINVAL);
	assert_int_equal(dtls_write(p.client, span_of(plain, DTLS_PLAIN_MAX + 1)), ERR_TOO_LARGE);
	pair_done(&p);
}

TEST(flights_keep_to_the_mtu)
{
	struct pair p = {0};

	pair_psk(&p, NULL, NULL);
	dtls_set_mtu(p.client, 300);
	dtls_set_mtu(p.server, 300);
	for (int i = 0; i < 6; i++) {
		(void)!dtls_handshake(p.client);
		for (size_t k = 0; k < p.to_server.n_dgram; k++)
			assert_true(p.to_server.dgram[k].len <= 300);
		(void)!feed_all(p.server, &p.to_server);
		for (size_t k = 0; k < p.to_client.n_dgram; k++)
			assert_true(p.to_client.dgram[k].len <= 300);
		(void)!feed_all(p.client, &p.to_client);
	}
	assert_true(dtls_is_up(p.client) && dtls_is_up(p.server));
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(psk_whole_life),
	        cmocka_unit_test(resume_whole_life),
	        cmocka_unit_test(dtls10_whole_life),
	        cmocka_unit_test(cbc_records_have_the_computed_size),
	        cmocka_unit_test(forged_cbc_records_are_dropped),
	        cmocka_unit_test(hello_carries_the_label),
	        cmocka_unit_test(bad_arguments),
	        cmocka_unit_test(wrong_psk_gets_nowhere),
	        cmocka_unit_test(wrong_master_secret_gets_nowhere),
	        cmocka_unit_test(styles_do_not_mix),
	        cmocka_unit_test(any_lost_datagram_is_repeated),
	        cmocka_unit_test(data_reordered_repeated_forged_and_foreign),
	        cmocka_unit_test(garbage_during_the_handshake_is_ignored),
	        cmocka_unit_test(peer_that_missed_the_last_flight_is_answered),
	        cmocka_unit_test(renegotiation_is_refused_without_harm),
	        cmocka_unit_test(full_batches),
	        cmocka_unit_test(flights_keep_to_the_mtu),
	};
	return RUN(tests);
}
