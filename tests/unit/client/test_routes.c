#include "../unit.h"

#include <linux/rtnetlink.h>

#include "client/routes.h"

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(prefix_parse(span_str(text), &p), 0);
	return p;
}

static void has_step(const struct route_plan *plan, size_t i, const char *dst, enum route_way way)
{
	char text[PREFIX_TEXT_MAX];
	assert_true(i < plan->n);
	assert_string_equal(prefix_format(&plan->steps[i].dst, text), dst);
	assert_int_equal(plan->steps[i].way, way);
}

static struct route_plan plan;

TEST(full_tunnel_in_halves)
{
	struct tunnel_params p = {.ip4 = prefix("10.1.0.5/24"), .ip6 = prefix("fd00::5/64"), .n_dns = 1};
	struct ip_addr gateway = addr_from_v4(0xc0000201);
	p.dns[0] = addr_from_v4(0x0a010001);
	routes_plan(&p, &gateway, &plan);
	assert_int_equal(plan.n, 5);
	has_step(&plan, 0, "192.0.2.1/32", ROUTE_OUTSIDE);
	has_step(&plan, 1, "0.0.0.0/1", ROUTE_TUNNEL);
	has_step(&plan, 2, "128.0.0.0/1", ROUTE_TUNNEL);
	has_step(&plan, 3, "::/1", ROUTE_TUNNEL);
	has_step(&plan, 4, "8000::/1", ROUTE_TUNNEL);
}

TEST(split_with_excludes_and_resolver)
{
	struct ip_prefix include[] = {
	        prefix("10.20.0.9/16"), prefix("0.0.0.0/0"), prefix("fd20::/48"), prefix("10.20.0.0/16")};
	struct ip_prefix exclude[] = {prefix("0.0.0.0/32"), prefix("10.20.5.0/24")};
	struct tunnel_params p = {
	        .ip4 = prefix("10.1.0.5/24"),
	        .include = include,
	        .n_include = 1,
	        .exclude = exclude,
	        .n_exclude = 2,
	        .n_dns = 2,
	};
	struct ip_addr gateway = addr_from_v4(0xc0000201);
	p.dns[0] = addr_from_v4(0x0a140001); /* inside the include */
	p.dns[1] = addr_from_v4(0x0a1e0001); /* not inside */
	routes_plan(&p, &gateway, &plan);
	assert_int_equal(plan.n, 4);
	has_step(&plan, 1, "10.20.5.0/24", ROUTE_OUTSIDE);
	has_step(&plan, 2, "10.20.0.0/16", ROUTE_TUNNEL);
	has_step(&plan, 3, "10.30.0.1/32", ROUTE_TUNNEL);
	p.n_include = 4;
	p.ip6 = prefix("fd00::5/128");
	routes_plan(&p, &gateway, &plan);
	has_step(&plan, 3, "0.0.0.0/1", ROUTE_TUNNEL);
	has_step(&plan, 5, "fd20::/48", ROUTE_TUNNEL);
	assert_int_equal(plan.n, 6);
}

TEST(best_path_outside)
{
	struct netlink_route r[] = {
	        {.dst = prefix("0.0.0.0/0"), .index = 2, .metric = 100, .type = RTN_UNICAST},
	        {.dst = prefix("0.0.0.0/0"), .index = 3, .metric = 50, .type = RTN_UNICAST},
	        {.dst = prefix("0.0.0.0/1"), .index = 9, .type = RTN_UNICAST},
	        {.dst = prefix("10.0.0.7/32"), .index = 2, .protocol = 67, .type = RTN_UNICAST},
	        {.dst = prefix("10.0.0.7/32"), .index = 1, .type = RTN_LOCAL},
	        {.dst = prefix("10.0.0.0/8"), .index = 4, .table = 42, .type = RTN_UNICAST},
	        {.dst = prefix("fd00::/8"), .index = 5, .type = RTN_UNICAST},
	};
	struct ip_addr dst = addr_from_v4(0x0a000007), dst6 = prefix("fd01::1").addr,
	               none = prefix("2001:db8::1").addr;
	assert_int_equal(routes_best(r, N_ELEM(r), &dst, 9, 67)->index, 3);
	assert_int_equal(routes_best(r, N_ELEM(r), &dst6, 9, 67)->index, 5);
	assert_null(routes_best(r, N_ELEM(r), &none, 9, 67));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(full_tunnel_in_halves),
	        cmocka_unit_test(split_with_excludes_and_resolver),
	        cmocka_unit_test(best_path_outside),
	};
	return RUN(tests);
}
