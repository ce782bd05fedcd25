#include "../unit.h"

#include "mtu/exact.h"

/* Measured against a stock gateway: wire-protocol.md 5.2. */
TEST(agrees_with_what_was_measured)
{
	static const struct {
		uint32_t base;
		uint8_t family;
		enum mtu_record r;
		uint16_t want;
	} rows[] = {
	        {1500, 4, MTU_DTLS12_GCM, 1434},
	        {1400, 4, MTU_DTLS12_GCM, 1334},
	        {1300, 4, MTU_DTLS12_GCM, 1234},
	        {1500, 6, MTU_DTLS12_GCM, 1414},
	        {1500, 4, MTU_DTLS12_CHACHA, 1442},
	        {1500, 6, MTU_DTLS12_CHACHA, 1422},
	        /* cisco-facts.md 1.3: the tech note's DTLS number is the exact one */
	        {1500, 4, MTU_DTLS_CBC_SHA1, 1418},
	        {1500, 4, MTU_DTLS_CBC_SHA256, 1406},
	        {1500, 4, MTU_DTLS_CBC_SHA384, 1390},
	        {1500, 6, MTU_DTLS_CBC_SHA1, 1386},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		assert_int_equal(mtu_exact_dtls(rows[i].base, rows[i].family, rows[i].r), rows[i].want);
}

TEST(no_base_mtu_overflows_or_underflows)
{
	static const uint32_t bases[] = {
	        0, 1, 37, 38, 575, 576, 577, 1279, 16384, 16385, 65535, 65536, UINT32_MAX};
	for (size_t i = 0; i < N_ELEM(bases); i++) {
		for (int family = 4; family <= 6; family += 2) {
			for (enum mtu_record r = MTU_DTLS12_GCM; r <= MTU_DTLS_CBC_SHA384; r++) {
				uint16_t mtu = mtu_exact_dtls(bases[i], (uint8_t)family, r);
				assert_in_range(mtu, 446, MTU_MAX - 28 - 30);
				assert_in_range(mtu_announce(mtu, 0, false), MTU_MIN, MTU_MAX);
				assert_in_range(mtu_announce(mtu, 1, true), MTU_MIN_IP6, MTU_MAX);
			}
		}
	}
}

TEST(announces_the_smaller_but_never_below_the_floor)
{
	assert_int_equal(mtu_announce(1434, 0, true), 1434);
	assert_int_equal(mtu_announce(1434, 1300, true), 1300);
	assert_int_equal(mtu_announce(1434, 1462, false), 1434);
	assert_int_equal(mtu_announce(1434, 1000, true), 1280);
	assert_int_equal(mtu_announce(1434, 1000, false), 1000);
	assert_int_equal(mtu_announce(500, 0, false), 576);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(agrees_with_what_was_measured),
	        cmocka_unit_test(no_base_mtu_overflows_or_underflows),
	        cmocka_unit_test(announces_the_smaller_but_never_below_the_floor),
	};
	return RUN(tests);
}
