/* Which DTLS style and suite a client gets, by `ssl cipher` and by what it offers. */
#include "../unit.h"

#include "gateway/offer.h"
#include "mtu/derive.h"
#include "policy/cipher.h"

#define ALL_STYLES ((1u << DTLS_N_SUITES) - 2)

static struct ssl_settings defaults(void)
{
	struct ssl_settings ssl = {.min_tls = TLS_V1_2, .min_dtls = DTLS_V1_2};
	for (int i = 0; i < N_SSL_SCOPES; i++)
		ssl.ciphers[i] = cipher_default((enum ssl_scope)i);
	return ssl;
}

static enum dtls_suite choose(const struct ssl_settings *ssl, uint32_t offered, bool has_master)
{
	return offer_choose_suite(
	        ssl, &(struct tunnel_request){.suites = offered, .has_master_secret = has_master});
}

TEST(without_orders_psk_then_aead)
{
	struct ssl_settings ssl = defaults();
	uint32_t aead = DTLS_SUITES_AEAD & ~(1u << DTLS_PSK_NEGOTIATE);
	assert_int_equal(choose(&ssl, ALL_STYLES, true), DTLS_PSK_NEGOTIATE);
	assert_int_equal(choose(&ssl, 1u << DTLS_PSK_NEGOTIATE, false), DTLS_PSK_NEGOTIATE);
	assert_int_equal(choose(&ssl, aead, true), DTLS_AES256_GCM);
	assert_int_equal(choose(&ssl, aead, false), DTLS_NONE);
	assert_int_equal(choose(&ssl, 1u << DTLS_OC12_AES128_GCM, true), DTLS_OC12_AES128_GCM);
	assert_int_equal(choose(&ssl, ALL_STYLES & ~DTLS_SUITES_AEAD, true), DTLS_NONE);
	assert_int_equal(choose(&ssl, 0, true), DTLS_NONE);
}

TEST(the_list_is_the_choice_and_its_order)
{
	struct ssl_settings ssl = defaults();
	ssl.ciphers[SSL_SCOPE_DTLS12] = "AES256-SHA:ECDHE-RSA-AES128-SHA256";
	assert_int_equal(choose(&ssl, ALL_STYLES, true), DTLS_AES256_SHA);
	assert_int_equal(choose(&ssl, ALL_STYLES, false), DTLS_NONE); /* no PSK in the list */
	assert_int_equal(
	        choose(&ssl, ALL_STYLES & ~(1u << DTLS_AES256_SHA), true), DTLS_ECDHE_RSA_AES128_SHA256);
	assert_int_equal(choose(&ssl, DTLS_SUITES_AEAD, true), DTLS_NONE);
	ssl.ciphers[SSL_SCOPE_DTLS12] = "AES256-GCM-SHA384:PSK-AES256-GCM-SHA384";
	assert_int_equal(choose(&ssl, ALL_STYLES, true), DTLS_AES256_GCM);
	assert_int_equal(choose(&ssl, ALL_STYLES, false), DTLS_PSK_NEGOTIATE);
}

TEST(dtls10_only_when_allowed_and_last)
{
	struct ssl_settings ssl = defaults();
	uint32_t old = 1u << DTLS_V10_AES256_SHA | 1u << DTLS_V10_AES128_SHA;
	assert_int_equal(choose(&ssl, old, true), DTLS_NONE);
	ssl.min_dtls = DTLS_V1_0;
	assert_int_equal(choose(&ssl, old, true), DTLS_V10_AES256_SHA);
	assert_int_equal(choose(&ssl, old | 1u << DTLS_AES128_GCM, true), DTLS_AES128_GCM);
	ssl.ciphers[SSL_SCOPE_DTLS1] = "AES128-SHA";
	assert_int_equal(choose(&ssl, old, true), DTLS_V10_AES128_SHA);
	assert_int_equal(choose(&ssl, old, false), DTLS_NONE);
	/* a suite of 1.2 alone says nothing about 1.0 */
	ssl.ciphers[SSL_SCOPE_DTLS12] = "AES256-SHA";
	assert_int_equal(choose(&ssl, old, true), DTLS_V10_AES128_SHA);
}

