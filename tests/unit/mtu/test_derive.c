/* Numbers that are known from elsewhere, and properties that hold for every suite, version, family and size.
 */
#include "../unit.h"

#include "mtu/derive.h"

static const struct mtu_suite *suite(const char *name)
{
	const struct mtu_suite *s = mtu_suite_find(span_str(name));
	assert_non_null(s);
	return s;
}

static struct mtu_derivation derive(struct mtu_input in)
{
	struct mtu_derivation d;
	assert_int_equal(mtu_derive(&in, &d), 0);
	return d;
}

/* ---- cisco ---- */

static struct mtu_input note(uint32_t tcpmss)
{
	return (struct mtu_input){.formula = MTU_CISCO,
	        .base_mtu = 1500,
	        .tcpmss = tcpmss,
	        .outer_family = 4,
	        .tls_version = MTU_TLS_1_2,
	        .tls_suite = suite("RC4-SHA"),
	        .dtls_version = MTU_DTLS_1_2,
	        .dtls_suite = suite("AES128-SHA")};
}

TEST(tech_note_numbers)
{
	struct mtu_derivation d = derive(note(1380));
	assert_int_equal(d.tls, 1347);
	assert_int_equal(d.dtls, 1418);
	assert_int_equal(d.adapter, 1418);
	assert_true(d.is_reconnect_expected);
	d = derive(note(1460)); /* third remedy: TLS is above the adapter, nothing need change */
	assert_int_equal(d.tls, 1427);
	assert_int_equal(d.dtls, 1418);
	assert_false(d.is_reconnect_expected);
	struct mtu_input in = note(1380);
	in.configured = 1300; /* first remedy: both the same */
	d = derive(in);
	assert_int_equal(d.tls, 1300);
	assert_int_equal(d.dtls, 1300);
	assert_int_equal(d.tls_limit, 1347);
	assert_false(d.is_reconnect_expected);
	in.configured = 1406; /* lower than DTLS only */
	d = derive(in);
	assert_int_equal(d.tls, 1347);
	assert_int_equal(d.dtls, 1406);
	in.configured = 0;
	in.dtls_suite = NULL; /* a group with TLS only */
	d = derive(in);
	assert_int_equal(d.adapter, 1347);
	assert_int_equal(d.dtls, 0);
	assert_false(d.is_reconnect_expected);
}

/* cisco-facts.md 1.3, first table. Not every combination of MAC and version is a suite of its own (TLS 1.0
 * has no SHA-256 in CBC): those are made here. */
TEST(cisco_table)
{
	static const struct {
		uint8_t mac;
		uint16_t cbc10_1380, cbc12_1380, cbc10_1460, cbc12_1460, plain_1380, plain_1460, dtls4, dtls6;
	} rows[] = {
	        {20, 1331, 1315, 1411, 1395, 1347, 1427, 1418, 1386},
	        {32, 1319, 1303, 1399, 1383, 1335, 1415, 1406, 1374},
	        {48, 1303, 1287, 1383, 1367, 1319, 1399, 1390, 1358},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct mtu_suite cbc = {.protection = MTU_CBC,
		        .block_bytes = 16,
		        .mac_bytes = rows[i].mac,
		        .digest_bytes = rows[i].mac,
		        .versions = 0xff};
		struct mtu_suite plain = cbc;
		plain.protection = MTU_STREAM;
		plain.block_bytes = 0;
		struct mtu_input in = note(1380);
		in.tls_suite = in.dtls_suite = &cbc;
		in.tls_version = MTU_TLS_1_0;
		assert_int_equal(derive(in).tls, rows[i].cbc10_1380);
		assert_int_equal(derive(in).dtls, rows[i].dtls4);
		in.tls_version = MTU_TLS_1_1;
		assert_int_equal(derive(in).tls, rows[i].cbc12_1380);
		in.tcpmss = 1460;
		in.outer_family = 6; /* an explicit MSS does not depend on it */
		assert_int_equal(derive(in).tls, rows[i].cbc12_1460);
		assert_int_equal(derive(in).dtls, rows[i].dtls6);
		in.tls_version = MTU_TLS_1_0;
		assert_int_equal(derive(in).tls, rows[i].cbc10_1460);
		in.tls_suite = &plain;
		assert_int_equal(derive(in).tls, rows[i].plain_1460);
		in.tcpmss = 1380;
		assert_int_equal(derive(in).tls, rows[i].plain_1380);
	}
}

