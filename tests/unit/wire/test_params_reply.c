#include "../unit.h"

#include <stdio.h>

#include "wire/params.h"

#define ID64       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ID64_UPPER "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
#define LEAST      "X-CSTP-Address: 10.0.0.2\r\nX-CSTP-MTU: 1400\r\n"

static const char OCSERV[] = "HTTP/1.1 200 CONNECTED\r\n"
                             "X-CSTP-Version: 1\r\n"
                             "X-CSTP-Server-Name: ocserv 1.1.6\r\n"
                             "X-CSTP-Hostname: laptop\r\n"
                             "X-CSTP-DPD: 90\r\n"
                             "X-CSTP-Default-Domain: corp.example\r\n"
                             "X-CSTP-Address: 10.88.1.212\r\n"
                             "X-CSTP-Netmask: 255.255.255.0\r\n"
                             "X-CSTP-Address-IP6: fd88:1::d4/128\r\n"
                             "X-CSTP-DNS: 10.20.0.53\r\n"
                             "X-CSTP-DNS: fd20::53\r\n"
                             "X-CSTP-NBNS: 10.20.0.54\r\n"
                             "X-CSTP-Split-DNS: corp.example\r\n"
                             "X-CSTP-Split-DNS: lab.example\r\n"
                             "X-CSTP-Split-Include: 10.20.0.0/255.255.0.0\r\n"
                             "X-CSTP-Split-Include-IP6: fd20::/48\r\n"
                             "X-CSTP-Tunnel-All-DNS: false\r\n"
                             "X-CSTP-Client-Bypass-Protocol: false\r\n"
                             "X-CSTP-Split-Exclude: 10.20.5.0/255.255.255.0\r\n"
                             "X-CSTP-Keepalive: 32400\r\n"
                             "X-CSTP-Idle-Timeout: none\r\n"
                             "X-CSTP-Smartcard-Removal-Disconnect: true\r\n"
                             "X-CSTP-Rekey-Time: 172817\r\n"
                             "X-CSTP-Rekey-Method: ssl\r\n"
                             "X-CSTP-MSIE-Proxy-Pac-URL: http://pac\r\n"
                             "X-CSTP-Session-Timeout: none\r\n"
                             "X-CSTP-Session-Timeout-Remaining: 0\r\n"
                             "X-CSTP-Disconnected-Timeout: none\r\n"
                             "X-CSTP-Keep: true\r\n"
                             "X-CSTP-TCP-Keepalive: true\r\n"
                             "X-CSTP-License: accept\r\n"
                             "X-DTLS-DPD: 90\r\n"
                             "X-DTLS-Port: 443\r\n"
                             "X-DTLS-Rekey-Time: 172827\r\n"
                             "X-DTLS-Rekey-Method: ssl\r\n"
                             "X-DTLS-Keepalive: 32400\r\n"
                             "X-DTLS-App-ID: " ID64 "\r\n"
                             "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"
                             "X-CSTP-Base-MTU: 1500\r\n"
                             "X-CSTP-MTU: 1434\r\n"
                             "X-CSTP-Banner: Hello%20you%0asecond%20line%00%1b\r\n"
                             "\r\n";