TEST(psk_list_has_what_is_allowed)
{
	struct ssl_settings ssl = defaults();
	char list[OFFER_PSK_LIST_MAX];
	offer_psk_list(&ssl, list);
	assert_string_equal(list, "PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256");
	ssl.ciphers[SSL_SCOPE_DTLS12] = "AES256-SHA:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384";
	offer_psk_list(&ssl, list);
	assert_string_equal(list, "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384");
	ssl.ciphers[SSL_SCOPE_DTLS12] = "AES256-SHA";
	offer_psk_list(&ssl, list);
	assert_string_equal(list, "");
}

/* What `ssl cipher dtlsv1.2` and `dtlsv1` can select, a header can say, and the other way round. */
TEST(both_tables_have_the_same_suites)
{
	static const enum ssl_scope scopes[] = {SSL_SCOPE_DTLS12, SSL_SCOPE_DTLS1};
	for (size_t k = 0; k < N_ELEM(scopes); k++) {
		struct ssl_settings ssl = defaults();
		struct text all = {0};
		size_t n = 0, n_headers = 0;
		ssl.min_dtls = DTLS_V1_0;
		assert_int_equal(cipher_level_list(scopes[k], CIPHER_MEDIUM, &all), 0);
		for (struct span rest = span_of(all.p, all.n); rest.n > 0;) {
			struct text one = {0};
			text_put(&one, span_cut(&rest, ':'));
			ssl.ciphers[SSL_SCOPE_DTLS12] = k == 0 ? text_cstr(&one) : "";
			ssl.ciphers[SSL_SCOPE_DTLS1] = k == 1 ? text_cstr(&one) : "";
			assert_int_not_equal(choose(&ssl, ALL_STYLES, true), DTLS_NONE);
			n += strncmp(text_cstr(&one), "PSK-", 4) != 0;
			text_done(&one);
		}
		for (int i = DTLS_NONE + 1; i < DTLS_N_SUITES; i++) {
			const struct dtls_suite_info *info = dtls_suite_info((enum dtls_suite)i);
			bool is_cisco = info->openssl_name && strcmp(info->name, info->openssl_name) == 0;
			n_headers += is_cisco && info->is_dtls10 == (k == 1);
		}
		assert_int_equal(n, n_headers);
		text_done(&all);
	}
}

/* Each of them has an MTU: the table of src/mtu knows it, as something that is spoken. */
TEST(every_suite_has_an_overhead)
{
	for (int scope = SSL_SCOPE_TLS1; scope < N_SSL_SCOPES; scope++) {
		struct text all = {0};
		assert_int_equal(cipher_level_list((enum ssl_scope)scope, CIPHER_MEDIUM, &all), 0);
		for (struct span rest = span_of(all.p, all.n); rest.n > 0;) {
			const struct mtu_suite *m = mtu_suite_find(span_cut(&rest, ':'));
			assert_true(m != NULL && m->is_negotiable);
		}
		text_done(&all);
	}
	/* and what only the calculator explains cannot be configured */
	size_t n, at;
	const struct mtu_suite *all = mtu_suites(&n);
	for (size_t i = 0; i < n; i++) {
		struct text names = {0}, why = {0};
		if (!all[i].is_negotiable) {
			int r = cipher_custom_list(SSL_SCOPE_TLS12, span_str(all[i].name), &names, &at, &why);
			assert_int_equal(r, ERR_CONFIG);
			assert_non_null(strstr(text_cstr(&why), "is refused"));
			assert_non_null(strstr(text_cstr(&why), "\"culvert mtu --cipher "));
		}
		text_done(&names);
		text_done(&why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_orders_psk_then_aead),
	        cmocka_unit_test(the_list_is_the_choice_and_its_order),
	        cmocka_unit_test(dtls10_only_when_allowed_and_last),
	        cmocka_unit_test(psk_list_has_what_is_allowed),
	        cmocka_unit_test(every_suite_has_an_overhead),
	        cmocka_unit_test(both_tables_have_the_same_suites),
	};
	return RUN(tests);
}
