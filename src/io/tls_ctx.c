/* Settings shared by connections: suites, versions, keys, trust. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

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
#define CHAIN_MAX   10 /* certificates in one file of ours */
#define CA_FILE_MAX 1000

const char *tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

static int version_number(enum tls_version v, int def)
{
	static const int numbers[TLS_N_VERSIONS] = {
	        TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	return v >= TLS_1_0 && v <= TLS_1_3 ? numbers[v - TLS_1_0] : def;
}

static bool ctx_settings(SSL_CTX *c, enum tls_version min, enum tls_version max)
{
	/* 0: the newest there is, or what the machine's OpenSSL configuration limits it to */
	int lo = version_number(min, TLS1_2_VERSION), hi = version_number(max, 0);

	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                               SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(
	        c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_keylog_callback(c, tls_on_keylog); /* for our own record layer alone, tls_switch.c */
	return (hi == 0 || lo <= hi) && SSL_CTX_set_num_tickets(c, 0) == 1 &&
	       SSL_CTX_set_min_proto_version(c, lo) == 1 &&
	       (hi == 0 || SSL_CTX_set_max_proto_version(c, hi) == 1) &&
	       SSL_CTX_set_cipher_list(c, TLS12_SUITES) == 1 &&
	       SSL_CTX_set_ciphersuites(c, TLS13_SUITES) == 1 && SSL_CTX_set1_groups_list(c, TLS_GROUPS) == 1;
}

/* Never asks on the terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf, (void)size, (void)rwflag, (void)u;
	return 0;
}

static bool ctx_load_chain(SSL_CTX *c, struct span pem)
{
	BIO *in = ossl_pem_bio(pem);
	X509 *x = in ? PEM_read_bio_X509_AUX(in, NULL, no_passphrase, NULL) : NULL;
	bool ok = x != NULL && SSL_CTX_use_certificate(c, x) == 1;

	X509_free(x);
	for (int i = 0; ok && i < CHAIN_MAX; i++) {
		x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
		if (x == NULL)
			break;
		ok = SSL_CTX_add1_chain_cert(c, x) == 1;
		X509_free(x);
	}
	BIO_free(in);
	if (ok)
		ERR_clear_error(); /* "no start line" after the last one */
	return ok;
}

static int ctx_load_identity(SSL_CTX *c, struct span cert_pem, struct span key_pem, struct text *why)
{
	EVP_PKEY *key = NULL;
	BIO *in = NULL;
	int r = ERR_CONFIG;

	if (!ctx_load_chain(c, cert_pem)) {
		ossl_fail(why, r, "certificate not usable");
		goto out;
	}
	in = ossl_pem_bio(key_pem);
	key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
	if (key == NULL) {
		ossl_fail(why, r, "private key not readable (encrypted keys are not supported)");
		goto out;
	}
	if (SSL_CTX_use_PrivateKey(c, key) != 1 || SSL_CTX_check_private_key(c) != 1) {
		ossl_fail(why, r, "private key does not belong to the certificate");
		goto out;
	}
	r = 0;
out:
	EVP_PKEY_free(key);
	BIO_free(in);
	return r;
}

/* Adds all certificates of the text to the store; names (may be NULL) collects their subjects. */
static bool store_load(X509_STORE *store, struct span pem, STACK_OF(X509_NAME) * names)
{
	BIO *in = ossl_pem_bio(pem);
	int n = 0;
	bool ok = in != NULL;

	while (ok && n < CA_FILE_MAX) {
		X509 *x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
		if (x == NULL)
			break;
		ok = X509_STORE_add_cert(store, x) == 1;
		if (ok && names) {
			X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));
			ok = name != NULL && sk_X509_NAME_push(names, name) > 0;
			if (!ok)
				X509_NAME_free(name);
		}
		X509_free(x);
		n++;
	}
	BIO_free(in);
	if (ok && n > 0)
		ERR_clear_error();
	return ok && n > 0;
}

static int ctx_ask_client(SSL_CTX *c, struct span ca_pem, struct text *why)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	if (names == NULL || !store_load(SSL_CTX_get_cert_store(c), ca_pem, names)) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return ossl_fail(why, ERR_CONFIG, "client CA not usable");
	}
	SSL_CTX_set_client_CA_list(c, names); /* takes names */
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, tls_verify_client, NULL);
	return 0;
}

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

