#include "io/dtls.h"

#include <errno.h>
#include <sys/time.h>

#include <openssl/err.h>

#include "base/rd.h"
#include "io/dtls_internal.h"

#define RECORD_HEADER_BYTES 13
#define AEAD_TAG_BYTES      16
#define GCM_NONCE_BYTES     8 /* explicit part, RFC 5288 3 */
#define CBC_BLOCK_BYTES     16
#define MTU_MIN_BYTES       256
#define TIMEOUT_MAX_US      (60u * 1000000)

void dtls_set_output(struct dtls *d, struct dtls_out *o)
{
	d->out = o;
}

void dtls_set_mtu(struct dtls *d, size_t payload_bytes)
{
	if (payload_bytes < MTU_MIN_BYTES)
		payload_bytes = MTU_MIN_BYTES;
	if (payload_bytes > DTLS_PLAIN_MAX)
		payload_bytes = DTLS_PLAIN_MAX;
	d->mtu = payload_bytes;
	SSL_set_mtu(d->ssl, (long)payload_bytes);
}

static unsigned timeout_next_us(SSL *ssl, unsigned last_us)
{
	struct dtls *d = SSL_get_app_data(ssl);

	if (last_us == 0)
		return d->first_timeout_ms * 1000;
	return last_us > TIMEOUT_MAX_US / 2 ? TIMEOUT_MAX_US : last_us * 2;
}

void dtls_set_first_timeout_ms(struct dtls *d, uint32_t ms)
{
	d->first_timeout_ms = ms > TIMEOUT_MAX_US / 1000 ? TIMEOUT_MAX_US / 1000 : ms;
	DTLS_set_timer_cb(d->ssl, timeout_next_us);
}

/* The shortest encrypted record body that the suite can make. */
static size_t record_min_bytes(const struct dtls *d)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(d->ssl);
	if (c == NULL)
		c = SSL_get_pending_cipher(d->ssl);
	if (c == NULL || SSL_CIPHER_get_cipher_nid(c) == NID_chacha20_poly1305)
		return AEAD_TAG_BYTES;
	if (SSL_CIPHER_is_aead(c))
		return GCM_NONCE_BYTES + AEAD_TAG_BYTES;
	/* IV, then MAC and padding in whole blocks (RFC 5246 6.2.3.2) */
	const EVP_MD *md = EVP_get_digestbynid(SSL_CIPHER_get_digest_nid(c));
	size_t mac = md ? (size_t)EVP_MD_get_size(md) : 0;
	return CBC_BLOCK_BYTES + (mac + CBC_BLOCK_BYTES) / CBC_BLOCK_BYTES * CBC_BLOCK_BYTES;
}

/* OpenSSL before 3.0.22 takes a record that is too short to be decrypted as a fatal error of the association,
 * which would let any stranger who can forge the peer's address end it. */
static bool has_short_record(const struct dtls *d, struct span datagram)
{
	struct rd r = rd_open(datagram);
	size_t min = record_min_bytes(d);
	while (r.rest.n > 0) {
		rd_u24(&r); /* type and version */
		uint16_t epoch = rd_u16(&r);
		rd_u48(&r);
		struct span body = rd_span(&r, rd_u16(&r));
		if (!rd_ok(&r))
			return false; /* the cut end of a datagram is dropped by OpenSSL */
		if (epoch > 0 && body.n < min)
			return true;
	}
	return false;
}

void dtls_feed(struct dtls *d, struct span datagram)
{
	bool is_record = datagram.n >= RECORD_HEADER_BYTES && datagram.p[0] >= 20 && datagram.p[0] <= 23 &&
	                 datagram.p[1] == 0xfe;

	if (is_record && !d->is_closed && !has_short_record(d, datagram))
		d->in = datagram;
}

/* What an error of the handshake means to the caller. */
static int handshake_class(const struct dtls *d, int reason)
{
	if (reason == SSL_R_READ_TIMEOUT_EXPIRED)
		return ERR_TIMEOUT;
	if (d->is_resume && !d->is_server)
		return ERR_PEER_PROTOCOL;
	switch (reason) {
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		return ERR_REFUSED;
	case SSL_R_UNSUPPORTED_PROTOCOL:
		return ERR_UNSUPPORTED;
	default:
		return ERR_CRYPTO;
	}
}