TEST(cisco_captures_and_fits)
{
	struct mtu_input in = note(1460);
	in.tls_suite = in.dtls_suite = suite("ECDHE-RSA-AES256-GCM-SHA384");
	assert_int_equal(derive(in).tls, 1367);
	assert_int_equal(derive(in).dtls, 1390);
	in.tcpmss = 0; /* newer releases: from the interface */
	assert_int_equal(derive(in).tls, 1367);
	in.tls_suite = suite("ECDHE-RSA-AES128-GCM-SHA256");
	in.outer_family = 6;
	assert_int_equal(derive(in).tls, 1367); /* the other fit: mss 1440 */
	in.tls_suite = suite("TLS_AES_256_GCM_SHA384");
	in.tls_version = MTU_TLS_1_3;
	in.outer_family = 4;
	assert_int_equal(derive(in).tls, 1367);
	/* "none, AEAD as 0" of the table: no MAC at all */
	struct mtu_suite none = {.protection = MTU_NULL, .versions = 0xff};
	in.tls_suite = &none;
	assert_int_equal(derive(in).tls, 1447);
	in.tcpmss = 1380;
	assert_int_equal(derive(in).tls, 1367);
	in.tls_suite = suite("DES-CBC3-SHA"); /* blocks of 8: (1380 - 5 - 8) & ~7 = 1360, - 8 - 20 - 1 */
	in.tls_version = MTU_TLS_1_2;
	assert_int_equal(derive(in).tls, 1331);
	in.tls_version = MTU_TLS_1_0; /* (1380 - 5) & ~7 = 1368 */
	assert_int_equal(derive(in).tls, 1339);
}

/* ---- exact ---- */

/* cisco-facts.md 1.3, second and third table; MSS 1380, 1460, and 1440 as IPv6 has it. */
TEST(exact_table)
{
	static const struct {
		const char *name;
		enum mtu_version v;
		uint16_t at_1380, at_1460, at_1440;
	} rows[] = {
	        {"ECDHE-RSA-AES256-GCM-SHA384", MTU_TLS_1_2, 1343, 1423, 1403},
	        {"ECDHE-RSA-CHACHA20-POLY1305", MTU_TLS_1_2, 1351, 1431, 1411},
	        {"TLS_AES_256_GCM_SHA384", MTU_TLS_1_3, 1350, 1430, 1410},
	        {"TLS_CHACHA20_POLY1305_SHA256", MTU_TLS_1_3, 1350, 1430, 1410},
	        {"AES128-SHA", MTU_TLS_1_2, 1315, 1395, 1379},
	        {"AES128-SHA256", MTU_TLS_1_2, 1303, 1383, 1367},
	        {"ECDHE-RSA-AES256-SHA384", MTU_TLS_1_2, 1287, 1367, 1351},
	        {"AES128-SHA", MTU_TLS_1_0, 1331, 1411, 1395}, /* implicit IV */
	        {"ECDHE-ECDSA-AES128-CCM", MTU_TLS_1_2, 1343, 1423, 1403},
	        {"ECDHE-ECDSA-AES128-CCM8", MTU_TLS_1_2, 1351, 1431, 1411},
	        {"TLS_AES_128_CCM_8_SHA256", MTU_TLS_1_3, 1358, 1438, 1418},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct mtu_input in = {.base_mtu = 1500,
		        .tcpmss = 1380,
		        .outer_family = 4,
		        .tls_version = rows[i].v,
		        .tls_suite = suite(rows[i].name)};
		assert_int_equal(derive(in).tls, rows[i].at_1380);
		in.tcpmss = 0;
		assert_int_equal(derive(in).tls, rows[i].at_1460);
		in.outer_family = 6;
		assert_int_equal(derive(in).tls, rows[i].at_1440);
		in.tcpmss = 1460; /* more than the path has: true sizes do not believe it */
		assert_int_equal(derive(in).tls, rows[i].at_1440);
	}
}

TEST(exact_dtls_table)
{
	static const struct {
		const char *name;
		uint32_t base;
		uint8_t family;
		uint16_t want;
	} rows[] = {
	        {"PSK-AES256-GCM-SHA384", 1500, 4, 1434},
	        {"PSK-AES256-GCM-SHA384", 1400, 4, 1334}, /* measured: wire-protocol.md 5.2 */
	        {"PSK-AES256-GCM-SHA384", 1300, 4, 1234},
	        {"PSK-AES256-GCM-SHA384", 1500, 6, 1414},
	        {"PSK-CHACHA20-POLY1305", 1500, 4, 1442},
	        {"PSK-CHACHA20-POLY1305", 1500, 6, 1422},
	        {"PSK-AES128-CCM8", 1500, 4, 1442},
	        {"AES256-SHA256", 1500, 4, 1406},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		const struct mtu_suite *s = suite(rows[i].name);
		assert_int_equal(mtu_exact_dtls(rows[i].base, rows[i].family, MTU_DTLS_1_2, s), rows[i].want);
	}
}

