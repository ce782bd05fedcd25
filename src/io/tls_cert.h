/* Certificates as the project needs them: make a self-signed one, name one by its pin or hash. */
#ifndef IO_TLS_CERT_H
#define IO_TLS_CERT_H

#include "base/addr.h"
#include "base/err.h"
#include "base/text.h"

#define TLS_PIN_TEXT_MAX  56 /* "pin-sha256:" + 44 base64 digits + NUL */
#define TLS_SHA1_TEXT_MAX 41 /* 40 upper-case hex digits + NUL */

struct tls_selfsigned {
	const char *common_name;     /* at most 64 bytes */
	const char *const *dns_name; /* SAN; the common name is not added by itself */
	size_t n_dns_name;
	const struct ip_addr *ip; /* SAN */
	size_t n_ip;
	int64_t now_s;       /* Unix time: the validity starts one day earlier */
	uint32_t valid_days; /* 1..36500 */
};

/* A new ECDSA P-256 key and a certificate for it, both as PEM (the key PKCS#8, unencrypted; wipe it with
 * tls_pem_wipe()). ERR_CONFIG: a name does not fit; ERR_CRYPTO. */
MUST_USE int tls_selfsigned_make(
        const struct tls_selfsigned *want, struct text *ret_cert, struct text *ret_key);
/* Overwrites and frees a text that holds a key. */
void tls_pem_wipe(struct text *t);

/* "pin-sha256:BASE64" of the SubjectPublicKeyInfo of the first certificate in the PEM (it survives a renewal
 * with the same key). ERR_MALFORMED: no certificate in there. */
MUST_USE int tls_cert_pin(struct span cert_pem, char ret[static TLS_PIN_TEXT_MAX]);
/* From when until when the first certificate in the PEM is valid, Unix time. ERR_MALFORMED. */
MUST_USE int tls_cert_validity(struct span cert_pem, int64_t *ret_from_s, int64_t *ret_until_s);
/* SHA-1 over the whole certificate (DER), upper-case hex: server-cert-hash of the authentication reply and
 * the "sh:" of the webvpnc cookie. */
MUST_USE int tls_cert_sha1_hex(struct span cert_pem, char ret[static TLS_SHA1_TEXT_MAX]);

#endif
