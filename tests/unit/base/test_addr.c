#include "../unit.h"

#include "base/addr.h"

static struct ip_addr addr(const char *s)
{
	struct ip_addr a;
	assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

TEST(parses_and_formats_both_families)
{
	static const char *const texts[] = {"10.0.0.1", "255.255.255.255", "::", "2001:db8::1", "fd88:1::d4"};
	char buf[ADDR_TEXT_MAX];
	for (size_t i = 0; i < N_ELEM(texts); i++) {
		struct ip_addr a = addr(texts[i]);
		assert_string_equal(addr_format(&a, buf), texts[i]);
	}
}

TEST(refuses_what_is_no_address)
{
	static const char *const texts[] = {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "::g", "1.2.3.4/8",
	        "00000000000000000000000000000000000000000000000000000001"};
	struct ip_addr a;
	for (size_t i = 0; i < N_ELEM(texts); i++)
		assert_true(addr_parse(span_str(texts[i]), &a) < 0);
}

TEST(masks_must_have_no_holes)
{
	struct ip_prefix p;
	uint8_t len;
	struct ip_addr m = addr("255.0.255.0");
	assert_true(addr_mask_len(&m, &len) < 0);
	assert_int_equal(prefix_parse_masked(span_str("10.48.66.0/255.255.254.0"), &p), 0);
	assert_int_equal(p.len, 23);
	assert_int_equal(prefix_parse_masked(span_str("10.0.0.0/0.0.0.0"), &p), 0);
	assert_int_equal(p.len, 0);
	assert_int_equal(prefix_parse_masked(span_str("fd20::/48"), &p), 0);
	assert_true(prefix_parse_masked(span_str("10.0.0.0/33"), &p) < 0);
	assert_true(prefix_parse_masked(span_str("fd20::/255.0.0.0"), &p) < 0);
}

TEST(prefix_membership_and_arithmetic)
{
	struct ip_prefix p;
	assert_int_equal(prefix_parse(span_str("10.1.2.3/22"), &p), 0);
	struct ip_addr in = addr("10.1.3.255"), out = addr("10.1.4.0"), net = prefix_network(&p),
	               want = addr("10.1.0.0");
	assert_true(addr_eq(&net, &want));
	assert_true(prefix_has(&p, &in));
	assert_false(prefix_has(&p, &out));
	struct ip_addr a = addr("10.0.0.255"), sum = addr_add(&a, 2);
	want = addr("10.0.1.1");
	assert_true(addr_eq(&sum, &want));
	a = addr("fd00::ffff:ffff");
	sum = addr_add(&a, 1);
	want = addr("fd00::1:0:0");
	assert_true(addr_eq(&sum, &want));
}

TEST(a_customer_is_an_ip4_address_or_an_ip6_64)
{
	struct ip_addr a, b, c, v4;
	assert_int_equal(addr_parse(span_str("2001:db8:1:2:3:4:5:6"), &a), 0);
	assert_int_equal(addr_parse(span_str("2001:db8:1:2:ffff::1"), &b), 0);
	assert_int_equal(addr_parse(span_str("2001:db8:1:3::1"), &c), 0);
	assert_int_equal(addr_parse(span_str("192.0.2.255"), &v4), 0);
	a = addr_customer(&a);
	b = addr_customer(&b);
	c = addr_customer(&c);
	assert_true(addr_eq(&a, &b));
	assert_false(addr_eq(&a, &c));
	b = addr_customer(&v4);
	assert_true(addr_eq(&b, &v4));
}

TEST(socket_addresses_round_trip_and_unmap)
{
	struct sockaddr_storage ss;
	uint16_t port;
	struct ip_addr a = addr("192.0.2.7");
	assert_int_equal(addr_to_sockaddr(&a, 443, &ss), sizeof(struct sockaddr_in));
	struct ip_addr b = addr_from_sockaddr((struct sockaddr *)&ss, &port);
	assert_true(addr_eq(&a, &b));
	assert_int_equal(port, 443);
	struct ip_addr mapped = addr("::ffff:192.0.2.7");
	addr_to_sockaddr(&mapped, 1, &ss);
	b = addr_from_sockaddr((struct sockaddr *)&ss, &port);
	assert_true(addr_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parses_and_formats_both_families),
	        cmocka_unit_test(refuses_what_is_no_address),
	        cmocka_unit_test(masks_must_have_no_holes),
	        cmocka_unit_test(prefix_membership_and_arithmetic),
	        cmocka_unit_test(a_customer_is_an_ip4_address_or_an_ip6_64),
	        cmocka_unit_test(socket_addresses_round_trip_and_unmap),
	};
	return RUN(tests);
}
