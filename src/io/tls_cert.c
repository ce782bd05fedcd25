#include "io/tls_cert.h"

#include <errno.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "io/ossl.h"

#define CN_MAX_BYTES   64  /* ub-common-name, RFC 5280 appendix A */
#define DNS_MAX_BYTES  253 /* RFC 1035 */
#define DAY_S          86400
#define VALID_DAYS_MAX 36500

static bool san_push(GENERAL_NAMES *names, int type, const void *p, size_t n)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *s = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();

	if (g == NULL || s == NULL || ASN1_STRING_set(s, p, (int)n) != 1) {
		GENERAL_NAME_free(g);
		ASN1_STRING_free(s);
		return false;
	}
	GENERAL_NAME_set0_value(g, type, s);
	if (sk_GENERAL_NAME_push(names, g) > 0)
		return true;
	GENERAL_NAME_free(g);
	return false;
}

/* Built from values, not from OpenSSL's "DNS:x,IP:y" text: a name cannot smuggle another one in. */
static bool san_add(X509 *x, const struct tls_selfsigned *w)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	bool ok = names != NULL;

	for (size_t i = 0; ok && i < w->n_dns_name; i++)
		ok = san_push(names, GEN_DNS, w->dns_name[i], strlen(w->dns_name[i]));
	for (size_t i = 0; ok && i < w->n_ip; i++)
		ok = san_push(names, GEN_IPADD, w->ip[i].b, w->ip[i].family == 4 ? 4 : 16);
	if (ok && sk_GENERAL_NAME_num(names) > 0)
		ok = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(names);
	return ok;
}

static bool ext_add(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool serial_set(X509 *x)
{
	uint64_t serial = 0;

	if (RAND_bytes((uint8_t *)&serial, sizeof(serial)) != 1)
		return false;
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), (serial >> 1) | 1) == 1;
}

static bool cert_fill(X509 *x, EVP_PKEY *key, const struct tls_selfsigned *w)
{
	X509_NAME *name = X509_get_subject_name(x);
	time_t from = (time_t)(w->now_s - DAY_S);
	time_t to = (time_t)(w->now_s + (int64_t)w->valid_days * DAY_S);

	return X509_set_version(x, X509_VERSION_3) == 1 && serial_set(x) &&
	       ASN1_TIME_set(X509_getm_notBefore(x), from) && ASN1_TIME_set(X509_getm_notAfter(x), to) &&
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
	               (const uint8_t *)w->common_name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
	       ext_add(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       ext_add(x, NID_key_usage, "critical,digitalSignature") &&
	       ext_add(x, NID_ext_key_usage, "serverAuth") &&
	       ext_add(x, NID_subject_key_identifier, "hash") && san_add(x, w) &&
	       X509_sign(x, key, EVP_sha256()) > 0;
}

static bool dns_name_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > DNS_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] <= ' ' || s[i] >= 127)
			return false;
	}
	return true;
}

static bool selfsigned_ok(const struct tls_selfsigned *w)
{
	size_t n = w->common_name ? strlen(w->common_name) : 0;

	if (n == 0 || n > CN_MAX_BYTES || w->valid_days == 0 || w->valid_days > VALID_DAYS_MAX)
		return false;
	for (size_t i = 0; i < w->n_dns_name; i++) {
		if (!dns_name_ok(w->dns_name[i]))
			return false;
	}
	for (size_t i = 0; i < w->n_ip; i++) {
		if (!addr_is_set(&w->ip[i]))
			return false;
	}
	return true;
}

static int key_pem(EVP_PKEY *key, struct text *ret)
{
	BIO *mem = BIO_new(BIO_s_secmem());
	char *p = NULL;
	int r = ERR_CRYPTO;

	if (mem && PEM_write_bio_PKCS8PrivateKey(mem, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long n = BIO_get_mem_data(mem, &p);
		text_put(ret, span_of(p, (size_t)n));
		r = text_ok(ret) ? 0 : -ENOMEM;
	}
	BIO_free(mem);
	return r;
}

int tls_selfsigned_make(const struct tls_selfsigned *want, struct text *ret_cert, struct text *ret_key)
{
	struct text cert = {0}, secret = {0};
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	int r = ERR_CONFIG;

	if (!selfsigned_ok(want))
		return r;
	r = ERR_CRYPTO;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	if (key == NULL || x == NULL || !cert_fill(x, key, want))
		goto out;
	if ((r = ossl_cert_pem(x, &cert)) < 0 || (r = key_pem(key, &secret)) < 0)
		goto out;
	*ret_cert = cert;
	*ret_key = secret;
	cert = secret = (struct text){0};
out:
	text_done(&cert);
	tls_pem_wipe(&secret);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return r;
}

void tls_pem_wipe(struct text *t)
{
	if (t->p)
		explicit_bzero(t->p, t->cap);
	text_done(t);
}

int tls_cert_pin(struct span cert_pem, char ret[static TLS_PIN_TEXT_MAX])
{
	X509 *x = ossl_pem_cert(cert_pem);
	int r = x == NULL ? ERR_MALFORMED : ossl_pin(x, ret) ? 0 : ERR_CRYPTO;

	X509_free(x);
	return r;
}

int tls_cert_sha1_hex(struct span cert_pem, char ret[static TLS_SHA1_TEXT_MAX])
{
	X509 *x = ossl_pem_cert(cert_pem);
	int r = x == NULL ? ERR_MALFORMED : ossl_sha1_hex(x, ret) ? 0 : ERR_CRYPTO;

	X509_free(x);
	return r;
}

static bool unix_time(const ASN1_TIME *t, int64_t *ret_s)
{
	struct tm tm = {0};
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret_s = timegm(&tm);
	return true;
}

int tls_cert_validity(struct span cert_pem, int64_t *ret_from_s, int64_t *ret_until_s)
{
	X509 *x = ossl_pem_cert(cert_pem);
	bool is_good = x != NULL && unix_time(X509_get0_notBefore(x), ret_from_s) &&
	               unix_time(X509_get0_notAfter(x), ret_until_s);
	X509_free(x);
	return is_good ? 0 : ERR_MALFORMED;
}