TEST(order_of_mac_and_encryption_matters_for_sha1)
{
	struct mtu_input in = {.base_mtu = 1500,
	        .outer_family = 4,
	        .tls_version = MTU_TLS_1_2,
	        .tls_suite = suite("AES128-SHA"),
	        .dtls_version = MTU_DTLS_1_0,
	        .dtls_suite = suite("AES128-SHA")};
	assert_int_equal(derive(in).dtls, 1418); /* cisco-facts.md 1.3 */
	in.outer_family = 6;
	assert_int_equal(derive(in).dtls, 1386);
	in.outer_family = 4;
	in.mac_order = MTU_MAC_LAST; /* (1443 - 20) & ~15 = 1408, - 1 - 1 */
	assert_int_equal(derive(in).dtls, 1406);
	assert_int_equal(derive(in).tls, 1399); /* (1439 - 20) & ~15 = 1408, - 8 - 1 */
	in.mac_order = MTU_MAC_ANY;
	assert_int_equal(derive(in).dtls, 1406);
	assert_int_equal(derive(in).tls, 1395);
	assert_int_equal(mtu_exact_dtls(1500, 4, MTU_DTLS_1_0, in.dtls_suite), 1406);
}

/* ---- refusals, floors ---- */

TEST(refuses_what_does_not_exist)
{
	static const struct {
		const char *tls, *dtls;
		enum mtu_version tv, dv;
	} rows[] = {
	        {"ECDHE-RSA-AES256-GCM-SHA384", NULL, MTU_TLS_1_0, MTU_DTLS_1_2},
	        {"ECDHE-RSA-AES256-GCM-SHA384", NULL, MTU_TLS_1_3, MTU_DTLS_1_2},
	        {"TLS_AES_256_GCM_SHA384", NULL, MTU_TLS_1_2, MTU_DTLS_1_2},
	        {"AES256-SHA256", NULL, MTU_TLS_1_1, MTU_DTLS_1_2},
	        {"AES256-SHA", NULL, MTU_DTLS_1_2, MTU_DTLS_1_2},
	        {"AES256-SHA", "RC4-SHA", MTU_TLS_1_2, MTU_DTLS_1_0},
	        {"AES256-SHA", "AES256-GCM-SHA384", MTU_TLS_1_2, MTU_DTLS_1_0},
	        {"AES256-SHA", "AES256-SHA", MTU_TLS_1_2, MTU_TLS_1_2},
	        {"AES256-SHA", "AES256-SHA", MTU_TLS_1_2, (enum mtu_version)200},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct mtu_derivation d;
		struct mtu_input in = {.base_mtu = 1500,
		        .outer_family = 4,
		        .tls_version = rows[i].tv,
		        .tls_suite = suite(rows[i].tls),
		        .dtls_version = rows[i].dv,
		        .dtls_suite = rows[i].dtls ? suite(rows[i].dtls) : NULL};
		assert_int_not_equal(mtu_derive(&in, &d), 0);
	}
	struct mtu_derivation d;
	assert_int_not_equal(mtu_derive(&(struct mtu_input){.base_mtu = 1500}, &d), 0);
}

TEST(announces_the_smaller_but_never_below_the_floor)
{
	assert_int_equal(mtu_announce(1434, 0, true), 1434);
	assert_int_equal(mtu_announce(1434, 1300, true), 1300);
	assert_int_equal(mtu_announce(1434, 1462, false), 1434);
	assert_int_equal(mtu_announce(1434, 1000, true), 1280);
	assert_int_equal(mtu_announce(1434, 1000, false), 1000);
	assert_int_equal(mtu_announce(500, 0, false), 576);
	assert_int_equal(mtu_announce(500, UINT32_MAX, true), 1280);
}

