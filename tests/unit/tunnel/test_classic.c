#include "../unit.h"

#include "tunnel/classic.h"

#define GIVE_UP_MS 60000

/* The note's two values (cisco-facts.md 1.1). */
static const struct classic_offer note = {.tls_mtu = 1347, .dtls_mtu = 1418, .has_dtls = true};

static struct classic connected(const struct classic_offer *o, ms_t now_ms)
{
	struct classic c;
	classic_init(&c, GIVE_UP_MS);
	assert_int_equal(classic_on_connected(&c, o, now_ms), CLASSIC_SET_MTU);
	return c;
}

TEST(nothing_is_due_before_connect)
{
	struct classic c;
	classic_init(&c, GIVE_UP_MS);
	assert_true(classic_due_ms(&c) == MS_NEVER);
	assert_int_equal(classic_step(&c, MS_NEVER - 1), CLASSIC_NOTHING);
	assert_int_equal(classic_on_dtls_lost(&c), CLASSIC_NOTHING);
}

TEST(first_mtu_is_that_of_dtls_if_offered)
{
	static const struct {
		struct classic_offer o;
		uint16_t mtu;
		bool wants_dtls;
	} rows[] = {
	        {{1347, 1418, true}, 1418, true},
	        {{1347, 1418, false}, 1347, false},
	        {{1427, 1418, true}, 1418, true},
	        {{1300, 1300, true}, 1300, true},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct classic c = connected(&rows[i].o, 5);
		assert_int_equal(c.adapter_mtu, rows[i].mtu);
		assert_int_equal(classic_wants_dtls(&c), rows[i].wants_dtls);
		assert_true(classic_due_ms(&c) == (rows[i].wants_dtls ? 5 + GIVE_UP_MS : MS_NEVER));
	}
}

TEST(exactly_one_minute)
{
	struct classic c = connected(&note, 1000);
	assert_int_equal(classic_step(&c, 60999), CLASSIC_NOTHING);
	assert_int_equal(classic_step(&c, 61000), CLASSIC_RECONFIGURE);
	assert_int_equal(classic_step(&c, 61001), CLASSIC_NOTHING);
	assert_true(classic_due_ms(&c) == MS_NEVER);
	assert_false(classic_wants_dtls(&c));
	/* dials that fail change nothing */
	classic_on_tls_lost(&c);
	assert_int_equal(classic_on_connected(&c, &note, 62000), CLASSIC_SET_MTU);
	assert_int_equal(c.adapter_mtu, 1347);
	assert_false(classic_wants_dtls(&c));
	assert_int_equal(classic_step(&c, 10 * GIVE_UP_MS), CLASSIC_NOTHING);
}

TEST(dtls_in_time_stops_the_clock)
{
	struct classic c = connected(&note, 0);
	classic_on_dtls_up(&c);
	assert_true(classic_due_ms(&c) == MS_NEVER);
	assert_int_equal(classic_step(&c, 10 * GIVE_UP_MS), CLASSIC_NOTHING);
	assert_int_equal(c.adapter_mtu, 1418);
}

TEST(dtls_lost_later_is_the_same)
{
	struct classic c = connected(&note, 0);
	classic_on_dtls_up(&c);
	assert_int_equal(classic_on_dtls_lost(&c), CLASSIC_RECONFIGURE);
	assert_int_equal(classic_on_dtls_lost(&c), CLASSIC_NOTHING);
	assert_int_equal(classic_on_connected(&c, &note, 1), CLASSIC_SET_MTU);
	assert_int_equal(c.adapter_mtu, 1347);
}

/* Remedies 1 and 3 of the note: equal sizes, or more room in TLS. */
TEST(no_reconfiguration_where_tls_has_room)
{
	static const struct classic_offer offers[] = {{1300, 1300, true}, {1427, 1418, true}};
	for (size_t i = 0; i < N_ELEM(offers); i++) {
		struct classic c = connected(&offers[i], 0);
		assert_int_equal(classic_step(&c, GIVE_UP_MS), CLASSIC_NOTHING);
		assert_true(classic_due_ms(&c) == MS_NEVER);
		assert_true(classic_wants_dtls(&c));
		classic_on_dtls_up(&c);
		assert_int_equal(c.stage, CLASSIC_ON_DTLS);
		assert_int_equal(classic_on_dtls_lost(&c), CLASSIC_NOTHING);
		assert_true(classic_wants_dtls(&c));
	}
}

TEST(while_tls_is_down_nothing_is_decided)
{
	struct classic c = connected(&note, 0);
	classic_on_dtls_up(&c);
	classic_on_tls_lost(&c);
	assert_int_equal(classic_on_dtls_lost(&c), CLASSIC_NOTHING);
	assert_int_equal(classic_on_connected(&c, &note, 500), CLASSIC_NOTHING);
	assert_true(classic_due_ms(&c) == 500 + GIVE_UP_MS);
	assert_int_equal(c.adapter_mtu, 1418);
}

/* After a fallback a reconnect for another reason tries DTLS again, with the size that both can carry. */
TEST(a_fallback_is_remembered)
{
	struct classic c = connected(&note, 0);
	assert_int_equal(classic_step(&c, GIVE_UP_MS), CLASSIC_RECONFIGURE);
	assert_int_equal(classic_on_connected(&c, &note, 61000), CLASSIC_SET_MTU);
	classic_on_tls_lost(&c);
	assert_int_equal(classic_on_connected(&c, &note, 90000), CLASSIC_NOTHING);
	assert_true(classic_wants_dtls(&c));
	assert_int_equal(classic_step(&c, 90000 + GIVE_UP_MS), CLASSIC_NOTHING);
	classic_on_dtls_up(&c);
	assert_int_equal(c.adapter_mtu, 1347);
}

TEST(other_announced_sizes_renew_the_adapter)
{
	static const struct classic_offer remedied = {.tls_mtu = 1300, .dtls_mtu = 1300, .has_dtls = true};
	struct classic c = connected(&note, 0);
	classic_on_tls_lost(&c);
	assert_int_equal(classic_on_connected(&c, &remedied, 100), CLASSIC_RENEW);
	assert_int_equal(c.adapter_mtu, 1300);
	assert_int_equal(classic_step(&c, 100 + GIVE_UP_MS), CLASSIC_NOTHING);
}

TEST(no_give_up_time_overflows)
{
	struct classic c;
	classic_init(&c, MS_NEVER);
	assert_int_equal(classic_on_connected(&c, &note, 77), CLASSIC_SET_MTU);
	assert_true(classic_due_ms(&c) == MS_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_is_due_before_connect),
	        cmocka_unit_test(first_mtu_is_that_of_dtls_if_offered),
	        cmocka_unit_test(exactly_one_minute),
	        cmocka_unit_test(dtls_in_time_stops_the_clock),
	        cmocka_unit_test(dtls_lost_later_is_the_same),
	        cmocka_unit_test(no_reconfiguration_where_tls_has_room),
	        cmocka_unit_test(while_tls_is_down_nothing_is_decided),
	        cmocka_unit_test(a_fallback_is_remembered),
	        cmocka_unit_test(other_announced_sizes_renew_the_adapter),
	        cmocka_unit_test(no_give_up_time_overflows),
	};
	return RUN(tests);
}
