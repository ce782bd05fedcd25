#include "../unit.h"

#include <stdio.h>

#include "wire/params.h"

#define SECRET                                                                                               \
	"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F"

static const char OPENCONNECT[] =
        "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n"
        "Host: vpn.example\r\n"
        "User-Agent: Open AnyConnect VPN Agent v9.01-3\r\n"
        "Cookie: webvpn=YWJj==\r\n"
        "X-CSTP-Version: 1\r\n"
        "X-CSTP-Hostname: laptop\r\n"
        "X-CSTP-Accept-Encoding: oc-lz4,lzs\r\n"
        "X-CSTP-Base-MTU: 1500\r\n"
        "X-CSTP-MTU: 1390\r\n"
        "X-CSTP-Address-Type: IPv6,IPv4\r\n"
        "X-CSTP-Full-IPv6-Capability: true\r\n"
        "X-DTLS-Master-Secret: " SECRET "\r\n"
        "X-DTLS-CipherSuite: "
        "PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM:OC2-DTLS1_2-CHACHA20-POLY1305:OC-DTLS1_2-AES128-GCM:"
        "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA\r\n"
        "X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:"
        "AES128-GCM-SHA256:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA\r\n"
        "X-DTLS-Accept-Encoding: oc-lz4,lzs\r\n"
        "\r\n";

static struct http_head head;

static int parse(const char *in, struct tunnel_request *ret)
{
	size_t used;
	assert_int_equal(http_request_parse(span_str(in), &head, &used), 0);
	return tunnel_request_parse(&head, ret);
}

/* A CONNECT of one header. */
static int parse_line(const char *line, struct tunnel_request *ret)
{
	static char buf[2048]; /* the result points into it */
	snprintf(buf, sizeof(buf), "CONNECT / HTTP/1.1\r\n%s\r\n\r\n", line);
	return parse(buf, ret);
}

TEST(an_openconnect_connect_is_read)
{
	struct tunnel_request q;
	assert_int_equal(parse(OPENCONNECT, &q), 0);
	assert_string_equal(q.hostname, "laptop");
	assert_string_equal(q.user_agent, "Open AnyConnect VPN Agent v9.01-3");
	assert_true(span_is(q.cookie, "YWJj=="));
	assert_int_equal(q.base_mtu, 1500);
	assert_int_equal(q.mtu, 1390);
	assert_true(q.wants_ip4 && q.wants_ip6 && q.has_full_ip6 && q.has_master_secret);
	assert_false(q.own.is_own || q.wants_mobile_license);
	for (int i = 0; i < DTLS_SECRET_BYTES; i++)
		assert_int_equal(q.master_secret[i], i);
	/* the SHA-1 suites of its older list are those of DTLS 1.0 */
	assert_int_equal(q.suites,
	        DTLS_SUITES_AEAD | 15u << DTLS_DHE_RSA_AES256_SHA | 15u << DTLS_V10_DHE_RSA_AES256_SHA);
}

TEST(a_bare_connect_is_enough)
{
	struct tunnel_request q;
	assert_int_equal(parse("CONNECT /CSCOSSLC/tunnel HTTP/1.0\r\nCookie: webvpn=x\r\n\r\n", &q), 0);
	assert_true(span_is(q.cookie, "x"));
	assert_true(q.wants_ip4 && q.wants_ip6);
	assert_int_equal(q.base_mtu | q.mtu | (int)q.suites, 0);
	assert_string_equal(q.hostname, "");
	assert_int_equal(parse("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n\r\n", &q), 0);
	assert_int_equal(q.cookie.n, 0);
}

TEST(numbers_out_of_range_are_absent)
{
	static const struct {
		const char *value;
		uint16_t base_mtu, mtu;
	} rows[] = {
	        {"-1", 0, 0},
	        {"0", 0, 0},
	        {"1", 0, 0},
	        {"255", 0, 0},
	        {"256", 0, 256},
	        {"575", 0, 575},
	        {"576", 576, 576},
	        {"1500", 1500, 1500},
	        {"16384", 16384, 16384},
	        {"16385", 0, 0},
	        {"65536", 0, 0},
	        {"67036", 0, 0},
	        {"4294967295", 0, 0},
	        {"4294967296", 0, 0},
	        {"4294968796", 0, 0},
	        {"1500x", 0, 0},
	        {"0x5dc", 0, 0},
	        {"", 0, 0},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tunnel_request q;
		char line[128];
		snprintf(line, sizeof(line), "X-CSTP-Base-MTU: %s\r\nX-CSTP-MTU: %s", rows[i].value,
		        rows[i].value);
		assert_int_equal(parse_line(line, &q), 0);
		assert_int_equal(q.base_mtu, rows[i].base_mtu);
		assert_int_equal(q.mtu, rows[i].mtu);
	}
}