TEST(suites_are_found_by_both_names)
{
	size_t n;
	const struct mtu_suite *s = mtu_suites(&n);
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(mtu_suite_find(span_str(s[i].name)), &s[i]);
		assert_ptr_equal(mtu_suite_find(span_str(s[i].iana_name)), &s[i]);
		assert_true((s[i].refusal == NULL) == s[i].is_negotiable);
		assert_true((s[i].protection == MTU_CBC) == (s[i].block_bytes != 0));
		assert_true((s[i].protection >= MTU_GCM) == (s[i].mac_bytes == 0));
		assert_int_not_equal(s[i].versions, 0);
		assert_int_not_equal(s[i].digest_bytes, 0);
	}
	assert_ptr_equal(mtu_suite_find(span_str("rc4-sha")), suite("TLS_RSA_WITH_RC4_128_SHA"));
	assert_null(mtu_suite_find(span_str("")));
	assert_null(mtu_suite_find((struct span){0}));
	assert_null(mtu_suite_find(span_str("RC4-SH")));
	assert_null(mtu_suite_find(span_str("RC4-SHA1")));
}

/* ---- properties ---- */

static void check_steps(const struct mtu_steps *s, uint16_t result)
{
	int32_t sum = 0;
	assert_in_range(s->n, 4, MTU_MAX_STEPS - 1); /* full: one may have been lost */
	for (size_t i = 0; i + 1 < s->n; i++) {
		assert_true(s->v[i].label[0] != '\0');
		sum += s->v[i].value;
	}
	assert_int_equal(sum, s->v[s->n - 1].value);
	assert_int_equal(sum, result);
}

/* Bytes of the record around n inner bytes, counted from the RFCs and not from the terms: RFC 5246 6.2.3.2
 * pads content and MAC, RFC 7366 3 the content alone. */
static uint32_t record_bytes(enum mtu_version v, const struct mtu_suite *s, uint32_t n, enum mtu_mac_order o)
{
	uint32_t plain = n + (v >= MTU_DTLS_1_0 ? 1 : 8), b = s->block_bytes, iv = v == MTU_TLS_1_0 ? 0 : b;
	uint32_t header = v >= MTU_DTLS_1_0 ? 13 : 5;
	if (s->protection != MTU_CBC)
		return plain + mtu_record_overhead_bytes(v, s, plain);
	uint32_t first = (plain + s->mac_bytes + 1 + b - 1) / b * b;
	uint32_t last = (plain + 1 + b - 1) / b * b + s->mac_bytes;
	uint32_t any = first > last ? first : last;
	assert_int_equal(header + iv + any, plain + mtu_record_overhead_bytes(v, s, plain));
	return header + iv + (o == MTU_MAC_FIRST ? first : o == MTU_MAC_LAST ? last : any);
}

static uint16_t announced(uint16_t limit, uint32_t configured, bool has_ip6)
{
	uint32_t mtu = configured && configured < limit ? configured : limit, floor = has_ip6 ? 1280 : 576;
	return (uint16_t)(mtu < floor ? floor : mtu);
}

static void check_exact(const struct mtu_input *in, const struct mtu_derivation *d)
{
	uint32_t ip = in->outer_family == 6 ? 40 : 20;
	uint32_t udp = d->base_mtu - ip - 8;
	assert_true(d->mss <= d->base_mtu - ip - 20);
	assert_true(record_bytes(in->tls_version, in->tls_suite, d->tls_limit, in->mac_order) <= d->mss);
	assert_true(record_bytes(in->tls_version, in->tls_suite, d->tls_limit + 1u, in->mac_order) > d->mss);
	if (in->dtls_suite == NULL)
		return;
	assert_true(record_bytes(in->dtls_version, in->dtls_suite, d->dtls_limit, in->mac_order) <= udp);
	assert_true(record_bytes(in->dtls_version, in->dtls_suite, d->dtls_limit + 1u, in->mac_order) > udp);
	uint16_t any = mtu_exact_dtls(in->base_mtu, in->outer_family, in->dtls_version, in->dtls_suite);
	if (in->mac_order == MTU_MAC_ANY)
		assert_int_equal(any, d->dtls_limit);
	assert_true(any <= d->dtls_limit);
}

static void count_line(void *ctx, const char *line)
{
	size_t *n = ctx;
	assert_in_range(strlen(line), 1, 150); /* not cut */
	(*n)++;
}

static void check(const struct mtu_input *in)
{
	struct mtu_derivation d;
	size_t n_lines = 0;
	assert_int_equal(mtu_derive(in, &d), 0);
	assert_int_equal(d.tls, announced(d.tls_limit, in->configured, in->has_ip6));
	check_steps(&d.tls_steps, d.tls);
	if (in->dtls_suite != NULL) {
		assert_int_equal(d.dtls, announced(d.dtls_limit, in->configured, in->has_ip6));
		check_steps(&d.dtls_steps, d.dtls);
	}
	assert_in_range(d.base_mtu, MTU_BASE_MIN, MTU_MAX);
	assert_in_range(d.mss, MTU_MSS_MIN, MTU_MAX);
	assert_in_range(d.tls_limit, 1, d.mss);
	assert_int_equal(d.adapter, in->dtls_suite ? d.dtls : d.tls);
	if (in->formula == MTU_EXACT)
		check_exact(in, &d);
	if (in->configured == 1 || in->configured == UINT32_MAX) { /* the longest; each line costs */
		mtu_explain(in, &d, count_line, &n_lines);
		assert_in_range(n_lines, 7, 16);
	}
}

