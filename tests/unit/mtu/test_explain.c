/* The words of `debug webvpn anyconnect`: cisco-facts.md 1.2. */
#include "../unit.h"

#include <stdio.h>

#include "mtu/derive.h"

struct page {
	char text[4096];
	size_t n;
};

static void put_line(void *ctx, const char *line)
{
	struct page *p = ctx;
	int n = snprintf(p->text + p->n, sizeof(p->text) - p->n, "%s\n", line);
	assert_in_range(n, 1, sizeof(p->text) - p->n - 1);
	p->n += (size_t)n;
}

static void check(struct mtu_input in, const char *want)
{
	struct mtu_derivation d;
	struct page p = {0};
	assert_int_equal(mtu_derive(&in, &d), 0);
	mtu_explain(&in, &d, put_line, &p);
	assert_string_equal(p.text, want);
}

static struct mtu_input input(
        enum mtu_formula_set f, uint32_t tcpmss, enum mtu_version v, const char *tls, const char *dtls)
{
	return (struct mtu_input){.formula = f,
	        .base_mtu = 1500,
	        .tcpmss = tcpmss,
	        .outer_family = 4,
	        .tls_version = v,
	        .tls_suite = mtu_suite_find(span_str(tls)),
	        .dtls_version = MTU_DTLS_1_2,
	        .dtls_suite = mtu_suite_find(span_str(dtls))};
}

#define DTLS_1418                                                                                            \
	"DTLS Block size = 16\n"                                                                             \
	"mtu = 1500(base-mtu) - 20(ip) - 8(udp) - 13(dtlshdr) - 16(dtlsiv) = 1443\n"                         \
	"mod-mtu = 1443(mtu) & 0xfff0(complement) = 1440\n"                                                  \
	"dtls-mtu = 1440(mod-mtu) - 1(cdtp) - 20(mac) - 1(pad) = 1418\n"

TEST(stream_cipher)
{
	check(input(MTU_CISCO, 1380, MTU_TLS_1_0, "RC4-SHA", "AES128-SHA"),
	        "Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
	        "tcp-mss = 1380\n"
	        "path-mtu = 1380(mss)\n"
	        "mtu = 1380(path-mtu) - 0(opts) - 5(ssl) - 8(cstp) = 1367\n"
	        "tls-mtu = 1367(mtu) - 20(mac) = 1347\n" DTLS_1418
	        "computed tls-mtu=1347 dtls-mtu=1418 conf-mtu=1406\n"
	        "DTLS enabled for intf=2 (outside)\n"
	        "tls-mtu=1347 dtls-mtu=1418\n");
}

TEST(block_cipher)
{
	check(input(MTU_CISCO, 1460, MTU_TLS_1_0, "AES128-SHA", ""),
	        "Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
	        "tcp-mss = 1460\n"
	        "path-mtu = 1460(mss)\n"
	        "TLS Block size = 16, version = 0x301\n"
	        "mtu = 1460(path-mtu) - 0(opts) - 5(ssl) = 1455\n"
	        "mod-mtu = 1455(mtu) & 0xfff0(complement) = 1440\n"
	        "tls-mtu = 1440(mod-mtu) - 8(cstp) - 20(mac) - 1(pad) = 1411\n"
	        "computed tls-mtu=1411 dtls-mtu=0 conf-mtu=1406\n"
	        "tls-mtu=1411 dtls-mtu=0\n");
}

TEST(block_cipher_with_iv_and_configured_value)
{
	struct mtu_input in = input(MTU_CISCO, 1380, MTU_TLS_1_2, "AES128-SHA", "AES128-SHA");
	in.configured = 1300;
	check(in, "Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1300\n"
	          "tcp-mss = 1380\n"
	          "path-mtu = 1380(mss)\n"
	          "TLS Block size = 16, version = 0x303\n"
	          "mtu = 1380(path-mtu) - 0(opts) - 5(ssl) - 16(iv) = 1359\n"
	          "mod-mtu = 1359(mtu) & 0xfff0(complement) = 1344\n"
	          "tls-mtu = 1344(mod-mtu) - 8(cstp) - 20(mac) - 1(pad) = 1315\n" DTLS_1418
	          "computed tls-mtu=1315 dtls-mtu=1418 conf-mtu=1300\n"
	          "override computed tls-mtu=1315: configured is lower, tls-mtu=1300\n"
	          "override computed dtls-mtu=1418: configured is lower, dtls-mtu=1300\n"
	          "DTLS enabled for intf=2 (outside)\n"
	          "tls-mtu=1300 dtls-mtu=1300\n");
}

TEST(exact_aead)
{
	struct mtu_input in =
	        input(MTU_EXACT, 1460, MTU_TLS_1_3, "TLS_AES_256_GCM_SHA384", "PSK-AES256-GCM-SHA384");
	in.outer_family = 6;
	check(in, "Iphdr=40 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
	          "tcp-mss = 1460\n"
	          "path-mtu = 1440(mss)\n"
	          "mtu = 1440(path-mtu) - 0(opts) - 5(ssl) - 8(cstp) = 1427\n"
	          "tls-mtu = 1427(mtu) - 16(tag) - 1(type) = 1410\n"
	          "mtu = 1500(base-mtu) - 40(ip) - 8(udp) - 13(dtlshdr) - 8(nonce) - 1(cdtp) = 1430\n"
	          "dtls-mtu = 1430(mtu) - 16(tag) = 1414\n"
	          "computed tls-mtu=1410 dtls-mtu=1414 conf-mtu=1406\n"
	          "DTLS enabled for intf=2 (outside)\n"
	          "tls-mtu=1410 dtls-mtu=1414\n");
}

TEST(exact_encrypt_then_mac)
{
	struct mtu_input in = input(MTU_EXACT, 1380, MTU_TLS_1_2, "AES128-SHA", "");
	in.mac_order = MTU_MAC_LAST;
	check(in, "Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
	          "tcp-mss = 1380\n"
	          "path-mtu = 1380(mss)\n"
	          "TLS Block size = 16, version = 0x303\n"
	          "mtu = 1380(path-mtu) - 0(opts) - 5(ssl) - 16(iv) - 20(mac) = 1339\n"
	          "mod-mtu = 1339(mtu) & 0xfff0(complement) = 1328\n"
	          "tls-mtu = 1328(mod-mtu) - 8(cstp) - 1(pad) = 1319\n"
	          "computed tls-mtu=1319 dtls-mtu=0 conf-mtu=1406\n"
	          "tls-mtu=1319 dtls-mtu=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(stream_cipher),
	        cmocka_unit_test(block_cipher),
	        cmocka_unit_test(block_cipher_with_iv_and_configured_value),
	        cmocka_unit_test(exact_aead),
	        cmocka_unit_test(exact_encrypt_then_mac),
	};
	return RUN(tests);
}
