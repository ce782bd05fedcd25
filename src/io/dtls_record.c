#include "io/dtls_record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/be.h"
#include "base/rd.h"
#include "io/replay.h"

#define GCM_FIXED_BYTES 4 /* of the nonce, from the key block */
/* AES-GCM: 2^24.5 records of 2^14 bytes keep an attacker's advantage below 2^-57 (RFC 8446 5.5). What counts
 * are the blocks, and our records are shorter: half of that, 256 GiB. */
#ifndef REKEY_BLOCKS /* a test program has a smaller one */
#define REKEY_BLOCKS ((uint64_t)1 << 34)
#endif
#define REKEY_SEQ       (DTLS_RECORD_SEQ_END / 2)
#define REKEY_FORGERIES ((uint64_t)1 << 35) /* half of RFC 9147 4.5.3 */
#define AES_BLOCK_BYTES 16

struct dtls_record {
	struct aead *tx, *rx;
	uint64_t tx_seq, tx_nonce, tx_blocks;
	uint64_t rx_seq, rx_blocks; /* the peer's key, as far as we know: only a client can renew both */
	uint64_t n_forged;
	uint16_t epoch;
	bool is_gcm, is_latest;
	uint8_t tx_iv[AEAD_NONCE_BYTES], rx_iv[AEAD_NONCE_BYTES];
	struct replay replay;
};

/* On the hot path: one bounds check for the whole header, not one per field. */
bool dtls_record_cut(struct span *datagram, struct dtls_record_head *ret)
{
	struct rd r = rd_open(*datagram);
	struct span head = rd_span(&r, DTLS_RECORD_HEAD_BYTES);

	if (!rd_ok(&r))
		return false;
	struct span body = rd_span(&r, be16_get(head.p + 11));
	if (!rd_ok(&r))
		return false;
	uint64_t number = be64_get(head.p + 3);
	*ret = (struct dtls_record_head){.type = head.p[0],
	        .version = be16_get(head.p + 1),
	        .epoch = (uint16_t)(number >> 48),
	        .seq = number & (DTLS_RECORD_SEQ_END - 1),
	        .head = head,
	        .body = body};
	*datagram = r.rest;
	return true;
}

int dtls_record_new(enum aead_engine engine, const struct dtls_record_keys *keys,
        const struct dtls_record_start *start, struct dtls_record **ret)
{
	struct dtls_record *r = calloc(1, sizeof(*r));
	int err = r ? 0 : -ENOMEM;

	if (err < 0 || (err = aead_new(engine, keys->alg, AEAD_SEAL, keys->tx_key, &r->tx)) < 0 ||
	        (err = aead_new(engine, keys->alg, AEAD_OPEN, keys->rx_key, &r->rx)) < 0) {
		dtls_record_free(r);
		return err;
	}
	r->is_gcm = keys->alg != AEAD_CHACHA20_POLY1305;
	r->epoch = start->epoch;
	r->tx_seq = start->tx_seq;
	r->tx_nonce = start->tx_nonce;
	memcpy(r->tx_iv, keys->tx_iv, sizeof(r->tx_iv));
	memcpy(r->rx_iv, keys->rx_iv, sizeof(r->rx_iv));
	*ret = r;
	return 0;
}

void dtls_record_free(struct dtls_record *r)
{
	if (r == NULL)
		return;
	aead_free(r->tx);
	aead_free(r->rx);
	explicit_bzero(r, sizeof(*r));
	free(r);
}

size_t dtls_record_text_offset(const struct dtls_record *r)
{
	return r->is_gcm ? DTLS_RECORD_NONCE_BYTES : 0;
}

size_t dtls_record_overhead_bytes(const struct dtls_record *r)
{
	return DTLS_RECORD_HEAD_BYTES + dtls_record_text_offset(r) + AEAD_TAG_BYTES;
}

/* epoch and sequence number as one word, as header, additional data and ChaCha20's nonce want it */
static uint64_t epoch_seq(const struct dtls_record *r, uint64_t seq)
{
	return (uint64_t)r->epoch << 48 | seq;
}

/* RFC 5246 6.2.3.3: the record header in another order, with the plaintext's length. */
static void aad_make(uint8_t ret[static DTLS_RECORD_HEAD_BYTES], uint64_t number, uint8_t type, size_t n)
{
	be64_put(ret, number);
	ret[8] = type;
	be16_put(ret + 9, DTLS_VERSION_1_2);
	be16_put(ret + 11, (uint16_t)n);
}