/* 0: only needs more datagrams; else the class, with the text kept. */
static int dtls_failed(struct dtls *d, int ssl_ret, const char *what)
{
	int e = SSL_get_error(d->ssl, ssl_ret);

	if (e == SSL_ERROR_WANT_READ)
		return 0;
	d->is_closed = true;
	d->in.n = 0;
	if (e == SSL_ERROR_ZERO_RETURN)
		return ERR_CLOSED;
	int reason = ERR_GET_REASON(ERR_peek_error());
	ossl_reason(d->error, sizeof(d->error), what);
	return d->is_up ? ERR_CLOSED : handshake_class(d, reason);
}

int dtls_handshake(struct dtls *d)
{
	if (d->is_closed)
		return ERR_CLOSED;
	if (d->is_up)
		return 0;
	ERR_clear_error();
	int r = SSL_do_handshake(d->ssl);
	if (r != 1) {
		r = dtls_failed(d, r,
		        d->is_resume && !d->is_server ? "server does not resume the DTLS session"
		                                      : "DTLS handshake failed");
		return r == 0 ? ERR_MORE : r;
	}
	if (d->is_resume != (SSL_session_reused(d->ssl) == 1)) {
		d->is_closed = true;
		ossl_reason(d->error, sizeof(d->error),
		        d->is_resume ? "peer did not resume the DTLS session"
		                     : "peer resumed what is only a label");
		return ERR_PEER_PROTOCOL;
	}
	explicit_bzero(d->psk, sizeof(d->psk));
	d->has_psk = false;
	d->is_up = true;
	return 0;
}

bool dtls_is_up(const struct dtls *d)
{
	return d->is_up && !d->is_closed;
}

int dtls_read(struct dtls *d, void *buf, size_t cap)
{
	size_t n = 0;

	if (d->is_closed)
		return ERR_CLOSED;
	if (!d->is_up || cap == 0)
		return -EINVAL;
	ERR_clear_error();
	int r = SSL_read_ex(d->ssl, buf, cap > INT32_MAX ? INT32_MAX : cap, &n);
	return r == 1 ? (int)n : dtls_failed(d, r, "DTLS read failed");
}

int dtls_write(struct dtls *d, struct span plaintext)
{
	size_t n = 0;

	if (d->is_closed)
		return ERR_CLOSED;
	if (!d->is_up || d->out == NULL || plaintext.n == 0)
		return -EINVAL;
	if (plaintext.n > DTLS_PLAIN_MAX)
		return ERR_TOO_LARGE;
	if (d->out->n_dgram >= d->out->cap_dgram || plaintext.n + DTLS_OVERHEAD_MAX > d->out->cap - d->out->n)
		return -ENOBUFS;
	ERR_clear_error();
	int r = SSL_write_ex(d->ssl, plaintext.p, plaintext.n, &n);
	if (r == 1 && n == plaintext.n)
		return 0;
	r = dtls_failed(d, r, "DTLS write failed");
	d->is_closed = true;
	return r == 0 ? ERR_CRYPTO : r;
}

void dtls_close(struct dtls *d)
{
	if (dtls_is_up(d) && d->out) {
		ERR_clear_error();
		SSL_shutdown(d->ssl);
		ERR_clear_error();
	}
	d->is_closed = true;
	d->in.n = 0;
}

ms_t dtls_timeout_due_ms(struct dtls *d, ms_t now_ms)
{
	struct timeval left;

	if (d->is_closed || DTLSv1_get_timeout(d->ssl, &left) != 1)
		return MS_NEVER;
	/* rounded up: waking early would find nothing due */
	return ms_add(now_ms, (ms_t)left.tv_sec * 1000 + (ms_t)(left.tv_usec + 999) / 1000);
}

int dtls_on_timeout(struct dtls *d)
{
	if (d->is_closed)
		return ERR_CLOSED;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) >= 0)
		return 0;
	ossl_reason(d->error, sizeof(d->error), "DTLS handshake timed out");
	d->is_closed = true;
	return ERR_TIMEOUT;
}

void dtls_info(const struct dtls *d, struct dtls_info *ret)
{
	const char *cipher = SSL_get_cipher_name(d->ssl);

	*ret = (struct dtls_info){.protocol = SSL_get_version(d->ssl),
	        .cipher = cipher ? cipher : "",
	        .is_resumed = SSL_session_reused(d->ssl) == 1};
}

const char *dtls_error(const struct dtls *d)
{
	return d->error;
}