static const char ASA[] = "HTTP/1.1 200 OK\r\n"
                          "X-CSTP-Version: 1\r\n"
                          "X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.\r\n"
                          "X-CSTP-Address: 192.168.9.7\r\n"
                          "X-CSTP-Netmask: 255.255.255.128\r\n"
                          "X-CSTP-Hostname: asa\r\n"
                          "X-CSTP-Lease-Duration: 1209600\r\n"
                          "X-CSTP-Session-Timeout: none\r\n"
                          "X-CSTP-Session-Timeout-Alert-Interval: 60\r\n"
                          "X-CSTP-Session-Timeout-Remaining: none\r\n"
                          "X-CSTP-Idle-Timeout: 1800\r\n"
                          "X-CSTP-DNS: 192.168.1.1\r\n"
                          "X-CSTP-Disconnected-Timeout: 1800\r\n"
                          "X-CSTP-Default-Domain: corp.example\r\n"
                          "X-CSTP-Split-Exclude: 0.0.0.0/255.255.255.255\r\n"
                          "X-CSTP-Keep: true\r\n"
                          "X-CSTP-Tunnel-All-DNS: true\r\n"
                          "X-CSTP-DPD: 30\r\n"
                          "X-CSTP-Keepalive: 20\r\n"
                          "X-CSTP-Rekey-Time: 3600\r\n"
                          "X-CSTP-Rekey-Method: new-tunnel\r\n"
                          "X-CSTP-MSIE-Proxy-Lockdown: true\r\n"
                          "X-CSTP-Smartcard-Removal-Disconnect: true\r\n"
                          "X-DTLS-Session-ID: " ID64_UPPER "\r\n"
                          "X-DTLS-Port: 443\r\n"
                          "X-DTLS-Keepalive: 20\r\n"
                          "X-DTLS-DPD: 30\r\n"
                          "X-CSTP-MTU: 1390\r\n"
                          "X-DTLS-MTU: 1418\r\n"
                          "X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384\r\n"
                          "X-CSTP-Routing-Filtering-Ignore: false\r\n"
                          "X-CSTP-Quarantine: false\r\n"
                          "X-CSTP-Disable-Always-On-VPN: false\r\n"
                          "X-CSTP-Client-Bypass-Protocol: true\r\n"
                          "X-CSTP-TCP-Keepalive: true\r\n"
                          "X-CSTP-Post-Auth-XML: <?xml version=\"1.0\"?><config-auth client=\"vpn\"/>\r\n"
                          "\r\n";

static struct http_head head;

static int parse(const char *in, struct tunnel_params *ret)
{
	size_t used;
	assert_int_equal(http_response_parse(span_str(in), &head, &used), 0);
	return tunnel_params_parse(&head, ret);
}

/* An answer of these lines, each with its end. */
static int parse_lines(const char *lines, struct tunnel_params *ret)
{
	struct text t = {0};
	text_fmt(&t, "HTTP/1.1 200 OK\r\n%s\r\n", lines);
	int r = parse(text_cstr(&t), ret);
	text_done(&t);
	return r;
}

static void assert_prefix(const struct ip_prefix *p, const char *want)
{
	char buf[PREFIX_TEXT_MAX];
	assert_string_equal(prefix_format(p, buf), want);
}

static void assert_addr(const struct ip_addr *a, const char *want)
{
	char buf[ADDR_TEXT_MAX];
	assert_string_equal(addr_format(a, buf), want);
}

TEST(ocservs_answer_is_read)
{
	struct tunnel_params p;
	assert_int_equal(parse(OCSERV, &p), 0);
	assert_string_equal(p.server_name, "ocserv 1.1.6");
	assert_string_equal(p.hostname, "laptop");
	assert_string_equal(p.default_domain, "corp.example");
	assert_string_equal(p.banner, "Hello you\nsecond line");
	assert_prefix(&p.ip4, "10.88.1.212/24");
	assert_prefix(&p.ip6, "fd88:1::d4/128");
	assert_int_equal(p.n_dns, 2);
	assert_addr(&p.dns[1], "fd20::53");
	assert_int_equal(p.n_nbns, 1);
	assert_int_equal(p.n_split_dns, 2);
	assert_string_equal(p.split_dns[1], "lab.example");
	assert_int_equal(p.n_include, 2);
	assert_prefix(&p.include[0], "10.20.0.0/16");
	assert_prefix(&p.include[1], "fd20::/48");
	assert_int_equal(p.n_exclude, 1);
	assert_prefix(&p.exclude[0], "10.20.5.0/24");
	assert_int_equal(p.cstp.dpd_s, 90);
	assert_int_equal(p.cstp.keepalive_s, 32400);
	assert_int_equal(p.cstp.rekey_s, 172817);
	assert_int_equal(p.cstp.rekey_method, REKEY_SSL);
	assert_int_equal(p.dtls.rekey_s, 172827);
	assert_int_equal(
	        p.idle_timeout_s | p.session_timeout_s | p.session_remaining_s | p.disconnected_timeout_s, 0);
	assert_int_equal(p.suite, DTLS_PSK_NEGOTIATE);
	assert_int_equal(p.dtls_id_bytes, 32);
	assert_int_equal(p.dtls_id[31], 0xff);
	assert_int_equal(p.dtls_port, 443);
	assert_int_equal(p.base_mtu, 1500);
	assert_int_equal(p.cstp_mtu, 1434);
	assert_int_equal(p.dtls_mtu, 0);
	assert_true(p.grants_license && !p.own.is_own && !p.tunnel_all_dns);
	tunnel_params_done(&p);
}

