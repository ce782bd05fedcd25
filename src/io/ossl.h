/* Private to the files of io that speak to OpenSSL. */
#ifndef IO_OSSL_H
#define IO_OSSL_H

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/text.h"
#include "io/tls_cert.h"

/* "what: reason" from OpenSSL's error queue, which is emptied. */
void ossl_reason(char *buf, size_t size, const char *what);
/* The same for a caller's text (may be NULL); returns err for `return ossl_fail(...)`. */
int ossl_fail(struct text *why, int err, const char *what);

/* A read-only memory BIO over PEM text; NULL when empty or out of memory. */
BIO *ossl_pem_bio(struct span pem);
/* The first certificate; NULL: none. The caller frees. */
X509 *ossl_pem_cert(struct span pem);

/* The digest of the certificate's SubjectPublicKeyInfo; false: OpenSSL failed. */
bool ossl_spki_digest(X509 *x, const EVP_MD *md, uint8_t *ret, unsigned ret_size);
bool ossl_pin(X509 *x, char ret[static TLS_PIN_TEXT_MAX]);
bool ossl_sha1_hex(X509 *x, char ret[static TLS_SHA1_TEXT_MAX]);
/* Any type with a PEM writer, into text; the BIO's memory is wiped by OpenSSL when freed. */
int ossl_cert_pem(X509 *x, struct text *ret);

#endif
