#include "../unit.h"

#include <errno.h>

#include "base/err.h"
#include "store/lease.h"

static struct lease_pool *pool(const char *first, const char *last, uint8_t len)
{
	struct ip_addr a, b;
	struct lease_pool *p;
	assert_int_equal(addr_parse(span_str(first), &a), 0);
	assert_int_equal(addr_parse(span_str(last), &b), 0);
	assert_int_equal(lease_pool_new(&a, &b, len, &p), 0);
	return p;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;
	assert_int_equal(addr_parse(span_str(text), &a), 0);
	return a;
}

TEST(network_gateway_and_broadcast_are_never_lent)
{
	struct lease_pool *p = pool("10.1.0.0", "10.1.0.255", 24);
	assert_int_equal(lease_n_free(p), 253);
	for (int i = 0; i < 253; i++) {
		struct ip_addr a;
		assert_int_equal(lease_take(p, (uint64_t)i * 7919, &a), 0);
		uint32_t low = addr_to_v4(&a) & 255;
		assert_true(low >= 2 && low <= 254);
	}
	struct ip_addr a;
	assert_int_equal(lease_take(p, 3, &a), ERR_NO_ADDRESS);
	a = addr("10.1.0.77");
	lease_give(p, &a);
	lease_give(p, &a); /* twice changes nothing */
	assert_int_equal(lease_n_free(p), 1);
	assert_int_equal(lease_take(p, 200, &a), 0);
	assert_int_equal(addr_to_v4(&a), 0x0a01004d);
	lease_pool_free(p);
}

TEST(same_wish_same_address)
{
	struct lease_pool *p = pool("10.1.0.10", "10.1.3.200", 22);
	struct ip_addr a, b, c;
	assert_int_equal(lease_take(p, 0x123456789abcdef, &a), 0);
	assert_int_equal(lease_take(p, 0x123456789abcdef, &b), 0);
	assert_false(addr_eq(&a, &b));
	lease_give(p, &a);
	assert_int_equal(lease_take(p, 0x123456789abcdef, &c), 0);
	assert_true(addr_eq(&a, &c));
	lease_pool_free(p);
}

TEST(exact_addresses)
{
	struct lease_pool *p = pool("10.1.0.1", "10.1.0.20", 24);
	struct ip_addr gw = addr("10.1.0.1"), x = addr("10.1.0.5"), out = addr("10.1.0.21"),
	               six = addr("fd00::5");
	assert_int_equal(lease_take_at(p, &gw), -ERANGE);
	assert_int_equal(lease_take_at(p, &out), -ERANGE);
	assert_int_equal(lease_take_at(p, &six), -ERANGE);
	assert_int_equal(lease_take_at(p, &x), 0);
	assert_int_equal(lease_take_at(p, &x), -EADDRINUSE);
	lease_give(p, &gw);
	lease_give(p, &out);
	assert_int_equal(lease_n_free(p), 18);
	assert_int_equal(lease_n_lent(p), 1);
	lease_pool_free(p);
}

TEST(ipv6)
{
	struct lease_pool *p = pool("fd00:1::", "fd00:1::3", 64);
	struct ip_addr a, b, none, two = addr("fd00:1::2"), three = addr("fd00:1::3");
	assert_int_equal(lease_n_free(p), 2);
	assert_int_equal(lease_take(p, 0, &a), 0);
	assert_int_equal(lease_take(p, 0, &b), 0);
	assert_true(addr_eq(&a, &two));
	assert_true(addr_eq(&b, &three));
	assert_int_equal(lease_take(p, 0, &none), ERR_NO_ADDRESS);
	struct ip_addr gw = lease_gateway(&a, 64), want = addr("fd00:1::1");
	assert_true(addr_eq(&gw, &want));
	lease_pool_free(p);
}

TEST(a_large_pool_fills_completely)
{
	struct lease_pool *p = pool("10.0.0.0", "10.0.63.255", 18);
	uint32_t n = lease_n_free(p);
	assert_int_equal(n, 16384 - 3);
	struct ip_addr a;
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(lease_take(p, 16000, &a), 0);
	assert_int_equal(lease_take(p, 16000, &a), ERR_NO_ADDRESS);
	assert_int_equal(lease_n_free(p), 0);
	lease_pool_free(p);
}

TEST(refused_pools)
{
	struct ip_addr a = addr("10.0.0.9"), b = addr("10.0.0.8"), six = addr("fd00::1"),
	               far = addr("11.0.0.9");
	struct lease_pool *p;
	assert_int_equal(lease_pool_new(&a, &b, 24, &p), -EINVAL);
	assert_int_equal(lease_pool_new(&a, &six, 24, &p), -EINVAL);
	assert_int_equal(lease_pool_new(&b, &a, 33, &p), -EINVAL);
	assert_int_equal(lease_pool_new(&a, &far, 4, &p), ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(network_gateway_and_broadcast_are_never_lent),
	        cmocka_unit_test(same_wish_same_address),
	        cmocka_unit_test(exact_addresses),
	        cmocka_unit_test(ipv6),
	        cmocka_unit_test(a_large_pool_fills_completely),
	        cmocka_unit_test(refused_pools),
	};
	return RUN(tests);
}
