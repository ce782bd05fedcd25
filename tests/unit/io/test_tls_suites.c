/* What a server's settings of versions, suites and groups lead to, with a client that offers one thing. */
#include "tls_pair.h"

#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* to make the client old */
#include "io/tls_internal.h"

static struct text rsa_cert, rsa_key; /* made once, it takes a while */

static void keep_pem(BIO *b, struct text *ret)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	text_put(ret, span_of(p, (size_t)n));
	BIO_free(b);
}

static int rsa_make(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *x = X509_new();
	BIO *cert = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());
	(void)state;
	assert_true(key && x && cert && pem);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(
	        X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"vpn", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(cert, x), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
	keep_pem(cert, &rsa_cert);
	keep_pem(pem, &rsa_key);
	X509_free(x);
	EVP_PKEY_free(key);
	return 0;
}

static int rsa_free(void **state)
{
	(void)state;
	text_done(&rsa_cert);
	tls_pem_wipe(&rsa_key);
	return 0;
}

/* A client of this version that offers these suites (NULL: its own) and curves. */
struct offer {
	int version; /* TLS1_2_VERSION ..., 0: any */
	const char *suites, *groups;
};

/* The handshake's answer on the server's side. */
static int negotiate(struct tls_pair *p, struct tls_server_opts so, const struct offer *offer)
{
	char pin[TLS_PIN_TEXT_MAX];
	const char *pins[] = {pin};
	struct text why = {0};
	int s;
	if (so.cert_pem.n == 0) {
		so.cert_pem = pair_pem(&rsa_cert);
		so.key_pem = pair_pem(&rsa_key);
	}
	if (tls_server_ctx_new(&so, &why, &p->server_ctx) < 0)
		fail_msg("%s", text_cstr(&why));
	assert_int_equal(tls_server_new(p->server_ctx, &p->server), 0);
	tls_out_init(&p->to_client, 256 << 10);
	tls_set_output(p->server, &p->to_client);
	assert_int_equal(tls_cert_pin(so.cert_pem, pin), 0);
	pair_client(p, &(struct tls_client_opts){.pin = pins, .n_pin = 1}, "192.0.2.99");
	SSL_set_security_level(p->client->ssl, 0);
	if (offer->version) {
		assert_int_equal(SSL_set_min_proto_version(p->client->ssl, offer->version), 1);
		assert_int_equal(SSL_set_max_proto_version(p->client->ssl, offer->version), 1);
	}
	if (offer->suites && offer->version == TLS1_3_VERSION)
		assert_int_equal(SSL_set_ciphersuites(p->client->ssl, offer->suites), 1);
	else if (offer->suites)
		assert_int_equal(SSL_set_cipher_list(p->client->ssl, offer->suites), 1);
	if (offer->groups)
		assert_int_equal(SSL_set1_groups_list(p->client->ssl, offer->groups), 1);
	int c = pair_shake(p, SIZE_MAX, &s);
	return s == 0 ? c : s;
}

/* Records of every length modulo the block, both ways; each adds no more than TLS_OVERHEAD_MAX. */
static void exchange(struct tls *from, struct tls_out *wire, struct tls *to)
{
	static uint8_t plain[TLS_RECORD_MAX], got[TLS_RECORD_MAX];
	static const size_t far[] = {1400, 16000, TLS_RECORD_MAX};
	for (size_t i = 0; i < 35 + N_ELEM(far); i++) {
		size_t n = i < 35 ? i + 1 : far[i - 35];
		memset(plain, (int)i, n);
		assert_int_equal(tls_write(from, span_of(plain, n)), 0);
		assert_in_range(wire->n, n + 1, n + 2 * TLS_OVERHEAD_MAX);
		/* one record, unless an empty one goes ahead */
		size_t first = 5 + (size_t)wire->p[3] * 256 + wire->p[4];
		if (first == wire->n)
			assert_true(wire->n <= n + TLS_OVERHEAD_MAX);
		else
			assert_true(first <= TLS_OVERHEAD_MAX && wire->p[2] == 1);
		assert_int_equal(tls_feed(to, tls_out_span(wire)), 0);
		assert_int_equal(tls_read_record(to, got, sizeof(got)), n);
		assert_memory_equal(got, plain, n);
		assert_int_equal(tls_read_record(to, got, sizeof(got)), 0);
		tls_out_consume(wire, wire->n);
	}
}

