/* The overheads of mtu/ against records that OpenSSL makes: every negotiable suite in every version, with
 * both orders of MAC and encryption. Here because a test of mtu may not link OpenSSL, and one of io not mtu.
 */
#include "../unit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "mtu/derive.h"

static const uint8_t psk[16] = {1, 2, 3};

static unsigned psk_client(
        SSL *s, const char *hint, char *id, unsigned max_id, unsigned char *key, unsigned max)
{
	(void)s;
	(void)hint;
	assert_true(max_id > 1 && max >= sizeof(psk));
	memcpy(id, "x", 2);
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

static unsigned psk_server(SSL *s, const char *id, unsigned char *key, unsigned max)
{
	(void)s;
	(void)id;
	assert_true(max >= sizeof(psk));
	memcpy(key, psk, sizeof(psk));
	return sizeof(psk);
}

/* ---- two ends in memory ---- */

static EVP_PKEY *rsa, *ecdsa;

static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	assert_non_null(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	        X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static int protocol(enum mtu_version v)
{
	static const int versions[] = {
	        TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION, DTLS1_VERSION, DTLS1_2_VERSION};
	return versions[v];
}

static SSL_CTX *context(enum mtu_version v, const struct mtu_suite *s, bool is_server)
{
	bool is_dtls = v >= MTU_DTLS_1_0;
	const SSL_METHOD *m = is_dtls     ? is_server ? DTLS_server_method() : DTLS_client_method()
	                          : is_server ? TLS_server_method()
	                                  : TLS_client_method();
	SSL_CTX *c = SSL_CTX_new(m);
	assert_non_null(c);
	SSL_CTX_set_security_level(c, 0); /* TLS 1.0 and CCM8 */
	assert_int_equal(SSL_CTX_set_min_proto_version(c, protocol(v)), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(c, protocol(v)), 1);
	assert_int_equal(
	        v == MTU_TLS_1_3 ? SSL_CTX_set_ciphersuites(c, s->name) : SSL_CTX_set_cipher_list(c, s->name),
	        1);
	/* one record per write in TLS 1.0 as well */
	SSL_CTX_set_options(c, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	if (strncmp(s->name, "PSK", 3) == 0) { /* with a callback TLS 1.3 would try it, too */
		SSL_CTX_set_psk_client_callback(c, psk_client);
		SSL_CTX_set_psk_server_callback(c, psk_server);
	}
	if (is_server) {
		SSL_CTX_set_num_tickets(c, 0);
		SSL_CTX_set_dh_auto(c, 1);
		EVP_PKEY *keys[] = {rsa, ecdsa};
		for (size_t i = 0; i < N_ELEM(keys); i++) {
			X509 *x = certificate(keys[i]);
			assert_int_equal(SSL_CTX_use_certificate(c, x), 1);
			assert_int_equal(SSL_CTX_use_PrivateKey(c, keys[i]), 1);
			X509_free(x);
		}
	}
	return c;
}

struct pair {
	SSL *client, *server;
	BIO *to_server; /* what the client has written */
};

static SSL *end_new(
        enum mtu_version v, const struct mtu_suite *s, bool is_server, BIO *in, BIO *out, bool has_etm)
{
	SSL_CTX *c = context(v, s, is_server);
	SSL *ssl = SSL_new(c);
	SSL_CTX_free(c);
	assert_non_null(ssl);
	BIO_set_mem_eof_return(in, -1);
	BIO_up_ref(in);
	BIO_up_ref(out);
	SSL_set_bio(ssl, in, out);
	if (!has_etm)
		SSL_set_options(ssl, SSL_OP_NO_ENCRYPT_THEN_MAC);
	if (v >= MTU_DTLS_1_0)
		SSL_set_mtu(ssl, 16000); /* no flight is cut: memory keeps no datagrams apart */
	is_server ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl);
	return ssl;
}

static void pair_new(struct pair *p, enum mtu_version v, const struct mtu_suite *s, bool has_etm)
{
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	assert_true(up != NULL && down != NULL);
	p->client = end_new(v, s, false, down, up, has_etm);
	p->server = end_new(v, s, true, up, down, has_etm);
	p->to_server = up;
	BIO_free(up);
	BIO_free(down); /* the two ends hold them */
	int a = 0, b = 0;
	for (int i = 0; i < 20 && (a != 1 || b != 1); i++) {
		a = SSL_do_handshake(p->client);
		b = SSL_do_handshake(p->server);
	}
	if (a != 1 || b != 1)
		ERR_print_errors_fp(stderr);
	assert_true(a == 1 && b == 1);
	assert_string_equal(SSL_CIPHER_get_name(SSL_get_current_cipher(p->client)), s->name);
	assert_string_equal(SSL_CIPHER_standard_name(SSL_get_current_cipher(p->client)), s->iana_name);
	assert_int_equal(SSL_version(p->client), protocol(v));
	BIO_reset(p->to_server);
}

/* Bytes of the record that carries n. */
static uint32_t record_bytes(struct pair *p, uint32_t n)
{
	static const uint8_t plain[MTU_MAX];
	assert_int_equal(SSL_write(p->client, plain, (int)n), n);
	uint32_t bytes = (uint32_t)BIO_pending(p->to_server);
	BIO_reset(p->to_server);
	return bytes;
}

static void pair_done(struct pair *p)
{
	SSL_free(p->client);
	SSL_free(p->server);
}

/* ---- comparisons ---- */

static void check_limits(struct pair *p, enum mtu_version v, const struct mtu_suite *s, bool has_etm)
{
	static const uint32_t bases[] = {1280, 1400, 1499, 1500, 9000};
	bool is_dtls = v >= MTU_DTLS_1_0;
	for (size_t i = 0; i < N_ELEM(bases); i++) {
		struct mtu_derivation d;
		struct mtu_input in = {.base_mtu = bases[i],
		        .outer_family = i & 1 ? 6 : 4,
		        .mac_order = has_etm ? MTU_MAC_LAST : MTU_MAC_FIRST,
		        .tls_version = is_dtls ? MTU_TLS_1_3 : v,
		        .tls_suite = is_dtls ? mtu_suite_find(span_str("TLS_AES_256_GCM_SHA384")) : s,
		        .dtls_version = v,
		        .dtls_suite = is_dtls ? s : NULL};
		assert_int_equal(mtu_derive(&in, &d), 0);
		uint32_t framed = is_dtls ? d.dtls_limit + 1u : d.tls_limit + 8u;
		uint32_t room = is_dtls ? d.base_mtu - (i & 1 ? 48 : 28) : d.mss;
		assert_true(record_bytes(p, framed) <= room);
		assert_true(record_bytes(p, framed + 1) > room);
	}
}

static void check_suite(enum mtu_version v, const struct mtu_suite *s)
{
	struct pair first, last;
	pair_new(&first, v, s, false);
	pair_new(&last, v, s, true);
	for (uint32_t n = 1; n < 1500; n += n < 40 || n > 1450 ? 1 : 47) {
		uint32_t a = record_bytes(&first, n), b = record_bytes(&last, n);
		assert_int_equal(n + mtu_record_overhead_bytes(v, s, n), a > b ? a : b);
	}
	check_limits(&first, v, s, false);
	check_limits(&last, v, s, true);
	pair_done(&first);
	pair_done(&last);
}

TEST(overheads_are_those_of_openssl)
{
	size_t n, n_checked = 0;
	const struct mtu_suite *s = mtu_suites(&n);
	for (size_t i = 0; i < n; i++) {
		for (unsigned v = MTU_TLS_1_0; v <= MTU_DTLS_1_2; v++) {
			if (s[i].is_negotiable && mtu_suite_has_version(&s[i], v)) {
				check_suite(v, &s[i]);
				n_checked++;
			}
		}
	}
	assert_true(n_checked > 100);
}

static int keys_new(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	ecdsa = EVP_EC_gen("P-256");
	return rsa != NULL && ecdsa != NULL ? 0 : -1;
}

static int keys_free(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ecdsa);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(overheads_are_those_of_openssl)};
	return cmocka_run_group_tests(tests, keys_new, keys_free);
}
