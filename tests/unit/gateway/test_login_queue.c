#include "../unit.h"

#include "base/err.h"
#include "gateway/login_queue.h"

static const uint8_t key[16] = {1};
static struct login_queue q;
static struct login_ticket tickets[LOGIN_QUEUE_MAX + 1];

static int put(uint32_t i, uint32_t peer, ms_t now_ms)
{
	struct ip_addr a = addr_from_v4(peer);
	return login_queue_put(&q, &tickets[i], &a, now_ms);
}

/* -1: none. */
static int take(void)
{
	const struct login_ticket *t = login_queue_take(&q);
	return t ? (int)(t - tickets) : -1;
}

static void begin(void)
{
	login_queue_init(&q, key);
}

static void end(void)
{
	assert_int_equal(q.n_waiting + q.n_running, 0);
	login_queue_free(&q);
}

TEST(addresses_take_turns)
{
	static const int want[] = {0, 4, 5, 1, 6, 2, 3};
	begin();
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(put(i, 1, 0), 0);
	assert_int_equal(put(4, 2, 0), 0);
	assert_int_equal(put(5, 3, 0), 0);
	assert_int_equal(put(6, 3, 0), 0);
	for (size_t i = 0; i < N_ELEM(want); i++) {
		assert_int_equal(take(), want[i]);
		login_queue_done(&q, &tickets[want[i]]);
	}
	assert_int_equal(take(), -1);
	end();
}

TEST(few_run_at_a_time)
{
	begin();
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(put(i, i, 0), 0);
	for (int i = 0; i < (int)LOGIN_CHECKS_MAX; i++)
		assert_int_equal(take(), i);
	assert_int_equal(take(), -1);
	for (int i = 0; i < 10; i++) {
		login_queue_done(&q, &tickets[i]);
		assert_int_equal(take(), i + (int)LOGIN_CHECKS_MAX < 10 ? i + (int)LOGIN_CHECKS_MAX : -1);
	}
	end();
}

TEST(limits)
{
	begin();
	for (uint32_t i = 0; i < LOGIN_QUEUE_PER_PEER_MAX; i++)
		assert_int_equal(put(i, 7, i), 0);
	assert_int_equal(put(LOGIN_QUEUE_MAX, 7, 0), ERR_LIMIT);
	for (uint32_t i = LOGIN_QUEUE_PER_PEER_MAX; i < LOGIN_QUEUE_MAX; i++)
		assert_int_equal(put(i, i, i), 0);
	assert_int_equal(put(LOGIN_QUEUE_MAX, 3, 0), ERR_LIMIT);
	for (ms_t now = 0; now < LOGIN_QUEUE_WAIT_MS; now += 1000)
		assert_null(login_queue_expire(&q, now));
	/* half of them wait no longer, in their order */
	for (uint32_t i = 0; i < LOGIN_QUEUE_MAX / 2; i++) {
		assert_true(login_queue_due_ms(&q) == i + LOGIN_QUEUE_WAIT_MS);
		assert_ptr_equal(login_queue_expire(&q, i + LOGIN_QUEUE_WAIT_MS), &tickets[i]);
		assert_null(login_queue_expire(&q, i + LOGIN_QUEUE_WAIT_MS));
	}
	for (uint32_t i = LOGIN_QUEUE_MAX / 2; i < LOGIN_QUEUE_MAX; i++) {
		assert_int_equal(take(), i);
		login_queue_done(&q, &tickets[i]);
	}
	assert_int_equal(q.sources.n, 0);
	assert_int_equal(take(), -1);
	assert_true(login_queue_due_ms(&q) == MS_NEVER);
	end();
}

/* What a customer has of IPv6 is one address. */
TEST(half_of_an_ip6_address_counts)
{
	struct ip_addr a = {.family = 6, .b = {0x20, 1, 0xd, 0xb8}}, b = a;
	begin();
	b.b[15] = 9;
	assert_int_equal(login_queue_put(&q, &tickets[0], &a, 0), 0);
	assert_int_equal(login_queue_put(&q, &tickets[1], &b, 0), 0);
	assert_int_equal(q.sources.n, 1);
	b.b[7] = 1;
	assert_int_equal(login_queue_put(&q, &tickets[2], &b, 0), 0);
	assert_int_equal(take(), 0);
	assert_int_equal(take(), 2);
	assert_int_equal(take(), 1);
	for (int i = 0; i < 3; i++)
		login_queue_done(&q, &tickets[i]);
	end();
}

/* By lot: nobody is lost, nobody runs twice, and the counts agree. */
TEST(anything_in_any_order)
{
	static uint8_t where[LOGIN_QUEUE_MAX]; /* 0: outside, 1: waits, 2: runs */
	uint32_t x = 20261126;
	ms_t now_ms = 0;
	begin();
	for (unsigned step = 0; step < 300000; step++) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		uint32_t i = (x >> 8) % 400;
		struct login_ticket *t;
		int at;
		now_ms += x % 300;
		if (x % 3 == 0 && where[i] == 0) {
			assert_int_equal(put(i, (x >> 20) % 30, now_ms), 0);
			where[i] = 1;
		} else if (x % 3 == 1 && (at = take()) >= 0) {
			assert_int_equal(where[at], 1);
			where[at] = 2;
		} else if (x % 3 == 2 && where[i] == 2) {
			login_queue_done(&q, &tickets[i]);
			where[i] = 0;
		} else if ((t = login_queue_expire(&q, now_ms)) != NULL) {
			assert_int_equal(where[t - tickets], 1);
			where[t - tickets] = 0;
		}
	}
	unsigned n[3] = {0};
	for (uint32_t i = 0; i < LOGIN_QUEUE_MAX; i++) {
		n[where[i]]++;
		if (where[i] == 2)
			login_queue_done(&q, &tickets[i]);
	}
	assert_int_equal(q.n_waiting, n[1]);
	for (; n[1] > 0; n[1]--)
		login_queue_done(&q, &tickets[take()]);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(addresses_take_turns),
	        cmocka_unit_test(few_run_at_a_time),
	        cmocka_unit_test(limits),
	        cmocka_unit_test(half_of_an_ip6_address_counts),
	        cmocka_unit_test(anything_in_any_order),
	};
	return RUN(tests);
}