/* AES-GCM: fixed part, explicit part (RFC 5288 3). ChaCha20: IV xor number, padded in front (RFC 7905 2). */
static void nonce_make(const struct dtls_record *r, uint8_t ret[static AEAD_NONCE_BYTES], const uint8_t *iv,
        const uint8_t *low)
{
	memcpy(ret, iv, AEAD_NONCE_BYTES);
	if (r->is_gcm) {
		memcpy(ret + GCM_FIXED_BYTES, low, DTLS_RECORD_NONCE_BYTES);
		return;
	}
	for (int i = 0; i < 8; i++)
		ret[4 + i] ^= low[i];
}

int dtls_record_seal(struct dtls_record *r, enum dtls_content type, uint8_t *dst, struct span plain)
{
	uint8_t aad[DTLS_RECORD_HEAD_BYTES], nonce[AEAD_NONCE_BYTES], *text = dst + DTLS_RECORD_HEAD_BYTES;
	size_t explicit_n = dtls_record_text_offset(r);
	uint64_t number = epoch_seq(r, r->tx_seq);

	if (plain.n > DTLS_RECORD_PLAIN_MAX)
		return ERR_TOO_LARGE;
	if (r->tx_seq >= DTLS_RECORD_SEQ_END)
		return ERR_CLOSED;
	dst[0] = (uint8_t)type;
	be16_put(dst + 1, DTLS_VERSION_1_2);
	be64_put(dst + 3, number);
	be16_put(dst + 11, (uint16_t)(explicit_n + plain.n + AEAD_TAG_BYTES));
	if (r->is_gcm)
		be64_put(text, r->tx_nonce);
	aad_make(aad, number, (uint8_t)type, plain.n);
	nonce_make(r, nonce, r->tx_iv, r->is_gcm ? text : aad);
	/* used up whatever comes of it */
	r->tx_seq++;
	r->tx_nonce++;
	r->tx_blocks += plain.n / AES_BLOCK_BYTES + 2;
	if (aead_seal(r->tx, nonce, span_of(aad, sizeof(aad)), text + explicit_n, plain) < 0)
		return ERR_CRYPTO;
	return (int)(dtls_record_overhead_bytes(r) + plain.n);
}

int dtls_record_plain_bytes(const struct dtls_record *r, const struct dtls_record_head *h)
{
	size_t extra = dtls_record_text_offset(r) + AEAD_TAG_BYTES;

	if (h->version != DTLS_VERSION_1_2 || h->epoch != r->epoch || h->body.n < extra ||
	        h->body.n - extra > DTLS_RECORD_PLAIN_MAX)
		return ERR_MALFORMED;
	if (!replay_is_new(&r->replay, h->seq))
		return ERR_REFUSED;
	return (int)(h->body.n - extra);
}

int dtls_record_open(struct dtls_record *r, const struct dtls_record_head *h, uint8_t *dst)
{
	uint8_t aad[DTLS_RECORD_HEAD_BYTES], nonce[AEAD_NONCE_BYTES];
	size_t explicit_n = dtls_record_text_offset(r);
	int n = dtls_record_plain_bytes(r, h);

	if (n < 0)
		return n;
	aad_make(aad, epoch_seq(r, h->seq), h->type, (size_t)n);
	nonce_make(r, nonce, r->rx_iv, r->is_gcm ? h->body.p : aad);
	if (aead_open(r->rx, nonce, span_of(aad, sizeof(aad)), dst, span_skip(h->body, explicit_n)) < 0) {
		r->n_forged++;
		return ERR_CRYPTO;
	}
	replay_mark(&r->replay, h->seq);
	r->rx_blocks += (uint64_t)n / AES_BLOCK_BYTES + 2;
	r->is_latest = h->seq >= r->rx_seq;
	if (r->is_latest)
		r->rx_seq = h->seq;
	return n;
}

bool dtls_record_is_latest(const struct dtls_record *r)
{
	return r->is_latest;
}

bool dtls_record_wants_rekey(const struct dtls_record *r)
{
	return r->tx_seq >= REKEY_SEQ || r->rx_seq >= REKEY_SEQ || r->n_forged >= REKEY_FORGERIES ||
	       (r->is_gcm && (r->tx_blocks >= REKEY_BLOCKS || r->rx_blocks >= REKEY_BLOCKS));
}