TEST(secrets_and_cookies_keep_their_format)
{
	static const struct {
		const char *line;
		int want;
	} rows[] = {
	        {"X-DTLS-Master-Secret: " SECRET, 0},
	        {"x-dtls-master-secret: " SECRET, 0},
	        {"X-DTLS-Master-Secret: ", 0},
	        {"X-DTLS-Master-Secret: 00", ERR_MALFORMED},
	        {"X-DTLS-Master-Secret: " SECRET "00", ERR_MALFORMED},
	        {"X-DTLS-Master-Secret: 0" SECRET, ERR_MALFORMED},
	        {"X-DTLS-Master-Secret: g" SECRET "0", ERR_MALFORMED},
	        {"Cookie: webvpn=a/+=@b", 0},
	        {"Cookie: webvpn=a b", ERR_MALFORMED},
	        {"Cookie: webvpn=\"ab\"", ERR_MALFORMED},
	        {"Cookie: webvpn=a\xc3\xa4", ERR_MALFORMED},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tunnel_request q;
		assert_int_equal(parse_line(rows[i].line, &q), rows[i].want);
	}
	struct tunnel_request q;
	char line[PARAMS_COOKIE_MAX_BYTES + 32];
	snprintf(line, sizeof(line), "Cookie: webvpn=%0*d", PARAMS_COOKIE_MAX_BYTES, 0);
	assert_int_equal(parse_line(line, &q), 0);
	snprintf(line, sizeof(line), "Cookie: webvpn=%0*d", PARAMS_COOKIE_MAX_BYTES + 1, 0);
	assert_int_equal(parse_line(line, &q), ERR_MALFORMED);
	assert_int_equal(parse_line("X-DTLS-Master-Secret: ab"
	                            "abababababababababababababababababababababababababababababababab"
	                            "abababababababababababababABAB",
	                         &q),
	        0);
	assert_int_equal(q.master_secret[47], 0xab);
}

TEST(words_are_understood)
{
	struct tunnel_request q;
	assert_int_equal(parse_line("X-CSTP-Address-Type: IPv4", &q), 0);
	assert_true(q.wants_ip4 && !q.wants_ip6);
	assert_int_equal(parse_line("X-CSTP-Address-Type: ipv6", &q), 0);
	assert_true(!q.wants_ip4 && q.wants_ip6);
	assert_int_equal(parse_line("X-CSTP-License: mobile", &q), 0);
	assert_true(q.wants_mobile_license);
	assert_int_equal(parse_line("X-Culvert: 1; steer", &q), 0);
	assert_true(q.own.is_own);
	assert_int_equal(parse_line("X-Culvert: 1,steer", &q), 0);
	assert_true(q.own.is_own);
	assert_true(q.own.has_steer && !q.own.has_pieces);
	assert_int_equal(parse_line("X-Culvert: 1; unknown, Pieces ;steer", &q), 0);
	assert_true(q.own.is_own && q.own.has_steer && q.own.has_pieces && !q.own.has_super);
	assert_int_equal(parse_line("X-Culvert: 1; super", &q), 0);
	assert_true(q.own.is_own && q.own.has_super && !q.own.has_steer);
	assert_int_equal(parse_line("X-Culvert: 2; steer", &q), 0);
	assert_false(q.own.is_own || q.own.has_steer);
	assert_int_equal(parse_line("X-Culvert: 11", &q), 0);
	assert_false(q.own.is_own);
	assert_int_equal(parse_line("X-DTLS12-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM", &q), 0);
	assert_int_equal(q.suites, 1u << DTLS_PSK_NEGOTIATE);
	assert_int_equal(
	        parse_line("X-DTLS-CipherSuite: XPSK-NEGOTIATE:PSK-NEGOTIATE2::AES256-GCM-SHA384", &q), 0);
	assert_int_equal(q.suites, 0);
}

TEST(names_are_cut_or_dropped)
{
	struct tunnel_request q;
	char line[800];
	snprintf(line, sizeof(line), "User-Agent: %0300d\r\nX-CSTP-Hostname: %0256d", 0, 0);
	assert_int_equal(parse_line(line, &q), 0);
	assert_int_equal(strlen(q.user_agent), PARAMS_NAME_BYTES - 1);
	assert_string_equal(q.hostname, "");
	snprintf(line, sizeof(line), "X-CSTP-Hostname: %0255d", 0);
	assert_int_equal(parse_line(line, &q), 0);
	assert_int_equal(strlen(q.hostname), 255);
	assert_int_equal(parse_line("X-CSTP-Hostname: a\tb", &q), 0);
	assert_string_equal(q.hostname, "");
}

static struct tunnel_request_out full_request(const uint8_t *secret)
{
	return (struct tunnel_request_out){
	        .host = "vpn.example:8443",
	        .user_agent = "AnyConnect-compatible OpenConnect VPN Agent v9.21",
	        .cookie = "YWJj==",
	        .hostname = "laptop",
	        .base_mtu = 1500,
	        .mtu = 1390,
	        .wants_ip6 = true,
	        .old4 = addr_from_v4(0x0a5801d4),
	        .old6 = {.family = 6, .b = {0xfd, [15] = 1}},
	        .master_secret = secret,
	        .suites = 1u << DTLS_PSK_NEGOTIATE | 1u << DTLS_OC12_AES128_GCM | 1u << DTLS_AES256_GCM,
	        .own = {.is_own = true, .has_steer = true, .has_pieces = true, .has_super = true},
	};
}

