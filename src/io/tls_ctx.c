/* Settings shared by connections: keys and trust; suites and versions are in tls_suites.c. */
#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "io/tls_internal.h"

#define CHAIN_MAX   10 /* certificates in one file of ours */
#define CA_FILE_MAX 1000

const char *tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

/* What all contexts have alike. */
static int ctx_new(
        const SSL_METHOD *method, enum tls_version min, enum tls_version max, struct text *why, SSL_CTX **ret)
{
	ERR_clear_error();
	SSL_CTX *c = *ret = SSL_CTX_new(method);
	if (c == NULL)
		return -ENOMEM;
	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                               SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(
	        c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_keylog_callback(c, tls_on_keylog); /* for our own record layer alone, tls_switch.c */
	if (SSL_CTX_set_num_tickets(c, 0) != 1 || !tls_suites_default(c, min, max))
		return ossl_fail(why, ERR_CONFIG, "TLS versions not usable");
	return 0;
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

/* ---- server ---- */

static int server_ctx_setup(struct tls_server_ctx *c, const struct tls_server_opts *o, struct text *why)
{
	int r = ctx_new(TLS_server_method(), o->min, o->max, why, &c->ssl_ctx);

	if (r == 0)
		r = ctx_load_identity(c->ssl_ctx, o->cert_pem, o->key_pem, why);
	if (r == 0)
		r = tls_groups_set(c->ssl_ctx, o, why);
	if (r == 0)
		r = tls_suites_set(c, o, why);
	if (r == 0 && o->client_ca_pem.n > 0)
		r = ctx_ask_client(c->ssl_ctx, o->client_ca_pem, why);
	return r;
}

int tls_server_ctx_new(const struct tls_server_opts *o, struct text *why, struct tls_server_ctx **ret)
{
	struct tls_server_ctx *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->refs = 1;
	int r = server_ctx_setup(c, o, why);
	if (r < 0)
		tls_server_ctx_put(c);
	else
		*ret = c;
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
	SSL_CTX_free(c->ssl_ctx);
	for (size_t i = 0; i < N_ELEM(c->old_suites); i++)
		free(c->old_suites[i]);
	free(c);
}

/* ---- client ---- */

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

static int client_ctx_setup(struct tls_client_ctx *c, const struct tls_client_opts *o, struct text *why)
{
	int r = ctx_new(TLS_client_method(), o->min, o->max, why, &c->ssl_ctx);

	if (r == 0)
		r = client_trust(c, o, why);
	if (r == 0 && o->cert_pem.n > 0)
		r = ctx_load_identity(c->ssl_ctx, o->cert_pem, o->key_pem, why);
	if (r < 0)
		return r;
	SSL_CTX_set_verify(c->ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c->ssl_ctx, tls_verify_server, NULL);
	return 0;
}

int tls_client_ctx_new(const struct tls_client_opts *o, struct text *why, struct tls_client_ctx **ret)
{
	struct tls_client_ctx *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->refs = 1;
	int r = client_ctx_setup(c, o, why);
	if (r < 0)
		tls_client_ctx_put(c);
	else
		*ret = c;
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
