#include "../unit.h"

#include "tunnel/link.h"

static const struct link_timers timers_30s = {.dpd_ms = 30000};

/* What link_step() says at one moment, as a bit per action. */
static unsigned acts_at(struct link *l, ms_t now_ms)
{
	struct link_action a[LINK_MAX_ACTIONS];
	size_t n = link_step(l, now_ms, a);
	unsigned bits = 0;
	assert_true(n <= LINK_MAX_ACTIONS);
	for (size_t i = 0; i < n; i++)
		bits |= a[i].act == LINK_SWITCHED ? 0 : 1u << a[i].act;
	return bits;
}

static void begin_idle(struct link *l, ms_t idle_ms)
{
	link_init(l, 0);
	link_configure(l, &(struct link_config){.is_gateway = true, .idle_ms = idle_ms}, 0);
}

TEST(dead_after_the_probe_and_three_retries)
{
	static const struct {
		ms_t at_ms;
		unsigned want;
	} rows[] = {
	        {29999, 0},
	        {30000, 1u << LINK_SEND_DPD},
	        {30001, 0},
	        {39999, 0},
	        {40000, 1u << LINK_SEND_DPD},
	        {50000, 1u << LINK_SEND_DPD},
	        {60000, 1u << LINK_SEND_DPD},
	        {69999, 0},
	        {70000, 1u << LINK_DEAD},
	        {1000000, 0},
	};
	struct link l;
	link_init(&l, 0);
	link_up(&l, LINK_TLS, &timers_30s, 0);
	for (size_t i = 0; i < N_ELEM(rows); i++)
		assert_int_equal(acts_at(&l, rows[i].at_ms), rows[i].want);
	assert_false(link_is_up(&l, LINK_TLS));
	assert_true(link_due_ms(&l) == MS_NEVER);
}

TEST(anything_received_is_life)
{
	struct link l;
	link_init(&l, 0);
	link_up(&l, LINK_DTLS, &timers_30s, 0);
	for (ms_t t = 30000; t < 3000000; t += 35000) {
		assert_int_equal(acts_at(&l, t), 1u << LINK_SEND_DPD);
		link_on_rx(&l, LINK_DTLS, false, 100, t + 5000);
		assert_true(link_due_ms(&l) == t + 35000);
	}
}

TEST(due_is_never_later_than_the_first_action)
{
	struct link l;
	struct link_timers t = {.dpd_ms = 30000, .keepalive_ms = 20000, .rekey_ms = 45000};
	begin_idle(&l, 100000);
	link_up(&l, LINK_TLS, &t, 0);
	link_up(&l, LINK_DTLS, &timers_30s, 7);
	assert_int_equal(acts_at(&l, 7), 0); /* takes the event that data is on DTLS now */
	for (ms_t now = 8; now < 200000; now++) {
		ms_t due = link_due_ms(&l);
		unsigned acts = acts_at(&l, now);
		assert_int_equal(acts != 0, due <= now);
		if (due <= now)
			assert_true(due == now);
	}
}

TEST(rekey_comes_once_and_keepalive_after_own_silence)
{
	struct link l;
	struct link_timers t = {.keepalive_ms = 20000, .rekey_ms = 60000};
	link_init(&l, 0);
	link_up(&l, LINK_TLS, &t, 0);
	link_on_tx(&l, LINK_TLS, true, 100, 15000);
	assert_int_equal(acts_at(&l, 34999), 0);
	assert_int_equal(acts_at(&l, 35000), 1u << LINK_SEND_KEEPALIVE);
	assert_int_equal(acts_at(&l, 60000), 1u << LINK_REKEY);
	link_on_tx(&l, LINK_TLS, true, 100, 60000);
	assert_int_equal(acts_at(&l, 79999), 0);
}

TEST(only_data_counts_against_idleness)
{
	struct link l;
	begin_idle(&l, 60000);
	link_up(&l, LINK_TLS, &(struct link_timers){0}, 0);
	link_on_rx(&l, LINK_TLS, false, 100, 59000);
	assert_int_equal(acts_at(&l, 60000), 1u << LINK_IDLE_TIMEOUT);
	link_on_rx(&l, LINK_TLS, true, 100, 61000);
	link_on_tx(&l, LINK_TLS, true, 100, 90000);
	assert_int_equal(acts_at(&l, 149999), 0);
	assert_int_equal(acts_at(&l, 150000), 1u << LINK_IDLE_TIMEOUT);
}

TEST(data_takes_dtls_unless_the_peer_fell_back)
{
	struct link l;
	begin_idle(&l, 0);
	assert_int_equal(link_active(&l), LINK_N_CHANNELS);
	link_up(&l, LINK_TLS, &timers_30s, 0);
	assert_int_equal(link_active(&l), LINK_TLS);
	link_up(&l, LINK_DTLS, &timers_30s, 0);
	assert_int_equal(link_active(&l), LINK_DTLS);
	link_on_rx(&l, LINK_TLS, false, 100, 1); /* a DPD by TLS is no fallback */
	assert_int_equal(link_active(&l), LINK_DTLS);
	link_on_rx(&l, LINK_TLS, true, 100, 2);
	assert_int_equal(link_active(&l), LINK_TLS);
	link_on_rx(&l, LINK_DTLS, false, 100, 3);
	assert_int_equal(link_active(&l), LINK_DTLS);
	link_on_rx(&l, LINK_TLS, true, 100, 4);
	link_down(&l, LINK_TLS, 5); /* better a doubtful DTLS than nothing */
	assert_int_equal(link_active(&l), LINK_DTLS);
	link_down(&l, LINK_DTLS, 5);
	assert_int_equal(link_active(&l), LINK_N_CHANNELS);
}

