#include "io/ossl.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

void ossl_reason(char *buf, size_t size, const char *what)
{
	/* the first entry names the cause, later ones the way up */
	unsigned long e = ERR_get_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	if (e != 0 && reason == NULL && ERR_SYSTEM_ERROR(e))
		reason = strerror(ERR_GET_REASON(e));
	snprintf(buf, size, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
}

int ossl_fail(struct text *why, int err, const char *what)
{
	char buf[160];

	ossl_reason(buf, sizeof(buf), what);
	if (why)
		text_str(why, buf);
	return err;
}

BIO *ossl_pem_bio(struct span pem)
{
	return pem.n == 0 || pem.n > INT32_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
}

X509 *ossl_pem_cert(struct span pem)
{
	BIO *in = ossl_pem_bio(pem);
	X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	BIO_free(in);
	ERR_clear_error();
	return x;
}

bool ossl_spki_digest(X509 *x, const EVP_MD *md, uint8_t *ret, unsigned ret_size)
{
	uint8_t *der = NULL;
	unsigned n = 0;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok = len > 0 && (unsigned)EVP_MD_get_size(md) == ret_size &&
	          EVP_Digest(der, (size_t)len, ret, &n, md, NULL) == 1;

	OPENSSL_free(der);
	return ok;
}

bool ossl_pin(X509 *x, char ret[static TLS_PIN_TEXT_MAX])
{
	static const char prefix[] = "pin-sha256:";
	uint8_t md[32];

	if (!ossl_spki_digest(x, EVP_sha256(), md, sizeof(md)))
		return false;
	memcpy(ret, prefix, sizeof(prefix) - 1);
	EVP_EncodeBlock((uint8_t *)ret + sizeof(prefix) - 1, md, sizeof(md)); /* 44 digits and NUL */
	return true;
}

bool ossl_sha1_hex(X509 *x, char ret[static TLS_SHA1_TEXT_MAX])
{
	static const char digit[] = "0123456789ABCDEF";
	uint8_t md[20];
	unsigned n = 0;

	if (X509_digest(x, EVP_sha1(), md, &n) != 1 || n != sizeof(md))
		return false;
	for (size_t i = 0; i < sizeof(md); i++) {
		ret[2 * i] = digit[md[i] >> 4];
		ret[2 * i + 1] = digit[md[i] & 15];
	}
	ret[40] = '\0';
	return true;
}

int ossl_cert_pem(X509 *x, struct text *ret)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *p = NULL;
	int r = ERR_CRYPTO;

	if (mem && PEM_write_bio_X509(mem, x) == 1) {
		long n = BIO_get_mem_data(mem, &p);
		text_put(ret, span_of(p, (size_t)n));
		r = text_ok(ret) ? 0 : -ENOMEM;
	}
	BIO_free(mem);
	return r;
}