TEST(asas_answer_is_read)
{
	struct tunnel_params p;
	assert_int_equal(parse(ASA, &p), 0);
	assert_prefix(&p.ip4, "192.168.9.7/25");
	assert_int_equal(p.ip6.addr.family, 0);
	assert_int_equal(p.lease_s, 1209600);
	assert_int_equal(p.session_alert_s, 60);
	assert_int_equal(p.idle_timeout_s, 1800);
	assert_int_equal(p.disconnected_timeout_s, 1800);
	assert_prefix(&p.exclude[0], "0.0.0.0/32");
	assert_int_equal(p.n_include, 0);
	assert_int_equal(p.cstp.rekey_method, REKEY_NEW_TUNNEL);
	assert_int_equal(p.dtls.rekey_method, REKEY_NONE);
	assert_int_equal(p.suite, DTLS_ECDHE_RSA_AES256_GCM);
	assert_int_equal(p.dtls_id_bytes, 32);
	assert_int_equal(p.dtls_id[15], 0xff);
	assert_int_equal(p.cstp_mtu, 1390);
	assert_int_equal(p.dtls_mtu, 1418);
	assert_true(p.tunnel_all_dns && p.client_bypass_protocol && !p.grants_license);
	tunnel_params_done(&p);
}

TEST(every_truncation_is_judged_without_harm)
{
	/* cut between lines: an answer that ends early still has to have an address and an MTU */
	for (size_t n = 0; n < strlen(ASA); n++) {
		struct text t = {0};
		struct tunnel_params p;
		size_t used;
		text_put(&t, span_of(ASA, n));
		text_str(&t, "\r\n\r\n");
		if (http_response_parse(span_of(t.p, t.n), &head, &used) == 0 &&
		        tunnel_params_parse(&head, &p) == 0)
			tunnel_params_done(&p);
		text_done(&t);
	}
}

TEST(the_old_form_of_ip6_is_read)
{
	struct tunnel_params p;
	assert_int_equal(
	        parse_lines(
	                "X-CSTP-Address: 10.0.0.2\r\nX-CSTP-Netmask: 255.255.255.0\r\n"
	                "X-CSTP-Address: fd88:1::d4\r\nX-CSTP-Netmask: fd88:1::/64\r\nX-CSTP-MTU: 1400\r\n"
	                "X-CSTP-Split-Include: fd20::1/48\r\n",
	                &p),
	        0);
	assert_prefix(&p.ip4, "10.0.0.2/24");
	assert_prefix(&p.ip6, "fd88:1::d4/64");
	assert_prefix(&p.include[0], "fd20::/48");
	tunnel_params_done(&p);
	assert_int_equal(parse_lines("X-CSTP-Address: fd88:1::d4\r\nX-DTLS-MTU: 1400\r\n", &p), 0);
	assert_prefix(&p.ip6, "fd88:1::d4/128");
	tunnel_params_done(&p);
	assert_int_equal(parse_lines("x-cstp-address: 10.0.0.2\r\nx-cstp-mtu: 1400\r\n", &p), 0);
	assert_prefix(&p.ip4, "10.0.0.2/32");
	tunnel_params_done(&p);
}

