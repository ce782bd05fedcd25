/* `ssl cipher` and its relatives: what a list selects, and what it may not say. */
#include "policy_unit.h"

#include "policy/cipher.h"

static void check_list(enum ssl_scope scope, const char *list, const char *want)
{
	struct text names = {0}, why = {0};
	size_t at = 0;
	if (cipher_custom_list(scope, span_str(list), &names, &at, &why) < 0)
		fail_msg("%s: %s", list, text_cstr(&why));
	assert_string_equal(text_cstr(&names), want);
	text_done(&names);
	text_done(&why);
}

TEST(names_keep_their_order)
{
	check_list(SSL_SCOPE_TLS12, "AES256-SHA", "AES256-SHA");
	check_list(
	        SSL_SCOPE_TLS12, "AES128-SHA256:AES256-SHA256:AES128-SHA256", "AES128-SHA256:AES256-SHA256");
	check_list(SSL_SCOPE_TLS12,
	        "aes256-sha, TLS_DHE_RSA_WITH_AES_256_CBC_SHA256;:", "AES256-SHA:DHE-RSA-AES256-SHA256");
	check_list(SSL_SCOPE_TLS13, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256");
	check_list(SSL_SCOPE_DTLS12, "AES256-SHA:PSK-AES128-GCM-SHA256", "AES256-SHA:PSK-AES128-GCM-SHA256");
}

TEST(words_and_prefixes)
{
	check_list(SSL_SCOPE_TLS12, "ECDHE+AESGCM+AES256",
	        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384");
	check_list(SSL_SCOPE_TLS12, "kRSA+SHA256", "AES256-SHA256:AES128-SHA256"); /* the MAC, not the PRF */
	check_list(SSL_SCOPE_TLS12, "kRSA+AES:!SHA:-AESGCM", "AES256-SHA256:AES128-SHA256");
	check_list(SSL_SCOPE_TLS12, "!AES256:kRSA", "AES128-GCM-SHA256:AES128-SHA256:AES128-SHA");
	check_list(
	        SSL_SCOPE_TLS12, "AES256-SHA:AES128-SHA:+AES256-SHA:+AES256-SHA256", "AES128-SHA:AES256-SHA");
	check_list(SSL_SCOPE_TLS12, "AES128-SHA:AES256-SHA:AES128-SHA256:@STRENGTH",
	        "AES256-SHA:AES128-SHA:AES128-SHA256");
	check_list(SSL_SCOPE_TLS12, "DEFAULT:!CHACHA20:!AES128",
	        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384");
	check_list(SSL_SCOPE_TLS1,
	        "HIGH:MEDIUM:!aNULL:!eNULL:!MD5:!RC4:!3DES:!LOW:!EXPORT:!aECDSA:!DHE:!kECDHE",
	        "AES256-SHA:AES128-SHA");
	check_list(
	        SSL_SCOPE_DTLS12, "PSK", "PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256");
	check_list(SSL_SCOPE_DTLS1, "ALL", "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA");
}

TEST(all_without_limits_is_each_suite_once)
{
	struct text a = {0}, b = {0}, why = {0};
	size_t at;
	for (int scope = SSL_SCOPE_TLS1; scope < N_SSL_SCOPES; scope++) {
		assert_int_equal(
		        cipher_custom_list((enum ssl_scope)scope, span_str("ALL"), &a, &at, &why), 0);
		assert_int_equal(cipher_level_list((enum ssl_scope)scope, CIPHER_MEDIUM, &b), 0);
		assert_string_equal(text_cstr(&a), text_cstr(&b));
		text_done(&a);
		text_done(&b);
		/* the default is a part of it, in any order */
		check_list((enum ssl_scope)scope, cipher_default((enum ssl_scope)scope),
		        cipher_default((enum ssl_scope)scope));
	}
}

TEST(mistakes_have_a_column_and_a_reason)
{
	static const struct {
		const char *conf, *want;
	} rows[] = {
	        {"ssl cipher tlsv1.2 custom AES256-SH\n",
	                "t:1:27: error: there is no cipher suite \"AES256-SH\"; nearest is \"AES256-SHA\"\n"},
	        {"ssl cipher tlsv1.2 custom \"AES256-SHA:RC4-SHA\"\n",
	                "t:1:39: error: \"RC4-SHA\" is refused: RC4 is broken and prohibited (RFC 7465); "
	                "\"culvert mtu "
	                "--cipher RC4-SHA\" explains what the ASA would compute\n"},
	        {"ssl cipher dtlsv1 custom \"DES-CBC3-SHA\"\n",
	                "t:1:27: error: \"DES-CBC3-SHA\" is refused: 3DES has blocks of 64 bits, which leak "
	                "after some "
	                "gigabytes (Sweet32); \"culvert mtu --cipher DES-CBC3-SHA\" explains what the ASA "
	                "would "
	                "compute\n"},
	        {"ssl cipher tlsv1.2 custom TLS_RSA_WITH_NULL_SHA\n",
	                "t:1:27: error: \"TLS_RSA_WITH_NULL_SHA\" is refused: it does not encrypt; \"culvert "
	                "mtu "
	                "--cipher TLS_RSA_WITH_NULL_SHA\" explains what the ASA would compute\n"},
	        {"ssl cipher tlsv1.2 custom \"HIGH:aNULL\"\n",
	                "t:1:33: error: \"aNULL\" is refused: anybody could be the gateway: there is no "
	                "certificate\n"},
	        {"ssl cipher tlsv1.2 custom RC4-MD5\n",
	                "t:1:27: error: \"RC4-MD5\" is refused: RC4 is broken and prohibited (RFC 7465)\n"},
	        {"ssl cipher tlsv1 custom AES256-GCM-SHA384\n",
	                "t:1:25: error: \"AES256-GCM-SHA384\" is not a suite of tlsv1\n"},
	        {"ssl cipher tlsv1.3 custom AES256-SHA\n",
	                "t:1:27: error: \"AES256-SHA\" is not a suite of tlsv1.3\n"},
	        {"ssl cipher tlsv1.2 custom PSK-AES256-GCM-SHA384\n",
	                "t:1:27: error: \"PSK-AES256-GCM-SHA384\" is not a suite of tlsv1.2\n"},
	        {"ssl cipher tlsv1.2 custom \"AES:!ALL\"\n", "t:1:28: error: no suite of tlsv1.2 is left\n"},
	        {"ssl cipher tlsv1.2 custom \"!\"\n",
	                "t:1:28: error: there is no cipher suite \"\"; nearest is \"AES256-SHA\"\n"},
	        {"ssl cipher tlsv1.2 custom \"ALL:@SECLEVEL=0\"\n",
	                "t:1:32: error: only @STRENGTH is understood here: the security level follows from "
	                "\"ssl "
	                "server-version\"\n"},
	        {"ssl cipher tlsv1 high\n", "t:1:18: error: tlsv1 has no suite of level high\n"},
	        {"ssl cipher tlsv1.2 all\n",
	                "t:1:20: warning: the same as medium: NULL, RC4 and DES suites are never spoken\n"},
	        {"ssl cipher tlsv1.2 medium\n", ""},
	        {"ssl cipher default high\n", "t:1:12: warning: concerns outgoing connections, as on the "
	                                      "ASA, and has no effect yet; clients "
	                                      "are under tlsv1.2, tlsv1.3, dtlsv1.2 ...\n"},
	        {"ssl dh-group group2\n",
	                "t:1:14: error: group2 is refused: 1024 bits are too weak, clients refuse it "
	                "as well; the least is group14\n"},
	        {"ssl dh-group group15\nssl ecdh-group group21\n", ""},
	        {"ssl server-version tlsv1.1\n",
	                "t:1:20: warning: TLS 1.0 and 1.1 are deprecated (RFC 8996): they "
	                "sign with SHA-1 and have no AEAD\n"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		check_said(rows[i].conf, rows[i].want);
}

TEST(settings_reach_the_model)
{
	struct config *c =
	        good("ssl cipher tlsv1.2 custom \"AES256-SHA:AES128-SHA\"\nssl cipher tlsv1.3 fips\n"
	             "ssl dh-group group16\nssl ecdh-group group20\nssl server-version tlsv1 dtlsv1\n");
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_TLS12], "AES256-SHA:AES128-SHA");
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_TLS13], "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_DTLS12], cipher_default(SSL_SCOPE_DTLS12));
	assert_string_equal(c->ssl.dh_group, "group16");
	assert_string_equal(c->ssl.ecdh_group, "group20");
	assert_int_equal(c->ssl.min_tls, TLS_V1_0);
	assert_int_equal(c->ssl.min_dtls, DTLS_V1_0);
	config_put(c);
	c = good("");
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_TLS12], cipher_default(SSL_SCOPE_TLS12));
	assert_string_equal(c->ssl.dh_group, "group14");
	assert_null(c->ssl.ecdh_group);
	config_put(c);
	/* as it is handed to the other processes */
	check_printed("ssl ciph tlsv1.2 custom \"HIGH:!SHA\"\nssl ecdh-group group19\n", CONFIG_SECRETS,
	        "ssl cipher tlsv1.2 custom \"HIGH:!SHA\"\nssl ecdh-group group19\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_keep_their_order),
	        cmocka_unit_test(words_and_prefixes),
	        cmocka_unit_test(all_without_limits_is_each_suite_once),
	        cmocka_unit_test(mistakes_have_a_column_and_a_reason),
	        cmocka_unit_test(settings_reach_the_model),
	};
	return RUN(tests);
}