/* A shortcut must say what the long way says, and say nothing where that does more than to choose one. */
TEST(plain_route_is_what_route_says)
{
	static const size_t sizes[] = {60, 576, 1200, 1280, 1281, 1400, 1434, 1435, 1500, 9000};
	unsigned n_plain = 0, n_not = 0;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct link l;
		link_init(&l, 0);
		link_configure(&l,
		        &(struct link_config){.policy = bits & 1 ? LINK_SEAMLESS : LINK_CLASSIC,
		                .peer = bits & 2 ? PEER_OWN : PEER_OCSERV,
		                .has_steer = bits & 2,
		                .has_pieces = bits & 4,
		                .is_gateway = bits & 8,
		                .dtls_max_bytes = 1434},
		        0);
		if (bits & 16)
			link_up(&l, LINK_TLS, &timers_30s, 0);
		if (bits & 32)
			link_up(&l, LINK_DTLS, &timers_30s, 0);
		for (size_t i = 0; i < N_ELEM(sizes); i++) {
			struct link before = l, asked = l;
			enum link_channel ch = link_plain_route(&l, sizes[i]);
			struct link_route r = link_route(&asked, sizes[i], 100);
			assert_memory_equal(&l, &before, sizeof(l));
			n_plain += ch != LINK_N_CHANNELS;
			n_not += ch == LINK_N_CHANNELS;
			if (ch == LINK_N_CHANNELS)
				continue;
			assert_int_equal(r.tls, ch == LINK_TLS);
			assert_int_equal(r.dtls, ch == LINK_DTLS);
			assert_false(r.in_pieces);
			assert_false(r.tell_too_big);
			assert_memory_equal(&asked, &before, sizeof(l)); /* nothing was to be noted */
			for (size_t k = 0; k < i; k++)                   /* nor for smaller ones */
				assert_int_equal(link_plain_route(&l, sizes[k]), ch);
		}
	}
	assert_true(n_plain > 50 && n_not > 50);
}

static ms_t die(struct liveness *v, ms_t now_ms)
{
	liveness_doubt(v, true, now_ms);
	while (v->state != LIVENESS_DEAD) {
		now_ms = v->due_ms;
		(void)liveness_step(v, true, now_ms);
	}
	return now_ms;
}

/* The peer was stopped for three seconds and now answers all that it was asked meanwhile. */
TEST(answers_that_waited_are_no_round_trip)
{
	struct liveness v;
	liveness_init(&v, &liveness_terms_dtls);
	assert_int_equal(liveness_verdict_ms(&v), 1000); /* not known */
	liveness_on_answer(&v, 1, 1000);
	assert_int_equal(liveness_verdict_ms(&v), 150);
	ms_t now_ms = die(&v, 2000) + 3000;
	assert_true(liveness_on_answer(&v, 3000, now_ms));
	assert_int_equal(v.state, LIVENESS_ALIVE);
	assert_int_equal(liveness_step(&v, true, now_ms), LIVENESS_ASK); /* at once */
	liveness_on_answer(&v, 1500, now_ms);
	assert_int_equal(liveness_verdict_ms(&v), 1000);
	liveness_on_answer(&v, 2, now_ms + 2);
	assert_int_equal(liveness_verdict_ms(&v), 150);
}

/* .. and the answer to the new question may be taken for one to an old one: it is asked again. */
TEST(a_round_trip_is_measured_in_the_end)
{
	struct liveness v;
	liveness_init(&v, &liveness_terms_dtls);
	liveness_on_answer(&v, 1, 1000);
	ms_t now_ms = die(&v, 2000) + 3000;
	assert_true(liveness_on_rx(&v, now_ms));
	assert_int_equal(liveness_step(&v, true, now_ms), LIVENESS_ASK);
	liveness_on_answer(&v, 3000, now_ms + 1);
	assert_false(v.has_rtt);
	assert_int_equal(liveness_step(&v, true, now_ms + 1), LIVENESS_NOTHING);
	now_ms += 1 + LIVENESS_RETRY_MIN_MS;
	assert_int_equal(liveness_step(&v, true, now_ms), LIVENESS_ASK);
	liveness_on_answer(&v, 1, now_ms + 1);
	assert_true(v.has_rtt);
	assert_int_equal(liveness_step(&v, true, now_ms + 100000), LIVENESS_NOTHING);
}

/* The path has become long: known from the first question after it was dead. */
TEST(a_longer_round_trip_is_learned)
{
	struct liveness v;
	liveness_init(&v, &liveness_terms_dtls);
	liveness_on_answer(&v, 1, 1000);
	ms_t now_ms = die(&v, 2000) + 300;
	liveness_on_answer(&v, 700, now_ms);
	assert_int_equal(liveness_step(&v, true, now_ms), LIVENESS_ASK);
	assert_int_equal(liveness_step(&v, true, now_ms + 700), LIVENESS_NOTHING); /* has time */
	liveness_on_answer(&v, 700, now_ms + 700);
	assert_in_range(liveness_verdict_ms(&v), 2100, 2200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(dead_after_the_probe_and_three_retries),
	        cmocka_unit_test(anything_received_is_life),
	        cmocka_unit_test(due_is_never_later_than_the_first_action),
	        cmocka_unit_test(rekey_comes_once_and_keepalive_after_own_silence),
	        cmocka_unit_test(only_data_counts_against_idleness),
	        cmocka_unit_test(data_takes_dtls_unless_the_peer_fell_back),
	        cmocka_unit_test(plain_route_is_what_route_says),
	        cmocka_unit_test(answers_that_waited_are_no_round_trip),
	        cmocka_unit_test(a_round_trip_is_measured_in_the_end),
	        cmocka_unit_test(a_longer_round_trip_is_learned),
	};
	return RUN(tests);
}
