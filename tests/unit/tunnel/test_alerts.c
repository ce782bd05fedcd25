#include "../unit.h"

#include "tunnel/alerts.h"

static struct alerts begun(struct alerts_terms t, ms_t now_ms)
{
	struct alerts a;
	alerts_init(&a);
	alerts_on_connected(&a, &t, now_ms);
	return a;
}

TEST(nothing_without_timeouts)
{
	struct alerts a = begun((struct alerts_terms){.alert_s = 60}, 5);
	assert_true(alerts_due_ms(&a, 5) == MS_NEVER);
	assert_int_equal(alerts_session_s(&a, 1000000000), 0);
	assert_int_equal(alerts_idle_s(&a, 5, 1000000000), 0);
}

TEST(session_end_is_told_once)
{
	struct alerts a = begun((struct alerts_terms){.session_timeout_s = 600, .alert_s = 60}, 1000);
	assert_true(alerts_due_ms(&a, 0) == 541000);
	assert_int_equal(alerts_session_s(&a, 540999), 0);
	assert_int_equal(alerts_session_s(&a, 541000), 60);
	assert_int_equal(alerts_session_s(&a, 542000), 0);
	assert_true(alerts_due_ms(&a, 0) == MS_NEVER);
}

TEST(remaining_counts_not_the_whole)
{
	struct alerts_terms t = {.session_timeout_s = 600, .remaining_s = 100, .alert_s = 60};
	struct alerts a = begun(t, 0);
	assert_int_equal(alerts_session_s(&a, 40000), 60);
	/* a reconnect shortly after: the same end, nothing new to say */
	t.remaining_s = 50;
	alerts_on_connected(&a, &t, 50000);
	assert_true(alerts_due_ms(&a, 0) == MS_NEVER);
	/* an answer that does not say it keeps the end */
	t.remaining_s = 0;
	alerts_on_connected(&a, &t, 60000);
	assert_true(a.end_at_ms == 100000);
	/* extended by the gateway */
	t.remaining_s = 6000;
	alerts_on_connected(&a, &t, 70000);
	assert_int_equal(alerts_session_s(&a, 6010000), 60);
}

TEST(less_left_than_the_interval)
{
	struct alerts a = begun((struct alerts_terms){.remaining_s = 10, .alert_s = 60}, 5000);
	assert_int_equal(alerts_session_s(&a, 5000), 10);
	struct alerts late = begun((struct alerts_terms){.remaining_s = 10, .alert_s = 5}, 0);
	assert_int_equal(alerts_session_s(&late, 99000), 1);
}

TEST(idle_is_told_once_for_each_pause)
{
	struct alerts a = begun((struct alerts_terms){.idle_timeout_s = 1800}, 0);
	assert_true(alerts_due_ms(&a, 0) == 1740000);
	assert_int_equal(alerts_idle_s(&a, 0, 1739999), 0);
	assert_int_equal(alerts_idle_s(&a, 0, 1740000), 60);
	assert_int_equal(alerts_idle_s(&a, 0, 1741000), 0);
	assert_int_equal(alerts_idle_s(&a, 1741000, 1742000), 0);
	assert_true(alerts_due_ms(&a, 1741000) == 1741000 + 1740000);
	assert_int_equal(alerts_idle_s(&a, 1741000, 1741000 + 1740000), 60);
}

TEST(a_short_idle_timeout_is_told_at_half)
{
	struct alerts a = begun((struct alerts_terms){.idle_timeout_s = 60}, 0);
	assert_true(alerts_due_ms(&a, 100) == 30100);
	assert_int_equal(alerts_idle_s(&a, 100, 30100), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_without_timeouts),
	        cmocka_unit_test(session_end_is_told_once),
	        cmocka_unit_test(remaining_counts_not_the_whole),
	        cmocka_unit_test(less_left_than_the_interval),
	        cmocka_unit_test(idle_is_told_once_for_each_pause),
	        cmocka_unit_test(a_short_idle_timeout_is_told_at_half),
	};
	return RUN(tests);
}
