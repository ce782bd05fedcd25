/* Memory stays bounded, repeats are counted, order is that of time, and nothing of the input is lost unsaid.
 */
#include "story.h"

TEST(repeats_within_a_minute_are_one)
{
	struct story t = story_new("alice");
	for (int i = 0; i < 50; i++)
		tell_large(&t, i * 2, 1418, 1347); /* 100 s */
	tell_large(&t, 101, 1400, 1347);
	store_finish(t.store);
	assert_int_equal(store_n(t.store), 3);
	assert_int_equal(store_at(t.store, 0)->count, 30);
	assert_int_equal(store_at(t.store, 0)->last_at_ms, T0 + 58000);
	assert_int_equal(store_at(t.store, 1)->count, 20);
	assert_int_equal(store_at(t.store, 2)->size, 1400);
	assert_int_equal(store_counts(t.store).n_repeats, 48);
	assert_true(span_is(store_text(t.store, store_at(t.store, 0)->text), "line 1 of kind 5"));
	story_end(&t);
}

TEST(events_are_put_in_order)
{
	struct story t = story_new("alice");
	tell_tunnel(&t, 9, EVENT_TUNNEL_DOWN, TUNNEL_TLS);
	tell_tunnel(&t, 3, EVENT_TUNNEL_UP, TUNNEL_TLS);
	t.file = 1;
	t.line = 0;
	tell_tunnel(&t, 5, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	store_finish(t.store);
	assert_int_equal(store_at(t.store, 0)->at_ms, T0 + 3000);
	assert_int_equal(store_at(t.store, 1)->file, 1);
	assert_int_equal(store_at(t.store, 2)->at_ms, T0 + 9000);
	story_end(&t);
}

TEST(the_same_log_twice_counts_once)
{
	struct story t = story_new("alice");
	for (t.file = 0; t.file < 2; t.file++) {
		t.line = 0;
		tell_tunnel(&t, 0, EVENT_TUNNEL_UP, TUNNEL_TLS);
		tell_tunnel(&t, 1, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	}
	store_finish(t.store);
	assert_int_equal(store_n(t.store), 2);
	story_end(&t);
}

TEST(what_is_over_the_limit_is_counted)
{
	struct story t = story_new("alice");
	for (uint32_t i = 0; i < STORE_MAX_EVENTS + 500; i++)
		tell(&t, (int)(i / 10), (struct event){.kind = EVENT_TUNNEL_UP, .tunnel = TUNNEL_DTLS});
	store_finish(t.store);
	struct store_counts c = store_counts(t.store);
	assert_int_equal(store_n(t.store), STORE_MAX_EVENTS);
	assert_int_equal(c.n_over_limit, 500);
	assert_int_equal(c.first_lost_at_ms, T0 + INT64_C(1000) * (STORE_MAX_EVENTS / 10));
	assert_true(c.n_offered == STORE_MAX_EVENTS + 500);
	story_end(&t);
}

TEST(the_user_in_question_has_room_kept)
{
	static const struct store_focus alice = {.user = "ALICE", .since_ms = TIME_NONE};
	struct story t = story_new("bob");
	store_free(t.store);
	t.store = store_new(&alice);
	t.sink = store_sink(t.store);
	for (uint32_t i = 0; i < STORE_MAX_EVENTS; i++)
		tell_tunnel(&t, (int)(i / 10), EVENT_TUNNEL_UP, TUNNEL_DTLS);
	t.user = "alice";
	tell_tunnel(&t, 5, EVENT_TUNNEL_UP, TUNNEL_TLS);
	store_finish(t.store);
	assert_int_equal(store_n(t.store), STORE_MAX_EVENTS - STORE_RESERVED + 1);
	assert_int_equal(store_counts(t.store).n_over_limit, STORE_RESERVED);
	story_end(&t);
}

TEST(what_is_before_since_is_left_out)
{
	const struct store_focus late = {.since_ms = T0 + 3600000};
	struct story t = story_new("alice");
	store_free(t.store);
	t.store = store_new(&late);
	t.sink = store_sink(t.store);
	tell_tunnel(&t, 0, EVENT_TUNNEL_UP, TUNNEL_TLS);
	tell_tunnel(&t, 3599, EVENT_TUNNEL_UP, TUNNEL_DTLS); /* a session has its beginning */
	tell_tunnel(&t, 3700, EVENT_TUNNEL_DOWN, TUNNEL_DTLS);
	store_finish(t.store);
	assert_int_equal(store_n(t.store), 2);
	assert_int_equal(store_counts(t.store).n_before, 1);
	story_end(&t);
}

TEST(names_are_cut_and_kept_once)
{
	char name[STORE_MAX_WORD_BYTES + 60];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	struct story t = story_new(name);
	for (int i = 0; i < 20; i++)
		tell_tunnel(&t, i, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	store_finish(t.store);
	word_t w = store_at(t.store, 0)->user;
	assert_int_equal(store_word(t.store, w).n, STORE_MAX_WORD_BYTES);
	assert_int_equal(store_at(t.store, 19)->user, w);
	assert_int_equal(store_n_words(t.store), 4); /* user, group, two addresses */
	assert_int_equal(store_addr(t.store, store_at(t.store, 0)->inner).family, 4);
	assert_int_equal(store_word(t.store, store_at(t.store, 0)->inner).n, 0);
	story_end(&t);
}

TEST(impossible_times_are_none)
{
	struct story t = story_new("alice");
	struct event e = {.kind = EVENT_TUNNEL_UP, .source = SOURCE_ASA_SYSLOG, .at_ms = INT64_MAX};
	t.sink.on_event(t.sink.ctx, &e);
	e.at_ms = -5;
	t.sink.on_event(t.sink.ctx, &e);
	e.kind = EVENT_N;
	t.sink.on_event(t.sink.ctx, &e);
	store_finish(t.store);
	assert_int_equal(store_n(t.store), 2);
	assert_true(store_at(t.store, 0)->at_ms == TIME_NONE && store_at(t.store, 1)->at_ms == TIME_NONE);
	story_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(repeats_within_a_minute_are_one),
	        cmocka_unit_test(events_are_put_in_order),
	        cmocka_unit_test(the_same_log_twice_counts_once),
	        cmocka_unit_test(what_is_over_the_limit_is_counted),
	        cmocka_unit_test(the_user_in_question_has_room_kept),
	        cmocka_unit_test(what_is_before_since_is_left_out),
	        cmocka_unit_test(names_are_cut_and_kept_once),
	        cmocka_unit_test(impossible_times_are_none),
	};
	return RUN(tests);
}