TEST(bad_answers_are_refused)
{
	static const struct {
		const char *lines;
		int want;
	} rows[] = {
	        {LEAST, 0},
	        {"X-CSTP-Address: 10.0.0.2\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-MTU: 1400\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-Address: 10.0.0.2\r\nX-CSTP-MTU: 0\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-Address: 10.0.0.2\r\nX-CSTP-MTU: 255\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-Address: 10.0.0.2\r\nX-CSTP-MTU: 66936\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-Address: 10.0.0.2\r\nX-CSTP-MTU: -1\r\n", ERR_PEER_PROTOCOL},
	        {"X-CSTP-Address: 10.0.0.256\r\nX-CSTP-MTU: 1400\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Netmask: 255.0.255.0\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Netmask: 24\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Netmask: 255.255.0.0/16\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Address-IP6: 10.0.0.1/8\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Address-IP6: fd00::1/129\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Split-Include: 10.0.0.0/255.0.255.0\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Split-Include: 10.0.0.0/8\r\nX-CSTP-Split-Exclude: x\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Split-Include: 10.0.0.0/33\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-Content-Encoding: lzs\r\n", ERR_UNSUPPORTED},
	        {LEAST "X-DTLS-Content-Encoding: oc-lz4\r\n", ERR_UNSUPPORTED},
	        {LEAST "X-DTLS-Session-ID: " ID64 "\r\n", 0},
	        {LEAST "X-DTLS-Session-ID: " ID64 "00\r\n", ERR_MALFORMED},
	        {LEAST "X-DTLS-Session-ID: 0011\r\n", ERR_MALFORMED},
	        {LEAST "X-DTLS-App-ID: 001\r\n", ERR_MALFORMED},
	        {LEAST "X-DTLS-App-ID: " ID64 "00\r\n", ERR_MALFORMED},
	        {LEAST "X-CSTP-DNS: nonsense\r\nX-CSTP-DNS: \r\nX-CSTP-NBNS: 1.2.3\r\n", 0},
	        {LEAST "X-CSTP-Base-MTU: 4294967296\r\nX-CSTP-DPD: -1\r\nX-DTLS-Port: 65536\r\n", 0},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tunnel_params p;
		int r = parse_lines(rows[i].lines, &p);
		if (r != rows[i].want)
			print_error("row %zu: %s", i, rows[i].lines);
		assert_int_equal(r, rows[i].want);
		if (r == 0) {
			assert_int_equal(p.n_dns + p.n_nbns + p.base_mtu + p.cstp.dpd_s + p.dtls_port, 0);
			tunnel_params_done(&p);
		}
	}
	struct tunnel_params p;
	assert_int_equal(parse("HTTP/1.1 401 no\r\n" LEAST "\r\n", &p), ERR_PEER_PROTOCOL);
}

/* They end in a shell's environment, in resolv.conf, in the arguments of resolvectl. */
TEST(names_of_domains_are_names)
{
	struct tunnel_params p;
	assert_int_equal(
	        parse_lines(LEAST
	                "X-CSTP-Default-Domain: corp.example,-H,$(id) lab_1.example  --interface=eth0\r\n"
	                "X-CSTP-Split-DNS: a.example, `id`,;id -x b-c.example\r\n"
	                "X-CSTP-Split-DNS: m\xc3\xbcller.example\r\n"
	                "X-CSTP-Split-DNS: 'x'\r\n",
	                &p),
	        0);
	assert_string_equal(p.default_domain, "corp.example lab_1.example");
	assert_int_equal(p.n_split_dns, 3);
	assert_string_equal(p.split_dns[0], "a.example");
	assert_string_equal(p.split_dns[1], "b-c.example");
	assert_string_equal(p.split_dns[2], "m\xc3\xbcller.example");
	tunnel_params_done(&p);
	assert_int_equal(parse_lines(LEAST "X-CSTP-Default-Domain: ;reboot\r\n", &p), 0);
	assert_string_equal(p.default_domain, "");
	tunnel_params_done(&p);
}

