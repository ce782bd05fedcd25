#include "io/dtls.h"

#include <errno.h>
#include <sys/time.h>

#include <openssl/err.h>

#include "io/dtls_internal.h"

#define CBC_BLOCK_BYTES 16
#define MTU_MIN_BYTES   256
#define TIMEOUT_MAX_US  (60u * 1000000)

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
	if (d->ssl)
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
	if (d->ssl)
		DTLS_set_timer_cb(d->ssl, timeout_next_us);
}

void dtls_keep_openssl(struct dtls *d)
{
	d->is_openssl_kept = true;
}

bool dtls_is_fast(const struct dtls *d)
{
	return d->record != NULL;
}

bool dtls_wants_rekey(const struct dtls *d)
{
	return d->record && dtls_record_wants_rekey(d->record);
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
		return DTLS_RECORD_NONCE_BYTES + AEAD_TAG_BYTES;
	/* IV, then MAC and padding in whole blocks (RFC 5246 6.2.3.2) */
	const EVP_MD *md = EVP_get_digestbynid(SSL_CIPHER_get_digest_nid(c));
	size_t mac = md ? (size_t)EVP_MD_get_size(md) : 0;
	return CBC_BLOCK_BYTES + (mac + CBC_BLOCK_BYTES) / CBC_BLOCK_BYTES * CBC_BLOCK_BYTES;
}

/* OpenSSL before 3.0.22 takes a record that is too short to be decrypted as a fatal error of the association,
 * which would let any stranger who can forge the peer's address end it. */
static bool has_short_record(const struct dtls *d, struct span datagram)
{
	struct dtls_record_head h;
	size_t min = record_min_bytes(d);

	while (dtls_record_cut(&datagram, &h)) /* the cut end of a datagram is dropped by OpenSSL */
		if (h.epoch > 0 && h.body.n < min)
			return true;
	return false;
}

void dtls_feed(struct dtls *d, struct span datagram)
{
	bool is_record = datagram.n >= DTLS_RECORD_HEAD_BYTES && datagram.p[0] >= DTLS_CCS &&
	                 datagram.p[0] <= DTLS_DATA && datagram.p[1] == 0xfe;

	if (!is_record || d->is_closed || (d->ssl && has_short_record(d, datagram)))
		return;
	d->is_in_writable = false;
	d->in = d->is_up ? datagram : dtls_early_take(d, datagram);
}

void dtls_feed_writable(struct dtls *d, uint8_t *p, size_t n)
{
	dtls_feed(d, span_of(p, n));
	d->is_in_writable = d->in.p == p;
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
	dtls_flight_reset(d);
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
	d->suite = SSL_get_current_cipher(d->ssl);
	d->is_resumed = d->is_resume;
	dtls_switch(d);
	return 0;
}

bool dtls_is_up(const struct dtls *d)
{
	return d->is_up && !d->is_closed;
}

static int slow_read(struct dtls *d, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	/* what was short is only known now that there is a suite */
	while (d->in.n == 0 && (d->in = dtls_early_next(d)).n > 0 && has_short_record(d, d->in))
		d->in.n = 0;
	ERR_clear_error();
	int r = SSL_read_ex(d->ssl, buf, cap > INT32_MAX ? INT32_MAX : cap, &n);
	return r == 1 ? (int)n : dtls_failed(d, r, "DTLS read failed");
}

static int read_any(struct dtls *d, bool is_in_place, uint8_t *buf, size_t cap, uint8_t **ret)
{
	int r;

	if (d->is_closed)
		return ERR_CLOSED;
	if (!d->is_up || cap == 0)
		return -EINVAL;
	if (d->record)
		return dtls_fast_read(d, is_in_place, buf, cap, ret);
	*ret = buf;
	do
		r = slow_read(d, buf, cap);
	while (r == 0 && d->early.n > 0);
	return r;
}

int dtls_read(struct dtls *d, void *buf, size_t cap)
{
	return read_any(d, false, buf, cap, &(uint8_t *){NULL});
}

int dtls_read_view(struct dtls *d, uint8_t *buf, size_t cap, uint8_t **ret)
{
	return read_any(d, d->is_in_writable, buf, cap, ret);
}

bool dtls_read_latest(const struct dtls *d)
{
	return d->record == NULL || dtls_record_is_latest(d->record);
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
	if (d->record)
		return dtls_fast_write(d, plaintext);
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
	if (dtls_is_up(d) && d->record)
		dtls_fast_close(d);
	else if (dtls_is_up(d) && d->out) {
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

	if (d->is_closed || d->ssl == NULL || DTLSv1_get_timeout(d->ssl, &left) != 1)
		return MS_NEVER;
	/* rounded up: waking early would find nothing due */
	return ms_add(now_ms, (ms_t)left.tv_sec * 1000 + (ms_t)(left.tv_usec + 999) / 1000);
}

int dtls_on_timeout(struct dtls *d)
{
	if (d->is_closed)
		return ERR_CLOSED;
	if (d->ssl == NULL)
		return 0;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) >= 0)
		return 0;
	ossl_reason(d->error, sizeof(d->error), "DTLS handshake timed out");
	d->is_closed = true;
	return ERR_TIMEOUT;
}

void dtls_info(const struct dtls *d, struct dtls_info *ret)
{
	const SSL_CIPHER *suite = d->suite ? d->suite : SSL_get_current_cipher(d->ssl);

	*ret = (struct dtls_info){.protocol = d->record ? "DTLSv1.2" : SSL_get_version(d->ssl),
	        .cipher = suite ? SSL_CIPHER_get_name(suite) : "",
	        .is_resumed = d->is_resumed};
}

const char *dtls_error(const struct dtls *d)
{
	return d->error;
}
