#include "../unit.h"

#include <errno.h>
#include <stdio.h>

#include "aaa/lockout.h"

static const uint8_t key[16] = "0123456789abcde";

/* Small numbers: user 3 free, 1 s .. 4 s, 7 lock for 60 s; address 5 free, 9 lock; 100 s of memory; 4
 * entries. */
static const struct lockout_config small = {
        .user = {3, 1000, 4000, 7, 60000, 100000, 4},
        .address = {5, 1000, 4000, 9, 60000, 100000, 4},
};

static struct lockout *l;

static int setup(void **state)
{
	(void)state;
	return lockout_new(&small, key, &l);
}

static int teardown(void **state)
{
	(void)state;
	lockout_free(l);
	return 0;
}

static struct ip_addr addr(const char *s)
{
	struct ip_addr a = {0};
	assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

static uint32_t wait_user(const char *user, ms_t now_ms)
{
	return lockout_ask(l, span_str(user), NULL, now_ms).wait_ms;
}

static uint32_t wait_addr(const char *s, ms_t now_ms)
{
	struct ip_addr a = addr(s);
	return lockout_ask(l, span_str("somebody else"), &a, now_ms).wait_ms;
}

TEST(delays_grow_and_lock)
{
	static const uint32_t want_ms[] = {0, 0, 0, 1000, 2000, 4000, 60000, 60000};
	ms_t now = 5000;
	assert_int_equal(wait_user("bob", now), 0);
	for (size_t i = 0; i < N_ELEM(want_ms); i++) {
		lockout_failure(l, span_str("bob"), NULL, now);
		struct lockout_wait w = lockout_ask(l, span_str("bob"), NULL, now);
		assert_int_equal(w.wait_ms, want_ms[i]);
		assert_int_equal(w.is_locked, i >= 6);
		if (want_ms[i] > 0)
			assert_int_equal(wait_user("bob", now + want_ms[i] - 1), 1);
		now += want_ms[i];
		assert_int_equal(wait_user("bob", now), 0);
	}
	assert_int_equal(wait_user("alice", now), 0);
}

TEST(success_clears_the_user_only)
{
	struct ip_addr a = addr("192.0.2.1");
	for (int i = 0; i < 6; i++)
		lockout_failure(l, span_str("bob"), &a, 0);
	lockout_success(l, span_str("bob"));
	lockout_success(l, span_str("never seen"));
	assert_int_equal(wait_user("bob", 0), 0);
	assert_int_equal(wait_addr("192.0.2.1", 0), 1000);
	lockout_failure(l, span_str("bob"), NULL, 0);
	assert_int_equal(wait_user("bob", 0), 0);
}

TEST(an_address_counts_whoever_it_tries)
{
	struct ip_addr a = addr("192.0.2.1");
	for (int i = 0; i < 9; i++) {
		char name[8];
		snprintf(name, sizeof(name), "u%d", i);
		lockout_failure(l, span_str(name), &a, 0);
	}
	assert_int_equal(wait_addr("192.0.2.1", 0), 60000);
	assert_int_equal(wait_addr("192.0.2.2", 0), 0);
}

TEST(ipv6_counts_per_64)
{
	struct ip_addr a = addr("2001:db8:0:1::1"), b = addr("2001:db8:0:1:ffff::2");
	for (int i = 0; i < 3; i++) {
		lockout_failure(l, span_str("x"), &a, 0);
		lockout_failure(l, span_str("y"), &b, 0);
	}
	assert_int_equal(wait_addr("2001:db8:0:1:1234::", 0), 1000);
	assert_int_equal(wait_addr("2001:db8:0:2::1", 0), 0);
	/* the same bytes in the other family are another key */
	assert_int_equal(wait_addr("32.1.13.184", 0), 0);
}

TEST(old_failures_are_forgotten)
{
	for (int i = 0; i < 5; i++)
		lockout_failure(l, span_str("bob"), NULL, 0);
	lockout_failure(l, span_str("bob"), NULL, 99999);
	assert_int_equal(wait_user("bob", 99999), 4000);
	lockout_failure(l, span_str("bob"), NULL, 199999);
	assert_int_equal(wait_user("bob", 199999), 0);
}

TEST(the_oldest_makes_room)
{
	for (int i = 0; i < 4; i++)
		lockout_failure(l, span_str("bob"), NULL, 0);
	lockout_failure(l, span_str("a"), NULL, 1);
	lockout_failure(l, span_str("b"), NULL, 2);
	lockout_failure(l, span_str("c"), NULL, 3);
	assert_int_equal(wait_user("bob", 3), 997);
	lockout_failure(l, span_str("bob"), NULL, 4); /* the newest again */
	lockout_failure(l, span_str("d"), NULL, 5);
	lockout_failure(l, span_str("e"), NULL, 6);
	lockout_failure(l, span_str("f"), NULL, 7);
	assert_int_equal(wait_user("bob", 7), 1997);
	lockout_failure(l, span_str("g"), NULL, 8);
	assert_int_equal(wait_user("bob", 8), 0);
}

TEST(strangers_cannot_fill_memory)
{
	for (int i = 0; i < 10000; i++) {
		char name[16];
		struct ip_addr a = addr_from_v4((uint32_t)i);
		snprintf(name, sizeof(name), "%d", i);
		lockout_failure(l, span_str(name), &a, (ms_t)i);
		if (i % 3 == 0)
			lockout_success(l, span_str(name));
	}
	assert_int_equal(wait_user("9999", 9999), 0);
}

TEST(odd_arguments)
{
	struct ip_addr none = {0};
	static char name[4096];
	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 4; i++)
		lockout_failure(l, span_of(name, sizeof(name)), &none, MS_NEVER - 10);
	assert_int_equal(lockout_ask(l, span_of(name, sizeof(name)), &none, MS_NEVER - 10).wait_ms, 10);
	lockout_failure(l, span_of(NULL, 0), NULL, 0);
	assert_int_equal(lockout_ask(l, span_of(NULL, 0), NULL, 0).wait_ms, 0);

	struct lockout *other;
	struct lockout_config bad = small;
	bad.address.max_entries = 0;
	assert_int_equal(lockout_new(&bad, key, &other), -EINVAL);
	assert_int_equal(lockout_new(&lockout_default, key, &other), 0);
	lockout_free(other);
	lockout_free(NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        CASE(delays_grow_and_lock),
	        CASE(success_clears_the_user_only),
	        CASE(an_address_counts_whoever_it_tries),
	        CASE(ipv6_counts_per_64),
	        CASE(old_failures_are_forgotten),
	        CASE(the_oldest_makes_room),
	        CASE(strangers_cannot_fill_memory),
	        CASE(odd_arguments),
	};
	return RUN(tests);
}
