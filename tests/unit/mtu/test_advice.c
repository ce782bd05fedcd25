/* Advice over many situations: what is advised helps, and something is always advised when it is needed. */
#include "../unit.h"

#include <stdio.h>

#include "base/parse.h"
#include "mtu/advice.h"

/* Applies a line of the advice, as a gateway would read it; false: it has no number to apply. */
static bool apply(const char *line, struct mtu_input *in)
{
	static const char mtu[] = "anyconnect mtu ", mss[] = "sysopt connection tcpmss ";
	struct span s = span_str(line);
	if (span_starts(s, mtu)) {
		assert_int_equal(parse_u32(span_skip(s, sizeof(mtu) - 1), 576, 1462, &in->configured), 0);
		return true;
	}
	if (span_starts(s, mss)) {
		assert_int_equal(parse_u32(span_skip(s, sizeof(mss) - 1), 48, 65535, &in->tcpmss), 0);
		return true;
	}
	return false;
}

static void check(const struct mtu_input *in)
{
	struct mtu_derivation d, then;
	struct mtu_advice a[MTU_MAX_ADVICE] = {0};
	assert_int_equal(mtu_derive(in, &d), 0);
	size_t n = mtu_advise(in, &d, a);
	if (!d.is_reconnect_expected) {
		assert_int_equal(n, 0);
		return;
	}
	assert_in_range(n, 3, MTU_MAX_ADVICE); /* fragments, no DTLS, seamless: always possible */
	for (size_t i = 0; i < n; i++) {
		struct mtu_input changed = *in;
		assert_in_range(strlen(a[i].effect), 20, sizeof(a[i].effect) - 2);
		assert_non_null(a[i].where);
		if (!apply(a[i].line, &changed))
			continue;
		assert_int_equal(mtu_derive(&changed, &then), 0);
		assert_false(then.is_reconnect_expected);
		if (changed.configured != in->configured)
			assert_int_equal(then.tls, changed.configured);
	}
}

TEST(advice_helps)
{
	static const uint32_t bases[] = {576, 640, 1280, 1400, 1500, 9000, 16384};
	static const uint32_t mss[] = {0, 536, 1300, 1380, 1460, 9000};
	size_t n;
	const struct mtu_suite *s = mtu_suites(&n);
	for (size_t i = 0; i < n; i++) {
		if (!mtu_suite_has_version(&s[i], MTU_DTLS_1_2))
			continue;
		for (unsigned k = 0; k < N_ELEM(bases) * N_ELEM(mss) * 8; k++) {
			struct mtu_input in = {.formula = k & 1 ? MTU_CISCO : MTU_EXACT,
			        .outer_family = k & 2 ? 6 : 4,
			        .has_ip6 = (k & 4) != 0,
			        .base_mtu = bases[k / 8 % N_ELEM(bases)],
			        .tcpmss = mss[k / 8 / N_ELEM(bases)],
			        .tls_version = MTU_TLS_1_2,
			        .tls_suite = &s[i],
			        .dtls_version = MTU_DTLS_1_2,
			        .dtls_suite = &s[i]};
			check(&in);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(advice_helps)};
	return RUN(tests);
}