static int ctx_groups(SSL_CTX *c, const struct tls_server_opts *o, struct text *why)
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
static int ctx_suites_of(SSL_CTX *c, enum tls_version v, const char *list, struct text *why)
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

static int ctx_suites(struct tls_server_ctx *c, const struct tls_server_opts *o, struct text *why)
{
	enum tls_version min = o->min == TLS_ANY ? TLS_1_2 : o->min;

	for (enum tls_version v = min; v < TLS_1_3; v++) {
		const char *list = o->suites[v - TLS_1_0];
		if (list == NULL)
			list = v == TLS_1_2 ? TLS12_SUITES : TLS_OLD_SUITES;
		int r = ctx_suites_of(c->ssl_ctx, v, list, why);
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

static void server_ctx_free(struct tls_server_ctx *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl_ctx);
	for (size_t i = 0; i < N_ELEM(c->old_suites); i++)
		free(c->old_suites[i]);
	free(c);
}

int tls_server_ctx_new(const struct tls_server_opts *o, struct text *why, struct tls_server_ctx **ret)
{
	struct tls_server_ctx *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	ERR_clear_error();
	if (c == NULL || (c->ssl_ctx = SSL_CTX_new(TLS_server_method())) == NULL)
		goto fail;
	c->refs = 1;
	if (!ctx_settings(c->ssl_ctx, o->min, o->max)) {
		r = ossl_fail(why, ERR_CONFIG, "TLS versions not usable");
		goto fail;
	}
	if ((r = ctx_load_identity(c->ssl_ctx, o->cert_pem, o->key_pem, why)) < 0)
		goto fail;
	if ((r = ctx_groups(c->ssl_ctx, o, why)) < 0 || (r = ctx_suites(c, o, why)) < 0)
		goto fail;
	if (o->client_ca_pem.n > 0 && (r = ctx_ask_client(c->ssl_ctx, o->client_ca_pem, why)) < 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	server_ctx_free(c);
	return r;
}

struct tls_server_ctx *tls_server_ctx_get(struct tls_server_ctx *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void tls_server_ctx_put(struct tls_server_ctx *c)
{
	if (c == NULL || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	server_ctx_free(c);
}

static int client_trust(struct tls_client_ctx *c, const struct tls_client_opts *o, struct text *why)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c->ssl_ctx);

	if (o->n_pin > TLS_PINS_MAX)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < o->n_pin; i++) {
		if (tls_pin_parse(o->pin[i], &c->pin[i]) < 0) {
			if (why)
				text_fmt(why, "pin not understood: %s", o->pin[i]);
			return ERR_CONFIG;
		}
	}
	c->n_pin = o->n_pin;
	if (o->wants_system_ca && X509_STORE_set_default_paths(store) != 1)
		return ossl_fail(why, ERR_CONFIG, "system trust store not usable");
	if (o->ca_pem.n > 0) {
		if (!store_load(store, o->ca_pem, NULL))
			return ossl_fail(why, ERR_CONFIG, "CA file not usable");
		/* what the user names is trusted as it is, a self-signed server certificate too */
		X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	}
	c->has_ca = o->wants_system_ca || o->ca_pem.n > 0;
	return 0;
}

int tls_client_ctx_new(const struct tls_client_opts *o, struct text *why, struct tls_client_ctx **ret)
{
	struct tls_client_ctx *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	ERR_clear_error();
	if (c == NULL || (c->ssl_ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		goto fail;
	c->refs = 1;
	if (!ctx_settings(c->ssl_ctx, o->min, o->max)) {
		r = ossl_fail(why, ERR_CONFIG, "TLS versions not usable");
		goto fail;
	}
	if ((r = client_trust(c, o, why)) < 0)
		goto fail;
	if (o->cert_pem.n > 0 && (r = ctx_load_identity(c->ssl_ctx, o->cert_pem, o->key_pem, why)) < 0)
		goto fail;
	SSL_CTX_set_verify(c->ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c->ssl_ctx, tls_verify_server, NULL);
	*ret = c;
	return 0;
fail:
	if (c)
		SSL_CTX_free(c->ssl_ctx);
	free(c);
	return r;
}

struct tls_client_ctx *tls_client_ctx_get(struct tls_client_ctx *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void tls_client_ctx_put(struct tls_client_ctx *c)
{
	if (c == NULL || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	SSL_CTX_free(c->ssl_ctx);
	free(c);
}