TEST(a_request_is_written_in_openconnects_order)
{
	uint8_t secret[DTLS_SECRET_BYTES];
	for (uint8_t i = 0; i < sizeof(secret); i++)
		secret[i] = i;
	struct tunnel_request_out q = full_request(secret);
	struct text t = {0};
	tunnel_request_format(&q, &t);
	assert_string_equal(text_cstr(&t), "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n"
	                                   "Host: vpn.example:8443\r\n"
	                                   "User-Agent: AnyConnect-compatible OpenConnect VPN Agent v9.21\r\n"
	                                   "Cookie: webvpn=YWJj==\r\n"
	                                   "X-CSTP-Version: 1\r\n"
	                                   "X-CSTP-Hostname: laptop\r\n"
	                                   "X-CSTP-Base-MTU: 1500\r\n"
	                                   "X-CSTP-MTU: 1390\r\n"
	                                   "X-CSTP-Address-Type: IPv6,IPv4\r\n"
	                                   "X-CSTP-Address: 10.88.1.212\r\n"
	                                   "X-CSTP-Full-IPv6-Capability: true\r\n"
	                                   "X-CSTP-Address: fd00::1\r\n"
	                                   "X-DTLS-Master-Secret: " SECRET "\r\n"
	                                   "X-DTLS-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES128-GCM\r\n"
	                                   "X-DTLS12-CipherSuite: AES256-GCM-SHA384\r\n"
	                                   "X-Culvert: 1; steer; pieces; super\r\n"
	                                   "\r\n");
	struct tunnel_request back;
	assert_int_equal(parse(text_cstr(&t), &back), 0);
	assert_true(span_is(back.cookie, q.cookie));
	assert_int_equal(back.suites, q.suites);
	assert_memory_equal(back.master_secret, secret, sizeof(secret));
	assert_int_equal(back.base_mtu, 1500);
	assert_int_equal(back.mtu, 1390);
	assert_true(back.own.is_own && back.own.has_steer && back.own.has_pieces && back.own.has_super);
	assert_true(back.has_full_ip6 && back.wants_ip6 && back.wants_ip4);
	text_done(&t);
}

TEST(a_request_says_only_what_it_has)
{
	struct tunnel_request_out q = {
	        .host = "h", .user_agent = "a\r\nX: y", .cookie = "c\r\nX: y", .hostname = " \n"};
	struct text t = {0};
	tunnel_request_format(&q, &t);
	assert_string_equal(text_cstr(&t),
	        "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\nUser-Agent: aX: y\r\n"
	        "X-CSTP-Version: 1\r\nX-CSTP-Address-Type: IPv4\r\n\r\n");
	text_done(&t);
}

TEST(suites_are_known_by_both_names)
{
	assert_null(dtls_suite_info(DTLS_NONE));
	assert_null(dtls_suite_info(DTLS_N_SUITES));
	for (int i = DTLS_NONE + 1; i < DTLS_N_SUITES; i++)
		assert_int_equal(dtls_suite_info((enum dtls_suite)i)->suite, i);
	assert_int_equal(dtls_suite_info(DTLS_AES128_GCM)->code, 0x009c);
	assert_null(dtls_suite_info(DTLS_PSK_NEGOTIATE)->openssl_name);
	/* the same name means another version in the older header */
	struct tunnel_request q;
	assert_int_equal(parse_line("X-DTLS-CipherSuite: AES256-SHA", &q), 0);
	assert_int_equal(q.suites, 1u << DTLS_V10_AES256_SHA);
	assert_true(dtls_suite_info(DTLS_V10_AES256_SHA)->is_dtls10);
	assert_int_equal(parse_line("X-DTLS12-CipherSuite: DES-CBC3-SHA:AES256-SHA", &q), 0);
	assert_int_equal(q.suites, 1u << DTLS_AES256_SHA);
	assert_false(dtls_suite_info(DTLS_AES256_SHA)->is_dtls10);
	assert_int_equal(DTLS_SUITES_AEAD, 254);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_openconnect_connect_is_read),
	        cmocka_unit_test(a_bare_connect_is_enough),
	        cmocka_unit_test(numbers_out_of_range_are_absent),
	        cmocka_unit_test(secrets_and_cookies_keep_their_format),
	        cmocka_unit_test(words_are_understood),
	        cmocka_unit_test(names_are_cut_or_dropped),
	        cmocka_unit_test(a_request_is_written_in_openconnects_order),
	        cmocka_unit_test(a_request_says_only_what_it_has),
	        cmocka_unit_test(suites_are_known_by_both_names),
	};
	return RUN(tests);
}
