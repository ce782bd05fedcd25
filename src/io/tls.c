#include "io/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "io/tls_internal.h"

#define HOST_MAX_BYTES 253
#define PSK_LABEL      "EXPORTER-openconnect-psk" /* wire-protocol.md 4.3; 24 bytes, no NUL */

static int tls_new(SSL_CTX *c, struct tls **ret)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *bio = NULL;

	ERR_clear_error();
	if (t == NULL || (t->ssl = SSL_new(c)) == NULL || (bio = tls_bio_new(t)) == NULL ||
	        SSL_set_app_data(t->ssl, t) != 1) {
		BIO_free(bio);
		if (t)
			SSL_free(t->ssl);
		free(t);
		return -ENOMEM;
	}
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_msg_callback(t->ssl, tls_on_message);
	SSL_set_msg_callback_arg(t->ssl, t);
	*ret = t;
	return 0;
}

int tls_server_new(struct tls_server_ctx *c, struct tls **ret)
{
	struct tls *t;
	int r = tls_new(c->ssl_ctx, &t);

	if (r < 0)
		return r;
	t->server = tls_server_ctx_get(c);
	SSL_set_accept_state(t->ssl);
	*ret = t;
	return 0;
}

/* What the certificate must say, and SNI (RFC 6066 3: names only, no trailing dot). */
static bool client_expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct ip_addr ip;
	char name[HOST_MAX_BYTES + 1] = "";
	size_t n = strlen(host);

	if (n > 0 && host[n - 1] == '.')
		n--;
	if (n == 0 || n > HOST_MAX_BYTES)
		return false;
	memcpy(name, host, n);
	if (addr_parse(span_of(name, n), &ip) == 0)
		return X509_VERIFY_PARAM_set1_ip(param, ip.b, ip.family == 4 ? 4 : 16) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, n) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

int tls_client_new(struct tls_client_ctx *c, const char *host, struct tls **ret)
{
	struct tls *t;
	int r = tls_new(c->ssl_ctx, &t);

	if (r < 0)
		return r;
	t->client = tls_client_ctx_get(c);
	if (!client_expect_host(t->ssl, host)) {
		tls_free(t);
		return ERR_CONFIG;
	}
	SSL_set_connect_state(t->ssl);
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	tls_fast_free(t->fast);
	tls_secrets_free(t);
	tls_server_ctx_put(t->server);
	tls_client_ctx_put(t->client);
	free(t);
	ERR_clear_error();
}

void tls_set_output(struct tls *t, struct tls_out *o)
{
	t->out = o;
}

int tls_feed(struct tls *t, struct span ciphertext)
{
	if (t->in.n > 0)
		return -EBUSY;
	t->in = ciphertext;
	t->is_in_writable = false;
	return 0;
}

int tls_feed_writable(struct tls *t, uint8_t *p, size_t n)
{
	int r = tls_feed(t, span_of(p, n));

	t->is_in_writable = r == 0;
	return r;
}

size_t tls_unread(const struct tls *t)
{
	return t->in.n;
}

/* After a call that did not succeed: 0 when it only needs more bytes, else the class, with the text kept. */
static int tls_failed(struct tls *t, int ssl_ret, const char *what)
{
	int e = SSL_get_error(t->ssl, ssl_ret);

	if (e == SSL_ERROR_WANT_READ)
		return 0;
	t->is_closed = true;
	t->in.n = 0;
	if (e == SSL_ERROR_ZERO_RETURN)
		return ERR_CLOSED;
	if (t->is_identity_refused) {
		ERR_clear_error();
		return ERR_IDENTITY;
	}
	ossl_reason(t->error, sizeof(t->error), what);
	return ERR_CRYPTO;
}

int tls_handshake(struct tls *t)
{
	if (t->is_closed)
		return ERR_CLOSED;
	if (t->is_up)
		return 0;
	ERR_clear_error();
	int r = SSL_do_handshake(t->ssl);
	if (r != 1) {
		r = tls_failed(t, r, "TLS handshake failed");
		return r == 0 ? ERR_MORE : r;
	}
	/* belt and braces: the verification callback is the only way to here, and it must have said yes */
	if (t->client && !t->is_peer_verified) {
		t->is_closed = true;
		return ERR_IDENTITY;
	}
	t->is_up = true;
	return 0;
}

bool tls_is_up(const struct tls *t)
{
	return t->is_up && !t->is_closed;
}

void tls_go_fast(struct tls *t)
{
	if (!tls_is_up(t) || t->ssl == NULL || SSL_version(t->ssl) != TLS1_3_VERSION)
		return;
	t->wants_fast = true;
	tls_switch(t);
}

bool tls_is_fast(const struct tls *t)
{
	return t->fast != NULL;
}

static int slow_read(struct tls *t, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	if (t->in.n == 0 && SSL_pending(t->ssl) == 0)
		return 0;
	ERR_clear_error();
	int r = SSL_read_ex(t->ssl, buf, cap, &n);
	return r == 1 ? (int)n : tls_failed(t, r, "TLS read failed");
}

