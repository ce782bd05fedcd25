/* Versions, suites and groups of a context: what is offered without other orders, what the configuration of a
 * server says, and what clients older than TLS 1.2 need. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>

#include "base/rd.h"
#include "io/tls_internal.h"

#define TLS13_SUITES "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
#define TLS12_SUITES                                                                                         \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                         \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                         \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
/* All that TLS 1.0 and 1.1 have and that still encrypts. */
#define TLS_OLD_SUITES                                                                                       \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:"             \
	"ECDHE-RSA-AES128-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"
#define TLS_GROUPS  "X25519:P-256:P-384"
#define DH_GROUP    "modp_2048" /* RFC 3526 group 14 */
#define DH_NAME_MAX 32

static int version_number(enum tls_version v, int def)
{
	static const int numbers[TLS_N_VERSIONS] = {
	        TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	return v >= TLS_1_0 && v <= TLS_1_3 ? numbers[v - TLS_1_0] : def;
}

bool tls_suites_default(SSL_CTX *c, enum tls_version min, enum tls_version max)
{
	/* 0: the newest there is, or what the machine's OpenSSL configuration limits it to */
	int lo = version_number(min, TLS1_2_VERSION), hi = version_number(max, 0);

	return (hi == 0 || lo <= hi) && SSL_CTX_set_min_proto_version(c, lo) == 1 &&
	       (hi == 0 || SSL_CTX_set_max_proto_version(c, hi) == 1) &&
	       SSL_CTX_set_cipher_list(c, TLS12_SUITES) == 1 &&
	       SSL_CTX_set_ciphersuites(c, TLS13_SUITES) == 1 && SSL_CTX_set1_groups_list(c, TLS_GROUPS) == 1;
}

/* ---- groups ---- */

static EVP_PKEY *dh_params(const char *group)
{
	char name[DH_NAME_MAX];
	EVP_PKEY *p = NULL;
	EVP_PKEY_CTX *k = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);

	(void)snprintf(name, sizeof(name), "%s", group);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
	        OSSL_PARAM_construct_end()};
	if (k == NULL || EVP_PKEY_fromdata_init(k) != 1 ||
	        EVP_PKEY_fromdata(k, &p, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		p = NULL;
	EVP_PKEY_CTX_free(k);
	return p;
}

int tls_groups_set(SSL_CTX *c, const struct tls_server_opts *o, struct text *why)
{
	EVP_PKEY *dh = dh_params(o->dh_group ? o->dh_group : DH_GROUP);

	if (dh == NULL || SSL_CTX_set0_tmp_dh_pkey(c, dh) != 1) {
		EVP_PKEY_free(dh);
		return ossl_fail(why, ERR_CONFIG, "DH group not usable");
	}
	if (o->groups && SSL_CTX_set1_groups_list(c, o->groups) != 1)
		return ossl_fail(why, ERR_CONFIG, "curves not usable");
	return 0;
}

/* ---- suites ---- */

/* Does one of the suites that the context has now go with the key of its certificate? */
static bool suites_fit_key(SSL_CTX *c)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(c);
	bool is_rsa = EVP_PKEY_is_a(SSL_CTX_get0_privatekey(c), "RSA") == 1;

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		int auth = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(all, i));
		if (auth == (is_rsa ? NID_auth_rsa : NID_auth_ecdsa))
			return true;
	}
	return false;
}

/* The list of one version below 1.3. */
static int suites_set_of(SSL_CTX *c, enum tls_version v, const char *list, struct text *why)
{
	if (SSL_CTX_set_cipher_list(c, list) != 1)
		return ossl_fail(why, ERR_CONFIG, "cipher suites not usable");
	if (suites_fit_key(c))
		return 0;
	if (why)
		text_fmt(why, "none of the suites of TLS 1.%d works with the %s key of the certificate: %s",
		        v - TLS_1_0, EVP_PKEY_get0_type_name(SSL_CTX_get0_privatekey(c)), list);
	return ERR_CONFIG;
}

/* The newest version that the ClientHello offers; the extension counts if it is there (RFC 8446 4.1.2). */
static unsigned offered_version(SSL *ssl)
{
	const unsigned char *ext = NULL;
	size_t n = 0;
	unsigned newest = 0;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &ext, &n) != 1)
		return SSL_client_hello_get0_legacy_version(ssl);
	struct rd r = rd_open(span_of(ext, n));
	struct rd list = rd_open(rd_span(&r, rd_u8(&r)));
	while (rd_ok(&list) && list.rest.n >= 2) {
		unsigned v = rd_u16(&list);
		if (v <= TLS1_3_VERSION && v > newest) /* GREASE is larger */
			newest = v;
	}
	return newest;
}

/* OpenSSL has one list for all versions up to 1.2, and one security level. What an old version needs is set
 * for those connections only that cannot have a newer one. */
static int on_client_hello(SSL *ssl, int *al, void *arg)
{
	const struct tls_server_ctx *c = arg;
	unsigned v = offered_version(ssl);

	(void)al;
	if (v != TLS1_VERSION && v != TLS1_1_VERSION)
		return SSL_CLIENT_HELLO_SUCCESS;
	const char *list = c->old_suites[v - TLS1_VERSION];
	if (list == NULL)
		return SSL_CLIENT_HELLO_SUCCESS; /* not allowed: OpenSSL refuses the version */
	SSL_set_security_level(ssl, 0);
	return SSL_set_cipher_list(ssl, list) == 1 ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int tls_suites_set(struct tls_server_ctx *c, const struct tls_server_opts *o, struct text *why)
{
	enum tls_version min = o->min == TLS_ANY ? TLS_1_2 : o->min;

	for (enum tls_version v = min; v < TLS_1_3; v++) {
		const char *list = o->suites[v - TLS_1_0];
		if (list == NULL)
			list = v == TLS_1_2 ? TLS12_SUITES : TLS_OLD_SUITES;
		int r = suites_set_of(c->ssl_ctx, v, list, why);
		if (r < 0)
			return r;
		if (v < TLS_1_2 && (c->old_suites[v - TLS_1_0] = strdup(list)) == NULL)
			return -ENOMEM;
	}
	if (min < TLS_1_2)
		SSL_CTX_set_client_hello_cb(c->ssl_ctx, on_client_hello, c);
	if (o->suites[TLS_1_3 - TLS_1_0] &&
	        SSL_CTX_set_ciphersuites(c->ssl_ctx, o->suites[TLS_1_3 - TLS_1_0]) != 1)
		return ossl_fail(why, ERR_CONFIG, "cipher suites of TLS 1.3 not usable");
	return 0;
}
