#include "../unit.h"

#include "base/err.h"
#include "gateway/inner_net.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a = {0};
	assert_int_equal(addr_parse(span_str(text), &a), 0);
	return a;
}

static struct pool4 pool4(const char *first, uint8_t len)
{
	return (struct pool4){.name = "p", .first = addr(first), .last = addr(first), .mask_len = len};
}

static void assert_prefix(const struct ip_prefix *p, const char *want)
{
	char buf[PREFIX_TEXT_MAX];
	assert_string_equal(prefix_format(p, buf), want);
}

TEST(the_first_address_of_each_network_once)
{
	const struct pool4 pools4[] = {
	        pool4("10.1.2.30", 24), pool4("10.1.2.200", 24), pool4("192.0.2.130", 25)};
	const struct pool6 pools6[] = {{.name = "six", .prefix = {addr("2001:db8::100"), 64}, .count = 10}};
	const struct config c = {
	        .outside_mtu = 1400, .pools4 = pools4, .n_pools4 = 3, .pools6 = pools6, .n_pools6 = 1};
	struct inner_net n;
	assert_int_equal(inner_net_plan(&c, &n), 0);
	assert_int_equal(n.n, 3);
	assert_prefix(&n.v[0], "10.1.2.1/24");
	assert_prefix(&n.v[1], "192.0.2.129/25");
	assert_prefix(&n.v[2], "2001:db8::1/64");
	assert_true(n.has_ip4);
	assert_true(n.has_ip6);
	assert_true(inner_net_has(&n, &n.v[2]));
	assert_int_equal(inner_net_mtu(&c, &n), 1400);
}

TEST(mtu_is_one_that_ipv6_can_live_with)
{
	const struct config c = {.outside_mtu = 1000};
	const struct inner_net four = {.has_ip4 = true}, both = {.has_ip4 = true, .has_ip6 = true};
	assert_int_equal(inner_net_mtu(&c, &four), 1000);
	assert_int_equal(inner_net_mtu(&c, &both), 1280);
}

TEST(too_many_networks)
{
	static struct pool4 pools4[INNER_NET_MAX + 1];
	const struct config c = {.pools4 = pools4, .n_pools4 = N_ELEM(pools4)};
	struct inner_net n;
	for (uint32_t i = 0; i < N_ELEM(pools4); i++)
		pools4[i] = (struct pool4){.first = addr_from_v4(0x0a000005 + (i << 8)), .mask_len = 24};
	assert_int_equal(inner_net_plan(&c, &n), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_address_of_each_network_once),
	        cmocka_unit_test(mtu_is_one_that_ipv6_can_live_with),
	        cmocka_unit_test(too_many_networks),
	};
	return RUN(tests);
}