/* Those of C1 in UTF-8 neither, also not where something left out would bring their halves together. */
TEST(a_banner_has_no_control_characters)
{
	static const struct {
		const char *sent, *want;
	} rows[] = {
	        {"a%1b[2J%c2%9b31m%7f%0db%c2%a0c%0ad%c2", "a[2J?31mb\xc2\xa0"
	                                                  "c\nd\xc2"},
	        {"%c2%c2%9b%9b", "\xc2?\x9b"},
	        {"%c2%1b%9b31m", "?31m"},
	        {"%c2%c2%1b%9b%80", "\xc2?\x80"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tunnel_params p;
		char lines[200];
		snprintf(lines, sizeof(lines), "%sX-CSTP-Banner: %s\r\n", LEAST, rows[i].sent);
		assert_int_equal(parse_lines(lines, &p), 0);
		assert_string_equal(p.banner, rows[i].want);
		tunnel_params_done(&p);
	}
}

TEST(a_suite_needs_its_own_identifier)
{
	static const struct {
		const char *lines;
		enum dtls_suite suite;
		size_t id_bytes;
	} rows[] = {
	        {LEAST "X-DTLS-App-ID: 0a\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\n", DTLS_PSK_NEGOTIATE, 1},
	        {LEAST "X-DTLS-App-ID: 0A\r\nX-DTLS12-CipherSuite: PSK-NEGOTIATE\r\n", DTLS_PSK_NEGOTIATE, 1},
	        {LEAST "X-DTLS-App-ID: 0a\r\nX-DTLS12-CipherSuite: AES128-GCM-SHA256\r\n", DTLS_NONE, 0},
	        {LEAST "X-DTLS-Session-ID: " ID64 "\r\nX-DTLS-CipherSuite: PSK-NEGOTIATE\r\n", DTLS_NONE, 0},
	        {LEAST "X-DTLS-Session-ID: " ID64 "\r\nX-DTLS-CipherSuite: DES-CBC3-SHA\r\n", DTLS_NONE, 0},
	        {LEAST "X-DTLS-Session-ID: " ID64 "\r\nX-DTLS-CipherSuite: AES256-SHA\r\n",
	                DTLS_V10_AES256_SHA, 32},
	        {LEAST "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n", DTLS_NONE, 0},
	        {LEAST "X-DTLS-CipherSuite: OC-DTLS1_2-AES128-GCM\r\nX-DTLS-Session-ID: " ID64 "\r\n",
	                DTLS_OC12_AES128_GCM, 32},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tunnel_params p;
		assert_int_equal(parse_lines(rows[i].lines, &p), 0);
		assert_int_equal(p.suite, rows[i].suite);
		assert_int_equal(p.dtls_id_bytes, rows[i].id_bytes);
		tunnel_params_done(&p);
	}
}

static int parse_repeated(const char *line, size_t n)
{
	struct text t = {0};
	struct tunnel_params p;
	text_str(&t, LEAST);
	for (size_t i = 0; i < n; i++)
		text_str(&t, line);
	int r = parse_lines(text_cstr(&t), &p);
	if (r == 0)
		tunnel_params_done(&p);
	text_done(&t);
	return r;
}

TEST(lists_are_limited_exactly)
{
	static const struct {
		const char *line;
		size_t max;
	} rows[] = {
	        {"X-CSTP-DNS: 10.0.0.1\r\n", PARAMS_MAX_DNS},
	        {"X-CSTP-NBNS: 10.0.0.1\r\n", PARAMS_MAX_DNS},
	        {"X-CSTP-Split-DNS: a.example\r\n", PARAMS_MAX_SPLIT_DNS},
	        {"X-CSTP-Split-Include: 10.0.0.0/255.0.0.0\r\n", PARAMS_MAX_ROUTES},
	        {"X-CSTP-Split-Exclude-IP6: fd00::/8\r\n", PARAMS_MAX_ROUTES},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		assert_int_equal(parse_repeated(rows[i].line, rows[i].max), 0);
		assert_int_equal(parse_repeated(rows[i].line, rows[i].max + 1), ERR_TOO_LARGE);
	}
}

static struct ip_prefix include[] = {
        {{.family = 4, .b = {10, 20}}, 16}, {{.family = 6, .b = {0xfd, 0x20}}, 48}, {{.family = 4}, 0}};
static struct ip_prefix exclude[] = {{{.family = 4}, 32}, {{.family = 6, .b = {0xfe, 0x80}}, 10}};
static char split_dns[][PARAMS_NAME_BYTES] = {"corp.example", "lab.example"};

static struct tunnel_params full_params(void)
{
	struct tunnel_params p = {
	        .server_name = "culvert",
	        .hostname = "laptop",
	        .ip4 = {{.family = 4, .b = {10, 88, 1, 212}}, 24},
	        .ip6 = {{.family = 6, .b = {0xfd, 0x88, [15] = 0xd4}}, 64},
	        .dns = {{.family = 4, .b = {10, 20, 0, 53}}, {.family = 6, .b = {0xfd, 0x20, [15] = 0x53}}},
	        .n_dns = 2,
	        .nbns = {{.family = 4, .b = {10, 20, 0, 54}}},
	        .n_nbns = 1,
	        .default_domain = "corp.example",
	        .split_dns = split_dns,
	        .n_split_dns = N_ELEM(split_dns),
	        .include = include,
	        .n_include = N_ELEM(include),
	        .exclude = exclude,
	        .n_exclude = N_ELEM(exclude),
	        .tunnel_all_dns = true,
	        .banner = "Hello: 100%\nyou",
	        .base_mtu = 1500,
	        .cstp_mtu = 1411,
	        .dtls_mtu = 1434,
	        .cstp = {30, 20, 86400, REKEY_NEW_TUNNEL},
	        .dtls = {31, 21, 86410, REKEY_SSL},
	        .lease_s = 1209600,
	        .idle_timeout_s = 1800,
	        .session_timeout_s = 7200,
	        .session_remaining_s = 7000,
	        .disconnected_timeout_s = 900,
	        .session_alert_s = 60,
	        .grants_license = true,
	        .suite = DTLS_PSK_NEGOTIATE,
	        .dtls_id_bytes = 32,
	        .dtls_port = 443,
	        .own = {.is_own = true, .has_pieces = true, .has_super = true},
	};
	for (uint8_t i = 0; i < DTLS_ID_BYTES; i++)
		p.dtls_id[i] = (uint8_t)(0x11 * (i % 16));
	return p;
}

TEST(an_answer_is_written_with_exact_capitals)
{
	static const struct tunnel_format_opts opts = {.has_full_ip6 = true, .is_anyconnect = true};
	struct tunnel_params p = full_params();
	struct text t = {0};
	tunnel_params_format(&p, &opts, &t);
	assert_string_equal(text_cstr(&t), "HTTP/1.1 200 CONNECTED\r\n"
	                                   "X-CSTP-Version: 1\r\n"
	                                   "X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.\r\n"
	                                   "X-CSTP-Server-Name: culvert\r\n"
	                                   "X-CSTP-Hostname: laptop\r\n"
	                                   "X-CSTP-DPD: 30\r\n"
	                                   "X-CSTP-Default-Domain: corp.example\r\n"
	                                   "X-CSTP-Address: 10.88.1.212\r\n"
	                                   "X-CSTP-Netmask: 255.255.255.0\r\n"
	                                   "X-CSTP-Address-IP6: fd88::d4/64\r\n"
	                                   "X-CSTP-DNS: 10.20.0.53\r\n"
	                                   "X-CSTP-DNS-IP6: fd20::53\r\n"
	                                   "X-CSTP-NBNS: 10.20.0.54\r\n"
	                                   "X-CSTP-Split-DNS: corp.example\r\n"
	                                   "X-CSTP-Split-DNS: lab.example\r\n"
	                                   "X-CSTP-Split-Include: 10.20.0.0/255.255.0.0\r\n"
	                                   "X-CSTP-Split-Include-IP6: fd20::/48\r\n"
	                                   "X-CSTP-Split-Include: 0.0.0.0/0.0.0.0\r\n"
	                                   "X-CSTP-Tunnel-All-DNS: true\r\n"
	                                   "X-CSTP-Client-Bypass-Protocol: false\r\n"
	                                   "X-CSTP-Split-Exclude: 0.0.0.0/255.255.255.255\r\n"
	                                   "X-CSTP-Split-Exclude-IP6: fe80::/10\r\n"
	                                   "X-CSTP-Keepalive: 20\r\n"
	                                   "X-CSTP-Lease-Duration: 1209600\r\n"
	                                   "X-CSTP-Idle-Timeout: 1800\r\n"
	                                   "X-CSTP-Smartcard-Removal-Disconnect: true\r\n"
	                                   "X-CSTP-Rekey-Time: 86400\r\n"
	                                   "X-CSTP-Rekey-Method: new-tunnel\r\n"
	                                   "X-CSTP-Session-Timeout: 7200\r\n"
	                                   "X-CSTP-Session-Timeout-Alert-Interval: 60\r\n"
	                                   "X-CSTP-Session-Timeout-Remaining: 7000\r\n"
	                                   "X-CSTP-Disconnected-Timeout: 900\r\n"
	                                   "X-CSTP-Keep: true\r\n"
	                                   "X-CSTP-TCP-Keepalive: true\r\n"
	                                   "X-CSTP-License: accept\r\n"
	                                   "X-DTLS-DPD: 31\r\n"
	                                   "X-DTLS-Port: 443\r\n"
	                                   "X-DTLS-Rekey-Time: 86410\r\n"
	                                   "X-DTLS-Rekey-Method: ssl\r\n"
	                                   "X-DTLS-Keepalive: 21\r\n"
	                                   "X-DTLS-App-ID: " ID64 "\r\n"
	                                   "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"
	                                   "X-DTLS-MTU: 1434\r\n"
	                                   "X-CSTP-Base-MTU: 1500\r\n"
	                                   "X-CSTP-MTU: 1411\r\n"
	                                   "X-CSTP-Banner: Hello%3A%20100%25%0Ayou\r\n"
	                                   "X-Culvert: 1; pieces; super\r\n"
	                                   "\r\n");
	text_done(&t);
}

TEST(what_is_off_is_not_said)
{
	static const struct tunnel_format_opts opts = {0};
	struct tunnel_params p = {.ip4 = {{.family = 4, .b = {10, 0, 0, 2}}, 24},
	        .ip6 = {{.family = 6, .b = {0xfd, [15] = 2}}, 64},
	        .cstp_mtu = 1400,
	        .dtls_mtu = 1434,
	        .cstp = {.rekey_s = 3600},
	        .dtls_port = 443};
	struct text t = {0};
	tunnel_params_format(&p, &opts, &t);
	assert_string_equal(text_cstr(&t), "HTTP/1.1 200 CONNECTED\r\n"
	                                   "X-CSTP-Version: 1\r\n"
	                                   "X-CSTP-Address: 10.0.0.2\r\n"
	                                   "X-CSTP-Netmask: 255.255.255.0\r\n"
	                                   "X-CSTP-Address: fd00::2\r\n"
	                                   "X-CSTP-Netmask: fd00::/64\r\n"
	                                   "X-CSTP-Tunnel-All-DNS: false\r\n"
	                                   "X-CSTP-Client-Bypass-Protocol: false\r\n"
	                                   "X-CSTP-Idle-Timeout: none\r\n"
	                                   "X-CSTP-Smartcard-Removal-Disconnect: true\r\n"
	                                   "X-CSTP-Session-Timeout: none\r\n"
	                                   "X-CSTP-Disconnected-Timeout: none\r\n"
	                                   "X-CSTP-Keep: true\r\n"
	                                   "X-CSTP-TCP-Keepalive: true\r\n"
	                                   "X-CSTP-MTU: 1400\r\n"
	                                   "\r\n");
	text_done(&t);
	/* an identifier that clients would end the session over is not sent */
	p.suite = DTLS_AES256_GCM;
	p.dtls_id_bytes = 31;
	tunnel_params_format(&p, &opts, &t);
	assert_null(strstr(text_cstr(&t), "X-DTLS"));
	text_done(&t);
}

/* Compares field by field what an answer carries. */
static void assert_same(const struct tunnel_params *a, const struct tunnel_params *b)
{
	assert_string_equal(a->server_name, b->server_name);
	assert_string_equal(a->hostname, b->hostname);
	assert_string_equal(a->default_domain, b->default_domain);
	assert_string_equal(a->banner, b->banner);
	assert_memory_equal(&a->ip4, &b->ip4, sizeof(a->ip4));
	assert_memory_equal(&a->ip6, &b->ip6, sizeof(a->ip6));
	assert_memory_equal(a->dns, b->dns, sizeof(a->dns));
	assert_memory_equal(a->nbns, b->nbns, sizeof(a->nbns));
	assert_int_equal(a->n_split_dns, b->n_split_dns);
	for (size_t i = 0; i < a->n_split_dns; i++)
		assert_string_equal(a->split_dns[i], b->split_dns[i]);
	assert_int_equal(a->n_include, b->n_include);
	assert_memory_equal(a->include, b->include, a->n_include * sizeof(a->include[0]));
	assert_int_equal(a->n_exclude, b->n_exclude);
	assert_memory_equal(a->exclude, b->exclude, a->n_exclude * sizeof(a->exclude[0]));
	assert_memory_equal(&a->cstp, &b->cstp, sizeof(a->cstp));
	assert_memory_equal(&a->dtls, &b->dtls, sizeof(a->dtls));
	/* the numbers stand together */
	assert_memory_equal(&a->lease_s, &b->lease_s,
	        offsetof(struct tunnel_params, grants_license) - offsetof(struct tunnel_params, lease_s));
	assert_memory_equal(&a->base_mtu, &b->base_mtu, 3 * sizeof(a->base_mtu));
	assert_int_equal(a->suite, b->suite);
	assert_int_equal(a->dtls_id_bytes, b->dtls_id_bytes);
	assert_memory_equal(a->dtls_id, b->dtls_id, a->dtls_id_bytes);
	assert_int_equal(a->dtls_port, b->dtls_port);
	assert_true(a->tunnel_all_dns == b->tunnel_all_dns &&
	            a->client_bypass_protocol == b->client_bypass_protocol &&
	            a->grants_license == b->grants_license && a->own.is_own == b->own.is_own &&
	            a->own.has_steer == b->own.has_steer && a->own.has_pieces == b->own.has_pieces &&
	            a->own.has_super == b->own.has_super);
}

TEST(what_is_written_is_read_back)
{
	for (int form = 0; form < 4; form++) {
		struct tunnel_format_opts opts = {.has_full_ip6 = form & 1, .is_anyconnect = form & 2};
		for (int suite = DTLS_NONE + 1; suite < DTLS_N_SUITES; suite++) {
			struct tunnel_params p = full_params(), back;
			struct text t = {0};
			p.suite = (enum dtls_suite)suite;
			tunnel_params_format(&p, &opts, &t);
			assert_int_equal(parse(text_cstr(&t), &back), 0);
			assert_same(&p, &back);
			tunnel_params_done(&back);
			text_done(&t);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ocservs_answer_is_read),
	        cmocka_unit_test(asas_answer_is_read),
	        cmocka_unit_test(every_truncation_is_judged_without_harm),
	        cmocka_unit_test(the_old_form_of_ip6_is_read),
	        cmocka_unit_test(bad_answers_are_refused),
	        cmocka_unit_test(names_of_domains_are_names),
	        cmocka_unit_test(a_banner_has_no_control_characters),
	        cmocka_unit_test(a_suite_needs_its_own_identifier),
	        cmocka_unit_test(lists_are_limited_exactly),
	        cmocka_unit_test(an_answer_is_written_with_exact_capitals),
	        cmocka_unit_test(what_is_off_is_not_said),
	        cmocka_unit_test(what_is_written_is_read_back),
	};
	return RUN(tests);
}
