/* The four ways to begin an association. What works with which peer was measured: datapath.md section 6. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "io/dtls_internal.h"

#define PSK_SUITES      "PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256"
#define PSK_IDENTITY    "psk" /* wire-protocol.md 4.3 */
#define SESSION_LIFE_S  (365L * 86400)
#define MTU_DEFAULT     1200
#define CIPHER_NAME_MAX 64
#define CIPHER_LIST_MAX 256

static const uint8_t sid_context[] = "culvert";

static unsigned psk_for_client(SSL *ssl, const char *identity, unsigned char *psk, unsigned psk_max)
{
	struct dtls *d = SSL_get_app_data(ssl);

	(void)identity; /* the ClientHello's id named the session already */
	if (d == NULL || !d->has_psk || psk_max < sizeof(d->psk))
		return 0;
	memcpy(psk, d->psk, sizeof(d->psk));
	return sizeof(d->psk);
}

static unsigned psk_for_server(SSL *ssl, const char *hint, char *identity, unsigned identity_max,
        unsigned char *psk, unsigned psk_max)
{
	struct dtls *d = SSL_get_app_data(ssl);

	(void)hint;
	if (d == NULL || !d->has_psk || psk_max < sizeof(d->psk) || identity_max < sizeof(PSK_IDENTITY))
		return 0;
	memcpy(identity, PSK_IDENTITY, sizeof(PSK_IDENTITY));
	memcpy(psk, d->psk, sizeof(d->psk));
	return sizeof(d->psk);
}

/* The server's "cache": the one session that this association may resume. */
static SSL_SESSION *session_find(SSL *ssl, const unsigned char *id, int n, int *ret_copy)
{
	struct dtls *d = SSL_get_app_data(ssl);
	unsigned want_n = 0;

	if (d == NULL || d->resume == NULL || n < 0)
		return NULL;
	const uint8_t *want = SSL_SESSION_get_id(d->resume, &want_n);
	*ret_copy = 1;
	return span_eq(span_of(id, (size_t)n), span_of(want, want_n)) ? d->resume : NULL;
}