static int read_any(struct tls *t, bool is_view, uint8_t *buf, size_t cap, uint8_t **ret)
{
	if (t->is_closed)
		return ERR_CLOSED;
	if (!t->is_up || cap == 0)
		return -EINVAL;
	if (cap > INT32_MAX)
		cap = INT32_MAX;
	if (t->wants_fast)
		tls_switch(t);
	if (t->fast)
		return tls_fast_read(t, is_view, buf, cap, ret);
	*ret = buf;
	return slow_read(t, buf, cap);
}

int tls_read_record(struct tls *t, void *buf, size_t cap)
{
	return read_any(t, false, buf, cap, &(uint8_t *){NULL});
}

int tls_read_view(struct tls *t, uint8_t *buf, size_t cap, uint8_t **ret)
{
	return read_any(t, true, buf, cap, ret);
}

int tls_write(struct tls *t, struct span plaintext)
{
	size_t n = 0;

	if (t->is_closed)
		return ERR_CLOSED;
	if (!t->is_up || t->out == NULL || plaintext.n == 0)
		return -EINVAL;
	if (plaintext.n > TLS_RECORD_MAX)
		return ERR_TOO_LARGE;
	/* twice: a KeyUpdate of ours may go ahead of the record */
	if (t->out->n + plaintext.n + 2 * TLS_OVERHEAD_MAX > t->out->max)
		return -ENOBUFS;
	if (t->wants_fast)
		tls_switch(t);
	if (t->fast)
		return tls_fast_write(t, plaintext);
	ERR_clear_error();
	int r = SSL_write_ex(t->ssl, plaintext.p, plaintext.n, &n);
	if (r == 1 && n == plaintext.n)
		return 0;
	r = tls_failed(t, r, "TLS write failed");
	t->is_closed = true;
	return r == 0 ? ERR_CRYPTO : r;
}

bool tls_has_room(struct tls *t, size_t n)
{
	size_t n_records = n / TLS_RECORD_MAX + 1;

	/* twice: as in tls_write() */
	n += n_records * 2 * TLS_OVERHEAD_MAX;
	return t->out != NULL && n <= t->out->max && t->out->n <= t->out->max - n &&
	       tls_out_reserve(t->out, n) != NULL;
}

void tls_close(struct tls *t)
{
	if (tls_is_up(t) && t->fast) {
		tls_fast_close(t);
	} else if (tls_is_up(t) && t->out) {
		ERR_clear_error();
		SSL_shutdown(t->ssl);
		ERR_clear_error();
	}
	t->is_closed = true;
	t->in.n = 0;
}

int tls_key_update(struct tls *t)
{
	if (!tls_is_up(t))
		return ERR_CLOSED;
	if (t->fast)
		return tls_fast_key_update(t);
	if (SSL_version(t->ssl) != TLS1_3_VERSION)
		return ERR_UNSUPPORTED;
	ERR_clear_error();
	if (SSL_key_update(t->ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(t->ssl) == 1)
		return 0;
	ossl_reason(t->error, sizeof(t->error), "TLS key update failed");
	return ERR_CRYPTO;
}

static bool export_any(struct tls *t, uint8_t *ret, size_t n)
{
	if (t->fast)
		return tls_export(t->fast->tx.suite, t->fast->exporter, PSK_LABEL, ret, n);
	return SSL_export_keying_material(t->ssl, ret, n, PSK_LABEL, strlen(PSK_LABEL), NULL, 0, 0) == 1;
}

int tls_export_psk(struct tls *t, uint8_t ret[static TLS_PSK_BYTES])
{
	uint8_t psk[TLS_PSK_BYTES];

	if (!t->is_up)
		return ERR_CLOSED;
	if (!export_any(t, psk, sizeof(psk))) {
		ossl_reason(t->error, sizeof(t->error), "TLS exporter failed");
		return ERR_CRYPTO;
	}
	memcpy(ret, psk, sizeof(psk));
	explicit_bzero(psk, sizeof(psk));
	return 0;
}

static X509 *peer_cert(const struct tls *t)
{
	return t->fast ? t->fast->peer : SSL_get0_peer_certificate(t->ssl);
}

void tls_info(const struct tls *t, struct tls_info *ret)
{
	X509 *x = peer_cert(t);
	const char *cipher = t->fast ? SSL_CIPHER_get_name(t->fast->cipher) : SSL_get_cipher_name(t->ssl);

	*ret = (struct tls_info){.protocol = t->fast ? "TLSv1.3" : SSL_get_version(t->ssl),
	        .cipher = cipher ? cipher : "",
	        .has_peer_cert = x != NULL,
	        .is_peer_verified = t->is_peer_verified};
	if (x && !ossl_pin(x, ret->peer_pin))
		ret->peer_pin[0] = '\0';
}

size_t tls_n_proposed(const struct tls *t)
{
	STACK_OF(SSL_CIPHER) *all = SSL_get_client_ciphers(t->ssl);
	int n = all ? sk_SSL_CIPHER_num(all) : 0;
	return n > 0 ? (size_t)n : 0;
}

const char *tls_proposed(const struct tls *t, size_t i)
{
	if (i >= tls_n_proposed(t))
		return "";
	return SSL_CIPHER_get_name(sk_SSL_CIPHER_value(SSL_get_client_ciphers(t->ssl), (int)i));
}

const char *tls_error(const struct tls *t)
{
	return t->error;
}