static void check_pair(
        struct tls_server_opts so, struct offer offer, const char *protocol, const char *cipher)
{
	struct tls_pair p = {0};
	struct tls_info info;
	int r = negotiate(&p, so, &offer);
	if (r != 0)
		fail_msg("%s %s: %s", protocol, cipher, tls_error(p.server));
	tls_info(p.server, &info);
	assert_string_equal(info.protocol, protocol);
	assert_string_equal(info.cipher, cipher);
	exchange(p.server, &p.to_client, p.client);
	exchange(p.client, &p.to_server, p.server);
	uint8_t a[TLS_PSK_BYTES] = {1}, b[TLS_PSK_BYTES] = {2};
	assert_int_equal(tls_export_psk(p.client, a), 0);
	assert_int_equal(tls_export_psk(p.server, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	pair_done(&p);
}

static void check_refused(struct tls_server_opts so, struct offer offer)
{
	struct tls_pair p = {0};
	assert_true(negotiate(&p, so, &offer) < 0);
	assert_false(tls_is_up(p.server));
	pair_done(&p);
}

#define SUITES10(list) .suites[0] = (list)
#define SUITES12(list) .suites[2] = (list)
#define SUITES13(list) .suites[3] = (list)

TEST(each_suite_of_tls12_by_name)
{
	static const char *const names[] = {"AES256-SHA", "AES128-SHA", "AES256-SHA256", "AES128-SHA256",
	        "AES256-GCM-SHA384", "AES128-GCM-SHA256", "DHE-RSA-AES256-SHA", "DHE-RSA-AES256-SHA256",
	        "DHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256",
	        "DHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES256-SHA384",
	        "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		check_pair((struct tls_server_opts){SUITES12(names[i])},
		        (struct offer){TLS1_2_VERSION, "ALL", NULL}, "TLSv1.2", names[i]);
		/* and nothing else */
		check_refused((struct tls_server_opts){SUITES12(names[i])},
		        (struct offer){TLS1_2_VERSION,
		                strcmp(names[i], "AES256-SHA") == 0 ? "AES128-SHA" : "AES256-SHA", NULL});
	}
	/* without orders none of the old ones */
	check_refused((struct tls_server_opts){0},
	        (struct offer){TLS1_2_VERSION, "AES256-SHA:DHE-RSA-AES256-SHA256", NULL});
}

TEST(order_of_the_server_counts)
{
	check_pair((struct tls_server_opts){SUITES12("AES128-SHA256:AES256-SHA")},
	        (struct offer){TLS1_2_VERSION, "AES256-SHA:AES128-SHA256", NULL}, "TLSv1.2", "AES128-SHA256");
	check_pair((struct tls_server_opts){SUITES13("TLS_AES_128_GCM_SHA256")}, (struct offer){0}, "TLSv1.3",
	        "TLS_AES_128_GCM_SHA256");
	check_refused((struct tls_server_opts){SUITES13("TLS_AES_128_GCM_SHA256")},
	        (struct offer){TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", NULL});
}

TEST(old_versions_only_when_asked_for)
{
	struct tls_server_opts so = {0};
	check_refused(so, (struct offer){TLS1_1_VERSION, "ALL", NULL});
	so.min = TLS_1_1;
	check_pair(so, (struct offer){TLS1_1_VERSION, "ALL", NULL}, "TLSv1.1", "ECDHE-RSA-AES256-SHA");
	check_refused(so, (struct offer){TLS1_VERSION, "ALL", NULL});
	so.min = TLS_1_0;
	check_pair(so, (struct offer){TLS1_VERSION, "ALL", NULL}, "TLSv1", "ECDHE-RSA-AES256-SHA");
	so.suites[0] = "AES128-SHA";
	check_pair(so, (struct offer){TLS1_VERSION, "ALL", NULL}, "TLSv1", "AES128-SHA");
	/* a list belongs to its version: what 1.0 may have is not for 1.2, whose defaults stay */
	check_pair(so, (struct offer){TLS1_2_VERSION, "ALL", NULL}, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384");
	check_refused(so, (struct offer){TLS1_2_VERSION, "AES128-SHA", NULL});
	check_pair(so, (struct offer){0}, "TLSv1.3", "TLS_AES_256_GCM_SHA384");
	so.min = TLS_1_3;
	check_refused(so, (struct offer){TLS1_2_VERSION, "ALL", NULL});
}

TEST(groups)
{
	struct tls_server_opts so = {.groups = "P-384"};
	check_refused(so, (struct offer){.groups = "P-256"});
	check_pair(so, (struct offer){.groups = "P-256:P-384"}, "TLSv1.3", "TLS_AES_256_GCM_SHA384");
	static const struct {
		const char *name;
		int bits;
	} dh[] = {{NULL, 2048}, {"modp_2048", 2048}, {"modp_3072", 3072}, {"modp_4096", 4096},
	        {"dh_2048_256", 2048}};
	for (size_t i = 0; i < N_ELEM(dh); i++) {
		struct tls_pair p = {0};
		EVP_PKEY *key = NULL;
		so = (struct tls_server_opts){SUITES12("DHE-RSA-AES256-GCM-SHA384"), .dh_group = dh[i].name};
		assert_int_equal(negotiate(&p, so, &(struct offer){TLS1_2_VERSION, "ALL", NULL}), 0);
		assert_int_equal(SSL_get_peer_tmp_key(p.client->ssl, &key), 1);
		assert_int_equal(EVP_PKEY_get_bits(key), dh[i].bits);
		EVP_PKEY_free(key);
		pair_done(&p);
	}
}

TEST(settings_that_cannot_work)
{
	static const struct {
		struct tls_server_opts o;
		const char *why;
	} rows[] = {
	        {{SUITES12("AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384")},
	                "none of the suites of TLS 1.2 works with the EC key of the certificate: "
	                "AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"},
	        {{.min = TLS_1_0, SUITES10("DHE-RSA-AES256-SHA")},
	                "none of the suites of TLS 1.0 works with the EC key of the certificate: "
	                "DHE-RSA-AES256-SHA"},
	        {{SUITES12("NO-SUCH")}, "cipher suites not usable"},
	        {{SUITES13("NO-SUCH")}, "cipher suites of TLS 1.3 not usable"},
	        {{.groups = "P-1"}, "curves not usable"},
	        {{.dh_group = "modp_1"}, "DH group not usable"},
	};
	struct tls_pair p = {0};
	pair_cert(&p, PAIR_NOW_S);
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct tls_server_opts o = rows[i].o;
		struct text why = {0};
		o.cert_pem = pair_pem(&p.cert);
		o.key_pem = pair_pem(&p.key);
		assert_int_equal(tls_server_ctx_new(&o, &why, &p.server_ctx), ERR_CONFIG);
		if (strncmp(text_cstr(&why), rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s", text_cstr(&why));
		text_done(&why);
	}
	p.server_ctx = NULL;
	/* with TLS 1.3 alone the older lists do not matter */
	struct tls_server_opts o = rows[0].o;
	o.min = TLS_1_3;
	o.cert_pem = pair_pem(&p.cert);
	o.key_pem = pair_pem(&p.key);
	assert_int_equal(tls_server_ctx_new(&o, NULL, &p.server_ctx), 0);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_suite_of_tls12_by_name),
	        cmocka_unit_test(order_of_the_server_counts),
	        cmocka_unit_test(old_versions_only_when_asked_for),
	        cmocka_unit_test(groups),
	        cmocka_unit_test(settings_that_cannot_work),
	};
	return cmocka_run_group_tests(tests, rsa_make, rsa_free);
}