int dtls_ctx_new(struct dtls_ctx **ret)
{
	struct dtls_ctx *c = calloc(1, sizeof(*c));

	ERR_clear_error();
	if (c == NULL || (c->ssl_ctx = SSL_CTX_new(DTLS_method())) == NULL) {
		free(c);
		return -ENOMEM;
	}
	SSL_CTX_set_options(c->ssl_ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                        SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE |
	                                        SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(c->ssl_ctx, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_get_cb(c->ssl_ctx, session_find);
	if (SSL_CTX_set_min_proto_version(c->ssl_ctx, DTLS1_2_VERSION) != 1 ||
	        SSL_CTX_set_max_proto_version(c->ssl_ctx, DTLS1_2_VERSION) != 1 ||
	        SSL_CTX_set_session_id_context(c->ssl_ctx, sid_context, sizeof(sid_context)) != 1) {
		dtls_ctx_free(c);
		return ERR_CRYPTO;
	}
	*ret = c;
	return 0;
}

void dtls_ctx_free(struct dtls_ctx *c)
{
	if (c)
		SSL_CTX_free(c->ssl_ctx); /* the SSL objects made from it have references of their own */
	free(c);
}

static int dtls_make(struct dtls_ctx *c, bool is_server, struct dtls **ret)
{
	struct dtls *d = calloc(1, sizeof(*d));
	BIO *bio = NULL;

	ERR_clear_error();
	if (d == NULL || (d->ssl = SSL_new(c->ssl_ctx)) == NULL || (bio = dtls_bio_new(d)) == NULL ||
	        SSL_set_app_data(d->ssl, d) != 1) {
		BIO_free(bio);
		if (d)
			SSL_free(d->ssl);
		free(d);
		return -ENOMEM;
	}
	SSL_set_bio(d->ssl, bio, bio);
	d->is_server = is_server;
	dtls_set_mtu(d, MTU_DEFAULT);
	if (is_server)
		SSL_set_accept_state(d->ssl);
	else
		SSL_set_connect_state(d->ssl);
	*ret = d;
	return 0;
}

void dtls_free(struct dtls *d)
{
	if (d == NULL)
		return;
	SSL_free(d->ssl);
	SSL_SESSION_free(d->resume);
	dtls_record_free(d->record);
	dtls_flight_reset(d);
	dtls_early_reset(d);
	explicit_bzero(d, sizeof(*d));
	free(d);
	ERR_clear_error();
}

static const SSL_CIPHER *cipher_find(SSL *ssl, const char *name)
{
	STACK_OF(SSL_CIPHER) *all = SSL_get_ciphers(ssl);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
		if (strcmp(SSL_CIPHER_get_name(c), name) == 0)
			return c;
	}
	return NULL;
}

/* Only this suite; a name, never an expression of the cipher list language. */
static int cipher_set(struct dtls *d, const char *name, const SSL_CIPHER **ret)
{
	size_t n = strlen(name);

	if (n == 0 || n > CIPHER_NAME_MAX || strpbrk(name, ":,@!+ ") != NULL)
		return ERR_UNSUPPORTED;
	/* old suites that a peer names stay possible where the policy above allowed to agree on them */
	SSL_set_security_level(d->ssl, 0);
	const SSL_CIPHER *c = SSL_set_cipher_list(d->ssl, name) == 1 ? cipher_find(d->ssl, name) : NULL;
	ERR_clear_error();
	if (c == NULL)
		return ERR_UNSUPPORTED;
	*ret = c;
	return 0;
}

/* A session that was agreed by other means: HTTPS headers, or (PSK) none at all, only to carry the id. */
static SSL_SESSION *session_make(struct span id, const uint8_t *master, const SSL_CIPHER *cipher)
{
	SSL_SESSION *s = SSL_SESSION_new();

	if (s == NULL || SSL_SESSION_set1_id(s, id.p, (unsigned)id.n) != 1 ||
	        SSL_SESSION_set1_id_context(s, sid_context, sizeof(sid_context)) != 1 ||
	        SSL_SESSION_set1_master_key(s, master, DTLS_MASTER_BYTES) != 1 ||
	        SSL_SESSION_set_cipher(s, cipher) != 1 ||
	        SSL_SESSION_set_protocol_version(s, DTLS1_2_VERSION) != 1) {
		SSL_SESSION_free(s);
		return NULL;
	}
	SSL_SESSION_set_time(s, (long)time(NULL));
	SSL_SESSION_set_timeout(s, SESSION_LIFE_S);
	return s;
}

/* Only these suites, all of them PSK; *ret is the first. */
static int psk_ciphers_set(struct dtls *d, const char *list, const SSL_CIPHER **ret)
{
	char first[CIPHER_NAME_MAX + 1];
	size_t n = strlen(list);

	if (n == 0 || n > CIPHER_LIST_MAX)
		return ERR_UNSUPPORTED;
	for (struct span rest = span_of(list, n); rest.n > 0;) {
		struct span name = span_cut(&rest, ':');
		if (name.n < 4 || name.n > CIPHER_NAME_MAX || memcmp(name.p, "PSK-", 4) != 0 ||
		        memchr(name.p, ',', name.n) || memchr(name.p, ' ', name.n) ||
		        memchr(name.p, '+', name.n))
			return ERR_UNSUPPORTED;
	}
	(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(list, ":"), list);
	*ret = SSL_set_cipher_list(d->ssl, list) == 1 ? cipher_find(d->ssl, first) : NULL;
	ERR_clear_error();
	return *ret ? 0 : ERR_UNSUPPORTED;
}

static int psk_setup(struct dtls *d, const uint8_t *psk, const char *ciphers, const SSL_CIPHER **ret)
{
	memcpy(d->psk, psk, sizeof(d->psk));
	d->has_psk = true;
	if (d->is_server)
		SSL_set_psk_server_callback(d->ssl, psk_for_client);
	else
		SSL_set_psk_client_callback(d->ssl, psk_for_server);
	if (ciphers)
		return psk_ciphers_set(d, ciphers, ret);
	if (SSL_set_cipher_list(d->ssl, PSK_SUITES) != 1)
		return ERR_CRYPTO;
	*ret = cipher_find(d->ssl, "PSK-AES256-GCM-SHA384");
	return *ret ? 0 : ERR_CRYPTO;
}

static bool id_ok(struct span id)
{
	return id.n >= 1 && id.n <= DTLS_ID_MAX;
}

/* The end of each of the four: the association is given out, or gone. */
static int dtls_made(struct dtls *d, int r, struct dtls **ret)
{
	if (r < 0)
		dtls_free(d);
	else
		*ret = d;
	return r;
}

int dtls_server_new_psk(
        struct dtls_ctx *c, const uint8_t psk[static DTLS_PSK_BYTES], const char *ciphers, struct dtls **ret)
{
	const SSL_CIPHER *suite;
	struct dtls *d;
	int r = dtls_make(c, true, &d);

	return r < 0 ? r : dtls_made(d, psk_setup(d, psk, ciphers, &suite), ret);
}

/* A session that is offered for its id alone. A server that "resumes" it instead of the full handshake must
 * not find a known key. */
static int label_set(struct dtls *d, struct span app_id, const SSL_CIPHER *suite)
{
	uint8_t nobody_knows[DTLS_MASTER_BYTES];

	if (RAND_bytes(nobody_knows, sizeof(nobody_knows)) != 1)
		return ERR_CRYPTO;
	SSL_SESSION *label = session_make(app_id, nobody_knows, suite);
	int r = label != NULL && SSL_set_session(d->ssl, label) == 1 ? 0 : ERR_CRYPTO;
	SSL_SESSION_free(label);
	return r;
}

int dtls_client_new_psk(struct dtls_ctx *c, struct span app_id, const uint8_t psk[static DTLS_PSK_BYTES],
        const char *cipher, struct dtls **ret)
{
	const SSL_CIPHER *suite;
	struct dtls *d;

	if (!id_ok(app_id))
		return -EINVAL;
	int r = dtls_make(c, false, &d);
	if (r < 0)
		return r;
	r = psk_setup(d, psk, cipher, &suite);
	if (r == 0)
		r = label_set(d, app_id, suite);
	return dtls_made(d, r, ret);
}

/* Sessions of the HTTPS headers know no extended master secret; with it OpenSSL would silently fall back to a
 * full handshake (RFC 7627 5.3), so neither side may offer it. */
static int resume_setup(
        struct dtls *d, struct span id, const uint8_t *master, const char *cipher, SSL_SESSION **ret)
{
	const SSL_CIPHER *suite;
	int r = cipher_set(d, cipher, &suite);

	if (r < 0)
		return r;
	d->is_resume = true;
	/* MAC before encryption, as peers of the ASA have it: the announced MTU must not depend on whether a
	 * client offers the other way (RFC 7366), which takes up to 16 bytes more */
	SSL_set_options(d->ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_NO_ENCRYPT_THEN_MAC);
	SSL_SESSION *s = session_make(id, master, suite);
	if (s == NULL)
		return ERR_CRYPTO;
	*ret = s;
	return 0;
}

int dtls_server_new_resume(struct dtls_ctx *c, struct span id, const uint8_t master[static DTLS_MASTER_BYTES],
        const char *cipher, struct dtls **ret)
{
	struct dtls *d;

	if (!id_ok(id))
		return -EINVAL;
	int r = dtls_make(c, true, &d);
	return r < 0 ? r : dtls_made(d, resume_setup(d, id, master, cipher, &d->resume), ret);
}

int dtls_use_v1_0(struct dtls *d)
{
	SSL_SESSION *s = d->resume ? d->resume : SSL_get_session(d->ssl);
	const SSL_CIPHER *c = s ? SSL_SESSION_get0_cipher(s) : NULL;

	if (!d->is_resume || c == NULL || SSL_CIPHER_is_aead(c) || SSL_CIPHER_get_digest_nid(c) != NID_sha1)
		return ERR_UNSUPPORTED;
	if (SSL_set_min_proto_version(d->ssl, DTLS1_VERSION) != 1 ||
	        SSL_set_max_proto_version(d->ssl, DTLS1_VERSION) != 1 ||
	        SSL_SESSION_set_protocol_version(s, DTLS1_VERSION) != 1)
		return ERR_CRYPTO;
	return 0;
}

/* A certificate means a full handshake, which nobody asked for and whose server nobody would know. */
static int refuse_certificate(int ok, X509_STORE_CTX *chain)
{
	(void)ok, (void)chain;
	return 0;
}

int dtls_client_new_resume(struct dtls_ctx *c, struct span id, const uint8_t master[static DTLS_MASTER_BYTES],
        const char *cipher, struct dtls **ret)
{
	SSL_SESSION *s = NULL;
	struct dtls *d;

	if (!id_ok(id))
		return -EINVAL;
	int r = dtls_make(c, false, &d);
	if (r < 0)
		return r;
	SSL_set_verify(d->ssl, SSL_VERIFY_PEER, refuse_certificate);
	r = resume_setup(d, id, master, cipher, &s);
	if (r == 0 && SSL_set_session(d->ssl, s) != 1)
		r = ERR_CRYPTO;
	SSL_SESSION_free(s);
	return dtls_made(d, r, ret);
}
