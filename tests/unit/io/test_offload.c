#include "../unit.h"

#include "io/offload.h"
#include "io/tun.h"

TEST(lists_of_words)
{
	unsigned bits = 77;
	assert_int_equal(offload_parse("tun", &bits), 0);
	assert_int_equal(bits, OFFLOAD_TUN);
	assert_int_equal(offload_parse("gro,uso", &bits), 0);
	assert_int_equal(bits, OFFLOAD_GRO | OFFLOAD_USO);
	assert_int_equal(offload_parse("all", &bits), 0);
	assert_int_equal(bits, OFFLOAD_ALL);
}

TEST(other_words_change_nothing)
{
	static const char *const bad[] = {
	        "", ",", "tun,", ",tun", "tu", "tunn", "tun,,gso", "TUN", "gso gro", "none"};
	unsigned bits = 77;
	for (size_t i = 0; i < N_ELEM(bad); i++)
		assert_int_equal(offload_parse(bad[i], &bits), ERR_MALFORMED);
	assert_int_equal(bits, 77);
}

TEST(what_tun_is_not_asked_for)
{
	assert_int_equal(offload_tun_refused(0), 0);
	assert_int_equal(offload_tun_refused(OFFLOAD_GSO | OFFLOAD_GRO), 0);
	assert_int_equal(offload_tun_refused(OFFLOAD_USO), TUN_OFFLOAD_USO);
	assert_int_equal(offload_tun_refused(OFFLOAD_TUN | OFFLOAD_USO), ~0u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lists_of_words),
	        cmocka_unit_test(other_words_change_nothing),
	        cmocka_unit_test(what_tun_is_not_asked_for),
	};
	return RUN(tests);
}