static const uint32_t extremes[] = {0, 1, 127, 128, 129, 575, 576, 577, 1280, 1380, 1460, 1500, 16384, 16385,
        65536, 0x80000000, UINT32_MAX};

/* One suite in both tunnels where it exists in both, every other number at its extremes. */
static void check_numbers(struct mtu_input in)
{
	static const uint32_t configured[] = {0, 1, 576, 1280, 1300, UINT32_MAX};
	for (size_t i = 0; i < N_ELEM(extremes); i++) {
		for (size_t j = 0; j < N_ELEM(extremes); j++) {
			for (size_t k = 0; k < N_ELEM(configured); k++) {
				in.base_mtu = extremes[i];
				in.tcpmss = extremes[j];
				in.configured = configured[k];
				in.has_ip6 = (i + j + k) & 1;
				check(&in);
			}
		}
	}
}

static void for_each_pair(void (*f)(struct mtu_input in))
{
	size_t n;
	const struct mtu_suite *s = mtu_suites(&n);
	for (size_t i = 0; i < n; i++) {
		for (unsigned v = MTU_TLS_1_0; v <= MTU_DTLS_1_2; v++) {
			struct mtu_input in = {.outer_family = 4,
			        .tls_version = MTU_TLS_1_3,
			        .tls_suite = suite("TLS_AES_256_GCM_SHA384")};
			if (!mtu_suite_has_version(&s[i], v))
				continue;
			if (v >= MTU_DTLS_1_0) {
				in.dtls_version = v;
				in.dtls_suite = &s[i];
			} else {
				in.tls_version = v;
				in.tls_suite = &s[i];
			}
			f(in);
		}
	}
}

static void check_forms(struct mtu_input in)
{
	for (unsigned form = 0; form < 8; form++) {
		in.formula = form & 1 ? MTU_CISCO : MTU_EXACT;
		in.outer_family = form & 2 ? 6 : 4;
		in.mac_order = form & 4 ? MTU_MAC_ANY : MTU_MAC_FIRST;
		check_numbers(in);
	}
	in.formula = MTU_EXACT;
	in.mac_order = MTU_MAC_LAST;
	check_numbers(in);
}

TEST(extremes_of_everything)
{
	for_each_pair(check_forms);
}

static void check_sizes(struct mtu_input in)
{
	for (in.base_mtu = 0; in.base_mtu <= 65537; in.base_mtu += in.base_mtu < 1600 ? 1 : 617) {
		for (unsigned o = MTU_MAC_FIRST; o <= MTU_MAC_ANY; o++) {
			in.mac_order = o;
			check(&in);
		}
	}
}

TEST(exact_fits_at_every_base_mtu)
{
	for_each_pair(check_sizes);
}

TEST(overhead_of_any_length)
{
	const struct mtu_suite *cbc = suite("AES128-SHA"), *gcm = suite("AES128-GCM-SHA256");
	for (uint32_t n = UINT32_MAX - 40; n != 40; n++) {
		assert_in_range(
		        mtu_record_overhead_bytes(MTU_TLS_1_2, cbc, n), 5 + 16 + 20 + 1, 5 + 16 + 20 + 16);
		assert_int_equal(mtu_record_overhead_bytes(MTU_DTLS_1_2, gcm, n), 37);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tech_note_numbers),
	        cmocka_unit_test(cisco_table),
	        cmocka_unit_test(cisco_captures_and_fits),
	        cmocka_unit_test(exact_table),
	        cmocka_unit_test(exact_dtls_table),
	        cmocka_unit_test(order_of_mac_and_encryption_matters_for_sha1),
	        cmocka_unit_test(refuses_what_does_not_exist),
	        cmocka_unit_test(announces_the_smaller_but_never_below_the_floor),
	        cmocka_unit_test(suites_are_found_by_both_names),
	        cmocka_unit_test(extremes_of_everything),
	        cmocka_unit_test(exact_fits_at_every_base_mtu),
	        cmocka_unit_test(overhead_of_any_length),
	};
	return RUN(tests);
}
