/* Who is the peer: pins, chain and name. Every answer of OpenSSL is compared with == 1: its functions return
 * negative values for internal errors, which must not count as "accepted" (CVE-2020-12105 was that mistake).
 */
#include <ctype.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "io/tls_internal.h"

#define PIN_DIGITS_MIN 4

static const struct {
	const char *prefix;
	size_t digits_min, digits_max;
	enum tls_pin_kind kind;
	bool is_hex;
} pin_forms[] = {
        {"pin-sha256:", PIN_DIGITS_MIN, 44, PIN_SPKI_SHA256_B64, false},
        {"sha256:", PIN_DIGITS_MIN, 64, PIN_SPKI_SHA256_HEX, true},
        {"sha1:", PIN_DIGITS_MIN, 40, PIN_SPKI_SHA1_HEX, true},
        {"", 40, 40, PIN_CERT_SHA1_HEX, true},
};

static bool base64_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

int tls_pin_parse(const char *text, struct tls_pin *ret)
{
	struct span all = span_str(text);
	size_t form = 0;

	while (!span_starts(all, pin_forms[form].prefix))
		form++; /* the last one fits all */
	struct span digits = span_skip(all, strlen(pin_forms[form].prefix));
	if (digits.n < pin_forms[form].digits_min || digits.n > pin_forms[form].digits_max)
		return ERR_CONFIG;
	struct tls_pin pin = {.kind = pin_forms[form].kind};
	for (size_t i = 0; i < digits.n; i++) {
		char c = (char)digits.p[i];
		if (pin_forms[form].is_hex ? !isxdigit((unsigned char)c) : !base64_char(c))
			return ERR_CONFIG;
		pin.digits[i] = pin_forms[form].is_hex ? (char)toupper((unsigned char)c) : c;
	}
	*ret = pin;
	return 0;
}

static bool hex_upper(const uint8_t *md, size_t n, char *ret)
{
	for (size_t i = 0; i < n; i++)
		snprintf(ret + 2 * i, 3, "%02X", md[i]);
	return true;
}

static bool pin_text(enum tls_pin_kind kind, X509 *x, char ret[static 65])
{
	char pin[TLS_PIN_TEXT_MAX];
	uint8_t md[32];

	switch (kind) {
	case PIN_SPKI_SHA256_B64:
		if (!ossl_pin(x, pin))
			return false;
		memcpy(ret, pin + strlen("pin-sha256:"), 45);
		return true;
	case PIN_SPKI_SHA256_HEX:
		return ossl_spki_digest(x, EVP_sha256(), md, 32) && hex_upper(md, 32, ret);
	case PIN_SPKI_SHA1_HEX:
		return ossl_spki_digest(x, EVP_sha1(), md, 20) && hex_upper(md, 20, ret);
	case PIN_CERT_SHA1_HEX:
		return ossl_sha1_hex(x, ret);
	}
	return false;
}

static bool pin_matches(const struct tls_pin *pin, X509 *x)
{
	char have[65];

	return pin_text(pin->kind, x, have) && strncmp(have, pin->digits, strlen(pin->digits)) == 0;
}

static struct tls *chain_owner(X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	return ssl ? SSL_get_app_data(ssl) : NULL;
}

static void identity_text(struct tls *t, X509 *leaf, const char *reason)
{
	char pin[TLS_PIN_TEXT_MAX] = "(unknown)";

	if (leaf && !ossl_pin(leaf, pin))
		memcpy(pin, "(unknown)", 10);
	if (t->client->n_pin > 0)
		snprintf(t->error, sizeof(t->error),
		        "none of the pins matches: its key is %s; ask who runs the gateway, it may be "
		        "somebody else "
		        "who answers",
		        pin);
	else
		snprintf(t->error, sizeof(t->error),
		        "server certificate not accepted: %s; to trust exactly this key: --pin %s", reason,
		        pin);
}

int tls_verify_server(X509_STORE_CTX *chain, void *unused)
{
	struct tls *t = chain_owner(chain);
	X509 *leaf = X509_STORE_CTX_get0_cert(chain);
	const char *reason = "none of the pins matches";

	(void)unused;
	if (t == NULL || t->client == NULL || leaf == NULL)
		return 0;
	for (size_t i = 0; i < t->client->n_pin; i++) {
		if (pin_matches(&t->client->pin[i], leaf)) {
			X509_STORE_CTX_set_error(chain, X509_V_OK);
			t->is_peer_verified = true;
			return 1;
		}
	}
	if (t->client->has_ca) {
		if (X509_verify_cert(chain) == 1 && X509_STORE_CTX_get_error(chain) == X509_V_OK) {
			t->is_peer_verified = true;
			return 1;
		}
		reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
	}
	if (X509_STORE_CTX_get_error(chain) == X509_V_OK)
		X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
	t->is_identity_refused = true;
	identity_text(t, leaf, reason);
	return 0;
}

/* A client with an unusable certificate may still have a password: the decision is the authentication's. */
int tls_verify_client(X509_STORE_CTX *chain, void *unused)
{
	struct tls *t = chain_owner(chain);

	(void)unused;
	if (t == NULL)
		return 0;
	t->is_peer_verified = X509_verify_cert(chain) == 1 && X509_STORE_CTX_get_error(chain) == X509_V_OK;
	X509_STORE_CTX_set_error(chain, X509_V_OK);
	return 1;
}
