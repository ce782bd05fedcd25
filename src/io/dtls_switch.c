/* From OpenSSL's handshake to our own record layer, by public functions alone (datapath.md section 6).
 *
 * Two numbers must never be used twice with one key: the sequence number, or the peer drops the record, and
 * the nonce, or AES-GCM breaks. OpenSSL tells neither, but both stand in clear in what it sends. Its nonces
 * count up from a random start; we count on behind the last one, so that no other rule is needed. */
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "base/rd.h"
#include "io/dtls_internal.h"

#define DATA_EPOCH      1
#define GCM_FIXED_BYTES 4
#define RANDOM_BYTES    32
#define KEY_BLOCK_MAX   (2 * AEAD_KEY_BYTES_MAX + 2 * AEAD_NONCE_BYTES)
#define KEY_BLOCK_LABEL "key expansion" /* RFC 5246 6.3 */
#define LABEL_BYTES     (sizeof(KEY_BLOCK_LABEL) - 1)

static void spent_note(struct dtls_spent *s, const struct dtls_record_head *h)
{
	struct rd r = rd_open(h->body);
	uint64_t nonce = rd_u64(&r);

	if (s->next_seq > 0 && nonce != s->next_nonce)
		s->is_odd = true;
	s->next_nonce = nonce + 1;
	if (h->seq + 1 > s->next_seq)
		s->next_seq = h->seq + 1;
}

static void flight_keep(struct dtls_flight *f, struct span datagram)
{
	uint8_t *bigger = NULL;

	if (f->n_dgram < DTLS_FLIGHT_DGRAMS_MAX && f->n + datagram.n <= DTLS_FLIGHT_BYTES_MAX)
		bigger = realloc(f->p, f->n + datagram.n);
	if (bigger == NULL) {
		f->is_over = true;
		return;
	}
	memcpy(bigger + f->n, datagram.p, datagram.n);
	f->p = bigger;
	f->len[f->n_dgram++] = (uint16_t)datagram.n;
	f->n += datagram.n;
}

void dtls_flight_reset(struct dtls *d)
{
	free(d->flight.p);
	d->flight = (struct dtls_flight){0};
}

void dtls_switch_on_sent(struct dtls *d, struct span datagram)
{
	struct dtls_record_head h;

	if (d->is_up || d->is_openssl_kept)
		return;
	flight_keep(&d->flight, datagram);
	while (dtls_record_cut(&datagram, &h))
		if (h.epoch == DATA_EPOCH)
			spent_note(&d->spent, &h);
}

static bool suite_alg(const SSL_CIPHER *suite, enum aead_alg *ret)
{
	switch (SSL_CIPHER_get_cipher_nid(suite)) {
	case NID_aes_128_gcm:
		*ret = AEAD_AES128_GCM;
		return true;
	case NID_aes_256_gcm:
		*ret = AEAD_AES256_GCM;
		return true;
	case NID_chacha20_poly1305:
		*ret = AEAD_CHACHA20_POLY1305;
		return true;
	default:
		return false;
	}
}

/* PRF(master, "key expansion", server random, client random): RFC 5246 5 and 6.3. */
static bool key_block(SSL *ssl, const SSL_CIPHER *suite, uint8_t *ret, size_t n)
{
	uint8_t master[DTLS_MASTER_BYTES], seed[LABEL_BYTES + 2 * RANDOM_BYTES];
	const EVP_MD *md = SSL_CIPHER_get_handshake_digest(suite);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = false;

	memcpy(seed, KEY_BLOCK_LABEL, LABEL_BYTES);
	if (ctx && md && SSL_get_server_random(ssl, seed + LABEL_BYTES, RANDOM_BYTES) == RANDOM_BYTES &&
	        SSL_get_client_random(ssl, seed + LABEL_BYTES + RANDOM_BYTES, RANDOM_BYTES) == RANDOM_BYTES &&
	        SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master)) == sizeof(master)) {
		OSSL_PARAM params[] = {
		        OSSL_PARAM_construct_utf8_string(
		                OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)EVP_MD_get0_name(md), 0),
		        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
		        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
		        OSSL_PARAM_construct_end(),
		};
		ok = EVP_KDF_derive(ctx, ret, n, params) == 1;
	}
	explicit_bzero(master, sizeof(master));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* client key, server key, client IV, server IV: AEAD suites have no MAC keys (RFC 5246 6.3). */
static bool keys_get(struct dtls *d, enum aead_alg alg, struct dtls_record_keys *ret)
{
	uint8_t block[KEY_BLOCK_MAX];
	size_t n_key = aead_key_bytes(alg),
	       n_iv = alg == AEAD_CHACHA20_POLY1305 ? AEAD_NONCE_BYTES : GCM_FIXED_BYTES;
	struct dtls_record_keys k = {.alg = alg};

	if (!key_block(d->ssl, d->suite, block, 2 * n_key + 2 * n_iv))
		return false;
	const uint8_t *key[2] = {block, block + n_key};
	const uint8_t *iv[2] = {block + 2 * n_key, block + 2 * n_key + n_iv};
	memcpy(k.tx_key, key[d->is_server], n_key);
	memcpy(k.rx_key, key[!d->is_server], n_key);
	memcpy(k.tx_iv, iv[d->is_server], n_iv);
	memcpy(k.rx_iv, iv[!d->is_server], n_iv);
	*ret = k;
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&k, sizeof(k));
	return true;
}

static struct dtls_record *record_make(struct dtls *d)
{
	struct dtls_record_start start = {
	        .epoch = DATA_EPOCH, .tx_seq = d->spent.next_seq, .tx_nonce = d->spent.next_nonce};
	struct dtls_record_keys keys;
	struct dtls_record *r = NULL;
	enum aead_alg alg;

	if (d->is_openssl_kept || SSL_version(d->ssl) != DTLS1_2_VERSION || d->suite == NULL ||
	        !suite_alg(d->suite, &alg) || d->flight.is_over)
		return NULL;
	/* our Finished was a record of this epoch: without having seen it we know nothing */
	if (d->spent.next_seq == 0 || (d->spent.is_odd && alg != AEAD_CHACHA20_POLY1305))
		return NULL;
	if (!keys_get(d, alg, &keys))
		return NULL;
	if (dtls_record_new(AEAD_AUTO, &keys, &start, &r) < 0)
		r = NULL;
	explicit_bzero(&keys, sizeof(keys));
	return r;
}

void dtls_switch(struct dtls *d)
{
	d->record = record_make(d);
	ERR_clear_error();
	if (d->record == NULL) {
		dtls_flight_reset(d); /* OpenSSL repeats by itself */
		return;
	}
	SSL_free(d->ssl);
	SSL_SESSION_free(d->resume);
	d->ssl = NULL;
	d->resume = NULL;
	d->in.n = 0;
}
